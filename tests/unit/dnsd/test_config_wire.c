/* What the config says of the wire: identity, cookies, client subnets, who may ask. */
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

#include "base/text.h"
#include "dnsd/config.h"

/* A config file of this text, read; what was wrong with it in *errors, each line without the file's name. */
static struct config *read_yaml(const char *yaml, struct text *errors)
{
	char path[] = "/tmp/nigh-config-XXXXXX";
	struct text told = {0};
	struct config *c;
	FILE *f = fdopen(mkstemp(path), "w");

	assert_non_null(f);
	assert_true(fputs(yaml, f) >= 0);
	assert_int_equal(fclose(f), 0);
	c = config_read(path, &told);
	for (char *at = told.data; at != NULL && *at != '\0';) {
		size_t len = strcspn(at, "\n");

		assert_memory_equal(at, path, strlen(path));
		text_printf(errors, "%.*s\n", (int)(len - strlen(path) - 1), at + strlen(path) + 1);
		at += len + 1;
	}
	unlink(path);
	text_fini(&told);
	return c;
}

static void assert_refused(const char *yaml, const char *line)
{
	struct text errors = {0};

	assert_null(read_yaml(yaml, &errors));
	assert_string_equal(errors.data, line);
	text_fini(&errors);
}

static struct config *must_read(const char *yaml)
{
	struct text errors = {0};
	struct config *c = read_yaml(yaml, &errors);

	if (c == NULL)
		print_error("%s", errors.data);
	assert_non_null(c);
	text_fini(&errors);
	return c;
}

/* What is printed of it says the same when it is read. */
static struct config *read_again(struct config *c)
{
	struct text first = {0}, second = {0};
	struct config *again;

	config_print(c, &first);
	again = must_read(first.data);
	config_print(again, &second);
	assert_string_equal(first.data, second.data);
	text_fini(&first);
	text_fini(&second);
	config_free(c);
	return again;
}

static void test_an_identity_is_a_text_of_some_length_and_absent_by_default(void **state)
{
	struct config *c = must_read("{}\n");
	char yaml[512], many[300];

	(void)state;
	assert_null(c->identity.nsid);
	assert_null(c->identity.hostname);
	assert_null(c->identity.version);
	config_free(c);
	c = read_again(must_read("identity: {nsid: \"a \\\"b\", hostname: h, version: \"1\"}\n"));
	assert_string_equal(c->identity.nsid, "a \"b");
	assert_string_equal(c->identity.hostname, "h");
	assert_string_equal(c->identity.version, "1");
	config_free(c);
	memset(many, 'x', sizeof many);
	snprintf(yaml, sizeof yaml, "identity: {nsid: %.128s, hostname: %.255s}\n", many, many);
	config_free(must_read(yaml));
	snprintf(yaml, sizeof yaml, "identity:\n  nsid: %.129s\n", many);
	assert_refused(yaml, "2: identity.nsid must be at most 128 bytes\n");
	snprintf(yaml, sizeof yaml, "identity:\n  hostname: %.256s\n", many);
	assert_refused(yaml, "2: identity.hostname must be at most 255 bytes\n");
	assert_refused("identity: {version: 1}\n", "1: identity.version must be a text\n");
	assert_refused("identity: {version: \"\"}\n", "1: identity.version must not be empty\n");
	assert_refused("identity: {name: x}\n", "1: unknown key 'identity.name'\n");
}

static void test_cookies_are_on_with_a_random_secret_by_default(void **state)
{
	struct config *c = must_read("{}\n");

	(void)state;
	assert_int_equal(c->cookies.mode, CONFIG_COOKIES_ON);
	assert_null(c->cookies.secret_file);
	config_free(c);
	c = read_again(must_read("cookies: {mode: required-for-large, secretFile: s}\n"));
	assert_int_equal(c->cookies.mode, CONFIG_COOKIES_REQUIRED);
	assert_string_equal(c->cookies.secret_file, "/tmp/s");
	config_free(c);
	c = read_again(must_read("cookies: {mode: off}\n"));
	assert_int_equal(c->cookies.mode, CONFIG_COOKIES_OFF);
	config_free(c);
	config_free(must_read("cookies: {mode: on}\n"));
	assert_refused("cookies:\n  mode: required\n",
	               "2: cookies.mode must be one of on|off|required-for-large\n");
}

static void test_client_subnets_are_believed_from_anybody_by_default(void **state)
{
	struct config *c = must_read("{}\n");

	(void)state;
	assert_false(c->ecs_from.limited);
	config_free(c);
	c = read_again(must_read("ecs: {from: any}\n"));
	assert_false(c->ecs_from.limited);
	config_free(c);
	c = read_again(must_read("ecs: {from: []}\n"));
	assert_true(c->ecs_from.limited);
	assert_int_equal(c->ecs_from.count, 0);
	config_free(c);
	c = read_again(must_read("ecs: {from: [192.0.2.0/24, \"2001:db8::/32\", 10.1.2.3]}\n"));
	assert_int_equal(c->ecs_from.count, 3);
	assert_int_equal(c->ecs_from.item[0].len, 24);
	assert_int_equal(c->ecs_from.item[1].len, 32);
	assert_int_equal(c->ecs_from.item[2].len, 32);
	config_free(c);
	assert_refused("ecs: {from: all}\n", "1: ecs.from must be any, or a list of networks\n");
	assert_refused("ecs:\n  from: [3]\n", "2: ecs.from must be a text\n");
	assert_refused("ecs: {form: any}\n", "1: unknown key 'ecs.form'\n");
}

