/* dispatch.h -- writes to one API server: so many at once, the others wait in the order of their coming.  Questions that a plan
 * waits for are asked beside them, a few at once, and wait for no write.  What may be lost (Events, questions why something is
 * as it is) is spare: it is sent when no other waits.
 *
 * Each server has its own, so that one that accepts and never answers delays nobody else.  What a server asks for with
 * Retry-After holds for what waits in the same queue: for all writes, for all questions, or for all that is spare.  All are of
 * one term, that of the epoch in which the first of them was sent; in another one, or in none, nothing is sent.  On the loop's
 * thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DISPATCH_H
#define PROPAGATOR_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/write.h"

struct dispatch;
struct dispatch_job;

/* Who leads: the epoch of the term that is held at this moment, 1 or more; 0: none is. */
struct dispatch_term {
	uint64_t (*epoch)(void *arg);
	void *arg;
};

/* `client` and `term` are borrowed; `at_once`: requests under way. */
struct dispatch *dispatch_new(uv_loop_t *loop, struct kube_client *client, unsigned at_once,
                              const struct dispatch_term *term);
/* From now on only as much is under way at once as the server answers within a second, 4 in any case: for one where others, a
 * Lease above all, would wait behind it. */
void dispatch_give_way(struct dispatch *d);
/* Whatever waits or is under way ends without a word. */
void dispatch_free(struct dispatch *d);

/* `write` is copied.  on_done once, never within this call; the job is gone then. */
struct dispatch_job *dispatch_add(struct dispatch *d, const struct kube_write *write,
                                  kube_on_answer_fn *on_done, void *arg);
/* The same for what a plan waits for: a few at once beside the writes, however many of those wait.  What the server asks for in
 * answer to it holds for its like alone.  NULL: too many wait already, it is dropped, and on_done is never called. */
struct dispatch_job *dispatch_add_question(struct dispatch *d, const struct kube_write *write,
                                           kube_on_answer_fn *on_done, void *arg);
/* The same for what may be lost: a few at once beside the others, when none of those waits. */
struct dispatch_job *dispatch_add_spare(struct dispatch *d, const struct kube_write *write,
                                        kube_on_answer_fn *on_done, void *arg);
/* on_done is not called any more; whether it takes effect is not known.  NULL is fine. */
void dispatch_cancel(struct dispatch_job *job);

/* It has not been sent yet. */
bool dispatch_is_waiting(const struct dispatch_job *job);

struct dispatch_counts {
	uint64_t sent, refused;    /* answers that were no success */
	uint64_t dropped;          /* questions and spare ones for which there was no room */
	size_t waiting, under_way; /* of writes */
};
struct dispatch_counts dispatch_counts(const struct dispatch *d);

#endif
