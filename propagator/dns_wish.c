/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dns_wish.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "kube/object.h"
#include "propagator/dns_sites.h"
#include "records/rendering.h"

#define API "multiclusterdns.kubefed.io/v1alpha1"

static struct json_object *text(struct bytes t)
{
	return json_object_new_string_len((const char *)t.data, (int)t.len);
}

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	json_object_object_add(to, key, value);
}

static bool is_service(const struct dns_wish_record *r)
{
	return r->kind == FACT_SERVICE_DNS_RECORD;
}

static const char *kind_of(enum fact_kind kind)
{
	return kind == FACT_SERVICE_DNS_RECORD ? "ServiceDNSRecord" : "IngressDNSRecord";
}

/* --- the status --- */

struct targets {
	const struct bytes *list;
	size_t count;
};

static bool is_ip(struct bytes target)
{
	struct addr unused;

	return addr_parse(target, &unused);
}

/* KubeFed's order: by address, then by host name, and who has no address comes first. */
static int by_target(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;
	int ips = (int)is_ip(*x) - (int)is_ip(*y);

	return ips != 0 ? ips : bytes_compare(*x, *y);
}

static struct json_object *balancer_of(struct arena *a, struct targets t)
{
	struct json_object *balancer = json_object_new_object(), *list;
	struct bytes *sorted = arena_calloc(a, t.count + 1, sizeof(*sorted));

	if (t.count == 0)
		return balancer;
	memcpy(sorted, t.list, t.count * sizeof(*sorted));
	qsort(sorted, t.count, sizeof(*sorted), by_target);
	list = json_object_new_array();
	for (size_t i = 0; i < t.count; i++) {
		struct json_object *item = json_object_new_object();

		add(item, is_ip(sorted[i]) ? "ip" : "hostname", text(sorted[i]));
		json_object_array_add(list, item);
	}
	add(balancer, "ingress", list);
	return balancer;
}

/* What the cluster's Service or Ingress of the record's name has for a load balancer. */
static struct targets targets_at(const struct dns_data_view *view, const struct fact_value *record,
                                 uint16_t cluster, struct arena *a)
{
	bool service = record->kind == FACT_SERVICE_DNS_RECORD;
	const struct fact *fact =
		facts_find(view->facts, cluster, service ? FACT_SERVICE : FACT_INGRESS,
	                   record->namespace, record->name);
	struct fact_value v;

	if (!fact || !fact_decode(fact, a, &v))
		return (struct targets){NULL, 0};
	if (service && !record->service_record.allow_without_endpoints &&
	    !rendering_is_ready(view->records, cluster, record->namespace, record->name))
		return (struct targets){NULL, 0};
	return service ? (struct targets){v.service.targets, v.service.target_count}
	               : (struct targets){v.ingress.targets, v.ingress.target_count};
}

static struct json_object *entry_of(const struct dns_data_view *view,
                                    const struct fact_value *record,
                                    const struct records_cluster *cluster, struct arena *a)
{
	struct json_object *entry = json_object_new_object(), *zones;

	add(entry, "cluster", json_object_new_string(cluster->name));
	add(entry, "loadBalancer", balancer_of(a, targets_at(view, record, cluster->id, a)));
	if (record->kind != FACT_SERVICE_DNS_RECORD)
		return entry;
	if (cluster->zone_count > 0) {
		zones = json_object_new_array();
		for (size_t i = 0; i < cluster->zone_count; i++)
			json_object_array_add(zones, text(cluster->zones[i]));
		add(entry, "zones", zones);
	}
	if (cluster->region.len > 0)
		add(entry, "region", text(cluster->region));
	return entry;
}

static bool read_record(const struct dns_data_view *view, const struct dns_wish_record *r,
                        struct arena *a, struct fact_value *out)
{
	const struct fact *fact =
		facts_find(view->facts, FACTS_HOST, r->kind, r->namespace, r->name);

	return fact && fact_decode(fact, a, out);
}

static bool read_domain(const struct dns_data_view *view, const struct fact_value *record,
                        struct arena *a, struct fact_value *out)
{
	const struct fact *fact =
		facts_find(view->facts, FACTS_HOST, FACT_DOMAIN, bytes_of(view->namespace),
	                   record->service_record.domain_ref);

	return fact && fact_decode(fact, a, out);
}

struct json_object *dns_wish_status(const struct dns_data_view *view,
                                    const struct dns_wish_record *record)
{
	struct arena *a = arena_new();
	struct json_object *status = NULL, *list;
	struct fact_value v, domain;

	if (!read_record(view, record, a, &v) ||
	    (is_service(record) && !read_domain(view, &v, a, &domain))) {
		arena_free(a);
		return NULL;
	}
	status = json_object_new_object();
	list = json_object_new_array();
	if (is_service(record))
		add(status, "domain", text(domain.domain.domain));
	for (size_t i = 0; i < view->cluster_count; i++)
		if (view->clusters[i].state->registered &&
		    view->clusters[i].state->knowledge != KNOWLEDGE_NEVER)
			json_object_array_add(list, entry_of(view, &v, &view->clusters[i], a));
	add(status, "dns", list);
	arena_free(a);
	return status;
}

