/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/text.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"
#include "propagator/health_inside.h"

enum { SCHEDULE_WINDOW_S = 15 }; /* as kstatus: so long a new pod may be without a node */

static int64_t wanted(const struct health_subject *s)
{
	return jsontree_int(s->object, 1, "spec", "replicas", NULL);
}

static int64_t status_of(const struct health_subject *s, const char *field)
{
	return jsontree_int(s->object, 0, "status", field, NULL);
}

/* Says so, and is true, when there are fewer than wanted. */
static bool lacks(struct health *h, const char *reason, const char *what, int64_t has,
                  int64_t shall_have)
{
	if (has >= shall_have)
		return false;
	health_say(h, HEALTH_IN_PROGRESS, reason, "%s: %lld/%lld", what, (long long)has,
	           (long long)shall_have);
	return true;
}

static bool has_extra(struct health *h, int64_t has, int64_t shall_have)
{
	if (has <= shall_have)
		return false;
	health_say(h, HEALTH_IN_PROGRESS, EXTRA_PODS, "Pending termination: %lld",
	           (long long)(has - shall_have));
	return true;
}

static void say_replicas(struct health *h, int64_t count)
{
	health_say(h, HEALTH_CURRENT, "", "Replicas: %lld", (long long)count);
}

/* --- Deployment --- */

static bool deployment_lacks(const struct health_subject *s, struct health *h)
{
	int64_t want = wanted(s), updated = status_of(s, "updatedReplicas");

	if (lacks(h, LESS_REPLICAS, "Replicas", status_of(s, "replicas"), want))
		return true;
	if (lacks(h, LESS_UPDATED, "Updated", updated, want)) {
		if (jsontree_is_true(s->object, "spec", "paused", NULL))
			health_say(h, HEALTH_IN_PROGRESS, "Paused",
			           "Updated: %lld/%lld, and paused", (long long)updated,
			           (long long)want);
		return true;
	}
	return has_extra(h, status_of(s, "replicas"), want) ||
	       lacks(h, LESS_AVAILABLE, "Available", status_of(s, "availableReplicas"), updated) ||
	       lacks(h, LESS_READY, "Ready", status_of(s, "readyReplicas"), want);
}

/* Without a deadline the controller has no condition Progressing. */
static bool has_progressed(const struct health_subject *s)
{
	struct json_object *progressing = condition_find(s->object, "Progressing");

	return jsontree_int(s->object, INT32_MAX, "spec", "progressDeadlineSeconds", NULL) ==
	               INT32_MAX ||
	       (health_is(jsontree_word(progressing, "status", NULL), "True") &&
	        health_is(jsontree_word(progressing, "reason", NULL), "NewReplicaSetAvailable"));
}

/* Its ReplicaSet says that its pods are refused, and the Deployment repeats it. */
static void say_no_progress(struct json_object *progressing, struct json_object *refused,
                            struct health *h)
{
	struct health why;

	health_say_condition(h, HEALTH_FAILED, progressing, "ProgressDeadlineExceeded",
	                     "Progress deadline exceeded");
	if (!refused)
		return;
	health_say_refused(&why, refused);
	health_say(h, h->state, h->reason, "%s; %s", h->message, why.message);
}

void health_of_deployment(const struct health_subject *s, struct health *h)
{
	struct json_object *progressing = condition_find(s->object, "Progressing");
	bool is_refused = health_is(condition_status(s->object, "ReplicaFailure"), "True");
	struct json_object *refused =
		is_refused ? condition_find(s->object, "ReplicaFailure") : NULL;

	if (health_is(jsontree_word(progressing, "reason", NULL), "ProgressDeadlineExceeded")) {
		say_no_progress(progressing, refused, h);
	} else if (deployment_lacks(s, h)) {
		if (refused)
			health_say_refused(h, refused);
	} else if (!has_progressed(s)) {
		health_say(h, HEALTH_IN_PROGRESS, "ReplicaSetNotAvailable",
		           "ReplicaSet not available");
	} else if (!health_is(condition_status(s->object, "Available"), "True")) {
		health_say(h, HEALTH_IN_PROGRESS, "DeploymentNotAvailable",
		           "Deployment not available");
	} else {
		say_replicas(h, status_of(s, "replicas"));
	}
}

