/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kube/claims.h"
#include "kube/expiry.h"

/* Of nobody, on P-256; notAfter is CERTIFICATE_ENDS. */
static const char certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBeDCCAR2gAwIBAgIUYTBGIrlgMOVJ1G05L8Xyi9qvgdQwCgYIKoZIzj0EAwIw\n"
	"ETEPMA0GA1UEAwwGbm9ib2R5MB4XDTI2MTEyNzA4MDExM1oXDTM2MTEyNDA4MDEx\n"
	"M1owETEPMA0GA1UEAwwGbm9ib2R5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
	"+Yr1iv74DX6lpowdoHPmtLGi3cz3RVjDlZ19bquSQRFJAVYkZiEavP9Di5EPwnoM\n"
	"7lbkB54J8yECFf3QR8Hy4aNTMFEwHQYDVR0OBBYEFDe1i0CoK71/n5xUGqufBJ2k\n"
	"7ujYMB8GA1UdIwQYMBaAFDe1i0CoK71/n5xUGqufBJ2k7ujYMA8GA1UdEwEB/wQF\n"
	"MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhANbb8QP+oqjdORMkPEzfx1F5KGmLlj9v\n"
	"lhHrPWj5GwgyAiEA7+NF0ONrimHzv8UExpTRcsa8XXRtUVRQ+XHz/BS1pGo=\n"
	"-----END CERTIFICATE-----\n";
enum { CERTIFICATE_ENDS = 2111126473 };

static bool expiry_of(struct bytes pem, struct bytes token, int64_t *out)
{
	struct kube_access a = {0};
	bool known;

	kube_secret_set(&a.certificate, pem);
	kube_secret_set(&a.token, token);
	known = kube_expiry(&a, out);
	kube_access_fini(&a);
	return known;
}

static void assert_expires(const char *pem, const char *token, int64_t want)
{
	int64_t got = -1;

	assert_true(expiry_of(bytes_of(pem), bytes_of(token), &got));
	assert_int_equal(got, want);
}

static void assert_unknown(const char *pem, const char *token)
{
	int64_t got;

	assert_false(expiry_of(bytes_of(pem), bytes_of(token), &got));
}

static void test_a_certificate_says_when_it_ends(void **state)
{
	(void)state;
	assert_expires(certificate, "", CERTIFICATE_ENDS);
	assert_expires(certificate, "opaque", CERTIFICATE_ENDS);
}

static void test_the_first_certificate_of_a_file_counts(void **state)
{
	char two[4096];

	(void)state;
	snprintf(two, sizeof(two), "Subject: nobody\n%s%s", certificate, certificate);
	assert_expires(two, "", CERTIFICATE_ENDS);
}

static void test_a_jwt_says_when_it_ends(void **state)
{
	(void)state;
	/* {"exp":1700000000}, {"exp":1700000000.9}, {"sub":"a?>","exp":1} (base64url) */
	assert_expires("", "e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln", 1700000000);
	assert_expires("", "e30.eyJleHAiOjE3MDAwMDAwMDAuOX0.c2ln", 1700000000);
	assert_expires("", "e30.eyJzdWIiOiJhPz4iLCJleHAiOjF9.c2ln", 1);
	assert_expires("", "e30.eyJleHAiOjE3MDAwMDAwMDB9.", 1700000000);
}

static void test_a_service_accounts_token_says_whose_it_is_and_since_when(void **state)
{
	struct kube_claims claims;

	(void)state;
	/* {"sub":"system:serviceaccount:fed:nigh-gondor-host","iat":1} */
	assert_true(kube_claims_read(
		bytes_of("e30.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6ZmVkOm5pZ2gtZ29uZG9yLWhvc3Qi"
	                 "LCJpYXQiOjF9.c2ln"),
		&claims));
	assert_string_equal(claims.namespace, "fed");
	assert_string_equal(claims.account, "nigh-gondor-host");
	assert_int_equal(claims.issued_s, 1);
	assert_int_equal(claims.ends_s, -1);
	/* {"sub":"a?>","exp":1} */
	assert_true(kube_claims_read(bytes_of("e30.eyJzdWIiOiJhPz4iLCJleHAiOjF9.c2ln"), &claims));
	assert_string_equal(claims.namespace, "");
	assert_string_equal(claims.account, "");
	assert_int_equal(claims.ends_s, 1);
	assert_false(kube_claims_read(bytes_of("opaque"), &claims));
}

static void test_the_earlier_of_both_counts(void **state)
{
	(void)state;
	assert_expires(certificate, "e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln", 1700000000);
	/* {"exp":2200000000} */
	assert_expires(certificate, "e30.eyJleHAiOjIyMDAwMDAwMDB9.c2ln", CERTIFICATE_ENDS);
}

static void test_what_is_no_jwt_says_nothing(void **state)
{
	(void)state;
	assert_unknown("", "");
	assert_unknown("", "abc");
	assert_unknown("", ".");
	assert_unknown("", "..");
	assert_unknown("", "a..b");
	assert_unknown("", "e30.eyJleHAiOjE3MDAwMDAwMDB9");
	assert_unknown("", "e30.!!!!.c2ln");
	/* [], "x", {}, {"exp":"1"}, {"exp":-5}, {"exp":1e999}, {"exp":null}, {"exp": */
	assert_unknown("", "e30.W10.c2ln");
	assert_unknown("", "e30.Ingi.c2ln");
	assert_unknown("", "e30.e30.c2ln");
	assert_unknown("", "e30.eyJleHAiOiIxIn0.c2ln");
	assert_unknown("", "e30.eyJleHAiOi01fQ.c2ln");
	assert_unknown("", "e30.eyJleHAiOjFlOTk5fQ.c2ln");
	assert_unknown("", "e30.eyJleHAiOm51bGx9.c2ln");
	assert_unknown("", "e30.eyJleHAiOg.c2ln");
}

static void test_what_is_no_certificate_says_nothing(void **state)
{
	(void)state;
	assert_unknown("-----BEGIN CERTIFICATE-----\n", "");
	assert_unknown("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "");
	assert_unknown("garbage", "");
	assert_unknown("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
	               "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"
	               "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n",
	               "");
}

static void test_damaged_certificates_do_no_harm(void **state)
{
	char damaged[sizeof(certificate)];
	uint64_t random = 1;
	int64_t at;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		memcpy(damaged, certificate, sizeof(damaged));
		for (unsigned n = 0; n < 1 + i % 4; n++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			damaged[(random >> 33) % (sizeof(damaged) - 1)] = (char)(random >> 24);
		}
		(void)expiry_of(
			(struct bytes){(const uint8_t *)damaged, (random >> 40) % sizeof(damaged)},
			(struct bytes){(const uint8_t *)damaged, sizeof(damaged)}, &at);
		(void)expiry_of(bytes_of(damaged), bytes_of(damaged), &at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_certificate_says_when_it_ends),
		cmocka_unit_test(test_the_first_certificate_of_a_file_counts),
		cmocka_unit_test(test_a_jwt_says_when_it_ends),
		cmocka_unit_test(test_a_service_accounts_token_says_whose_it_is_and_since_when),
		cmocka_unit_test(test_the_earlier_of_both_counts),
		cmocka_unit_test(test_what_is_no_jwt_says_nothing),
		cmocka_unit_test(test_what_is_no_certificate_says_nothing),
		cmocka_unit_test(test_damaged_certificates_do_no_harm),
	};

	return cmocka_run_group_tests_name("kube/expiry", tests, NULL, NULL);
}
