/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "tests/support/watcher_decode.h"
#include "watcher/decode.h"

struct world {
	struct arena *arena;
	const struct fact *fact;
	struct fact_value v; /* of the fact */
	struct reason why;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	CHECK(w != NULL);
	w->arena = arena_new();
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fact_unref(w->fact);
	arena_free(w->arena);
	free(w);
	return 0;
}

static enum err decode(struct world *w, enum decode_role role, struct json_object *object)
{
	struct arena *scratch = arena_new();
	enum err err;

	fact_unref(w->fact);
	w->fact = NULL;
	err = decode_object(object, role, scratch, &w->fact, &w->why);
	arena_free(scratch);
	json_object_put(object);
	assert_true(!err || !w->fact);
	if (w->fact)
		assert_true(fact_decode(w->fact, w->arena, &w->v));
	return err;
}

static void take(struct world *w, enum decode_role role, const char *yaml)
{
	if (decode(w, role, watcher_read_yaml(yaml)) != ERR_OK)
		fail_msg("%s", w->why.text);
	assert_non_null(w->fact);
	assert_string_equal(w->why.text, "");
}

static void ignore(struct world *w, enum decode_role role, const char *yaml)
{
	assert_int_equal(decode(w, role, watcher_read_yaml(yaml)), ERR_OK);
	assert_null(w->fact);
}

static void refuse(struct world *w, enum decode_role role, const char *yaml, const char *why)
{
	assert_int_not_equal(decode(w, role, watcher_read_yaml(yaml)), ERR_OK);
	assert_string_equal(w->why.text, why);
}

#define SERVICE "apiVersion: v1\nkind: Service\n"
#define SLICE   "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\n"
#define INGRESS "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\n"
#define KFC     "apiVersion: core.kubefed.io/v1beta1\nkind: KubeFedCluster\n"
#define DNS     "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"

/* --- keys --- */

static void test_a_key_has_the_default_namespace(void **state)
{
	struct world *w = *state;

	take(w, DECODE_MEMBER, SERVICE "metadata: {name: web}\n");
	assert_int_equal(fact_get_kind(w->fact), FACT_SERVICE);
	watcher_expect_text(fact_namespace(w->fact), "default");
	watcher_expect_text(fact_name(w->fact), "web");
	assert_true(fact_created(w->fact) == FACT_NO_TIME);
	take(w, DECODE_MEMBER, SERVICE "metadata: {name: web, namespace: shop}\n");
	watcher_expect_text(fact_namespace(w->fact), "shop");
	take(w, DECODE_MEMBER,
	     "apiVersion: v1\nkind: Node\nmetadata: {name: n1.example, namespace: x}\n");
	watcher_expect_text(fact_namespace(w->fact), "");
}

static void test_creation_times_are_read_or_none(void **state)
{
	struct world *w = *state;

	take(w, DECODE_MEMBER,
	     SERVICE "metadata: {name: a, creationTimestamp: '2026-01-02T03:04:05Z'}\n");
	assert_true(fact_created(w->fact) == 1767323045);
	take(w, DECODE_MEMBER,
	     SERVICE "metadata: {name: a, creationTimestamp: 2026-01-02T03:04:05Z}\n");
	assert_true(fact_created(w->fact) == 1767323045);
	take(w, DECODE_MEMBER, SERVICE "metadata: {name: a, creationTimestamp: null}\n");
	assert_true(fact_created(w->fact) == FACT_NO_TIME);
	refuse(w, DECODE_MEMBER, SERVICE "metadata: {name: a, creationTimestamp: yesterday}\n",
	       "Service default/a: metadata.creationTimestamp: is not a time "
	       "(2026-01-02T03:04:05Z)");
}

static void test_objects_without_a_name_are_refused(void **state)
{
	struct world *w = *state;

	refuse(w, DECODE_MEMBER, SERVICE "spec: {}\n", "Service: metadata.name: is missing");
	refuse(w, DECODE_MEMBER, SERVICE "metadata: {name: ''}\n",
	       "Service: metadata.name: is empty");
	refuse(w, DECODE_MEMBER, SERVICE "metadata: {name: 7}\n",
	       "Service: metadata.name: is not a text (quotation marks missing?)");
	refuse(w, DECODE_MEMBER, SERVICE "metadata: [name]\n",
	       "Service: metadata: is not a mapping");
	refuse(w, DECODE_MEMBER, SERVICE "metadata: {name: \"a\\nb\"}\n",
	       "Service: metadata.name: is not a name (letters, digits, '-' and '.')");
	refuse(w, DECODE_MEMBER, SERVICE "metadata: {name: a/b}\n",
	       "Service: metadata.name: is not a name (letters, digits, '-' and '.')");
	refuse(w, DECODE_MEMBER, SERVICE "metadata: {name: a, namespace: ../x}\n",
	       "Service a: metadata.namespace: is not a name (letters, digits, '-' and '.')");
}

