/* The kinds of a member cluster: what is published, and whether it is ready. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <stdio.h>

#include "watcher/decode_kind.h"

/* --- of external-dns --- */

/* The newer prefix wins where both are there. */
static struct bytes external_dns(const struct field *object, const char *suffix)
{
	static const char *const prefixes[] = {"external-dns.kubernetes.io",
	                                       "external-dns.alpha.kubernetes.io"};
	struct bytes text = {0};

	for (size_t i = 0; i < 2 && text.len == 0; i++) {
		char key[64];

		(void)snprintf(key, sizeof(key), "%s/%s", prefixes[i], suffix);
		text = decode_annotation(object, key);
	}
	return text;
}

static struct fact_annotations read_annotations(const struct field *object)
{
	struct bytes controller = external_dns(object, "controller");

	/* Another controller's object is not for us (external-dns' own rule). */
	if (controller.len > 0 && !bytes_equal_text(controller, "dns-controller"))
		return (struct fact_annotations){0};
	return (struct fact_annotations){
		.hostname = external_dns(object, "hostname"),
		.target = external_dns(object, "target"),
		.ttl = external_dns(object, "ttl"),
	};
}

/* --- shared by Service and Ingress --- */

/* status.loadBalancer.ingress: ip, then hostname, of each. */
static const struct bytes *read_targets(const struct field *object, size_t *count)
{
	struct field status = field_get(object, "status");
	struct field balancer = field_get(&status, "loadBalancer");
	struct field list = field_get(&balancer, "ingress");
	size_t items = field_count(&list);
	struct bytes *targets = arena_alloc(object->reading->arena, items * 2 * sizeof(*targets));

	*count = 0;
	for (size_t i = 0; i < items; i++) {
		struct field item = field_item(&list, i);
		struct field ip = field_get(&item, "ip");
		struct field host = field_get(&item, "hostname");
		struct bytes texts[2] = {field_text(&ip), field_text(&host)};

		for (size_t k = 0; k < 2; k++)
			if (texts[k].len > 0)
				targets[(*count)++] = texts[k];
	}
	return targets;
}

static void fill_service(const struct field *object, struct fact_value *out)
{
	struct field spec = field_get(object, "spec");
	struct field ports = field_get(&spec, "ports");

	out->service.targets = read_targets(object, &out->service.target_count);
	if (field_count(&ports) > 0) {
		struct field first = field_item(&ports, 0);
		struct field port = field_get(&first, "port");

		out->service.port = (uint16_t)field_int(&port, 1, 65535, 0, "a port");
	}
	out->service.annotations = read_annotations(object);
}

/* --- EndpointSlice --- */

/* Ready, also when nobody has said whether it is (the API's own reading of absent). */
static bool endpoint_is_ready(const struct field *endpoint)
{
	struct field conditions = field_get(endpoint, "conditions");
	struct field ready = field_get(&conditions, "ready");
	struct field addresses = field_get(endpoint, "addresses");

	return field_bool(&ready, true) && field_count(&addresses) > 0;
}

static void fill_slice(const struct field *object, struct fact_value *out)
{
	struct field list = field_get(object, "endpoints");
	size_t count = field_count(&list);

	out->slice.service = decode_label(object, "kubernetes.io/service-name");
	out->slice.total = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(&list, i);

		if (endpoint_is_ready(&item))
			out->slice.ready++;
	}
}

/* --- Ingress --- */

/* backend.service.name; "" where the backend is a resource. */
static struct bytes read_backend(const struct field *backend)
{
	struct field service = field_get(backend, "service");
	struct field name = field_get(&service, "name");

	return field_text(&name);
}

static void read_rule(const struct field *rule, struct fact_rule *out)
{
	struct field host = field_get(rule, "host");
	struct field http = field_get(rule, "http");
	struct field paths = field_get(&http, "paths");
	size_t count = field_count(&paths);
	struct bytes *services = arena_alloc(rule->reading->arena, count * sizeof(*services));

	out->host = field_text(&host);
	out->services = services;
	for (size_t i = 0; i < count; i++) {
		struct field path = field_item(&paths, i);
		struct field backend = field_get(&path, "backend");

		services[out->service_count] = read_backend(&backend);
		if (services[out->service_count].len > 0)
			out->service_count++;
	}
	out->service_count = bytes_unique(services, out->service_count);
}

/* The hosts of all entries of spec.tls. */
static void read_tls(const struct field *spec, struct fact_value *out)
{
	struct field tls = field_get(spec, "tls");
	size_t entries = field_count(&tls);
	size_t room = 0;
	struct bytes *hosts;

	for (size_t i = 0; i < entries; i++) {
		struct field entry = field_item(&tls, i);
		struct field list = field_get(&entry, "hosts");

		room += field_count(&list);
	}
	hosts = arena_alloc(spec->reading->arena, room * sizeof(*hosts));
	out->ingress.tls_hosts = hosts;
	for (size_t i = 0; i < entries && !spec->reading->err; i++) {
		struct field entry = field_item(&tls, i);
		struct field list = field_get(&entry, "hosts");
		size_t count;
		const struct bytes *texts = field_texts(&list, &count);

		for (size_t k = 0; k < count; k++)
			hosts[out->ingress.tls_host_count++] = texts[k];
	}
}

static void fill_ingress(const struct field *object, struct fact_value *out)
{
	struct field spec = field_get(object, "spec");
	struct field rules = field_get(&spec, "rules");
	struct field fallback = field_get(&spec, "defaultBackend");
	size_t count = field_count(&rules);
	struct fact_rule *list = arena_calloc(object->reading->arena, count, sizeof(*list));

	out->ingress.targets = read_targets(object, &out->ingress.target_count);
	for (size_t i = 0; i < count; i++) {
		struct field rule = field_item(&rules, i);

		read_rule(&rule, &list[i]);
	}
	out->ingress.rules = list;
	out->ingress.rule_count = count;
	out->ingress.default_service = read_backend(&fallback);
	read_tls(&spec, out);
	out->ingress.annotations = read_annotations(object);
}

/* --- Node --- */

static void fill_node(const struct field *object, struct fact_value *out)
{
	out->node.region = decode_topology(object, "region");
	out->node.zone = decode_topology(object, "zone");
}

const struct decode_kind decode_member_kinds[] = {
	{"Service", "", "v1", FACT_SERVICE, false, fill_service},
	{"EndpointSlice", "discovery.k8s.io", "v1", FACT_ENDPOINT_SLICE, false, fill_slice},
	{"Ingress", "networking.k8s.io", "v1", FACT_INGRESS, false, fill_ingress},
	{"Node", "", "v1", FACT_NODE, true, fill_node},
	{0},
};