/* --- ReplicaSet --- */

void health_of_replica_set(const struct health_subject *s, struct health *h)
{
	int64_t want = wanted(s);

	if (health_is(condition_status(s->object, "ReplicaFailure"), "True"))
		health_say_refused(h, condition_find(s->object, "ReplicaFailure"));
	else if (!lacks(h, "LessLabelled", "Labelled", status_of(s, "fullyLabeledReplicas"),
	                want) &&
	         !lacks(h, LESS_AVAILABLE, "Available", status_of(s, "availableReplicas"), want) &&
	         !lacks(h, LESS_READY, "Ready", status_of(s, "readyReplicas"), want) &&
	         !has_extra(h, status_of(s, "replicas"), want))
		say_replicas(h, status_of(s, "replicas"));
}

/* --- StatefulSet --- */

/* A part of the replicas is meant to be updated; 0, the API server's default: all. */
static void by_partition(const struct health_subject *s, int64_t partition, struct health *h)
{
	if (!lacks(h, "PartitionRollout", "Updated", status_of(s, "updatedReplicas"),
	           wanted(s) - partition))
		say_replicas(h, status_of(s, "replicas"));
}

void health_of_stateful_set(const struct health_subject *s, struct health *h)
{
	int64_t want = wanted(s);
	int64_t partition = jsontree_int(s->object, -1, "spec", "updateStrategy", "rollingUpdate",
	                                 "partition", NULL);

	if (health_is(jsontree_word(s->object, "spec", "updateStrategy", "type", NULL), "OnDelete"))
		health_say(h, HEALTH_CURRENT, "", "is updated by hand (OnDelete)");
	else if (lacks(h, LESS_REPLICAS, "Replicas", status_of(s, "replicas"), want) ||
	         lacks(h, LESS_READY, "Ready", status_of(s, "readyReplicas"), want) ||
	         has_extra(h, status_of(s, "replicas"), want))
		return;
	else if (partition != -1)
		by_partition(s, partition, h);
	else if (lacks(h, LESS_CURRENT, "Current", status_of(s, "currentReplicas"), want))
		return;
	else if (!health_is(jsontree_word(s->object, "status", "currentRevision", NULL),
	                    jsontree_word(s->object, "status", "updateRevision", NULL)))
		health_say(h, HEALTH_IN_PROGRESS, "RevisionMismatch",
		           "the updated revision is not yet the current one");
	else
		say_replicas(h, status_of(s, "replicas"));
}

/* --- DaemonSet --- */

void health_of_daemon_set(const struct health_subject *s, struct health *h)
{
	int64_t want = jsontree_int(s->object, -1, "status", "desiredNumberScheduled", NULL);
	bool by_hand = health_is(jsontree_word(s->object, "spec", "updateStrategy", "type", NULL),
	                         "OnDelete");

	if (!jsontree_get(s->object, "metadata", "generation", NULL) ||
	    !jsontree_get(s->object, "status", "observedGeneration", NULL))
		health_say(h, HEALTH_IN_PROGRESS, "NoObservedGeneration", "is not observed yet");
	else if (want == -1)
		health_say(h, HEALTH_IN_PROGRESS, "NoDesiredNumber",
		           "does not say how many are wanted");
	else if (!lacks(h, LESS_CURRENT, "Current", status_of(s, "currentNumberScheduled"), want) &&
	         (by_hand || !lacks(h, LESS_UPDATED, "Updated",
	                            status_of(s, "updatedNumberScheduled"), want)) &&
	         !lacks(h, LESS_AVAILABLE, "Available", status_of(s, "numberAvailable"), want) &&
	         !lacks(h, LESS_READY, "Ready", status_of(s, "numberReady"), want))
		say_replicas(h, want);
}

/* --- Pod --- */

