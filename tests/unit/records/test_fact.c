/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "records/fact.h"
#include "tests/support/records_facts.h"

static void assert_text(struct bytes have, const char *want)
{
	assert_true(bytes_equal_text(have, want));
}

static struct addr_network network(const char *text)
{
	struct addr_network n;
	struct reason why;

	assert_int_equal(addr_network_parse(bytes_of(text), &n, &why), ERR_OK);
	return n;
}

#define B(text)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}
#define N(list) (sizeof(list) / sizeof((list)[0]))

/* Every field has a value that is not its absence, and no two the same. */
static const struct fact *full_policy(void)
{
	const struct policy_target targets[] = {{POLICY_SERVICE_DNS_RECORD, B("web")},
	                                        {POLICY_PATTERN, B("*.shop.example.com")}};
	const struct bytes continents[] = {B("EU")}, countries[] = {B("DE"), B("FR")};
	const struct bytes subdivisions[] = {B("US-CA")}, clusters[] = {B("frankfurt"), B("la")};
	const struct addr_network networks[] = {network("192.0.2.0/24"), network("2001:db8::/33")};
	const struct policy_fence fences[] = {
		{continents, 1, countries, 2, subdivisions, 1, networks, 2, clusters, 1, true},
		{.continents = continents,
	         .continent_count = 1,
	         .clusters = clusters,
	         .cluster_count = 2}};
	const struct policy_requirement selector[] = {{B("tier"), POLICY_NOT_IN, countries, 2}};
	const struct policy_tier tiers[] = {
		{clusters, 2, false, NULL, 0},
		{.has_selector = true, .selector = selector, .selector_count = 1}};
	const struct policy_number biases[] = {{B("la"), -200}},
				   weights[] = {{B("la"), 80}, {B("fra"), 20}};
	const struct policy_header headers[] = {{B("X-Probe"), B("nigh")}};
	const struct policy_range status[] = {{200, 299}, {301, 301}};
	struct policy_value p = {
		.targets = targets,
		.target_count = 2,
		.stages = {POLICY_GEOFENCE, POLICY_FAILOVER, POLICY_NEAREST, POLICY_LATENCY,
	                   POLICY_WEIGHTED, POLICY_STICKY, POLICY_CAPACITY, POLICY_ALL},
		.stage_count = 8,
		.fences = fences,
		.fence_count = 2,
		.tiers = tiers,
		.tier_count = 2,
		.biases = biases,
		.bias_count = 1,
		.same_region_first = true,
		.weights = weights,
		.weight_count = 2,
		.sticky_ipv4 = 20,
		.sticky_ipv6 = 40,
		.unknown_order = clusters,
		.unknown_order_count = 1,
		.unknown_by_resolver = true,
		.unknown_weights = weights,
		.unknown_weight_count = 1,
		.ttl = 31,
		.degraded_ttl = 6,
		.max_addresses = 7,
		.no_data_when_all_down = true,
		.has_unseen_after = true,
		.unseen_after_ms = 600000,
		.min_ready_percent = 50,
		.failback = POLICY_AFTER,
		.stable_for_ms = 700000,
		.let_back = {1767225600, B("www.example.com"), B("la")},
		.generation = 7,
		.check = {POLICY_CHECK_HTTPS,
	                  8443,
	                  B("h"),
	                  B("/p"),
	                  B("i"),
	                  B("ok"),
	                  B("ca"),
	                  B("crt"),
	                  B("key"),
	                  B("cas"),
	                  B("cls"),
	                  true,
	                  true,
	                  headers,
	                  1,
	                  status,
	                  2,
	                  1000,
	                  900,
	                  3,
	                  2,
	                  2},
	};

	return records_fact_policy("shop/web", &p, 9);
}

static const struct fact *labelled_cluster(void)
{
	const struct bytes labels[] = {B("a=1"), B("tier=backup")};
	struct fact_value v = {.kind = FACT_KUBEFED_CLUSTER,
	                       .name = B("la"),
	                       .namespace = B("kube-federation-system")};

	v.cluster.region = bytes_of("us-west-2");
	v.cluster.shift = bytes_of("to=20%");
	v.cluster.let_back_at = 1767225600;
	v.cluster.labels = labels;
	v.cluster.label_count = 2;
	return records_fact(&v);
}

