/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/apiserver_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "watcher/keyset.h"

enum {
	BAD_MOST = 1000, /* objects in trouble that are remembered by name, of a kind */
	NAME_MOST = 253, /* of a name that is shown */
	SHORT_SECRET = 16
};

#define DNS "multiclusterdns.kubefed.io", "v1alpha1"

const struct apiserver_kind_type apiserver_host_kinds[APISERVER_HOST_KINDS] = {
	{.resource = {"core.kubefed.io", "v1beta1", "kubefedclusters", "KubeFedCluster"},
         .fact = FACT_KUBEFED_CLUSTER,
         .in_namespace = true},
	{.resource = {DNS, "domains", "Domain"}, .fact = FACT_DOMAIN, .in_namespace = true},
	{.resource = {DNS, "servicednsrecords", "ServiceDNSRecord"},
         .fact = FACT_SERVICE_DNS_RECORD},
	{.resource = {DNS, "ingressdnsrecords", "IngressDNSRecord"},
         .fact = FACT_INGRESS_DNS_RECORD},
	{.resource = {DNS, "dnsendpoints", "DNSEndpoint"}, .fact = FACT_DNS_ENDPOINT},
	{.resource = {"externaldns.k8s.io", "v1alpha1", "dnsendpoints", "DNSEndpoint"},
         .fact = FACT_EXTERNAL_DNS_ENDPOINT},
	{.resource = {"nigh.dev", "v1alpha1", "trafficpolicies", "TrafficPolicy"},
         .fact = FACT_TRAFFIC_POLICY},
};

const struct apiserver_kind_type apiserver_member_kinds[APISERVER_MEMBER_KINDS] = {
	{.resource = {"", "v1", "services", "Service"}, .fact = FACT_SERVICE, .in_namespace = true},
	{.resource = {"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"},
         .fact = FACT_ENDPOINT_SLICE,
         .in_namespace = true},
	{.resource = {"networking.k8s.io", "v1", "ingresses", "Ingress"},
         .fact = FACT_INGRESS,
         .in_namespace = true},
	{.resource = {"", "v1", "nodes", "Node"},
         .fact = FACT_NODE,
         .metadata_only = true,
         .optional = true},
};

/* An object that cannot be taken. */
struct bad {
	char *namespace, *name;
	bool seen; /* in the list that is coming */
};

struct apiserver_kind {
	const struct apiserver_kind_type *type;
	const struct apiserver_kind_around *around;
	struct kube_watch *watch;
	struct kube_watch_settings settings;
	struct arena *arena;
	struct keyset keys; /* of the list that is coming */
	bool listing;
	uint64_t kept_bytes; /* of its facts */
	bool sighted;
	bool sure; /* asked again after the server had said that it is ready */
	enum kube_sight sight;
	char *why;
	struct bad *bad;
	size_t bad_count;
	struct kube_watch_counts before; /* of watches before a restart */
};

/* --- what cannot be taken --- */

/* "losangeles: Service shop/web", the place of an error. */
static void print_where(const struct apiserver_kind *k, struct bytes namespace, struct bytes name,
                        struct text *out)
{
	text_printf(out, "%s: %s ", store_shown_name(k->around->store, k->around->cluster),
	            k->type->resource.kind);
	text_add_bytes(out, namespace);
	text_add(out, namespace.len > 0 ? "/" : "");
	text_add_bytes(out, name);
}

/* A server may have put what it was sent into what it sends: that must not come to light as a name.  A short one is
 * a word that names may hold. */
static bool gives_away(const struct apiserver_kind *k, struct bytes text)
{
	const struct kube_access *a = kube_client_access(k->around->client);

	return (a->token.len >= SHORT_SECRET && kube_secret_is_in(&a->token, text)) ||
	       (a->password.len >= SHORT_SECRET && kube_secret_is_in(&a->password, text));
}

/* As much of a name as may be shown: it can be any text, of any length. */
static struct bytes shown(const struct apiserver_kind *k, struct bytes name)
{
	if (gives_away(k, name))
		return bytes_of("");
	return (struct bytes){name.data, name.len < NAME_MOST ? name.len : NAME_MOST};
}

