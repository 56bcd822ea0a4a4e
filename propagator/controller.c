/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/controller.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "propagator/controller_inside.h"
#include "propagator/plain_json.h"

enum {
	TURN_MS = 5, /* of the loop's time at once */
	TICK_MS = 100,
	SILENCE_MS = 90000,
	REPLY_MS = 30000,
	OBJECT_MOST = 4 << 20,
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

static struct object *take_first(struct controller *c)
{
	struct object *o = c->first;

	c->first = o->next;
	if (!c->first)
		c->last = NULL;
	o->queued = false;
	c->queued--;
	return o;
}

static void on_turn(uv_timer_t *timer)
{
	struct controller *c = timer->data;
	uint64_t end_ms = clock_monotonic_ms() + TURN_MS;

	while (c->first && clock_monotonic_ms() < end_ms)
		object_look(take_first(c));
	if (c->first)
		uv_timer_start(c->turn, on_turn, 0, 0);
}

void controller_enqueue(struct object *o)
{
	struct controller *c = o->controller;

	if (o->queued)
		return;
	o->queued = true;
	o->next = NULL;
	if (c->last)
		c->last->next = o;
	else
		c->first = o;
	c->last = o;
	if (c->queued++ == 0)
		uv_timer_start(c->turn, on_turn, 0, 0);
}

static void enqueue_key(struct controller *c, const char *key)
{
	struct object *o = find_object(c, key);

	if (!o) {
		o = object_new(c, key);
		table_put(c->objects, hash_of(c, key), o);
	}
	controller_enqueue(o);
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
		controller_enqueue(o);
}

void controller_on_namespace(struct controller *c, struct bytes namespace)
{
	struct object *o;

	for (size_t i = 0; (o = table_next(c->objects, &i)) != NULL;) {
		struct bytes own, name;

		cache_split_key(o->key, &own, &name);
		if (bytes_equal(own, namespace))
			controller_enqueue(o);
	}
}

/* --- alarms --- */

void controller_alarm(struct object *o, uint64_t in_ms)
{
	uint64_t at_ms = clock_monotonic_ms() + in_ms;

	if (o->alarm_ms == 0 || at_ms < o->alarm_ms)
		o->alarm_ms = at_ms;
}

static void on_tick(uv_timer_t *timer)
{
	struct controller *c = timer->data;
	uint64_t now_ms = clock_monotonic_ms();
	struct object *o;

	for (size_t i = 0; (o = table_next(c->objects, &i)) != NULL;) {
		if (o->alarm_ms == 0 || now_ms < o->alarm_ms)
			continue;
		o->alarm_ms = 0;
		controller_enqueue(o);
	}
}

/* --- the federated objects --- */

static void *keep_text(struct json_object *object, void *arg)
{
	struct json_object *metadata;

	(void)arg;
	if (json_object_object_get_ex(object, "metadata", &metadata))
		json_object_object_del(metadata, "managedFields");
	return xstrdup(json_object_to_json_string_ext(object, PLAIN_JSON));
}

static void tell_object(struct controller *c, const char *key)
{
	if (c->around.on_object)
		c->around.on_object(c, key, c->around.arg);
}

/* The FederatedNamespaces say where the objects of others may go. */
static void on_federated(const char *key, void *arg)
{
	struct controller *c = arg;
	struct bytes namespace, name;

	enqueue_key(c, key);
	cache_split_key(key, &namespace, &name);
	if (type_is_namespaces(&c->type))
		c->around.on_namespace(namespace, c->around.namespaces_arg);
	tell_object(c, key);
}

static void on_host_sight(void *arg) { controller_on_all(arg); }

/* --- the copies --- */

/* Are the statuses of members shown as they are? */
static bool collects(const struct controller *c)
{
	return c->type.status_collection && c->around.settings->raw_status_collection;
}

static void *keep_copy(struct json_object *object, void *arg)
{
	const struct site *s = arg;
	const struct controller *c = s->controller;

	return copy_of(object, collects(c), clock_unix_s());
}

/* A namespace's copy is looked at by the FederatedNamespace in it. */
static void on_copy(const char *key, void *arg)
{
	struct site *s = arg;
	struct controller *c = s->controller;
	struct text full = {0};

	if (type_is_namespaces(&c->type)) {
		text_printf(&full, "%s/%s", key, key);
		key = full.data;
	}
	enqueue_key(c, key);
	tell_object(c, key);
	text_fini(&full);
}

static void on_copies_sight(void *arg) { controller_on_all(((struct site *)arg)->controller); }

struct site *controller_site(const struct controller *c, const char *cluster)
{
	struct site *s = c->sites;

