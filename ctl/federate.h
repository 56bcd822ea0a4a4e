/* federate.h -- the parts of nighctl federate. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_FEDERATE_H
#define CTL_FEDERATE_H

#include "kube/path.h"

struct command;
struct json_object;

extern const struct kube_resource federate_type_configs, federate_definitions, federate_configs;
#define FEDERATE_CONFIG "kubefed" /* the one KubeFedConfig */

/* Shows objects in c->format: as a List, or document by document. */
void federate_print(const struct command *c, struct json_object *list);
int federate_enable(const struct command *c, const char *word);
/* The objects of c->file, or the one of c->args, in their federated form. */
int federate_file(const struct command *c);
int federate_named(const struct command *c);
int federate_disable(const struct command *c, const char *word);

#endif
