/* udp.h -- DNS over UDP: batches in, batches out.
 *
 * Each worker has one socket per listening address and one set of buffers for all of
 * them.  A batch is received, answered from one snapshot and sent; nothing waits.  From the
 * responder's proxies, a PROXY header stands before each message and names the client.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_UDP_H
#define DNSD_UDP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/err.h"
#include "dnsd/respond.h"
#include "zones/handover.h"

struct udp;
struct udp_batch;

/* A socket bound to the address with SO_REUSEPORT, which others may bind too; `shared` false:
 * only when nobody else has the port.  No fragments are made or believed in (RFC 9715).
 * ERR_DENIED, ERR_CONFLICT, ERR_IO. */
enum err udp_open(const struct addr *addr, uint16_t port, bool shared, int *fd,
                  struct reason *why) MUST_CHECK;

/* The worker's buffers; borrows reader and responder. */
struct udp_batch *udp_batch_new(struct reader *reader, struct responder *responder);
void udp_batch_free(struct udp_batch *b);

/* Answers what comes in at `take_fd`.  On a wildcard address, replies leave from the address
 * asked. */
struct udp *udp_start(uv_loop_t *loop, int take_fd, bool wildcard, struct udp_batch *batch);
/* Answers what has been received, then closes.  Free after the loop has ended. */
void udp_stop(struct udp *u);
void udp_free(struct udp *u);

#endif
