/* reach.h -- the way to a member's API server: by the person's own kubeconfig, or as nigh-propagator goes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_REACH_H
#define CTL_REACH_H

#include <stdbool.h>

#include "base/err.h"
#include "ctl/apiserver.h"

struct command;
struct json_object;

/* The host has it? */
enum err reach_cluster(const struct command *c, const struct apiserver *host, const char *name,
                       struct json_object **out, struct reason *why) MUST_CHECK;
/* Is the way of the person's own named: --cluster-kubeconfig or --cluster-context? */
bool reach_is_named(const struct command *c);
/* By these; without them by the context of the cluster's name.  Nothing is asked yet.  The caller closes it. */
enum err reach_as_person(const struct command *c, const char *name, struct apiserver *out,
                         struct reason *why) MUST_CHECK;
/* By its KubeFedCluster and the token of its Secret.  The caller closes it. */
enum err reach_as_host(const struct command *c, const struct apiserver *host,
                       struct json_object *kubefed_cluster, struct apiserver *out,
                       struct reason *why) MUST_CHECK;
/* Does it answer, and take the credential?  With its KubeFedCluster: one that is not ready there is waited for less long, as a
 * command may ask many. */
enum err reach_check(const struct apiserver *member, struct json_object *kubefed_cluster,
                     struct reason *why) MUST_CHECK;

#endif
