/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/stamp.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/kubeconfig.h"
#include "kube/object.h"
#include "watcher/decode.h"
#include "watcher/decode_link.h"
#include "watcher/fleet_probes.h"
#include "watcher/fleet_secrets.h"
#include "watcher/probe_secrets.h"

enum { TICK_MS = 1000, FILES_EVERY = 5 /* ticks */ };

/* One API server that there should be. */
struct peer {
	struct peer *next;
	struct fleet *fleet;
	char *name; /* "" for the host */
	uint16_t id;
	enum cluster_source source;
	struct fleet_kubeconfig at; /* of the config; no file: its KubeFedCluster says */
	bool in_cluster;
	struct stamp stamp;
	struct decode_link link;
	bool listed;               /* in the list of KubeFedClusters that is coming */
	struct apiserver *server;  /* NULL: not dialled */
	struct kube_access access; /* with which it is */
	char *namespace;           /* to which it is held; NULL: all */
	char *token_of;            /* the Secret that its token is of */
};

struct fleet {
	uv_loop_t *loop;
	struct fleet_settings settings;
	struct arena *arena; /* holds its texts */
	struct store *store;
	struct peer *peers;            /* the host first, if there is one */
	struct fleet_secrets *secrets; /* NULL: no host is dialled */
	struct fleet_probes *probes;   /* the same; or nobody wants any */
	uv_timer_t tick;
	unsigned ticks;
	unsigned open;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- errors, under the name of a cluster --- */

static void tell(struct peer *p, const char *what, const char *why)
{
	struct text where = {0};

	text_printf(&where, "%s: %s", store_shown_name(p->fleet->store, p->id), what);
	store_set_error(p->fleet->store, where.data, why);
	text_fini(&where);
}

/* It is in the registry, and cannot be dialled now. */
static void register_undialled(struct peer *p, const char *why)
{
	const struct cluster_state *state = facts_cluster(store_facts(p->fleet->store), p->id);
	enum knowledge knowledge = state->registered ? state->knowledge : KNOWLEDGE_NEVER;

	if (knowledge == KNOWLEDGE_SYNCED && why)
		knowledge = KNOWLEDGE_UNSEEN;
	store_set_knowledge(p->fleet->store, p->id, p->source, knowledge, why);
}

/* --- dialling --- */

static void on_host_object(const struct apiserver_kind_type *type, struct json_object *object,
                           void *arg);
static void on_host_object_gone(const struct apiserver_kind_type *type, struct bytes name,
                                void *arg);
static void on_host_object_skipped(const struct apiserver_kind_type *type, struct bytes name,
                                   void *arg);
static void on_host_list(const struct apiserver_kind_type *type, void *arg);
static void on_host_listed(const struct apiserver_kind_type *type, void *arg);
static void on_secret(const char *name, void *arg);

static void start_secrets(struct fleet *f, struct apiserver *host)
{
	const struct secret_watch_host where = {
		f->loop,
		apiserver_client(host),
		apiserver_backoff(host),
		{.silence_ms = f->settings.pace.silence_ms, .reply_ms = f->settings.pace.reply_ms},
	};
	struct probe_secrets *of_probes = store_probe_secrets(f->store);

	f->secrets = fleet_secrets_start(&where, f->settings.namespace, f->store, on_secret, f);
	if (of_probes)
		f->probes = fleet_probes_start(&where, of_probes);
}

static void dial(struct peer *p)
{
	struct fleet *f = p->fleet;
	struct apiserver_settings settings = {
		.cluster = p->id,
		.source = p->source,
		.access = &p->access,
		.namespace = p->id == FACTS_HOST ? f->settings.namespace : p->link.namespace,
		.only_sites = f->settings.only_sites,
		.pace = f->settings.pace,
	};

	free(p->namespace);
	p->namespace = p->link.namespace ? xstrdup(p->link.namespace) : NULL;
	if (p->id == FACTS_HOST)
		settings.objects = (struct apiserver_objects){
			on_host_list,           on_host_object, on_host_object_gone,
			on_host_object_skipped, on_host_listed, f};
	register_undialled(p, NULL);
	p->server = apiserver_start(f->loop, f->store, &settings);
	if (p->id == FACTS_HOST)
		start_secrets(f, p->server);
}

static void closed_one(void *arg);

static void hang_up(struct peer *p)
{
	struct apiserver *server = p->server;

	if (!server)
		return;
	p->server = NULL;
	p->fleet->open++;
	apiserver_stop(server, closed_one, p->fleet);
}

/* By other watches: what it had elsewhere is gone when these have told all. */
static void hold_to_namespace(struct peer *p)
{
	const char *now = p->link.namespace ? p->link.namespace : "";

	if (p->server && strcmp(p->namespace ? p->namespace : "", now) != 0)
		hang_up(p);
}

/* Takes the access; dials with it, or goes on with it where it differs. */
static void use(struct peer *p, struct kube_access *access)
{
	bool same, elsewhere;

	hold_to_namespace(p);
	same = p->server && kube_access_equal(&p->access, access);
	elsewhere = p->server && apiserver_is_elsewhere(&p->access, access);
	if (same) {
		kube_access_fini(access);
		return;
	}
	kube_access_fini(&p->access);
	p->access = *access;
	*access = (struct kube_access){0};
	if (p->server)
		apiserver_set_access(p->server, &p->access);
	else
		dial(p);
	if (!elsewhere || p->id != FACTS_HOST)
		return;
	fleet_secrets_restart(p->fleet->secrets);
	if (p->fleet->probes)
		fleet_probes_restart(p->fleet->probes);
}

/* A folder stands in for it: what its KubeFedCluster says is not dialled (design.md 5). */
static bool is_folder(const struct peer *p)
{
	const struct cluster_state *state = facts_cluster(store_facts(p->fleet->store), p->id);

	return state->registered && state->source == CLUSTER_MANIFESTS &&
	       p->source == CLUSTER_KUBERNETES && p->id != FACTS_HOST;
}

/* --- members of KubeFedClusters --- */

static void register_without_token(struct peer *p)
{
	const char *trouble = fleet_secrets_trouble(p->fleet->secrets, p->link.secret);
	char why[300];

	(void)snprintf(why, sizeof(why), "Secret %s: %s", p->link.secret, trouble ? trouble : "");
	register_undialled(p, trouble ? why : NULL);
}

/* The token of its Secret.  Of one that is gone it is the last, which may be good still; but never that of another
 * Secret, which may be for another endpoint. */
static const struct kube_secret *find_token(const struct peer *p)
{
	const struct kube_secret *token = fleet_secrets_find(p->fleet->secrets, p->link.secret);

	if (!token && p->server && p->token_of && !strcmp(p->token_of, p->link.secret))
		token = &p->access.token;
	return token;
}

static void use_link(struct peer *p)
{
	const struct kube_secret *token = find_token(p);
	struct kube_access access = {0};

	if (is_folder(p)) {
		hang_up(p);
	} else if (token) {
		kube_access_copy(&access, &p->link.access);
		access.no_loopback = !p->fleet->settings.allow_loopback;
		kube_secret_set(&access.token, kube_secret_bytes(token));
		free(p->token_of);
		p->token_of = xstrdup(p->link.secret);
		use(p, &access);
	} else if (!p->server) {
		register_without_token(p);
	}
}

static void on_secret(const char *name, void *arg)
{
	struct fleet *f = arg;

	for (struct peer *p = f->peers; p; p = p->next)
		if (p->link.secret && !strcmp(p->link.secret, name))
			use_link(p);
}

static struct peer *find_peer(const struct fleet *f, struct bytes name)
{
	struct peer *p = f->peers;

