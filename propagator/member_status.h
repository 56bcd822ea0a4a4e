/* member_status.h -- the status of a KubeFedCluster, kept true with few writes.
 *
 * KubeFed's conditions.  Written when something changes, else once a minute for lastProbeTime.  Region
 * and zones are those of the KubeFedCluster's own labels (topology.kubernetes.io/region, /zone), else those of the nodes; where
 * neither says anything, what stands there stays.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_MEMBER_STATUS_H
#define PROPAGATOR_MEMBER_STATUS_H

#include <stdbool.h>

#include "propagator/member_health.h"
#include "propagator/members.h"

struct member_status;

/* `settings` is borrowed. */
struct member_status *member_status_new(const struct members_settings *settings, const char *name);
void member_status_free(struct member_status *s);

/* The KubeFedCluster as it is now. */
void member_status_saw(struct member_status *s, struct json_object *object);
/* What a propagator before this one wrote of it.  False: nothing. */
bool member_status_was(const struct member_status *s, struct threshold *out);
/* It was asked. */
void member_status_note(struct member_status *s, const struct member_health *health);
/* It cannot be asked at all. */
void member_status_malformed(struct member_status *s, const char *why);

#endif
