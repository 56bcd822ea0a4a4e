/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/events.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/field_manager.h"
#include "propagator/plain_json.h"
#include "propagator/quota.h"

enum {
	WAYS = 4,               /* Events whose words have the same place, that may be counted up */
	REMEMBER_MS = 600000,   /* for so long */
	COUNT_EVERY_MS = 10000, /* one and the same */
	DEADLINE_MS = 10000,
	MUTE_MS = 300000,   /* after it was forbidden */
	WAITING_MOST = 192, /* of those that dispatch lets wait, shared by all that are told of, */
	WAITING_LEAST = 2,  /* but for so many of each */
	MESSAGE_MOST = 1024,
	NAME_MOST = 200
};

/* One that was told: the same words about the same object are counted in it. */
struct told {
	struct events *events;
	struct quota_share *share; /* out of which it is told; NULL: that is gone */
	uint64_t what;             /* 0: none */
	uint64_t at_ms, counted_ms;
	unsigned count;
	char *namespace, *name;
	struct dispatch_job *job; /* that tells it, or counts it up */
};

struct events {
	struct dispatch *dispatch;
	struct told *told; /* WAYS for each of a minute */
	unsigned a_minute;
	struct quota *quota;
	uint64_t mute_until_ms; /* none is told before */
	struct events_counts counts;
};

static const struct kube_resource core_events = {"", "v1", "events", "Event"};

struct events *events_start(struct dispatch *dispatch, unsigned a_minute)
{
	struct events *e = xcalloc(1, sizeof(*e));

	e->dispatch = dispatch;
	e->a_minute = a_minute;
	e->quota = quota_new(a_minute);
	e->told = xcalloc((size_t)a_minute * WAYS, sizeof(*e->told));
	for (size_t i = 0; i < (size_t)a_minute * WAYS; i++)
		e->told[i].events = e;
	return e;
}

static void forget(struct told *t)
{
	free(t->namespace);
	free(t->name);
	*t = (struct told){.events = t->events};
}

void events_stop(struct events *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < (size_t)e->a_minute * WAYS; i++) {
		dispatch_cancel(e->told[i].job);
		forget(&e->told[i]);
	}
	free(e->told);
	quota_free(e->quota);
	free(e);
}

void events_drop_cluster(struct events *e, const char *cluster)
{
	const struct quota_share *share = quota_share(e->quota, cluster);

	if (share == quota_share(e->quota, ""))
		return;
	for (size_t i = 0; i < (size_t)e->a_minute * WAYS; i++)
		if (e->told[i].share == share)
			e->told[i].share = NULL;
	quota_drop(e->quota, cluster);
}

struct events_counts events_counts(const struct events *e) { return e->counts; }

void events_each_cluster(const struct events *e, events_on_cluster_fn *fn, void *arg)
{
	for (size_t i = 0; i < quota_count(e->quota); i++) {
		const struct quota_share *share = quota_at(e->quota, i);
		const struct events_counts counts = {share->sent, share->dropped};

		fn(share->name, &counts, arg);
	}
}

/* --- requests --- */

/* Not by a namespace that is going, which concerns no other. */
static bool is_forbidden(const struct kube_answer *answer)
{
	for (size_t i = 0; i < answer->cause_count; i++)
		if (strcmp(answer->causes[i].reason, "NamespaceTerminating") == 0)
			return false;
	return answer->reason == KUBE_REASON_FORBIDDEN ||
	       answer->reason == KUBE_REASON_UNAUTHORIZED;
}

/* `share` NULL: that is gone. */
static void count_dropped(struct events *e, struct quota_share *share)
{
	e->counts.dropped++;
	if (share)
		share->dropped++;
}

static void drop(struct told *t)
{
	count_dropped(t->events, t->share);
	forget(t);
}

/* Nobody waits for it; that it could not be told is told here. */
static void on_told(const struct kube_answer *answer, void *arg)
{
	struct told *t = arg;

	t->job = NULL;
	if (t->share)
		t->share->waiting--;
	if (kube_answer_is_good(answer))
		return;
	log_debug("propagator", "an Event was not taken: %s", answer->why);
	if (is_forbidden(answer))
		t->events->mute_until_ms = clock_monotonic_ms() + MUTE_MS;
	drop(t);
}

static void submit(struct told *t, struct kube_write *write, struct json_object *body)
{
	struct events *e = t->events;

	write->resource = core_events;
	write->namespace = t->namespace;
	write->name = write->verb == KUBE_CREATE ? NULL : t->name;
	write->field_manager = FIELD_MANAGER;
	write->body = bytes_of(json_object_to_json_string_ext(body, PLAIN_JSON));
	write->deadline_ms = DEADLINE_MS;
	t->job = dispatch_add_spare(e->dispatch, write, on_told, t);
	if (!t->job) {
		drop(t);
		return;
	}
	e->counts.sent++;
	t->share->sent++;
	t->share->waiting++;
}

/* One that is told of all the time must not fill the queue either. */
static bool has_room(const struct events *e, const struct quota_share *share)
{
	size_t most = WAITING_MOST / quota_count(e->quota);

	return share->waiting < (most > WAITING_LEAST ? most : WAITING_LEAST);
}

static bool may_tell(struct events *e, struct quota_share *share)
{
	uint64_t now_ms = clock_monotonic_ms();

	return now_ms >= e->mute_until_ms && has_room(e, share) &&
	       quota_take(e->quota, share, now_ms);
}

/* --- one that is told again --- */

