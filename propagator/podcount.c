/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/podcount.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Since when no node takes it: what its condition says, else since it is; without either, for ever. */
static int64_t since(struct json_object *pod, struct json_object *scheduled)
{
	int64_t at = 0;

	if (!text_to_time(bytes_of(jsontree_word(scheduled, "lastTransitionTime", NULL)), &at))
		(void)text_to_time(
			bytes_of(jsontree_word(pod, "metadata", "creationTimestamp", NULL)), &at);
	return at;
}

static void count_pending(struct json_object *pod, int64_t now_s, struct podcount *count)
{
	struct json_object *scheduled = condition_find(pod, "PodScheduled");
	int64_t due; /* counts when that is past */

	if (!is(jsontree_word(scheduled, "status", NULL), "False") ||
	    !is(jsontree_word(scheduled, "reason", NULL), "Unschedulable"))
		return;
	due = since(pod, scheduled) + PODCOUNT_UNSCHEDULABLE_S;
	if (due < now_s) {
		count->unschedulable++;
		return;
	}
	/* A clock that is ahead of ours puts it off no longer than the whole time. */
	due = due - now_s + 1;
	if (due > PODCOUNT_UNSCHEDULABLE_S + 1)
		due = PODCOUNT_UNSCHEDULABLE_S + 1;
	if (count->recheck_in_s == 0 || due < count->recheck_in_s)
		count->recheck_in_s = due;
}

struct podcount podcount_of(struct json_object *items, int64_t now_s)
{
	struct podcount count = {0};

	for (size_t i = 0; i < jsontree_count(items); i++) {
		struct json_object *pod = jsontree_item(items, i);

		if (jsontree_get(pod, "metadata", "deletionTimestamp", NULL))
			continue;
		count.total++;
		if (!is(jsontree_word(pod, "status", "phase", NULL), "Running"))
			count_pending(pod, now_s, &count);
		else if (is(condition_status(pod, "Ready"), "True"))
			count.ready++;
	}
	return count;
}

/* What an API server takes for a Deployment or ReplicaSet that says nothing: one. */
static int64_t wanted(struct json_object *target)
{
	int64_t replicas = jsontree_int(target, 1, "spec", "replicas", NULL);

	return replicas > 0 ? replicas : 0;
}

static int64_t ready(struct json_object *target)
{
	int64_t replicas = jsontree_int(target, 0, "status", "readyReplicas", NULL);

	return replicas > 0 ? replicas : 0;
}

bool podcount_needs_pods(struct json_object *target) { return wanted(target) != ready(target); }

struct podcount_measure podcount_measure(struct json_object *target, struct json_object *items,
                                         int64_t now_s)
{
	struct podcount_measure measure = {.current = ready(target)};
	struct podcount count;

	if (!items || !podcount_needs_pods(target))
		return measure;
	count = podcount_of(items, now_s);
	measure.current = count.ready;
	measure.recheck_in_s = count.recheck_in_s;
	measure.has_capacity = count.unschedulable > 0;
	if (measure.has_capacity && wanted(target) > count.unschedulable)
		measure.capacity = wanted(target) - count.unschedulable;
	return measure;
}
