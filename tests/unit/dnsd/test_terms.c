/* test_terms.c -- who may have a zone transferred: address and key and transport, each way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dnsd/terms.h"

#define KEYS                                                                                       \
	"key k { algorithm hmac-sha256; secret \"c2VjcmV0\"; };"                                   \
	"key other { algorithm hmac-sha256; secret \"c2VjcmV0\"; };"
#define APEX ((const uint8_t *)"\7example\3com")

static const struct tsig_keys *keys;
static const struct tsig_key *k, *other;

static const struct terms *terms_of_transfer(const char *transfer)
{
	static const struct cookie_secrets secrets = {.count = 1};
	char path[] = "/tmp/nigh-terms-XXXXXX", yaml[512];
	struct text errors = {0};
	int fd = mkstemp(path);
	struct config *c;
	const struct terms *t;

	snprintf(yaml, sizeof yaml, "zones: [{name: Example.com, transfer: {%s}}]\n", transfer);
	assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(fd);
	c = config_read(path, &errors);
	if (c == NULL)
		fail_msg("%s", errors.data);
	unlink(path);
	text_fini(&errors);
	assert_int_equal(terms_check_keys(c, keys, NULL), ERR_OK);
	t = terms_build(c, &secrets, keys);
	config_free(c);
	return t;
}

static const struct terms *terms_of(const char *allow)
{
	char transfer[256];

	snprintf(transfer, sizeof transfer, "allow: [%s]", allow);
	return terms_of_transfer(transfer);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(tsig_keys_parse("keys", bytes_of(KEYS), &keys, NULL), ERR_OK);
	k = tsig_keys_find(keys, (const uint8_t *)"\1k");
	other = tsig_keys_find(keys, (const uint8_t *)"\5other");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tsig_keys_unref(keys);
	return 0;
}

/* Eight letters: from 192.0.2.1 over TCP without key, with k, with the other; the same over TLS; then from elsewhere with k over
 * TCP and TLS.  A dot: refused. */
static void assert_rights(const char *allow, const char *wanted)
{
	static const char *const letters = "nkoNKOxX";
	const struct terms *t = terms_of(allow);
	struct addr here, mapped, elsewhere;
	char got[9] = "........";

	assert_true(addr_parse(bytes_of("192.0.2.1"), &here));
	assert_true(addr_parse(bytes_of("::ffff:192.0.2.1"), &mapped));
	assert_true(addr_parse(bytes_of("198.51.100.1"), &elsewhere));
	for (unsigned i = 0; i < 8; i++) {
		const struct tsig_key *key = i > 5 || i % 3 == 1 ? k : i % 3 == 2 ? other : NULL;
		bool tls = i > 5 ? i == 7 : i > 2;
		const struct addr *from = i > 5 ? &elsewhere : &here;

		if (terms_may_transfer(t, APEX, from, key, tls))
			got[i] = letters[i];
		if (i <= 5)
			assert_int_equal(terms_may_transfer(t, APEX, &mapped, key, tls),
			                 got[i] != '.');
		assert_false(terms_may_transfer(t, (const uint8_t *)"\3org", from, key, tls));
	}
	assert_string_equal(got, wanted);
	terms_free(t);
}

static void test_all_that_a_rule_names_must_be_so(void **state)
{
	(void)state;
	assert_rights("", "........");
	assert_rights("{address: 192.0.2.0/24}", "nkoNKO..");
	assert_rights("{key: k}", ".k..K.xX");
	assert_rights("{key: K., transport: tls}", "....K..X");
	assert_rights("{address: 192.0.2.0/24, key: k}", ".k..K...");
	assert_rights("{address: 192.0.2.0/24, transport: tls}", "...NKO..");
	assert_rights("{address: 192.0.2.0/24, transport: tcp}", "nko.....");
	assert_rights("{address: 192.0.2.0/24, key: other, transport: tls}", ".....O..");
	assert_rights("{address: 198.51.100.0/24}, {key: other}", "..o..OxX");
}

/* Also while nobody may have the zone: what was made of it then is handed out when somebody may. */
static void test_whose_sites_are_transferred_is_known_by_zone(void **state)
{
	const struct terms *t = terms_of_transfer("as: la");

	(void)state;
	assert_string_equal(terms_transferred_as(t, APEX), "la");
	assert_null(terms_transferred_as(t, (const uint8_t *)"\3org"));
	assert_null(terms_transferred_as(NULL, APEX));
	terms_free(t);
	t = terms_of_transfer("allow: [{key: k}], as: all");
	assert_null(terms_transferred_as(t, APEX));
	terms_free(t);
}

static void test_without_terms_nothing_is_transferred(void **state)
{
	struct addr here;

	(void)state;
	assert_true(addr_parse(bytes_of("192.0.2.1"), &here));
	assert_false(terms_may_transfer(NULL, APEX, &here, k, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_a_rule_names_must_be_so),
		cmocka_unit_test(test_whose_sites_are_transferred_is_known_by_zone),
		cmocka_unit_test(test_without_terms_nothing_is_transferred),
	};

	return cmocka_run_group_tests_name("dnsd/terms", tests, setup, teardown);
}
