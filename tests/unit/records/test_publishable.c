/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "records/publishable.h"

static bool allows(const struct records_settings *s, const char *text)
{
	struct addr a;

	assert_true(addr_parse(bytes_of(text), &a));
	return publishable_allows(s, &a);
}

static struct addr_network network(const char *text)
{
	struct addr_network n;

	assert_int_equal(addr_network_parse(bytes_of(text), &n, NULL), ERR_OK);
	return n;
}

static void test_each_network_of_the_list_ends_where_it_should(void **state)
{
	static const char *const never[] = {
		"0.0.0.0",
		"0.255.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.0.0",
		"169.254.255.255",
		"224.0.0.0",
		"239.255.255.255",
		"255.255.255.255",
		"::",
		"::1",
		"fe80::",
		"febf:ffff::1",
		"ff00::",
		"ff02::1",
		"::ffff:127.0.0.1",
		"::ffff:224.0.0.1",
	};
	static const char *const fine[] = {
		"1.0.0.0",     "126.255.255.255",
		"128.0.0.0",   "169.253.255.255",
		"169.255.0.0", "223.255.255.255",
		"240.0.0.1",   "255.255.255.254",
		"10.0.0.1",    "::2",
		"1::",         "fe7f::1",
		"fec0::1",     "fd00::1",
		"2001:db8::1", "::ffff:192.0.2.1",
	};
	struct records_settings s = {.default_ttl = 30};

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_false(allows(&s, never[i]));
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_true(allows(&s, fine[i]));
}

static void test_deny_adds_and_allow_makes_exceptions_from_both(void **state)
{
	struct addr_network allow[] = {network("127.0.0.0/8"), network("10.1.0.0/16")},
			    deny[] = {network("10.0.0.0/8")};
	struct records_settings s = {
		.allow = allow, .allow_count = 2, .deny = deny, .deny_count = 1};

	(void)state;
	assert_true(allows(&s, "127.0.0.1"));
	assert_true(allows(&s, "::ffff:127.0.0.1"));
	assert_true(allows(&s, "10.1.2.3"));
	assert_false(allows(&s, "10.2.2.3"));
	assert_false(allows(&s, "::1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_network_of_the_list_ends_where_it_should),
		cmocka_unit_test(test_deny_adds_and_allow_makes_exceptions_from_both),
	};

	return cmocka_run_group_tests_name("records/publishable", tests, NULL, NULL);
}