static const struct fact *published_sites(void)
{
	static const struct fact_endpoint list[] = {
		{.name = B("www.example.com"), .type = B("CNAME"), .ttl = 60},
		{.name = B("www.example.com"),
	         .type = B("A"),
	         .set_identifier = B("la"),
	         .site = {443, true, true, true, true, 2, 3}},
		{.name = B("www.example.com"),
	         .type = B("A"),
	         .set_identifier = B("ny"),
	         .site = {.has_ready = true}},
	};
	struct fact_value v = {.kind = FACT_DNS_ENDPOINT,
	                       .namespace = B("shop"),
	                       .name = B("nigh-ingress-web"),
	                       .dns_endpoint = {true, list, 3}};

	return records_fact(&v);
}

static const struct fact *sample(size_t i)
{
	switch (i) {
	case 0:
		return records_fact_cluster("la", "us-west-2", "us-west-2a,us-west-2b",
		                            "34.05,-118.24", true);
	case 1:
		return records_fact_domain("kube-federation-system/d", "example.com", FACT_NO_TIME);
	case 2:
		return records_fact_service_record("shop/web", "d", -5, "www", "front");
	case 3:
		return records_fact_ingress_record("shop/web", "a.example.com,*.example.com", 300);
	case 4:
		return records_fact_dns_endpoint("shop/x",
		                                 "a.b 30 A 192.0.2.1 192.0.2.2\n"
		                                 "b.b 0 TYPE65280 x\nc.b 5 TXT",
		                                 FACT_CONFIG_TIME);
	case 5:
		return records_fact_service("shop/web", "192.0.2.1,lb.test", 443, "a.b",
		                            "192.0.2.9", "30", 77);
	case 6:
		return records_fact_slice("shop/web-1", "web", 3);
	case 7:
		return records_fact_ingress("shop/web", "192.0.2.1", "a.b=web api,=web", "a.b,*.c",
		                            "a.b", 5);
	case 8:
		return records_fact_node("n1", "us-west-2", "us-west-2a");
	case 9: {
		struct fact_value v = {.kind = FACT_EXTERNAL_DNS_ENDPOINT, .name = B("x")};

		return records_fact(&v);
	}
	case 10:
		return full_policy();
	case 11:
		return labelled_cluster();
	case 12:
		return published_sites();
	default:
		return NULL;
	}
}

static void test_what_is_decoded_encodes_to_the_same_bytes(void **state)
{
	const struct fact *f;

	(void)state;
	for (size_t i = 0; (f = sample(i)) != NULL; i++) {
		struct arena *a = arena_new();
		struct fact_value v;
		const struct fact *again, *copy;

		assert_true(fact_decode(f, a, &v));
		assert_int_equal(v.kind, i < 11    ? i + 1
		                         : i == 11 ? FACT_KUBEFED_CLUSTER
		                                   : FACT_DNS_ENDPOINT);
		assert_int_equal(fact_is_sites(f), i == 12);
		assert_int_equal(fact_get_kind(f), v.kind);
		again = records_fact(&v);
		assert_true(fact_equal(f, again));
		copy = fact_from_bytes(fact_bytes(f));
		assert_true(fact_equal(f, copy));
		fact_unref(copy);
		fact_unref(again);
		fact_unref(f);
		arena_free(a);
	}
}

static void test_fields_come_back(void **state)
{
	struct arena *a = arena_new();
	struct fact_value v;
	const struct fact *f = sample(7);

	(void)state;
	assert_true(fact_decode(f, a, &v));
	assert_text(v.namespace, "shop");
	assert_text(v.name, "web");
	assert_int_equal(v.created, 5);
	assert_int_equal(v.ingress.rule_count, 2);
	assert_text(v.ingress.rules[0].host, "a.b");
	assert_int_equal(v.ingress.rules[0].service_count, 2);
	assert_text(v.ingress.rules[0].services[1], "api");
	assert_text(v.ingress.rules[1].host, "");
	assert_text(v.ingress.tls_hosts[1], "*.c");
	assert_text(v.ingress.annotations.hostname, "a.b");
	fact_unref(f);
	f = sample(2);
	assert_true(fact_decode(f, a, &v));
	assert_int_equal(v.service_record.ttl, -5);
	assert_text(v.service_record.external_name, "front");
	fact_unref(f);
	f = sample(0);
	assert_true(fact_decode(f, a, &v));
	assert_true(v.cluster.drain && v.cluster.has_location);
	assert_true(v.cluster.location.longitude == -118.24);
	assert_int_equal(v.cluster.zone_count, 2);
	fact_unref(f);
	arena_free(a);
}

