/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

static void test_one_host_name_in_several_clusters_is_one_name(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_annotated(w, "la", "shop/web", "192.0.2.1",
	                            "www.example.com , WWW.example.com.,bad..name", 5);
	records_world_put_annotated(w, "ny", "shop/web2", "192.0.2.2", "www.example.com", 4);
	records_world_put(w, "ny", records_fact_slice("shop/x", "web2", 1));
	records_world_build(w);
	assert_int_equal(w->count, 1);
	records_world_expect(
		w, "www.example.com.",
		"annotation www.example.com; open; la L A 30 192.0.2.1 [192.0.2.1:80]; "
		"ny EL A 30 192.0.2.2 [192.0.2.2:80]");
	records_world_expect_text(records_world_problems(w),
	                          "Service shop/web: annotation hostname 'bad..name' of cluster "
	                          "la: a label is empty\n");
	records_world_remove(w, "la", FACT_SERVICE, "shop/web");
	records_world_remove(w, "ny", FACT_SERVICE, "shop/web2");
	records_world_build(w);
	assert_int_equal(w->count, 0);
	records_world_expect_text(records_world_problems(w), "");
	records_world_free(w);
}

static void test_a_namespace_cannot_take_another_ones_name(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_annotated(w, "la", "shop/web", "192.0.2.1", "www.example.com", 5);
	records_world_put_annotated(w, "la", "shop/young", "192.0.2.9", "www.example.com", 6);
	records_world_put_annotated(w, "ny", "evil/web", "192.0.2.2", "www.example.com", 7);
	records_world_build(w);
	records_world_expect(
		w, "www.example.com.",
		"annotation www.example.com; open; la L A 30 192.0.2.1 [192.0.2.1:80]");
	records_world_expect_text(records_world_conflicts(w),
	                          "www.example.com.: Service shop/web over Service evil/web\n"
	                          "www.example.com.: Service shop/web over Service shop/young\n");
	records_world_remove(w, "la", FACT_SERVICE, "shop/web");
	records_world_build(w);
	records_world_expect(
		w, "www.example.com.",
		"annotation www.example.com; open; la L A 30 192.0.2.9 [192.0.2.9:80]");
	records_world_free(w);
}

static void test_target_and_ttl_annotations_count(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "la",
	                  records_fact_service("shop/a", "", 80, "a.example.com",
	                                       "2001:db8::1, 192.0.2.7,x.test", "1h30m", 1));
	records_world_put(w, "la",
	                  records_fact_service("shop/b", "192.0.2.1", 80, "b.example.com",
	                                       "x.test,y.test", "0", 1));
	records_world_put(w, "la",
	                  records_fact_ingress("shop/c", "192.0.2.3", "c.example.com=web", "",
	                                       "c.example.com", 1));
	records_world_put_annotated(w, "la", "shop/d", "", "d.example.com", 1);
	records_world_build(w);
	assert_int_equal(w->count, 3);
	records_world_expect(
		w, "a.example.com.",
		"annotation a.example.com; open; la L A 5400 192.0.2.7 AAAA 5400 2001:db8::1 "
		"[192.0.2.7:80 [2001:db8::1]:80]");
	records_world_expect(w, "b.example.com.",
	                     "annotation b.example.com; open; la L CNAME 30 x.test");
	records_world_expect(w, "c.example.com.",
	                     "annotation c.example.com; open; la L A 30 192.0.2.3 [192.0.2.3:80]");
	records_world_expect_text(
		records_world_problems(w),
		"Service shop/a: annotation target 'x.test' of cluster la is left out beside "
		"addresses\n"
		"Service shop/b: annotation target 'y.test' of cluster la is one name too many: "
		"only the first counts\n"
		"Service shop/b: annotation ttl '0' of cluster la is not a TTL\n");
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_host_name_in_several_clusters_is_one_name),
		cmocka_unit_test(test_a_namespace_cannot_take_another_ones_name),
		cmocka_unit_test(test_target_and_ttl_annotations_count),
	};

	return cmocka_run_group_tests_name("records/annotation_record", tests, NULL, NULL);
}
