/* definition.h -- what enables a type to be federated: the CustomResourceDefinition of its federated kind, and its
 * FederatedTypeConfig, as kubefedctl enable wrote them.
 *
 * The schema is KubeFed's, with the fields of nigh-propagator's status besides.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DEFINITION_H
#define CTL_DEFINITION_H

#include <stdbool.h>

#include "propagator/type.h"

struct json_object;

#define DEFINITION_GROUP   "types.kubefed.io"
#define DEFINITION_VERSION "v1beta1"

/* The type that federates `target` by FederatedKIND of that group and version; ended by type_fini(). */
struct type definition_type(const struct type_api *target, const char *group, const char *version);
/* `short_names` are the target's (NULL: none); has_replicas: its spec has replicas.  The caller puts it. */
struct json_object *definition_crd(const struct type *type, struct json_object *short_names,
                                   bool has_replicas);
/* In that namespace, KubeFed's.  The caller puts it. */
struct json_object *definition_type_config(const struct type *type, const char *namespace);
/* The config says then which definition it goes with (TYPE_DEFINITION). */
void definition_sign(struct json_object *config, struct json_object *crd);
/* "federateddeployments.types.kubefed.io": heap. */
char *definition_crd_name(const struct type *type);

/* Is it a FederatedTypeConfig of another name by which the same objects, or the same federated kind, are propagated?
 * KubeFed's list of APIs that are one under two groups (deployments of apps and of extensions). */
bool definition_is_rival(struct json_object *type_config, const struct type *type);

#endif
