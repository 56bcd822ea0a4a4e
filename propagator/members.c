/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/members.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/cache.h"
#include "propagator/events.h"
#include "propagator/jsontree.h"
#include "propagator/member_ceiling.h"
#include "propagator/member_health.h"
#include "propagator/member_status.h"
#include "propagator/member_token.h"
#include "propagator/sorted.h"
#include "watcher/decode_link.h"

enum { AT_ONCE = 32, EVENTS = 60 /* a minute */, BACKOFF_MOST_MS = 30000, TICK_MS = 2000 };

/* A KubeFedCluster as it was told. */
struct told {
	struct decode_link link;
	struct reason why; /* "": it can be dialled */
	struct json_object *object;
	const char *reader; /* of `object`: the Secret of who only reads; NULL: none */
};

/* A Secret as it was told: its token, or why there is none. */
struct token {
	struct kube_secret secret;
	struct reason why;
	bool rotates;
	char *version; /* of the Secret */
};

/* What others see of it comes first. */
struct one {
	struct member member;
	struct members *all;
	char *name;
	struct reason trouble;
	struct kube_access access; /* of the client */
	bool was_dialled;
	struct member_health *health;
	struct member_status *status;
	struct member_token *writer, *reader;
};

struct members {
	struct members_settings settings;
	struct members_events events;
	struct cache *clusters, *secrets;
	struct one **list; /* in the order of their names */
	size_t count;
	uv_timer_t *tick;
	unsigned closing; /* clients that are on their way out */
	bool stopping;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- the two caches --- */

static void *keep_cluster(struct json_object *object, void *arg)
{
	struct told *t = xcalloc(1, sizeof(*t));

	(void)arg;
	if (decode_link(object, DECODE_LINK_WRITE, &t->link, &t->why) == ERR_OK)
		t->why.text[0] = '\0';
	t->object = json_object_get(object);
	t->reader =
		jsontree_text(object, "metadata", "annotations", "nigh.dev/reader-secret", NULL);
	return t;
}

static void let_go_cluster(void *value)
{
	struct told *t = value;

	decode_link_fini(&t->link);
	json_object_put(t->object);
	free(t);
}

static void *keep_secret(struct json_object *object, void *arg)
{
	struct token *t = xcalloc(1, sizeof(*t));

	(void)arg;
	if (decode_token(object, &t->secret, &t->why) == ERR_OK)
		t->why.text[0] = '\0';
	t->rotates = member_token_rotates(object);
	t->version = xstrdup(jsontree_word(object, "metadata", "resourceVersion", NULL));
	return t;
}

static void let_go_secret(void *value)
{
	struct token *t = value;

	kube_secret_fini(&t->secret);
	free(t->version);
	free(t);
}

static void *find_in(const struct members *m, const struct cache *cache, const char *name)
{
	struct text key = {0};
	void *found;

	cache_print_key(&key, bytes_of(m->settings.namespace), bytes_of(name));
	found = cache_find(cache, key.data);
	text_fini(&key);
	return found;
}

/* --- the list --- */

static const char *name_at(const void *list, size_t i)
{
	return ((struct one *const *)list)[i]->name;
}

static size_t place_of(const struct members *m, const char *name, bool *found)
{
	return sorted_place(m->list, m->count, name_at, name, found);
}

static struct one *find_one(const struct members *m, const char *name)
{
	bool found;
	size_t at = place_of(m, name, &found);

	return found ? m->list[at] : NULL;
}

static void on_ceiling(void *arg)
{
	struct one *o = arg;

	o->all->events.on_change(&o->member, o->all->events.arg);
}

static struct one *add_one(struct members *m, const char *name)
{
	struct one *o = xcalloc(1, sizeof(*o));
	bool found;
	size_t at = place_of(m, name, &found);

