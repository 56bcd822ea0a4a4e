/* contents.h -- what of a namespace is to be federated, and what no type that is enabled federates. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CONTENTS_H
#define CTL_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct discovery_kind;
struct json_object;
struct outlook;

/* Does a controller, or the server, make it in every cluster by itself?  Pure. */
bool contents_is_made_everywhere(struct json_object *object);
/* Are objects of this kind a person's, that other clusters may have as well?  Federated kinds, and what only tells what
 * goes on in this one cluster (Events, Endpoints, Leases), are not.  Pure. */
bool contents_is_for_all(const struct discovery_kind *kind);

/* Each type ("deployments.apps", as federate enable takes it) that is not enabled and of which the namespace has
 * `count` objects to federate; `why`: those of it cannot be listed, else "".  What a group that does not answer has is
 * not told: then its error. */
typedef void contents_left_fn(const char *type, size_t count, const char *why, void *arg);
enum err contents_each_left(const struct outlook *o, const char *namespace,
                            contents_left_fn *on_left, void *arg, struct reason *why) MUST_CHECK;

#endif
