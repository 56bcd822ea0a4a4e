/* ranking_inside.h -- what a ranking is made of.  Private to the room's ranking modules. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_RANKING_INSIDE_H
#define GEO_RANKING_INSIDE_H

#include <stdatomic.h>

#include "geo/intern.h"
#include "geo/overlay.h"
#include "geo/ranking.h"
#include "geo/ranking_orders.h"
#include "geo/ranking_tree.h"
#include "geo/spans.h"

struct stages;
struct stages_client;

/* What a position is made of: a cluster in the eyes of all orders. */
struct standing {
	struct vector at; /* of its group; zero without a place */
	double bias;      /* 0; infinity without a place */
	uint16_t group;
	uint16_t rank;   /* in the unknown order */
	uint16_t number; /* by name */
	bool is_there;
};

/* Of the groups of clusters in `nearest`, equal ones once: head.members and head.member_at. */
struct member_lists {
	size_t count, room, at_room;
	struct intern *digests; /* of the lists, while they are made */
};

struct ranking {
	struct ranking_head head; /* first: see ranking_find() */
	atomic_uint users;
	struct standing *standings; /* by cluster id */
	struct place *places;       /* by cluster id, for explain */
	size_t standing_count;
	struct standing absent; /* for ids that the build did not know */
	size_t order_count;
	struct member_lists members;
	/* Only of a ranking by rules: */
	struct stages *stages;         /* NULL: a plain one */
	struct stages_client *clients; /* for each order one that has it */
	struct overlay overlay;        /* what the rules say of networks */
};

/* A ranking of these clusters without orders; they come back sorted by name, and as groups.  The caller frees both. */
struct ranking *ranking_new(const struct ranking_cluster *clusters, size_t cluster_count,
                            const char *const *unknown_order, size_t unknown_count,
                            struct ranking_cluster **sorted, struct ranking_groups *groups);

/* The leaves: walks the geodb (NULL: nobody has a place), both families.  `on_span` pushes all that it is given, with
 * the numbers of orders, into *spans, which is set up here. */
struct ranking_tree ranking_compile(const struct geodb *g, struct spans *spans,
                                    geodb_on_span_fn *on_span, void *arg);

/* How clusters (by name) that are equal stand in `nearest`; RANKING_NO_CLUSTER: there are too many groups already. */
struct ranking_near ranking_entry_of(struct ranking *r, const uint16_t *ids, size_t count);
/* No more entries. */
void ranking_entries_end(struct ranking *r);

#endif
