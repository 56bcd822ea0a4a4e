/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dns_data.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "watcher/decode.h"
#include "watcher/fleet.h"
#include "watcher/resolve.h"
#include "watcher/settle.h"
#include "watcher/store.h"

enum {
	PATIENCE_MS = 10000, /* with members that were never seen */
	SILENCE_MS = 90000,
	REPLY_MS = 30000,
	BACKOFF_MS = 10000,
	OBJECT_MOST = 16 << 20,
	DEFAULT_TTL_S = 30,
	TARGETS_MOST = 256 /* of one cluster, in a status */
};

struct dns_data {
	uv_loop_t *loop;
	struct dns_data_settings settings;
	struct facts *facts;
	struct settle *settle;
	struct store *store;
	struct records *records;
	const struct records_result *result; /* of the last build; NULL: there was none */
	struct resolver *resolver;           /* NULL: there can be none */
	struct fleet *fleet;                 /* NULL: nothing is dialled yet */
	uv_timer_t *again;
	uint64_t dialled_ms;
	bool was_seen[FACTS_MAX_CLUSTERS]; /* by id */
	void (*on_built)(void *arg);
	void *arg;
	unsigned open; /* of what dns_data_stop() waits for */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- a build --- */

static bool members_were_seen(const struct dns_data *d)
{
	for (uint16_t id = FACTS_HOST + 1; id < facts_cluster_count(d->facts); id++) {
		const struct cluster_state *state = facts_cluster(d->facts, id);

		if (state->registered && state->knowledge == KNOWLEDGE_NEVER)
			return false;
	}
	return true;
}

bool dns_data_is_ready(const struct dns_data *d)
{
	return d->result && d->was_seen[FACTS_HOST] &&
	       (members_were_seen(d) ||
	        clock_monotonic_ms() - d->dialled_ms >= d->settings.patience_ms);
}

static void on_again(uv_timer_t *timer) { settle_poke(((struct dns_data *)timer->data)->settle); }

static void call_again(struct dns_data *d, uint64_t now_ms)
{
	uint64_t next_ms = d->result->next_ms;

	if (now_ms - d->dialled_ms < d->settings.patience_ms &&
	    (next_ms == 0 || next_ms > d->dialled_ms + d->settings.patience_ms))
		next_ms = d->dialled_ms + d->settings.patience_ms;
	if (next_ms == 0)
		uv_timer_stop(d->again);
	else
		uv_timer_start(d->again, on_again, next_ms > now_ms ? next_ms - now_ms : 1, 0);
}

static void note_who_is_seen(struct dns_data *d)
{
	for (uint16_t id = FACTS_HOST; id < facts_cluster_count(d->facts); id++) {
		const struct cluster_state *state = facts_cluster(d->facts, id);

		d->was_seen[id] |= state->registered && state->knowledge == KNOWLEDGE_SYNCED;
	}
}

static void on_settled(void *arg)
{
	struct dns_data *d = arg;
	uint64_t now_ms = clock_monotonic_ms();
	bool wants_changed = false;

	do {
		d->result = records_build(d->records, d->facts, now_ms);
		wants_changed |= d->result->wants_changed;
	} while (d->result->more);
	if (wants_changed && d->resolver)
		resolver_set_hosts(d->resolver, d->result->hosts, d->result->host_count);
	records_drop_changes(d->records);
	note_who_is_seen(d);
	call_again(d, now_ms);
	d->on_built(d->arg);
}

static void on_addresses(struct bytes host, const struct addr *addresses, size_t count,
                         uint32_t ttl_s, void *arg)
{
	struct dns_data *d = arg;

	records_set_host(d->records, host, addresses, count, ttl_s);
	settle_poke(d->settle);
}

static void on_trouble(struct bytes host, const char *message, void *arg)
{
	struct dns_data *d = arg;
	char where[512];

	(void)snprintf(where, sizeof(where), "host name %.*s", (int)host.len,
	               (const char *)host.data);
	store_set_error(d->store, where, message);
}

/* --- what was written of clusters that are not seen yet --- */

static struct bytes text_of(struct json_object *object, const char *key)
{
	struct json_object *is;

