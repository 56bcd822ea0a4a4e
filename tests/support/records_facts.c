/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/records_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { LIST_MOST = 4096 };

/* Pieces of a text between separators; an empty text has none. */
struct list {
	struct bytes items[LIST_MOST];
	size_t count;
};

static struct list *split(const char *text, const char *separators)
{
	struct list *l = calloc(1, sizeof(*l));

	CHECK(l);
	while (text && *text) {
		size_t len = strcspn(text, separators);

		CHECK(l->count < LIST_MOST);
		l->items[l->count++] = (struct bytes){(const uint8_t *)text, len};
		text += len + (text[len] != '\0');
	}
	return l;
}

static struct fact_value keyed(enum fact_kind kind, const char *key, int64_t created)
{
	const char *slash = strchr(key, '/');
	struct fact_value v = {.kind = kind, .created = created};

	if (slash)
		v.namespace = (struct bytes){(const uint8_t *)key, (size_t)(slash - key)};
	v.name = bytes_of(slash ? slash + 1 : key);
	return v;
}

const struct fact *records_fact(const struct fact_value *value)
{
	const struct fact *f;
	struct reason why;

	CHECK(fact_encode(value, &f, &why) == ERR_OK);
	return f;
}

const struct fact *records_fact_cluster(const char *name, const char *region, const char *zones,
                                        const char *location, bool drain)
{
	struct fact_value v = keyed(FACT_KUBEFED_CLUSTER, name, 1);
	struct list *l = split(zones, ",");
	const struct fact *f;

	v.namespace = bytes_of("kube-federation-system");
	v.cluster.region = bytes_of(region);
	v.cluster.zones = l->items;
	v.cluster.zone_count = l->count;
	v.cluster.drain = drain;
	v.cluster.has_location = location != NULL;
	if (location) {
		char *end;

		v.cluster.location.latitude = strtod(location, &end);
		v.cluster.location.longitude = strtod(end + 1, NULL);
	}
	f = records_fact(&v);
	free(l);
	return f;
}

const struct fact *records_fact_domain(const char *key, const char *domain, int64_t created)
{
	struct fact_value v = keyed(FACT_DOMAIN, key, created);

	v.domain.domain = bytes_of(domain);
	return records_fact(&v);
}

const struct fact *records_fact_service_record(const char *key, const char *domain_ref, int64_t ttl,
                                               const char *prefix, const char *external)
{
	struct fact_value v = keyed(FACT_SERVICE_DNS_RECORD, key, 1000);

	v.service_record.domain_ref = bytes_of(domain_ref);
	v.service_record.ttl = ttl;
	v.service_record.dns_prefix = bytes_of(prefix);
	v.service_record.external_name = bytes_of(external);
	return records_fact(&v);
}

const struct fact *records_fact_ingress_record(const char *key, const char *hosts, int64_t ttl)
{
	struct fact_value v = keyed(FACT_INGRESS_DNS_RECORD, key, 1000);
	struct list *l = split(hosts, ",");
	const struct fact *f;

	v.ingress_record.hosts = l->items;
	v.ingress_record.host_count = l->count;
	v.ingress_record.ttl = ttl;
	f = records_fact(&v);
	free(l);
	return f;
}

/* The word at *at, which moves behind it; none at the end of the line. */
static struct bytes next_word(const char **at)
{
	const char *from = *at + strspn(*at, " ");
	size_t len = strcspn(from, " \n");

	*at = from + len;
	return (struct bytes){(const uint8_t *)from, len};
}

