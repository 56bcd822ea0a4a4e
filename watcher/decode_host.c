/* The kinds of the host cluster: KubeFed's own, external-dns' DNSEndpoint, and ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <string.h>

#include "base/text.h"
#include "geo/place.h"
#include "watcher/decode.h"
#include "watcher/decode_kind.h"

static int64_t read_ttl(const struct field *of)
{
	struct field ttl = field_get(of, "recordTTL");

	return field_int(&ttl, INT64_MIN, INT64_MAX, 0, "a number of seconds");
}

/* --- KubeFedCluster --- */

/* status.zones, else the label. */
static void read_zones(const struct field *object, const struct field *status,
                       struct fact_value *out)
{
	struct field listed = field_get(status, "zones");
	size_t count;
	struct bytes *zones = field_texts(&listed, &count);
	struct bytes label = {0};

	if (count == 0)
		label = decode_topology(object, "zone");
	if (label.len > 0) {
		zones = arena_memdup(object->reading->arena, &label, sizeof(label));
		count = 1;
	}
	out->cluster.zone_count = bytes_unique(zones, count);
	out->cluster.zones = zones;
}

/* A location that cannot be read leaves the cluster without one; that is a warning. */
static void read_location(const struct field *object, struct fact_value *out)
{
	struct bytes text = decode_annotation(object, "nigh.dev/location");

	if (text.len == 0 || object->reading->err)
		return;
	out->cluster.has_location = place_parse(text, &out->cluster.location);
	if (!out->cluster.has_location)
		(void)reason_set(object->reading->why, ERR_OK,
		                 "metadata.annotations[nigh.dev/location]: "
		                 "is not a place (\"34.05,-118.24\"); taken without");
}

/* What is neither does not drain, and is a warning: somebody meant something. */
static void read_drain(const struct field *object, struct fact_value *out)
{
	struct bytes text = decode_annotation(object, "nigh.dev/drain");

	out->cluster.drain = bytes_equal_text(text, "true");
	if (text.len > 0 && !out->cluster.drain && !bytes_equal_text(text, "false") &&
	    !object->reading->err)
		(void)reason_set(object->reading->why, ERR_OK,
		                 "metadata.annotations[nigh.dev/drain]: "
		                 "is not \"true\" or \"false\"; not drained");
}

/* Of a cluster all or nothing comes back. */
static void read_let_back(const struct field *object, struct fact_value *out)
{
	struct bytes text = decode_annotation(object, "nigh.dev/failback");
	struct let_back let_back;

	if (text.len == 0 || object->reading->err)
		return;
	if (let_back_parse(text, &let_back) && let_back.name.len == 0 && let_back.cluster.len == 0)
		out->cluster.let_back_at = let_back.at;
	else
		(void)reason_set(object->reading->why, ERR_OK,
		                 "metadata.annotations[nigh.dev/failback]: is not a time "
		                 "(\"2026-11-28T10:00:00Z\"); nobody is let back");
}

/* "key=value", as policies select by them.  What is no text cannot be selected. */
static void read_labels(const struct field *object, struct fact_value *out)
{
	struct field metadata = field_get(object, "metadata");
	struct field labels = field_get(&metadata, "labels");
	size_t keys_count, count = 0;
	const char **keys = field_keys(&labels, &keys_count);
	struct bytes *list = arena_alloc(object->reading->arena, keys_count * sizeof(*list));

	for (size_t i = 0; i < keys_count; i++) {
		struct field label = field_get(&labels, keys[i]);
		struct bytes value;

		if (!json_object_is_type(label.value, json_type_string))
			continue;
		value = field_text(&label);
		list[count++] = bytes_of(arena_printf(object->reading->arena, "%s=%.*s", keys[i],
		                                      (int)value.len, (const char *)value.data));
	}
	out->cluster.label_count = bytes_unique(list, count);
	out->cluster.labels = list;
}