static struct bad *find_bad(struct apiserver_kind *k, struct bytes namespace, struct bytes name)
{
	for (size_t i = 0; i < k->bad_count; i++)
		if (bytes_equal_text(name, k->bad[i].name) &&
		    bytes_equal_text(namespace, k->bad[i].namespace))
			return &k->bad[i];
	return NULL;
}

static void add_bad(struct apiserver_kind *k, struct bytes namespace, struct bytes name,
                    const char *why)
{
	struct bad *bad;
	struct text where = {0};

	namespace = shown(k, namespace);
	name = shown(k, name);
	bad = find_bad(k, namespace, name);

	if (!bad && k->bad_count == BAD_MOST)
		return;
	if (!bad) {
		k->bad = xreallocarray(k->bad, k->bad_count + 1, sizeof(*k->bad));
		bad = &k->bad[k->bad_count++];
		bad->namespace = text_copy(namespace);
		bad->name = text_copy(name);
	}
	bad->seen = true;
	print_where(k, namespace, name, &where);
	store_set_error(k->around->store, where.data, why);
	text_fini(&where);
}

static void drop_bad(struct apiserver_kind *k, struct bad *bad)
{
	struct text where = {0};

	print_where(k, bytes_of(bad->namespace), bytes_of(bad->name), &where);
	store_set_error(k->around->store, where.data, NULL);
	text_fini(&where);
	free(bad->namespace);
	free(bad->name);
	*bad = k->bad[--k->bad_count];
}

static void clear_bad(struct apiserver_kind *k, struct bytes namespace, struct bytes name)
{
	struct bad *bad = NULL;

	if (k->bad_count > 0)
		bad = find_bad(k, shown(k, namespace), shown(k, name));
	if (bad)
		drop_bad(k, bad);
}

/* --- what is kept, and how much of it --- */

static void count_fact(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct apiserver_kind *k = arg;

	(void)cluster;
	k->kept_bytes += fact_bytes(fact).len;
}

static void count_kept(struct apiserver_kind *k)
{
	k->kept_bytes = 0;
	facts_each(store_facts(k->around->store), k->around->cluster, (int)k->type->fact,
	           count_fact, k);
}

static const struct fact *find_fact(const struct apiserver_kind *k, struct bytes namespace,
                                    struct bytes name)
{
	return facts_find(store_facts(k->around->store), k->around->cluster, k->type->fact,
	                  namespace, name);
}

/* Takes the reference.  One cluster may fill so much and no more: what it has then stays as it is. */
static void put_fact(struct apiserver_kind *k, struct bytes namespace, struct bytes name,
                     const struct fact *fact)
{
	const struct fact *before = find_fact(k, fact_namespace(fact), fact_name(fact));
	uint64_t more = fact_bytes(fact).len, less = before ? fact_bytes(before).len : 0;

	if (more > less && k->kept_bytes + more - less > APISERVER_KEPT_MOST) {
		fact_unref(fact);
		add_bad(k, namespace, name, "is left out: the cluster has more than is kept of it");
		return;
	}
	k->kept_bytes += more - less;
	store_put(k->around->store, k->around->cluster, fact);
}

/* Another source may have put it, so that it was not counted. */
static void count_out(struct apiserver_kind *k, const struct fact *fact)
{
	uint64_t len = fact_bytes(fact).len;

	k->kept_bytes -= k->kept_bytes < len ? k->kept_bytes : len;
}

/* It is gone from this server. */
static void remove_fact(struct apiserver_kind *k, struct bytes namespace, struct bytes name)
{
	const struct fact *before = find_fact(k, namespace, name);

	if (!before || store_is_elsewhere(k->around->store, k->around->cluster, before))
		return;
	count_out(k, before);
	store_remove(k->around->store, k->around->cluster, k->type->fact, namespace, name);
}

/* --- objects --- */

static void on_list(void *arg)
{
	struct apiserver_kind *k = arg;

	k->listing = true;
	count_kept(k);
	keyset_reset(&k->keys);
	for (size_t i = 0; i < k->bad_count; i++)
		k->bad[i].seen = false;
	if (k->around->objects)
		k->around->objects->on_list(k->type, k->around->objects->arg);
}

