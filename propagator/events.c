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
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/field_manager.h"
#include "propagator/plain_json.h"

enum {
	REMEMBERED = 1024,      /* Events that may be counted up */
	REMEMBER_MS = 600000,   /* for so long */
	COUNT_EVERY_MS = 10000, /* one and the same */
	BURST = 300,            /* a minute */
	MESSAGE_MOST = 1024,
	NAME_MOST = 200
};

/* One that was told: the same words about the same object are counted in it. */
struct told {
	uint64_t what; /* 0: none */
	uint64_t at_ms, counted_ms;
	unsigned count;
	char *namespace, *name;
};

struct events {
	struct dispatch *dispatch;
	struct told told[REMEMBERED];
	uint64_t minute_ms; /* when the minute began */
	unsigned in_minute;
	uint64_t dropped;
};

static const struct kube_resource events_of_host = {"", "v1", "events", "Event"};

struct events *events_start(struct dispatch *dispatch)
{
	struct events *e = xcalloc(1, sizeof(*e));

	e->dispatch = dispatch;
	return e;
}

static void forget(struct told *t)
{
	free(t->namespace);
	free(t->name);
	*t = (struct told){0};
}

void events_stop(struct events *e)
{
	for (size_t i = 0; i < REMEMBERED; i++)
		forget(&e->told[i]);
	free(e);
}

/* Nobody waits for it; that it could not be told is told here. */
static void on_told(const struct kube_answer *answer, void *arg)
{
	(void)arg;
	if (!kube_answer_is_good(answer))
		log_debug("propagator", "an Event was not taken: %s", answer->why);
}

static void submit(struct events *e, struct kube_write *write, const char *namespace,
                   const char *name, struct json_object *body)
{
	write->resource = events_of_host;
	write->namespace = namespace;
	write->name = name;
	write->field_manager = FIELD_MANAGER;
	write->body = bytes_of(json_object_to_json_string_ext(body, PLAIN_JSON));
	dispatch_add(e->dispatch, write, on_told, NULL);
}

static bool may_tell(struct events *e)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms - e->minute_ms >= 60000) {
		e->minute_ms = now_ms;
		e->in_minute = 0;
	}
	if (e->in_minute < BURST) {
		e->in_minute++;
		return true;
	}
	e->dropped++;
	return false;
}

/* --- one that is told again --- */

static void count_up(struct events *e, struct told *t)
{
	struct json_object *patch;
	struct kube_write write = {.verb = KUBE_MERGE_PATCH};
	char now[CLOCK_TEXT_SIZE];
	uint64_t now_ms = clock_monotonic_ms();

	t->count++;
	if (now_ms - t->counted_ms < COUNT_EVERY_MS || !may_tell(e))
		return;
	t->counted_ms = now_ms;
	patch = json_object_new_object();
	json_object_object_add(patch, "count", json_object_new_int64((int64_t)t->count));
	json_object_object_add(patch, "lastTimestamp",
	                       json_object_new_string(clock_print(clock_unix_s(), now)));
	submit(e, &write, t->namespace, t->name, patch);
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

static struct json_object *make(const struct told *t, struct json_object *object,
                                const char *component, bool warning, const char *reason,
                                const char *message)
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
	json_object_object_add(event, "involvedObject", involved(object));
	add_text(event, "type", warning ? "Warning" : "Normal");
	add_text(event, "reason", reason);
	add_text(event, "message", message);
	add_text(source, "component", component);
	json_object_object_add(event, "source", source);
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

static void begin(struct told *t, struct json_object *object, uint64_t what)
{
	struct bytes namespace = object_text(object, "metadata", "namespace", NULL);

	forget(t);
	t->what = what;
	t->at_ms = t->counted_ms = clock_monotonic_ms();
	t->count = 1;
	t->namespace = namespace.len > 0 ? xstrndup((const char *)namespace.data, namespace.len)
	                                 : xstrdup("default");
	t->name = name_for(object);
}

void events_tell(struct events *e, struct json_object *object, const char *component, bool warning,
                 const char *reason, const char *fmt, ...)
{
	struct kube_write write = {.verb = KUBE_CREATE};
	struct bytes uid = object_text(object, "metadata", "uid", NULL);
	struct json_object *event;
	char message[MESSAGE_MOST];
	struct told *t;
	uint64_t what;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	what = hash_mix(hash_fixed(uid),
	                hash_mix(hash_fixed(bytes_of(reason)), hash_fixed(bytes_of(message))));
	t = &e->told[what % REMEMBERED];
	if (t->what == what && clock_monotonic_ms() - t->at_ms < REMEMBER_MS) {
		count_up(e, t);
		return;
	}
	if (!may_tell(e))
		return;
	begin(t, object, what);
	event = make(t, object, component, warning, reason, message);
	submit(e, &write, t->namespace, NULL, event);
	json_object_put(event);
}
