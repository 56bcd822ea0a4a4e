/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "records/sites.h"
#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

/* What policies have records look at: ready endpoints, gateways, probes, sites that come back. */

static const char *const web = "web.shop.d.svc.example.com.";

static void put_policy(struct records_world *w, const struct policy_value *is)
{
	const struct policy_target target = {POLICY_SERVICE, bytes_of("web")};
	struct policy_value p = *is;

	p.targets = &target;
	p.target_count = 1;
	records_world_put(w, "", records_fact_policy("shop/p", &p, 1));
}

/* Slice `number` of shop/web in la. */
static void put_endpoints(struct records_world *w, const char *key, uint32_t ready, uint32_t total)
{
	records_world_put(w, "la", records_fact_endpoints(key, "web", ready, total));
}

static void expect(struct records_world *w, const char *owner, const char *want)
{
	records_world_build(w);
	records_world_expect(w, owner, want);
}

#define SHOWN(site)                                                                                \
	"ServiceDNSRecord shop/web; open; policy shop/p; la " site " A 60 192.0.2.1 "              \
	"[192.0.2.1:443"

static void test_ready_endpoints_are_rounded_to_the_nearest_step(void **state)
{
	static const uint16_t steps[] = {0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192};
	size_t at = 0;

	(void)state;
	for (uint64_t ready = 0; ready < 128; ready++) {
		while (2 * ready >= (uint64_t)steps[at] + steps[at + 1])
			at++;
		assert_int_equal(sites_damp(ready), steps[at]);
	}
	assert_int_equal(sites_damp(65535), 65535);
	assert_int_equal(sites_damp(UINT64_MAX), 65535);
}

/* Services have such numbers, and a rolling restart takes one after the other away. */
static void test_one_of_a_usual_number_of_endpoints_moves_nobody(void **state)
{
	static const uint16_t usual[] = {8, 12, 16, 24, 32, 48, 64, 128};

	(void)state;
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		for (int more = -1; more <= 1; more++)
			assert_int_equal(sites_damp((uint64_t)(usual[i] + more)), usual[i]);
}

static void test_too_few_ready_endpoints_are_a_layer(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	put_policy(w, &(struct policy_value){.min_ready_percent = 50});
	put_endpoints(w, "shop/web-1", 5, 10);
	expect(w, web, SHOWN("EL 5/10") "]");
	put_endpoints(w, "shop/web-1", 4, 10);
	expect(w, web, SHOWN("ELf 4/10") "]");
	/* All its slices count. */
	put_endpoints(w, "shop/web-2", 2, 2);
	expect(w, web, SHOWN("EL 6/12") "]");
	put_policy(w, &(struct policy_value){.min_ready_percent = 51});
	expect(w, web, SHOWN("ELf 6/12") "]");
	put_policy(w, &(struct policy_value){.min_ready_percent = 0});
	expect(w, web, SHOWN("EL") "]");
	records_world_free(w);
}

static void test_what_needs_no_endpoints_never_has_too_few(void **state)
{
	struct records_world *w = records_world_of_web();
	struct fact_value v = {.kind = FACT_SERVICE_DNS_RECORD,
	                       .namespace = bytes_of("shop"),
	                       .name = bytes_of("web")};
	const struct policy_value p = {
		.min_ready_percent = 50, .stages = {POLICY_CAPACITY}, .stage_count = 1};

	(void)state;
	v.service_record.domain_ref = bytes_of("d");
	v.service_record.ttl = 60;
	v.service_record.allow_without_endpoints = true;
	records_world_put(w, "", records_fact(&v));
	put_policy(w, &p);
	put_endpoints(w, "shop/web-1", 0, 4);
	expect(w, web, SHOWN("EL 0/4 capacity 1") "]");
	records_world_free(w);
}

static void test_capacity_follows_ready_endpoints_under_a_policy_that_asks(void **state)
{
	const struct policy_value capacity = {.stages = {POLICY_CAPACITY}, .stage_count = 1};
	struct records_world *w = records_world_of_web();

	(void)state;
	/* Nobody asks: a pod more is nothing. */
	put_endpoints(w, "shop/web-1", 9, 10);
	assert_int_equal(records_world_build(w), 0);
	put_policy(w, &capacity);
	expect(w, web, SHOWN("EL 9/10 capacity 8") "]");
	put_endpoints(w, "shop/web-1", 10, 10);
	expect(w, web, SHOWN("EL 10/10 capacity 12") "]");
	put_endpoints(w, "shop/web-1", 12, 12);
	expect(w, web, SHOWN("EL 12/12 capacity 12") "]");
	put_endpoints(w, "shop/web-1", 0, 12);
	expect(w, web, SHOWN("L 0/12") "]");
	records_world_free(w);
}

