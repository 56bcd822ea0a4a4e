/* placement.h -- the clusters that a federated object goes to.
 *
 * Readiness plays no part.  Values in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_PLACEMENT_H
#define PROPAGATOR_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct json_object;

enum { PLACEMENT_NAMES_MOST = 10000 }; /* in spec.placement.clusters */

/* One KubeFedCluster there is.  Borrowed. */
struct placement_cluster {
	const char *name;
	struct json_object *labels; /* NULL: none */
};

/* Names in byte order, each once, owned.  Zeroed: none. */
struct placement {
	char **names;
	size_t count;
	char **unknown; /* written in the object's list, but there is no such cluster */
	size_t unknown_count;
};

/* Of one federated object: its list, else its selector, of the clusters there are.
 * ERR_PARSE names the field; nothing is in `out` then (reason ComputePlacementFailed). */
enum err placement_of(struct json_object *federated, const struct placement_cluster *clusters,
                      size_t count, struct placement *out, struct reason *why) MUST_CHECK;

/* For objects of a namespaced target: what is in both.  `unknown` of `p` stays. */
void placement_intersect(struct placement *p, const struct placement *other);

bool placement_has(const struct placement *p, const char *cluster);
void placement_fini(struct placement *p);

#endif
