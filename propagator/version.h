/* version.h -- what was written where: hashes of a federated object, versions of its copies, and the PropagatedVersion
 * that keeps both, to the byte as KubeFed wrote them.
 *
 * Values in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_VERSION_H
#define PROPAGATOR_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "propagator/digest.h"
#include "propagator/type.h"

struct json_object;

enum { VERSION_ROOM = 128, VERSION_CLUSTERS_MOST = 10000 };

/* Of a copy that was made of another template: no copy's version is like this, so that KubeFed takes it for outdated, too. */
#define VERSION_OLD "old"

/* spec.template and spec.overrides as hashed.  "" without a template, or a spec. */
struct version_hashes {
	char template_hash[DIGEST_ROOM];
	char overrides_hash[DIGEST_ROOM];
};

struct version_copy {
	char *cluster;
	char *version; /* "gen:5", "rv:123"; never empty */
};

/* Copies in byte order of their cluster, each once, owned.  Zeroed: nothing recorded. */
struct version {
	struct version_hashes hashes;
	struct version_copy *copies;
	size_t count;
	size_t room;
};

struct version_hashes version_hash(struct json_object *federated);
bool version_hashes_equal(const struct version_hashes *a, const struct version_hashes *b);

/* The version of an object in a member: "gen:" and its generation, else "rv:" and its resourceVersion.  False: it has
 * neither, or one that is too long. */
bool version_of(struct json_object *object, char out[VERSION_ROOM]);

/* Of a PropagatedVersion or ClusterPropagatedVersion; what is not well formed of it counts as not there. */
void version_read(struct json_object *propagated_version, struct version *out);
void version_fini(struct version *v);
/* NULL: not recorded.  They count only while version_hashes_equal(). */
const char *version_find(const struct version *v, const char *cluster);
/* NULL: it is not there any more. */
void version_put(struct version *v, const char *cluster, const char *version);
/* With those hashes now: when they are others, all that is known of a copy is that there is one (VERSION_OLD). */
void version_rehash(struct version *v, const struct version_hashes *hashes);

/* "deployment-web": heap. */
char *version_name(const struct type *type, const char *name);
/* The whole object, owned by the federated one; the caller puts it.  An empty list is left out. */
struct json_object *version_object(const struct type *type, struct json_object *federated,
                                   const struct version *v);
/* The merge patch of its /status that makes it say so, whatever it says; the caller puts it. */
struct json_object *version_patch(const struct version *v);

#endif
