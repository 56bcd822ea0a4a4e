/* member_status.h -- the status of a KubeFedCluster, kept true with few writes.
 *
 * KubeFed's conditions (spec/kubefed.md 3.10).  Written when one changes, else once a minute for lastProbeTime.  Region and
 * zones that stand there stay.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_MEMBER_STATUS_H
#define PROPAGATOR_MEMBER_STATUS_H

#include "propagator/member_health.h"
#include "propagator/members.h"

struct member_status;

/* `settings` is borrowed. */
struct member_status *member_status_new(const struct members_settings *settings, const char *name);
void member_status_free(struct member_status *s);

/* The KubeFedCluster as it is now. */
void member_status_saw(struct member_status *s, struct json_object *object);
/* It was asked; `version` "": not known. */
void member_status_note(struct member_status *s, enum member_state state, const char *version);
/* It cannot be asked at all. */
void member_status_malformed(struct member_status *s, const char *why);

#endif
