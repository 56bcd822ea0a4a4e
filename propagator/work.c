/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/work.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/cache.h"

enum {
	HOST_AT_ONCE = 64,
	HOST_EVENTS = 300,
	TRIM_AFTER = 500, /* objects that were looked at */
	CALM = 250, /* of them in a second, at most: so many are while copies are asked why they fail */
	TRIM_PAUSE = 5 /* seconds between two times that memory is given back */
};

struct work {
	struct work_settings settings;
	struct dispatch *dispatch; /* to the host */
	struct events *events;
	struct cache *namespaces; /* of the host: name -> uid */
	struct versions *versions;
	struct members *members;
	struct types *types;
	struct dns_writer *dns;
	struct policy_writer *policies;
	struct scheduler *scheduler;
	uint64_t passes;     /* objects looked at until the last tick */
	uint64_t trimmed;    /* the same when memory was given back last */
	unsigned since_trim; /* seconds */
	unsigned open;       /* of what work_stop() waits for */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- the host's own namespaces --- */

static void *keep_uid(struct json_object *object, void *arg)
{
	struct bytes uid = object_text(object, "metadata", "uid", NULL);

	(void)arg;
	return text_copy(uid);
}

static void on_namespace(const char *key, void *arg)
{
	(void)key;
	(void)arg;
}

static void on_sight(void *arg)
{
	struct work *w = arg;

	if (w->types)
		types_on_all(w->types);
}

static bool are_hosts_namespaces_known(void *arg)
{
	return cache_is_synced(((const struct work *)arg)->namespaces);
}

static bool is_hosts_namespace(struct bytes name, const char *uid, void *arg)
{
	const struct work *w = arg;
	char *key = text_copy(name);
	const char *own = cache_find(w->namespaces, key);

	free(key);
	return own && strcmp(own, uid) == 0;
}

static struct cache *start_namespaces(struct work *w)
{
	const struct cache_settings settings = {
		.watch = {.resource = {"", "v1", "namespaces", "Namespace"},
	                  .metadata_only = true,
	                  .objects_most = 100000},
		.keep = keep_uid,
		.let_go = free,
		.on_change = on_namespace,
		.on_sight = on_sight,
		.arg = w,
	};

	return cache_start(w->settings.loop, w->settings.host, w->settings.backoff, &settings);
}

/* --- what members tell --- */

static void on_client(struct member *m, void *arg)
{
	struct work *w = arg;

	if (w->types)
		types_on_client(w->types, m);
}

static void on_no_client(struct member *m, void *arg)
{
	struct work *w = arg;

	if (w->types)
		types_on_no_client(w->types, m);
	if (w->scheduler)
		scheduler_on_no_client(w->scheduler, m);
}

static void on_change(struct member *m, void *arg)
{
	(void)m;
	on_sight(arg);
}

static void on_gone(struct member *m, void *arg)
{
	struct work *w = arg;

	events_drop_cluster(w->events, m->name);
	on_sight(w);
}

static void on_known(void *arg) { on_sight(arg); }

static struct members_health health_of(const struct settings *s)
{
	return (struct members_health){
		.period_ms = s->health_period_ms,
		.timeout_ms = s->health_timeout_ms,
		.failures = s->health_failure_threshold,
		.successes = s->health_success_threshold,
	};
}

static void start_members(struct work *w)
{
	const struct members_settings settings = {
		.loop = w->settings.loop,
		.host = w->settings.host,
		.backoff = w->settings.backoff,
		.host_dispatch = w->dispatch,
		.namespace = w->settings.options->namespace,
		.term = w->settings.term,
		.health = health_of(w->settings.settings),
		.keep_most = (size_t)w->settings.options->member_mebibytes << 20,
		.allow_loopback = w->settings.allow_loopback,
	};
	const struct members_events events = {on_client, on_no_client, on_change,
	                                      on_gone,   on_known,     w};

	w->members = members_start(&settings, &events);
}

/* --- what controllers tell, and ask --- */

static void on_object(const struct controller *c, const char *key, void *arg)
{
	struct work *w = arg;

	if (w->scheduler)
		scheduler_on_object(w->scheduler, c, key);
}

static bool is_to_be_planned(const struct controller *c, const char *key, void *arg)
{
	const struct work *w = arg;

	return w->scheduler && scheduler_is_planning(w->scheduler, c, key);
}

static bool excess(const struct controller *c, const char *key, struct schedule_excess *out,
                   void *arg)
{
	const struct work *w = arg;

	return w->scheduler && scheduler_excess(w->scheduler, c, key, out);
}

static void start_types(struct work *w)
{
	const struct controller_around around = {
		.loop = w->settings.loop,
		.host = w->settings.host,
		.backoff = w->settings.backoff,
		.dispatch = w->dispatch,
		.namespace = w->settings.options->namespace,
		.settings = w->settings.settings,
		.members = w->members,
		.versions = w->versions,
		.events = w->events,
		.are_hosts_namespaces_known = are_hosts_namespaces_known,
		.on_object = on_object,
		.is_to_be_planned = is_to_be_planned,
		.excess = excess,
		.is_hosts_namespace = is_hosts_namespace,
		.arg = w,
	};

	w->types = types_start(&around);
}

/* --- DNS, policies, preferences --- */

static bool knows_members(void *arg) { return members_are_listed(((struct work *)arg)->members); }

static bool is_member(const char *name, void *arg)
{
	return members_find(((struct work *)arg)->members, name) != NULL;
}

static void start_dns(struct work *w, const char *namespace)
{
	const struct options *options = w->settings.options;
	const struct dns_writer_settings settings = {
		.loop = w->settings.loop,
		.host = w->settings.host,
		.backoff = w->settings.backoff,
		.dispatch = w->dispatch,
		.namespace = namespace,
		.publish_sites = options->publish_sites,
		.knows_members = knows_members,
		.data = {.kubeconfig = options->kubeconfig,
	                 .context = options->context,
	                 .in_cluster = options->in_cluster,
	                 .namespace = options->namespace,
	                 .patience_ms = w->settings.dns_patience_ms,
	                 .allow_loopback = w->settings.allow_loopback,
	                 .is_member = is_member,
	                 .member_arg = w},
	};

	w->dns = dns_writer_start(&settings);
}

static void start_policies(struct work *w, const char *namespace)
{
	const struct options *options = w->settings.options;
	const struct policy_writer_settings settings = {
		.loop = w->settings.loop,
		.host = w->settings.host,
		.backoff = w->settings.backoff,
		.dispatch = w->dispatch,
		.namespace = namespace,
		.pods_namespace = options->nighd_namespace,
		.urls = &options->nighd_urls,
	};

	w->policies = policy_writer_start(&settings);
}

static void start_scheduler(struct work *w)
{
	const struct scheduler_settings settings = {
		.loop = w->settings.loop,
		.host = w->settings.host,
		.backoff = w->settings.backoff,
		.dispatch = w->dispatch,
		.namespace = w->settings.options->namespace,
		.settings = w->settings.settings,
		.members = w->members,
		.types = w->types,
		.events = w->events,
	};

	w->scheduler = scheduler_start(&settings);
}

/* --- life --- */

struct work *work_start(const struct work_settings *settings)
{
	struct work *w = xcalloc(1, sizeof(*w));
	const char *namespace;