	o->all = m;
	o->name = xstrdup(name);
	o->member.name = o->name;
	o->member.trouble = o->trouble.text;
	o->member.budget.most = m->settings.keep_most;
	o->member.ceiling = member_ceiling_new(o->name, m->settings.namespace, on_ceiling, o);
	o->status = member_status_new(&m->settings, name);
	o->writer = member_token_new(&m->settings, o->name);
	o->reader = member_token_new(&m->settings, o->name);
	m->list = xreallocarray(m->list, m->count + 1, sizeof(*m->list));
	memmove(&m->list[at + 1], &m->list[at], (m->count - at) * sizeof(*m->list));
	m->list[at] = o;
	m->count++;
	return o;
}

/* --- tokens --- */

static void look_at_token(struct one *o, struct member_token *t, const char *secret)
{
	const struct token *token = secret ? find_in(o->all, o->all->secrets, secret) : NULL;
	struct member_token_secret is;

	if (!token || !token->rotates)
		return;
	is = (struct member_token_secret){secret, token->version,
	                                  kube_secret_bytes(&token->secret)};
	member_token_look(t, o->member.dispatch, &is);
}

static void look_at_tokens(struct one *o)
{
	const struct told *told = find_in(o->all, o->all->clusters, o->name);

	if (!told || !o->member.is_ready)
		return;
	look_at_token(o, o->writer, told->link.secret);
	look_at_token(o, o->reader, told->reader);
}

/* --- health --- */

static void on_probe(void *arg)
{
	struct one *o = arg;
	bool is_ready = member_health_state(o->health) == MEMBER_READY;
	bool turned = is_ready != o->member.is_ready || !o->member.is_known;

	o->member.is_known = true;
	o->member.is_ready = is_ready;
	(void)snprintf(o->member.version, sizeof(o->member.version), "%s",
	               member_health_version(o->health));
	reason_set(&o->trouble, ERR_OK, "%s", member_health_why(o->health));
	member_status_note(o->status, o->health);
	look_at_tokens(o);
	if (!turned)
		return;
	log_info("propagator", "cluster %s is %s%s%s", o->name, is_ready ? "ready" : "not ready",
	         is_ready ? "" : ": ", is_ready ? "" : o->trouble.text);
	o->all->events.on_change(&o->member, o->all->events.arg);
}

/* --- a client --- */

static void finish(struct members *m)
{
	if (!m->stopping || m->closing > 0)
		return;
	free(m->list);
	m->on_stopped(m->stopped_arg);
	free(m);
}

static void on_client_gone(void *arg)
{
	struct members *m = arg;

	m->closing--;
	finish(m);
}

static void drop_client(struct one *o)
{
	struct members *m = o->all;

	if (!o->member.client)
		return;
	if (!m->stopping)
		m->events.on_no_client(&o->member, m->events.arg);
	member_health_stop(o->health);
	member_ceiling_unwatch(o->member.ceiling);
	member_token_drop(o->writer);
	member_token_drop(o->reader);
	events_stop(o->member.events);
	dispatch_free(o->member.dispatch);
	m->closing++;
	kube_client_stop(o->member.client, on_client_gone, m);
	free(o->member.backoff);
	kube_access_fini(&o->access);
	o->health = NULL;
	o->member.dispatch = NULL;
	o->member.events = NULL;
	o->member.client = NULL;
	o->member.backoff = NULL;
	o->member.is_ready = false;
}

static void make_client(struct one *o, const struct kube_access *access)
{
	const struct members_settings *s = &o->all->settings;
	struct threshold was = {0};

	/* Another endpoint is another server, of which nothing is known. */
	if (!o->was_dialled)
		(void)member_status_was(o->status, &was);
	o->was_dialled = true;
	kube_access_copy(&o->access, access);
	o->member.client = kube_client_new(s->loop, access);
	o->member.backoff = xcalloc(1, sizeof(*o->member.backoff));
	o->member.backoff->cap_ms = BACKOFF_MOST_MS;
	o->member.is_known = false;
	o->member.dispatch = dispatch_new(s->loop, o->member.client, AT_ONCE, s->term);
	o->member.events = events_start(o->member.dispatch, EVENTS);
	o->health = member_health_start(s->loop, o->member.client, &s->health, &was, on_probe, o);
	member_ceiling_watch(o->member.ceiling, s->loop, o->member.client, o->member.backoff);
	o->all->events.on_client(&o->member, o->all->events.arg);
}

/* Another credential goes on with the same client; another server is another one. */
static void use_access(struct one *o, const struct kube_access *access)
{
	if (o->member.client && kube_access_equal(&o->access, access))
		return;
	if (o->member.client && strcmp(o->access.server, access->server) == 0) {
		kube_access_fini(&o->access);
		kube_access_copy(&o->access, access);
		kube_client_set_access(o->member.client, access);
		return;
	}
	drop_client(o);
	make_client(o, access);
}

/* `secret` NULL: it is not one. */
static void set_trouble(struct one *o, const char *secret, const char *why)
{
	struct reason trouble;

	if (secret)
		reason_set(&trouble, ERR_OK, "Secret %s: %s", secret, why);
	else
		reason_set(&trouble, ERR_OK, "%s", why);
	if (strcmp(trouble.text, o->trouble.text) != 0) {
		log_warn("propagator", "cluster %s: %s", o->name, trouble.text);
		o->all->events.on_change(&o->member, o->all->events.arg);
	}
	drop_client(o);
	o->trouble = trouble;
	o->member.is_known = true;
	member_status_malformed(o->status, trouble.text);
}

static void dial(struct one *o, const struct told *told)
{
	const struct token *token;
	struct kube_access access = {0};

	if (told->why.text[0] != '\0') {
		set_trouble(o, NULL, told->why.text);
		return;
	}
	token = find_in(o->all, o->all->secrets, told->link.secret);
	if (!token) {
		if (cache_is_synced(o->all->secrets))
			set_trouble(o, told->link.secret, "does not exist");
		return;
	}
	if (token->why.text[0] != '\0') {
		set_trouble(o, told->link.secret, token->why.text);
		return;
	}
	kube_access_copy(&access, &told->link.access);
	access.no_loopback = !o->all->settings.allow_loopback;
	kube_secret_set(&access.token, kube_secret_bytes(&token->secret));
	use_access(o, &access);
	kube_access_fini(&access);
}

/* --- what the caches tell --- */

static struct json_object *labels_of(struct json_object *object)
{
	struct json_object *metadata, *labels;

