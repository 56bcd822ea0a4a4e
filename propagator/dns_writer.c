/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dns_writer.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/table.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/cache.h"
#include "propagator/dns_wish.h"
#include "propagator/host_writing.h"

enum {
	A_TURN = 50,         /* records looked at before others have the loop */
	ALL_EVERY_MS = 1000, /* so often at most */
	TICK_MS = 1000
};

enum { SERVICES, INGRESSES, KINDS };

/* What is written for a record. */
enum what { STATUS, ENDPOINT, SITES, WHATS };

struct kind {
	enum fact_kind fact;
	struct kube_resource resource;
	const char *prefix[WHATS]; /* of the names of its DNSEndpoints */
};

#define DNS "multiclusterdns.kubefed.io", "v1alpha1"

static const struct kind kinds[KINDS] = {
	{FACT_SERVICE_DNS_RECORD,
         {DNS, "servicednsrecords", "ServiceDNSRecord"},
         {NULL, "service-", "nigh-service-"}},
	{FACT_INGRESS_DNS_RECORD,
         {DNS, "ingressdnsrecords", "IngressDNSRecord"},
         {NULL, "ingress-", "nigh-ingress-"}},
};
static const struct kube_resource endpoints = {DNS, "dnsendpoints", "DNSEndpoint"};

/* A record, or a DNSEndpoint that may have had one. */
struct item {
	struct dns_writer *writer;
	const struct kind *kind;
	struct item *next; /* in the queue */
	bool queued;
	struct host_writing writing[WHATS];
	char *why; /* the last write failed; NULL: it did not */
	int64_t since;
	char key[]; /* "NAMESPACE/NAME" of the record */
};

struct dns_writer {
	struct dns_writer_settings settings;
	struct cache *records[KINDS], *endpoints;
	struct table *items[KINDS];
	struct hash_key hash_key;
	struct item *first, *last;
	struct dns_data *data; /* NULL: nothing is to be looked at */
	bool data_ends;
	uint64_t all_ms; /* when all were looked at last */
	uv_timer_t *turn, *all, *tick;
	struct dns_writer_counts counts;
	bool stopping;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- items --- */

static bool has_key(const void *item, const void *key)
{
	return strcmp(((const struct item *)item)->key, key) == 0;
}

static void on_end(const char *why, struct json_object *stored, void *arg);

static struct item *get_item(struct dns_writer *w, const struct kind *kind, const char *key)
{
	uint64_t hash = hash_siphash(&w->hash_key, key, strlen(key));
	struct table *items = w->items[kind - kinds];
	struct item *item = table_find(items, hash, has_key, key);

	if (item)
		return item;
	item = xcalloc(1, sizeof(*item) + strlen(key) + 1);
	item->writer = w;
	item->kind = kind;
	memcpy(item->key, key, strlen(key) + 1);
	for (size_t i = 0; i < WHATS; i++)
		item->writing[i] = (struct host_writing){
			.dispatch = w->settings.dispatch, .on_end = on_end, .arg = item};
	table_put(items, hash, item);
	return item;
}

static void free_item(struct item *item)
{
	for (size_t i = 0; i < WHATS; i++)
		dispatch_cancel(item->writing[i].job);
	free(item->why);
	free(item);
}

static void forget_item(struct item *item)
{
	struct dns_writer *w = item->writer;

	table_remove(w->items[item->kind - kinds],
	             hash_siphash(&w->hash_key, item->key, strlen(item->key)), has_key, item->key);
	free_item(item);
}

static void on_turn(uv_timer_t *timer);
static void consider(struct dns_writer *w);

static void enqueue(struct item *item)
{
	struct dns_writer *w = item->writer;

	if (item->queued)
		return;
	item->queued = true;
	item->next = NULL;
	if (w->first)
		w->last->next = item;
	else
		w->first = item;
	w->last = item;
	if (!uv_is_active((uv_handle_t *)w->turn))
		uv_timer_start(w->turn, on_turn, 0, 0);
}

static void enqueue_all(struct dns_writer *w)
{
	struct item *item;

	w->all_ms = clock_monotonic_ms();
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; (item = table_next(w->items[kind], &i)) != NULL;)
			enqueue(item);
}

/* --- what there is of it --- */

static struct json_object *find_record(const struct item *item)
{
	return cache_find(item->writer->records[item->kind - kinds], item->key);
}

