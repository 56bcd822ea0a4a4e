/* outlook.h -- a federation as a command sees it: its types, its clusters, and a way to each. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_OUTLOOK_H
#define CTL_OUTLOOK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "ctl/apiserver.h"
#include "propagator/placement.h"
#include "propagator/type.h"

struct ceiling;
struct command;
struct json_object;

struct outlook_member {
	const char *name;
	struct json_object *cluster; /* its KubeFedCluster */
	struct apiserver server;
	struct ceiling *ceiling; /* NULL: there is none that may be read */
	bool is_tried, is_there;
	struct reason why; /* it is not */
};

struct outlook {
	const struct command *c;
	struct apiserver host;
	pthread_mutex_t host_lock;    /* of its connection, for who works on several threads */
	struct json_object *types;    /* FederatedTypeConfigs */
	struct json_object *clusters; /* KubeFedClusters */
	struct outlook_member *members;
	size_t count;
	bool adopts;          /* KubeFedConfig: adoptResources is not Disabled */
	bool needs_namespace; /* scope Cluster: what is in a namespace that is not federated goes nowhere */
};

/* What is wrong is told: then COMMAND_FAILED and nothing to close. */
int outlook_open(struct outlook *o, const struct command *c);
void outlook_close(struct outlook *o);

/* The type whose federated kind the object has; false: none.  Ended by type_fini(). */
bool outlook_type_of(const struct outlook *o, struct json_object *federated, struct type *out);
/* The type that a word means: its FederatedTypeConfig, its target or its federated kind, their plurals or short names. */
bool outlook_type_named(const struct outlook *o, const char *word, struct type *out);
/* A member's server, with the host's credential, and its ceiling; NULL: it cannot be reached, see `why`.  Several threads may
 * ask, each for another member. */
const struct apiserver *outlook_reach(struct outlook *o, size_t member);

/* An object of the host, for one of several threads. */
enum err outlook_get_host(struct outlook *o, const struct kube_resource *r, const char *namespace,
                          const char *name, struct json_object **out,
                          struct reason *why) MUST_CHECK;

/* "NAMESPACE/NAME", or "NAME", then in the namespace of -n or of the context, of the type's target or federated kind;
 * false: it is neither.  A FederatedNamespace is NAME/NAME. */
bool outlook_split(const struct outlook *o, const struct type *type, const struct type_api *api,
                   const char *word, struct text *namespace, const char **name);
/* The placement of a federated object among the clusters, narrowed to that of its namespace; of a federated namespace
 * (NULL: there is none).  `why` of an empty one in a namespace that is not federated says so. */
enum err outlook_place(const struct outlook *o, const struct type *type,
                       struct json_object *federated, struct json_object *namespace,
                       struct placement *out, struct reason *why) MUST_CHECK;
/* The FederatedNamespace of that namespace; NULL: there is none, or namespaces are not federated. */
struct json_object *outlook_namespace(const struct outlook *o, const char *namespace);

#endif
