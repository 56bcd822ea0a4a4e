/* replicas.h -- what the other replicas see of the addresses that are probed, and what all together decide.
 *
 * Wiring: beside verdicts.h, between the probes of this replica, the vote (watcher/vote.h) and the others
 * (watcher/peers.h).  Without `replicas` in the config it does nothing, and probes decide.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_REPLICAS_H
#define DNSD_REPLICAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "dnsd/config.h"
#include "dnsd/replica_notes.h"
#include "records/build.h"
#include "zones/build.h"

struct replicas;

/* `on_change`: a decision, who votes, or what anybody sees may have changed. */
struct replicas *replicas_new(uv_loop_t *loop, void (*on_change)(void *arg), void *arg);
/* Could these settings be taken up?  Reads the files. */
enum err replicas_check(const struct config *config, struct reason *why) MUST_CHECK;
/* Would the others let this one in, by the certificate as it is?  If not, it answers all the same. */
enum err replicas_verify(const struct config *config, struct reason *why) MUST_CHECK;
/* Takes them up, at the start and later, but for another address to listen at.  `config` is borrowed until the next.
 * On an error all stays as it was. */
enum err replicas_configure(struct replicas *r, const struct config *config,
                            struct reason *why) MUST_CHECK;
/* Is there a vote?  Else none of those below is to be asked. */
bool replicas_vote(const struct replicas *r);

/* The addresses of the result by index, and which of them this replica probes. */
typedef bool replicas_is_wanted_fn(size_t index, void *arg);
void replicas_set_targets(struct replicas *r, const struct records_result *result,
                          replicas_is_wanted_fn *is_wanted, void *arg);
/* What a probe of an index found out. */
struct replicas_verdict {
	bool succeeded;
	bool reached; /* something answered, good or bad */
	bool down;    /* as this replica judges the address since */
};
void replicas_note(struct replicas *r, size_t index, const struct replicas_verdict *verdict);
/* May any decision be another one than at the last call? */
bool replicas_have_changed(struct replicas *r);
/* Is the address withdrawn, which was so or not before? */
bool replicas_decide(const struct replicas *r, size_t index, bool was_withdrawn);

/* Appends who sees what of the address: "2 of 3 replicas see it down, 1 up". */
void replicas_describe(const struct replicas *r, size_t index, struct text *out);

/* Several times a second: does this replica reach anything, and who is heard? */
void replicas_tick(struct replicas *r);
/* Nobody could say anything: all stays as it was. */
bool replicas_are_frozen(const struct replicas *r);
/* Who sees what, when that has changed since it was given last. */
void replicas_give_votes(struct replicas *r, struct zones *zones);
void replicas_give_notes(const struct replicas *r, struct replica_notes *notes);
/* Why the files are not as they were read last; NULL: they are. */
const char *replicas_error(const struct replicas *r);

void replicas_stop(struct replicas *r, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