	if (!json_object_object_get_ex(object, "metadata", &metadata) ||
	    !json_object_object_get_ex(metadata, "labels", &labels))
		return NULL;
	return labels;
}

static void free_one(struct one *o)
{
	drop_client(o);
	member_status_free(o->status);
	member_token_free(o->writer);
	member_token_free(o->reader);
	member_ceiling_free(o->member.ceiling);
	json_object_put(o->member.labels);
	free(o->name);
	free(o);
}

static void remove_one(struct members *m, const char *name)
{
	bool found;
	size_t at = place_of(m, name, &found);
	struct one *o = found ? m->list[at] : NULL;

	if (!o)
		return;
	memmove(&m->list[at], &m->list[at + 1], (m->count - at - 1) * sizeof(*m->list));
	m->count--;
	drop_client(o);
	m->events.on_gone(&o->member, m->events.arg);
	free_one(o);
}

static void on_cluster(const char *key, void *arg)
{
	struct members *m = arg;
	const struct told *told = cache_find(m->clusters, key);
	struct bytes namespace, name;
	struct json_object *labels;
	struct one *o;
	bool is_new;

	cache_split_key(key, &namespace, &name);
	if (!told) {
		remove_one(m, (const char *)name.data);
		return;
	}
	o = find_one(m, (const char *)name.data);
	is_new = o == NULL;
	if (is_new)
		o = add_one(m, (const char *)name.data);
	labels = labels_of(told->object);
	member_status_saw(o->status, told->object);
	if (is_new || !json_object_equal(o->member.labels, labels)) {
		json_object_put(o->member.labels);
		o->member.labels = json_object_get(labels);
		m->events.on_change(&o->member, m->events.arg);
	}
	dial(o, told);
}

static void dial_all_with(struct members *m, const char *secret)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct told *told = find_in(m, m->clusters, m->list[i]->name);

		if (told &&
		    (!secret || !told->link.secret || strcmp(told->link.secret, secret) == 0))
			dial(m->list[i], told);
	}
}

static void on_secret(const char *key, void *arg)
{
	struct bytes namespace, name;

	cache_split_key(key, &namespace, &name);
	dial_all_with(arg, (const char *)name.data);
}

