/* scheduler_pods.c -- what a cluster has of a workload: its copy tells, and where some replicas are not ready its pods,
 * which are listed once for each state of the copy.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"
#include "propagator/scheduler_inside.h"

enum {
	WAIT_MS = 5000,       /* for pods; then the plan is made by what was known before */
	DEADLINE_MS = 15000,  /* of the list */
	EVERY_MS = 2000,      /* at most one list of a workload's pods */
	AGAIN_MS = 10000,     /* after one that failed */
	FULL_MS = 300000,     /* so long a cluster counts as full where pods found no node */
	PODS_MOST = 16 << 20, /* bytes of a list */
};

static const struct kube_resource pods_of_member = {"", "v1", "pods", "Pod"};

static struct pods *find(const struct preference *p, const char *cluster)
{
	struct pods *pods = p->pods;

	while (pods && strcmp(pods->cluster, cluster) != 0)
		pods = pods->next;
	return pods;
}

static struct pods *need(struct preference *p, const char *cluster)
{
	struct pods *pods = find(p, cluster);

	if (pods)
		return pods;
	pods = xcalloc(1, sizeof(*pods));
	pods->preference = p;
	pods->cluster = xstrdup(cluster);
	pods->next = p->pods;
	p->pods = pods;
	return pods;
}

static void free_pods(struct pods *pods)
{
	dispatch_cancel(pods->job);
	free(pods->cluster);
	free(pods->version);
	free(pods);
}

void scheduler_end_pods(struct preference *p, const char *cluster)
{
	struct pods **at = &p->pods;

	while (*at) {
		struct pods *pods = *at;

		if (cluster && strcmp(pods->cluster, cluster) != 0) {
			at = &pods->next;
			continue;
		}
		*at = pods->next;
		free_pods(pods);
	}
}

/* --- the list --- */

static const struct copy *copy_of_pods(const struct pods *pods)
{
	const struct preference *p = pods->preference;
	const struct controller *c;

	for (unsigned kind = 0; kind < SCHEDULER_KINDS; kind++) {
		const struct copy *copy;

		c = scheduler_controller(p->scheduler, kind);
		copy = c ? controller_copy(c, pods->cluster, p->key) : NULL;
		if (copy && pods->version && strcmp(copy->resource_version, pods->version) == 0)
			return copy;
	}
	return NULL;
}

/* As podcount_measure() reads it. */
static struct json_object *target_of(const struct copy *copy)
{
	struct json_object *target = json_object_new_object();

	if (copy->replicas >= 0)
		jsontree_set(target, json_object_new_int64(copy->replicas), "spec", "replicas",
		             NULL);
	jsontree_set(target, json_object_new_int64(copy->ready), "status", "readyReplicas", NULL);
	return target;
}

static void on_pods(const struct kube_answer *answer, void *arg)
{
	struct pods *pods = arg;
	const struct copy *copy = copy_of_pods(pods);

	pods->job = NULL;
	scheduler_hurry(pods->preference, 0);
	if (!kube_answer_is_good(answer)) {
		pods->again_ms = clock_monotonic_ms() + AGAIN_MS;
		log_warn("propagator", "cluster %s: pods of %s cannot be listed: %s", pods->cluster,
		         pods->preference->key, answer->why);
	} else if (copy) {
		struct json_object *target = target_of(copy);
		struct json_object *items = jsontree_get(answer->object, "items", NULL);

		pods->measure = podcount_measure(target, items, clock_unix_s());
		pods->is_known = true;
		if (pods->measure.recheck_in_s > 0)
			pods->again_ms =
				clock_monotonic_ms() + (uint64_t)pods->measure.recheck_in_s * 1000;
		json_object_put(target);
	}
	/* Else it has changed meanwhile, and they are listed for what it is now. */
}

static void list(struct pods *pods, const struct member *m, const struct copy *copy)
{
	struct bytes namespace, name;
	char *own;
	struct kube_write write = {
		.verb = KUBE_LIST,
		.resource = pods_of_member,
		.labels = copy->pods,
		.deadline_ms = DEADLINE_MS,
		.answer_most = PODS_MOST,
	};

	cache_split_key(pods->preference->key, &namespace, &name);
	own = text_copy(namespace);
	write.namespace = own;
	free(pods->version);
	pods->version = xstrdup(copy->resource_version);
	pods->asked_ms = clock_monotonic_ms();
	pods->again_ms = 0;
	pods->job = dispatch_add_question(m->dispatch, &write, on_pods, pods);
	if (!pods->job) { /* no room */
		free(pods->version);
		pods->version = NULL;
		pods->again_ms = pods->asked_ms + EVERY_MS;
	}
	free(own);
}