static void test_every_field_of_a_policy_comes_back(void **state)
{
	struct arena *a = arena_new();
	const struct fact *f = full_policy();
	struct fact_value v;
	const struct policy_value *p = &v.policy;

	(void)state;
	assert_true(fact_decode(f, a, &v));
	assert_int_equal(p->targets[1].kind, POLICY_PATTERN);
	assert_text(p->targets[1].name, "*.shop.example.com");
	assert_int_equal(p->stage_count, 8);
	assert_int_equal(p->stages[7], POLICY_ALL);
	assert_text(p->fences[0].subdivisions[0], "US-CA");
	assert_int_equal(p->fences[0].networks[1].len, 33);
	assert_true(p->fences[0].required && !p->fences[1].required);
	assert_text(p->tiers[1].selector[0].values[1], "FR");
	assert_int_equal(p->tiers[1].selector[0].operator, POLICY_NOT_IN);
	assert_int_equal(p->biases[0].value, -200);
	assert_int_equal(p->weights[1].value, 20);
	assert_true(p->same_region_first && p->unknown_by_resolver && p->no_data_when_all_down);
	assert_int_equal(p->sticky_ipv4, 20);
	assert_int_equal(p->sticky_ipv6, 40);
	assert_int_equal(p->ttl, 31);
	assert_int_equal(p->degraded_ttl, 6);
	assert_int_equal(p->max_addresses, 7);
	assert_int_equal(p->unseen_after_ms, 600000);
	assert_int_equal(p->min_ready_percent, 50);
	assert_int_equal(p->failback, POLICY_AFTER);
	assert_int_equal(p->stable_for_ms, 700000);
	assert_int_equal(p->let_back.at, 1767225600);
	assert_text(p->let_back.name, "www.example.com");
	assert_text(p->let_back.cluster, "la");
	assert_int_equal(p->generation, 7);
	assert_int_equal(p->check.kind, POLICY_CHECK_HTTPS);
	assert_int_equal(p->check.port, 8443);
	assert_text(p->check.host, "h");
	assert_text(p->check.path, "/p");
	assert_text(p->check.body, "ok");
	assert_text(p->check.certificate_file, "crt");
	assert_text(p->check.key_file, "key");
	assert_text(p->check.ca_secret, "cas");
	assert_text(p->check.client_secret, "cls");
	assert_true(p->check.tls && p->check.insecure);
	assert_text(p->check.headers[0].value, "nigh");
	assert_int_equal(p->check.status[1].from, 301);
	assert_int_equal(p->check.interval_ms, 1000);
	assert_int_equal(p->check.up, 2);
	assert_int_equal(p->check.mode, 2);
	fact_unref(f);
	arena_free(a);
}

/* State that was written before there were labels is read as having none. */
static void test_a_cluster_without_labels_has_the_bytes_of_old(void **state)
{
	static const uint8_t old[] = {1, 2, 1, 'h', 2, 'l', 'a', 2, 1, 'r', 1, 1, 'z'};
	struct arena *a = arena_new();
	const struct fact *f = fact_from_bytes((struct bytes){old, sizeof(old)}), *again;
	struct fact_value v;

	(void)state;
	assert_true(fact_decode(f, a, &v));
	assert_true(v.cluster.drain);
	assert_int_equal(v.cluster.label_count, 0);
	assert_int_equal(v.cluster.shift.len, 0);
	assert_int_equal(v.cluster.let_back_at, 0);
	again = records_fact(&v);
	assert_true(fact_equal(f, again));
	fact_unref(again);
	fact_unref(f);
	f = labelled_cluster();
	assert_true(fact_decode(f, a, &v));
	assert_text(v.cluster.shift, "to=20%");
	assert_int_equal(v.cluster.let_back_at, 1767225600);
	assert_text(v.cluster.labels[1], "tier=backup");
	fact_unref(f);
	arena_free(a);
}

