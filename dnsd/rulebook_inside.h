/* rulebook_inside.h -- what rulebook*.c share.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_RULEBOOK_INSIDE_H
#define DNSD_RULEBOOK_INSIDE_H

#include "dnsd/rulebook.h"
#include "dnsd/rulebook_compile.h"

struct rulebook_entry {
	struct rulebook_policy *wanted; /* NULL: what is in force is all that is wanted */
	struct rulebook_policy *in_force;
	const struct ranking *ranking; /* of what is in force, when it has rules */
	uint64_t tag;                  /* of the rules that are wanted; 0: none ever were */
	uint64_t tag_in_force;
	bool is_refused; /* there are too many rules for what is wanted */
};

struct rulebook {
	struct rulebook_entry *entry; /* by number */
	size_t count;
	const struct ranking *plain; /* of no clusters: not yet */
	bool is_whole;               /* rankings are made from all files */
	bool has_areas;              /* of which some tell what country or so a client is in */
	uint64_t tags;               /* the next one */
	bool is_stale, is_news;
};

#endif
