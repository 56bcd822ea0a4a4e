/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/controller.h"

#include <ctype.h>
#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/controller_inside.h"
#include "propagator/sorted.h"

enum {
	TURN_MS = 5, /* of the loop's time at once */
	TICK_MS = 100,
	OBJECTS_MOST = 2000000
};

/* --- the queue --- */

static bool has_key(const void *item, const void *key)
{
	return strcmp(((const struct object *)item)->key, key) == 0;
}

static uint64_t hash_of(const struct controller *c, const char *key)
{
	return hash_siphash(&c->hash_key, key, strlen(key));
}

static struct object *find_object(const struct controller *c, const char *key)
{
	return table_find(c->objects, hash_of(c, key), has_key, key);
}

static void on_turn(uv_idle_t *idle)
{
	struct controller *c = idle->data;
	uint64_t end_ms = clock_monotonic_ms() + TURN_MS;

	while (turns_count(&c->turns) > 0 && clock_monotonic_ms() < end_ms)
		object_look((struct object *)turns_take(&c->turns));
	if (turns_count(&c->turns) == 0)
		uv_idle_stop(c->turn);
}

void controller_enqueue(struct object *o)
{
	struct controller *c = o->controller;

	turns_add_asked(&c->turns, &o->turn);
	uv_idle_start(c->turn, on_turn);
}

/* One member that tells ever new things must not delay what the host asks for. */
static void look_again(struct object *o)
{
	struct controller *c = o->controller;

	turns_add_again(&c->turns, &o->turn);
	uv_idle_start(c->turn, on_turn);
}

static struct object *need_object(struct controller *c, const char *key)
{
	struct object *o = find_object(c, key);

	if (o)
		return o;
	o = object_new(c, key);
	table_put(c->objects, hash_of(c, key), o);
	return o;
}

void controller_forget(struct object *o)
{
	struct controller *c = o->controller;

	table_remove(c->objects, hash_of(c, o->key), has_key, o->key);
	object_free(o);
}

void controller_on_all(struct controller *c)
{
	struct object *o;

	for (size_t i = 0; (o = table_next(c->objects, &i)) != NULL;)
		look_again(o);
	if (c->statuses)
		service_statuses_on_all(c->statuses);
}

void controller_on_namespace(struct controller *c, struct bytes namespace)
{
	struct object *o;

	for (size_t i = 0; (o = table_next(c->objects, &i)) != NULL;) {
		struct bytes own, name;

		cache_split_key(o->key, &own, &name);
		if (namespace.len == 0 || bytes_equal(own, namespace))
			look_again(o);
	}
}

void controller_on_plan(struct controller *c, const char *key)
{
	struct object *o = find_object(c, key);

	if (o)
		controller_enqueue(o);
}

/* --- alarms --- */

/* 0: never. */
static void bring_forward(uint64_t *alarm_ms, uint64_t at_ms)
{
	if (*alarm_ms == 0 || (at_ms > 0 && at_ms < *alarm_ms))
		*alarm_ms = at_ms;
}

void controller_alarm(struct object *o, uint64_t in_ms)
{
	uint64_t at_ms = clock_monotonic_ms() + in_ms;

	bring_forward(&o->alarm_ms, at_ms);
	bring_forward(&o->controller->alarm_ms, at_ms);
}

void controller_alarm_soon(struct object *o) { controller_alarm(o, TICK_MS); }

/* What comes of its copies one after the other is looked at together. */
static void hear_of(struct object *o)
{
	uint64_t at_ms = clock_monotonic_ms() + TICK_MS;

	bring_forward(&o->heard_ms, at_ms);
	bring_forward(&o->controller->alarm_ms, at_ms);
}

/* True: it was due, and is no more. */
static bool is_over(uint64_t *alarm_ms, uint64_t now_ms)
{
	bool is = *alarm_ms > 0 && *alarm_ms <= now_ms;

	if (is)
		*alarm_ms = 0;
	return is;
}

static void on_tick(uv_timer_t *timer)
{
	struct controller *c = timer->data;
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t first_ms = 0;
	struct object *o;

	if (c->alarm_ms == 0 || now_ms < c->alarm_ms)
		return;
	for (size_t i = 0; (o = table_next(c->objects, &i)) != NULL;) {
		if (is_over(&o->heard_ms, now_ms))
			look_again(o);
		if (is_over(&o->alarm_ms, now_ms))
			controller_enqueue(o);
		bring_forward(&first_ms, o->heard_ms);
		bring_forward(&first_ms, o->alarm_ms);
	}
	c->alarm_ms = first_ms;
}

/* --- the federated objects --- */