static void test_what_is_no_object_is_refused(void **state)
{
	struct world *w = *state;

	refuse(w, DECODE_HOST, "[]", "not an object (a mapping with apiVersion and kind)");
	refuse(w, DECODE_HOST, "kind: Domain", "an object without apiVersion");
	refuse(w, DECODE_HOST, "{kind: [], apiVersion: v1}", "an object without kind");
	assert_int_equal(decode(w, DECODE_HOST, NULL), ERR_PARSE);
}

static void test_kinds_count_by_group_version_and_role(void **state)
{
	struct world *w = *state;

	ignore(w, DECODE_HOST, SERVICE "metadata: {name: a}\n");
	ignore(w, DECODE_MEMBER, DNS "kind: Domain\nmetadata: {name: a}\ndomain: a.example\n");
	ignore(w, DECODE_MEMBER, "{apiVersion: v2, kind: Service}");
	ignore(w, DECODE_MEMBER, "{apiVersion: extensions/v1beta1, kind: Ingress}");
	ignore(w, DECODE_MEMBER, "{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice}");
	ignore(w, DECODE_MEMBER, "{apiVersion: serving.knative.dev/v1, kind: Service}");
	ignore(w, DECODE_HOST, "{apiVersion: apps/v1, kind: Deployment}");
	take(w, DECODE_HOST,
	     "{apiVersion: core.kubefed.io/v9, kind: KubeFedCluster, metadata: {name: a}}");
	take(w, DECODE_HOST,
	     "{apiVersion: externaldns.k8s.io/v1alpha1, kind: DNSEndpoint, metadata: {name: a}}");
}

static void test_lists_are_unfolded_and_their_items_completed(void **state)
{
	struct json_object *list =
		watcher_read_yaml("apiVersion: v1\nkind: ServiceList\n"
	                          "items: [{metadata: {name: a}}, {kind: X, apiVersion: y/z}]\n");
	struct json_object *items = decode_list_items(list), *value;

	(void)state;
	assert_int_equal(json_object_array_length(items), 2);
	assert_true(json_object_object_get_ex(json_object_array_get_idx(items, 0), "kind", &value));
	assert_string_equal(json_object_get_string(value), "Service");
	assert_true(json_object_object_get_ex(json_object_array_get_idx(items, 0), "apiVersion",
	                                      &value));
	assert_string_equal(json_object_get_string(value), "v1");
	assert_true(json_object_object_get_ex(json_object_array_get_idx(items, 1), "kind", &value));
	assert_string_equal(json_object_get_string(value), "X");
	json_object_put(list);
	list = watcher_read_yaml("{apiVersion: v1, kind: List, items: null}");
	assert_null(decode_list_items(list));
	json_object_put(list);
	list = watcher_read_yaml("{apiVersion: v1, kind: Liste, items: []}");
	assert_null(decode_list_items(list));
	json_object_put(list);
}

/* --- the host's kinds --- */

static void test_a_drain_that_is_neither_true_nor_false_is_a_warning(void **state)
{
	struct world *w = *state;

	assert_int_equal(decode(w, DECODE_HOST,
	                        watcher_read_yaml(KFC "metadata: {name: la, annotations: "
	                                              "{nigh.dev/drain: 'yes'}}\n")),
	                 ERR_OK);
	assert_non_null(w->fact);
	assert_false(w->v.cluster.drain);
	assert_non_null(strstr(w->why.text, "[nigh.dev/drain]: is not \"true\" or \"false\""));
}

