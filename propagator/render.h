/* render.h -- the object that is sent to a cluster: template, identity, retained fields, overrides, label.
 *
 * What is the same in all clusters is made once.  Values in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_RENDER_H
#define PROPAGATOR_RENDER_H

#include <stdbool.h>

#include "base/err.h"
#include "propagator/type.h"

struct json_object;

#define RENDER_LABEL "kubefed.io/managed"

/* Zeroed: none. */
struct render {
	struct json_object
		*object;      /* of every cluster, with room for annotations; not to be changed */
	bool retain_replicas; /* spec.retainReplicas */
	/* What the template had and nobody gets but by an override: for the events AnnotationsNotSupported and
	 * FinalizersNotSupported. */
	bool dropped_annotations;
	bool dropped_finalizers;
};

/* Template and identity: name, namespace, kind, and apiVersion where the template has none ("v1" for the core group).
 * Fields of metadata that are a server's (resourceVersion, uid, managedFields ...) are left out.
 * ERR_PARSE: a field is of another type than it must be, or the name is missing; ERR_RANGE: a number that would be sent
 * as another (jsontree_is_exact()); ERR_CONFLICT: a FederatedNamespace that does not bear the name of its namespace
 * (event InvalidName).  Nothing is in `out` then. */
enum err render_build(const struct type *type, struct json_object *federated, struct render *out,
                      struct reason *why) MUST_CHECK;
void render_fini(struct render *r);

/* For one cluster, to be applied (server-side apply): with its overrides and the label kubefed.io/managed: "true".
 * The caller puts it.  Errors as override_apply() says (state ApplyOverridesFailed).
 * Where there is a copy and render_retains_replicas(), render_over() is the way: what was applied once and is left out of the next
 * apply is taken away, and what is in it is taken back. */
enum err render_for(const struct render *r, struct json_object *federated, const char *cluster,
                    struct json_object **out, struct reason *why) MUST_CHECK;

/* Does the cluster's copy keep its own replicas?  Not where an override says how many: that is so after retention, as with KubeFed. */
bool render_retains_replicas(const struct render *r, struct json_object *federated,
                             const char *cluster);

/* For one cluster, to be put in the place of `existing` (PUT): before the overrides, what the member has to say about
 * the object is taken from there (retain.h).  An error without *retained is retain()'s (state FieldRetentionFailed). */
enum err render_over(const struct type *type, const struct render *r, struct json_object *federated,
                     const char *cluster, struct json_object *existing, struct json_object **out,
                     bool *retained, struct reason *why) MUST_CHECK;

#endif
