/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records/policy_index.h"
#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

/* "Service web" (of the policy's namespace), "host www.example.com", "host *.example.com", "Domain d". */
static struct policy_target target_of(const char *text)
{
	static const char *const kinds[] = {
		[POLICY_SERVICE_DNS_RECORD] = "ServiceDNSRecord",
		[POLICY_INGRESS_DNS_RECORD] = "IngressDNSRecord",
		[POLICY_DNS_ENDPOINT] = "DNSEndpoint",
		[POLICY_SERVICE] = "Service",
		[POLICY_INGRESS] = "Ingress",
		[POLICY_DOMAIN] = "Domain",
		[POLICY_HOSTNAME] = "host",
	};
	const char *name = strchr(text, ' ') + 1;
	size_t kind = POLICY_DOMAIN;

	while (kind > 0 && (!kinds[kind] || strlen(kinds[kind]) != (size_t)(name - 1 - text) ||
	                    memcmp(kinds[kind], text, strlen(kinds[kind])) != 0))
		kind--;
	assert_true(kind > 0);
	if (kind == POLICY_HOSTNAME && name[0] == '*')
		kind = POLICY_PATTERN;
	return (struct policy_target){(enum policy_target_kind)kind, bytes_of(name)};
}

static void put(struct records_world *w, const char *key, int64_t created,
                const struct policy_value *is, const char *target, const char *other)
{
	struct policy_target targets[] = {target_of(target), target_of(other ? other : target)};
	struct policy_value p = *is;

	p.targets = targets;
	p.target_count = other ? 2 : 1;
	records_world_put(w, "", records_fact_policy(key, &p, created));
}

static const struct policy_value plain = {.ttl = 30};

static void put_plain(struct records_world *w, const char *key, int64_t created, const char *target)
{
	put(w, key, created, &plain, target, NULL);
}

static const char *const web = "web.shop.d.svc.example.com.";

/* Fails unless the name's policy is that one; NULL: none. */
static void expect(struct records_world *w, const char *owner, const char *policy)
{
	const char *shown, *at;

	records_world_build(w);
	shown = records_world_show(w, owner);
	assert_non_null(shown);
	at = strstr(shown, "; policy ");
	if (!policy) {
		assert_null(at);
		return;
	}
	assert_non_null(at);
	at += strlen("; policy ");
	assert_int_equal(strcspn(at, ";"), strlen(policy));
	assert_memory_equal(at, policy, strlen(policy));
}

static void remove_policy(struct records_world *w, const char *key)
{
	records_world_remove(w, "", FACT_TRAFFIC_POLICY, key);
}

/* --- which one --- */

static void test_the_most_specific_target_wins(void **state)
{
	static const char *const targets[] = {
		"Domain d",    "host *.example.com",   "host *.svc.example.com",
		"Service web", "ServiceDNSRecord web", "host WEB.shop.d.svc.example.com"};
	struct records_world *w = records_world_of_web();
	char key[] = "shop/0";

	(void)state;
	/* Each later one is newer, and wins all the same. */
	for (int i = 0; i < 6; i++) {
		key[5] = (char)('0' + i);
		put_plain(w, key, 100 + i, targets[i]);
		expect(w, web, key);
	}
	for (int i = 5; i > 0; i--) {
		key[5] = (char)('0' + i);
		remove_policy(w, key);
		key[5] = (char)('0' + i - 1);
		expect(w, web, key);
	}
	remove_policy(w, "shop/0");
	expect(w, web, NULL);
	records_world_free(w);
}

static void test_of_two_for_the_same_the_older_wins_then_the_name(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	put_plain(w, "shop/b", 200, "ServiceDNSRecord web");
	put_plain(w, "shop/c", 100, "ServiceDNSRecord web");
	expect(w, web, "shop/c");
	put_plain(w, "shop/a", 100, "ServiceDNSRecord web");
	expect(w, web, "shop/a");
	records_world_expect_text(records_world_policies(w), "shop/a of 5 names\n"
	                                                     "shop/b lost web to shop/a\n"
	                                                     "shop/b of 0 names\n"
	                                                     "shop/c lost web to shop/a\n"
	                                                     "shop/c of 0 names\n");
	put_plain(w, "shop/a", FACT_NO_TIME, "ServiceDNSRecord web");
	expect(w, web, "shop/c");
	records_world_free(w);
}

