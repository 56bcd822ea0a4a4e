/* override.h -- what of an object is another in one cluster: spec.overrides of a federated object.
 *
 * RFC 6902's add, remove and replace with KubeFed's rules: an empty op replaces, some paths are
 * forbidden, a path or a cluster stands once.  A member of an object that is not there is replaced all the same, as by
 * KubeFed's library, against RFC 6902 4.3.  An array index is a number without sign and leading zeros, or "-" to append
 * (RFC 6901 4).  An error names cluster and path and concerns that cluster alone, where KubeFed's concerned all.  Values
 * in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_OVERRIDE_H
#define PROPAGATOR_OVERRIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct json_object;

enum {
	OVERRIDE_MOST = 10000,         /* clusters in a list, and overrides of a cluster */
	OVERRIDE_PATH_MOST = 65536,    /* bytes of a path */
	OVERRIDE_DEPTH_MOST = 128,     /* levels of the object that results */
	OVERRIDE_MOVED_MOST = 1 << 22, /* items of lists that are moved, in all */
};

/* The object with the overrides of that cluster: a new one, which the caller puts; `object` is never touched.
 * Without overrides it is a plain copy.  ERR_PARSE: they are not well formed; ERR_DENIED: a forbidden path;
 * ERR_CONFLICT: something stands twice; ERR_NOTFOUND: what they are to change is not there; ERR_RANGE: a limit.
 * Nothing is in `out` then. */
enum err override_apply(struct json_object *federated, const char *cluster,
                        struct json_object *object, struct json_object **out,
                        struct reason *why) MUST_CHECK;

/* Does an override of the cluster say what stands at `path` ("/spec/replicas"), or at what it is in?  Not where they are not well
 * formed. */
bool override_touches(struct json_object *federated, const char *cluster, const char *path);

#endif
