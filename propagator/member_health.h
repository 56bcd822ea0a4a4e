/* member_health.h -- one member asked for its /healthz again and again, and for its version and nodes now and then.
 *
 * KubeFed's results and words, but that a state turns only after so many contrary answers in a row.
 * On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_MEMBER_HEALTH_H
#define PROPAGATOR_MEMBER_HEALTH_H

#include <stdbool.h>
#include <uv.h>

#include "kube/transport.h"
#include "propagator/members.h"
#include "propagator/threshold.h"

struct member_health;
struct member_nodes;

enum member_state {
	MEMBER_UNASKED,
	MEMBER_READY,
	MEMBER_NOT_READY, /* it answers, but not with "ok" */
	MEMBER_OFFLINE
};

/* `client` and `settings` are borrowed.  `was`: what is known of it from before, until enough answers in a row say otherwise;
 * zeroed: nothing.  on_probe after every answer, also when nothing has changed. */
struct member_health *member_health_start(uv_loop_t *loop, struct kube_client *client,
                                          const struct members_health *settings,
                                          const struct threshold *was, void (*on_probe)(void *arg),
                                          void *arg);
void member_health_stop(struct member_health *h);

enum member_state member_health_state(const struct member_health *h);
/* What the last answer was, for people; "": it is ready. */
const char *member_health_why(const struct member_health *h);
/* It answers, but does not take the credential: it has ended, or was taken back. */
#define MEMBER_HEALTH_DENIED                                                                       \
	"its credential is not taken (401): it has ended, or was taken back; nighctl join "        \
	"--rotate makes a new one"
bool member_health_is_denied(const struct member_health *h);
/* "" until it has told. */
const char *member_health_version(const struct member_health *h);
const struct member_nodes *member_health_nodes(const struct member_health *h);

#endif
