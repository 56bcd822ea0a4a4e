/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/service_statuses.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/table.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/cache.h"
#include "propagator/copy.h"
#include "propagator/host_writing.h"
#include "propagator/jsontree.h"
#include "propagator/owner.h"
#include "propagator/plain_json.h"

enum {
	TICK_MS = 100,
	TURN_MS = 5,       /* of the loop's time in one tick */
	TOGETHER_MS = 500, /* what changes meanwhile is written at once */
	UNSURE_MS = 500,   /* so soon it is looked again for a cluster that may soon be seen, */
	UNSURE_MOST_MS = 10000, /* and so long */
	OBJECTS_MOST = 2000000
};

/* One federated object. */
struct one {
	struct service_statuses *all;
	char *key;
	struct one *next;   /* of those that are to be looked at */
	uint64_t due_ms;    /* it is, then; 0: it is not */
	uint64_t unsure_ms; /* since when something of it is not known; 0: it is */
	struct host_writing writing;
	char *why; /* the last write failed; NULL: it did not */
	/* A definition that does not know a field prunes it: of what was written last, and of what became of it, hashes. */
	uint64_t wrote, became;
};

struct service_statuses {
	struct controller_around around;
	const struct controller *controller;
	const struct type *type;
	struct kube_resource resource;
	struct cache *stored; /* the clusterStatus of each */
	struct table *ones;
	struct hash_key hash_key;
	struct one *due, **due_end; /* in the order of their coming */
	uv_timer_t *tick;           /* runs while something is due */
	uint64_t writes;
};

/* --- what is due --- */

static void on_tick(uv_timer_t *timer);

static void append(struct service_statuses *s, struct one *o)
{
	o->next = NULL;
	*s->due_end = o;
	s->due_end = &o->next;
}

static void look_within(struct one *o, uint64_t ms)
{
	uint64_t at_ms = clock_monotonic_ms() + ms;

	if (o->due_ms == 0)
		append(o->all, o);
	if (o->due_ms == 0 || at_ms < o->due_ms)
		o->due_ms = at_ms;
	if (!uv_is_active((uv_handle_t *)o->all->tick))
		uv_timer_start(o->all->tick, on_tick, TICK_MS, TICK_MS);
}

static bool has_key(const void *item, const void *key)
{
	return strcmp(((const struct one *)item)->key, key) == 0;
}

static uint64_t hash_of(const struct service_statuses *s, const char *key)
{
	return hash_siphash(&s->hash_key, key, strlen(key));
}

static struct one *find(const struct service_statuses *s, const char *key)
{
	return table_find(s->ones, hash_of(s, key), has_key, key);
}

static void free_one(struct one *o)
{
	dispatch_cancel(o->writing.job);
	free(o->why);
	free(o->key);
	free(o);
}

/* --- writing --- */

static uint64_t hash_list(struct json_object *list)
{
	return hash_fixed(bytes_of(json_object_to_json_string_ext(list, PLAIN_JSON)));
}

static void on_end(const char *why, struct json_object *stored, void *arg)
{
	struct one *o = arg;

	if (why && !o->why)
		log_warn("propagator", "%s %s cannot be written: %s", o->all->resource.kind, o->key,
		         why);
	free(o->why);
	o->why = why ? xstrdup(why) : NULL;
	o->became = hash_list(jsontree_get(stored, "clusterStatus", NULL));
	if (why)
		o->wrote = 0;
	look_within(o, TICK_MS);
}

static struct one *need(struct service_statuses *s, const char *key)
{
	struct one *o = find(s, key);

	if (o)
		return o;
	o = xcalloc(1, sizeof(*o));
	o->all = s;
	o->key = xstrdup(key);
	o->writing =
		(struct host_writing){.dispatch = s->around.dispatch, .on_end = on_end, .arg = o};
	table_put(s->ones, hash_of(s, key), o);
	return o;
}

/* An empty list is as good as none: KubeFed leaves it out of what it creates. */
static struct json_object *object_of(const struct service_statuses *s,
                                     struct json_object *federated, struct json_object *list)
{
	struct json_object *object = json_object_new_object();
	char *version = type_api_version(&s->type->status);
	static const char *const kept[] = {"name", "namespace"};

	jsontree_set(object, json_object_new_string(version), "apiVersion", NULL);
	jsontree_set(object, json_object_new_string(s->resource.kind), "kind", NULL);
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		jsontree_set(
			object,
			json_object_new_string(jsontree_word(federated, "metadata", kept[i], NULL)),
			"metadata", kept[i], NULL);
	jsontree_set(object, owner_references(federated), "metadata", "ownerReferences", NULL);
	if (json_object_array_length(list) > 0)
		jsontree_set(object, json_object_get(list), "clusterStatus", NULL);
	free(version);
	return object;
}

