/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <json-c/json_object.h>
#include <json-c/json_util.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "kube/access.h"
#include "tests/support/kube_folder.h"

/* --- URLs --- */

static void assert_endpoint(const char *text, const char *want)
{
	struct reason why = {""};
	char *got;

	if (kube_endpoint_read(text, &got, &why) != ERR_OK)
		fail_msg("'%s': %s", text, why.text);
	assert_string_equal(got, want);
	free(got);
}

static void assert_no_endpoint(const char *text, const char *reason)
{
	struct reason why = {""};
	char *got;

	if (kube_endpoint_read(text, &got, &why) != ERR_PARSE)
		fail_msg("'%s' was taken", text);
	assert_null(got);
	if (reason)
		assert_string_equal(why.text, reason);
}

static struct json_object *vectors_of(const char *what, const char *kind)
{
	static struct json_object *file;
	struct json_object *set, *list;

	json_object_put(file);
	file = what ? json_object_from_file("tests/vectors/kubefed/access_vectors.json") : NULL;
	if (!what)
		return NULL;
	assert_true(json_object_object_get_ex(file, what, &set));
	assert_true(json_object_object_get_ex(set, kind, &list));
	assert_true(json_object_array_length(list) > 0);
	return list;
}

static void test_endpoints_that_kubefed_takes_are_taken(void **state)
{
	struct json_object *list = vectors_of("api_endpoint", "valid");

	(void)state;
	assert_int_equal(json_object_array_length(list), 160);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));
		char want[256];

		snprintf(want, sizeof(want), "%s%s", strstr(text, "://") ? "" : "https://", text);
		if (want[strlen(want) - 1] == '/')
			want[strlen(want) - 1] = '\0';
		assert_endpoint(text, want);
	}
	vectors_of(NULL, NULL);
}

static void test_endpoints_that_kubefed_refuses_are_refused(void **state)
{
	struct json_object *list = vectors_of("api_endpoint", "invalid");

	(void)state;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		assert_no_endpoint(json_object_get_string(json_object_array_get_idx(list, i)),
		                   NULL);
	vectors_of(NULL, NULL);
}

static void test_proxies_are_taken_as_kubefed_takes_them(void **state)
{
	static const char *const kinds[] = {"valid", "invalid"};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct json_object *list = vectors_of("proxy_url", kinds[k]);

		for (size_t i = 0; i < json_object_array_length(list); i++) {
			const char *text =
				json_object_get_string(json_object_array_get_idx(list, i));

			assert_int_equal(kube_proxy_check(text, NULL) == ERR_OK, k == 0);
		}
	}
	vectors_of(NULL, NULL);
	assert_int_equal(kube_proxy_check("http://user:p@ss@[2001:db8::1]:3128/", NULL), ERR_OK);
	assert_int_equal(kube_proxy_check("socks5://", NULL), ERR_PARSE);
	assert_int_equal(kube_proxy_check("http://user@", NULL), ERR_PARSE);
	assert_int_equal(kube_proxy_check("http://proxy:0", NULL), ERR_PARSE);
}

static void test_an_endpoint_loses_its_last_slashes_and_the_capitals_of_its_scheme(void **state)
{
	(void)state;
	assert_endpoint("HTTPS://Api.Example.com:6443/", "https://Api.Example.com:6443");
	assert_endpoint("Http://example.com/k8s/clusters/c-1///",
	                "http://example.com/k8s/clusters/c-1");
	assert_endpoint("https://example.com/a//b%20c/...", "https://example.com/a//b%20c/...");
}

