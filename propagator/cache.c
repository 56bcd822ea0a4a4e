/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "base/xalloc.h"
#include "kube/object.h"

struct entry {
	void *value;
	bool listed; /* by the list that is coming, or has been told since it began */
	char key[];
};

struct cache {
	struct cache_settings settings;
	struct kube_watch *watch;
	struct table *entries;
	struct hash_key hash_key;
	bool synced, sighted;
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

static void free_entry(struct cache *c, struct entry *e)
{
	c->settings.let_go(e->value);
	free(e);
}

/* --- what the watch tells --- */

static void on_list(void *arg)
{
	struct cache *c = arg;
	struct entry *e;

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
	if (e) {
		c->settings.let_go(e->value);
	} else {
		e = xmalloc(sizeof(*e) + key.len + 1);
		memcpy(e->key, key.data, key.len + 1);
		table_put(c->entries, hash_of(c, e->key), e);
	}
	e->value = c->settings.keep(object, c->settings.arg);
	e->listed = true;
	text_fini(&key);
	c->settings.on_change(e->key, c->settings.arg);
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

/* It is there: what was known of it stays. */
static void on_skipped(struct bytes namespace, struct bytes name, const char *why, void *arg)
{
	struct text key = {0};
	struct entry *e;

	(void)why;
	cache_print_key(&key, namespace, name);
	e = find(arg, key.data ? key.data : "");
	if (e)
		e->listed = true;
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

struct cache *cache_start(uv_loop_t *loop, struct kube_client *client, struct kube_backoff *backoff,
                          const struct cache_settings *settings)
{
	struct cache *c = xcalloc(1, sizeof(*c));
	const struct kube_watch_events events = {on_list,   on_put,   on_gone, on_skipped,
	                                         on_listed, on_sight, c};

	c->settings = *settings;
	c->entries = table_new();
	random_bytes(&c->hash_key, sizeof(c->hash_key));
	c->watch = kube_watch_start(loop, client, backoff, &settings->watch, &events);
	return c;
}

void cache_stop(struct cache *c)
{
	struct entry *e;

	if (!c)
		return;
	kube_watch_stop(c->watch);
	for (size_t i = 0; (e = table_next(c->entries, &i)) != NULL;)
		free_entry(c, e);
	table_free(c->entries);
	free(c->why);
	free(c);
}

void *cache_find(const struct cache *c, const char *key)
{
	const struct entry *e = find(c, key);

	return e ? e->value : NULL;
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

void cache_hurry(struct cache *c) { kube_watch_hurry(c->watch); }
void cache_relist(struct cache *c) { kube_watch_relist(c->watch); }
