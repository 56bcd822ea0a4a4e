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

static void test_hosts_of_an_ingress_record_follow_the_rules(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "la",
	                  records_fact_ingress("shop/web", "192.0.2.1",
	                                       "www.example.com=web,*.example.com=api,=other",
	                                       "*.example.com", NULL, 1));
	records_world_put(w, "ny", records_fact_ingress("shop/web", "192.0.2.2", "", "", NULL, 1));
	records_world_put(w, "la", records_fact_slice("shop/web-1", "web", 1));
	records_world_put(
		w, "",
		records_fact_ingress_record(
			"shop/web",
			"WWW.example.com,api.example.com,*.example.com,a.b.test,WWW.example.com",
			0));
	records_world_build(w);
	assert_int_equal(w->count, 3);
	/* An Ingress that names no Service counts as ready. */
	records_world_expect(
		w, "www.example.com.",
		"IngressDNSRecord shop/web; open; la EL A 180 192.0.2.1 [192.0.2.1:443]; "
		"ny EL A 180 192.0.2.2 [192.0.2.2:80]");
	records_world_expect(
		w, "api.example.com.",
		"IngressDNSRecord shop/web; open; la L A 180 192.0.2.1 [192.0.2.1:443]; "
		"ny EL A 180 192.0.2.2 [192.0.2.2:80]");
	records_world_expect_text(
		records_world_problems(w),
		"IngressDNSRecord shop/web: host a.b.test is outside every zone\n");
	records_world_put(w, "la", records_fact_slice("shop/api-1", "api", 1));
	assert_int_equal(records_world_build(w), 2);
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_of_an_ingress_record_follow_the_rules),
	};

	return cmocka_run_group_tests_name("records/ingress_record", tests, NULL, NULL);
}