static void note_listed(struct apiserver_kind *k, struct bytes namespace, struct bytes name)
{
	if (k->listing)
		keyset_add(&k->keys, namespace, name);
}

static enum decode_role role_of(const struct apiserver_kind *k)
{
	return k->around->cluster == FACTS_HOST ? DECODE_HOST : DECODE_MEMBER;
}

static void on_skipped(struct bytes namespace, struct bytes name, const char *why, void *arg)
{
	struct apiserver_kind *k = arg;

	note_listed(k, namespace, name);
	add_bad(k, namespace, name, why);
	if (k->around->objects)
		k->around->objects->on_skipped(k->type, name, k->around->objects->arg);
}

static bool is_fit(const struct apiserver_kind *k, const struct fact *fact, const char *why)
{
	return !gives_away(k, bytes_of(why)) && !(fact && gives_away(k, fact_bytes(fact)));
}

static void on_put(struct json_object *object, void *arg)
{
	struct apiserver_kind *k = arg;
	struct bytes namespace = object_text(object, "metadata", "namespace", NULL);
	struct bytes name = object_text(object, "metadata", "name", NULL);
	const struct fact *fact = NULL;
	struct reason why = {0};
	enum err err = decode_object(object, role_of(k), k->arena, &fact, &why);

	arena_reset(k->arena);
	if (!is_fit(k, fact, why.text)) {
		fact_unref(fact);
		on_skipped(namespace, name, "has the credential in it that its server was sent", k);
		return;
	}
	note_listed(k, namespace, name);
	if (err != ERR_OK || why.text[0] != '\0')
		add_bad(k, namespace, name, why.text);
	else
		clear_bad(k, namespace, name);
	if (fact)
		put_fact(k, namespace, name, fact);
	if (k->around->objects)
		k->around->objects->on_object(k->type, object, k->around->objects->arg);
}

static void on_gone(struct bytes namespace, struct bytes name, void *arg)
{
	struct apiserver_kind *k = arg;

	clear_bad(k, namespace, name);
	remove_fact(k, namespace, name);
	if (k->around->objects)
		k->around->objects->on_gone(k->type, name, k->around->objects->arg);
}

/* --- the end of a list --- */

static bool is_gone(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct apiserver_kind *k = arg;
	bool gone = !keyset_has(&k->keys, fact_namespace(fact), fact_name(fact)) &&
	            !store_is_elsewhere(k->around->store, cluster, fact);

	if (gone)
		count_out(k, fact);
	return gone;
}

/* What the list lacks is gone. */
static void sweep(struct apiserver_kind *k)
{
	store_remove_each(k->around->store, k->around->cluster, (int)k->type->fact, is_gone, k);
	for (size_t i = k->bad_count; i > 0; i--)
		if (!k->bad[i - 1].seen)
			drop_bad(k, &k->bad[i - 1]);
}

static void on_listed(void *arg)
{
	struct apiserver_kind *k = arg;

	k->listing = false;
	sweep(k);
	keyset_reset(&k->keys);
	if (k->around->objects)
		k->around->objects->on_listed(k->type, k->around->objects->arg);
}

/* That a kind is not seen at all is told once, as nothing else may come of it. */
static void log_refusal(const struct apiserver_kind *k, enum kube_sight sight, const char *why)
{
	struct log_context context = {
		.key = "cluster", .value = store_shown_name(k->around->store, k->around->cluster)};
	const struct kube_resource *r = &k->type->resource;

	/* Asked once more, to be sure, it is the same refusal; k->sight is what it was before. */
	if ((k->sighted || k->sure) && k->sight == sight)
		return;
	if (sight == KUBE_FORBIDDEN)
		log_write(LOG_WARN, "watcher", &context, "%s may not be seen: %s", r->plural, why);
	else if (sight == KUBE_ABSENT)
		log_write(LOG_INFO, "watcher", &context, "%s%s%s are not installed", r->plural,
		          r->group[0] != '\0' ? "." : "", r->group);
}