/* A cluster may have any number of them. */
static void test_many_slices_of_one_service_cost_no_more_than_few(void **state)
{
	struct records_world *w = records_world_of_web();
	uint64_t begin = clock_monotonic_ms();

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "shop/many-%u", i);
		put_endpoints(w, key, i % 2, 2);
	}
	records_world_build(w);
	for (unsigned i = 0; i < 1000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "shop/many-%u", i * 7);
		put_endpoints(w, key, 1, 1);
		records_world_build(w);
	}
	assert_true(clock_monotonic_ms() - begin < 20000);
	records_world_free(w);
}

/* --- Ingresses --- */

static struct records_world *world_of_ingress(const char *target, const char *rules)
{
	struct records_world *w = records_world_small();

	records_world_put(w, "", records_fact_ingress_record("shop/in", "in.example.com", 60));
	records_world_put(w, "la", records_fact_ingress("shop/in", target, rules, NULL, NULL, 1));
	records_world_build(w);
	return w;
}

#define IN_SHOWN(site) "IngressDNSRecord shop/in; open; la " site " A 60 192.0.2.9 [192.0.2.9:80]"

static void test_the_worst_service_behind_a_host_counts(void **state)
{
	const struct policy_target target = {POLICY_INGRESS, bytes_of("in")};
	const struct policy_value p = {.targets = &target,
	                               .target_count = 1,
	                               .min_ready_percent = 50,
	                               .stages = {POLICY_CAPACITY},
	                               .stage_count = 1};
	struct records_world *w = world_of_ingress("192.0.2.9", "in.example.com=web api,=other");

	(void)state;
	records_world_put(w, "", records_fact_policy("shop/p", &p, 1));
	records_world_put(w, "la", records_fact_endpoints("shop/a", "web", 4, 4));
	records_world_put(w, "la", records_fact_endpoints("shop/b", "api", 5, 8));
	records_world_put(w, "la", records_fact_endpoints("shop/c", "other", 0, 9));
	expect(w, "in.example.com.",
	       "IngressDNSRecord shop/in; open; policy shop/p; la EL 5/8 capacity 6 A 60 192.0.2.9 "
	       "[192.0.2.9:80]");
	records_world_put(w, "la", records_fact_endpoints("shop/b", "api", 3, 8));
	expect(w, "in.example.com.",
	       "IngressDNSRecord shop/in; open; policy shop/p; la ELf 3/8 capacity 3 A 60 "
	       "192.0.2.9 [192.0.2.9:80]");
	records_world_remove(w, "la", FACT_ENDPOINT_SLICE, "shop/b");
	expect(w, "in.example.com.",
	       "IngressDNSRecord shop/in; open; policy shop/p; la ELf capacity 1 A 60 192.0.2.9 "
	       "[192.0.2.9:80]");
	records_world_free(w);
}

static void put_gate(struct records_world *w, const char *addresses)
{
	records_world_put(w, "la",
	                  records_fact_service("ingress/gate", addresses, 80, NULL, NULL, NULL, 1));
}

static void test_a_controller_without_ready_endpoints_is_no_gateway(void **state)
{
	struct records_world *w = world_of_ingress("192.0.2.9", "");

	(void)state;
	expect(w, "in.example.com.", IN_SHOWN("EL"));
	/* One that nothing is known of. */
	put_gate(w, "192.0.2.9");
	expect(w, "in.example.com.", IN_SHOWN("EL"));
	records_world_put(w, "la", records_fact_endpoints("ingress/gate-1", "gate", 0, 0));
	expect(w, "in.example.com.", IN_SHOWN("ELg"));
	records_world_put(w, "la", records_fact_endpoints("ingress/gate-1", "gate", 1, 1));
	expect(w, "in.example.com.", IN_SHOWN("EL"));
	records_world_put(w, "la", records_fact_endpoints("ingress/gate-1", "gate", 0, 1));
	expect(w, "in.example.com.", IN_SHOWN("ELg"));
	/* Another one has the address as well. */
	records_world_put_annotated(w, "la", "ingress/other", "192.0.2.9", NULL, 1);
	expect(w, "in.example.com.", IN_SHOWN("EL"));
	records_world_remove(w, "la", FACT_SERVICE, "ingress/other");
	expect(w, "in.example.com.", IN_SHOWN("ELg"));
	put_gate(w, "192.0.2.8");
	expect(w, "in.example.com.", IN_SHOWN("EL"));
	records_world_free(w);
}

