/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kube/path.h"

static void expect(const struct kube_resource *r, const char *namespace, const char *name,
                   const char *want)
{
	struct text path = {0};

	kube_path(&path, r, namespace, name);
	assert_string_equal(path.data, want);
	text_fini(&path);
}

static void test_the_core_group_and_named_groups_have_their_places(void **state)
{
	const struct kube_resource services = {"", "v1", "services", "Service"};
	const struct kube_resource slices = {"discovery.k8s.io", "v1", "endpointslices",
	                                     "EndpointSlice"};

	(void)state;
	expect(&services, NULL, NULL, "/api/v1/services");
	expect(&services, "shop", NULL, "/api/v1/namespaces/shop/services");
	expect(&services, "shop", "web", "/api/v1/namespaces/shop/services/web");
	expect(&services, NULL, "web", "/api/v1/services/web");
	expect(&slices, "shop", "web-1",
	       "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/web-1");
}

static void test_a_part_stays_one_part(void **state)
{
	const struct kube_resource services = {"", "v1", "services", "Service"};

	(void)state;
	expect(&services, "../secrets?x=", "a/b#c d%41",
	       "/api/v1/namespaces/..%2Fsecrets%3Fx%3D/services/a%2Fb%23c%20d%2541");
	expect(&services, "..", ".", "/api/v1/namespaces/%2E%2E/services/%2E");
	expect(&services, "...", "a.b", "/api/v1/namespaces/.../services/a.b");
	expect(&services, "shop", "M\xc3\xbc\n", "/api/v1/namespaces/shop/services/M%C3%BC%0A");
}

static void test_a_part_may_hold_any_byte(void **state)
{
	struct text out = {0};

	(void)state;
	kube_path_part(&out, (struct bytes){(const uint8_t *)"a\0&=+~_-", 8});
	assert_string_equal(out.data, "a%00%26%3D%2B~_-");
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_core_group_and_named_groups_have_their_places),
		cmocka_unit_test(test_a_part_stays_one_part),
		cmocka_unit_test(test_a_part_may_hold_any_byte),
	};

	return cmocka_run_group_tests_name("kube/path", tests, NULL, NULL);
}
