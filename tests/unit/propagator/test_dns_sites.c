/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dns_sites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>

/* Of these clusters what stands stays. */
static bool is_unseen(struct bytes cluster, const void *arg)
{
	(void)arg;
	return bytes_equal(cluster, bytes_of("gondor")) || bytes_equal(cluster, bytes_of("shire"));
}

static void expect(const char *known, const char *standing, const char *want)
{
	struct json_object *there = standing ? json_tokener_parse(standing) : NULL;
	struct json_object *list =
		dns_sites_keep(json_tokener_parse(known), there, is_unseen, NULL);

	assert_string_equal(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN), want);
	json_object_put(list);
	json_object_put(there);
}

#define SITE(name, cluster, type, value)                                                           \
	"{\"dnsName\":\"" name "\",\"setIdentifier\":\"" cluster "\",\"recordType\":\"" type       \
	"\",\"v\":" value "}"
#define ALIAS(name) "{\"dnsName\":\"" name "\",\"recordType\":\"CNAME\"}"

static void test_a_cluster_that_is_not_seen_is_as_it_stands(void **state)
{
	(void)state;
	expect("[" SITE("a", "gondor", "A", "1") "," SITE("a", "rohan", "A", "1") "]",
	       "[" SITE("a", "gondor", "A", "2") "," SITE("a", "rohan", "A", "2") "]",
	       "[" SITE("a", "gondor", "A", "2") "," SITE("a", "rohan", "A", "1") "]");
}

static void test_all_types_of_its_endpoints_are_as_they_stand(void **state)
{
	(void)state;
	expect("[" SITE("a", "gondor", "A", "1") "," SITE("a", "gondor", "CNAME", "1") "]",
	       "[" SITE("a", "gondor", "A", "2") "," SITE("a", "gondor", "AAAA", "2") "]",
	       "[" SITE("a", "gondor", "A", "2") "," SITE("a", "gondor", "AAAA", "2") "]");
}

static void test_it_stands_where_nothing_is_known_of_it_too(void **state)
{
	(void)state;
	expect("[" ALIAS("b") "," SITE("b", "rohan", "A", "1") "]",
	       "[" SITE("a", "gondor", "A", "2") "," SITE("b", "gondor", "A", "2") "," SITE(
		       "b", "shire", "A", "2") "," SITE("c", "shire", "A", "2") "]",
	       "[" SITE("a", "gondor", "A", "2") "," ALIAS("b") "," SITE(
		       "b", "gondor", "A", "2") "," SITE("b", "rohan", "A",
	                                                 "1") "," SITE("b", "shire", "A",
	                                                               "2") "," SITE("c", "shire",
	                                                                             "A", "2") "]");
	expect("[]", "[" SITE("a", "gondor", "A", "2") "]", "[" SITE("a", "gondor", "A", "2") "]");
}

static void test_what_is_known_of_it_counts_where_it_does_not_stand(void **state)
{
	(void)state;
	expect("[" SITE("a", "gondor", "A", "1") "," SITE("b", "gondor", "A", "1") "]",
	       "[" SITE("b", "gondor", "A", "2") "]",
	       "[" SITE("a", "gondor", "A", "1") "," SITE("b", "gondor", "A", "2") "]");
	expect("[" SITE("a", "gondor", "A", "1") "]", NULL, "[" SITE("a", "gondor", "A", "1") "]");
}

static void test_in_whatever_order_it_stands_the_result_is_one(void **state)
{
	(void)state;
	expect("[" SITE("a", "rohan", "A", "1") "," SITE("b", "rohan", "A", "1") "]",
	       "[" SITE("b", "shire", "A", "2") "," SITE("b", "gondor", "A", "2") "," SITE(
		       "a", "shire", "AAAA", "2") "," SITE("a", "shire", "A", "2") "]",
	       "[" SITE("a", "rohan", "A", "1") "," SITE("a", "shire", "A", "2") "," SITE(
		       "a", "shire", "AAAA",
		       "2") "," SITE("b", "gondor", "A", "2") "," SITE("b", "rohan", "A",
	                                                               "1") "," SITE("b", "shire",
	                                                                             "A", "2") "]");
}

static void test_what_strangers_wrote_there_is_no_site(void **state)
{
	(void)state;
	expect("[]", "{\"a\":1}", "[]");
	expect("[]", "[null,3,\"gondor\",[],{},{\"setIdentifier\":[\"gondor\"]}," ALIAS("a") "]",
	       "[]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cluster_that_is_not_seen_is_as_it_stands),
		cmocka_unit_test(test_all_types_of_its_endpoints_are_as_they_stand),
		cmocka_unit_test(test_it_stands_where_nothing_is_known_of_it_too),
		cmocka_unit_test(test_what_is_known_of_it_counts_where_it_does_not_stand),
		cmocka_unit_test(test_in_whatever_order_it_stands_the_result_is_one),
		cmocka_unit_test(test_what_strangers_wrote_there_is_no_site),
	};

	return cmocka_run_group_tests_name("propagator/dns_sites", tests, NULL, NULL);
}
