/* vote.h -- is an address down?  What all replicas see of it, put together (docs/decisions/0017-the-vote.md).
 *
 * A replica votes when it was heard within the last 3 s, reaches at least one site and is not mute; oneself is number 0 and
 * always heard.  An address is withdrawn when more than half of the voters see it down: who does not know it counts against
 * that.  It comes back when half of them see it up, or more see it up than down: who does not know it counts for
 * neither, so that a replica that has just started moves nobody.  Without voters everything stays as it was.
 * Pure: times are the caller's, of its own clock.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_VOTE_H
#define WATCHER_VOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/hash.h"

enum {
	VOTE_MOST_REPLICAS = 64, /* oneself included */
	VOTE_MOST_KEYS = 100000, /* that one replica may tell of */
	VOTE_HEARD_MS = 3000,
	VOTE_REACH_SLACK_MS = 500
};

/* What is voted on, the same number on every replica. */
struct vote_key {
	uint64_t a, b;
};
/* `check`: how it is probed (records_check.key). */
struct vote_key vote_key_of_address(const struct addr *addr, uint16_t port, struct bytes check);
/* Of a cluster itself.  Who sees a cluster's API, and therefore does not probe its addresses, sees them up. */
struct vote_key vote_key_of_cluster(struct bytes name);

enum vote_view { VOTE_UNKNOWN = 0, VOTE_UP = 1, VOTE_DOWN = 2 };

/* What probes of one's own say of an address.  They fail too when it is one's own network that broke, so failures are
 * believed only when it failed, something else succeeded, and then it failed again: a network that comes back
 * withdraws nobody. */
struct vote_probed {
	bool down; /* after so many failures as `down` asks for, until so many successes as `up` does: the prober's */
	bool has_succeeded, is_believed;
	bool has_witness;       /* it failed, another succeeded, and it failed again */
	uint64_t failing_at_ms; /* first failure since the last success; 0: none */
};
/* A probe ended, and p->down is as it is since.  *last_success_ms: of any probe, set here. */
void vote_note_success(struct vote_probed *p, uint64_t now_ms, uint64_t *last_success_ms);
void vote_note_failure(struct vote_probed *p, uint64_t now_ms, uint64_t last_success_ms);
/* It was told, by what needs no network. */
void vote_note_word(struct vote_probed *p, bool is_good);
/* Nothing was reached for a while: what was believed until then may not be so any more. */
void vote_note_silence(struct vote_probed *p);
/* It answered, and what it said was bad: that is not the network. */
void vote_note_bad_answer(struct vote_probed *p, uint64_t now_ms, uint64_t *last_success_ms);
enum vote_view vote_view_of(const struct vote_probed *p);
/* Does this replica reach any site?  `period_ms`: in which each address is probed and answers. */
bool vote_reaches(uint64_t last_success_ms, uint64_t period_ms, uint64_t now_ms);

struct vote;

/* Without voters.  `key`: what strangers cannot know, and another one on each replica. */
struct vote *vote_new(const struct hash_key *key);
void vote_free(struct vote *v);

/* A message of the replica was received at now_ms.  `sequence` numbers what it says: false, and nothing is changed,
 * when it is older than what was heard before. */
bool vote_hear(struct vote *v, unsigned replica, uint64_t sequence, bool reaches, uint64_t now_ms);
/* What it says of a key; VOTE_UNKNOWN is as if it had never said anything.  False: it has said too much, and this is not taken. */
bool vote_see(struct vote *v, unsigned replica, const struct vote_key *key, enum vote_view view);
/* What it said so far is void: all of it is told anew. */
void vote_clear(struct vote *v, unsigned replica);
/* It is there twice, and this one has no vote, until it is said otherwise. */
void vote_mute(struct vote *v, unsigned replica, bool is_mute);
/* Its number may be another one's. */
void vote_forget(struct vote *v, unsigned replica);

/* Who votes from now on; true: others than before.  Decisions are as of the last call. */
bool vote_turn(struct vote *v, uint64_t now_ms);
/* One bit a replica. */
uint64_t vote_voters(const struct vote *v);
/* Is there nobody who could say anything?  Then all stays as it was. */
bool vote_is_frozen(const struct vote *v);

/* What all say of one key; it stays where it is while it is watched, so that counting looks nothing up. */
struct vote_opinion;
struct vote_opinion *vote_watch(struct vote *v,
                                const struct vote_key *key); /* counts one more use */
void vote_unwatch(struct vote *v, struct vote_opinion *o);   /* NULL is fine */

/* Who of the voters says what; the same bits. */
struct vote_ballot {
	uint64_t down, up;
};
struct vote_ballot vote_count(const struct vote *v, const struct vote_opinion *address,
                              uint64_t see_cluster);
/* Who sees the cluster's API, voter or not. */
uint64_t vote_see_cluster(const struct vote_opinion *cluster);
/* What that replica says. */
enum vote_view vote_said(const struct vote_opinion *o, unsigned replica);
/* Is the address withdrawn, which was so or not before?  `asks`: this replica probes it, and will know. */
bool vote_decide(const struct vote *v, struct vote_ballot ballot, bool was_withdrawn, bool asks);

/* All that the replica says. */
typedef void vote_on_view_fn(const struct vote_key *key, enum vote_view view, void *arg);
void vote_each(const struct vote *v, unsigned replica, vote_on_view_fn *fn, void *arg);
struct vote_tally {
	size_t up, down;
};
/* How much the replica sees, of all that it has told. */
struct vote_tally vote_tally(const struct vote *v, unsigned replica);
/* When the replica was heard last; 0: never. */
uint64_t vote_heard_ms(const struct vote *v, unsigned replica);

#endif