static void test_a_gateway_of_another_cluster_is_none(void **state)
{
	struct records_world *w = world_of_ingress("192.0.2.9", "");

	(void)state;
	records_world_put(
		w, "ny",
		records_fact_service("ingress/gate", "192.0.2.9", 80, NULL, NULL, NULL, 1));
	records_world_put(w, "ny", records_fact_endpoints("ingress/gate-1", "gate", 0, 1));
	expect(w, "in.example.com.", IN_SHOWN("EL"));
	records_world_free(w);
}

static void test_a_gateway_may_be_known_by_its_host_name(void **state)
{
	struct records_world *w = world_of_ingress("LB.test.", "");

	(void)state;
	put_gate(w, "lb.test");
	records_world_put(w, "la", records_fact_endpoints("ingress/gate-1", "gate", 0, 1));
	expect(w, "in.example.com.", "IngressDNSRecord shop/in; open; la Eg");
	records_world_free(w);
}

/* --- probes --- */

static const struct policy_check healthz = {.kind = POLICY_CHECK_HTTPS,
                                            .path = {(const uint8_t *)"/healthz", 8}};

static void test_a_policy_says_how_its_sites_are_probed(void **state)
{
	struct policy_value p = {.check = healthz};
	struct records_world *w = records_world_of_web();

	(void)state;
	put_policy(w, &p);
	expect(w, web, SHOWN("EL") " https web.shop.d.svc.example.com/healthz]");
	p.check.port = 8443;
	p.check.host = bytes_of("h.test");
	put_policy(w, &p);
	expect(w, web,
	       "ServiceDNSRecord shop/web; open; policy shop/p; la EL A 60 192.0.2.1 "
	       "[192.0.2.1:8443 https h.test/healthz]");
	p.check.mode = POLICY_MODE_OFF;
	put_policy(w, &p);
	expect(w, web, "ServiceDNSRecord shop/web; open; policy shop/p; la EL A 60 192.0.2.1");
	assert_int_equal(w->last->checks[1].key.len, 0);
	records_world_free(w);
}

static size_t count_checks(const struct records_world *w)
{
	size_t count = 0;

	for (size_t i = 0; i < w->last->check_count; i++)
		count += w->last->checks[i].is != NULL;
	return count;
}

static void test_equal_checks_and_addresses_are_probed_once(void **state)
{
	struct policy_value p = {.check = healthz};
	struct records_world *w = records_world_of_web();
	size_t probes = 0;

	(void)state;
	p.check.host = bytes_of("h.test");
	put_policy(w, &p);
	records_world_put_annotated(w, "la", "shop/web2", "192.0.2.1", "a.example.com", 1);
	records_world_build(w);
	assert_int_equal(count_checks(w), 1);
	for (size_t i = 0; i < w->last->probe_count; i++)
		probes += w->last->probes[i].addr.family != ADDR_NONE;
	assert_int_equal(probes,
	                 2); /* one by the policy, for all names of the record; one to port 80 */
	records_world_free(w);
}

/* Whoever follows the results sees it free before it means something else. */
static void test_a_checks_index_is_free_for_a_build_before_it_is_used_again(void **state)
{
	struct policy_value p = {.check = healthz};
	struct records_world *w = records_world_of_web();

	(void)state;
	put_policy(w, &p);
	records_world_build(w);
	assert_non_null(w->last->checks[1].is);
	p.check.path = bytes_of("/other");
	put_policy(w, &p);
	records_world_build(w);
	assert_true(w->last->wants_changed);
	assert_null(w->last->checks[1].is);
	assert_true(bytes_equal_text(w->last->checks[2].is->path, "/other"));
	p.check.path = bytes_of("/third");
	put_policy(w, &p);
	records_world_build(w);
	assert_true(bytes_equal_text(w->last->checks[1].is->path, "/third"));
	assert_null(w->last->checks[2].is);
	records_world_free(w);
}

