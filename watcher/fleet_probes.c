/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/fleet_probes.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct one {
	struct one *next;
	struct fleet_probes *all;
	char *namespace, *name;
	struct secret_watch *watch;
	bool is_wanted;
};

struct fleet_probes {
	struct secret_watch_host host;
	struct probe_secrets *secrets;
	struct one *list;
};

static void on_secret(struct json_object *object, void *arg)
{
	struct one *o = arg;
	struct decode_secret *is = decode_secret(object);

	probe_secrets_put(o->all->secrets, o->namespace, o->name, is, is ? NULL : "is none");
	decode_secret_unref(is);
}

static void on_trouble(const char *why, void *arg)
{
	struct one *o = arg;

	probe_secrets_put(o->all->secrets, o->namespace, o->name, NULL, why);
}

static void on_name(const char *namespace, const char *name, void *arg)
{
	struct fleet_probes *p = arg;
	struct one *o = p->list;

	while (o && (strcmp(o->name, name) != 0 || strcmp(o->namespace, namespace) != 0))
		o = o->next;
	if (!o) {
		o = xcalloc(1, sizeof(*o));
		o->all = p;
		o->namespace = xstrdup(namespace);
		o->name = xstrdup(name);
		o->next = p->list;
		p->list = o;
		o->watch =
			secret_watch_start(&p->host, namespace, name,
		                           &(struct secret_watch_events){on_secret, on_trouble, o});
	}
	o->is_wanted = true;
}

static void drop_unwanted(struct fleet_probes *p)
{
	for (struct one **at = &p->list; *at;) {
		struct one *o = *at;

		if (o->is_wanted) {
			at = &o->next;
			continue;
		}
		*at = o->next;
		secret_watch_stop(o->watch);
		free(o->namespace);
		free(o->name);
		free(o);
	}
}

void fleet_probes_sync(struct fleet_probes *p)
{
	for (struct one *o = p->list; o; o = o->next)
		o->is_wanted = false;
	probe_secrets_each(p->secrets, on_name, p);
	drop_unwanted(p);
}

struct fleet_probes *fleet_probes_start(const struct secret_watch_host *host,
                                        struct probe_secrets *secrets)
{
	struct fleet_probes *p = xcalloc(1, sizeof(*p));

	p->host = *host;
	p->secrets = secrets;
	fleet_probes_sync(p);
	return p;
}

void fleet_probes_restart(struct fleet_probes *p)
{
	for (struct one *o = p->list; o; o = o->next)
		secret_watch_restart(o->watch);
}

void fleet_probes_stop(struct fleet_probes *p)
{
	for (struct one *o = p->list; o; o = o->next)
		o->is_wanted = false;
	drop_unwanted(p);
	free(p);
}
