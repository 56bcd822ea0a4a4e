/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/member_token.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "kube/base64.h"
#include "tests/support/propagator_hub.h"
#include "tests/support/propagator_json.h"

#define ASKED   "POST /api/v1/namespaces/fed/serviceaccounts/nigh-gondor-host/token"
#define RULE    "POST /api/v1/serviceaccounts/fed/nigh-gondor-host/token"
#define NEW_ONE "bmV3LW9uZQ==" /* new-one */
#define SUB     "system:serviceaccount:fed:nigh-gondor-host"

struct looking {
	struct hub *hub;
	struct kube_client *client; /* of the member */
	struct dispatch *member;
	struct members_settings settings;
	struct member_token *token;
	bool stopped;
};

static void on_stopped(void *arg) { *(bool *)arg = true; }
static bool is_true(void *arg) { return *(bool *)arg; }

static int setup(void **state)
{
	struct looking *l = xcalloc(1, sizeof(*l));
	struct kube_access access;

	l->hub = hub_new();
	access = (struct kube_access){.server = xstrdup(fakeapi_url(l->hub->member[0])),
	                              .any_certificate = true};
	kube_secret_set(&access.token, bytes_of(fakeapi_token(l->hub->member[0])));
	l->client = kube_client_new(&l->hub->loop, &access);
	kube_access_fini(&access);
	l->member = dispatch_new(&l->hub->loop, l->client, 4, &l->hub->term);
	l->settings = (struct members_settings){.loop = &l->hub->loop,
	                                        .host_dispatch = l->hub->dispatch,
	                                        .namespace = HUB_NAMESPACE};
	l->token = member_token_new(&l->settings, "gondor");
	hub_secret(l->hub, "gondor", "old");
	fakeapi_answer_bytes(l->hub->member[0], RULE, 0, 201, "application/json",
	                     "{\"status\":{\"token\":\"new-one\"}}", 30);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct looking *l = *state;

	member_token_free(l->token);
	dispatch_free(l->member);
	kube_client_stop(l->client, on_stopped, &l->stopped);
	hub_turn_until(l->hub, is_true, &l->stopped);
	hub_free(l->hub);
	free(l);
	return 0;
}

static void look_at(struct looking *l, const char *version, const char *token)
{
	const struct member_token_secret secret = {"gondor", version, bytes_of(token)};

	member_token_look(l->token, l->member, &secret);
}

/* A token that was issued so long ago and is valid for so long from now on. */
static void look_as_of(struct looking *l, const char *version, const char *sub, int64_t issued_s,
                       int64_t for_s)
{
	int64_t now_s = clock_unix_s();
	struct text claims = {0}, token = {0};

	text_printf(&claims, "{\"sub\":\"%s\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}", sub,
	            now_s - issued_s, now_s + for_s);
	text_add(&token, "e30.");
	base64_encode(bytes_of(claims.data), &token);
	while (token.data[token.len - 1] == '=')
		token.data[--token.len] = '\0';
	text_add(&token, ".c2ln");
	look_at(l, version, token.data);
	text_fini(&claims);
	text_fini(&token);
}

static void look(struct looking *l, const char *sub, int64_t issued_s, int64_t for_s)
{
	look_as_of(l, "", sub, issued_s, for_s);
}

static bool is_asked(void *arg)
{
	return fakeapi_requests(((struct looking *)arg)->hub->member[0], ASKED) > 0;
}

static void test_a_token_is_made_anew_when_half_of_its_time_is_over(void **state)
{
	struct looking *l = *state;

	look(l, SUB, 5000, 4000);
	hub_turn_until(l->hub, is_asked, l);
	assert_non_null(strstr(fakeapi_last_body(l->hub->member[0]), "\"expirationSeconds\":9000"));
	hub_expect(l->hub, FAKEAPI_SECRETS, HUB_NAMESPACE "/gondor", NEW_ONE);
	assert_int_equal(fakeapi_requests(l->hub->host, "PATCH /api/v1/namespaces/" HUB_NAMESPACE
	                                                "/secrets/gondor"),
	                 1);
}