	w->settings = *settings;
	namespace = settings->settings->cluster_scope ? NULL : settings->options->namespace;
	w->dispatch = dispatch_new(settings->loop, settings->host, HOST_AT_ONCE, settings->term);
	dispatch_give_way(w->dispatch);
	w->events = events_start(w->dispatch, HOST_EVENTS);
	w->namespaces = start_namespaces(w);
	w->versions = versions_start(settings->loop, settings->host, settings->backoff, namespace,
	                             on_known, w);
	start_members(w);
	start_types(w);
	start_dns(w, namespace);
	start_policies(w, namespace);
	start_scheduler(w);
	return w;
}

static void stopped_one(void *arg)
{
	struct work *w = arg;

	if (--w->open > 0)
		return;
	dispatch_free(w->dispatch);
	w->on_stopped(w->stopped_arg);
	free(w);
}

void work_stop(struct work *w, void (*on_stopped)(void *arg), void *arg)
{
	w->on_stopped = on_stopped;
	w->stopped_arg = arg;
	scheduler_stop(w->scheduler);
	w->scheduler = NULL;
	types_stop(w->types);
	w->types = NULL;
	policy_writer_stop(w->policies);
	versions_stop(w->versions);
	cache_stop(w->namespaces);
	events_stop(w->events);
	/* Members write to the host until they stop. */
	w->open = 2;
	dns_writer_stop(w->dns, stopped_one, w);
	members_stop(w->members, stopped_one, w);
}

void work_on_settings(struct work *w)
{
	struct members_health health = health_of(w->settings.settings);

	members_set_health(w->members, &health);
	types_on_settings(w->types);
	scheduler_on_settings(w->scheduler);
}

static void add_passes(const struct types_note *note, void *arg)
{
	*(uint64_t *)arg += note->counts.passes;
}

/* Objects that were read and written leave more in free blocks than what is kept of them: given back when calm. */
void work_tick(struct work *w)
{
	uint64_t passes = 0;

	if (!w->types)
		return;
	types_each(w->types, add_passes, &passes);
	w->since_trim++;
	if (passes - w->passes <= CALM && passes - w->trimmed >= TRIM_AFTER &&
	    w->since_trim >= TRIM_PAUSE) {
		malloc_trim(0);
		w->trimmed = passes;
		w->since_trim = 0;
	}
	w->passes = passes;
}

const struct events *work_events(const struct work *w) { return w->events; }
const struct members *work_members(const struct work *w) { return w->members; }
const struct types *work_types(const struct work *w) { return w->types; }
const struct dns_writer *work_dns(const struct work *w) { return w->dns; }
const struct policy_writer *work_policies(const struct work *w) { return w->policies; }
const struct scheduler *work_scheduler(const struct work *w) { return w->scheduler; }
