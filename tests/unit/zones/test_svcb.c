/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "zones/rdata.h"
#include "zones/svcb.h"

static void assert_wire(const char *text, const char *wire, size_t len)
{
	struct buffer out = {NULL, 0, 0};
	struct reason why = {""};

	if (rdata_from_text(65, bytes_of(text), &out, &why) != ERR_OK)
		fail_msg("%s: %s", text, why.text);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, wire, len);
	buffer_fini(&out);
}

static void assert_refused(const char *text, const char *expected)
{
	struct buffer out = {NULL, 0, 0};
	struct reason why = {""};

	assert_int_not_equal(rdata_from_text(65, bytes_of(text), &out, &why), ERR_OK);
	assert_string_equal(why.text, expected);
	buffer_fini(&out);
}

static void test_parameters_are_put_in_order(void **state)
{
	(void)state;
	assert_wire("1 . port=443 alpn=h2", "\0\1\0\0\1\0\3\2h2\0\3\0\2\1\273", 16);
	assert_wire("1 . alpn=h2 port=443", "\0\1\0\0\1\0\3\2h2\0\3\0\2\1\273", 16);
	assert_wire("1 a. key9=x port=53 mandatory=port",
	            "\0\1\1a\0\0\0\0\2\0\3\0\3\0\2\0\65\0\11\0\1x", 22);
	assert_wire("1 . mandatory=port,alpn port=53 alpn=h3",
	            "\0\1\0\0\0\0\4\0\1\0\3\0\1\0\3\2h3\0\3\0\2\0\65", 24);
	assert_wire("0 a.", "\0\0\1a\0", 5);
}

static void test_bad_parameters_are_refused(void **state)
{
	(void)state;
	assert_refused("1 . port=1 port=2", "key 3 is there twice");
	assert_refused("0 a. port=1", "priority 0 (an alias) has no parameters");
	assert_refused("1 . mandatory=port", "key 3 is mandatory but not there");
	assert_refused("1 . no-default-alpn",
	               "no-default-alpn has no value, and stands beside alpn only");
}

static void assert_normalized(const char *wire, size_t len, bool good)
{
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, wire, len);
	assert_int_equal(svcb_normalize(copy, len, NULL) == ERR_OK, good);
	free(copy);
}

static void test_wire_forms_that_lie_are_refused(void **state)
{
	static const char good[] = "\0\1\0\0\1\0\3\2h2\0\3\0\2\1\273";

	(void)state;
	assert_normalized(good, 16, true);
	/* Cut anywhere but behind the target or a whole parameter. */
	for (size_t len = 0; len < 16; len++)
		assert_normalized(good, len, len == 3 || len == 10);
	assert_normalized("\0\1\0\0\1\0\3\3h2", 10, false);
	assert_normalized("\0\1\0\0\1\0\0", 7, false);
	assert_normalized("\0\1\0\0\4\0\3\1\2\3", 10, false);
	assert_normalized("\0\1\0\0\6\0\4\1\2\3\4", 11, false);
	assert_normalized("\0\1\0\0\3\0\1\1", 8, false);
	assert_normalized("\0\1\0\0\0\0\2\0\0", 9, false);
	assert_normalized("\0\1\0\0\0\0\1\0", 8, false);
	/* "mandatory" with a key twice, and with itself. */
	assert_normalized("\0\1\0\0\0\0\4\0\3\0\3\0\3\0\2\0\1", 17, false);
	assert_normalized("\0\1\0\0\0\0\2\0\0", 9, false);
	assert_normalized("\0\1\0\377\377\0\0", 7, false);
	assert_normalized("\0\1\0\377\376\0\0", 7, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_are_put_in_order),
		cmocka_unit_test(test_bad_parameters_are_refused),
		cmocka_unit_test(test_wire_forms_that_lie_are_refused),
	};

	return cmocka_run_group_tests_name("zones/svcb", tests, NULL, NULL);
}
