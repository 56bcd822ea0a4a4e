/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "propagator/condition.h"
#include "propagator/health_inside.h"
#include "propagator/jsontree.h"
#include "propagator/pause.h"

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

static const char *after(const char *text, const char *mark)
{
	const char *at = strstr(text, mark);

	return at ? at + strlen(mark) : NULL;
}

/* Without who was refused: that is another pod with each try. */
static const char *refusal_in(const char *message)
{
	const char *quota = strstr(message, "exceeded quota"), *at;

	if (quota)
		return quota;
	if ((at = after(message, "is forbidden: ")) || (at = strstr(message, "admission webhook")))
		return at;
	if ((at = after(message, " failed error: ")) || (at = after(message, "Error creating: ")))
		return at;
	return message;
}

/* `reason`: where the message is not known to be of one of ours. */
static void say_refusal(struct health *h, const char *reason, const char *message)
{
	const char *said = refusal_in(message);

	if (strstr(said, "exceeded quota"))
		reason = reasons[WHY_QUOTA];
	else if (strstr(message, "forbidden") || strstr(message, "denied the request"))
		reason = reasons[WHY_FORBIDDEN];
	health_say(h, HEALTH_IN_PROGRESS, reason, "%s", said);
}

void health_say_refused(struct health *h, struct json_object *condition)
{
	const char *message = jsontree_word(condition, "message", NULL);
	struct health said;

	health_say_condition(&said, HEALTH_IN_PROGRESS, condition, "FailedCreate", "");
	say_refusal(h, said.reason, *message ? message : "pods cannot be created");
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

/* What the kubelet says while it waits for its next try has the words of the last one, or none. */
static void say_image(struct json_object *container, const char *name, const char *said,
                      struct health *h)
{
	const char *image = jsontree_word(container, "image", NULL);
	const char *message = jsontree_word(container, "state", "waiting", "message", NULL);
	const char *cause = after(message, "ErrImagePull: ");

	if (!cause)
		cause = strncmp(message, "Back-off", strlen("Back-off")) == 0 ? "" : message;
	if (*image)
		health_say(h, h->state, reasons[WHY_IMAGE], "image %s cannot be pulled%s%s", image,
		           *cause ? ": " : "", cause);
	else
		health_say(h, h->state, reasons[WHY_IMAGE], "container %s: %s", name,
		           *message ? message : said);
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
		else if (waits[i].why == WHY_IMAGE)
			say_image(container, name, said, h);
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
	health_say(&f->cause, f->cause.state, f->cause.reason, "%zu of %s%zu pods: %s", f->count,
	           all >= HEALTH_PODS_MOST ? "the first " : "", all, f->cause.message);
}

/* --- its Events --- */

enum { EVENT_COUNTS_S = 1200 }; /* controllers try again within 1000 s */

/* When it happened last. */
static int64_t time_of(struct json_object *event)
{
	static const char *const fields[] = {"lastTimestamp", "eventTime"};
	int64_t at = 0, created = 0;

	(void)text_to_time(bytes_of(jsontree_word(event, "metadata", "creationTimestamp", NULL)),
	                   &created);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (text_to_time(bytes_of(jsontree_word(event, fields[i], NULL)), &at))
			return at;
	return created;
}

/* The last that says why pods cannot be created, of those that still count. */
static void look_at_events(struct found *f, struct json_object *events, int64_t now_s)
{
	struct json_object *last = NULL;
	int64_t last_s = now_s - EVENT_COUNTS_S;
	struct health cause = {0};

	for (size_t i = 0; i < jsontree_count(events); i++) {
		struct json_object *event = jsontree_item(events, i);

		if (!health_is(jsontree_word(event, "reason", NULL), "FailedCreate") ||
		    time_of(event) < last_s)
			continue;
		last = event;
		last_s = time_of(event);
	}
	if (!last)
		return;
	say_refusal(&cause, "FailedCreate", jsontree_word(last, "message", NULL));
	look(f, &cause);
}

uint64_t health_pause_ms(unsigned asked)
{
	enum { FIRST_MS = 30000, MOST_MS = 300000 };

	return pause_doubled(FIRST_MS, MOST_MS, asked > 0 ? asked - 1 : 0);
}

bool health_lacks_pods(const struct health *h)
{
	return h->state == HEALTH_IN_PROGRESS &&
	       (health_is(h->reason, LESS_REPLICAS) || health_is(h->reason, LESS_CURRENT));
}

void health_why(struct health *h, struct json_object *pods, struct json_object *events,
                int64_t now_s)
{
	struct found f = {.why = WHY_OTHER};

	/* What its pods say is not about a generation that no controller has seen. */
	if ((h->state != HEALTH_IN_PROGRESS && h->state != HEALTH_FAILED) ||
	    health_is(h->reason, "LatestGenerationNotObserved"))
		return;
	look_at_pods(&f, pods);
	look_at_events(&f, events, now_s);
	if (f.count == 0)
		return;
	if (h->state == HEALTH_FAILED)
		health_say(h, h->state, h->reason, "%s; %s", h->message, f.cause.message);
	else if (f.why <= why_of(h->reason))
		health_say(h, h->state, f.cause.reason, "%s", f.cause.message);
}