static void test_names_that_another_namespace_takes_are_counted(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	put_plain(w, "shop/all", 100, "ServiceDNSRecord web");
	put_plain(w, "ops/zone", 100, "Domain d");
	expect(w, web, "shop/all");
	records_world_expect_text(records_world_policies(w),
	                          "ops/zone is passed over for 5 by shop/all\n"
	                          "ops/zone of 0 names\n"
	                          "shop/all of 5 names\n");
	/* One of them goes to somebody else, who takes it from both. */
	put_plain(w, "evil/one", 200, "host web.shop.d.svc.example.com");
	expect(w, web, "evil/one");
	records_world_expect_text(records_world_policies(w),
	                          "evil/one of 1 names\n"
	                          "ops/zone is passed over for 4 by shop/all\n"
	                          "ops/zone of 0 names\n"
	                          "shop/all is passed over for 1 by evil/one\n"
	                          "shop/all of 4 names\n");
	/* Within a namespace that is what somebody wants. */
	remove_policy(w, "evil/one");
	put_plain(w, "shop/one", 200, "host web.shop.d.svc.example.com");
	expect(w, web, "shop/one");
	records_world_expect_text(records_world_policies(w),
	                          "ops/zone is passed over for 1 by shop/one\n"
	                          "ops/zone is passed over for 4 by shop/all\n"
	                          "ops/zone of 0 names\n"
	                          "shop/all of 4 names\n"
	                          "shop/one of 1 names\n");
	remove_policy(w, "ops/zone");
	expect(w, web, "shop/one");
	records_world_expect_text(records_world_policies(w), "shop/all of 4 names\n"
	                                                     "shop/one of 1 names\n");
	records_world_free(w);
}

static void test_objects_are_those_of_the_policys_namespace(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	put_plain(w, "blog/a", 1, "ServiceDNSRecord web");
	expect(w, web, NULL);
	put_plain(w, "blog/b", 1, "host web.shop.d.svc.example.com");
	expect(w, web, "blog/b");
	records_world_free(w);
}

static void test_every_kind_of_object_is_found(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "", records_fact_ingress_record("shop/in", "in.example.com", 60));
	records_world_put(
		w, "la",
		records_fact_ingress("shop/in", "192.0.2.1", "", NULL, "also.example.com", 1));
	records_world_put(w, "",
	                  records_fact_dns_endpoint("shop/e", "e.example.com 5 A 192.0.2.2", 1));
	records_world_put_annotated(w, "la", "shop/s", "192.0.2.3", "s.example.com", 1);
	put_plain(w, "shop/i", 1, "Ingress in");
	put_plain(w, "shop/e", 1, "DNSEndpoint e");
	put_plain(w, "shop/s", 1, "Service s");
	expect(w, "in.example.com.", "shop/i");
	expect(w, "also.example.com.", "shop/i");
	expect(w, "e.example.com.", "shop/e");
	expect(w, "s.example.com.", "shop/s");
	put_plain(w, "shop/r", 2, "IngressDNSRecord in");
	expect(w, "in.example.com.", "shop/r");
	expect(w, "also.example.com.", "shop/i");
	records_world_free(w);
}

static void test_a_pattern_is_for_what_is_below_it(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "",
	                  records_fact_dns_endpoint("shop/e",
	                                            "a.example.com 5 A 192.0.2.2\n"
	                                            "b.a.example.com 5 A 192.0.2.2\n"
	                                            "*.a.example.com 5 A 192.0.2.2",
	                                            1));
	put_plain(w, "shop/p", 1, "host *.a.example.com");
	expect(w, "a.example.com.", NULL);
	expect(w, "b.a.example.com.", "shop/p");
	expect(w, "*.a.example.com.", "shop/p");
	records_world_free(w);
}

