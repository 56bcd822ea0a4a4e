/* member_ceiling.h -- the ceiling of one member (ceiling.h), as it was seen there last.
 *
 * It outlasts clients: a ceiling that was seen stays until it is seen that there is none any more.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_MEMBER_CEILING_H
#define PROPAGATOR_MEMBER_CEILING_H

#include <stdint.h>
#include <uv.h>

#include "kube/backoff.h"
#include "kube/transport.h"
#include "propagator/ceiling.h"

struct member_ceiling;

/* `name` of the member and KubeFed's `namespace` are borrowed.  on_change: another answer may be given. */
struct member_ceiling *member_ceiling_new(const char *name, const char *namespace,
                                          void (*on_change)(void *arg), void *arg);
void member_ceiling_free(struct member_ceiling *c);

/* Sees it through a client, which is borrowed with `backoff`, until the other is called. */
void member_ceiling_watch(struct member_ceiling *c, uv_loop_t *loop, struct kube_client *client,
                          struct kube_backoff *backoff);
void member_ceiling_unwatch(struct member_ceiling *c);

/* Whether it was seen, or seen that there is none, or that it may not be read and was never seen. */
bool member_ceiling_is_known(const struct member_ceiling *c);
/* Another one with every change. */
uint64_t member_ceiling_revision(const struct member_ceiling *c);
/* Of the ConfigMap; "": there is none, or it is not known. */
const char *member_ceiling_uid(const struct member_ceiling *c);
/* For who is known: as ceiling_allows(). */
bool member_ceiling_allows(const struct member_ceiling *c, const struct type *type,
                           struct json_object *object, struct reason *why);
/* "none", "held", "broken" or "unknown", for /status. */
const char *member_ceiling_word(const struct member_ceiling *c);

#endif
