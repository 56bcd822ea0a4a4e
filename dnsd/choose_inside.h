/* choose_inside.h -- a choice while it is being made, for the files of choose.h.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CHOOSE_INSIDE_H
#define DNSD_CHOOSE_INSIDE_H

#include "base/hash.h"
#include "dnsd/choose.h"
#include "zones/fold.h"

/* --- who shares with whom (choose_share.c) --- */

/* By what chance decides for a client, the same on all replicas: worked out when first needed. */
struct lot {
	const struct choosing *how;
	const struct policy *policy;
	const uint32_t *weight; /* by cluster id; NULL: all are equal */
	bool is_drawn;
	struct client_bucket bucket;
	uint64_t asker; /* bucket and name */
};

/* By cluster id, as struct policy has it; NULL: all are equal. */
static inline const uint32_t *lot_weights(const struct policy *policy,
                                          const struct ranking_order *order)
{
	return rarely(policy->unknown_weight != NULL) && order->is_unplaced ? policy->unknown_weight
	                                                                    : policy->weight;
}

static inline void lot_init(struct lot *lot, const struct choosing *how,
                            const struct policy *policy)
{
	lot->how = how;
	lot->policy = policy;
	lot->weight = lot_weights(policy, how->client->leaf.order);
	lot->is_drawn = false;
	lot->bucket = (struct client_bucket){0, 0};
	lot->asker = 0;
}
unsigned lot_bits(struct lot *lot);

/* name: name_lot(). */
static inline uint64_t lot_hash_asker(uint64_t bucket, uint32_t name)
{
	return fold_multiply(bucket * 0x9fb21c651e98df25, name ^ 0x94d049bb133111eb);
}

/* Of the name that ties are hashed with, as struct choosing has it. */
static inline uint32_t lot_of_name(const struct node *n, const struct name *asked)
{
	return asked != NULL ? name_lot(asked->wire, asked->len) : node_lot(n);
}

static inline void lot_draw(struct lot *lot)
{
	const struct choosing *how = lot->how;

	lot->bucket = client_bucket(how->client->source, how->client->has_scope, lot->policy);
	lot->asker = lot_hash_asker(lot->bucket.number, lot_of_name(how->node, how->asked));
	lot->is_drawn = true;
}

/* `weight` as lot.weight has it. */
static inline uint64_t lot_weight_of(const uint32_t *weight, const struct policy *policy,
                                     uint16_t cluster)
{
	if (weight == NULL)
		return 1;
	return cluster < policy->cluster_count ? weight[cluster] : 0;
}

/* The same of a cluster of the policy's ranking, which the arrays of a policy all have. */
static inline uint64_t lot_weight_at(const uint32_t *weight, uint16_t cluster)
{
	return weight != NULL ? weight[cluster] : 1;
}

/* What serves has room for somebody. */
static inline uint64_t lot_capacity(const struct site *site)
{
	uint64_t capacity = site_capacity(site);

	return capacity + (capacity == 0);
}

/* Does the policy give the cluster any client while others have weight? */
static inline bool lot_has_weight(const struct lot *lot, uint16_t id)
{
	return lot_weight_of(lot->weight, lot->policy, id) > 0;
}

/* 0: the policy gives the site's cluster no client while others have more. */
static inline uint64_t lot_weight(const struct lot *lot, const struct site *site)
{
	uint64_t weight = lot_weight_of(lot->weight, lot->policy, site_cluster(site));

	return lot->policy->is_capacity ? weight * lot_capacity(site) : weight;
}

/* The time that an even number waits, -log(1 - hash / 2^64), as straight lines: of each step where it begins, and how it goes on
 * with a number of 32 bits for the place in the step.  58 bits of fraction. */
enum { SHARE_STEP_BITS = 7 };
extern const uint64_t share_steps[2 << SHARE_STEP_BITS];

/* Divided by a weight (1 .. 2^36).  The least of these is every site's with a chance in proportion to its weight. */
static inline uint64_t share_wait(uint64_t hash, uint64_t weight)
{
	size_t step = hash >> (64 - SHARE_STEP_BITS - 1) & ~UINT64_C(1);
	uint64_t within = (uint32_t)(hash >> (32 - SHARE_STEP_BITS));

	return (share_steps[step] + share_steps[step + 1] * within) / weight;
}

/* name_hash: of the cluster.  Its high bits are good, as all bits of both reach them. */
static inline uint64_t lot_hash(uint64_t asker, uint64_t name_hash)
{
	return (asker ^ name_hash) * 0xbf58476d1ce4e5b9;
}

/* Less than this is any wait. */
static const uint64_t LOT_FOR_EVER = UINT64_MAX;
/* Of those that are alike. */
static inline uint64_t lot_wait_of_equal(uint64_t hash) { return hash >> 1; }

/* The least of a tie wins, of equal ones the first: a rendezvous hash, weighted.  A site that goes moves only its own clients, a weight
 * that changes only those whose share moves.  The lot is drawn. */
static inline uint64_t lot_wait(const struct lot *lot, uint64_t name_hash, uint64_t weight)
{
	uint64_t hash = lot_hash(lot->asker, name_hash);

	if (lot->weight == NULL && !lot->policy->is_capacity)
		return lot_wait_of_equal(hash);
	return share_wait(hash, weight > 0 ? weight : 1);
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
	uint64_t wait;             /* of best, once it was in a tie */
	bool tied;                 /* best won by its wait */
	uint32_t ttl_most;         /* of the clusters of the answer, 0: no limit */
	size_t union_bytes;
	bool is_cut; /* the union leaves out RRsets that do not fit */
};

bool task_is_allowed(const struct task *t, const struct site *site);
bool task_is_usable(const struct task *t, const struct site *site, bool *troubled);
/* The first of the client's order that is usable and has the type. */
void task_find_best(struct task *t, struct tally *y);
uint64_t task_wait(struct task *t, const struct site *site);
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
/* Geofence and failover leave the best to `all`, they do not only order. */
bool choose_is_as_good(const struct policy *policy, const struct ranking_order *order,
                       uint16_t cluster, uint16_t best);
/* The same when no cluster and no site is in any trouble, without a look at every site.  Returns how many records these are; 0: it
 * is not that simple. */
unsigned choose_many_on_calm_day(const struct choosing *how, const struct policy *policy,
                                 struct choice *out);
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
