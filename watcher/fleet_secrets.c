/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/fleet_secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "watcher/decode_link.h"

struct one {
	struct one *next;
	struct fleet_secrets *all;
	char *name;
	unsigned users;
	struct secret_watch *watch;
	struct kube_secret token;
	char *trouble; /* NULL: none */
};

struct fleet_secrets {
	struct secret_watch_host host;
	const char *namespace;
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

	text_printf(&where, "(host): Secret %s/%s", o->all->namespace, o->name);
	store_set_error(o->all->store, where.data, why);
	text_fini(&where);
}

static void on_trouble(const char *why, void *arg)
{
	struct one *o = arg;

	tell(o, why);
	o->all->on_change(o->name, o->all->arg);
}

static void on_secret(struct json_object *object, void *arg)
{
	struct one *o = arg;
	struct kube_secret token = {0};
	struct reason why = {0};

	if (decode_token(object, &token, &why) != ERR_OK) {
		on_trouble(why.text, o);
		return;
	}
	tell(o, NULL);
	if (!kube_secret_equal(&token, &o->token)) {
		kube_secret_set(&o->token, kube_secret_bytes(&token));
		o->all->on_change(o->name, o->all->arg);
	}
	kube_secret_fini(&token);
}

static struct one *find(const struct fleet_secrets *s, const char *name)
{
	struct one *o = s->list;

	while (o && strcmp(o->name, name) != 0)
		o = o->next;
	return o;
}

struct fleet_secrets *fleet_secrets_start(const struct secret_watch_host *host,
                                          const char *namespace, struct store *store,
                                          void (*on_change)(const char *name, void *arg), void *arg)
{
	struct fleet_secrets *s = xcalloc(1, sizeof(*s));

	s->host = *host;
	s->namespace = namespace;
	s->store = store;
	s->on_change = on_change;
	s->arg = arg;
	return s;
}

void fleet_secrets_restart(struct fleet_secrets *s)
{
	for (struct one *o = s->list; o; o = o->next)
		secret_watch_restart(o->watch);
}

static void start_watch(struct one *o)
{
	const struct secret_watch_events events = {on_secret, on_trouble, o};

	o->watch = secret_watch_start(&o->all->host, o->all->namespace, o->name, &events);
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
	secret_watch_stop(o->watch);
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