static void test_a_cluster_has_place_region_zones_and_drain(void **state)
{
	struct world *w = *state;

	take(w, DECODE_HOST,
	     KFC "metadata:\n  name: la\n  namespace: kube-federation-system\n  annotations:\n"
	         "    nigh.dev/location: '34.05,-118.24'\n    nigh.dev/drain: 'true'\n"
	         "  labels: {topology.kubernetes.io/region: other}\n"
	         "status: {region: us-west-2, zones: [c, a, b, a, '']}\n");
	assert_true(w->v.cluster.has_location && w->v.cluster.drain);
	assert_true(w->v.cluster.location.latitude == 34.05);
	assert_true(w->v.cluster.location.longitude == -118.24);
	watcher_expect_text(w->v.cluster.region, "us-west-2");
	watcher_expect_texts(w->v.cluster.zones, w->v.cluster.zone_count, "a b c");
}

static void test_a_cluster_lets_back_by_a_time_alone(void **state)
{
	static const char *const bad[] = {
		KFC "metadata: {name: la, annotations: {nigh.dev/failback: soon}}\n",
		KFC
		"metadata: {name: la, annotations: {nigh.dev/failback: '1970-01-01T00:00:00Z'}}\n",
		KFC "metadata: {name: la, annotations: {nigh.dev/failback: '2026-01-01T00:00:00Z "
		    "name=www.example.com'}}\n"};
	struct world *w = *state;

	take(w, DECODE_HOST,
	     KFC "metadata: {name: la, annotations: {nigh.dev/failback: "
	         "'2026-01-01T00:00:00Z'}}\n");
	assert_int_equal(w->v.cluster.let_back_at, 1767225600);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(decode(w, DECODE_HOST, watcher_read_yaml(bad[i])), ERR_OK);
		assert_int_equal(w->v.cluster.let_back_at, 0);
		assert_non_null(strstr(w->why.text, "[nigh.dev/failback]: is not a time"));
	}
}

static void test_a_cluster_has_labels_and_a_shift(void **state)
{
	struct world *w = *state;

	take(w, DECODE_HOST,
	     KFC "metadata:\n  name: la\n  labels: {tier: backup, a.b/c: '', number: 7}\n"
	         "  annotations: {nigh.dev/shift: to=20%}\n");
	watcher_expect_texts(w->v.cluster.labels, w->v.cluster.label_count, "a.b/c= tier=backup");
	watcher_expect_text(w->v.cluster.shift, "to=20%");
	take(w, DECODE_HOST, KFC "metadata: {name: la}\n");
	assert_int_equal(w->v.cluster.label_count, 0);
	assert_int_equal(w->v.cluster.shift.len, 0);
}

static void test_region_and_zone_come_from_labels_of_either_generation(void **state)
{
	struct world *w = *state;

	take(w, DECODE_HOST,
	     KFC
	     "metadata:\n  name: la\n  labels:\n"
	     "    topology.kubernetes.io/region: new\n"
	     "    failure-domain.beta.kubernetes.io/region: old\n"
	     "    failure-domain.beta.kubernetes.io/zone: z\nstatus: {region: '', zones: []}\n");
	watcher_expect_text(w->v.cluster.region, "new");
	watcher_expect_texts(w->v.cluster.zones, w->v.cluster.zone_count, "z");
	assert_false(w->v.cluster.has_location || w->v.cluster.drain);
	take(w, DECODE_MEMBER,
	     "apiVersion: v1\nkind: Node\nmetadata:\n  name: n\n  labels:\n"
	     "    topology.kubernetes.io/zone: z1\n    failure-domain.beta.kubernetes.io/region: "
	     "r0\n");
	watcher_expect_text(w->v.node.region, "r0");
	watcher_expect_text(w->v.node.zone, "z1");
}

static void test_a_bad_location_is_a_warning(void **state)
{
	struct world *w = *state;

	assert_int_equal(decode(w, DECODE_HOST,
	                        watcher_read_yaml(KFC "metadata: {name: la, annotations: "
	                                              "{nigh.dev/location: '91,0'}}\n")),
	                 ERR_OK);
	assert_non_null(w->fact);
	assert_false(w->v.cluster.has_location);
	assert_string_equal(
		w->why.text,
		"KubeFedCluster default/la: metadata.annotations"
		"[nigh.dev/location]: is not a place (\"34.05,-118.24\"); taken without");
	refuse(w, DECODE_HOST, KFC "metadata: {name: la, annotations: {nigh.dev/drain: true}}\n",
	       "KubeFedCluster default/la: metadata.annotations[nigh.dev/drain]: is not a text "
	       "(quotation marks missing?)");
}

