/* object_health.c -- how an object fares in a cluster: what its copy told when it was kept, and, when it is not Current for
 * long, what its pods say; they are listed at most twice a minute.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "propagator/controller_inside.h"
#include "propagator/jsontree.h"

enum {
	PATIENCE_MS = 10000, /* what becomes Current by itself until then needs no explanation */
	EVERY_MS = 30000,
	DEADLINE_MS = 15000,
	PODS_MOST = 4 << 20 /* bytes of a list */
};

static const struct kube_resource pods = {"", "v1", "pods", "Pod"};

static const struct copy *copy_for(const struct part *p)
{
	return controller_copy(p->object->controller, p->cluster, p->object->key);
}

bool object_health(const struct part *p, struct health *out)
{
	const struct copy *copy = copy_for(p);

	/* The words of the trouble change with each try, and would be written each time. */
	if (p->state == STATE_CLUSTER_NOT_READY) {
		*out = health_unknown("its cluster is not ready");
		return true;
	}
	if (!copy || copy->is_bare)
		return false;
	*out = p->cause && p->cause->state == copy->health ? *p->cause : copy_health(copy);
	return true;
}

static void forget_cause(struct part *p)
{
	free(p->cause);
	p->cause = NULL;
}

static void on_pods(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;
	const struct copy *copy = copy_for(p);
	struct health was, is;

	p->asking = NULL;
	controller_enqueue(p->object);
	if (!kube_answer_is_good(answer)) {
		log_debug("propagator", "cluster %s: pods of %s cannot be listed: %s", p->cluster,
		          p->object->key, answer->why);
		return;
	}
	forget_cause(p);
	if (!copy)
		return;
	was = is = copy_health(copy);
	health_why(&is, jsontree_get(answer->object, "items", NULL), NULL);
	if (strcmp(was.reason, is.reason) != 0 || strcmp(was.message, is.message) != 0)
		p->cause = xmemdup(&is, sizeof(is));
}

static void ask(struct part *p, const struct copy *copy, const struct member *m)
{
	struct bytes namespace, name;
	char *own;
	struct kube_write write = {
		.verb = KUBE_LIST,
		.resource = pods,
		.labels = copy->pods,
		.deadline_ms = DEADLINE_MS,
		.answer_most = PODS_MOST,
	};

	cache_split_key(p->object->key, &namespace, &name);
	own = xstrndup((const char *)namespace.data, namespace.len);
	write.namespace = own;
	p->asked_ms = clock_monotonic_ms();
	p->asking = dispatch_add(m->dispatch, &write, on_pods, p);
	free(own);
}

/* When they are to be asked. */
static uint64_t due_of(const struct part *p)
{
	uint64_t due_ms = p->unwell_ms + PATIENCE_MS;

	return p->asked_ms > 0 && due_ms < p->asked_ms + EVERY_MS ? p->asked_ms + EVERY_MS : due_ms;
}

void object_ask_why(struct part *p)
{
	const struct copy *copy = copy_for(p);
	const struct member *m = members_find(p->object->controller->around.members, p->cluster);
	uint64_t now_ms = clock_monotonic_ms(), due_ms;

	if (!copy || (copy->health != HEALTH_IN_PROGRESS && copy->health != HEALTH_FAILED)) {
		p->unwell_ms = 0;
		forget_cause(p);
		return;
	}
	if (p->unwell_ms == 0)
		p->unwell_ms = now_ms;
	if (!copy->pods || p->asking || !m || !m->is_ready || !m->dispatch)
		return;
	due_ms = due_of(p);
	if (now_ms >= due_ms)
		ask(p, copy, m);
	else
		controller_alarm(p->object, due_ms - now_ms);
}