static void test_the_key_is_read_without_the_rest(void **state)
{
	const struct fact *f = sample(1);

	(void)state;
	assert_text(fact_namespace(f), "kube-federation-system");
	assert_text(fact_name(f), "d");
	assert_true(fact_created(f) == FACT_NO_TIME);
	fact_unref(f);
	f = sample(4);
	assert_true(fact_created(f) == FACT_CONFIG_TIME);
	fact_unref(f);
}

/* An endpoint with a name of 20 characters like that of its neighbour, and an address. */
static void test_an_endpoint_is_small(void **state)
{
	const struct fact *one, *two;

	(void)state;
	one = records_fact_dns_endpoint("a/b", "n0000001.example.com 300 A 10.20.30.40", 1);
	two = records_fact_dns_endpoint("a/b",
	                                "n0000001.example.com 300 A 10.20.30.40\n"
	                                "n0000002.example.com 300 A 10.20.30.41",
	                                1);
	assert_in_range(fact_bytes(two).len - fact_bytes(one).len, 1, 17);
	fact_unref(one);
	fact_unref(two);
}

static void test_names_that_end_alike_and_any_target_come_back_as_written(void **state)
{
	static const struct {
		const char *name, *type, *target;
	} as_written[] = {
		{"a.example.com", "A", "192.0.2.1"},
		{"b.example.com", "A", "192.0.2.01"},
		{"B.EXAMPLE.com", "a", "192.0.2.1"},
		{"example.com", "A", "1.2.3"},
		{"x.example.com", "A", "255.255.0.10"},
		{"x.example.com", "A", "255.255.0.10"},
		{".com", "A", "0.0.0.0"},
		{"", "AAAA", "192.0.2.1"},
		{"com", "A", "::192.0.2.1"},
		{"com", "A", ""},
		{"com.", "CNAME", "100.200.30.4"},
		{"y.com.", "A", "100.200.30.4 "},
	};
	enum { COUNT = sizeof(as_written) / sizeof(as_written[0]) };
	struct fact_endpoint endpoint[COUNT] = {{.ttl = 0}};
	struct bytes target[COUNT];
	struct fact_value v = {.kind = FACT_DNS_ENDPOINT, .name = bytes_of("d")}, again;
	struct arena *a = arena_new();
	struct reason why;
	const struct fact *f;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		target[i] = bytes_of(as_written[i].target);
		endpoint[i].name = bytes_of(as_written[i].name);
		endpoint[i].type = bytes_of(as_written[i].type);
		endpoint[i].targets = &target[i];
		endpoint[i].target_count = 1;
	}
	v.dns_endpoint.endpoints = endpoint;
	v.dns_endpoint.endpoint_count = COUNT;
	assert_int_equal(fact_encode(&v, &f, &why), ERR_OK);
	assert_true(fact_decode(f, a, &again));
	assert_int_equal(again.dns_endpoint.endpoint_count, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		const struct fact_endpoint *e = &again.dns_endpoint.endpoints[i];

		assert_true(bytes_equal_text(e->name, as_written[i].name));
		assert_true(bytes_equal_text(e->type, as_written[i].type));
		assert_int_equal(e->target_count, 1);
		assert_true(bytes_equal_text(e->targets[0], as_written[i].target));
	}
	fact_unref(f);
	arena_free(a);
}

static void test_too_long_a_string_or_list_is_refused(void **state)
{
	static char text[65536 + 1];
	static struct bytes list[65536];
	struct fact_value v = {.kind = FACT_DOMAIN, .name = bytes_of("d")};
	struct fact_endpoint endpoint[2] = {{.ttl = 0}};
	const struct fact *f;
	struct reason why;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	v.domain.domain = bytes_of(text);
	assert_int_equal(fact_encode(&v, &f, &why), ERR_RANGE);
	assert_string_equal(why.text, "a string of 65536 bytes is too long");
	v.domain.domain.len--;
	assert_int_equal(fact_encode(&v, &f, &why), ERR_OK);
	fact_unref(f);
	v.kind = FACT_INGRESS_DNS_RECORD;
	v.ingress_record.hosts = list;
	v.ingress_record.host_count = 65536;
	v.ingress_record.ttl = 0;
	assert_int_equal(fact_encode(&v, &f, &why), ERR_RANGE);
	assert_string_equal(why.text, "a list of 65536 items is too long");
	/* Also a name of which only the beginning would be written. */
	endpoint[0].name = (struct bytes){(const uint8_t *)text + 1, 65535};
	endpoint[1].name = (struct bytes){(const uint8_t *)text, 65536};
	v = (struct fact_value){.kind = FACT_DNS_ENDPOINT, .name = bytes_of("d")};
	v.dns_endpoint.endpoints = endpoint;
	v.dns_endpoint.endpoint_count = 2;
	assert_int_equal(fact_encode(&v, &f, &why), ERR_RANGE);
}