static void test_what_an_endpoint_may_not_have_is_told(void **state)
{
	(void)state;
	assert_no_endpoint("", "empty");
	assert_no_endpoint("https://", "has no host");
	assert_no_endpoint("https://:443", "has no host");
	assert_no_endpoint("//example.com", "has a path, but no scheme (https://) before it");
	assert_no_endpoint("ftp://example.com", "its scheme is neither https nor http");
	assert_no_endpoint("https://me@example.com", "may not have a user");
	assert_no_endpoint("https://example.com/?a=b", "may not have a query or a fragment");
	assert_no_endpoint("https://example.com#a", "may not have a query or a fragment");
	assert_no_endpoint("https://example.com:", "its port is not 1..65535");
	assert_no_endpoint("https://example.com:+80", "its port is not 1..65535");
	assert_no_endpoint("https://[2001:db8::1", "has no IPv6 address between its brackets");
	assert_no_endpoint("https://[192.0.2.1]", "has no IPv6 address between its brackets");
	assert_no_endpoint("https://[fe80::1%25eth0]", "has no IPv6 address between its brackets");
	assert_no_endpoint("https://[::1]443", "its port is not 1..65535");
	assert_no_endpoint("https://a..example.com", "its host is neither a name nor an address");
	assert_no_endpoint("https://ex%61mple.com", "its host is neither a name nor an address");
}

static void test_a_path_cannot_climb_whatever_hides_it(void **state)
{
	static const char *const paths[] = {"..",  "../a",   "a/..",     "a/../b",
	                                    ".",   "a/./b",  "%2e%2E",   "a/.%2e/",
	                                    "%2e", "..%2fa", "a%2F..%2f"};
	char url[64];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(url, sizeof(url), "https://example.com/%s", paths[i]);
		assert_no_endpoint(url, "its path has a segment of dots");
	}
}

static void test_a_path_has_no_bad_escapes(void **state)
{
	static const char *const paths[] = {"%00", "a%0a", "%7F", "%5c", "%", "%4", "%zz", "a%1fb"};
	char url[64];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(url, sizeof(url), "https://example.com/%s", paths[i]);
		assert_no_endpoint(url, "its path has a bad escape");
	}
	assert_no_endpoint("https://example.com/a b", NULL);
	assert_no_endpoint("https://example.com/a\n", NULL);
	assert_no_endpoint("https://example.com\\a", NULL);
	assert_no_endpoint("https://ex\xc3\xa4mple.com", NULL);
}

static void test_an_endpoint_is_bounded(void **state)
{
	char url[4096];

	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, "https://h/", 10);
	url[sizeof(url) - 1] = '\0';
	assert_no_endpoint(url, "longer than 2048 bytes");
	url[2048] = '\0';
	assert_endpoint(url, url);
	memset(url + 8, 'a', 254);
	url[8 + 254] = '\0';
	assert_no_endpoint(url, "its host is neither a name nor an address");
	url[8 + 253] = '\0';
	assert_endpoint(url, url);
}

/* --- the value --- */

static char **one_text(const char *text)
{
	char **list = xcalloc(1, sizeof(*list));

	list[0] = xstrdup(text);
	return list;
}

/* With everything set; `odd` changes the field of that number. */
static struct kube_access full(unsigned odd)
{
	struct kube_access a = {0};
	char **texts[] = {&a.server,  &a.server_name, &a.proxy,        &a.ca,
	                  &a.ca_file, &a.token_file,  &a.key_file,     &a.certificate_file,
	                  &a.user,    &a.impersonate, &a.exec.command, &a.exec.api_version};
	struct kube_secret *secrets[] = {&a.token, &a.certificate, &a.key, &a.password};
	bool *flags[] = {&a.any_certificate, &a.any_name,       &a.any_time,
	                 &a.no_loopback,     &a.no_compression, &a.exec.wants_cluster};
	unsigned n = 0;

	for (size_t i = 0; i < 12; i++)
		*texts[i] = xstrdup(n++ == odd ? "odd" : "same");
	for (size_t i = 0; i < 4; i++)
		kube_secret_set(secrets[i], bytes_of(n++ == odd ? "odd!" : "same"));
	for (size_t i = 0; i < 6; i++)
		*flags[i] = n++ == odd;
	a.exec.arg = one_text(n++ == odd ? "odd" : "same");
	a.exec.env = one_text(n++ == odd ? "A=odd" : "A=same");
	a.exec.arg_count = a.exec.env_count = 1;
	a.namespace = xstrdup("any");
	return a;
}

