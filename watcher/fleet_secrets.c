/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/fleet_secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "watcher/decode_link.h"

struct one {
	struct one *next;
	struct fleet_secrets *all;
	char *name;
	unsigned users;
	struct kube_watch *watch;
	struct kube_secret token;
	char *trouble; /* NULL: none */
	bool seen;     /* in the list that is coming */
};

struct fleet_secrets {
	uv_loop_t *loop;
	struct kube_client *host;
	struct kube_backoff *backoff;
	struct kube_watch_settings settings;
	struct store *store;
	void (*on_change)(const char *name, void *arg);
	void *arg;
	struct one *list;
};

/* `why` NULL: nothing is wrong with it. */
static void tell(struct one *o, const char *why)
{
	struct text where = {0};

	free(o->trouble);
	o->trouble = why ? xstrdup(why) : NULL;

	text_printf(&where, "(host): Secret %s/%s", o->all->settings.namespace, o->name);
	store_set_error(o->all->store, where.data, why);
	text_fini(&where);
}

static void tell_trouble(struct one *o, const char *why)
{
	tell(o, why);
	o->all->on_change(o->name, o->all->arg);
}

static void on_list(void *arg) { ((struct one *)arg)->seen = false; }

static void on_put(struct json_object *object, void *arg)
{
	struct one *o = arg;
	struct kube_secret token = {0};
	struct reason why = {0};

	/* Whoever does not know the selector must not give another one's token for it. */
	if (!bytes_equal_text(object_text(object, "metadata", "name", NULL), o->name))
		return;
	o->seen = true;
	if (decode_token(object, &token, &why) != ERR_OK) {
		tell_trouble(o, why.text);
		return;
	}
	tell(o, NULL);
	if (!kube_secret_equal(&token, &o->token)) {
		kube_secret_set(&o->token, kube_secret_bytes(&token));
		o->all->on_change(o->name, o->all->arg);
	}
	kube_secret_fini(&token);
}

static void on_gone(struct bytes namespace, struct bytes name, void *arg)
{
	struct one *o = arg;

	(void)namespace;
	if (bytes_equal_text(name, o->name))
		tell_trouble(o, "does not exist");
}

static void on_skipped(struct bytes namespace, struct bytes name, const char *why, void *arg)
{
	struct one *o = arg;

	(void)namespace;
	(void)name;
	o->seen = true;
	tell_trouble(o, why);
}

static void on_listed(void *arg)
{
	struct one *o = arg;

	if (!o->seen)
		tell_trouble(o, "does not exist");
}

static void on_sight(enum kube_sight sight, const char *why, void *arg)
{
	if (sight == KUBE_FORBIDDEN || sight == KUBE_ABSENT)
		tell_trouble(arg, why);
}

static struct one *find(const struct fleet_secrets *s, const char *name)
{
	struct one *o = s->list;

	while (o && strcmp(o->name, name) != 0)
		o = o->next;
	return o;
}

struct fleet_secrets *fleet_secrets_start(uv_loop_t *loop, struct kube_client *host,
                                          struct kube_backoff *backoff,
                                          const struct kube_watch_settings *settings,
                                          struct store *store,
                                          void (*on_change)(const char *name, void *arg), void *arg)
{
	struct fleet_secrets *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->host = host;
	s->backoff = backoff;
	s->settings = *settings;
	s->settings.resource = (struct kube_resource){"", "v1", "secrets", "Secret"};
	s->settings.streaming_list = false; /* a list of one */
	s->settings.object_most = 2 * KUBE_SECRET_MOST;
	s->store = store;
	s->on_change = on_change;
	s->arg = arg;
	return s;
}

static void start_watch(struct one *o)
{
	const struct kube_watch_events events = {on_list,   on_put,   on_gone, on_skipped,
	                                         on_listed, on_sight, o};
	struct kube_watch_settings settings = o->all->settings;

	settings.name = o->name;
	o->watch =
		kube_watch_start(o->all->loop, o->all->host, o->all->backoff, &settings, &events);
}

void fleet_secrets_restart(struct fleet_secrets *s)
{
	for (struct one *o = s->list; o; o = o->next) {
		kube_watch_stop(o->watch);
		start_watch(o);
	}
}

void fleet_secrets_want(struct fleet_secrets *s, const char *name)
{
	struct one *o = find(s, name);

	if (!o) {
		o = xcalloc(1, sizeof(*o));
		o->all = s;
		o->name = xstrdup(name);
		o->next = s->list;
		s->list = o;
		start_watch(o);
	}
	o->users++;
}

static void free_one(struct one *o)
{
	tell(o, NULL); /* frees its words, too */
	kube_watch_stop(o->watch);
	kube_secret_fini(&o->token);
	free(o->name);
	free(o);
}

void fleet_secrets_leave(struct fleet_secrets *s, const char *name)
{
	struct one **at = &s->list, *o;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	o = *at;
	if (!o || --o->users > 0)
		return;
	*at = o->next;
	free_one(o);
}

const struct kube_secret *fleet_secrets_find(const struct fleet_secrets *s, const char *name)
{
	const struct one *o = find(s, name);

	return o && o->token.len > 0 ? &o->token : NULL;
}

const char *fleet_secrets_trouble(const struct fleet_secrets *s, const char *name)
{
	const struct one *o = find(s, name);

	return o ? o->trouble : NULL;
}

void fleet_secrets_stop(struct fleet_secrets *s)
{
	while (s->list) {
		struct one *next = s->list->next;

		free_one(s->list);
		s->list = next;
	}
	free(s);
}
