/* choose_inside.h -- a choice while it is being made, for the files of choose.h.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CHOOSE_INSIDE_H
#define DNSD_CHOOSE_INSIDE_H

#include "base/hash.h"
#include "dnsd/choose.h"

/* --- who shares with whom (choose_share.c) --- */

/* By what chance decides for a client, the same on all replicas: worked out when first needed. */
struct lot {
	const struct choosing *how;
	const struct policy *policy;
	const uint32_t *weight; /* by cluster id; NULL: all are equal */
	bool is_drawn;
	unsigned bits;   /* of the bucket */
	uint64_t bucket; /* the client's */
	uint64_t asker;  /* bucket and name, as hash_mix_begin() has it */
};

static inline void lot_init(struct lot *lot, const struct choosing *how,
                            const struct policy *policy)
{
	lot->how = how;
	lot->policy = policy;
	lot->weight = policy->weight;
	lot->is_drawn = false;
	lot->bits = 0;
	if (policy->unknown_weight != NULL && how->client->leaf.order->is_unplaced)
		lot->weight = policy->unknown_weight;
}
void lot_draw(struct lot *lot);
unsigned lot_bits(struct lot *lot);

/* Does the policy give the cluster any client while others have weight? */
static inline bool lot_has_weight(const struct lot *lot, uint16_t id)
{
	return lot->weight == NULL || (id < lot->policy->cluster_count && lot->weight[id] > 0);
}

/* 0: the policy gives the site's cluster no client while others have more. */
static inline uint64_t lot_weight(const struct lot *lot, const struct site *site)
{
	uint16_t id = site_cluster(site), capacity;
	uint64_t weight = 1;

	if (lot->weight != NULL)
		weight = id < lot->policy->cluster_count ? lot->weight[id] : 0;
	if (!lot->policy->is_capacity)
		return weight;
	/* What serves has room for somebody. */
	capacity = site_capacity(site);
	return capacity > 1 ? weight * capacity : weight;
}

/* log2(1 + i / 2^SHARE_LOG_STEPS) in SHARE_LOG_BITS of fraction. */
enum { SHARE_LOG_BITS = 26, SHARE_LOG_STEPS = 7 };
extern const uint32_t share_logs[(1 << SHARE_LOG_STEPS) + 1];

/* -log2(hash / 2^64) / weight in fixed point, never 0: leading zeros, then the table, straight between its points.  The least of
 * these is every site's with a chance in proportion to its weight (1 .. 2^36). */
static inline uint64_t share_part(uint64_t hash, uint64_t weight)
{
	unsigned zeros = (unsigned)__builtin_clzll(hash | 1);
	uint64_t mantissa = (hash | 1) << zeros << 1; /* without its first bit */
	unsigned step = (unsigned)(mantissa >> (64 - SHARE_LOG_STEPS));
	uint64_t between = mantissa << SHARE_LOG_STEPS >> 40, low = share_logs[step];
	uint64_t log = low + ((share_logs[step + 1] - low) * between >> 24);

	return (((((uint64_t)zeros + 1) << SHARE_LOG_BITS) - log) << 31) / weight;
}

static inline uint64_t lot_hash(const struct lot *lot, const struct site *site)
{
	const struct snapshot_cluster *c = snapshot_cluster(lot->how->s, site_cluster(site));

	return hash_mix_end(lot->asker, c != NULL ? c->name_hash : 0);
}

/* The highest of a tie wins: a rendezvous hash, weighted.  A site that goes moves only its own clients, a weight that changes
 * only those whose share moves.  The lot is drawn. */
static inline uint64_t lot_score(const struct lot *lot, const struct site *site, uint64_t weight)
{
	uint64_t hash = lot_hash(lot, site);

	if (lot->weight == NULL && !lot->policy->is_capacity)
		return hash;
	return ~share_part(hash, weight > 0 ? weight : 1);
}

/* Must the client's bucket not go to the site's cluster now? */
bool lot_is_withheld(struct lot *lot, const struct site *site);
/* Do buckets tell for whom a site that has the type is withheld? */
bool lot_splits(const struct choosing *how);

