/* rulebook_compile.h -- a traffic policy as it was written, made into what rankings and snapshots want.
 *
 * Wiring: names of clusters become indexes and ids, selectors the clusters that they select.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_RULEBOOK_COMPILE_H
#define DNSD_RULEBOOK_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/conf.h"
#include "base/text.h"
#include "dnsd/config.h"
#include "geo/rules.h"
#include "records/build.h"
#include "zones/policy.h"

/* What `defaults` and `geo` of the config say where a policy says nothing. */
struct rulebook_defaults {
	bool all;
	uint32_t degraded_ttl;
	uint16_t max_addresses;
	const struct conf_strings *unknown_order;
};

struct rulebook_defaults rulebook_defaults_of(const struct config *c); /* borrows from it */

struct rulebook_policy {
	struct arena *arena;  /* everything here */
	struct policy policy; /* its ranking is not set */
	bool has_rules;       /* else the plain ranking is its own */
	struct rules rules;   /* clusters by index in the list that it was made with */
	bool has_areas;       /* some fence is for clients of a continent, country or subdivision */
	bool fences_areas;    /* and one of these must hold */
	struct buffer key;    /* equal for rules of the same meaning */
	bool has_unseen_after;
	uint64_t unseen_after_ms;
	const char *namespace, *name;
	const char *warning; /* what of it decides nothing; "": all does */
	const char *
		unknown; /* clusters that it names and nobody has registered, ", " between; "": none */
};

/* The caller's, with everything copied. */
struct rulebook_policy *rulebook_compile(const struct records_policy *from,
                                         const struct records_cluster *clusters, size_t count,
                                         const struct rulebook_defaults *defaults);
void rulebook_policy_free(struct rulebook_policy *p); /* NULL is fine */

#endif
