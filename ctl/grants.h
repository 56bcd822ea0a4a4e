/* grants.h -- what a member gives a host that it joins: service accounts, and what these may do there.
 *
 * One that writes, which may do what the enabled types need and nothing else, and one that reads, for nighd; or KubeFed's
 * single one, which may do everything.  In a control plane of the scope Namespaced all this holds in
 * KubeFed's namespace, and elsewhere what has none: nodes, and how the server fares.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_GRANTS_H
#define CTL_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "kube/path.h"

struct json_object;
struct type;

/* The names of one membership: "gondor-host" of cluster gondor and host "host". */
struct grants_names {
	struct text writer, reader; /* of service accounts, and of Secrets and Roles */
	struct text writer_role,
		reader_role; /* of ClusterRoles, their bindings, and the same in a namespace */
	/* Of ClusterRoles beside a Role: another control plane of that host may have joined the cluster out of another namespace. */
	struct text writer_beside, reader_beside;
};
/* Those of a control plane in that namespace.  `compatible`: as kubefedctl join named them; there is no reader then. */
void grants_name(struct grants_names *out, const char *cluster, const char *host,
                 const char *namespace, bool compatible);
void grants_names_fini(struct grants_names *n);

/* An object of a member, in the order in which they are to be written. */
struct grant {
	const struct kube_resource *resource;
	bool in_namespace; /* of KubeFed, whose name is the same in the member */
	char *name;
	struct json_object *object;
};
enum { GRANTS_MOST = 20 };
struct grants {
	struct grant list[GRANTS_MOST];
	size_t count;
};

/* How far the control plane reaches (KubeFedConfig, spec.scope). */
enum grants_scope {
	GRANTS_CLUSTER,
	GRANTS_NAMESPACED,
	GRANTS_ANY /* the objects of both, for who takes them away */
};
/* Are objects of that type propagated in it at all? */
bool grants_reach(enum grants_scope scope, const struct type *type);
/* Of the host's FederatedTypeConfigs; those that are disabled, or wrong, or beyond the scope, give nothing. */
void grants_make(struct grants *out, const struct grants_names *names, const char *namespace,
                 enum grants_scope scope, struct json_object *type_configs);
void grants_make_compatible(struct grants *out, const struct grants_names *names,
                            const char *namespace, enum grants_scope scope);
void grants_fini(struct grants *g);
/* Is there an object of that kind and name? */
bool grants_have(const struct grants *g, const struct grant *one);
/* Does a binding, as it is, let in only accounts of other namespaces?  NULL: none, it does not. */
bool grants_are_anothers(struct json_object *binding, const char *namespace);

extern const struct kube_resource grants_accounts, grants_secrets, grants_namespaces,
	grants_config_maps, grants_cluster_bindings;

#endif