/* Of one that is there only the list is ours, as it was KubeFed's. */
static void write_list(struct one *o, struct json_object *federated, struct json_object *list,
                       bool is_new)
{
	const struct service_statuses *s = o->all;
	struct json_object *body;
	struct bytes namespace, name;

	o->wrote = hash_list(list);
	o->all->writes++;
	if (is_new) {
		body = object_of(s, federated, list);
		host_writing_apply(&o->writing, &s->resource, body);
	} else {
		body = json_object_new_object();
		json_object_object_add(body, "clusterStatus", json_object_get(list));
		cache_split_key(o->key, &namespace, &name);
		host_writing_merge(&o->writing, &s->resource, namespace, name, body);
	}
	json_object_put(body);
}

/* --- one object --- */

/* What is said of that cluster now; NULL: nothing. */
static struct json_object *entry_in(struct json_object *list, const char *cluster)
{
	for (size_t i = 0; i < jsontree_count(list); i++) {
		struct json_object *entry = jsontree_item(list, i);

		if (strcmp(jsontree_word(entry, "clusterName", NULL), cluster) == 0)
			return json_object_get(entry);
	}
	return NULL;
}

/* Its definition asks for a status; KubeFed left it out where there is no copy, and was refused all of it. */
static struct json_object *entry_of(const struct one *o, const char *cluster)
{
	const struct copy *copy = controller_copy(o->all->controller, cluster, o->key);
	struct json_object *entry = json_object_new_object(), *status = NULL;

	if (copy && copy->remote_status)
		status = json_tokener_parse(copy->remote_status);
	json_object_object_add(entry, "clusterName", json_object_new_string(cluster));
	json_object_object_add(entry, "status", status ? status : json_object_new_object());
	return entry;
}

/* *is_sure: all is known of which it tells. */
static struct json_object *list_of(const struct one *o, struct json_object *stored, bool *is_sure)
{
	const struct service_statuses *s = o->all;
	struct json_object *list = json_object_new_array(), *entry;

	*is_sure = true;
	for (size_t i = 0; i < members_count(s->around.members); i++) {
		const struct member *m = members_at(s->around.members, i);
		bool sees = controller_sees(s->controller, m->name);

		*is_sure &= m->is_known && (sees || !m->is_ready);
		if (!m->is_ready)
			continue;
		entry = sees ? NULL : entry_in(stored, m->name);
		json_object_array_add(list, entry ? entry : entry_of(o, m->name));
	}
	return list;
}

/* As long as something may soon be known it is waited for, but not for ever. */
static bool is_too_early(struct one *o, bool is_sure)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (is_sure)
		o->unsure_ms = 0;
	else if (o->unsure_ms == 0)
		o->unsure_ms = now_ms;
	if (is_sure || now_ms - o->unsure_ms >= UNSURE_MOST_MS)
		return false;
	look_within(o, UNSURE_MS);
	return true;
}

static bool says(const struct one *o, struct json_object *stored, struct json_object *list)
{
	if (jsontree_count(stored) == 0 && json_object_array_length(list) == 0)
		return true;
	return json_object_equal(stored, list) ||
	       (o->wrote == hash_list(list) && o->became == hash_list(stored));
}

static bool may_write(struct one *o)
{
	uint64_t now_ms = clock_monotonic_ms(), at_ms = o->writing.not_before_ms;

	if (host_writing_may(&o->writing))
		return true;
	if (!o->writing.job)
		look_within(o, at_ms > now_ms ? at_ms - now_ms : TICK_MS);
	return false;
}

static void look_at(struct one *o, struct json_object *federated)
{
	const struct service_statuses *s = o->all;
	struct json_object *stored = cache_find(s->stored, o->key), *list;
	bool is_sure;

	if (!cache_is_synced(s->stored) || !members_are_listed(s->around.members))
		return;
	list = list_of(o, jsontree_get(stored, "clusterStatus", NULL), &is_sure);
	if (!is_too_early(o, is_sure) && may_write(o) &&
	    !(stored && says(o, jsontree_get(stored, "clusterStatus", NULL), list)))
		write_list(o, federated, list, !stored);
	json_object_put(list);
}