static void fill_cluster(const struct field *object, struct fact_value *out)
{
	struct field status = field_get(object, "status");
	struct field region = field_get(&status, "region");

	out->cluster.region = field_text(&region);
	if (out->cluster.region.len == 0)
		out->cluster.region = decode_topology(object, "region");
	read_zones(object, &status, out);
	read_labels(object, out);
	out->cluster.shift = decode_annotation(object, "nigh.dev/shift");
	read_drain(object, out);
	read_let_back(object, out);
	read_location(object, out);
}

/* --- Domain and the two DNS records --- */

/* The id of the hold that may end, as /status shows it. */
static void read_release(const struct field *object, struct fact_value *out)
{
	struct bytes text = decode_annotation(object, "nigh.dev/release-guard");

	if (text.len == 0 || object->reading->err ||
	    text_to_u64(text, UINT64_MAX, &out->domain.release_guard))
		return;
	(void)reason_set(object->reading->why, ERR_OK,
	                 "metadata.annotations[nigh.dev/release-guard]: "
	                 "is not the id of a hold; nothing is released");
}

static void fill_domain(const struct field *object, struct fact_value *out)
{
	struct field domain = field_get(object, "domain");

	out->domain.domain = field_required(&domain);
	read_release(object, out);
}

static void fill_service_record(const struct field *object, struct fact_value *out)
{
	struct field spec = field_get(object, "spec");
	struct field domain_ref = field_get(&spec, "domainRef");
	struct field prefix = field_get(&spec, "dnsPrefix");
	struct field external = field_get(&spec, "externalName");
	struct field allow = field_get(&spec, "allowServiceWithoutEndpoints");

	out->service_record.domain_ref = field_required(&domain_ref);
	out->service_record.dns_prefix = field_text(&prefix);
	out->service_record.external_name = field_text(&external);
	out->service_record.ttl = read_ttl(&spec);
	out->service_record.allow_without_endpoints = field_bool(&allow, false);
}

static void fill_ingress_record(const struct field *object, struct fact_value *out)
{
	struct field spec = field_get(object, "spec");
	struct field hosts = field_get(&spec, "hosts");

	out->ingress_record.hosts = field_texts(&hosts, &out->ingress_record.host_count);
	out->ingress_record.ttl = read_ttl(&spec);
}

/* --- DNSEndpoint --- */

/* The cluster that a site is of: either field says it. */
static struct bytes read_cluster(const struct field *set, const struct field *labels)
{
	struct field label = field_get(labels, "nigh.dev/cluster");
	struct bytes cluster = field_text(&label), said = field_text(set);

	if (said.len > 0 && cluster.len > 0 && !bytes_equal(said, cluster))
		field_fail(&label, ERR_CONFLICT, "'%.*s' is not the setIdentifier '%.*s'",
		           (int)cluster.len, (const char *)cluster.data, (int)said.len,
		           (const char *)said.data);
	if (said.len > 0)
		cluster = said;
	if (cluster.len > 0 && !decode_is_name(cluster))
		field_fail(set->value ? set : &label, ERR_PARSE,
		           "is not the name of a cluster (letters, digits, '-' and '.')");
	return cluster;
}

/* "endpoints", "gateway", or both with a comma; what else has failed is not usable either. */
static void read_failed(const struct field *labels, struct fact_site *out)
{
	struct field label = field_get(labels, "nigh.dev/failed");
	struct bytes text = field_text(&label);

	while (text.len > 0) {
		const uint8_t *comma = memchr(text.data, ',', text.len);
		size_t len = comma ? (size_t)(comma - text.data) : text.len;

		if (bytes_equal_text((struct bytes){text.data, len}, "gateway"))
			out->has_no_gateway = true;
		else
			out->is_unready = true;
		text.data += comma ? len + 1 : len;
		text.len -= comma ? len + 1 : len;
	}
}