static bool is_written(void *arg)
{
	return fakeapi_requests(((struct looking *)arg)->hub->host, "PATCH ") > 0;
}

/* It may be of another cluster of that name by then. */
static void test_a_secret_that_somebody_else_has_changed_keeps_what_it_has(void **state)
{
	struct looking *l = *state;
	char version[32];

	(void)snprintf(version, sizeof(version), "%" PRIu64, fakeapi_version(l->hub->host));
	hub_secret(l->hub, "gondor", "another");
	look_as_of(l, version, SUB, 5000, 4000);
	hub_turn_until(l->hub, is_written, l);
	hub_turn_for(l->hub, 200);
	hub_expect(l->hub, FAKEAPI_SECRETS, HUB_NAMESPACE "/gondor", "YW5vdGhlcg==");
	assert_null(strstr(fakeapi_get(l->hub->host, FAKEAPI_SECRETS, HUB_NAMESPACE "/gondor"),
	                   NEW_ONE));
}

static void test_what_is_not_due_or_no_service_accounts_or_without_end_is_left_alone(void **state)
{
	struct looking *l = *state;

	look(l, SUB, 4000, 5000);
	look(l, "somebody", 5000, 4000);
	look(l, "system:serviceaccount:fed:a:b", 5000, 4000);
	look_at(l, "", "opaque");
	/* {"sub":"system:serviceaccount:fed:nigh-gondor-host","iat":1} */
	look_at(l, "",
	        "e30."
	        "eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6ZmVkOm5pZ2gtZ29uZG9yLWhvc3QiLCJpYXQiOjF"
	        "9.c2ln");
	hub_turn_for(l->hub, 300);
	assert_false(is_asked(l));
}

static void test_a_short_one_is_asked_for_as_long_as_a_server_takes(void **state)
{
	struct looking *l = *state;

	look(l, SUB, 30, 20);
	hub_turn_until(l->hub, is_asked, l);
	assert_non_null(strstr(fakeapi_last_body(l->hub->member[0]), "\"expirationSeconds\":600"));
}

static void test_what_is_refused_is_not_asked_for_again_at_once(void **state)
{
	struct looking *l = *state;

	fakeapi_answer(l->hub->member[0], RULE, 0, 403, NULL);
	look(l, SUB, 5000, 4000);
	hub_turn_until(l->hub, is_asked, l);
	hub_turn_for(l->hub, 200);
	look(l, SUB, 5000, 4000);
	hub_turn_for(l->hub, 200);
	assert_int_equal(fakeapi_requests(l->hub->member[0], ASKED), 1);
	assert_int_equal(fakeapi_requests(l->hub->host, "PATCH "), 0);
}

static void test_only_tokens_of_nighctl_join_are_made_anew(void **state)
{
	(void)state;
	assert_true(member_token_rotates(
		json_of("{'metadata': {'annotations': {'nigh.dev/rotate': 'true'}}}")));
	assert_false(member_token_rotates(
		json_of("{'metadata': {'annotations': {'nigh.dev/rotate': 'false'}}}")));
	assert_false(member_token_rotates(json_of("{'metadata': {}}")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_made_anew_when_half_of_its_time_is_over),
		TEST(a_secret_that_somebody_else_has_changed_keeps_what_it_has),
		TEST(what_is_not_due_or_no_service_accounts_or_without_end_is_left_alone),
		TEST(a_short_one_is_asked_for_as_long_as_a_server_takes),
		TEST(what_is_refused_is_not_asked_for_again_at_once),
		JSON_TEST(test_only_tokens_of_nighctl_join_are_made_anew),
	};

	return cmocka_run_group_tests_name("propagator/member_token", tests, NULL, NULL);
}