static void test_accesses_are_equal_when_every_field_is(void **state)
{
	struct kube_access a = full(99);

	(void)state;
	for (unsigned odd = 0; odd < 24; odd++) {
		struct kube_access b = full(odd);

		assert_false(kube_access_equal(&a, &b));
		assert_true(kube_access_equal(&b, &b));
		kube_access_fini(&b);
	}
	struct kube_access same = full(99), none = {0};

	same.namespace[0] = 'x';
	assert_true(kube_access_equal(&a, &same));
	assert_false(kube_access_equal(&a, &none));
	kube_access_fini(&same);
	kube_access_fini(&a);
	assert_memory_equal(&a, &none, sizeof(a));
	kube_access_fini(&a);
}

static void test_a_token_may_stand_in_a_header(void **state)
{
	(void)state;
	assert_int_equal(kube_token_check(bytes_of("abc.DEF-_~+/="), NULL), ERR_OK);
	assert_int_equal(kube_token_check(bytes_of(""), NULL), ERR_PARSE);
	assert_int_equal(kube_token_check(bytes_of("a\r\nX-Evil: 1"), NULL), ERR_PARSE);
	assert_int_equal(kube_token_check(bytes_of("a b"), NULL), ERR_PARSE);
	assert_int_equal(kube_token_check(bytes_of("a\x7f"), NULL), ERR_PARSE);
	assert_int_equal(kube_token_check(bytes_of("a\xc3\xa4"), NULL), ERR_PARSE);
	assert_true(bytes_equal_text(kube_token_trim(bytes_of(" \n a \t\r\n")), "a"));
	assert_true(bytes_equal_text(kube_token_trim(bytes_of(" \n")), ""));
}

/* --- files --- */

#define PEM(what) "-----BEGIN X-----\n" what "\n-----END X-----\n"

static int setup(void **state)
{
	struct kube_access *a = xcalloc(1, sizeof(*a));

	kube_folder_make();
	kube_folder_put("ca", PEM("ca"));
	kube_folder_put("token", "  one\n");
	kube_folder_put("cert", PEM("cert"));
	kube_folder_put("key", PEM("key"));
	a->ca_file = xstrdup(kube_folder_path("ca"));
	a->token_file = xstrdup(kube_folder_path("token"));
	a->certificate_file = xstrdup(kube_folder_path("cert"));
	a->key_file = xstrdup(kube_folder_path("key"));
	*state = a;
	return 0;
}

static int teardown(void **state)
{
	kube_access_fini(*state);
	free(*state);
	kube_folder_remove();
	return 0;
}

static void refresh(struct kube_access *a, bool is_changed)
{
	struct reason why = {""};
	bool changed;

	assert_int_equal(kube_access_refresh(a, &changed, &why), ERR_OK);
	assert_string_equal(why.text, "");
	assert_int_equal(changed, is_changed);
}

/* It fails so, and what was there is there. */
static void refresh_fails(struct kube_access *a, enum err err, const char *reason)
{
	struct reason why = {""};
	bool changed;

	assert_int_equal(kube_access_refresh(a, &changed, &why), err);
	assert_string_equal(why.text, reason);
	assert_false(changed);
	assert_string_equal(a->token.data, "one");
	assert_string_equal(a->key.data, PEM("key"));
}

static void test_files_are_read_and_trimmed(void **state)
{
	struct kube_access *a = *state;

	refresh(a, true);
	assert_string_equal(a->ca, PEM("ca"));
	assert_string_equal(a->token.data, "one");
	assert_string_equal(a->certificate.data, PEM("cert"));
	assert_string_equal(a->key.data, PEM("key"));
	refresh(a, false);
}

static void test_what_changed_is_read_again(void **state)
{
	struct kube_access *a = *state;

	refresh(a, true);
	kube_folder_put("token", "two");
	refresh(a, true);
	assert_string_equal(a->token.data, "two");
	kube_folder_put("ca", PEM("other"));
	refresh(a, true);
	assert_string_equal(a->ca, PEM("other"));
}

