/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "propagator/condition.h"
#include "propagator/jsontree.h"
#include "propagator/health_inside.h"

/* What replicas are not there for, the most telling first. */
enum why { WHY_IMAGE, WHY_CRASH, WHY_START, WHY_QUOTA, WHY_FORBIDDEN, WHY_NO_NODE, WHY_OTHER };

static const char *const reasons[] = {
	[WHY_IMAGE] = "ImageCannotBePulled",  [WHY_CRASH] = "ContainerCrashLooping",
	[WHY_START] = "ContainerCannotStart", [WHY_QUOTA] = "QuotaExceeded",
	[WHY_FORBIDDEN] = "PodsForbidden",    [WHY_NO_NODE] = "NoNodeFits",
};

/* What a container waits for, in the kubelet's words. */
static const struct {
	const char *says;
	enum why why;
} waits[] = {
	{"ErrImagePull", WHY_IMAGE},         {"ImagePullBackOff", WHY_IMAGE},
	{"InvalidImageName", WHY_IMAGE},     {"ErrImageNeverPull", WHY_IMAGE},
	{"RegistryUnavailable", WHY_IMAGE},  {"ImageInspectError", WHY_IMAGE},
	{"CrashLoopBackOff", WHY_CRASH},     {"CreateContainerConfigError", WHY_START},
	{"CreateContainerError", WHY_START}, {"RunContainerError", WHY_START},
	{"PostStartHookError", WHY_START},
};

static enum why why_of(const char *reason)
{
	enum why why = WHY_IMAGE;

	while (why < WHY_OTHER && !health_is(reasons[why], reason))
		why++;
	return why;
}

void health_say_refused(struct health *h, struct json_object *condition)
{
	const char *message = jsontree_word(condition, "message", NULL);
	struct health said;

	health_say_condition(&said, HEALTH_IN_PROGRESS, condition, "FailedCreate",
	                     "pods cannot be created");
	if (strstr(message, "exceeded quota"))
		health_say(h, HEALTH_IN_PROGRESS, reasons[WHY_QUOTA], "%s", said.message);
	else if (strstr(message, "forbidden"))
		health_say(h, HEALTH_IN_PROGRESS, reasons[WHY_FORBIDDEN], "%s", said.message);
	else
		*h = said;
}

/* --- one pod --- */

/* How it ended the last time; what the kubelet says is the same for all that crash. */
static void say_crash(struct json_object *container, const char *name, struct health *h)
{
	struct json_object *ended = jsontree_get(container, "lastState", "terminated", NULL);
	const char *reason = jsontree_word(ended, "reason", NULL);

	if (ended)
		health_say(h, h->state, reasons[WHY_CRASH], "container %s: %s, exit code %lld",
		           name, *reason ? reason : "Error",
		           (long long)jsontree_int(ended, -1, "exitCode", NULL));
	else
		health_say(h, h->state, reasons[WHY_CRASH], "container %s: %s", name,
		           jsontree_word(container, "state", "waiting", "message", NULL));
}

static bool container_tells(struct json_object *container, struct health *h)
{
	const char *name = jsontree_word(container, "name", NULL);
	const char *said = jsontree_word(container, "state", "waiting", "reason", NULL);
	const char *message = jsontree_word(container, "state", "waiting", "message", NULL);

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		if (!health_is(said, waits[i].says))
			continue;
		if (waits[i].why == WHY_CRASH)
			say_crash(container, name, h);
		else
			health_say(h, h->state, reasons[waits[i].why], "container %s: %s", name,
			           *message ? message : said);
		return true;
	}
	return false;
}

static bool containers_tell(struct json_object *list, struct health *h)
{
	for (size_t i = 0; i < jsontree_count(list); i++)
		if (container_tells(jsontree_item(list, i), h))
			return true;
	return false;
}

bool health_pod_tells(struct json_object *pod, struct health *h)
{
	struct json_object *scheduled = condition_find(pod, "PodScheduled");
	const char *message = jsontree_word(scheduled, "message", NULL);

	if (containers_tell(jsontree_get(pod, "status", "initContainerStatuses", NULL), h) ||
	    containers_tell(jsontree_get(pod, "status", "containerStatuses", NULL), h))
		return true;
	if (!health_is(jsontree_word(scheduled, "status", NULL), "False") ||
	    !health_is(jsontree_word(scheduled, "reason", NULL), "Unschedulable"))
		return false;
	health_say(h, h->state, reasons[WHY_NO_NODE], "%s",
	           *message ? message : "no node takes it");
	return true;
}

/* --- all of them --- */

/* The most telling cause, and how many pods have it. */
struct found {
	struct health cause;
	enum why why;
	size_t count;
};

static void look(struct found *f, const struct health *cause)
{
	enum why why = why_of(cause->reason);

	if (why < f->why || f->count == 0)
		*f = (struct found){*cause, why, 1};
	else if (why == f->why)
		f->count++;
}

static void look_at_pods(struct found *f, struct json_object *pods)
{
	size_t all = 0;

	for (size_t i = 0; i < jsontree_count(pods); i++) {
		struct json_object *pod = jsontree_item(pods, i);
		struct health cause = {0};

		if (jsontree_get(pod, "metadata", "deletionTimestamp", NULL))
			continue;
		all++;
		if (health_pod_tells(pod, &cause))
			look(f, &cause);
	}
	if (f->count == 0)
		return;
	health_say(&f->cause, f->cause.state, f->cause.reason, "%zu of %zu pods: %s", f->count, all,
	           f->cause.message);
}

static void look_at_replica_sets(struct found *f, struct json_object *sets)
{
	for (size_t i = 0; i < jsontree_count(sets); i++) {
		struct json_object *set = jsontree_item(sets, i);
		struct health cause = {0};

		if (!health_is(condition_status(set, "ReplicaFailure"), "True") ||
		    jsontree_int(set, 1, "spec", "replicas", NULL) == 0)
			continue;
		health_say_refused(&cause, condition_find(set, "ReplicaFailure"));
		look(f, &cause);
	}
}

void health_why(struct health *h, struct json_object *pods, struct json_object *replica_sets)
{
	struct found f = {.why = WHY_OTHER};

	/* What its pods say is not about a generation that no controller has seen. */
	if ((h->state != HEALTH_IN_PROGRESS && h->state != HEALTH_FAILED) ||
	    health_is(h->reason, "LatestGenerationNotObserved"))
		return;
	look_at_pods(&f, pods);
	look_at_replica_sets(&f, replica_sets);
	if (f.count == 0)
		return;
	if (h->state == HEALTH_FAILED)
		health_say(h, h->state, h->reason, "%s; %s", h->message, f.cause.message);
	else
		health_say(h, h->state, f.cause.reason, "%s", f.cause.message);
}