static void test_domains_and_records(void **state)
{
	struct world *w = *state;

	take(w, DECODE_HOST, DNS "kind: Domain\nmetadata: {name: d}\ndomain: example.com\n");
	watcher_expect_text(w->v.domain.domain, "example.com");
	refuse(w, DECODE_HOST,
	       DNS "kind: Domain\nmetadata: {name: d}\nspec: {domain: example.com}\n",
	       "Domain default/d: domain: is missing");
	take(w, DECODE_HOST,
	     DNS "kind: ServiceDNSRecord\nmetadata: {name: web}\nspec:\n  domainRef: d\n"
	         "  recordTTL: 30.0\n  dnsPrefix: p\n  externalName: e\n  "
	         "allowServiceWithoutEndpoints: true\n");
	watcher_expect_text(w->v.service_record.domain_ref, "d");
	watcher_expect_text(w->v.service_record.dns_prefix, "p");
	watcher_expect_text(w->v.service_record.external_name, "e");
	assert_true(w->v.service_record.ttl == 30);
	assert_true(w->v.service_record.allow_without_endpoints);
	take(w, DECODE_HOST,
	     DNS "kind: IngressDNSRecord\nmetadata: {name: web}\n"
	         "spec: {hosts: [a.example, '', b.example], recordTTL: -1}\n");
	watcher_expect_texts(w->v.ingress_record.hosts, w->v.ingress_record.host_count,
	                     "a.example b.example");
	assert_true(w->v.ingress_record.ttl == -1);
}

static void test_wrong_types_name_the_field(void **state)
{
	struct world *w = *state;

	refuse(w, DECODE_HOST,
	       DNS "kind: ServiceDNSRecord\nmetadata: {name: web}\nspec: {domainRef: d, recordTTL: "
	           "1.5}\n",
	       "ServiceDNSRecord default/web: spec.recordTTL: 1.5 is not a number of seconds");
	refuse(w, DECODE_HOST,
	       DNS "kind: ServiceDNSRecord\nmetadata: {name: web}\nspec: {domainRef: d, recordTTL: "
	           "'30'}\n",
	       "ServiceDNSRecord default/web: spec.recordTTL: is not a number of seconds");
	refuse(w, DECODE_HOST,
	       DNS "kind: ServiceDNSRecord\nmetadata: {name: web}\n"
	           "spec: {domainRef: d, recordTTL: 99999999999999999999}\n",
	       "ServiceDNSRecord default/web: spec.recordTTL: 1e+20 is not a number of "
	       "seconds");
	refuse(w, DECODE_HOST,
	       DNS "kind: ServiceDNSRecord\nmetadata: {name: web}\n"
	           "spec: {domainRef: d, allowServiceWithoutEndpoints: 'yes'}\n",
	       "ServiceDNSRecord default/web: spec.allowServiceWithoutEndpoints: is not true or "
	       "false");
	refuse(w, DECODE_HOST,
	       DNS "kind: IngressDNSRecord\nmetadata: {name: web}\nspec: {hosts: a.example}\n",
	       "IngressDNSRecord default/web: spec.hosts: is not a list");
	refuse(w, DECODE_HOST,
	       DNS "kind: IngressDNSRecord\nmetadata: {name: web}\nspec: {hosts: [a, null]}\n",
	       "IngressDNSRecord default/web: spec.hosts[1]: is null");
	refuse(w, DECODE_HOST,
	       DNS "kind: DNSEndpoint\nmetadata: {name: e}\nspec: {endpoints: [{targets: [{}]}]}\n",
	       "DNSEndpoint default/e: spec.endpoints[0].targets[0]: is not a text");
	refuse(w, DECODE_HOST, DNS "kind: DNSEndpoint\nmetadata: {name: e}\nspec: [x]\n",
	       "DNSEndpoint default/e: spec: is not a mapping");
}

