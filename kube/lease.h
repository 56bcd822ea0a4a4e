/* lease.h -- one leader among several programs, by a coordination.k8s.io/v1 Lease, as client-go's leader election does it.
 *
 * The leader renews every retry_ms; it believes to lead for renew_ms from when it sent its last good renewal, and not
 * longer; others take over when the record has not changed before their eyes for lease_ms.  As renew_ms is shorter, there are
 * never two.  Every change is a write with the resourceVersion that was read.  Each term has a greater epoch
 * (leaseTransitions) than the one before it.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "kube/lease_record.h"
#include "kube/transport.h"

struct kube_lease;

struct kube_lease_settings {
	const char *namespace, *name;
	const char *identity; /* kube_lease_identity(); no two programs have the same */
	uint64_t lease_ms;    /* 15 s; longer than renew_ms */
	uint64_t renew_ms;    /* 10 s; longer than 1.2 times retry_ms */
	uint64_t retry_ms;    /* 2 s; candidates add up to 1.2 times as much at random */
};

struct kube_lease_events {
	/* It leads, with that epoch, which is 1 or more. */
	void (*on_leading)(uint64_t epoch, void *arg);
	/* It does not any more, after on_leading; it goes on as a candidate.  Told as soon as the loop turns: who is about to
	 * write asks kube_lease_is_held(). */
	void (*on_lost)(const char *why, void *arg);
	/* Somebody else leads than was last told; itself, too; "": nobody does. */
	void (*on_leader)(const char *identity, void *arg);
	void *arg;
};

/* All is copied but `client`, which is borrowed and best its own: a request without an answer replaces the connection. */
struct kube_lease *kube_lease_start(uv_loop_t *loop, struct kube_client *client,
                                    const struct kube_lease_settings *settings,
                                    const struct kube_lease_events *events);
/* Other times, of which the same must be true.  They count from the next attempt on, whoever leads: no record ever says less than its
 * writer believes. */
void kube_lease_set_times(struct kube_lease *l, uint64_t lease_ms, uint64_t renew_ms,
                          uint64_t retry_ms);
/* Does not lead from now on, and no event is told any more.  A leader releases the Lease, so that another may begin at
 * once: tried once, for release_ms at most (0: not tried).  It is gone when on_stopped is called, which is never within this
 * call; the client must live until then. */
void kube_lease_stop(struct kube_lease *l, uint64_t release_ms, void (*on_stopped)(void *arg),
                     void *arg);

/* Does it lead at this moment, by the clock, whatever the loop was doing meanwhile (a stopped process, a sleeping machine)? */
bool kube_lease_is_held(const struct kube_lease *l);
/* For how much longer, if nothing is renewed; 0: not held.  What is written must be answered by then. */
uint64_t kube_lease_left_ms(const struct kube_lease *l);
/* Of the term that on_leading told of last; 0: none. */
uint64_t kube_lease_epoch(const struct kube_lease *l);
/* What was last seen of it, and what went wrong with the last request ("": nothing); good until the loop turns. */
const struct kube_lease_record *kube_lease_record(const struct kube_lease *l);
const char *kube_lease_trouble(const struct kube_lease *l);

/* "HOST_UUID", as client-go's programs call themselves; new each time.  The caller frees. */
char *kube_lease_identity(void);

#endif
