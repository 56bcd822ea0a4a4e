/* failback_pods.h -- failback where nighd runs in pods: by an annotation of the objects that all of them read.
 *
 * A pod takes orders only from its own machine.  nigh.dev/failback of a KubeFedCluster lets all back that went down there by that
 * time; of a TrafficPolicy all of its names, or those that it says (records/let_back.h).  It stays: its time says what it was for.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_FAILBACK_PODS_H
#define CTL_FAILBACK_PODS_H

#include "base/text.h"

struct command;
struct json_object;

/* Writes it, waits until no pod tells of such a site any more, and tells. */
int failback_pods(const struct command *c);

/* failback.c */
/* "www.example.com at la", "policy shop/web", "cluster la" */
void failback_describe(const struct command *c, struct text *out);
/* {"sites"}, as text for people or as data. */
void failback_tell(const struct command *c, struct json_object *root);

#endif