/* --- the DNSEndpoint --- */

static struct json_object *owner_of(const struct dns_wish_record *r)
{
	struct json_object *owner = json_object_new_object(), *list = json_object_new_array();

	add(owner, "apiVersion", json_object_new_string(API));
	add(owner, "kind", json_object_new_string(kind_of(r->kind)));
	add(owner, "name", text(r->name));
	add(owner, "uid", text(r->uid));
	json_object_array_add(list, owner);
	return list;
}

/* Takes the endpoints. */
static struct json_object *object_with(const struct dns_wish_record *r, const char *prefix,
                                       struct json_object *endpoints)
{
	struct json_object *object = json_object_new_object();
	struct json_object *metadata = json_object_new_object();
	struct json_object *spec = json_object_new_object();
	struct text name = {0};

	text_add(&name, prefix);
	text_add_bytes(&name, r->name);
	add(object, "apiVersion", json_object_new_string(API));
	add(object, "kind", json_object_new_string("DNSEndpoint"));
	add(metadata, "name", json_object_new_string(name.data));
	add(metadata, "namespace", text(r->namespace));
	add(metadata, "ownerReferences", owner_of(r));
	add(object, "metadata", metadata);
	add(spec, "endpoints", endpoints);
	add(object, "spec", spec);
	text_fini(&name);
	return object;
}

/* Of a service whose Domain is missing nothing is known, and KubeFed left alone what there was. */
static bool has_names(const struct dns_data_view *view, const struct dns_wish_record *r)
{
	struct arena *a = arena_new();
	struct fact_value v, domain;
	bool has = read_record(view, r, a, &v) &&
	           (!is_service(r) || read_domain(view, &v, a, &domain));

	arena_free(a);
	return has;
}

struct json_object *dns_wish_endpoint(const struct dns_data_view *view,
                                      const struct dns_wish_record *record)
{
	struct text out = {0};
	struct json_object *object = NULL;

	if (has_names(view, record) &&
	    rendering_print(view->records, view->facts, record->kind, record->namespace,
	                    record->name, &out) == ERR_OK)
		object = object_with(record, is_service(record) ? "service-" : "ingress-",
		                     json_tokener_parse(out.data));
	text_fini(&out);
	return object;
}

/* A member, and nothing is known of it but what was recalled. */
static bool is_unseen(struct bytes cluster, const void *arg)
{
	const struct dns_data_view *view = arg;
	uint16_t id = facts_find_cluster(view->facts, cluster);

	return id != UINT16_MAX && id != FACTS_HOST && facts_cluster(view->facts, id)->registered &&
	       !view->was_seen[id];
}

struct json_object *dns_wish_sites(const struct dns_data_view *view,
                                   const struct dns_wish_record *record, struct json_object *have)
{
	struct text out = {0};
	struct json_object *object = NULL, *metadata, *labels, *spec = NULL, *standing = NULL;

	if (has_names(view, record) &&
	    rendering_print_sites(view->records, view->facts, record->kind, record->namespace,
	                          record->name, &out) == ERR_OK) {
		json_object_object_get_ex(have, "spec", &spec);
		json_object_object_get_ex(spec, "endpoints", &standing);
		object = object_with(
			record, is_service(record) ? "nigh-service-" : "nigh-ingress-",
			dns_sites_keep(json_tokener_parse(out.data), standing, is_unseen, view));
		labels = json_object_new_object();
		add(labels, "nigh.dev/sites", json_object_new_string("true"));
		json_object_object_get_ex(object, "metadata", &metadata);
		add(metadata, "labels", labels);
	}
	text_fini(&out);
	return object;
}

/* --- compared with what is there --- */

static bool has_item(struct json_object *list, struct json_object *want)
{
	if (!json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (dns_wish_is_met(want, json_object_array_get_idx(list, i)))
			return true;
	return false;
}

static bool are_met(struct json_object *want, struct json_object *have)
{
	json_object_object_foreach(want, key, value)
	{
		struct json_object *has = NULL;

		if (!json_object_object_get_ex(have, key, &has))
			return false;
		/* Others may own it, too. */
		if (strcmp(key, "ownerReferences") == 0
		            ? !has_item(has, json_object_array_get_idx(value, 0))
		            : !dns_wish_is_met(value, has))
			return false;
	}
	return true;
}

bool dns_wish_is_met(struct json_object *want, struct json_object *have)
{
	if (json_object_is_type(want, json_type_object))
		return json_object_is_type(have, json_type_object) && are_met(want, have);
	return json_object_equal(want, have) != 0;
}

bool dns_wish_is_owned(struct json_object *endpoint, enum fact_kind kind, struct bytes name)
{
	struct json_object *metadata, *list, *want = json_object_new_object();
	bool owned;

	add(want, "apiVersion", json_object_new_string(API));
	add(want, "kind", json_object_new_string(kind_of(kind)));
	add(want, "name", text(name));
	owned = json_object_object_get_ex(endpoint, "metadata", &metadata) &&
	        json_object_object_get_ex(metadata, "ownerReferences", &list) &&
	        has_item(list, want);
	json_object_put(want);
	return owned;
}
