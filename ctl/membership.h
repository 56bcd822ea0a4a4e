/* membership.h -- names and rules that joining and leaving share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_MEMBERSHIP_H
#define CTL_MEMBERSHIP_H

#include <stdbool.h>

#include "base/err.h"
#include "ctl/grants.h"

struct apiserver;
struct command;
struct json_object;

/* Annotations of a KubeFedCluster: the name that the host had when it was joined, and the Secret of nighd. */
#define MEMBERSHIP_HOST   "nigh.dev/joined-by"
#define MEMBERSHIP_READER "nigh.dev/reader-secret"
/* The only namespace that may be seen there. */
#define MEMBERSHIP_NAMESPACE "nigh.dev/reader-namespace"
/* Of a Secret: nigh-propagator may make its token anew ("true"). */
#define MEMBERSHIP_ROTATE "nigh.dev/rotate"

/* How the host is called in the names of a member's objects: --host-cluster-name, else as it was called when the cluster joined
 * (NULL: it has not), else its context, else "host".  Borrowed. */
const char *membership_host_of(const struct command *c, struct json_object *kubefed_cluster);
/* Does it say that the cluster is at this address?  Also in other words: "HOST:PORT". */
bool membership_is_at(struct json_object *kubefed_cluster, const char *server);
/* How far the control plane of that host reaches; without a KubeFedConfig: everywhere. */
enum err membership_scope(const struct command *c, const struct apiserver *host,
                          enum grants_scope *out, struct reason *why) MUST_CHECK;
/* Is it there for a control plane out of another namespace, which has the same names for what has none? */
bool membership_is_anothers(const struct command *c, const struct apiserver *member,
                            const struct grant *g);
/* Can the cluster, and the host, be part of the names of objects?  What is wrong is told: COMMAND_USAGE. */
int membership_check(const struct command *c, const char *cluster);

#endif
