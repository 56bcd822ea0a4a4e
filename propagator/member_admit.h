/* member_admit.h -- whether a KubeFedCluster obeys the rules of KubeFed's webhook.
 *
 * Values in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_MEMBER_ADMIT_H
#define PROPAGATOR_MEMBER_ADMIT_H

#include <stdbool.h>

struct json_object;
struct text;

/* Of its spec, or of its status alone when `is_status`.  True: it may pass.  Else the messages are added, as
 * Kubernetes joins them; of a proxy's URL, which may have a password, nothing is shown. */
bool member_admit(struct json_object *kubefed_cluster, bool is_status, struct text *messages);

#endif