static void count_up(struct told *t, struct quota_share *share)
{
	struct json_object *patch;
	struct kube_write write = {.verb = KUBE_MERGE_PATCH};
	char now[CLOCK_TEXT_SIZE];
	uint64_t now_ms = clock_monotonic_ms();

	t->count++;
	if (t->job || now_ms - t->counted_ms < COUNT_EVERY_MS || !may_tell(t->events, share))
		return;
	t->share = share;
	t->counted_ms = now_ms;
	patch = json_object_new_object();
	json_object_object_add(patch, "count", json_object_new_int64((int64_t)t->count));
	json_object_object_add(patch, "lastTimestamp",
	                       json_object_new_string(clock_print(clock_unix_s(), now)));
	submit(t, &write, patch);
	json_object_put(patch);
}

/* --- a new one --- */

static void add_bytes(struct json_object *to, const char *key, struct bytes text)
{
	if (text.len > 0)
		json_object_object_add(
			to, key,
			json_object_new_string_len((const char *)text.data, (int)text.len));
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text));
}

static struct json_object *involved(struct json_object *object)
{
	struct json_object *ref = json_object_new_object();

	add_bytes(ref, "apiVersion", object_text(object, "apiVersion", NULL));
	add_bytes(ref, "kind", object_text(object, "kind", NULL));
	add_bytes(ref, "namespace", object_text(object, "metadata", "namespace", NULL));
	add_bytes(ref, "name", object_text(object, "metadata", "name", NULL));
	add_bytes(ref, "uid", object_text(object, "metadata", "uid", NULL));
	add_bytes(ref, "resourceVersion", object_text(object, "metadata", "resourceVersion", NULL));
	return ref;
}

static struct json_object *make(const struct told *t, const struct events_about *about,
                                const char *reason, const char *message)
{
	struct json_object *event = json_object_new_object(), *metadata = json_object_new_object();
	struct json_object *source = json_object_new_object();
	char now[CLOCK_TEXT_SIZE];

	clock_print(clock_unix_s(), now);
	add_text(event, "apiVersion", "v1");
	add_text(event, "kind", "Event");
	add_text(metadata, "namespace", t->namespace);
	add_text(metadata, "name", t->name);
	json_object_object_add(event, "metadata", metadata);
	json_object_object_add(event, "involvedObject", involved(about->object));
	add_text(event, "type", about->warning ? "Warning" : "Normal");
	add_text(event, "reason", reason);
	add_text(event, "message", message);
	add_text(source, "component", about->component);
	json_object_object_add(event, "source", source);
	add_text(event, "reportingComponent", about->component);
	add_text(event, "firstTimestamp", now);
	add_text(event, "lastTimestamp", now);
	json_object_object_add(event, "count", json_object_new_int(1));
	return event;
}

static char *name_for(struct json_object *object)
{
	struct bytes name = object_text(object, "metadata", "name", NULL);
	struct text out = {0};

	text_add_bytes(&out,
	               (struct bytes){name.data, name.len < NAME_MOST ? name.len : NAME_MOST});
	text_printf(&out, ".%016" PRIx64, random_u64());
	return text_take(&out);
}

static void begin(struct told *t, struct quota_share *share, struct json_object *object,
                  uint64_t what)
{
	struct bytes namespace = object_text(object, "metadata", "namespace", NULL);

	forget(t);
	t->share = share;
	t->what = what;
	t->at_ms = t->counted_ms = clock_monotonic_ms();
	t->count = 1;
	t->namespace = namespace.len > 0 ? text_copy(namespace) : xstrdup("default");
	t->name = name_for(object);
}

static uint64_t mixed(uint64_t with, struct bytes text) { return hash_mix(with, hash_fixed(text)); }

/* An object that is not there (yet) has no uid. */
static uint64_t hash_of(struct json_object *object, const char *reason, const char *message)
{
	uint64_t what = hash_fixed(object_text(object, "metadata", "uid", NULL));

	what = mixed(what, object_text(object, "kind", NULL));
	what = mixed(what, object_text(object, "metadata", "namespace", NULL));
	what = mixed(what, object_text(object, "metadata", "name", NULL));
	return mixed(mixed(what, bytes_of(reason)), bytes_of(message));
}

static bool is_fresh(const struct told *t, uint64_t what)
{
	return t->what == what && clock_monotonic_ms() - t->at_ms < REMEMBER_MS;
}

/* The one that was told, or the place for it: of what was told longest ago.  NULL: all of them are just being told. */
static struct told *place_for(struct events *e, uint64_t what)
{
	struct told *ways = &e->told[what % e->a_minute * WAYS], *place = NULL;

	for (size_t i = 0; i < WAYS; i++) {
		if (is_fresh(&ways[i], what))
			return &ways[i];
		if (!ways[i].job && (!place || ways[i].at_ms < place->at_ms))
			place = &ways[i];
	}
	return place;
}

void events_tell(struct events *e, const struct events_about *about, const char *reason,
                 const char *fmt, ...)
{
	struct quota_share *share = quota_share(e->quota, about->cluster ? about->cluster : "");
	struct kube_write write = {.verb = KUBE_CREATE};
	struct json_object *event;
	char message[MESSAGE_MOST];
	struct told *t;
	uint64_t what;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	what = hash_of(about->object, reason, message);
	t = place_for(e, what);
	if (t && is_fresh(t, what)) {
		count_up(t, share);
		return;
	}
	if (!t || !may_tell(e, share)) {
		count_dropped(e, share);
		return;
	}
	begin(t, share, about->object, what);
	event = make(t, about, reason, message);
	submit(t, &write, event);
	json_object_put(event);
}
