/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/smallfile.h"
#include "base/text.h"
#include "tests/support/watcher_authority.h"
#include "tests/support/watcher_decode.h"
#include "watcher/probe_secrets.h"

#define SHOP bytes_of("shop")

/* Two of everything, so that one can be renewed by the other. */
struct world {
	char dir[32];
	struct probe_secrets *secrets;
	struct policy_check check; /* names authority and client */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct authority *a;

	strcpy(w->dir, "/tmp/nigh-secrets-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	a = authority_new(w->dir);
	authority_issue_named(a, "client", "nighd.test", 3600);
	authority_issue_named(a, "other", "nighd.test", 3600);
	authority_free(a);
	w->secrets = probe_secrets_new();
	w->check = (struct policy_check){.kind = POLICY_CHECK_HTTPS,
	                                 .ca_secret = bytes_of("authority"),
	                                 .client_secret = bytes_of("client")};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[64];

	probe_secrets_free(w->secrets);
	snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

/* --- Secrets --- */

static struct decode_secret *decoded(const char *yaml)
{
	struct json_object *object = watcher_read_yaml(yaml);
	struct decode_secret *s = decode_secret(object);

	json_object_put(object);
	return s;
}

static struct text file_of(const struct world *w, const char *name)
{
	char path[64];
	struct buffer data = {0};
	struct text t = {0};

	snprintf(path, sizeof path, "%s/%s", w->dir, name);
	assert_int_equal(smallfile_read(path, 1 << 20, &data, NULL, NULL), ERR_OK);
	text_add_bytes(&t, (struct bytes){data.data, data.len});
	buffer_fini(&data);
	return t;
}

static void add_value(struct text *json, const char *key, const char *value)
{
	text_printf(json, ",\"%s\":", key);
	text_add_json(json, bytes_of(value));
}

/* Of a namespace: with these values as they are, where there are any. */
static struct decode_secret *secret(const char *name, const char *ca, const char *certificate,
                                    const char *key)
{
	struct text json = {0};
	struct decode_secret *s;

	text_printf(&json,
	            "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"namespace\":"
	            "\"shop\",\"name\":\"%s\"},\"stringData\":{\"a\":\"b\"",
	            name);
	if (ca)
		add_value(&json, "ca.crt", ca);
	if (certificate)
		add_value(&json, "tls.crt", certificate);
	if (key)
		add_value(&json, "tls.key", key);
	text_add(&json, "}}");
	s = decoded(json.data);
	assert_non_null(s);
	text_fini(&json);
	return s;
}

static struct decode_secret *good_authority(const struct world *w)
{
	struct text ca = file_of(w, "ca.crt");
	struct decode_secret *s = secret("authority", ca.data, NULL, NULL);

	text_fini(&ca);
	return s;
}

static struct decode_secret *client(const struct world *w, const char *certificate, const char *key)
{
	struct text c = file_of(w, certificate), k = file_of(w, key);
	struct decode_secret *s = secret("client", NULL, c.data, k.data);

	text_fini(&c);
	text_fini(&k);
	return s;
}

/* --- what happens --- */

static void want(struct world *w)
{
	probe_secrets_begin(w->secrets);
	probe_secrets_want(w->secrets, SHOP, &w->check);
	(void)probe_secrets_end(w->secrets);
}

/* All that the files have now, from the first that counts; NULL ends them. */
static void set_files(struct world *w, struct decode_secret *take_one,
                      struct decode_secret *take_two)
{
	struct decode_secret *list[] = {take_one, take_two};

	probe_secrets_set_files(w->secrets, list, (size_t)(take_one != NULL) + (take_two != NULL),
	                        true);
	decode_secret_unref(take_one);
	decode_secret_unref(take_two);
	(void)probe_secrets_judge(w->secrets);
}

/* The API server has it, or gives none, for that reason. */
static void put(struct world *w, const char *name, struct decode_secret *take, const char *why)
{
	probe_secrets_put(w->secrets, "shop", name, take, why);
	decode_secret_unref(take);
	(void)probe_secrets_judge(w->secrets);
}

static void expect(const struct world *w, enum probe_secrets_sight sight, const char *text)
{
	struct reason why = {0};

	assert_int_equal(probe_secrets_look(w->secrets, SHOP, &w->check, &why), sight);
	assert_string_equal(why.text, text);
}

static struct probe_secret found(const struct world *w, const char *name)
{
	return probe_secrets_find(w->secrets, SHOP, bytes_of(name));
}

/* --- tests --- */

static void test_what_files_have_is_in_use_once_it_is_whole(void **state)
{
	struct world *w = *state;
	struct text ca = file_of(w, "ca.crt");

	want(w);
	(void)probe_secrets_judge(w->secrets);
	expect(w, PROBE_SECRETS_NONE, "caSecret: Secret shop/authority: is not read yet");
	set_files(w, good_authority(w), NULL);
	expect(w, PROBE_SECRETS_NONE,
	       "clientCertificateSecret: Secret shop/client: does not exist");
	set_files(w, good_authority(w), client(w, "client.crt", "client.key"));
	expect(w, PROBE_SECRETS_GOOD, "");
	assert_true(bytes_equal_text(found(w, "authority").ca, ca.data));
	assert_int_equal(found(w, "authority").certificate.len, 0);
	assert_true(found(w, "client").certificate.len > 0 && found(w, "client").key.len > 0);
	text_fini(&ca);
}

static void test_a_secret_of_another_namespace_is_another_one(void **state)
{
	struct world *w = *state;
	struct reason why = {0};

	want(w);
	set_files(w, good_authority(w), client(w, "client.crt", "client.key"));
	assert_int_equal(probe_secrets_look(w->secrets, bytes_of("bank"), &w->check, &why),
	                 PROBE_SECRETS_NONE);
	assert_int_equal(
		probe_secrets_find(w->secrets, bytes_of("bank"), bytes_of("authority")).ca.len, 0);
}

static void test_each_fault_is_told_by_its_key_and_the_last_good_one_stays(void **state)
{
	struct world *w = *state;
	struct text ca = file_of(w, "ca.crt"), key = file_of(w, "client.key");
	uint64_t version;

	want(w);
	set_files(w, good_authority(w), client(w, "client.crt", "client.key"));
	version = found(w, "client").version;
	set_files(w, secret("authority", "no PEM", NULL, NULL),
	          client(w, "client.crt", "client.key"));
	expect(w, PROBE_SECRETS_OLD,
	       "caSecret: Secret shop/authority: ca.crt is no certificate in PEM");
	set_files(w, secret("authority", NULL, "x", "y"), client(w, "client.crt", "client.key"));
	expect(w, PROBE_SECRETS_OLD, "caSecret: Secret shop/authority: has no ca.crt");
	set_files(w, good_authority(w), client(w, "client.crt", "other.key"));
	expect(w, PROBE_SECRETS_OLD,
	       "clientCertificateSecret: Secret shop/client: tls.key is not the key of tls.crt");
	set_files(w, good_authority(w), secret("client", NULL, ca.data, NULL));
	expect(w, PROBE_SECRETS_OLD, "clientCertificateSecret: Secret shop/client: has no tls.key");
	set_files(w, good_authority(w), secret("client", NULL, key.data, key.data));
	expect(w, PROBE_SECRETS_OLD,
	       "clientCertificateSecret: Secret shop/client: tls.crt is no certificate in PEM");
	set_files(w, good_authority(w), secret("client", NULL, ca.data, ca.data));
	expect(w, PROBE_SECRETS_OLD,
	       "clientCertificateSecret: Secret shop/client: tls.key is no private key in PEM, or "
	       "is encrypted");
	set_files(w, good_authority(w), NULL);
	expect(w, PROBE_SECRETS_OLD, "clientCertificateSecret: Secret shop/client: does not exist");
	assert_int_equal(found(w, "client").version, version);
	assert_true(bytes_equal_text(found(w, "client").key, key.data));
	set_files(w, good_authority(w), client(w, "other.crt", "other.key"));
	expect(w, PROBE_SECRETS_GOOD, "");
	assert_int_not_equal(found(w, "client").version, version);
	text_fini(&ca);
	text_fini(&key);
}

static void test_a_certificate_that_is_cut_is_no_authority(void **state)
{
	struct world *w = *state;
	struct text ca = file_of(w, "ca.crt"), both = {0};

	text_add(&both, ca.data);
	text_add_bytes(&both, (struct bytes){(const uint8_t *)ca.data, ca.len / 2});
	want(w);
	set_files(w, secret("authority", both.data, NULL, NULL), NULL);
	expect(w, PROBE_SECRETS_NONE,
	       "caSecret: Secret shop/authority: ca.crt has a certificate that cannot be read");
	text_fini(&ca);
	text_fini(&both);
}

static void test_an_encrypted_key_is_none_and_nobody_is_asked_for_its_password(void **state)
{
	struct world *w = *state;
	char command[200];

	snprintf(command, sizeof command,
	         "openssl pkcs8 -topk8 -in %s/client.key -passout pass:x -out %s/encrypted.key",
	         w->dir, w->dir);
	assert_int_equal(system(command), 0);
	want(w);
	set_files(w, good_authority(w), client(w, "client.crt", "encrypted.key"));
	expect(w, PROBE_SECRETS_NONE,
	       "clientCertificateSecret: Secret shop/client: tls.key is no private key in PEM, or "
	       "is encrypted");
}

static void test_an_api_servers_word_counts_where_no_file_has_it(void **state)
{
	struct world *w = *state;

	probe_secrets_set_server(w->secrets, true);
	want(w);
	set_files(w, client(w, "client.crt", "client.key"), NULL);
	expect(w, PROBE_SECRETS_NONE, "caSecret: Secret shop/authority: is not read yet");
	put(w, "authority", NULL, "secrets \"authority\" is forbidden");
	expect(w, PROBE_SECRETS_NONE,
	       "caSecret: Secret shop/authority: secrets \"authority\" is forbidden");
	put(w, "client", NULL, "does not exist");
	put(w, "authority", good_authority(w), NULL);
	expect(w, PROBE_SECRETS_GOOD, "");
	put(w, "authority", NULL, "does not exist");
	expect(w, PROBE_SECRETS_OLD, "caSecret: Secret shop/authority: does not exist");
	set_files(w, good_authority(w), client(w, "client.crt", "client.key"));
	expect(w, PROBE_SECRETS_GOOD, "");
}

static void test_what_nobody_names_any_more_is_forgotten(void **state)
{
	struct world *w = *state;

	probe_secrets_set_server(w->secrets, true);
	want(w);
	put(w, "authority", good_authority(w), NULL);
	assert_true(found(w, "authority").ca.len > 0);
	probe_secrets_begin(w->secrets);
	assert_true(probe_secrets_end(w->secrets));
	assert_int_equal(found(w, "authority").ca.len, 0);
	want(w);
	(void)probe_secrets_judge(w->secrets);
	expect(w, PROBE_SECRETS_NONE, "caSecret: Secret shop/authority: is not read yet");
	probe_secrets_begin(w->secrets);
	probe_secrets_want(w->secrets, SHOP, &w->check);
	assert_false(probe_secrets_end(w->secrets));
}

static void test_a_probe_that_is_off_wants_none(void **state)
{
	struct world *w = *state;

	w->check.mode = POLICY_MODE_OFF;
	probe_secrets_begin(w->secrets);
	probe_secrets_want(w->secrets, SHOP, &w->check);
	assert_false(probe_secrets_end(w->secrets));
	expect(w, PROBE_SECRETS_GOOD, "");
}

static void count(const char *namespace, const char *name, void *arg)
{
	(void)namespace;
	(void)name;
	++*(size_t *)arg;
}

static void test_there_is_an_end_to_how_many_are_read(void **state)
{
	struct world *w = *state;
	char name[PROBE_SECRETS_MOST + 1][16];
	size_t have = 0;

	w->check.client_secret = (struct bytes){0};
	probe_secrets_begin(w->secrets);
	for (size_t i = 0; i <= PROBE_SECRETS_MOST; i++) {
		snprintf(name[i], sizeof name[i], "s%zu", i);
		w->check.ca_secret = bytes_of(name[i]);
		probe_secrets_want(w->secrets, SHOP, &w->check);
	}
	assert_true(probe_secrets_end(w->secrets));
	probe_secrets_each(w->secrets, count, &have);
	assert_int_equal(have, PROBE_SECRETS_MOST);
	expect(w, PROBE_SECRETS_NONE,
	       "caSecret: Secret shop/s256: is not read: policies name more than 256 Secrets");
}

static void test_it_is_news_when_something_else_is_told_and_only_then(void **state)
{
	struct world *w = *state;
	struct decode_secret *authority = good_authority(w);

	want(w);
	assert_true(probe_secrets_judge(w->secrets));
	assert_false(probe_secrets_judge(w->secrets));
	probe_secrets_set_files(w->secrets, &authority, 1, true);
	assert_true(probe_secrets_judge(w->secrets));
	probe_secrets_set_files(w->secrets, &authority, 1, true);
	assert_false(probe_secrets_judge(w->secrets));
	decode_secret_unref(authority);
}

static void test_what_is_no_secret_is_none(void **state)
{
	(void)state;
	assert_null(decoded("{'apiVersion':'v1','kind':'ConfigMap','metadata':"
	                    "{'name':'a'},'data':{'ca.crt':'x'}}"));
	assert_null(decoded("{'apiVersion':'v1','kind':'Secret'}"));
	assert_null(decoded("{'apiVersion':'v1','kind':'Secret','metadata':"
	                    "{'name':'a/b'}}"));
	assert_null(decoded("[]"));
}

static void test_data_is_base64_and_bounded(void **state)
{
	struct decode_secret *s =
		decoded("{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},"
	                "'data':{'ca.crt':'aGFsbG8=','tls.crt':'%','tls.key':7}}");
	struct text json = {0};

	(void)state;
	assert_string_equal(s->namespace, "default");
	assert_null(s->of[DECODE_SECRET_CA].wrong);
	assert_int_equal(s->of[DECODE_SECRET_CA].data.len, 5);
	assert_string_equal(s->of[DECODE_SECRET_CERTIFICATE].wrong, "tls.crt is not base64");
	assert_string_equal(s->of[DECODE_SECRET_PRIVATE].wrong, "has no tls.key");
	decode_secret_unref(s);
	text_add(&json, "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'},"
	                "'stringData':{'ca.crt':'");
	for (size_t i = 0; i <= DECODE_SECRET_KEY_MOST; i++)
		text_add(&json, "x");
	text_add(&json, "'}}");
	s = decoded(json.data);
	assert_string_equal(s->of[DECODE_SECRET_CA].wrong, "ca.crt is longer than 256 KiB");
	assert_int_equal(s->of[DECODE_SECRET_CA].data.len, 0);
	decode_secret_unref(s);
	text_fini(&json);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_secret_is_none),
		cmocka_unit_test(test_data_is_base64_and_bounded),
		with_world(test_what_files_have_is_in_use_once_it_is_whole),
		with_world(test_a_secret_of_another_namespace_is_another_one),
		with_world(test_each_fault_is_told_by_its_key_and_the_last_good_one_stays),
		with_world(test_a_certificate_that_is_cut_is_no_authority),
		with_world(test_an_encrypted_key_is_none_and_nobody_is_asked_for_its_password),
		with_world(test_an_api_servers_word_counts_where_no_file_has_it),
		with_world(test_what_nobody_names_any_more_is_forgotten),
		with_world(test_a_probe_that_is_off_wants_none),
		with_world(test_there_is_an_end_to_how_many_are_read),
		with_world(test_it_is_news_when_something_else_is_told_and_only_then),
	};

	return cmocka_run_group_tests_name("watcher/probe_secrets", tests, NULL, NULL);
}