static void test_endpoints_are_kept_as_written(void **state)
{
	struct world *w = *state;

	take(w, DECODE_HOST,
	     "apiVersion: externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\n"
	     "metadata: {name: e, labels: {nigh.dev/sites: ''}}\nspec:\n  endpoints:\n"
	     "  - {dnsName: A.example, recordType: A, recordTTL: 60, setIdentifier: s, targets: "
	     "[192.0.2.1, 192.0.2.2]}\n"
	     "  - {dnsName: t.example, recordType: TXT, targets: ['two  spaces']}\n  - {}\n");
	assert_true(w->v.dns_endpoint.is_sites);
	assert_int_equal(w->v.dns_endpoint.endpoint_count, 3);
	watcher_expect_text(w->v.dns_endpoint.endpoints[0].name, "A.example");
	watcher_expect_text(w->v.dns_endpoint.endpoints[0].set_identifier, "s");
	assert_true(w->v.dns_endpoint.endpoints[0].ttl == 60);
	watcher_expect_texts(w->v.dns_endpoint.endpoints[0].targets, 2, "192.0.2.1 192.0.2.2");
	watcher_expect_text(w->v.dns_endpoint.endpoints[1].targets[0], "two  spaces");
	assert_true(w->v.dns_endpoint.endpoints[1].ttl <= 0);
	take(w, DECODE_HOST, DNS "kind: DNSEndpoint\nmetadata: {name: e}\n");
	assert_false(w->v.dns_endpoint.is_sites);
	assert_int_equal(w->v.dns_endpoint.endpoint_count, 0);
}

#define SITES(ENDPOINT)                                                                            \
	DNS "kind: DNSEndpoint\nmetadata: {name: e, labels: {nigh.dev/sites: 'true'}}\n"           \
	    "spec: {endpoints: [{dnsName: a.example, recordType: A, targets: "                     \
	    "[192.0.2.1], " ENDPOINT "}]}\n"

static const struct fact_endpoint *take_site(struct world *w, const char *yaml)
{
	take(w, DECODE_HOST, yaml);
	assert_int_equal(w->v.dns_endpoint.endpoint_count, 1);
	return &w->v.dns_endpoint.endpoints[0];
}

static void test_a_published_site_says_its_cluster_port_and_what_has_failed(void **state)
{
	const struct fact_endpoint *e;

	e = take_site(*state, SITES("setIdentifier: la"));
	watcher_expect_text(e->set_identifier, "la");
	assert_false(e->site.is_unready || e->site.has_no_gateway || e->site.has_ready);
	assert_int_equal(e->site.port, 0);
	e = take_site(*state, SITES("labels: {nigh.dev/cluster: la, nigh.dev/port: '443', "
	                            "nigh.dev/failed: gateway, nigh.dev/endpoints: 2/3}"));
	watcher_expect_text(e->set_identifier, "la");
	assert_int_equal(e->site.port, 443);
	assert_true(e->site.has_no_gateway && !e->site.is_unready);
	assert_true(e->site.has_ready && e->site.has_total);
	assert_int_equal(e->site.ready, 2);
	assert_int_equal(e->site.total, 3);
	e = take_site(*state, SITES("setIdentifier: la, labels: {nigh.dev/cluster: la, "
	                            "nigh.dev/failed: 'endpoints,gateway', nigh.dev/endpoints: "
	                            "'0'}"));
	assert_true(e->site.has_no_gateway && e->site.is_unready);
	assert_true(e->site.has_ready && !e->site.has_total);
	/* A later version may have more that can fail. */
	e = take_site(*state, SITES("setIdentifier: la, labels: {nigh.dev/failed: disk}"));
	assert_true(e->site.is_unready);
}

static void test_a_published_site_that_contradicts_itself_is_refused(void **state)
{
	struct world *w = *state;

	refuse(w, DECODE_HOST, SITES("setIdentifier: la, labels: {nigh.dev/cluster: ny}"),
	       "DNSEndpoint default/e: spec.endpoints[0].labels[nigh.dev/cluster]: 'ny' is not the "
	       "setIdentifier 'la'");
	refuse(w, DECODE_HOST, SITES("setIdentifier: l/a"),
	       "DNSEndpoint default/e: spec.endpoints[0].setIdentifier: is not the name of a "
	       "cluster (letters, digits, '-' and '.')");
	refuse(w, DECODE_HOST, SITES("setIdentifier: la, labels: {nigh.dev/port: '65536'}"),
	       "DNSEndpoint default/e: spec.endpoints[0].labels[nigh.dev/port]: is not a port");
	refuse(w, DECODE_HOST, SITES("setIdentifier: la, labels: {nigh.dev/endpoints: 2/x}"),
	       "DNSEndpoint default/e: spec.endpoints[0].labels[nigh.dev/endpoints]: is not how "
	       "many endpoints are ready (\"2/3\")");
}

