/* geo_rules.h -- rules that rankings are wanted for, copied whole and compared by value.
 *
 * Frozen; users are counted by one thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_GEO_RULES_H
#define DNSD_GEO_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "dnsd/geo_loader.h"

/* Rules and, as bytes that equal ones have alike, what they say (but for the latency table). */
struct geo_rules {
	struct rules rules;
	struct buffer key;
	void **owned; /* what the rules point to */
	size_t owned_count, owned_room;
};

struct geo_rules_list {
	unsigned users;
	size_t cluster_count;
	struct geo_rules *different;
	size_t different_count;
	/* As they were asked for: the tag, and which of the different ones; GEO_LOADER_MAX_RULES: refused. */
	struct geo_rules_wish {
		uint64_t tag;
		size_t which;
	} * wishes;
	size_t wish_count;
};

/* Copies.  The caller is the first user. */
struct geo_rules_list *geo_rules_list_new(const struct geo_loader_rules *list, size_t count,
                                          size_t cluster_count);
struct geo_rules_list *geo_rules_list_ref(struct geo_rules_list *l);
void geo_rules_list_unref(struct geo_rules_list *l);
bool geo_rules_list_equal(const struct geo_rules_list *a, const struct geo_rules_list *b);
bool geo_rules_equal(const struct geo_rules *a, const struct geo_rules *b);
bool geo_rules_want(const struct geo_rules *g, enum rules_stage stage);

#endif