/* "2/3": so many are ready of so many; or "2". */
static void read_counts(const struct field *labels, struct fact_site *out)
{
	struct field label = field_get(labels, "nigh.dev/endpoints");
	struct bytes text = field_text(&label), ready = text;
	const uint8_t *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
	uint64_t number = 0, total = 0;

	if (text.len == 0)
		return;
	if (slash)
		ready.len = (size_t)(slash - text.data);
	if (!text_to_u64(ready, UINT32_MAX, &number) ||
	    (slash && !text_to_u64((struct bytes){slash + 1, text.len - ready.len - 1}, UINT32_MAX,
	                           &total))) {
		field_fail(&label, ERR_PARSE, "is not how many endpoints are ready (\"2/3\")");
		return;
	}
	out->has_ready = true;
	out->has_total = slash != NULL;
	out->ready = (uint32_t)number;
	out->total = (uint32_t)total;
}

static void read_site(const struct field *f, const struct field *set, struct fact_endpoint *out)
{
	struct field labels = field_get(f, "labels");
	struct field port = field_get(&labels, "nigh.dev/port");
	struct bytes text = field_text(&port);
	uint64_t number = 0;

	out->set_identifier = read_cluster(set, &labels);
	if (text.len > 0 && (!text_to_u64(text, UINT16_MAX, &number) || number == 0))
		field_fail(&port, ERR_PARSE, "is not a port");
	out->site.port = (uint16_t)number;
	read_failed(&labels, &out->site);
	read_counts(&labels, &out->site);
}

static void read_endpoint(const struct field *f, bool of_sites, struct fact_endpoint *out)
{
	struct field name = field_get(f, "dnsName");
	struct field type = field_get(f, "recordType");
	struct field set = field_get(f, "setIdentifier");
	struct field targets = field_get(f, "targets");

	out->name = field_text(&name);
	out->type = field_text(&type);
	if (of_sites)
		read_site(f, &set, out);
	else
		out->set_identifier = field_text(&set);
	out->ttl = read_ttl(f);
	out->targets = field_texts(&targets, &out->target_count);
}

static void fill_dns_endpoint(const struct field *object, struct fact_value *out)
{
	struct field spec = field_get(object, "spec");
	struct field list = field_get(&spec, "endpoints");
	struct field metadata = field_get(object, "metadata");
	struct field labels = field_get(&metadata, "labels");
	/* The label counts whatever its value is. */
	bool of_sites = field_get(&labels, "nigh.dev/sites").value != NULL;
	size_t count = field_count(&list);
	struct fact_endpoint *endpoints =
		arena_calloc(object->reading->arena, count, sizeof(*endpoints));

	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(&list, i);

		read_endpoint(&item, of_sites, &endpoints[i]);
	}
	out->dns_endpoint.endpoints = endpoints;
	out->dns_endpoint.endpoint_count = count;
	out->dns_endpoint.is_sites = of_sites;
}

const struct decode_kind decode_host_kinds[] = {
	{"KubeFedCluster", "core.kubefed.io", NULL, FACT_KUBEFED_CLUSTER, false, fill_cluster},
	{"Domain", "multiclusterdns.kubefed.io", NULL, FACT_DOMAIN, false, fill_domain},
	{"ServiceDNSRecord", "multiclusterdns.kubefed.io", NULL, FACT_SERVICE_DNS_RECORD, false,
         fill_service_record},
	{"IngressDNSRecord", "multiclusterdns.kubefed.io", NULL, FACT_INGRESS_DNS_RECORD, false,
         fill_ingress_record},
	{"DNSEndpoint", "multiclusterdns.kubefed.io", NULL, FACT_DNS_ENDPOINT, false,
         fill_dns_endpoint},
	{"DNSEndpoint", "externaldns.k8s.io", NULL, FACT_EXTERNAL_DNS_ENDPOINT, false,
         fill_dns_endpoint},
	{"TrafficPolicy", "nigh.dev", NULL, FACT_TRAFFIC_POLICY, false, decode_policy_fill},
	{0},
};