/* --- the members' kinds --- */

static void test_a_service_has_targets_and_its_first_port(void **state)
{
	struct world *w = *state;

	take(w, DECODE_MEMBER,
	     SERVICE "metadata: {name: web}\n"
	             "spec: {type: LoadBalancer, ports: [{port: 443.0, name: x}, {port: 80}]}\n"
	             "status: {loadBalancer: {ingress: [{ip: 192.0.2.1, hostname: lb.example}, "
	             "{hostname: lb2.example},"
	             " {ip: ''}]}}\n");
	watcher_expect_texts(w->v.service.targets, w->v.service.target_count,
	                     "192.0.2.1 lb.example lb2.example");
	assert_int_equal(w->v.service.port, 443);
	take(w, DECODE_MEMBER,
	     SERVICE "metadata: {name: web}\nspec: {ports: null}\nstatus: {loadBalancer: {}}\n");
	assert_int_equal(w->v.service.port, 0);
	assert_int_equal(w->v.service.target_count, 0);
	refuse(w, DECODE_MEMBER,
	       SERVICE "metadata: {name: web, namespace: shop}\nspec: {ports: [{port: 70000}]}\n",
	       "Service shop/web: spec.ports[0].port: 70000 is not a port");
	refuse(w, DECODE_MEMBER,
	       SERVICE "metadata: {name: web, namespace: shop}\nspec: {ports: [{port: http}]}\n",
	       "Service shop/web: spec.ports[0].port: is not a port");
}

static void test_annotations_come_with_either_prefix_and_the_newer_wins(void **state)
{
	struct world *w = *state;

	take(w, DECODE_MEMBER,
	     SERVICE "metadata:\n  name: web\n  annotations:\n"
	             "    external-dns.alpha.kubernetes.io/hostname: old.example\n"
	             "    external-dns.kubernetes.io/hostname: 'new.example, b.example'\n"
	             "    external-dns.alpha.kubernetes.io/target: 192.0.2.1\n"
	             "    external-dns.kubernetes.io/ttl: '60'\n"
	             "    external-dns.alpha.kubernetes.io/controller: dns-controller\n");
	watcher_expect_text(w->v.service.annotations.hostname, "new.example, b.example");
	watcher_expect_text(w->v.service.annotations.target, "192.0.2.1");
	watcher_expect_text(w->v.service.annotations.ttl, "60");
	take(w, DECODE_MEMBER, INGRESS);
	watcher_expect_text(w->v.ingress.annotations.hostname, "");
}

static void test_annotations_for_another_controller_are_ignored(void **state)
{
	struct world *w = *state;

	take(w, DECODE_MEMBER,
	     SERVICE "metadata:\n  name: web\n  annotations:\n"
	             "    external-dns.kubernetes.io/hostname: a.example\n"
	             "    external-dns.alpha.kubernetes.io/controller: other\n");
	watcher_expect_text(w->v.service.annotations.hostname, "");
}

