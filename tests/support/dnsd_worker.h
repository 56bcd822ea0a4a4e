/* dnsd_worker.h -- a worker, as server.c makes one, that turns when the test says.
 *
 * At ports of the kernel's choice.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_DNSD_WORKER_H
#define TESTS_SUPPORT_DNSD_WORKER_H

#include <stdint.h>
#include <uv.h>

#include "dnsd/tcp.h"
#include "dnsd/udp.h"
#include "tests/support/dnsd_world.h"

struct worker {
	uv_loop_t loop;
	struct reader *reader;
	struct responder responder;
	struct quota *quota;
	struct tcp *tcp;
	struct udp_batch *batch;
	struct udp *udp;
	uint16_t tcp_port, udp_port;
};

extern const struct addr worker_address; /* 127.0.0.1 */

/* Answers from the world's snapshots.  `limits` NULL: the usual ones. */
void worker_start(struct worker *k, struct world *w, const struct tcp_limits *limits);
/* To its end; no connection may be left then. */
void worker_stop(struct worker *k);
/* Once round the loop, without waiting. */
void worker_turn(struct worker *k);
/* How often it has answered with NOERROR. */
uint64_t worker_answered(const struct worker *k, enum stats_transport transport);
/* A client's socket, of SOCK_DGRAM or SOCK_STREAM. */
int worker_dial(int type, uint16_t port);

#endif