static void of_pending_pod(const struct health_subject *s, struct health *h)
{
	int64_t created = 0;
	bool is_new = text_to_time(bytes_of(jsontree_word(s->object, "metadata",
	                                                  "creationTimestamp", NULL)),
	                           &created) &&
	              s->now_s - created < SCHEDULE_WINDOW_S;

	h->state = HEALTH_IN_PROGRESS;
	if (!health_pod_tells(s->object, h) || (is_new && health_is(h->reason, "NoNodeFits")))
		health_say(h, HEALTH_IN_PROGRESS, "PodPending", "is pending");
}

static void of_running_pod(const struct health_subject *s, struct health *h)
{
	if (health_is(condition_status(s->object, "Ready"), "True")) {
		health_say(h, HEALTH_CURRENT, "", "is ready");
		return;
	}
	h->state = HEALTH_IN_PROGRESS;
	if (!health_pod_tells(s->object, h))
		health_say(h, HEALTH_IN_PROGRESS, "PodRunningNotReady", "is running and not ready");
	if (health_is(h->reason, "ContainerCrashLooping"))
		h->state = HEALTH_FAILED;
}

void health_of_pod(const struct health_subject *s, struct health *h)
{
	const char *phase = jsontree_word(s->object, "status", "phase", NULL);

	if (health_is(phase, "Succeeded"))
		health_say(h, HEALTH_CURRENT, "", "has completed");
	else if (health_is(phase, "Failed"))
		health_say_condition(h, HEALTH_FAILED, jsontree_get(s->object, "status", NULL),
		                     "PodFailed", "has failed");
	else if (health_is(phase, "Running"))
		of_running_pod(s, h);
	else if (health_is(phase, "Pending"))
		of_pending_pod(s, h);
	else if (*phase)
		health_say(h, HEALTH_UNKNOWN, "PodPhaseUnknown", "phase is %s", phase);
	else
		health_say(h, HEALTH_IN_PROGRESS, "PodNotObserved", "is not observed yet");
}

/* --- Job --- */

/* How many pods it is still to have at once. */
static int64_t job_pods(const struct health_subject *s)
{
	int64_t most = jsontree_int(s->object, 1, "spec", "parallelism", NULL);
	int64_t completions = jsontree_int(s->object, -1, "spec", "completions", NULL);
	int64_t succeeded = status_of(s, "succeeded");

	/* Without a number the first one that succeeds ends it. */
	if (completions == -1)
		return succeeded > 0 ? 0 : most;
	return completions - succeeded < most ? completions - succeeded : most;
}

void health_of_job(const struct health_subject *s, struct health *h)
{
	int64_t completions =
		jsontree_int(s->object, jsontree_int(s->object, 1, "spec", "parallelism", NULL),
	                     "spec", "completions", NULL);
	int64_t succeeded = status_of(s, "succeeded"), active = status_of(s, "active");

	if (health_is(condition_status(s->object, "Complete"), "True"))
		health_say(h, HEALTH_CURRENT, "", "has completed, succeeded: %lld/%lld",
		           (long long)succeeded, (long long)completions);
	else if (health_is(condition_status(s->object, "Failed"), "True"))
		health_say_condition(h, HEALTH_FAILED, condition_find(s->object, "Failed"),
		                     "JobFailed", "has failed");
	else if (health_is(condition_status(s->object, "Suspended"), "True"))
		health_say(h, HEALTH_CURRENT, "", "is suspended");
	else if (!*jsontree_word(s->object, "status", "startTime", NULL))
		health_say(h, HEALTH_IN_PROGRESS, "JobNotStarted", "is not started");
	else if (active == 0 && lacks(h, LESS_REPLICAS, "Active", active, job_pods(s)))
		return;
	else if (active > 0 && jsontree_int(s->object, 1, "status", "ready", NULL) == 0)
		health_say(h, HEALTH_IN_PROGRESS, LESS_READY, "Ready: 0/%lld", (long long)active);
	else
		health_say(h, HEALTH_CURRENT, "",
		           "is running, succeeded: %lld/%lld, active: %lld, failed: %lld",
		           (long long)succeeded, (long long)completions, (long long)active,
		           (long long)status_of(s, "failed"));
}
