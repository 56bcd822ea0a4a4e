/* policy_tally.h -- what the replicas of nighd say of TrafficPolicies, put together, and the status that the objects are to have.
 *
 * Of each condition the worst status counts that any replica tells (Accepted and Programmed: False; Conflicted: True), of its
 * reasons the one that most tell, then the first in byte order.  Where not all say the same, the message says how many do.
 * Who does not know a policy has it not in force: Programmed is False, NotSeen.
 * Only the known policies are remembered of what a replica says, and so much of each.  Pure; one thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_POLICY_TALLY_H
#define PROPAGATOR_POLICY_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct json_object;
struct policy_tally;

/* Of policies "NAMESPACE/NAME", which are copied. */
struct policy_tally *policy_tally_new(const char *const *keys, size_t count);
void policy_tally_free(struct policy_tally *t); /* NULL is fine */

/* One more replica, which has this for /status.  An error, and it does not count: ERR_PARSE, no nighd says that;
 * ERR_UNREACHABLE, it has not read everything yet. */
enum err policy_tally_add(struct policy_tally *t, struct json_object *said,
                          struct reason *why) MUST_CHECK;
/* How many count. */
unsigned policy_tally_replicas(const struct policy_tally *t);

/* The `status` that the policy is to have, of which `have` (NULL: none) is the present one; the caller puts it.
 * NULL: no replica counts, the policy is none of the known ones, or so it is already.  lastTransitionTime is now_s where the condition's status is
 * another one. */
struct json_object *policy_tally_status(const struct policy_tally *t, const char *key,
                                        struct json_object *have, int64_t now_s);

#endif