	while (p && !bytes_equal_text(name, p->name))
		p = p->next;
	return p;
}

static struct peer *add_peer(struct fleet *f, struct bytes name, enum cluster_source source)
{
	uint16_t id = name.len > 0 ? store_cluster(f->store, name) : FACTS_HOST;
	struct peer **at = &f->peers, *p;

	if (id == UINT16_MAX)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->fleet = f;
	p->name = text_copy(name);
	p->id = id;
	p->source = source;
	while (*at)
		at = &(*at)->next;
	*at = p;
	return p;
}

static void set_link(struct peer *p, struct decode_link *link)
{
	struct fleet *f = p->fleet;
	char *before = p->link.secret ? xstrdup(p->link.secret) : NULL;

	/* Wanted before the old one is left, so that one that stays is not read again. */
	fleet_secrets_want(f->secrets, link->secret);
	decode_link_fini(&p->link);
	p->link = *link;
	*link = (struct decode_link){0};
	if (before)
		fleet_secrets_leave(f->secrets, before);
	free(before);
	use_link(p);
}

static bool is_kubefed_cluster(const struct apiserver_kind_type *type)
{
	return type->fact == FACT_KUBEFED_CLUSTER;
}

static void tell_full(struct fleet *f, struct bytes name)
{
	char why[400];

	(void)snprintf(why, sizeof(why),
	               "KubeFedCluster %.*s is not taken: there are, or were, %d clusters already",
	               (int)name.len, (const char *)name.data, FACTS_MAX_CLUSTERS);
	store_set_error(f->store, "(host): KubeFedClusters", why);
}

static void on_host_object(const struct apiserver_kind_type *type, struct json_object *object,
                           void *arg)
{
	struct fleet *f = arg;
	struct bytes name = object_text(object, "metadata", "name", NULL);
	struct decode_link link;
	struct reason why = {0};
	struct peer *p;

	if (!is_kubefed_cluster(type) || f->settings.only_sites || !decode_is_name(name))
		return;
	p = find_peer(f, name);
	if (!p)
		p = add_peer(f, name, CLUSTER_KUBERNETES);
	if (!p)
		tell_full(f, name);
	if (!p || p->source != CLUSTER_KUBERNETES)
		return; /* the config says how to reach it */
	p->listed = true;
	if (decode_link(object, DECODE_LINK_READ, &link, &why) != ERR_OK) {
		tell(p, "KubeFedCluster", why.text);
		if (!p->server)
			register_undialled(p, why.text);
		return;
	}
	tell(p, "KubeFedCluster", NULL);
	set_link(p, &link);
}

static void free_peer(struct peer *p)
{
	hang_up(p);
	tell(p, "KubeFedCluster", NULL);
	tell(p, "kubeconfig", NULL);
	if (p->link.secret && p->fleet->secrets)
		fleet_secrets_leave(p->fleet->secrets, p->link.secret);
	decode_link_fini(&p->link);
	kube_access_fini(&p->access);
	free(p->namespace);
	free(p->token_of);
	free(p->name);
	free(p);
}

/* Removed from the registry: gone, also while it cannot be seen. */
static void remove_peer(struct peer *p)
{
	struct peer **at = &p->fleet->peers;
	bool folder = is_folder(p);
	struct store *store = p->fleet->store;
	uint16_t id = p->id;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free_peer(p);
	if (!folder)
		store_drop_cluster(store, id);
}

static void on_host_object_gone(const struct apiserver_kind_type *type, struct bytes name,
                                void *arg)
{
	struct peer *p = is_kubefed_cluster(type) ? find_peer(arg, name) : NULL;

	if (p && p->source == CLUSTER_KUBERNETES && p->id != FACTS_HOST)
		remove_peer(p);
}

/* One that cannot be taken: what it was, it stays. */
static void on_host_object_skipped(const struct apiserver_kind_type *type, struct bytes name,
                                   void *arg)
{
	struct peer *p = is_kubefed_cluster(type) ? find_peer(arg, name) : NULL;

	if (p)
		p->listed = true;
}

/* Is there a KubeFedCluster of that name, as far as is known? */
static bool is_in_registry(const struct fleet *f, const char *name)
{
	return f->settings.has_host &&
	       facts_find(store_facts(f->store), FACTS_HOST, FACT_KUBEFED_CLUSTER,
	                  bytes_of(f->settings.namespace), bytes_of(name)) != NULL;
}

/* Clusters that a source told of once and now does not.  A member of the config may be left to its KubeFedCluster:
 * then it is not gone, only reached in another way. */
static void drop_untold(struct fleet *f, enum cluster_source source)
{
	const struct facts *facts = store_facts(f->store);
	bool told[FACTS_MAX_CLUSTERS + 1] = {false};

	for (const struct peer *p = f->peers; p; p = p->next)
		told[p->id] = true;
	for (uint16_t id = FACTS_HOST + 1; id < facts_cluster_count(facts); id++) {
		const struct cluster_state *state = facts_cluster(facts, id);

		if (told[id] || !state->registered || state->source != source)
			continue;
		if (source == CLUSTER_MEMBER && is_in_registry(f, facts_cluster_name(facts, id)))
			store_set_knowledge(f->store, id, CLUSTER_KUBERNETES, state->knowledge,
			                    state->error);
		else
			store_drop_cluster(f->store, id);
	}
}

/* What nobody watches may have changed: those of the registry of which the host has not told (yet) how they are
 * reached. */
static void mark_unwatched(struct fleet *f)
{
	const struct facts *facts = store_facts(f->store);
	bool dialled[FACTS_MAX_CLUSTERS + 1] = {false};

	for (const struct peer *p = f->peers; p; p = p->next)
		dialled[p->id] = p->server != NULL;
	for (uint16_t id = FACTS_HOST + 1; id < facts_cluster_count(facts); id++) {
		const struct cluster_state *state = facts_cluster(facts, id);

		if (!dialled[id] && state->registered && state->source == CLUSTER_KUBERNETES &&
		    state->knowledge == KNOWLEDGE_SYNCED)
			store_set_knowledge(f->store, id, CLUSTER_KUBERNETES, KNOWLEDGE_UNSEEN,
			                    "the host has not told since how it is reached");
	}
}

/* What events of a watch told since the last one does not count. */
static void on_host_list(const struct apiserver_kind_type *type, void *arg)
{
	const struct fleet *f = arg;

	for (struct peer *p = f->peers; p && is_kubefed_cluster(type); p = p->next)
		p->listed = false;
}

static void on_host_listed(const struct apiserver_kind_type *type, void *arg)
{
	struct fleet *f = arg;
	struct peer *next;

	if (!is_kubefed_cluster(type))
		return;
	for (struct peer *p = f->peers; p; p = next) {
		next = p->next;
		if (p->source == CLUSTER_KUBERNETES && p->id != FACTS_HOST && !p->listed)
			remove_peer(p);
	}
	drop_untold(f, CLUSTER_KUBERNETES);
}

/* --- kubeconfigs --- */

static struct stamp look(const struct peer *p)
{
	return p->at.file ? stamp_at(p->at.file) : (struct stamp){0};
}

static void read_kubeconfig(struct peer *p)
{
	struct kube_access access = {0};
	struct reason why = {0};
	enum err err;

	p->stamp = look(p);
	err = p->in_cluster ? kubeconfig_in_cluster(&access, &why)
	                    : kubeconfig_read(p->at.file, p->at.context, &access, &why);
	if (err == ERR_OK && access.exec.command && p->fleet->settings.no_plugins) {
		kube_access_fini(&access);
		err = reason_set(
			&why, ERR_DENIED,
			"%s: it has a credential plugin now, and nighd has restricted its system "
			"calls: it needs a restart",
			p->at.file);
	}
	tell(p, "kubeconfig", err != ERR_OK ? why.text : NULL);
	if (err == ERR_OK)
		use(p, &access);
	else if (!p->server)
		register_undialled(p, why.text);
}

/* Once it is dialled, what a pod is given is read again as the files that they are. */
static void look_at_file(struct peer *p)
{
	struct stamp now = look(p);

	if (p->in_cluster ? p->server == NULL : !stamp_equal(&now, &p->stamp) || !p->server)
		read_kubeconfig(p);
}

static void on_tick(uv_timer_t *timer)
{
	struct fleet *f = timer->data;
	bool files = ++f->ticks % FILES_EVERY == 0;

	for (struct peer *p = f->peers; p; p = p->next) {
		if (p->at.file || p->in_cluster) {
			if (files)
				look_at_file(p);
		} else if (p->link.secret) {
			if (is_folder(p) != (p->server == NULL))
				use_link(p);
		}
	}
	if (files)
		mark_unwatched(f);
}

/* --- life --- */

static void add_configured(struct fleet *f, const char *name, enum cluster_source source,
                           const struct fleet_kubeconfig *at, bool in_cluster)
{
	struct peer *p = add_peer(f, bytes_of(name), source);

	if (!p)
		return;
	p->at = *at;
	p->in_cluster = in_cluster;
}

static bool is_left_over(uint16_t cluster, const struct fact *fact, void *arg)
{
	return !store_is_elsewhere(arg, cluster, fact);
}

/* The host was an API server, and is none any more. */
static void drop_host(struct fleet *f)
{
	const struct cluster_state *state = facts_cluster(store_facts(f->store), FACTS_HOST);

	if (!state->registered || state->source != CLUSTER_KUBERNETES)
		return;
	store_remove_each(f->store, FACTS_HOST, 0, is_left_over, f->store);
}

/* Records are not watched (any more): what is published of them counts. */
static void drop_records(struct fleet *f)
{
	store_remove_each(f->store, FACTS_HOST, FACT_SERVICE_DNS_RECORD, is_left_over, f->store);
	store_remove_each(f->store, FACTS_HOST, FACT_INGRESS_DNS_RECORD, is_left_over, f->store);
}

static const char *copy(struct arena *a, const char *text)
{
	return text ? arena_strdup(a, text) : NULL;
}

static void copy_settings(struct fleet *f, const struct fleet_settings *from)
{
	struct fleet_member *members =
		arena_calloc(f->arena, from->member_count + 1, sizeof(*members));

	f->settings = *from;
	f->settings.host.file = copy(f->arena, from->host.file);
	f->settings.host.context = copy(f->arena, from->host.context);
	f->settings.namespace = copy(f->arena, from->namespace);
	for (size_t i = 0; i < from->member_count; i++) {
		members[i].name = copy(f->arena, from->members[i].name);
		members[i].at.file = copy(f->arena, from->members[i].at.file);
		members[i].at.context = copy(f->arena, from->members[i].at.context);
	}
	f->settings.members = members;
}

struct fleet *fleet_start(uv_loop_t *loop, const struct fleet_settings *settings,
                          struct store *store)
{
	struct fleet *f = xcalloc(1, sizeof(*f));