static struct bytes name_of(const struct item *item, struct bytes *namespace)
{
	struct bytes name;

	cache_split_key(item->key, namespace, &name);
	return name;
}

static struct json_object *find_endpoint(const struct item *item, enum what what)
{
	struct bytes namespace, name = name_of(item, &namespace);
	struct text key = {0};
	struct json_object *found;

	text_add_bytes(&key, namespace);
	text_printf(&key, "/%s", item->kind->prefix[what]);
	text_add_bytes(&key, name);
	found = cache_find(item->writer->endpoints, key.data);
	text_fini(&key);
	return found;
}

static void say(struct item *item, const char *why)
{
	if (why && (!item->why || strcmp(why, item->why) != 0))
		log_warn("propagator", "%s %s: %s", item->kind->resource.kind, item->key, why);
	if (why && !item->why)
		item->since = clock_unix_s();
	free(item->why);
	item->why = why ? xstrdup(why) : NULL;
}

static void on_end(const char *why, struct json_object *stored, void *arg)
{
	struct item *item = arg;

	(void)stored;
	say(item, why);
	enqueue(item);
}

/* --- one record --- */

static void look_at_status(struct item *item, const struct dns_data_view *view,
                           const struct dns_wish_record *record, struct json_object *have)
{
	struct json_object *want, *status = NULL;

	if (!host_writing_may(&item->writing[STATUS]))
		return;
	want = dns_wish_status(view, record);
	json_object_object_get_ex(have, "status", &status);
	if (want && !dns_wish_is_met(want, status)) {
		item->writer->counts.status_writes++;
		host_writing_status(&item->writing[STATUS], &item->kind->resource,
		                    record->namespace, record->name, json_object_get(want));
	}
	json_object_put(want);
}

static void look_at_endpoint(struct item *item, enum what what, const struct dns_data_view *view,
                             const struct dns_wish_record *record)
{
	struct json_object *want, *have = find_endpoint(item, what);

	if (!host_writing_may(&item->writing[what]))
		return;
	want = what == SITES ? dns_wish_sites(view, record, have) : dns_wish_endpoint(view, record);
	if (want && !dns_wish_is_met(want, have)) {
		item->writer->counts.endpoint_writes++;
		host_writing_apply(&item->writing[what], &endpoints, want);
	}
	json_object_put(want);
}

/* Nobody wants it any more.  True: it is not there, or is no record's. */
static bool look_at_left_over(struct item *item, enum what what)
{
	struct bytes namespace, name = name_of(item, &namespace);
	struct json_object *have = find_endpoint(item, what);

	if (!have || !dns_wish_is_owned(have, item->kind->fact, name))
		return true;
	if (host_writing_may(&item->writing[what])) {
		item->writer->counts.deleted++;
		host_writing_delete(&item->writing[what], &endpoints, have);
	}
	return false;
}

static bool is_idle(const struct item *item)
{
	for (size_t i = 0; i < WHATS; i++)
		if (item->writing[i].job)
			return false;
	return true;
}

static void look_at_orphan(struct item *item)
{
	bool no_endpoint, no_sites;

	if (!cache_is_synced(item->writer->records[item->kind - kinds]))
		return;
	no_endpoint = look_at_left_over(item, ENDPOINT);
	no_sites = look_at_left_over(item, SITES);
	if (no_endpoint && no_sites && is_idle(item))
		forget_item(item);
}

static void look(struct item *item)
{
	struct dns_writer *w = item->writer;
	struct json_object *have = find_record(item);
	struct dns_wish_record record = {.kind = item->kind->fact};
	struct dns_data_view view;

	if (!cache_is_settled(w->endpoints))
		return;
	if (!have) {
		look_at_orphan(item);
		return;
	}
	if (!w->data || w->data_ends || !dns_data_is_ready(w->data))
		return;
	view = dns_data_view(w->data);
	record.name = name_of(item, &record.namespace);
	record.uid = object_text(have, "metadata", "uid", NULL);
	look_at_status(item, &view, &record, have);
	look_at_endpoint(item, ENDPOINT, &view, &record);
	if (w->settings.publish_sites)
		look_at_endpoint(item, SITES, &view, &record);
	else
		look_at_left_over(item, SITES);
}

