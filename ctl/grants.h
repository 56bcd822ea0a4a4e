/* grants.h -- what a member gives a host that it joins: service accounts, and what these may do there.
 *
 * One that writes, which may do what the enabled types need and nothing else, and one that reads, for nighd; or KubeFed's
 * single one, which may do everything (spec/kubefed.md 1.10).  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_GRANTS_H
#define CTL_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "kube/path.h"

struct json_object;

/* The names of one membership: "gondor-host" of cluster gondor and host "host". */
struct grants_names {
	struct text writer, reader;           /* of service accounts, and of Secrets and Roles */
	struct text writer_role, reader_role; /* of ClusterRoles and their bindings */
};
/* `compatible`: as kubefedctl join named them; there is no reader then. */
void grants_name(struct grants_names *out, const char *cluster, const char *host, bool compatible);
void grants_names_fini(struct grants_names *n);

/* An object of a member, in the order in which they are to be written. */
struct grant {
	const struct kube_resource *resource;
	bool in_namespace; /* of KubeFed, whose name is the same in the member */
	char *name;
	struct json_object *object;
};
enum { GRANTS_MOST = 12 };
struct grants {
	struct grant list[GRANTS_MOST];
	size_t count;
};

/* Of the host's FederatedTypeConfigs; those that are disabled, or wrong, give nothing. */
void grants_make(struct grants *out, const struct grants_names *names, const char *namespace,
                 struct json_object *type_configs);
void grants_make_compatible(struct grants *out, const struct grants_names *names,
                            const char *namespace);
void grants_fini(struct grants *g);

extern const struct kube_resource grants_accounts, grants_secrets, grants_namespaces,
	grants_config_maps;

#endif