	while (s && strcmp(s->member->name, cluster) != 0)
		s = s->next;
	return s;
}

const struct copy *controller_copy(const struct controller *c, const char *cluster, const char *key)
{
	const struct site *s = controller_site(c, cluster);
	const char *slash = strchr(key, '/');

	if (!s)
		return NULL;
	return cache_find(s->copies, type_is_namespaces(&c->type) && slash ? slash + 1 : key);
}

static struct kube_watch_settings watch_of(const struct controller *c,
                                           const struct kube_resource *resource, bool namespaced)
{
	return (struct kube_watch_settings){
		.resource = *resource,
		.namespace = !c->around.settings->cluster_scope && namespaced ? c->around.namespace
	                                                                      : NULL,
		.silence_ms = SILENCE_MS,
		.reply_ms = REPLY_MS,
		.object_most = OBJECT_MOST,
		.objects_most = OBJECTS_MOST,
	};
}

void controller_on_client(struct controller *c, struct member *m)
{
	struct site *s = xcalloc(1, sizeof(*s));
	struct cache_settings settings = {
		.watch = watch_of(c, &c->target, c->type.target.namespaced),
		.keep = keep_copy,
		.let_go = copy_free,
		.on_change = on_copy,
		.on_sight = on_copies_sight,
		.arg = s,
	};

	settings.watch.labels = RENDER_LABEL "=true";
	s->controller = c;
	s->member = m;
	s->next = c->sites;
	c->sites = s;
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
		controller_enqueue(o);
	}
}

void controller_on_no_client(struct controller *c, struct member *m)
{
	for (struct site **at = &c->sites; *at; at = &(*at)->next) {
		struct site *s = *at;

		if (s->member != m)
			continue;
		*at = s->next;
		cache_stop(s->copies);
		free(s);
		break;
	}
	end_parts(c, m->name);
}

bool controller_namespace_placement(struct controller *c, struct bytes namespace,
                                    struct placement *out, bool *federated)
{
	char *name = xstrndup((const char *)namespace.data, namespace.len);
	struct text key = {0};
	const char *text;
	struct json_object *object;
	struct reason why;

	*out = (struct placement){0};
	text_printf(&key, "%s/%s", name, name);
	text = cache_find(c->objects_on_host, key.data);
	object = text ? json_tokener_parse(text) : NULL;
	*federated = object != NULL;
	if (object) {
		size_t count = members_count(c->around.members);
		struct placement_cluster *clusters = xcalloc(count, sizeof(*clusters));

		for (size_t i = 0; i < count; i++) {
			const struct member *m = members_at(c->around.members, i);

			clusters[i] = (struct placement_cluster){m->name, m->labels};
		}
		/* An invalid one places nothing, and says so itself. */
		(void)!placement_of(object, clusters, count, out, &why);
		free(clusters);
	}
	json_object_put(object);
	text_fini(&key);
	free(name);
	return cache_is_settled(c->objects_on_host);
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

static uv_timer_t *new_timer(struct controller *c)
{
	uv_timer_t *timer = xcalloc(1, sizeof(*timer));

	CHECK(uv_timer_init(c->around.loop, timer) == 0);
	timer->data = c;
	return timer;
}

struct controller *controller_start(const struct controller_around *around, const struct type *type)
{
	struct controller *c = xcalloc(1, sizeof(*c));
	struct cache_settings settings = {
		.keep = keep_text,
		.let_go = free,
		.on_change = on_federated,
		.on_sight = on_host_sight,
		.arg = c,
	};

	c->around = *around;
	c->type = type_copy(type);
	c->collected = collects(c);
	c->component = component_of(&c->type);
	c->target = resource_of(&c->type.target);
	c->federated = resource_of(&c->type.federated);
	c->objects = table_new();
	random_bytes(&c->hash_key, sizeof(c->hash_key));
	c->turn = new_timer(c);
	c->tick = new_timer(c);
	uv_timer_start(c->tick, on_tick, TICK_MS, TICK_MS);
	settings.watch = watch_of(c, &c->federated, c->type.federated.namespaced);
	c->objects_on_host = cache_start(around->loop, around->host, around->backoff, &settings);
	for (size_t i = 0; i < members_count(around->members); i++)
		if (members_at(around->members, i)->client)
			controller_on_client(c, members_at(around->members, i));
	log_info("propagator", "propagating %s as %s.%s", c->type.name, c->type.federated.plural,
	         c->type.federated.group);
	return c;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void controller_stop(struct controller *c)
{
	struct object *o;

	while (c->sites) {
		struct site *s = c->sites;

		c->sites = s->next;
		cache_stop(s->copies);
		free(s);
	}
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
	const char *text = cache_find(c->objects_on_host, key);

	return text ? json_tokener_parse(text) : NULL;
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
	if (c->collected != collects(c))
		for (struct site *s = c->sites; s; s = s->next)
			cache_relist(s->copies);
	c->collected = collects(c);
	controller_on_all(c);
}

const struct type *controller_type(const struct controller *c) { return &c->type; }

struct controller_counts controller_counts(const struct controller *c)
{
	struct controller_counts counts = c->counts;

	counts.objects = cache_count(c->objects_on_host);
	counts.waiting = c->queued;
	for (const struct site *s = c->sites; s; s = s->next)
		counts.copies += cache_count(s->copies);
	return counts;
}