static void test_a_file_that_cannot_be_read_leaves_what_was_there(void **state)
{
	struct kube_access *a = *state;

	refresh(a, true);
	unlink(kube_folder_path("token"));
	refresh_fails(a, ERR_NOTFOUND, "tokenFile: No such file or directory");
	kube_folder_put("token", "\n");
	refresh_fails(a, ERR_PARSE, "tokenFile: empty");
	kube_folder_put("token", "a\nb");
	refresh_fails(a, ERR_PARSE,
	              "tokenFile: holds a space, a control character or one that is not ASCII");
}

static void test_a_key_is_not_replaced_without_its_certificate(void **state)
{
	struct kube_access *a = *state;

	refresh(a, true);
	kube_folder_put("cert", "");
	kube_folder_put("key", PEM("new"));
	refresh_fails(a, ERR_PARSE, "client-certificate: has no PEM in it");
	kube_folder_put("cert", PEM("new"));
	refresh(a, true);
	assert_string_equal(a->key.data, PEM("new"));
}

static void test_the_first_of_many_troubles_is_told_and_the_rest_is_read(void **state)
{
	struct kube_access *a = *state;
	struct reason why;
	bool changed;

	unlink(kube_folder_path("ca"));
	unlink(kube_folder_path("key"));
	assert_int_equal(kube_access_refresh(a, &changed, &why), ERR_NOTFOUND);
	assert_string_equal(why.text, "certificate-authority: No such file or directory");
	assert_true(changed);
	assert_string_equal(a->token.data, "one");
}

static void test_links_are_followed_and_only_regular_files_read(void **state)
{
	struct kube_access *a = *state;

	assert_int_equal(symlink(kube_folder_path("token"), kube_folder_path("link")), 0);
	assert_int_equal(mkfifo(kube_folder_path("fifo"), 0600), 0);
	free(a->token_file);
	a->token_file = xstrdup(kube_folder_path("link"));
	refresh(a, true);
	free(a->token_file);
	a->token_file = xstrdup(kube_folder_path("fifo"));
	refresh_fails(a, ERR_IO, "tokenFile: not a regular file");
	free(a->token_file);
	a->token_file = xstrdup(kube_folder());
	refresh_fails(a, ERR_IO, "tokenFile: not a regular file");
}

static void test_files_are_bounded(void **state)
{
	struct kube_access *a = *state;
	char *big = xmalloc(KUBE_SECRET_MOST + 2);

	refresh(a, true);
	memset(big, 'a', KUBE_SECRET_MOST + 1);
	big[KUBE_SECRET_MOST + 1] = '\0';
	kube_folder_put("token", big);
	refresh_fails(a, ERR_RANGE, "tokenFile: more than 1048576 bytes");
	big[KUBE_SECRET_MOST] = '\0';
	kube_folder_put("token", big);
	refresh(a, true);
	assert_int_equal(a->token.len, KUBE_SECRET_MOST);
	free(big);
}

#define OVER_FILES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints_that_kubefed_takes_are_taken),
		cmocka_unit_test(test_endpoints_that_kubefed_refuses_are_refused),
		cmocka_unit_test(test_proxies_are_taken_as_kubefed_takes_them),
		cmocka_unit_test(
			test_an_endpoint_loses_its_last_slashes_and_the_capitals_of_its_scheme),
		cmocka_unit_test(test_what_an_endpoint_may_not_have_is_told),
		cmocka_unit_test(test_a_path_cannot_climb_whatever_hides_it),
		cmocka_unit_test(test_a_path_has_no_bad_escapes),
		cmocka_unit_test(test_an_endpoint_is_bounded),
		cmocka_unit_test(test_accesses_are_equal_when_every_field_is),
		cmocka_unit_test(test_a_token_may_stand_in_a_header),
		OVER_FILES(test_files_are_read_and_trimmed),
		OVER_FILES(test_what_changed_is_read_again),
		OVER_FILES(test_a_file_that_cannot_be_read_leaves_what_was_there),
		OVER_FILES(test_a_key_is_not_replaced_without_its_certificate),
		OVER_FILES(test_the_first_of_many_troubles_is_told_and_the_rest_is_read),
		OVER_FILES(test_links_are_followed_and_only_regular_files_read),
		OVER_FILES(test_files_are_bounded),
	};

	return cmocka_run_group_tests_name("kube/access", tests, NULL, NULL);
}
