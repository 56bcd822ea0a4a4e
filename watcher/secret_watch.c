/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/secret_watch.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "kube/object.h"
#include "kube/secret.h"

struct secret_watch {
	struct secret_watch_host host;
	struct secret_watch_events events;
	char *namespace, *name;
	struct kube_watch *watch;
	bool seen; /* in the list that is coming */
};

static void on_list(void *arg) { ((struct secret_watch *)arg)->seen = false; }

static void on_put(struct json_object *object, void *arg)
{
	struct secret_watch *w = arg;

	/* Whoever does not know the selector must not give another one's contents for it. */
	if (!bytes_equal_text(object_text(object, "metadata", "name", NULL), w->name))
		return;
	w->seen = true;
	w->events.on_secret(object, w->events.arg);
}

static void tell_absent(struct secret_watch *w)
{
	w->events.on_trouble("does not exist", w->events.arg);
}

static void on_gone(struct bytes namespace, struct bytes name, void *arg)
{
	struct secret_watch *w = arg;

	(void)namespace;
	if (bytes_equal_text(name, w->name))
		tell_absent(w);
}

static void on_skipped(struct bytes namespace, struct bytes name, const char *why, void *arg)
{
	struct secret_watch *w = arg;

	(void)namespace;
	(void)name;
	w->seen = true;
	w->events.on_trouble(why, w->events.arg);
}

static void on_listed(void *arg)
{
	struct secret_watch *w = arg;

	if (!w->seen)
		tell_absent(w);
}

static void on_sight(enum kube_sight sight, const char *why, void *arg)
{
	struct secret_watch *w = arg;

	if (sight == KUBE_FORBIDDEN || sight == KUBE_ABSENT)
		w->events.on_trouble(why, w->events.arg);
}

static void start(struct secret_watch *w)
{
	const struct kube_watch_events events = {on_list,   on_put,   on_gone, on_skipped,
	                                         on_listed, on_sight, w};
	struct kube_watch_settings settings = w->host.pace;

	settings.resource = (struct kube_resource){"", "v1", "secrets", "Secret"};
	settings.namespace = w->namespace;
	settings.name = w->name;
	settings.streaming_list = false; /* a list of one */
	settings.objects_most = 1;
	settings.object_most = 2 * KUBE_SECRET_MOST;
	w->watch =
		kube_watch_start(w->host.loop, w->host.client, w->host.backoff, &settings, &events);
}

struct secret_watch *secret_watch_start(const struct secret_watch_host *host, const char *namespace,
                                        const char *name, const struct secret_watch_events *events)
{
	struct secret_watch *w = xcalloc(1, sizeof(*w));

	w->host = *host;
	w->events = *events;
	w->namespace = xstrdup(namespace);
	w->name = xstrdup(name);
	start(w);
	return w;
}

void secret_watch_restart(struct secret_watch *w)
{
	kube_watch_stop(w->watch);
	start(w);
}

void secret_watch_stop(struct secret_watch *w)
{
	kube_watch_stop(w->watch);
	free(w->namespace);
	free(w->name);
	free(w);
}