	if (!json_object_object_get_ex(object, key, &is) ||
	    !json_object_is_type(is, json_type_string))
		return (struct bytes){NULL, 0};
	return (struct bytes){(const uint8_t *)json_object_get_string(is),
	                      (size_t)json_object_get_string_len(is)};
}

/* Takes over `value` as if the cluster had told it. */
static void put(struct dns_data *d, uint16_t cluster, const struct fact_value *value)
{
	const struct fact *fact;
	struct reason why;

	if (fact_encode(value, &fact, &why) == ERR_OK)
		store_put(d->store, cluster, fact);
}

/* It had endpoints, else its addresses would not have been written. */
static void put_service(struct dns_data *d, uint16_t cluster, struct fact_value *value)
{
	struct fact_value slice = {.kind = FACT_ENDPOINT_SLICE,
	                           .namespace = value->namespace,
	                           .name = value->name,
	                           .created = FACT_NO_TIME};

	put(d, cluster, value);
	slice.slice.service = value->name;
	slice.slice.ready = slice.slice.total = 1;
	put(d, cluster, &slice);
}

static size_t read_targets(struct json_object *entry, struct bytes *out)
{
	struct json_object *balancer, *list;
	size_t count = 0;

	if (!json_object_object_get_ex(entry, "loadBalancer", &balancer) ||
	    !json_object_object_get_ex(balancer, "ingress", &list) ||
	    !json_object_is_type(list, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(list) && count + 2 <= TARGETS_MOST; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct bytes ip = text_of(item, "ip"), hostname = text_of(item, "hostname");

		if (ip.len > 0)
			out[count++] = ip;
		if (hostname.len > 0)
			out[count++] = hostname;
	}
	return count;
}

/* Its zones and region are known of its nodes, if it was not said otherwise: as long as they are not seen, of these. */
static void put_places(struct dns_data *d, uint16_t cluster, struct json_object *entry)
{
	struct fact_value node = {.kind = FACT_NODE, .created = FACT_NO_TIME};
	struct json_object *zones = NULL;
	size_t count = 0;

	json_object_object_get_ex(entry, "zones", &zones);
	if (json_object_is_type(zones, json_type_array))
		count = json_object_array_length(zones);
	node.node.region = text_of(entry, "region");
	for (size_t i = 0; i < count || (i == 0 && node.node.region.len > 0); i++) {
		struct json_object *zone = i < count ? json_object_array_get_idx(zones, i) : NULL;
		char name[64];

		(void)snprintf(name, sizeof(name), "recalled-%s",
		               zone ? json_object_get_string(zone) : "");
		node.name = bytes_of(name);
		node.node.zone =
			zone ? bytes_of(json_object_get_string(zone)) : (struct bytes){NULL, 0};
		put(d, cluster, &node);
	}
}

/* There is room for so many clusters: who may write a status must not fill it. */
static bool may_recall(const struct dns_data *d, struct bytes name)
{
	char *copy;
	bool may;

	if (!decode_is_name(name))
		return false;
	if (!d->settings.is_member)
		return true;
	copy = text_copy(name);
	may = d->settings.is_member(copy, d->settings.member_arg);
	free(copy);
	return may;
}

static void recall_entry(struct dns_data *d, const struct fact_value *record,
                         struct json_object *entry)
{
	struct bytes name = text_of(entry, "cluster");
	uint16_t cluster = may_recall(d, name) ? store_cluster(d->store, name) : UINT16_MAX;
	struct bytes targets[TARGETS_MOST];
	struct fact_value value = *record;
	size_t count = read_targets(entry, targets);

	if (cluster == UINT16_MAX)
		return;
	store_set_knowledge(d->store, cluster, CLUSTER_KUBERNETES, KNOWLEDGE_UNSEEN,
	                    "not seen since the start");
	put_places(d, cluster, entry);
	if (count == 0)
		return;
	if (record->kind == FACT_SERVICE) {
		value.service.targets = targets;
		value.service.target_count = count;
		put_service(d, cluster, &value);
	} else {
		value.ingress.targets = targets;
		value.ingress.target_count = count;
		put(d, cluster, &value);
	}
}

void dns_data_recall(struct dns_data *d, enum fact_kind kind, struct json_object *record)
{
	struct fact_value value = {
		.kind = kind == FACT_SERVICE_DNS_RECORD ? FACT_SERVICE : FACT_INGRESS,
		.namespace = object_text(record, "metadata", "namespace", NULL),
		.name = object_text(record, "metadata", "name", NULL),
		.created = FACT_NO_TIME,
	};
	struct json_object *status, *list;

	if (!json_object_object_get_ex(record, "status", &status) ||
	    !json_object_object_get_ex(status, "dns", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		recall_entry(d, &value, json_object_array_get_idx(list, i));
}

/* --- life --- */

static struct records *new_records(void)
{
	/* KubeFed asked nobody whose an Ingress's hosts are: all are in the root. */
	const struct bytes root = bytes_of(".");
	const struct records_settings settings = {
		.default_ttl = DEFAULT_TTL_S,
		.guard_max_percent = 100,
		.zones = &root,
		.zone_count = 1,
	};

	return records_new(&settings);
}

struct dns_data *dns_data_new(uv_loop_t *loop, const struct dns_data_settings *settings,
                              void (*on_built)(void *arg), void *arg)
{
	struct dns_data *d = xcalloc(1, sizeof(*d));
	struct reason why = {0};

	d->loop = loop;
	d->settings = *settings;
	if (d->settings.patience_ms == 0)
		d->settings.patience_ms = PATIENCE_MS;
	d->on_built = on_built;
	d->arg = arg;
	d->facts = facts_new();
	d->settle = settle_new(loop, on_settled, d);
	d->store = store_new(d->facts, d->settle, NULL);
	d->records = new_records();
	if (resolver_new(loop, settings->resolvers, on_addresses, on_trouble, d, &d->resolver,
	                 &why) != ERR_OK)
		log_error("propagator", "host names are not resolved: %s", why.text);
	d->again = xcalloc(1, sizeof(*d->again));
	d->again->data = d;
	CHECK(uv_timer_init(loop, d->again) == 0);
	return d;
}

void dns_data_dial(struct dns_data *d)
{
	const struct fleet_settings settings = {
		.has_host = true,
		.in_cluster = d->settings.in_cluster,
		.host = {d->settings.kubeconfig, d->settings.context},
		.namespace = d->settings.namespace,
		.allow_loopback = d->settings.allow_loopback,
		.pace = {SILENCE_MS, REPLY_MS, BACKOFF_MS, OBJECT_MOST},
	};

	d->dialled_ms = clock_monotonic_ms();
	d->fleet = fleet_start(d->loop, &settings, d->store);
	settle_poke(d->settle);
}

static void closed_one(void *arg)
{
	struct dns_data *d = arg;
	void (*on_stopped)(void *arg) = d->on_stopped;
	void *stopped_arg = d->stopped_arg;

	if (--d->open > 0)
		return;
	store_free(d->store);
	records_free(d->records);
	facts_free(d->facts);
	free(d->again);
	free(d);
	on_stopped(stopped_arg);
}

static void on_timer_closed(uv_handle_t *handle) { closed_one(handle->data); }

void dns_data_stop(struct dns_data *d, void (*on_stopped)(void *arg), void *arg)
{
	d->on_stopped = on_stopped;
	d->stopped_arg = arg;
	d->open = 2U + (d->resolver != NULL) + (d->fleet != NULL);
	if (d->fleet)
		fleet_stop(d->fleet, closed_one, d);
	if (d->resolver)
		resolver_stop(d->resolver, closed_one, d);
	settle_stop(d->settle, closed_one, d);
	uv_close((uv_handle_t *)d->again, on_timer_closed);
}

/* --- to look at --- */

struct dns_data_view dns_data_view(const struct dns_data *d)
{
	return (struct dns_data_view){
		.namespace = d->settings.namespace,
		.facts = d->facts,
		.records = d->records,
		.clusters = d->result ? d->result->clusters : NULL,
		.cluster_count = d->result ? d->result->cluster_count : 0,
		.was_seen = d->was_seen,
	};
}

void dns_data_each_error(const struct dns_data *d, dns_data_on_error_fn *fn, void *arg)
{
	store_each_error(d->store, fn, arg);
}