static void on_turn(uv_timer_t *timer)
{
	struct dns_writer *w = timer->data;

	for (unsigned i = 0; i < A_TURN && w->first; i++) {
		struct item *item = w->first;

		w->first = item->next;
		item->queued = false;
		look(item);
	}
	if (w->first)
		uv_timer_start(w->turn, on_turn, 0, 0);
}

/* --- when to look at all --- */

static void on_all(uv_timer_t *timer) { enqueue_all(timer->data); }

static void on_built(void *arg)
{
	struct dns_writer *w = arg;
	uint64_t since_ms = clock_monotonic_ms() - w->all_ms;

	if (since_ms >= ALL_EVERY_MS)
		enqueue_all(w);
	else if (!uv_is_active((uv_handle_t *)w->all))
		uv_timer_start(w->all, on_all, ALL_EVERY_MS - since_ms, 0);
}

/* What waits for its time. */
static void on_tick(uv_timer_t *timer)
{
	struct dns_writer *w = timer->data;
	uint64_t now_ms = clock_monotonic_ms();
	struct item *item;

	consider(w);
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; (item = table_next(w->items[kind], &i)) != NULL;)
			for (size_t what = 0; what < WHATS; what++) {
				struct host_writing *writing = &item->writing[what];

				if (writing->not_before_ms == 0 || now_ms < writing->not_before_ms)
					continue;
				writing->not_before_ms = 0;
				enqueue(item);
			}
}

/* --- as long as there are records --- */

static size_t count_records(const struct dns_writer *w)
{
	return cache_count(w->records[SERVICES]) + cache_count(w->records[INGRESSES]);
}

static void begin_data(struct dns_writer *w)
{
	struct json_object *record;
	const char *key;

	log_info("propagator", "looking at what members have for DNS records");
	w->data = dns_data_new(w->settings.loop, &w->settings.data, on_built, w);
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; (record = cache_next(w->records[kind], &i, &key)) != NULL;)
			dns_data_recall(w->data, kinds[kind].fact, record);
	dns_data_dial(w->data);
}

static void finish(struct dns_writer *w);

static void on_data_stopped(void *arg)
{
	struct dns_writer *w = arg;

	w->data = NULL;
	w->data_ends = false;
	if (w->stopping)
		finish(w);
	else
		consider(w);
}

static void end_data(struct dns_writer *w)
{
	w->data_ends = true;
	dns_data_stop(w->data, on_data_stopped, w);
}

static bool knows_members(const struct dns_writer *w)
{
	const struct dns_writer_settings *s = &w->settings;

	return !s->knows_members || s->knows_members(s->data.member_arg);
}

static void consider(struct dns_writer *w)
{
	if (w->data_ends || !knows_members(w) || !w->records[SERVICES] || !w->records[INGRESSES] ||
	    !cache_is_settled(w->records[SERVICES]) || !cache_is_settled(w->records[INGRESSES]))
		return;
	if (count_records(w) > 0 && !w->data)
		begin_data(w);
	else if (count_records(w) == 0 && w->data)
		end_data(w);
}

/* --- what the caches tell --- */

/* Most of an object that others write, too, is who wrote what. */
static void *keep(struct json_object *object, void *arg)
{
	struct json_object *metadata;

	(void)arg;
	if (json_object_object_get_ex(object, "metadata", &metadata))
		json_object_object_del(metadata, "managedFields");
	return json_object_get(object);
}

static void let_go(void *value) { json_object_put(value); }

static void on_record(const struct kind *kind, const char *key, struct dns_writer *w)
{
	struct item *item = get_item(w, kind, key);

	host_writing_heard(&item->writing[STATUS]);
	enqueue(item);
	consider(w);
}

static void on_service(const char *key, void *arg) { on_record(&kinds[SERVICES], key, arg); }
static void on_ingress(const char *key, void *arg) { on_record(&kinds[INGRESSES], key, arg); }

static void on_endpoint_of(struct dns_writer *w, const struct kind *kind, enum what what,
                           struct bytes namespace, struct bytes record)
{
	struct text key = {0};
	struct item *item;

	cache_print_key(&key, namespace, record);
	item = get_item(w, kind, key.data);
	host_writing_heard(&item->writing[what]);
	enqueue(item);
	text_fini(&key);
}