/* A stage orders once. */
static void test_a_policy_has_no_stage_twice(void **state)
{
	struct fact_value v = {.kind = FACT_TRAFFIC_POLICY,
	                       .namespace = bytes_of("shop"),
	                       .name = bytes_of("web"),
	                       .created = 1};
	struct arena *a = arena_new();
	const struct fact *f;
	struct reason why = {0};

	(void)state;
	v.policy.stages[0] = v.policy.stages[1] = POLICY_NEAREST;
	v.policy.stage_count = 2;
	assert_int_equal(fact_encode(&v, &f, &why), ERR_OK);
	assert_false(fact_decode(f, a, &v));
	fact_unref(f);
	arena_free(a);
}

/* Every cut and every changed byte of every sample: refused or decoded, never beyond the bytes. */
static void test_damaged_bytes_are_bounded(void **state)
{
	const struct fact *f;

	(void)state;
	for (size_t i = 0; (f = sample(i)) != NULL; i++) {
		struct bytes good = fact_bytes(f);
		struct arena *a = arena_new();

		for (size_t cut = 0; cut < good.len; cut++) {
			const struct fact *bad = fact_from_bytes((struct bytes){good.data, cut});
			struct fact_value v;

			if (bad)
				assert_false(fact_decode(bad, a, &v));
			fact_unref(bad);
		}
		for (size_t at = 0; at < good.len * 256; at++) {
			uint8_t *copy = malloc(good.len);
			const struct fact *bad;
			struct fact_value v;

			memcpy(copy, good.data, good.len);
			copy[at / 256] = (uint8_t)at;
			bad = fact_from_bytes((struct bytes){copy, good.len});
			if (bad && fact_decode(bad, a, &v) && v.kind != 0) {
				/* Then it is another value, and has one form. */
				const struct fact *again = records_fact(&v);

				assert_true(fact_kind_is_dns_endpoint(v.kind) ||
				            fact_equal(bad, again));
				fact_unref(again);
			}
			fact_unref(bad);
			free(copy);
			arena_reset(a);
		}
		arena_free(a);
		fact_unref(f);
	}
}

static void test_foreign_bytes_are_not_facts(void **state)
{
	(void)state;
	assert_null(fact_from_bytes(bytes_of("")));
	assert_null(fact_from_bytes((struct bytes){(const uint8_t *)"\0\0\0\0", 4}));
	assert_null(fact_from_bytes((struct bytes){(const uint8_t *)"\14\0\0\0", 4}));
	assert_null(fact_from_bytes((struct bytes){(const uint8_t *)"\11\0\0\5n", 5}));
}

static void test_users_are_counted(void **state)
{
	const struct fact *f = sample(8);

	(void)state;
	assert_ptr_equal(fact_ref(f), f);
	fact_unref(f);
	assert_text(fact_name(f), "n1");
	fact_unref(f);
	fact_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_decoded_encodes_to_the_same_bytes),
		cmocka_unit_test(test_fields_come_back),
		cmocka_unit_test(test_every_field_of_a_policy_comes_back),
		cmocka_unit_test(test_a_cluster_without_labels_has_the_bytes_of_old),
		cmocka_unit_test(test_the_key_is_read_without_the_rest),
		cmocka_unit_test(test_an_endpoint_is_small),
		cmocka_unit_test(test_names_that_end_alike_and_any_target_come_back_as_written),
		cmocka_unit_test(test_too_long_a_string_or_list_is_refused),
		cmocka_unit_test(test_a_policy_has_no_stage_twice),
		cmocka_unit_test(test_damaged_bytes_are_bounded),
		cmocka_unit_test(test_foreign_bytes_are_not_facts),
		cmocka_unit_test(test_users_are_counted),
	};

	return cmocka_run_group_tests_name("records/fact", tests, NULL, NULL);
}
