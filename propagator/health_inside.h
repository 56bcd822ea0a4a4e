/* health_inside.h -- what the files of health share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_HEALTH_INSIDE_H
#define PROPAGATOR_HEALTH_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "propagator/health.h"

struct json_object;

struct health_subject {
	struct json_object *object;
	int64_t now_s;
};

/* The rule of one kind; what it says nothing about is Current. */
typedef void health_rule_fn(const struct health_subject *s, struct health *h);

/* NULL: the kind has no rule of its own. */
health_rule_fn *health_rule_of(const char *api_version, const char *kind);
health_rule_fn health_of_deployment, health_of_replica_set, health_of_stateful_set,
	health_of_daemon_set, health_of_pod, health_of_job;

/* `reason` is a word; the message is cleaned and cut.  What is said may be made of what h said before. */
void health_say(struct health *h, enum health_state state, const char *reason, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* As a condition says; `reason` where its own is no word, `message` where it has none. */
void health_say_condition(struct health *h, enum health_state state, struct json_object *condition,
                          const char *reason, const char *message);
bool health_is(const char *a, const char *b);

/* kstatus's words for what is missing. */
#define LESS_REPLICAS  "LessReplicas"
#define LESS_UPDATED   "LessUpdated"
#define LESS_AVAILABLE "LessAvailable"
#define LESS_READY     "LessReady"
#define LESS_CURRENT   "LessCurrent"
#define EXTRA_PODS     "ExtraPods"

/* Why pods are not there: "exceeded quota: ..." of a condition ReplicaFailure makes QuotaExceeded. */
void health_say_refused(struct health *h, struct json_object *condition);
/* Why a pod is not ready, in h's reason and message; false: it does not say. */
bool health_pod_tells(struct json_object *pod, struct health *h);

#endif
