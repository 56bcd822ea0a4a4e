/* transfer.h -- a zone on its way to a secondary: one record after the other, in as many messages as it takes.
 *
 * A transfer holds what it sends: the zone may go on changing.  Made and freed by any thread; used by one at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TRANSFER_H
#define DNSD_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "dnsd/tsig.h"

struct transfer;

enum { TRANSFER_MESSAGE = 16000 /* bytes, but for a record that is longer */ };

/* Whom it answers: ID and the question as asked (copied), and the signature of the query (NULL: it had none).  As long as
 * nothing was added it is a refusal: SERVFAIL. */
struct transfer *transfer_new(uint16_t id, struct bytes question, const struct tsig *tsig);
/* More records to send, behind those before; `held` is released by `release` when the transfer is freed (both may be NULL). */
void transfer_add(struct transfer *t, struct bytes records, const void *held,
                  void (*release)(const void *held));
void transfer_free(struct transfer *t); /* NULL is fine */

/* Writes the next message to `out`, which has room for 65535 bytes, and returns its length; 0: all have been sent. */
size_t transfer_next(struct transfer *t, uint64_t now_s, uint8_t *out);
#endif
