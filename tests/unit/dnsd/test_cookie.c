/* DNS cookies against the vectors of RFC 9018, and what is no good one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dnsd/cookie.h"

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t len = 0;

	for (; *hex != '\0'; hex += 2)
		out[len++] = (uint8_t)strtoul((char[]){hex[0], hex[1], 0}, NULL, 16);
	return len;
}

/* Up to two secrets. */
static struct cookie_secrets secrets_of(const char *first, const char *second)
{
	struct cookie_secrets s = {0};
	uint8_t bytes[16];

	unhex(first, bytes);
	s.key[s.count++] = cookie_secret(bytes);
	if (second != NULL) {
		unhex(second, bytes);
		s.key[s.count++] = cookie_secret(bytes);
	}
	return s;
}

/* Was it good?  `answer` gets what is answered, in hex. */
static bool ask(const struct cookie_secrets *s, const char *sent, const char *client,
                uint32_t now_s, char answer[2 * COOKIE_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[64], out[COOKIE_LEN];
	size_t len = unhex(sent, bytes);
	struct addr addr;
	bool good;

	assert_true(addr_parse(bytes_of(client), &addr));
	good = cookie_answer(s, (struct bytes){bytes, len}, &addr, now_s, out);
	for (size_t i = 0; i < COOKIE_LEN; i++) {
		answer[2 * i] = digits[out[i] >> 4];
		answer[2 * i + 1] = digits[out[i] & 15];
	}
	answer[2 * COOKIE_LEN] = '\0';
	return good;
}

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define CLIENT "198.51.100.100"
#define SENT   "2464c4abcf10c957010000005cf79f111f8130c3eee29480"
enum { MADE_AT = 1559731985, DAY = 24 * 60 * 60 };

/* RFC 9018 A.1 */
static void test_a_new_client_gets_the_cookie_of_the_rfc(void **state)
{
	struct cookie_secrets s = secrets_of(SECRET, NULL);
	char answer[2 * COOKIE_LEN + 1];

	(void)state;
	assert_false(ask(&s, "2464c4abcf10c957", CLIENT, MADE_AT, answer));
	assert_string_equal(answer, SENT);
}

/* RFC 9018 A.2 */
static void test_after_half_an_hour_it_is_renewed(void **state)
{
	struct cookie_secrets s = secrets_of(SECRET, NULL);
	char answer[2 * COOKIE_LEN + 1];

	(void)state;
	assert_true(ask(&s, SENT, CLIENT, MADE_AT + 1800, answer));
	assert_string_equal(answer, SENT);
	assert_true(ask(&s, SENT, CLIENT, 1559734385, answer));
	assert_string_equal(answer, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
}

/* RFC 9018 A.3: reserved octets are hashed as they came, and are zero in what is made. */
static void test_reserved_octets_are_hashed_as_they_came(void **state)
{
	struct cookie_secrets s = secrets_of(SECRET, NULL);
	char answer[2 * COOKIE_LEN + 1];

	(void)state;
	assert_true(ask(&s, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "203.0.113.203",
	                1559727985 + 1801, answer));
	assert_true(ask(&s, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "203.0.113.203",
	                1559728000, answer));
	assert_string_equal(answer, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
	assert_false(ask(&s, "fc93fc62807ddb86", "203.0.113.203", 1559734700, answer));
	assert_string_equal(answer, "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
}

/* RFC 9018 A.4: IPv6, and a secret that is rolled over. */
static void test_an_older_secret_verifies_and_the_first_one_makes(void **state)
{
	static const char first[] = "445536bcd2513298075a5d379663c962",
			  older[] = "dd3bdf9344b678b185a6f5cb60fca715",
			  client[] = "2001:db8:220:1:59de:d0f4:8769:82b8",
			  sent[] = "22681ab97d52c298010000005cf7c57926556bd0934c72f8";
	struct cookie_secrets both = secrets_of(first, older), old = secrets_of(older, NULL),
			      new = secrets_of(first, NULL);
	char answer[2 * COOKIE_LEN + 1];

	(void)state;
	assert_true(ask(&old, sent, client, 1559741961, answer));
	assert_string_equal(answer, sent);
	assert_true(ask(&both, sent, client, 1559741961, answer));
	assert_string_equal(answer, "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
	assert_true(ask(&new, answer, client, 1559741961, answer));
	assert_false(ask(&new, sent, client, 1559741961, answer));
	assert_string_equal(answer, "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
}

static void test_it_is_good_for_an_hour_and_five_minutes_ahead(void **state)
{
	struct cookie_secrets s = secrets_of(SECRET, NULL);
	char answer[2 * COOKIE_LEN + 1];

	(void)state;
	assert_true(ask(&s, SENT, CLIENT, MADE_AT + 3600, answer));
	assert_false(ask(&s, SENT, CLIENT, MADE_AT + 3601, answer));
	assert_string_not_equal(answer, SENT);
	assert_true(ask(&s, SENT, CLIENT, MADE_AT - 300, answer));
	assert_string_equal(answer, SENT);
	assert_false(ask(&s, SENT, CLIENT, MADE_AT - 301, answer));
	assert_false(ask(&s, SENT, CLIENT, MADE_AT + DAY, answer));
	assert_false(ask(&s, SENT, CLIENT, MADE_AT + 0x80000000u, answer));
}

/* Unix time has 32 bits in it: RFC 9018 4.3, RFC 1982. */
static void test_time_goes_on_beyond_its_32_bits(void **state)
{
	struct cookie_secrets s = secrets_of(SECRET, NULL);
	char last[2 * COOKIE_LEN + 1], answer[2 * COOKIE_LEN + 1];

	(void)state;
	assert_false(ask(&s, "2464c4abcf10c957", CLIENT, 0xfffffff0, last));
	assert_true(ask(&s, last, CLIENT, 100, answer));
	assert_string_equal(answer, last);
	assert_false(ask(&s, last, CLIENT, 3600, answer));
}

static void test_no_other_client_and_no_changed_octet_is_good(void **state)
{
	struct cookie_secrets s = secrets_of(SECRET, NULL);
	char answer[2 * COOKIE_LEN + 1], changed[] = SENT;

	(void)state;
	assert_false(ask(&s, SENT, "198.51.100.101", MADE_AT, answer));
	assert_false(ask(&s, SENT, "::ffff:198.51.100.100", MADE_AT, answer));
	for (size_t i = 0; i < strlen(changed); i++) {
		changed[i] = changed[i] == '0' ? '1' : '0';
		assert_false(ask(&s, changed, CLIENT, MADE_AT, answer));
		changed[i] = SENT[i];
	}
	/* Of another length it is no cookie of ours, and is answered as if it were not there. */
	assert_false(ask(&s, SENT "00", CLIENT, MADE_AT, answer));
	assert_string_equal(answer, SENT);
	assert_false(ask(&s, "2464c4abcf10c9570100000000000000", CLIENT, MADE_AT, answer));
}

static void test_lengths_are_8_or_16_to_40(void **state)
{
	(void)state;
	for (size_t len = 0; len < 100; len++)
		assert_int_equal(cookie_is_well_formed(len), len == 8 || (len >= 16 && len <= 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_client_gets_the_cookie_of_the_rfc),
		cmocka_unit_test(test_after_half_an_hour_it_is_renewed),
		cmocka_unit_test(test_reserved_octets_are_hashed_as_they_came),
		cmocka_unit_test(test_an_older_secret_verifies_and_the_first_one_makes),
		cmocka_unit_test(test_it_is_good_for_an_hour_and_five_minutes_ahead),
		cmocka_unit_test(test_time_goes_on_beyond_its_32_bits),
		cmocka_unit_test(test_no_other_client_and_no_changed_octet_is_good),
		cmocka_unit_test(test_lengths_are_8_or_16_to_40),
	};

	return cmocka_run_group_tests_name("dnsd/cookie", tests, NULL, NULL);
}