const struct fact *records_fact_dns_endpoint(const char *key, const char *lines, int64_t created)
{
	struct fact_value v = keyed(FACT_DNS_ENDPOINT, key, created);
	struct bytes *words = calloc(strlen(lines) + 1, sizeof(*words));
	struct fact_endpoint *endpoints = calloc(strlen(lines) + 1, sizeof(*endpoints));
	size_t used = 0;
	const struct fact *f;

	CHECK(words && endpoints);
	for (const char *at = lines; *at; at += *at == '\n') {
		struct fact_endpoint *e = &endpoints[v.dns_endpoint.endpoint_count++];

		e->name = next_word(&at);
		e->ttl = atol((const char *)next_word(&at).data);
		e->type = next_word(&at);
		e->targets = words + used;
		while ((words[used] = next_word(&at)).len > 0) {
			used++;
			e->target_count++;
		}
	}
	v.dns_endpoint.endpoints = endpoints;
	f = records_fact(&v);
	free(endpoints);
	free(words);
	return f;
}

const struct fact *records_fact_service(const char *key, const char *targets, uint16_t port,
                                        const char *hostname, const char *target, const char *ttl,
                                        int64_t created)
{
	struct fact_value v = keyed(FACT_SERVICE, key, created);
	struct list *l = split(targets, ",");
	const struct fact *f;

	v.service.targets = l->items;
	v.service.target_count = l->count;
	v.service.port = port;
	v.service.annotations =
		(struct fact_annotations){bytes_of(hostname), bytes_of(target), bytes_of(ttl)};
	f = records_fact(&v);
	free(l);
	return f;
}

const struct fact *records_fact_endpoints(const char *key, const char *service, uint32_t ready,
                                          uint32_t total)
{
	struct fact_value v = keyed(FACT_ENDPOINT_SLICE, key, 1);

	v.slice.service = bytes_of(service);
	v.slice.ready = ready;
	v.slice.total = total;
	return records_fact(&v);
}

const struct fact *records_fact_slice(const char *key, const char *service, uint32_t ready)
{
	return records_fact_endpoints(key, service, ready, ready + 1);
}

const struct fact *records_fact_ingress(const char *key, const char *targets, const char *rules,
                                        const char *tls_hosts, const char *hostname,
                                        int64_t created)
{
	struct fact_value v = keyed(FACT_INGRESS, key, created);
	struct list *t = split(targets, ","), *r = split(rules, ","), *tls = split(tls_hosts, ",");
	struct fact_rule rule[16] = {0};
	struct list *services[16] = {0};
	const struct fact *f;

	CHECK(r->count <= 16);
	for (size_t i = 0; i < r->count; i++) {
		char *text = strndup((const char *)r->items[i].data, r->items[i].len);
		char *equals = strchr(text, '=');
		size_t host = equals ? (size_t)(equals - text) : strlen(text);

		rule[i].host = (struct bytes){r->items[i].data, host};
		if (equals) {
			size_t left = r->items[i].len - host - 1;
			const char *from = (const char *)r->items[i].data + host + 1;

			services[i] = calloc(1, sizeof(struct list));
			for (size_t at = 0; at < left;) {
				size_t len = strcspn(equals + 1 + at, " ");

				services[i]->items[services[i]->count++] =
					(struct bytes){(const uint8_t *)from + at, len};
				at += len + 1;
			}
			rule[i].services = services[i]->items;
			rule[i].service_count = services[i]->count;
		}
		free(text);
	}
	v.ingress.targets = t->items;
	v.ingress.target_count = t->count;
	v.ingress.rules = rule;
	v.ingress.rule_count = r->count;
	v.ingress.tls_hosts = tls->items;
	v.ingress.tls_host_count = tls->count;
	v.ingress.annotations.hostname = bytes_of(hostname);
	f = records_fact(&v);
	for (size_t i = 0; i < r->count; i++)
		free(services[i]);
	free(t);
	free(r);
	free(tls);
	return f;
}

const struct fact *records_fact_node(const char *name, const char *region, const char *zone)
{
	struct fact_value v = keyed(FACT_NODE, name, 1);

	v.node.region = bytes_of(region);
	v.node.zone = bytes_of(zone);
	return records_fact(&v);
}

const struct fact *records_fact_policy(const char *key, const struct policy_value *policy,
                                       int64_t created)
{
	struct fact_value v = keyed(FACT_TRAFFIC_POLICY, key, created);

	v.policy = *policy;
	return records_fact(&v);
}