static void tell_object(struct controller *c, const char *key)
{
	if (c->statuses)
		service_statuses_on_object(c->statuses, key);
	if (c->around.on_object)
		c->around.on_object(c, key, c->around.arg);
}

/* The FederatedNamespaces say where the objects of others may go. */
static void on_federated(const char *key, void *arg)
{
	struct controller *c = arg;
	struct bytes namespace, name;

	if (!c->is_passive)
		controller_enqueue(need_object(c, key));
	cache_split_key(key, &namespace, &name);
	if (type_is_namespaces(&c->type))
		c->around.on_namespace(namespace, c->around.namespaces_arg);
	tell_object(c, key);
}

static void on_host_sight(void *arg)
{
	struct controller *c = arg;

	controller_on_all(c);
	if (type_is_namespaces(&c->type))
		c->around.on_namespace((struct bytes){0}, c->around.namespaces_arg);
}

/* --- the copies --- */

/* Are the statuses of members shown as they are? */
static bool collects(const struct controller *c)
{
	return c->type.status_collection && c->around.settings->raw_status_collection;
}

/* Not before all federated objects are known is anything nobody's. */
static bool is_asked_for(const struct controller *c, struct json_object *object)
{
	struct bytes namespace = object_text(object, "metadata", "namespace", NULL);
	struct bytes name = object_text(object, "metadata", "name", NULL);
	struct text key = {0};
	bool is_there;

	cache_print_key(&key, type_is_namespaces(&c->type) ? name : namespace, name);
	is_there = cache_find(c->objects_on_host, key.data ? key.data : "") != NULL;
	text_fini(&key);
	return is_there || !cache_is_synced(c->objects_on_host);
}

/* A member may have more of what nobody asks for than of anything else. */
static void *keep_copy(struct json_object *object, void *arg)
{
	const struct site *s = arg;
	const struct controller *c = s->controller;

	if (!is_asked_for(c, object))
		return copy_bare(object);
	return copy_of(object, collects(c) || c->statuses, clock_unix_s());
}

/* A namespace's copy is looked at by the FederatedNamespace in it. */
static void on_copy(const char *key, void *arg)
{
	struct site *s = arg;
	struct controller *c = s->controller;
	struct text full = {0};
	struct object *o;

	if (type_is_namespaces(&c->type)) {
		text_printf(&full, "%s/%s", key, key);
		key = full.data;
	}
	o = find_object(c, key);
	if (o)
		hear_of(o);
	else if (!c->is_passive)
		look_again(need_object(c, key));
	tell_object(c, key);
	text_fini(&full);
}

/* Said once: it is tried again and again. */
static void tell_full(struct site *s)
{
	enum kube_sight sight;
	const char *why;

	if (cache_is_full(s->copies) && !s->is_told_full) {
		(void)cache_is_seen(s->copies, &sight, &why);
		log_warn("propagator", "cluster %s: %s", s->member->name, why);
		s->is_told_full = true;
	} else if (cache_is_synced(s->copies) && s->is_told_full) {
		log_info("propagator", "cluster %s: all %s are kept again", s->member->name,
		         s->controller->type.target.plural);
		s->is_told_full = false;
	}
}

/* Once all are known no object asks whether they are seen at this moment: a watch that breaks again and again is no news. */
static bool is_news(struct site *s)
{
	bool was_known = s->was_known;

	s->was_known = cache_is_synced(s->copies);
	return !was_known || !s->was_known;
}

static void on_copies_sight(void *arg)
{
	struct site *s = arg;

	tell_full(s);
	if (is_news(s))
		controller_on_all(s->controller);
}

static const char *name_at(const void *list, size_t i)
{
	return ((struct site *const *)list)[i]->member->name;
}

static size_t place_of(const struct controller *c, const char *cluster, bool *found)
{
	return sorted_place(c->sites, c->site_count, name_at, cluster, found);
}

struct site *controller_site(const struct controller *c, const char *cluster)
{
	bool found;
	size_t at = place_of(c, cluster, &found);

	return found ? c->sites[at] : NULL;
}

/* The copy of a FederatedNamespace has no namespace. */
static const char *key_of_copy(const struct controller *c, const char *key)
{
	const char *slash = strchr(key, '/');

	return type_is_namespaces(&c->type) && slash ? slash + 1 : key;
}

const struct copy *controller_copy(const struct controller *c, const char *cluster, const char *key)
{
	const struct site *s = controller_site(c, cluster);

	return s ? cache_find(s->copies, key_of_copy(c, key)) : NULL;
}

