/* snapshot.h -- all objects of some kinds in a cluster as they are now, and what is other in a later one.  One thread at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_SNAPSHOT_H
#define TESTS_E2E_SUPPORT_SNAPSHOT_H

#include <stdbool.h>

#include "base/text.h"
#include "tests/e2e/support/cluster.h"

struct json_object;

/* PATH?query -> NAMESPACE/NAME -> object, of these lists ("/api/v1/configmaps?labelSelector=..."), which end with NULL.  The
 * caller frees it (json_object_put). */
struct json_object *snapshot_take(struct cluster *c, const char *const *lists);

/* What two snapshots are compared by. */
struct snapshot_rule {
	const char *const *ignored; /* keys anywhere, "resourceVersion"; they end with NULL */
	/* Later there may be more keys in an object, and more things in a list of things with names (clusters, overrides) or types
	 * (conditions), in any order; but no more objects. */
	bool may_add;
	bool empty_is_none; /* an empty list is as good as none */
};
/* Whether they are the same; else the first differences are added to `out`, a line each. */
bool snapshot_same(struct json_object *before, struct json_object *after,
                   const struct snapshot_rule *rule, struct text *out);

#endif
