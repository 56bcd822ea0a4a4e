/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/member_ceiling.h"

#include <json-c/json_object.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "propagator/cache.h"
#include "propagator/jsontree.h"

struct member_ceiling {
	const char *name, *namespace;
	void (*on_change)(void *arg);
	void *arg;
	struct cache *cache;      /* NULL: there is no client */
	struct ceiling *ceiling;  /* NULL: there is none, or it is not known */
	struct json_object *data; /* that it was read from */
	char *uid;                /* of the ConfigMap; NULL: as the ceiling */
	bool known;
	uint64_t revision;
};

/* Takes it; NULL: there is none. */
static void set(struct member_ceiling *c, struct ceiling *ceiling)
{
	bool is_news = !c->known || ceiling || c->ceiling;

	if (!ceiling && c->ceiling)
		log_info("propagator", "cluster %s has no ceiling any more", c->name);
	ceiling_free(c->ceiling);
	c->ceiling = ceiling;
	c->known = true;
	if (!is_news)
		return;
	c->revision++;
	if (ceiling && ceiling_trouble(ceiling)[0] != '\0')
		log_warn("propagator",
		         "cluster %s: its ceiling cannot be read: %s; nothing is pushed", c->name,
		         ceiling_trouble(ceiling));
	else if (ceiling)
		log_info("propagator", "cluster %s has a ceiling", c->name);
	c->on_change(c->arg);
}

/* A list that is read again brings the same. */
static void take(struct member_ceiling *c, struct json_object *object)
{
	struct json_object *data = jsontree_get(object, "data", NULL);

	free(c->uid);
	c->uid = xstrdup(jsontree_word(object, "metadata", "uid", NULL));
	if (c->ceiling && json_object_equal(c->data, data))
		return;
	json_object_put(c->data);
	c->data = json_object_get(data);
	set(c, ceiling_read(object));
}

static void *keep(struct json_object *object, void *arg)
{
	(void)arg;
	return json_object_get(object);
}

static void let_go(void *value) { json_object_put(value); }

/* Of a new client's cache it may only not have come yet. */
static void on_object(const char *key, void *arg)
{
	struct member_ceiling *c = arg;
	struct json_object *object = cache_find(c->cache, key);

	if (object)
		take(c, object);
	else if (cache_is_synced(c->cache))
		set(c, NULL);
}

static void on_sight(void *arg)
{
	struct member_ceiling *c = arg;
	enum kube_sight sight = KUBE_LOST;
	const char *why;

	if (!c->cache)
		return;
	if (cache_is_seen(c->cache, &sight, &why) && cache_count(c->cache) == 0)
		set(c, NULL);
	else if ((sight == KUBE_FORBIDDEN || sight == KUBE_ABSENT) && !c->known)
		set(c, NULL);
}

struct member_ceiling *member_ceiling_new(const char *name, const char *namespace,
                                          void (*on_change)(void *arg), void *arg)
{
	struct member_ceiling *c = xcalloc(1, sizeof(*c));

	c->name = name;
	c->namespace = namespace;
	c->on_change = on_change;
	c->arg = arg;
	return c;
}

void member_ceiling_free(struct member_ceiling *c)
{
	if (!c)
		return;
	member_ceiling_unwatch(c);
	ceiling_free(c->ceiling);
	json_object_put(c->data);
	free(c->uid);
	free(c);
}

void member_ceiling_watch(struct member_ceiling *c, uv_loop_t *loop, struct kube_client *client,
                          struct kube_backoff *backoff)
{
	/* Of any size that a ConfigMap can have: a ceiling that is not taken would be none. */
	const struct cache_settings settings = {
		.watch = {.resource = {"", "v1", "configmaps", "ConfigMap"},
	                  .namespace = c->namespace,
	                  .name = CEILING_NAME,
	                  .objects_most = 10},
		.keep = keep,
		.let_go = let_go,
		.on_change = on_object,
		.on_sight = on_sight,
		.arg = c,
	};

	c->cache = cache_start(loop, client, backoff, &settings);
}

void member_ceiling_unwatch(struct member_ceiling *c)
{
	cache_stop(c->cache);
	c->cache = NULL;
	/* One that was seen outlasts its client; that there is none, another server has to say itself. */
	c->known &= c->ceiling != NULL;
}

bool member_ceiling_is_known(const struct member_ceiling *c) { return c->known; }

uint64_t member_ceiling_revision(const struct member_ceiling *c) { return c->revision; }

const char *member_ceiling_uid(const struct member_ceiling *c)
{
	return c->ceiling && c->uid ? c->uid : "";
}

bool member_ceiling_allows(const struct member_ceiling *c, const struct type *type,
                           struct json_object *object, struct reason *why)
{
	return ceiling_allows(c->ceiling, type, c->namespace, object, why);
}

const char *member_ceiling_word(const struct member_ceiling *c)
{
	if (!c->known)
		return "unknown";
	if (!c->ceiling)
		return "none";
	return ceiling_trouble(c->ceiling)[0] == '\0' ? "held" : "broken";
}
