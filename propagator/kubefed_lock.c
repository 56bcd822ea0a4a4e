/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/kubefed_lock.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "kube/lease_record.h"
#include "kube/write.h"

enum { PLACES = 2, ANSWER_MOST = 1 << 20 };

static const struct kube_resource resources[PLACES] = {{"", "v1", "configmaps", "ConfigMap"},
                                                       {"", "v1", "endpoints", "Endpoints"}};

/* One of those that it may be in. */
struct place {
	struct kubefed_lock *lock;
	const struct kube_resource *resource;
	struct kube_writing *asking;
	bool is_known, is_refused;
	struct kube_lease_sight sight;
};

struct kubefed_lock {
	struct kube_client *client;
	struct kubefed_lock_settings settings;
	kubefed_lock_on_holder_fn *on_holder;
	void *arg;
	struct place places[PLACES];
	uv_timer_t *timer;
	char *told; /* NULL: nothing yet */
};

/* --- what is known --- */

static bool is_known(const struct kubefed_lock *l)
{
	bool known = true;

	for (size_t i = 0; i < PLACES; i++)
		known &= l->places[i].is_known;
	return known;
}

static const char *holder_of(const struct kubefed_lock *l)
{
	uint64_t now_ms = clock_boottime_ms();

	for (size_t i = 0; i < PLACES; i++)
		if (kube_lease_sight_lives(&l->places[i].sight, l->settings.lease_ms, now_ms))
			return l->places[i].sight.record.holder;
	return "";
}

static void tell(struct kubefed_lock *l)
{
	const char *holder = holder_of(l);

	if (!is_known(l) || (l->told && strcmp(l->told, holder) == 0))
		return;
	free(l->told);
	l->told = xstrdup(holder);
	l->on_holder(l->told, l->arg);
}

/* --- looks --- */

static void see(struct place *p, const struct kube_answer *answer)
{
	struct kube_lease_record record = {0};

	if (kube_answer_is_good(answer))
		(void)kube_lease_record_read_annotation(answer->object, &record);
	kube_lease_sight_see(&p->sight, &record, clock_boottime_ms());
	p->is_known = true;
}

static void note_refusal(struct place *p, const char *why)
{
	if (!p->is_refused)
		log_warn("propagator",
		         "%s %s/%s cannot be read, which a manager of KubeFed may hold: %s",
		         p->resource->kind, p->lock->settings.namespace, p->lock->settings.name,
		         why);
	p->is_refused = true;
}

static void on_answer(const struct kube_answer *answer, void *arg)
{
	struct place *p = arg;

	p->asking = NULL;
	if (answer->reason == KUBE_REASON_FORBIDDEN)
		note_refusal(p, answer->why);
	if (kube_answer_is_good(answer) || answer->reason == KUBE_REASON_FORBIDDEN ||
	    answer->reason == KUBE_REASON_NOT_FOUND)
		see(p, answer);
	tell(p->lock);
}

static void look(struct place *p)
{
	const struct kubefed_lock_settings *s = &p->lock->settings;
	const struct kube_write get = {
		.verb = KUBE_GET,
		.resource = *p->resource,
		.namespace = s->namespace,
		.name = s->name,
		.deadline_ms = s->lease_ms,
		.answer_most = ANSWER_MOST,
	};

	if (!p->asking)
		p->asking = kube_write_start(p->lock->client, &get, on_answer, p);
}

static void on_timer(uv_timer_t *timer)
{
	struct kubefed_lock *l = timer->data;
	bool is_free;

	tell(l); /* its time may have passed */
	is_free = l->told && l->told[0] == '\0';
	for (size_t i = 0; i < PLACES; i++)
		look(&l->places[i]);
	uv_timer_start(timer, on_timer, is_free ? l->settings.calm_ms : l->settings.retry_ms, 0);
}

/* --- life --- */

struct kubefed_lock *kubefed_lock_start(uv_loop_t *loop, struct kube_client *client,
                                        const struct kubefed_lock_settings *settings,
                                        kubefed_lock_on_holder_fn *on_holder, void *arg)
{
	struct kubefed_lock *l = xcalloc(1, sizeof(*l));

	l->client = client;
	l->settings = *settings;
	l->on_holder = on_holder;
	l->arg = arg;
	for (size_t i = 0; i < PLACES; i++)
		l->places[i] = (struct place){.lock = l, .resource = &resources[i]};
	l->timer = xcalloc(1, sizeof(*l->timer));
	CHECK(uv_timer_init(loop, l->timer) == 0);
	l->timer->data = l;
	uv_timer_start(l->timer, on_timer, 0, 0);
	return l;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void kubefed_lock_stop(struct kubefed_lock *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < PLACES; i++)
		kube_write_cancel(l->places[i].asking);
	uv_close((uv_handle_t *)l->timer, on_closed);
	free(l->told);
	free(l);
}