void controller_saw(struct controller *c, const char *cluster, const char *key,
                    struct json_object *object)
{
	const struct site *s = controller_site(c, cluster);
	const struct copy *copy = controller_copy(c, cluster, key);

	/* The watch brings it, but not what has not changed. */
	if (s && copy && copy->is_bare)
		cache_learn(s->copies, key_of_copy(c, key), object);
}

static struct kube_watch_settings watch_of(const struct controller *c,
                                           const struct kube_resource *resource, bool namespaced)
{
	return (struct kube_watch_settings){
		.resource = *resource,
		.namespace = !c->around.settings->cluster_scope && namespaced ? c->around.namespace
	                                                                      : NULL,
		.objects_most = OBJECTS_MOST,
	};
}

static void add_site(struct controller *c, struct site *s)
{
	bool found;
	size_t at = place_of(c, s->member->name, &found);

	c->sites = xreallocarray(c->sites, c->site_count + 1, sizeof(struct site *));
	memmove(&c->sites[at + 1], &c->sites[at], (c->site_count - at) * sizeof(struct site *));
	c->sites[at] = s;
	c->site_count++;
}

static void remove_site(struct controller *c, size_t at)
{
	struct site *s = c->sites[at];

	c->site_count--;
	memmove(&c->sites[at], &c->sites[at + 1], (c->site_count - at) * sizeof(struct site *));
	cache_stop(s->copies);
	free(s);
}

/* One kind does not take the room of all others. */
static void give_budget(struct site *s, struct cache_settings *settings)
{
	enum { KINDS_AT_LEAST = 2 };

	s->budget.whole = &s->member->budget;
	s->budget.most = s->member->budget.most / KINDS_AT_LEAST;
	settings->budget = &s->budget;
	settings->weigh = copy_bytes;
	if (s->budget.most > 0)
		settings->watch.objects_most = s->budget.most / CACHE_EACH + 1;
}

void controller_on_client(struct controller *c, struct member *m)
{
	struct site *s = NULL;
	struct cache_settings settings = {
		.watch = watch_of(c, &c->target, c->type.target.namespaced),
		.keep = keep_copy,
		.let_go = copy_free,
		.on_change = on_copy,
		.on_sight = on_copies_sight,
	};

	if (c->is_passive && !c->statuses)
		return;
	s = xcalloc(1, sizeof(*s));
	settings.arg = s;
	settings.watch.labels = RENDER_LABEL "=true";
	s->controller = c;
	s->member = m;
	s->began_ms = clock_monotonic_ms();
	give_budget(s, &settings);
	add_site(c, s);
	s->copies = cache_start(c->around.loop, m->client, m->backoff, &settings);
	controller_on_all(c);
}

/* What was under way there has an end, too. */
static void end_parts(struct controller *c, const char *cluster)
{
	struct object *o;

	for (size_t i = 0; (o = table_next(c->objects, &i)) != NULL;) {
		struct part *p = object_part(o, cluster);

		if (p)
			object_end_part(p);
		look_again(o);
	}
}

void controller_on_no_client(struct controller *c, struct member *m)
{
	bool found;
	size_t at = place_of(c, m->name, &found);

	if (found)
		remove_site(c, at);
	end_parts(c, m->name);
	if (c->statuses)
		service_statuses_on_all(c->statuses);
}

bool controller_namespace_placement(struct controller *c, struct bytes namespace,
                                    struct placement *out, bool *federated)
{
	struct text key = {0};
	struct json_object *object;
	struct reason why;

	*out = (struct placement){0};
	text_add_bytes(&key, namespace);
	text_add(&key, "/");
	text_add_bytes(&key, namespace);
	object = controller_federated(c, key.data);
	*federated = object != NULL;
	/* An invalid one places nothing, and says so itself. */
	if (object)
		(void)!members_place(c->around.members, object, out, &why);
	json_object_put(object);
	text_fini(&key);
	/* A kind that is not there (yet) says nothing of where namespaces are to be. */
	return cache_is_synced(c->objects_on_host);
}

/* --- KubeFed's statuses of Services --- */

bool controller_keeps_statuses(const struct type *type, const struct settings *settings)
{
	return type_keeps_statuses(type) && !settings->raw_status_collection;
}

/* Of what is known already, too. */
static void settle_statuses(struct controller *c)
{
	bool keeps = controller_keeps_statuses(&c->type, c->around.settings);
	const char *key;

	if (!keeps) {
		service_statuses_stop(c->statuses);
		c->statuses = NULL;
	} else if (!c->statuses) {
		c->statuses = service_statuses_start(&c->around, c);
		for (size_t i = 0; cache_next(c->objects_on_host, &i, &key);)
			service_statuses_on_object(c->statuses, key);
	}
}

