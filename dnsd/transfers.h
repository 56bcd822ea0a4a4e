/* transfers.h -- zones for secondaries: kept ready as images with their history, handed out as transfers, and told of (NOTIFY).
 *
 * A thread of its own takes snapshots as workers do, so that neither they nor the control thread wait for a whole zone.
 * A zone is looked at when a secondary asks and, once one has asked or is to be notified, after each publication, at most so
 * often that a fifth of one CPU goes into it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TRANSFERS_H
#define DNSD_TRANSFERS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "dnsd/config.h"
#include "dnsd/transfer.h"
#include "zones/handover.h"

struct transfers;

/* Control thread.  Borrows the handover; there are no zones until it is configured. */
struct transfers *transfers_start(struct handover *h);
/* No desk may be open any more. */
void transfers_stop(struct transfers *t); /* NULL is fine */
/* The config is copied as far as it matters; the keys, which may be NULL, are shared. */
void transfers_configure(struct transfers *t, const struct config *c, const struct tsig_keys *keys);
void transfers_poke(struct transfers *t); /* a snapshot was published */
/* Tells the secondaries of the zone (apex in wire form) once more, as if it had just changed. */
void transfers_notify(struct transfers *t, struct bytes apex);

/* --- a worker's side: on the thread of its loop --- */

struct transfers_desk;
struct transfers_request;

struct transfers_desk *transfers_desk_open(struct transfers *t, uv_loop_t *loop);
/* Every request has been forgotten. Frees the desk when the loop has closed its handle. */
void transfers_desk_close(struct transfers_desk *d);

/* Takes the transfer, which has nothing yet, and has it filled; `ready` is called once, later, on this thread, with what the callee
 * frees, unless the request was forgotten before.  One that is still empty then is a refusal: there is no such zone.  `from`:
 * what an IXFR has; NULL: the whole zone. */
typedef void transfers_on_ready_fn(struct transfer *take, void *arg);
struct transfers_request *transfers_ask(struct transfers_desk *d, struct transfer *take,
                                        const struct name *apex, const uint32_t *from,
                                        transfers_on_ready_fn *ready, void *arg);
void transfers_forget(struct transfers_request *r); /* NULL is fine */

#endif
