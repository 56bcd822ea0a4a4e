/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/cache.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/table.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/plain_json.h"

enum {
	FULL_MS = 300000,
	NAME_SHOWN = 512,
	/* What is usual (cache.h). */
	SILENCE_MS = 90000,
	REPLY_MS = 30000,
	OBJECT_MOST = 4 << 20
};

struct entry {
	void *value;
	size_t bytes; /* that the budget was charged with */
	bool listed;  /* by the list that is coming, or has been told since it began */
	char key[];
};

struct cache {
	struct cache_settings settings;
	uv_loop_t *loop;
	struct kube_client *client;
	struct kube_backoff *backoff;
	struct kube_watch *watch; /* NULL: there is too much, it is not asked for now */
	uv_timer_t *again;        /* when it is; NULL: without a budget */
	bool is_full;
	struct table *entries;
	struct hash_key hash_key;
	bool synced, sighted;
	bool has_skipped; /* something, since the last list, and has told of it */
	enum kube_sight sight;
	char *why;
};

void cache_print_key(struct text *out, struct bytes namespace, struct bytes name)
{
	if (namespace.len > 0) {
		text_add_bytes(out, namespace);
		text_add(out, "/");
	}
	text_add_bytes(out, name);
}

void cache_split_key(const char *key, struct bytes *namespace, struct bytes *name)
{
	const char *slash = strchr(key, '/');

	*namespace = (struct bytes){(const uint8_t *)key, slash ? (size_t)(slash - key) : 0};
	*name = bytes_of(slash ? slash + 1 : key);
}

/* --- the table --- */

static bool has_key(const void *item, const void *key)
{
	return strcmp(((const struct entry *)item)->key, key) == 0;
}

static uint64_t hash_of(const struct cache *c, const char *key)
{
	return hash_siphash(&c->hash_key, key, strlen(key));
}

static struct entry *find(const struct cache *c, const char *key)
{
	return table_find(c->entries, hash_of(c, key), has_key, key);
}

/* --- values --- */

static void drop_value(struct cache *c, struct entry *e)
{
	if (!e->value)
		return;
	c->settings.let_go(e->value);
	e->value = NULL;
	if (c->settings.budget)
		budget_give(c->settings.budget, e->bytes);
}

/* False: there is no room for it, and it has none. */
static bool set_value(struct cache *c, struct entry *e, struct json_object *object)
{
	enum { KEYS = 3 }; /* as many copies of its key there may be */
	void *value = c->settings.keep(object, c->settings.arg);

	drop_value(c, e);
	if (c->settings.budget) {
		e->bytes =
			sizeof(*e) + CACHE_EACH + KEYS * strlen(e->key) + c->settings.weigh(value);
		if (!budget_take(c->settings.budget, e->bytes)) {
			c->settings.let_go(value);
			return false;
		}
	}
	e->value = value;
	return true;
}

static void free_entry(struct cache *c, struct entry *e)
{
	drop_value(c, e);
	free(e);
}

static void free_entries(struct cache *c)
{
	struct entry *e;

	for (size_t i = 0; (e = table_next(c->entries, &i)) != NULL;)
		free_entry(c, e);
	table_free(c->entries);
	c->entries = NULL;
}

static void on_sight(enum kube_sight sight, const char *why, void *arg);
static void on_again(uv_timer_t *timer);

/* A part of it would be taken for all. */
static void give_up(struct cache *c)
{
	const struct budget *b = c->settings.budget;
	uint64_t full_ms = c->settings.full_ms > 0 ? c->settings.full_ms : FULL_MS;
	struct text why = {0};

	text_printf(&why, "there is more than is kept of %s: %zu KiB",
	            c->settings.watch.resource.plural, b->most >> 10);
	if (b->whole)
		text_printf(&why, ", of all kinds of a cluster %zu KiB", b->whole->most >> 10);
	free_entries(c);
	c->entries = table_new();
	c->is_full = true;
	c->synced = false;
	kube_watch_stop(c->watch);
	c->watch = NULL;
	uv_timer_start(c->again, on_again, full_ms, 0);
	on_sight(KUBE_LOST, why.data, c);
	text_fini(&why);
}

/* --- what the watch tells --- */

static void on_list(void *arg)
{
	struct cache *c = arg;
	struct entry *e;

	c->has_skipped = false;
	for (size_t i = 0; (e = table_next(c->entries, &i)) != NULL;)
		e->listed = false;
}

static void on_put(struct json_object *object, void *arg)
{
	struct cache *c = arg;
	struct text key = {0};
	struct entry *e;

	cache_print_key(&key, object_text(object, "metadata", "namespace", NULL),
	                object_text(object, "metadata", "name", NULL));
	e = find(c, key.data);
	if (!e) {
		e = xcalloc(1, sizeof(*e) + key.len + 1);
		memcpy(e->key, key.data, key.len + 1);
		table_put(c->entries, hash_of(c, e->key), e);
	}
	e->listed = true;
	text_fini(&key);
	if (set_value(c, e, object))
		c->settings.on_change(e->key, c->settings.arg);
	else
		give_up(c);
}

static void remove_key(struct cache *c, const char *key)
{
	struct entry *e = table_remove(c->entries, hash_of(c, key), has_key, key);

	if (!e)
		return;
	c->settings.on_change(e->key, c->settings.arg);
	free_entry(c, e);
}