static void test_ready_endpoints_have_an_address_and_no_other_word(void **state)
{
	struct world *w = *state;

	take(w, DECODE_MEMBER,
	     SLICE "endpoints:\n"
	           "- {addresses: [10.0.0.1], conditions: {ready: true}}\n"
	           "- {addresses: [10.0.0.2], conditions: {ready: false}}\n"
	           "- {addresses: [10.0.0.3], conditions: {ready: null}}\n"
	           "- {addresses: [10.0.0.4], conditions: null}\n"
	           "- {addresses: [10.0.0.5]}\n- {addresses: []}\n- {conditions: {ready: true}}\n");
	assert_int_equal(w->v.slice.ready, 4);
	assert_int_equal(w->v.slice.total, 7);
	take(w, DECODE_MEMBER,
	     "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	     "metadata: {name: s, labels: {kubernetes.io/service-name: web}}\nendpoints: null\n");
	watcher_expect_text(w->v.slice.service, "web");
	assert_int_equal(w->v.slice.total, 0);
	refuse(w, DECODE_MEMBER,
	       SLICE "endpoints: [{addresses: [a], conditions: {ready: 'true'}}]\n",
	       "EndpointSlice default/s: endpoints[0].conditions.ready: is not true or false");
}

static void test_an_ingress_has_rules_backends_and_tls_hosts(void **state)
{
	struct world *w = *state;

	take(w, DECODE_MEMBER,
	     INGRESS
	     "spec:\n"
	     "  defaultBackend: {service: {name: fallback, port: {number: 80}}}\n"
	     "  tls: [{hosts: [a.example, b.example]}, {secretName: x}, {hosts: [c.example]}]\n"
	     "  rules:\n"
	     "  - host: a.example\n    http:\n      paths:\n"
	     "      - {path: /, backend: {service: {name: web}}}\n"
	     "      - {path: /x, backend: {service: {name: api}}}\n"
	     "      - {path: /y, backend: {service: {name: web}}}\n"
	     "      - {path: /z, backend: {resource: {kind: Bucket, name: b}}}\n"
	     "  - {}\n"
	     "status: {loadBalancer: {ingress: [{ip: '2001:db8::1'}]}}\n");
	assert_int_equal(w->v.ingress.rule_count, 2);
	watcher_expect_text(w->v.ingress.rules[0].host, "a.example");
	watcher_expect_texts(w->v.ingress.rules[0].services, w->v.ingress.rules[0].service_count,
	                     "api web");
	watcher_expect_text(w->v.ingress.rules[1].host, "");
	assert_int_equal(w->v.ingress.rules[1].service_count, 0);
	watcher_expect_text(w->v.ingress.default_service, "fallback");
	watcher_expect_texts(w->v.ingress.tls_hosts, w->v.ingress.tls_host_count,
	                     "a.example b.example c.example");
	watcher_expect_texts(w->v.ingress.targets, w->v.ingress.target_count, "2001:db8::1");
}

static void test_texts_and_lists_have_limits(void **state)
{
	struct world *w = *state;
	struct text yaml = {0};

	text_add(&yaml,
	         SERVICE "metadata: {name: web}\nstatus: {loadBalancer: {ingress: [{hostname: ");
	for (size_t i = 0; i < 65536; i++)
		text_add(&yaml, "x");
	text_add(&yaml, "}]}}\n");
	refuse(w, DECODE_MEMBER, yaml.data,
	       "Service default/web: status.loadBalancer.ingress[0].hostname: has 65536 bytes, "
	       "over 65535");
	text_reset(&yaml);
	text_add(&yaml, SLICE "endpoints: [");
	for (size_t i = 0; i < 65536; i++)
		text_add(&yaml, "{},");
	text_add(&yaml, "]\n");
	refuse(w, DECODE_MEMBER, yaml.data,
	       "EndpointSlice default/s: endpoints: has 65536 items, over 65535");
	text_fini(&yaml);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_key_has_the_default_namespace),
		TEST(test_creation_times_are_read_or_none),
		TEST(test_objects_without_a_name_are_refused),
		TEST(test_what_is_no_object_is_refused),
		TEST(test_kinds_count_by_group_version_and_role),
		TEST(test_lists_are_unfolded_and_their_items_completed),
		TEST(test_a_cluster_has_place_region_zones_and_drain),
		TEST(test_a_drain_that_is_neither_true_nor_false_is_a_warning),
		TEST(test_region_and_zone_come_from_labels_of_either_generation),
		TEST(test_a_cluster_lets_back_by_a_time_alone),
		TEST(test_a_cluster_has_labels_and_a_shift),
		TEST(test_a_bad_location_is_a_warning),
		TEST(test_domains_and_records),
		TEST(test_wrong_types_name_the_field),
		TEST(test_endpoints_are_kept_as_written),
		TEST(test_a_published_site_says_its_cluster_port_and_what_has_failed),
		TEST(test_a_published_site_that_contradicts_itself_is_refused),
		TEST(test_a_service_has_targets_and_its_first_port),
		TEST(test_annotations_come_with_either_prefix_and_the_newer_wins),
		TEST(test_annotations_for_another_controller_are_ignored),
		TEST(test_ready_endpoints_have_an_address_and_no_other_word),
		TEST(test_an_ingress_has_rules_backends_and_tls_hosts),
		TEST(test_texts_and_lists_have_limits),
	};

	return cmocka_run_group_tests_name("watcher/decode", tests, NULL, NULL);
}