static void test_a_domain_is_named_by_its_object_or_its_zone(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	put_plain(w, "shop/p", 1, "Domain example.com");
	expect(w, web, "shop/p");
	put_plain(w, "shop/p", 1, "Domain other");
	expect(w, web, NULL);
	/* It comes later than what is for it. */
	records_world_put(
		w, "", records_fact_domain("kube-federation-system/other", "svc.example.com", 1));
	expect(w, web, "shop/p");
	records_world_remove(w, "", FACT_DOMAIN, "kube-federation-system/other");
	expect(w, web, NULL);
	records_world_free(w);
}

static void test_a_region_may_have_a_policy_of_its_own(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	put_plain(w, "shop/a", 1, "ServiceDNSRecord web");
	put_plain(w, "shop/b", 1, "host web.shop.d.svc.us-west-2.example.com");
	expect(w, web, "shop/a");
	expect(w, "web.shop.d.svc.us-west-2.example.com.", "shop/b");
	expect(w, "web.shop.d.svc.us-west-2a.us-west-2.example.com.", "shop/a");
	records_world_free(w);
}

static void test_sites_beside_the_configs_records_keep_their_policy(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	records_world_put(w, "",
	                  records_fact_dns_endpoint("config/zone",
	                                            "web.shop.d.svc.example.com 60 TXT hello",
	                                            FACT_CONFIG_TIME));
	put_plain(w, "shop/a", 1, "ServiceDNSRecord web");
	expect(w, web, "shop/a");
	records_world_free(w);
}

/* --- what a change costs --- */

static void test_what_decides_between_sites_touches_no_name(void **state)
{
	const struct policy_number weights[] = {{bytes_of("la"), 7}};
	struct policy_value is = {.ttl = 5, .degraded_ttl = 1, .max_addresses = 2};
	struct records_world *w = records_world_of_web();

	(void)state;
	put_plain(w, "shop/a", 1, "Domain d");
	records_world_build(w);
	assert_true(w->last->policies_changed);
	is.weights = weights;
	is.weight_count = 1;
	is.stages[is.stage_count++] = POLICY_WEIGHTED;
	put(w, "shop/a", 1, &is, "Domain d", NULL);
	assert_int_equal(records_world_build(w), 0);
	assert_true(w->last->policies_changed);
	assert_int_equal(w->last->policies[1].is->weights[0].value, 7);
	assert_int_equal(records_world_build(w), 0);
	assert_false(w->last->policies_changed);
	records_world_free(w);
}

static void test_only_names_of_the_targets_are_given_again(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	records_world_put(w, "",
	                  records_fact_dns_endpoint("shop/e", "e.example.com 5 A 192.0.2.2", 1));
	records_world_build(w);
	put_plain(w, "shop/a", 1, "host e.example.com");
	assert_int_equal(records_world_build(w), 1);
	put(w, "shop/a", 1, &plain, "host e.example.com", "ServiceDNSRecord web");
	assert_int_equal(records_world_build(w), 5);
	put_plain(w, "shop/a", 1, "ServiceDNSRecord web");
	assert_int_equal(records_world_build(w), 1);
	expect(w, "e.example.com.", NULL);
	remove_policy(w, "shop/a");
	assert_int_equal(records_world_build(w), 5);
	records_world_free(w);
}