/* --- what is known --- */

static bool is_stale(const struct pods *pods, const struct copy *copy, uint64_t now_ms)
{
	return !pods->version || strcmp(pods->version, copy->resource_version) != 0 ||
	       (pods->again_ms > 0 && now_ms >= pods->again_ms);
}

/* False: wait for them. */
static bool know(struct pods *pods, const struct member *m, const struct copy *copy)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t next_ms = pods->asked_ms + EVERY_MS;

	if (!pods->job && is_stale(pods, copy, now_ms)) {
		if (pods->asked_ms > 0 && now_ms < next_ms) {
			scheduler_hurry(pods->preference, next_ms - now_ms);
			return true;
		}
		list(pods, m, copy);
	}
	if (pods->job && now_ms - pods->asked_ms < WAIT_MS) {
		scheduler_hurry(pods->preference, pods->asked_ms + WAIT_MS - now_ms);
		return false;
	}
	if (!pods->job && pods->again_ms > now_ms)
		scheduler_hurry(pods->preference, pods->again_ms - now_ms);
	return true;
}

/* What finds no node is moved at once, and is asked for elsewhere: the cluster looks as if it had room then, which would
 * bring all of it back before the others have begun. */
static void remember_room(struct pods *pods, struct schedule_cluster *c)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (c->has_capacity) {
		pods->room = c->capacity;
		pods->full_until_ms = now_ms + FULL_MS;
	} else if (now_ms < pods->full_until_ms) {
		c->has_capacity = true;
		c->capacity = pods->room > c->current ? pods->room : c->current;
		scheduler_hurry(pods->preference, pods->full_until_ms - now_ms);
	}
}

/* --- for the next leader --- */

char *scheduler_print_full(const struct preference *p)
{
	struct json_object *all = json_object_new_object();
	uint64_t now_ms = clock_monotonic_ms();
	char until[CLOCK_TEXT_SIZE], *out = NULL;

	for (const struct pods *pods = p->pods; pods; pods = pods->next) {
		if (now_ms >= pods->full_until_ms)
			continue;
		clock_print(clock_unix_s() + (int64_t)((pods->full_until_ms - now_ms) / 1000),
		            until);
		jsontree_set(all, json_object_new_int64(pods->room), pods->cluster, "room", NULL);
		jsontree_set(all, json_object_new_string(until), pods->cluster, "until", NULL);
	}
	if (json_object_object_length(all) > 0)
		out = xstrdup(json_object_to_json_string_ext(all, PLAIN_JSON));
	json_object_put(all);
	return out;
}

/* No longer than this leader would have it. */
static void recall(struct preference *p, const char *cluster, struct json_object *full)
{
	int64_t room = jsontree_int(full, -1, "room", NULL), until = 0, left_s;
	struct pods *pods;

	if (room < 0 || !text_to_time(bytes_of(jsontree_word(full, "until", NULL)), &until) ||
	    !members_find(p->scheduler->settings.members, cluster))
		return;
	left_s = until - clock_unix_s();
	if (left_s <= 0 || left_s > FULL_MS / 1000)
		return;
	pods = need(p, cluster);
	pods->room = room;
	pods->full_until_ms = clock_monotonic_ms() + (uint64_t)left_s * 1000;
}

void scheduler_recall_full(struct preference *p, struct json_object *federated)
{
	struct json_object *all;

	if (p->has_recalled)
		return;
	p->has_recalled = true;
	all = json_tokener_parse(
		jsontree_word(federated, "metadata", "annotations", SCHEDULER_FULL, NULL));
	if (json_object_is_type(all, json_type_object)) {
		json_object_object_foreach(all, cluster, full) recall(p, cluster, full);
	}
	json_object_put(all);
}

/* --- all of it --- */

bool scheduler_measure(struct preference *p, const struct member *m, const struct copy *copy,
                       struct schedule_cluster *out)
{
	struct json_object *target = target_of(copy);
	struct podcount_measure measure = podcount_measure(target, NULL, 0);
	bool needs = podcount_needs_pods(target) && copy->pods && m->dispatch, is_known = true;
	struct pods *pods = needs ? need(p, m->name) : find(p, m->name);

	json_object_put(target);
	if (needs) {
		is_known = know(pods, m, copy);
		if (pods->is_known)
			measure = pods->measure;
	} else if (pods) {
		pods->is_known = false;
	}
	out->has_current = true;
	out->current = measure.current;
	out->has_capacity = measure.has_capacity;
	out->capacity = measure.capacity;
	if (pods)
		remember_room(pods, out);
	return is_known;
}