/* --- life --- */

static struct kube_resource resource_of(const struct type_api *api)
{
	return (struct kube_resource){api->group, api->version, api->plural, api->kind};
}

static char *component_of(const struct type *type)
{
	struct text out = {0};

	for (const char *at = type->federated.kind; *at; at++)
		text_printf(&out, "%c", tolower((unsigned char)*at));
	text_add(&out, "-controller");
	return text_take(&out);
}

static void start_timers(struct controller *c)
{
	c->turn = xcalloc(1, sizeof(*c->turn));
	c->tick = xcalloc(1, sizeof(*c->tick));
	CHECK(uv_idle_init(c->around.loop, c->turn) == 0);
	CHECK(uv_timer_init(c->around.loop, c->tick) == 0);
	c->turn->data = c->tick->data = c;
	uv_timer_start(c->tick, on_tick, TICK_MS, TICK_MS);
}

struct controller *controller_start(const struct controller_around *around, const struct type *type,
                                    bool is_passive)
{
	struct controller *c = xcalloc(1, sizeof(*c));
	struct cache_settings settings = {
		.keep = cache_keep_text,
		.let_go = free,
		.on_change = on_federated,
		.on_sight = on_host_sight,
		.arg = c,
	};

	c->around = *around;
	c->type = type_copy(type);
	c->is_passive = is_passive;
	c->collected = collects(c);
	c->component = component_of(&c->type);
	c->target = resource_of(&c->type.target);
	c->federated = resource_of(&c->type.federated);
	c->objects = table_new();
	random_bytes(&c->hash_key, sizeof(c->hash_key));
	start_timers(c);
	settings.watch = watch_of(c, &c->federated, c->type.federated.namespaced);
	c->objects_on_host = cache_start(around->loop, around->host, around->backoff, &settings);
	settle_statuses(c);
	for (size_t i = 0; i < members_count(around->members); i++)
		if (members_at(around->members, i)->client)
			controller_on_client(c, members_at(around->members, i));
	log_info("propagator", "%s %s as %s.%s", is_passive ? "watching" : "propagating",
	         c->type.name, c->type.federated.plural, c->type.federated.group);
	return c;
}

static void on_closed(uv_handle_t *handle) { free(handle); }

void controller_stop(struct controller *c)
{
	struct object *o;

	service_statuses_stop(c->statuses);
	while (c->site_count > 0)
		remove_site(c, c->site_count - 1);
	free(c->sites);
	cache_stop(c->objects_on_host);
	for (size_t i = 0; (o = table_next(c->objects, &i)) != NULL;)
		object_free(o);
	table_free(c->objects);
	uv_close((uv_handle_t *)c->turn, on_closed);
	uv_close((uv_handle_t *)c->tick, on_closed);
	type_fini(&c->type);
	free(c->component);
	free(c);
}

struct json_object *controller_federated(const struct controller *c, const char *key)
{
	return cache_parse(c->objects_on_host, key);
}

bool controller_is_listed(const struct controller *c)
{
	return cache_is_synced(c->objects_on_host);
}

bool controller_sees(const struct controller *c, const char *cluster)
{
	const struct site *s = controller_site(c, cluster);

	return s && cache_is_synced(s->copies);
}

struct kube_resource controller_resource(const struct controller *c) { return c->federated; }

void controller_on_settings(struct controller *c)
{
	settle_statuses(c);
	if (c->collected != collects(c))
		for (size_t i = 0; i < c->site_count; i++)
			cache_relist(c->sites[i]->copies);
	c->collected = collects(c);
	controller_on_all(c);
}

const struct type *controller_type(const struct controller *c) { return &c->type; }

static size_t count_failing(const struct controller *c)
{
	const struct object *o;
	size_t failing = 0;

	for (size_t i = 0; (o = table_next(c->objects, &i)) != NULL;)
		for (size_t k = 0; k < o->part_count; k++)
			failing += o->parts[k]->is_listed && !o->parts[k]->job &&
			           o->parts[k]->state != STATE_FINE;
	return failing;
}

struct controller_counts controller_counts(const struct controller *c)
{
	struct controller_counts counts = c->counts;

	counts.objects = cache_count(c->objects_on_host);
	counts.waiting = turns_count(&c->turns);
	counts.failing = count_failing(c);
	counts.statuses = service_statuses_counts(c->statuses);
	for (size_t i = 0; i < c->site_count; i++) {
		counts.copies += cache_count(c->sites[i]->copies);
		counts.overfull += cache_is_full(c->sites[i]->copies);
	}
	return counts;
}