static void on_sight(enum kube_sight sight, const char *why, void *arg)
{
	struct apiserver_kind *k = arg;

	log_refusal(k, sight, why);
	k->sighted = true;
	k->sure = k->sure && (sight == KUBE_FORBIDDEN || sight == KUBE_ABSENT);
	k->sight = sight;
	free(k->why);
	k->why = why ? xstrdup(why) : NULL;
	k->around->on_sight(k->around->arg);
}

/* --- life --- */

static void note_any(uint16_t cluster, const struct fact *fact, void *arg)
{
	(void)cluster;
	*(bool *)arg = *(bool *)arg || fact_created(fact) != FACT_CONFIG_TIME;
}

static bool any_facts(const struct apiserver_kind *k)
{
	bool any = false;

	facts_each(store_facts(k->around->store), k->around->cluster, (int)k->type->fact, note_any,
	           &any);
	return any;
}

static void add_counts(struct kube_watch_counts *sum, const struct kube_watch_counts *one)
{
	sum->lists += one->lists;
	sum->watches += one->watches;
	sum->events += one->events;
	sum->skipped += one->skipped;
	sum->bad_events += one->bad_events;
}

static void start_watch(struct apiserver_kind *k)
{
	const struct kube_watch_events events = {on_list,   on_put,   on_gone, on_skipped,
	                                         on_listed, on_sight, k};

	k->watch = kube_watch_start(k->around->loop, k->around->client, k->around->backoff,
	                            &k->settings, &events);
}

struct apiserver_kind *apiserver_kind_start(const struct apiserver_kind_around *around,
                                            const struct apiserver_kind_type *type,
                                            const struct kube_watch_settings *settings)
{
	struct apiserver_kind *k = xcalloc(1, sizeof(*k));

	k->type = type;
	k->around = around;
	k->arena = arena_new();
	k->settings = *settings;
	k->settings.resource = type->resource;
	k->settings.metadata_only = type->metadata_only;
	if (!type->in_namespace)
		k->settings.namespace = NULL;
	start_watch(k);
	return k;
}

void apiserver_kind_restart(struct apiserver_kind *k)
{
	struct kube_watch_counts counts = kube_watch_counts(k->watch);

	add_counts(&k->before, &counts);
	kube_watch_stop(k->watch);
	k->sighted = k->listing = k->sure = false;
	start_watch(k);
}

void apiserver_kind_make_sure(struct apiserver_kind *k)
{
	apiserver_kind_restart(k);
	k->sure = true;
}

bool apiserver_kind_is_sure(const struct apiserver_kind *k) { return k->sure; }

void apiserver_kind_stop(struct apiserver_kind *k)
{
	kube_watch_stop(k->watch);
	while (k->bad_count > 0)
		drop_bad(k, &k->bad[k->bad_count - 1]);
	free(k->bad);
	free(k->why);
	free(k->keys.slot);
	arena_free(k->arena);
	free(k);
}

const struct apiserver_kind_type *apiserver_kind_type(const struct apiserver_kind *k)
{
	return k->type;
}

bool apiserver_kind_sight(const struct apiserver_kind *k, enum kube_sight *sight, const char **why)
{
	*sight = k->sight;
	*why = k->why ? k->why : "";
	return k->sighted;
}

bool apiserver_kind_has_facts(const struct apiserver_kind *k)
{
	return k->kept_bytes > 0 && any_facts(k);
}

void apiserver_kind_hurry(struct apiserver_kind *k) { kube_watch_hurry(k->watch); }

void apiserver_kind_check_right(struct apiserver_kind *k) { kube_watch_check_right(k->watch); }

bool apiserver_kind_relist(struct apiserver_kind *k)
{
	if (!k->sighted || (k->sight != KUBE_SEEN && k->sight != KUBE_LOST))
		return false;
	kube_watch_relist(k->watch);
	return true;
}

void apiserver_kind_count(const struct apiserver_kind *k, struct kube_watch_counts *sum)
{
	struct kube_watch_counts now = kube_watch_counts(k->watch);

	add_counts(sum, &k->before);
	add_counts(sum, &now);
}
