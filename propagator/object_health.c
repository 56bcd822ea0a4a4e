/* object_health.c -- how an object fares in a cluster: what its copy told when it was kept, and, when it is not Current for
 * long, what its pods say, and of what has no pods its Events: asked for twice a minute at first, then ever more seldom.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/controller_inside.h"
#include "propagator/jsontree.h"

enum {
	PATIENCE_MS = 10000, /* what becomes Current by itself until then needs no explanation */
	DEADLINE_MS = 15000,
	PODS_MOST = 4 << 20, /* bytes of a list */
	EVENTS_MOST = 1 << 20,
	EVENTS_COUNT = 100,
	ASK_EVERY_MS = 1000, /* of one kind in one cluster, */
	ASKS_AT_ONCE = 20    /* after a rest so many */
};

static const struct kube_resource pods = {"", "v1", "pods", "Pod"};
static const struct kube_resource core_events = {"", "v1", "events", "Event"};

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

/* --- what is asked --- */

static struct dispatch_job *list(struct part *p, struct kube_write *write,
                                 kube_on_answer_fn *on_answer)
{
	const struct member *m = members_find(p->object->controller->around.members, p->cluster);
	struct bytes namespace, name;
	struct dispatch_job *job;
	char *own;

	cache_split_key(p->object->key, &namespace, &name);
	own = text_copy(namespace);
	write->verb = KUBE_LIST;
	write->namespace = own;
	write->deadline_ms = DEADLINE_MS;
	job = dispatch_add_spare(m->dispatch, write, on_answer, p);
	free(own);
	return job;
}

/* Of a Deployment its own conditions say what its ReplicaSets' say; what happens to those are no Events of it. */
static bool has_telling_events(const struct part *p)
{
	static const char *const kinds[] = {"StatefulSet", "DaemonSet", "Job"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(p->object->controller->type.target.kind, kinds[i]) == 0)
			return true;
	return false;
}

/* What was said becomes the cause, if it explains anything. */
static bool take_cause(struct part *p, const struct copy *copy, struct json_object *pod_list,
                       struct json_object *event_list)
{
	struct health was = copy_health(copy), is = was;

	health_why(&is, jsontree_get(pod_list, "items", NULL),
	           jsontree_get(event_list, "items", NULL), clock_unix_s());
	forget_cause(p);
	if (strcmp(was.reason, is.reason) == 0 && strcmp(was.message, is.message) == 0)
		return false;
	p->cause = xmemdup(&is, sizeof(is));
	return true;
}

/* Without the right to ask there is less to be said. */
static void note_failure(const struct part *p, const struct kube_answer *answer, const char *what)
{
	if (!kube_answer_is_good(answer))
		log_debug("propagator", "cluster %s: %s of %s cannot be listed: %s", p->cluster,
		          what, p->object->key, answer->why);
}

static void on_events(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;
	const struct copy *copy = copy_for(p);

	p->asking = NULL;
	note_failure(p, answer, "Events");
	if (copy && kube_answer_is_good(answer))
		take_cause(p, copy, NULL, answer->object);
	controller_enqueue(p->object);
}

static void ask_events(struct part *p, const struct copy *copy)
{
	struct kube_write write = {
		.resource = core_events, .limit = EVENTS_COUNT, .answer_most = EVENTS_MOST};
	struct text fields = {0};

	text_printf(&fields, "involvedObject.uid=%s,reason=FailedCreate", copy->uid);
	write.fields = fields.data;
	p->asking = list(p, &write, on_events);
	text_fini(&fields);
}

static void on_pods(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;
	const struct copy *copy = copy_for(p);
	struct health health;
	bool is_explained;

	p->asking = NULL;
	note_failure(p, answer, "pods");
	controller_enqueue(p->object);
	if (!copy)
		return;
	health = copy_health(copy);
	is_explained = kube_answer_is_good(answer) && take_cause(p, copy, answer->object, NULL);
	if (!is_explained && has_telling_events(p) && health_lacks_pods(&health))
		ask_events(p, copy);
}

static void ask(struct part *p, const struct copy *copy)
{
	struct kube_write write = {.resource = pods,
	                           .labels = copy->pods,
	                           .limit = HEALTH_PODS_MOST,
	                           .answer_most = PODS_MOST};

	p->asked_ms = clock_monotonic_ms();
	p->asked_times++;
	p->asking = list(p, &write, on_pods);
}

/* --- when --- */

static uint64_t due_of(const struct part *p)
{
	uint64_t due_ms = p->unwell_ms + PATIENCE_MS;
	uint64_t next_ms = p->asked_ms + health_pause_ms(p->asked_times);

	return p->asked_ms > 0 && due_ms < next_ms ? next_ms : due_ms;
}

/* What was found out is about what it asked for then; what fares otherwise may do so for another cause. */
static void note_illness(struct part *p, const struct copy *copy)
{
	uint64_t asked = hash_fixed(bytes_of(copy->version));
	uint64_t fares = hash_mix(hash_fixed(bytes_of(copy->reason ? copy->reason : "")),
	                          hash_fixed(bytes_of(copy->message ? copy->message : "")));

	if (p->unwell_ms == 0 || p->unwell_of != asked) {
		p->unwell_ms = clock_monotonic_ms();
		forget_cause(p);
	}
	if (p->unwell_of != asked || p->unwell_so != fares)
		p->asked_times = p->asked_ms > 0;
	p->unwell_of = asked;
	p->unwell_so = fares;
}

/* Where very many are in trouble they are so for one cause. */
static bool may_ask(struct site *s, uint64_t now_ms)
{
	if (s->asks_until_ms < now_ms)
		s->asks_until_ms = now_ms;
	if (s->asks_until_ms - now_ms >= ASKS_AT_ONCE * ASK_EVERY_MS)
		return false;
	s->asks_until_ms += ASK_EVERY_MS;
	return true;
}

void object_ask_why(struct part *p)
{
	const struct copy *copy = copy_for(p);
	const struct member *m = members_find(p->object->controller->around.members, p->cluster);
	uint64_t now_ms = clock_monotonic_ms();

	if (!copy || (copy->health != HEALTH_IN_PROGRESS && copy->health != HEALTH_FAILED)) {
		p->unwell_ms = p->unwell_so = 0;
		forget_cause(p);
		return;
	}
	note_illness(p, copy);
	if (!copy->pods || p->asking || !m || !m->is_ready || !m->dispatch)
		return;
	if (now_ms >= due_of(p)) {
		if (may_ask(controller_site(p->object->controller, p->cluster), now_ms))
			ask(p, copy);
		else
			p->asked_ms =
				now_ms; /* after the next pause, when others have been asked for */
	}
	/* Also when there was no room for the question. */
	if (!p->asking)
		controller_alarm(p->object, due_of(p) - now_ms);
}
