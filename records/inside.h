/* inside.h -- struct records, for the modules that build.c is made of.
 *
 * One build: dirty.c finds which sources a change of facts concerns, works.c makes
 * what they offer now beside what they offered, claims.c finds for each name
 * that somebody touched who has it, and build.c leads; rendering.c reads it.
 * Nothing else includes this.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_INSIDE_H
#define RECORDS_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "records/build.h"
#include "records/guard.h"
#include "records/kept_zones.h"
#include "records/offer.h"
#include "records/policies.h"
#include "records/site_names.h"
#include "records/sources.h"
#include "records/world.h"

/* A source in this build. */
struct work {
	uint32_t source;
	bool is_dirty;                /* made anew; else only looked at */
	bool is_moved;                /* has another place in the order of sources */
	const struct fact *fact_was;  /* its place before */
	struct source_kept *kept_was; /* to be freed, and its wants given back, at the end */
	struct offer *was, *now;      /* NULL: nothing */
};

/* A name that a source offers differently than before, or not any more, or newly. */
struct touch {
	uint32_t work, hash;
	const struct endpoint *was, *now;
};

/* A name that would lose its last address, until the guard has decided. */
struct loss {
	uint32_t hash;
	int zone;
	const struct endpoint *was, *now;
};

struct records {
	struct hash_key key;
	struct arena *arena, *scratch, *settings_arena, *settings_arena_was;
	struct records_settings settings, settings_was;
	struct apexes *apexes,
		*apexes_was; /* _was: what the claims were made with; for one build */
	struct policies *policies;
	struct policy_index *policy_index,
		*policy_index_was; /* _was: what the claims were made with; for one build */
	struct clusters *clusters;
	struct site_names named;
	struct gateways *gateways;
	struct tally endpoints;           /* of Services, by world_id() */
	struct links backends, annotated; /* backends by world_hash_object() */
	struct wants *wants;
	struct notes *notes;
	struct guard *guard;
	struct kept_zones kept;
	struct sources sources;
	struct idmap claims; /* owner_hash() of a name: a source that offers it */
	bool is_new_settings, is_started;
	const struct fact **aside; /* DNSEndpoints that the first builds have still to take up */
	size_t aside_at, aside_count, aside_room;

	/* of this build */
	uint64_t now_ms;
	struct world world;
	bool is_everything, domains_changed, clusters_changed;
	bool policies_changed; /* their targets, or their place in the order */
	struct work *works;    /* number n is works[n - 1] */
	size_t work_count, work_room;
	struct touch *touches;
	size_t touch_count, touch_room;
	struct loss *losses;
	size_t loss_count, loss_room;
	struct records_change *changes;
	size_t change_count, change_room;
	struct buffer draft;
	struct records_result result;
};

/* dirty.c */
/* Brings the ways backwards up to date, and marks the sources that look at the fact. */
void dirty_apply(struct records *r, const struct fact_change *change);
/* After the last of them. */
void dirty_end(struct records *r);
void dirty_mark(struct records *r, uint32_t source);
/* Every source of a kind (FACT_..., SOURCE_HOST; 0: all). */
void dirty_mark_kind(struct records *r, unsigned kind);
/* All published sites. */
void dirty_mark_sites(struct records *r);

/* works.c */
struct work *works_get(const struct records *r, uint32_t number);
/* The number of the source's work, made if there is none. */
uint32_t works_of(struct records *r, uint32_t source);
/* Finds which dirty DNSEndpoints are published sites of their own now, and which clusters these name.  True: other ones. */
bool works_name_sites(struct records *r, struct facts *f);
/* Makes all that is dirty, and lists the touched names. */
void works_make(struct records *r);
/* What a source offers that nothing touched. */
void works_look(struct records *r, uint32_t number);
/* Gives back what is not wanted any more; forgets the sources that ended. */
void works_end(struct records *r);

/* claims.c */
/* Enters what works offer now; what they do not offer any more stays until claims_end(). */
void claims_enter(struct records *r);
/* Finds the winner of every touched name, and what changes. */
void claims_judge(struct records *r);
void claims_end(struct records *r);

#endif