static void test_a_zone_may_be_for_some_networks(void **state)
{
	struct config *c = must_read("zones: [{name: a.example}]\n");
	struct text errors = {0};

	(void)state;
	assert_false(c->zones[0].allow_query.limited);
	config_free(c);
	c = read_again(must_read("zones:\n- {name: a.example, allowQuery: []}\n"
	                         "- {name: b.example, allowQuery: [127.0.0.0/8, \"::1\"]}\n"));
	assert_true(c->zones[0].allow_query.limited);
	assert_int_equal(c->zones[0].allow_query.count, 0);
	assert_int_equal(c->zones[1].allow_query.count, 2);
	assert_int_equal(c->zones[1].allow_query.item[1].len, 128);
	config_free(c);
	assert_refused("zones:\n- name: a.example\n  allowQuery: 10.0.0.0/8\n",
	               "3: zones.allowQuery must be a list\n");
	assert_null(read_yaml("zones:\n- name: a.example\n  allowQuery: [10.0.0.1/8]\n", &errors));
	assert_memory_equal(errors.data, "3: zones.allowQuery: ", 21);
	text_fini(&errors);
}

/* --- replicas --- */

#define FILES "certificate: a.crt, key: a.key, ca: ca.crt"

static void test_replicas_are_read_and_printed_again(void **state)
{
	struct config *c = must_read("replicas: {listen: \"[::]:8054\", name: r1, peers: "
	                             "[\"192.0.2.1:8054\", \"Nighd.nigh.svc:8055\"], " FILES "}\n");
	struct text out = {0}, errors = {0};

	(void)state;
	assert_true(config_check(c, &errors));
	assert_int_equal(c->replicas.listen.addr.family, ADDR_IPV6);
	assert_int_equal(c->replicas.peer_count, 2);
	assert_null(c->replicas.peers[0].host);
	assert_string_equal(c->replicas.peers[1].host, "nighd.nigh.svc");
	assert_int_equal(c->replicas.peers[1].port, 8055);
	assert_string_equal(c->replicas.certificate, "/tmp/a.crt");
	config_print(c, &out);
	assert_non_null(strstr(out.data, "listen: \"[::]:8054\""));
	assert_non_null(strstr(out.data, "[\"192.0.2.1:8054\", \"nighd.nigh.svc:8055\"]"));
	config_free(c);
	c = must_read(out.data);
	assert_int_equal(c->replicas.peer_count, 2);
	config_free(c);
	text_fini(&out);
	text_fini(&errors);
}

static void assert_incomplete(const char *yaml, const char *complaint)
{
	struct config *c = must_read(yaml);
	struct text errors = {0};

	assert_false(config_check(c, &errors));
	if (strstr(errors.data, complaint) == NULL)
		print_error("%s", errors.data);
	assert_non_null(strstr(errors.data, complaint));
	text_fini(&errors);
	config_free(c);
}

static void test_replicas_need_files_and_places(void **state)
{
	(void)state;
	assert_incomplete("replicas: {listen: \"127.0.0.1:8054\"}\n",
	                  "replicas needs certificate, key and ca");
	assert_incomplete("replicas: {" FILES "}\n", "replicas needs listen, or peers");
	assert_incomplete("replicas: {name: \"a\\nb\"}\n", "replicas.name must be at most 63");
	assert_refused("replicas: {peers: [\"192.0.2.1\"]}\n",
	               "1: replicas.peers: '192.0.2.1' is neither ADDR:PORT nor NAME:PORT\n");
	assert_refused("replicas: {peers: [\"a b:1\", \"192.0.2.1:0\"]}\n",
	               "1: replicas.peers: 'a b:1' is neither ADDR:PORT nor NAME:PORT\n"
	               "1: replicas.peers: '192.0.2.1:0' is neither ADDR:PORT nor NAME:PORT\n");
	assert_refused("replicas: {peers: 5}\n", "1: replicas.peers must be a list\n");
	assert_refused("replicas: {listen: 127.0.0.1}\n",
	               "1: replicas.listen: '127.0.0.1' has no port (A.B.C.D:PORT or [V6]:PORT)\n");
}

static void test_another_address_to_listen_at_needs_a_restart(void **state)
{
	struct config *one = must_read("replicas: {listen: \"127.0.0.1:1\", name: a, " FILES "}\n");
	struct config *two = must_read("replicas: {listen: \"127.0.0.1:2\", name: b, " FILES "}\n");
	struct text out = {0};

	(void)state;
	config_needs_restart(one, two, &out);
	assert_string_equal(out.data, "replicas.listen");
	text_fini(&out);
	config_free(one);
	config_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_identity_is_a_text_of_some_length_and_absent_by_default),
		cmocka_unit_test(test_cookies_are_on_with_a_random_secret_by_default),
		cmocka_unit_test(test_client_subnets_are_believed_from_anybody_by_default),
		cmocka_unit_test(test_a_zone_may_be_for_some_networks),
		cmocka_unit_test(test_replicas_are_read_and_printed_again),
		cmocka_unit_test(test_replicas_need_files_and_places),
		cmocka_unit_test(test_another_address_to_listen_at_needs_a_restart),
	};

	return cmocka_run_group_tests_name("dnsd/config_wire", tests, NULL, NULL);
}