static void test_secrets_make_a_check_that_of_its_namespace(void **state)
{
	struct policy_value p = {.check = healthz};
	struct records_world *w = records_world_of_web();

	(void)state;
	p.check.ca_secret = bytes_of("ca");
	put_policy(w, &p);
	records_world_build(w);
	assert_true(bytes_equal_text(w->last->checks[1].namespace, "shop"));
	p.check.ca_secret = bytes_of("");
	put_policy(w, &p);
	records_world_build(w);
	assert_int_equal(w->last->checks[2].namespace.len, 0);
	records_world_free(w);
}

/* --- failback --- */

static void test_each_site_of_each_name_proves_itself(void **state)
{
	struct records_world *w = records_world_of_web();
	struct policy_value p = {.failback = POLICY_AFTER, .stable_for_ms = 1000};
	size_t names = 0;

	(void)state;
	records_world_put_service(w, "ny", "192.0.2.2");
	put_policy(w, &p);
	records_world_build(w);
	/* The global name at two, two regions and two zones at one each. */
	assert_int_equal(w->last->hold_back_count, 1 + 6);
	assert_int_equal(w->last->holds_back[0].owner.len, 0);
	for (size_t i = 1; i < w->last->hold_back_count; i++)
		names += w->last->holds_back[i].policy == 1;
	assert_int_equal(names, 6);
	/* How long it has to be stable touches no name. */
	p.stable_for_ms = 2000;
	put_policy(w, &p);
	assert_int_equal(records_world_build(w), 0);
	assert_false(w->last->wants_changed);
	p.failback = POLICY_IMMEDIATE;
	put_policy(w, &p);
	records_world_build(w);
	for (size_t i = 0; i < w->last->hold_back_count; i++)
		assert_int_equal(w->last->holds_back[i].owner.len, 0);
	records_world_free(w);
}

static void test_a_site_keeps_its_hold_while_other_things_change(void **state)
{
	const struct policy_value p = {.failback = POLICY_MANUAL};
	struct records_world *w = records_world_of_web();
	const char *shown = SHOWN("EL held as web.shop.d.svc.example.com.") "]";

	(void)state;
	put_policy(w, &p);
	expect(w, web, shown);
	records_world_put_service(w, "ny", "192.0.2.2");
	records_world_build(w);
	records_world_remove(w, "ny", FACT_SERVICE, "shop/web");
	expect(w, web, shown);
	assert_true(
		bytes_equal_text((struct bytes){w->last->holds_back[1].owner.data, 4}, "\3web"));
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_endpoints_are_rounded_to_the_nearest_step),
		cmocka_unit_test(test_one_of_a_usual_number_of_endpoints_moves_nobody),
		cmocka_unit_test(test_too_few_ready_endpoints_are_a_layer),
		cmocka_unit_test(test_what_needs_no_endpoints_never_has_too_few),
		cmocka_unit_test(test_capacity_follows_ready_endpoints_under_a_policy_that_asks),
		cmocka_unit_test(test_many_slices_of_one_service_cost_no_more_than_few),
		cmocka_unit_test(test_the_worst_service_behind_a_host_counts),
		cmocka_unit_test(test_a_controller_without_ready_endpoints_is_no_gateway),
		cmocka_unit_test(test_a_gateway_of_another_cluster_is_none),
		cmocka_unit_test(test_a_gateway_may_be_known_by_its_host_name),
		cmocka_unit_test(test_a_policy_says_how_its_sites_are_probed),
		cmocka_unit_test(test_equal_checks_and_addresses_are_probed_once),
		cmocka_unit_test(test_a_checks_index_is_free_for_a_build_before_it_is_used_again),
		cmocka_unit_test(test_secrets_make_a_check_that_of_its_namespace),
		cmocka_unit_test(test_each_site_of_each_name_proves_itself),
		cmocka_unit_test(test_a_site_keeps_its_hold_while_other_things_change),
	};

	return cmocka_run_group_tests_name("records/sites", tests, NULL, NULL);
}
