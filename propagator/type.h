/* type.h -- one type that is propagated: what a FederatedTypeConfig says.
 *
 * KubeFed's rules, and what it fills in where a name is missing.  Values in, values out; any
 * thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_TYPE_H
#define PROPAGATOR_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct json_object;
struct text;

/* An annotation of a FederatedTypeConfig: which definition of its federated kind there is.  When it changes, fields may have room that
 * had none before, and statuses are written anew. */
#define TYPE_DEFINITION "nigh.dev/definition"

/* One resource of an API server.  No text is NULL. */
struct type_api {
	char *group; /* "": the core group */
	char *version;
	char *kind;
	char *plural;
	bool namespaced;
};

/* Zeroed: none. */
struct type {
	char *name; /* of the FederatedTypeConfig: PLURAL or PLURAL.GROUP of the target */
	struct type_api target;
	struct type_api federated; /* namespaced as the target is; FederatedNamespace is too */
	struct type_api status;    /* of KubeFed's old status controller; only when has_status */
	bool has_status;
	bool propagation;
	bool status_collection;
	int64_t generation; /* metadata.generation, 0 when it has none */
};

/* Missing plurals, groups and versions are filled in as KubeFed's controller did, before the rules are held to it.
 * ERR_PARSE names each field that is wrong, as far as `why` reaches; nothing is in `out` then. */
enum err type_read(struct json_object *federated_type_config, struct type *out,
                   struct reason *why) MUST_CHECK;
void type_fini(struct type *t);
struct type type_copy(const struct type *t);

/* Is it KubeFed's namespaces: cluster-scoped objects of namespaced federated ones? */
bool type_is_namespaces(const struct type *t);
/* Is it the one type of which KubeFed's old status controller wrote statuses: `services`, with a status type, collected? */
bool type_keeps_statuses(const struct type *t);
/* Is it Kubernetes' secrets? */
bool type_is_secrets(const struct type *t);
/* "v1", "apps/v1": heap. */
char *type_api_version(const struct type_api *api);
/* The plural that KubeFed computes of a kind ("Policy": "policies"): heap. */
char *type_plural(const char *kind);

/* The rules of KubeFed's webhook: of the object as it is, where nothing is filled in; of `/status` alone when
 * `is_status`.  True: it may pass.  Else the messages are added, as Kubernetes joins them. */
bool type_admit(struct json_object *federated_type_config, bool is_status, struct text *messages);

#endif