/* How far an answer holds: as the leaf's order, and as the bucket when it told sites apart (was_close) or may.  Not is_shared: no other
 * site has the type. */
uint8_t lot_scope(struct lot *lot, bool is_shared, bool was_close);
/* A client that nobody knows is where its resolver is; the depth stays its own. */
void choose_place_as_resolver(const struct policy *policy, struct client *c);
/* The client's leaf in the order of a policy. */
static inline void choose_place_by(const struct policy *policy, struct client *c)
{
	c->leaf = choose_place(policy->ranking, c);
	c->placed_by = policy->ranking;
	if (policy->resolver_when_unknown)
		choose_place_as_resolver(policy, c);
}

/* The TTL of an answer whose RRsets have `ttl`; ttl_most: what the clusters of its sites allow, 0: any. */
static inline uint32_t choose_ttl_within(const struct policy *policy, uint32_t ttl,
                                         bool is_degraded, uint32_t ttl_most)
{
	if (policy->ttl != 0)
		ttl = policy->ttl;
	if (is_degraded && ttl > policy->degraded_ttl)
		ttl = policy->degraded_ttl;
	return ttl_most != 0 && ttl > ttl_most ? ttl_most : ttl;
}

/* --- step by step (choose.c) --- */

struct task {
	struct choosing is;
	const struct policy *policy;
	struct lot lot;
	bool is_placed;    /* the client's leaf is that of the policy */
	bool is_union;     /* `defaults` say all: whoever asks */
	bool everyone;     /* fail open: as if all sites were usable */
	bool asks_address; /* there is a fallback for when no usable site has an address */
};

/* How good a site is: first by what it lacks (0: nothing), then by the client's order. */
struct rank {
	unsigned lack;
	struct ranking_position position;
};
enum { LACKS_PROOF = 1, LACKS_PEACE = 2, LACKS_CLIENTS = 4, LACKS_WEIGHT = 8 };

/* What one pass over the sites finds. */
struct tally {
	bool any_usable, has_address; /* among those that the client may be sent to */
	bool any_forbidden_usable;    /* among the others */
	bool troubled;                /* some site's cluster is down or draining */
	unsigned with_type;           /* sites, usable or not, that have the type; counted to 2 */
	const struct site *best;
	const struct rrset *rrset; /* of best */
	struct rank rank;          /* of best */
	uint64_t score;            /* of best, once it was in a tie */
	bool tied;                 /* best won by its score */
	uint32_t ttl_most;         /* of the clusters of the answer, 0: no limit */
	size_t union_bytes;
	bool is_cut; /* the union leaves out RRsets that do not fit */
};

bool task_is_allowed(const struct task *t, const struct site *site);
bool task_is_usable(const struct task *t, const struct site *site, bool *troubled);
/* The first of the client's order that is usable and has the type. */
void task_find_best(struct task *t, struct tally *y);
uint64_t task_score(struct task *t, const struct site *site);
/* The site is in the answer. */
void task_limit_ttl(const struct task *t, struct tally *y, const struct site *site);
struct rank task_rank(struct task *t, const struct site *site);
/* <0: a comes before b. */
static inline int rank_compare(const struct rank *a, const struct rank *b)
{
	if (a->lack != b->lack)
		return a->lack < b->lack ? -1 : 1;
	return ranking_compare(a->position, b->position);
}

/* --- several sites (choose_many.c) --- */

/* Of a policy: sites in the client's order, as many as may be told.  `y` has the first. */
void choose_many(struct task *t, struct tally *y, struct choice *out);
/* Of `defaults`: every usable site, the same for all clients. */
void choose_union(struct task *t, struct tally *y, struct choice *out);

/* --- what the recorder hears (choose_tell.c) --- */

void tell_usable(struct task *t);
void tell_step(const struct task *t, const char *stage, const char *detail);
/* Each site that the client may be sent to; others may be usable. */
void tell_open(struct task *t, bool others_are_usable);
/* What followed from them, stage by stage. */
void tell_choice(struct task *t, const struct tally *y, const struct choice *c);

#endif