static void on_clusters_sight(void *arg)
{
	struct members *m = arg;

	if (cache_is_synced(m->clusters))
		m->events.on_listed(m->events.arg);
}

static void on_secrets_sight(void *arg)
{
	struct members *m = arg;
	enum kube_sight sight;
	const char *why;

	if (m->secrets && !cache_is_seen(m->secrets, &sight, &why))
		log_warn("propagator", "Secrets of namespace %s cannot be seen: %s",
		         m->settings.namespace, why);
	else if (m->secrets)
		dial_all_with(m, NULL);
}

/* --- life --- */

/* Whom nobody asks has no probe that would write its status again. */
static void on_tick(uv_timer_t *timer)
{
	const struct members *m = timer->data;

	for (size_t i = 0; i < m->count; i++)
		if (!m->list[i]->member.client && m->list[i]->trouble.text[0] != '\0')
			member_status_malformed(m->list[i]->status, m->list[i]->trouble.text);
}

static struct cache *start_cache(struct members *m, const char *group, const char *version,
                                 const char *plural, const char *kind,
                                 const struct cache_settings *what)
{
	struct cache_settings settings = *what;

	settings.watch = (struct kube_watch_settings){
		.resource = {group, version, plural, kind},
		.namespace = m->settings.namespace,
		.objects_most = 100000,
	};
	settings.arg = m;
	return cache_start(m->settings.loop, m->settings.host, m->settings.backoff, &settings);
}

struct members *members_start(const struct members_settings *settings,
                              const struct members_events *events)
{
	static const struct cache_settings clusters = {.keep = keep_cluster,
	                                               .let_go = let_go_cluster,
	                                               .on_change = on_cluster,
	                                               .on_sight = on_clusters_sight};
	static const struct cache_settings secrets = {.keep = keep_secret,
	                                              .let_go = let_go_secret,
	                                              .on_change = on_secret,
	                                              .on_sight = on_secrets_sight};
	struct members *m = xcalloc(1, sizeof(*m));

	m->settings = *settings;
	m->events = *events;
	m->tick = xcalloc(1, sizeof(*m->tick));
	m->tick->data = m;
	CHECK(uv_timer_init(settings->loop, m->tick) == 0);
	uv_timer_start(m->tick, on_tick, TICK_MS, TICK_MS);
	m->clusters = start_cache(m, "core.kubefed.io", "v1beta1", "kubefedclusters",
	                          "KubeFedCluster", &clusters);
	m->secrets = start_cache(m, "", "v1", "secrets", "Secret", &secrets);
	return m;
}

static void on_tick_closed(uv_handle_t *tick) { free(tick); }

void members_stop(struct members *m, void (*on_stopped)(void *arg), void *arg)
{
	m->stopping = true;
	m->on_stopped = on_stopped;
	m->stopped_arg = arg;
	m->closing++; /* itself */
	uv_close((uv_handle_t *)m->tick, on_tick_closed);
	cache_stop(m->clusters);
	cache_stop(m->secrets);
	while (m->count > 0)
		free_one(m->list[--m->count]);
	on_client_gone(m);
}

void members_set_health(struct members *m, const struct members_health *health)
{
	m->settings.health = *health;
}

bool members_are_listed(const struct members *m) { return cache_is_synced(m->clusters); }
size_t members_count(const struct members *m) { return m->count; }
struct member *members_at(const struct members *m, size_t i) { return &m->list[i]->member; }

struct member *members_find(const struct members *m, const char *name)
{
	struct one *o = find_one(m, name);

	return o ? &o->member : NULL;
}

enum err members_place(const struct members *m, struct json_object *federated,
                       struct placement *out, struct reason *why)
{
	struct placement_cluster *clusters = xcalloc(m->count, sizeof(*clusters));
	enum err err;

	for (size_t i = 0; i < m->count; i++)
		clusters[i] = (struct placement_cluster){m->list[i]->member.name,
		                                         m->list[i]->member.labels};
	err = placement_of(federated, clusters, m->count, out, why);
	free(clusters);
	return err;
}