/* Whoever may write policies may write many: the oldest count, and the others are named. */
static void test_there_is_a_most_of_targets(void **state)
{
	enum { EACH = 64 };
	struct policy_target targets[EACH];
	struct policy_value is = {.targets = targets, .target_count = EACH};
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "",
	                  records_fact_dns_endpoint("shop/e", "e.example.com 5 A 192.0.2.2", 1));
	for (size_t i = 0; i < EACH; i++)
		targets[i] = (struct policy_target){POLICY_SERVICE, bytes_of("none")};
	for (unsigned i = 0; i < POLICY_INDEX_TARGETS_MOST / EACH; i++) {
		char key[32];

		snprintf(key, sizeof(key), "many/p%u", i);
		records_world_put(w, "", records_fact_policy(key, &is, 1));
	}
	put_plain(w, "shop/late", 2, "host e.example.com");
	expect(w, "e.example.com.", NULL);
	records_world_expect_text(records_world_problems(w),
	                          "TrafficPolicy shop/late: there are over 65536 targets: its own "
	                          "decide nothing\n");
	remove_policy(w, "many/p7");
	expect(w, "e.example.com.", "shop/late");
	records_world_expect_text(records_world_problems(w), "");
	records_world_free(w);
}

/* --- numbers --- */

static void test_a_number_is_used_again_when_nobody_has_it(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	put_plain(w, "shop/a", 1, "ServiceDNSRecord web");
	put_plain(w, "shop/b", 1, "ServiceDNSRecord other");
	records_world_build(w);
	assert_int_equal(w->last->policy_count, 3);
	assert_null(w->last->policies[0].is);
	remove_policy(w, "shop/a");
	put_plain(w, "shop/c", 1, "ServiceDNSRecord web");
	expect(w, web, "shop/c");
	assert_int_equal(w->last->policy_count, 4);
	assert_null(w->last->policies[1].is);
	put_plain(w, "shop/d", 1, "ServiceDNSRecord more");
	records_world_build(w);
	assert_int_equal(w->last->policy_count, 4);
	assert_true(bytes_equal_text(w->last->policies[1].name, "d"));
	records_world_free(w);
}

/* The guard keeps a name as it was: its policy's number is nobody else's meanwhile. */
static void test_a_held_name_keeps_the_number_of_a_policy_that_went(void **state)
{
	struct records_world *w = records_world_of_web();

	(void)state;
	w->settings.guard_min_names = 0;
	w->settings.guard_max_percent = 10;
	records_world_configure(w);
	put_plain(w, "shop/a", 1, "ServiceDNSRecord web");
	records_world_build(w);
	records_world_remove(w, "la", FACT_SERVICE, "shop/web");
	records_world_build(w);
	remove_policy(w, "shop/a");
	put_plain(w, "shop/b", 1, "host x.example.com");
	expect(w, web, "shop/a");
	assert_int_equal(w->last->policy_count, 3);
	assert_true(bytes_equal_text(w->last->policies[2].name, "b"));
	records_world_put_service(w, "la", "192.0.2.1");
	expect(w, web, NULL);
	put_plain(w, "shop/c", 1, "host y.example.com");
	records_world_build(w);
	assert_true(bytes_equal_text(w->last->policies[1].name, "c"));
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_most_specific_target_wins),
		cmocka_unit_test(test_of_two_for_the_same_the_older_wins_then_the_name),
		cmocka_unit_test(test_names_that_another_namespace_takes_are_counted),
		cmocka_unit_test(test_objects_are_those_of_the_policys_namespace),
		cmocka_unit_test(test_every_kind_of_object_is_found),
		cmocka_unit_test(test_a_pattern_is_for_what_is_below_it),
		cmocka_unit_test(test_a_domain_is_named_by_its_object_or_its_zone),
		cmocka_unit_test(test_a_region_may_have_a_policy_of_its_own),
		cmocka_unit_test(test_sites_beside_the_configs_records_keep_their_policy),
		cmocka_unit_test(test_what_decides_between_sites_touches_no_name),
		cmocka_unit_test(test_only_names_of_the_targets_are_given_again),
		cmocka_unit_test(test_there_is_a_most_of_targets),
		cmocka_unit_test(test_a_number_is_used_again_when_nobody_has_it),
		cmocka_unit_test(test_a_held_name_keeps_the_number_of_a_policy_that_went),
	};

	return cmocka_run_group_tests_name("records/policies", tests, NULL, NULL);
}