/* What is deleted takes its status with it. */
static void look(struct one *o)
{
	struct service_statuses *s = o->all;
	struct json_object *federated = controller_federated(s->controller, o->key);

	if (!federated) {
		table_remove(s->ones, hash_of(s, o->key), has_key, o->key);
		free_one(o);
	} else if (!jsontree_get(federated, "metadata", "deletionTimestamp", NULL)) {
		look_at(o, federated);
	}
	json_object_put(federated);
}

/* Who waits stays before who is due again: however many those are, all have their turn. */
static void on_tick(uv_timer_t *timer)
{
	struct service_statuses *s = timer->data;
	uint64_t now_ms = clock_monotonic_ms(), end_ms = now_ms + TURN_MS;
	struct one **at = &s->due, *o;

	while ((o = *at) != NULL) {
		if (o->due_ms > now_ms || clock_monotonic_ms() >= end_ms) {
			at = &o->next;
			continue;
		}
		*at = o->next;
		if (!o->next)
			s->due_end = at;
		o->due_ms = 0;
		look(o);
	}
	if (!s->due)
		uv_timer_stop(s->tick);
}

/* --- what is told --- */

void service_statuses_on_object(struct service_statuses *s, const char *key)
{
	look_within(need(s, key), TOGETHER_MS);
}

void service_statuses_on_all(struct service_statuses *s)
{
	struct one *o;

	for (size_t i = 0; (o = table_next(s->ones, &i)) != NULL;)
		look_within(o, TOGETHER_MS);
}

/* Not NULL, also of one that says nothing. */
static void *keep(struct json_object *object, void *arg)
{
	struct json_object *kept = json_object_new_object();
	struct json_object *list = jsontree_get(object, "clusterStatus", NULL);

	(void)arg;
	if (list)
		json_object_object_add(kept, "clusterStatus", json_object_get(list));
	return kept;
}

static void let_go(void *value) { json_object_put(value); }

static void on_stored(const char *key, void *arg)
{
	struct one *o = find(arg, key);

	if (!o)
		return;
	host_writing_heard(&o->writing);
	look_within(o, TOGETHER_MS);
}

static void on_sight(void *arg)
{
	struct service_statuses *s = arg;
	enum kube_sight sight;
	const char *why;

	if (s->stored && !cache_is_seen(s->stored, &sight, &why))
		log_warn("propagator", "%s cannot be seen: %s", s->resource.plural, why);
	service_statuses_on_all(s);
}

/* --- life --- */

static struct cache *start_cache(struct service_statuses *s)
{
	const struct controller_around *a = &s->around;
	const struct cache_settings settings = {
		.watch = {.resource = s->resource,
	                  .namespace = a->settings->cluster_scope ? NULL : a->namespace,
	                  .objects_most = OBJECTS_MOST},
		.keep = keep,
		.let_go = let_go,
		.on_change = on_stored,
		.on_sight = on_sight,
		.arg = s,
	};

	return cache_start(a->loop, a->host, a->backoff, &settings);
}

struct service_statuses *service_statuses_start(const struct controller_around *around,
                                                const struct controller *controller)
{
	struct service_statuses *s = xcalloc(1, sizeof(*s));

	s->around = *around;
	s->controller = controller;
	s->type = controller_type(controller);
	s->resource = (struct kube_resource){s->type->status.group, s->type->status.version,
	                                     s->type->status.plural, s->type->status.kind};
	s->ones = table_new();
	s->due_end = &s->due;
	random_bytes(&s->hash_key, sizeof(s->hash_key));
	s->tick = xcalloc(1, sizeof(*s->tick));
	CHECK(uv_timer_init(around->loop, s->tick) == 0);
	s->tick->data = s;
	s->stored = start_cache(s);
	return s;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void service_statuses_stop(struct service_statuses *s)
{
	struct one *o;

	if (!s)
		return;
	cache_stop(s->stored);
	for (size_t i = 0; (o = table_next(s->ones, &i)) != NULL;)
		free_one(o);
	table_free(s->ones);
	uv_close((uv_handle_t *)s->tick, on_closed);
	free(s);
}

struct service_statuses_counts service_statuses_counts(const struct service_statuses *s)
{
	struct service_statuses_counts counts = {.why = ""};
	const struct one *o;
	enum kube_sight sight;

	if (!s)
		return counts;
	counts.runs = true;
	counts.objects = cache_count(s->stored);
	counts.writes = s->writes;
	(void)cache_is_seen(s->stored, &sight, &counts.why);
	for (size_t i = 0; (o = table_next(s->ones, &i)) != NULL;) {
		counts.failing += o->why != NULL;
		counts.why = o->why && !*counts.why ? o->why : counts.why;
	}
	return counts;
}