static void on_gone(struct bytes namespace, struct bytes name, void *arg)
{
	struct text key = {0};

	cache_print_key(&key, namespace, name);
	remove_key(arg, key.data);
	text_fini(&key);
}

/* It is there: what was known of it stays.  The first one is told of, and the first after each list. */
static void on_skipped(struct bytes namespace, struct bytes name, const char *why, void *arg)
{
	struct cache *c = arg;
	struct text key = {0};
	struct entry *e;

	cache_print_key(&key, namespace, name);
	e = find(c, key.data ? key.data : "");
	if (e)
		e->listed = true;
	if (!c->has_skipped)
		log_warn("propagator", "%s %.*s is left out: %s%s", c->settings.watch.resource.kind,
		         NAME_SHOWN, key.data ? key.data : "", why,
		         e ? "; it counts as it was before" : "");
	c->has_skipped = true;
	text_fini(&key);
}

/* The table may not change while it is walked. */
static char **unlisted(const struct cache *c, size_t *count)
{
	char **keys = NULL;
	struct entry *e;

	*count = 0;
	for (size_t i = 0; (e = table_next(c->entries, &i)) != NULL;) {
		if (e->listed)
			continue;
		keys = xreallocarray(keys, *count + 1, sizeof(*keys));
		keys[(*count)++] = xstrdup(e->key);
	}
	return keys;
}

static void on_listed(void *arg)
{
	struct cache *c = arg;
	size_t count;
	char **keys = unlisted(c, &count);

	c->synced = true;
	c->is_full = false;
	for (size_t i = 0; i < count; i++) {
		remove_key(c, keys[i]);
		free(keys[i]);
	}
	free(keys);
}

static void on_sight(enum kube_sight sight, const char *why, void *arg)
{
	struct cache *c = arg;

	c->sighted = true;
	c->sight = sight;
	free(c->why);
	c->why = why ? xstrdup(why) : NULL;
	c->settings.on_sight(c->settings.arg);
}

/* --- life --- */

static void begin(struct cache *c)
{
	const struct kube_watch_events events = {on_list,   on_put,   on_gone, on_skipped,
	                                         on_listed, on_sight, c};

	c->watch = kube_watch_start(c->loop, c->client, c->backoff, &c->settings.watch, &events);
}

static void on_again(uv_timer_t *timer) { begin(timer->data); }

static void set_usual(struct kube_watch_settings *watch)
{
	if (watch->silence_ms == 0)
		watch->silence_ms = SILENCE_MS;
	if (watch->reply_ms == 0)
		watch->reply_ms = REPLY_MS;
	if (watch->object_most == 0)
		watch->object_most = OBJECT_MOST;
}

struct cache *cache_start(uv_loop_t *loop, struct kube_client *client, struct kube_backoff *backoff,
                          const struct cache_settings *settings)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->client = client;
	c->backoff = backoff;
	c->settings = *settings;
	set_usual(&c->settings.watch);
	c->entries = table_new();
	random_bytes(&c->hash_key, sizeof(c->hash_key));
	if (settings->budget) {
		c->again = xcalloc(1, sizeof(*c->again));
		CHECK(uv_timer_init(loop, c->again) == 0);
		c->again->data = c;
	}
	begin(c);
	return c;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void cache_stop(struct cache *c)
{
	if (!c)
		return;
	if (c->watch)
		kube_watch_stop(c->watch);
	if (c->again)
		uv_close((uv_handle_t *)c->again, on_closed);
	free_entries(c);
	free(c->why);
	free(c);
}

void *cache_find(const struct cache *c, const char *key)
{
	const struct entry *e = find(c, key);

	return e ? e->value : NULL;
}

void *cache_keep_text(struct json_object *object, void *arg)
{
	struct json_object *metadata;

	(void)arg;
	if (json_object_object_get_ex(object, "metadata", &metadata))
		json_object_object_del(metadata, "managedFields");
	return xstrdup(json_object_to_json_string_ext(object, PLAIN_JSON));
}

struct json_object *cache_parse(const struct cache *c, const char *key)
{
	const char *text = cache_find(c, key);

	return text ? json_tokener_parse(text) : NULL;
}

size_t cache_count(const struct cache *c) { return table_count(c->entries); }

void *cache_next(const struct cache *c, size_t *at, const char **key)
{
	const struct entry *e = table_next(c->entries, at);

	if (!e)
		return NULL;
	*key = e->key;
	return e->value;
}

bool cache_is_synced(const struct cache *c) { return c->synced; }

bool cache_is_sighted(const struct cache *c) { return c->sighted; }

bool cache_is_settled(const struct cache *c)
{
	return c->synced || (c->sighted && c->sight == KUBE_ABSENT);
}

bool cache_is_seen(const struct cache *c, enum kube_sight *sight, const char **why)
{
	*sight = c->sighted ? c->sight : KUBE_LOST;
	*why = c->why ? c->why : "";
	return c->sighted && c->sight == KUBE_SEEN;
}

bool cache_is_full(const struct cache *c) { return c->is_full; }

void cache_hurry(struct cache *c)
{
	if (c->watch)
		kube_watch_hurry(c->watch);
}

void cache_relist(struct cache *c)
{
	if (c->watch)
		kube_watch_relist(c->watch);
}

void cache_learn(struct cache *c, const char *key, struct json_object *object)
{
	struct entry *e = find(c, key);

	if (e && !set_value(c, e, object))
		give_up(c);
}