	f->loop = loop;
	f->arena = arena_new();
	copy_settings(f, settings);
	settings = &f->settings;
	f->store = store;
	f->open = 1;
	f->tick.data = f;
	CHECK(uv_timer_init(loop, &f->tick) == 0);
	if (settings->has_host)
		add_configured(f, "", CLUSTER_KUBERNETES, &settings->host, settings->in_cluster);
	else
		drop_host(f);
	for (size_t i = 0; i < settings->member_count; i++)
		add_configured(f, settings->members[i].name, CLUSTER_MEMBER,
		               &settings->members[i].at, false);
	if (store_probe_secrets(store))
		probe_secrets_set_server(store_probe_secrets(store), settings->has_host);
	drop_untold(f, CLUSTER_MEMBER);
	if (settings->only_sites)
		drop_records(f);
	if (!settings->has_host || settings->only_sites)
		drop_untold(f, CLUSTER_KUBERNETES);
	for (struct peer *p = f->peers; p; p = p->next)
		read_kubeconfig(p);
	CHECK(uv_timer_start(&f->tick, on_tick, TICK_MS, TICK_MS) == 0);
	return f;
}

static void closed_one(void *arg)
{
	struct fleet *f = arg;
	void (*on_stopped)(void *arg) = f->on_stopped;
	void *stopped_arg = f->stopped_arg;

	if (--f->open > 0)
		return;
	arena_free(f->arena);
	free(f);
	on_stopped(stopped_arg);
}

static void on_tick_closed(uv_handle_t *handle) { closed_one(handle->data); }

void fleet_stop(struct fleet *f, void (*on_stopped)(void *arg), void *arg)
{
	f->on_stopped = on_stopped;
	f->stopped_arg = arg;
	if (f->secrets)
		fleet_secrets_stop(f->secrets);
	f->secrets = NULL;
	if (f->probes)
		fleet_probes_stop(f->probes);
	f->probes = NULL;
	while (f->peers) {
		struct peer *next = f->peers->next;

		free_peer(f->peers);
		f->peers = next;
	}
	uv_close((uv_handle_t *)&f->tick, on_tick_closed);
}

void fleet_want_secrets(struct fleet *f)
{
	if (f->probes)
		fleet_probes_sync(f->probes);
}

bool fleet_relist_host(struct fleet *f, enum fact_kind kind)
{
	const struct peer *host = find_peer(f, (struct bytes){0});

	return host && host->server && apiserver_relist(host->server, kind);
}

/* --- notes --- */

void fleet_forbid_plugins(struct fleet *f) { f->settings.no_plugins = true; }

bool fleet_runs_plugins(const struct fleet *f)
{
	for (const struct peer *p = f->peers; p; p = p->next)
		if (p->access.exec.command)
			return true;
	return false;
}

static const char *warning_of(const struct peer *p)
{
	if (p->access.any_certificate)
		return "its certificate is not verified";
	if (p->link.secret && !p->link.is_reader)
		return "the credential of secretRef can write: give a read-only one by "
		       "nigh.dev/reader-secret";
	return "";
}

void fleet_each(const struct fleet *f, fleet_on_note_fn *on_note, void *arg)
{
	for (const struct peer *p = f->peers; p; p = p->next) {
		struct text forbidden = {0}, absent = {0};
		struct fleet_note note = {.name = p->name, .warning = warning_of(p)};

		text_add(&forbidden, "");
		text_add(&absent, "");
		note.report.version = "";
		if (p->server) {
			apiserver_report(p->server, &note.report);
			apiserver_print_kinds(p->server, KUBE_FORBIDDEN, &forbidden);
			apiserver_print_kinds(p->server, KUBE_ABSENT, &absent);
		}
		note.version = note.report.version;
		note.forbidden = forbidden.data;
		note.absent = absent.data;
		on_note(&note, arg);
		text_fini(&forbidden);
		text_fini(&absent);
	}
}