static void on_endpoint(const char *key, void *arg)
{
	struct bytes namespace, name;

	cache_split_key(key, &namespace, &name);
	for (size_t i = 0; i < KINDS; i++)
		for (size_t what = ENDPOINT; what < WHATS; what++) {
			size_t len = strlen(kinds[i].prefix[what]);

			if (name.len > len && memcmp(name.data, kinds[i].prefix[what], len) == 0)
				on_endpoint_of(arg, &kinds[i], (enum what)what, namespace,
				               (struct bytes){name.data + len, name.len - len});
		}
}

static void on_sight(void *arg)
{
	struct dns_writer *w = arg;

	if (!w->endpoints)
		return; /* they are only being started */
	consider(w);
	enqueue_all(w);
}

/* --- life --- */

static struct cache *start_cache(struct dns_writer *w, const struct kube_resource *resource,
                                 void (*on_change)(const char *key, void *arg))
{
	const struct cache_settings settings = {
		.watch = {.resource = *resource,
	                  .namespace = w->settings.namespace,
	                  .objects_most = 1000000},
		.keep = keep,
		.let_go = let_go,
		.on_change = on_change,
		.on_sight = on_sight,
		.arg = w,
	};

	return cache_start(w->settings.loop, w->settings.host, w->settings.backoff, &settings);
}

static uv_timer_t *new_timer(struct dns_writer *w)
{
	uv_timer_t *timer = xcalloc(1, sizeof(*timer));

	timer->data = w;
	CHECK(uv_timer_init(w->settings.loop, timer) == 0);
	return timer;
}

struct dns_writer *dns_writer_start(const struct dns_writer_settings *settings)
{
	struct dns_writer *w = xcalloc(1, sizeof(*w));

	w->settings = *settings;
	random_bytes(&w->hash_key, sizeof(w->hash_key));
	for (size_t i = 0; i < KINDS; i++)
		w->items[i] = table_new();
	w->turn = new_timer(w);
	w->all = new_timer(w);
	w->tick = new_timer(w);
	uv_timer_start(w->tick, on_tick, TICK_MS, TICK_MS);
	w->records[SERVICES] = start_cache(w, &kinds[SERVICES].resource, on_service);
	w->records[INGRESSES] = start_cache(w, &kinds[INGRESSES].resource, on_ingress);
	w->endpoints = start_cache(w, &endpoints, on_endpoint);
	return w;
}

static void finish(struct dns_writer *w)
{
	void (*on_stopped)(void *arg) = w->on_stopped;
	void *arg = w->stopped_arg;

	free(w);
	on_stopped(arg);
}

static void on_timer_closed(uv_handle_t *timer) { free(timer); }

void dns_writer_stop(struct dns_writer *w, void (*on_stopped)(void *arg), void *arg)
{
	struct item *item;

	w->stopping = true;
	w->on_stopped = on_stopped;
	w->stopped_arg = arg;
	cache_stop(w->endpoints);
	for (size_t kind = 0; kind < KINDS; kind++) {
		cache_stop(w->records[kind]);
		for (size_t i = 0; (item = table_next(w->items[kind], &i)) != NULL;)
			free_item(item);
		table_free(w->items[kind]);
	}
	uv_close((uv_handle_t *)w->turn, on_timer_closed);
	uv_close((uv_handle_t *)w->all, on_timer_closed);
	uv_close((uv_handle_t *)w->tick, on_timer_closed);
	if (w->data && !w->data_ends)
		end_data(w);
	else if (!w->data)
		finish(w);
}

/* --- to look at --- */

struct dns_writer_counts dns_writer_counts(const struct dns_writer *w)
{
	struct dns_writer_counts counts = w->counts;

	counts.records = count_records(w);
	counts.ready = w->data && !w->data_ends && dns_data_is_ready(w->data);
	return counts;
}

void dns_writer_each_error(const struct dns_writer *w, dns_data_on_error_fn *fn, void *arg)
{
	struct item *item;

	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; (item = table_next(w->items[kind], &i)) != NULL;) {
			struct text where = {0};

			if (!item->why)
				continue;
			text_printf(&where, "%s %s", kinds[kind].resource.kind, item->key);
			fn(where.data, item->why, item->since, arg);
			text_fini(&where);
		}
	if (w->data && !w->data_ends)
		dns_data_each_error(w->data, fn, arg);
}
