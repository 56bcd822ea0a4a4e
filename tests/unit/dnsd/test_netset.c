/* Lists of networks, and who is in them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dnsd/netset.h"

static bool has(const struct netset *n, const char *address)
{
	struct addr a;

	assert_true(addr_parse(bytes_of(address), &a));
	return netset_has(n, &a);
}

static void test_in_an_empty_list_is_nobody(void **state)
{
	struct conf_strings none = {0};
	struct netset *n = netset_new(&none);

	(void)state;
	assert_null(n);
	assert_false(has(n, "127.0.0.1"));
	netset_free(n);
}

static void test_an_address_is_in_the_networks_of_its_family_up_to_their_edges(void **state)
{
	char half[] = "192.0.2.0/25", alone[] = "10.1.2.3", wide[] = "2001:db8::/56";
	char inside[] = "192.0.2.64/26", *items[] = {half, alone, wide, inside};
	struct conf_strings list = {items, 4};
	struct netset *n = netset_new(&list);

	(void)state;
	assert_true(has(n, "192.0.2.0"));
	assert_true(has(n, "192.0.2.127"));
	assert_false(has(n, "192.0.2.128"));
	assert_false(has(n, "192.0.1.255"));
	assert_true(has(n, "10.1.2.3"));
	assert_false(has(n, "10.1.2.2"));
	assert_true(has(n, "2001:db8:0:ff::1"));
	assert_false(has(n, "2001:db8:0:100::1"));
	assert_true(has(n, "::ffff:10.1.2.3"));
	assert_false(has(n, "::10.1.2.3"));
	netset_free(n);
}

static void test_the_whole_of_a_family_does_not_hold_the_other(void **state)
{
	char all[] = "0.0.0.0/0", *items[] = {all};
	struct conf_strings list = {items, 1};
	struct netset *n = netset_new(&list);

	(void)state;
	assert_true(has(n, "203.0.113.9"));
	assert_false(has(n, "2001:db8::1"));
	netset_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_an_empty_list_is_nobody),
		cmocka_unit_test(
			test_an_address_is_in_the_networks_of_its_family_up_to_their_edges),
		cmocka_unit_test(test_the_whole_of_a_family_does_not_hold_the_other),
	};

	return cmocka_run_group_tests_name("dnsd/netset", tests, NULL, NULL);
}
