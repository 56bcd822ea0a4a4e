/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "kube/transport.h"
#include "tests/support/fakeapi.h"

enum { WAIT_MS = 20000 };

struct calling {
	struct fakeapi *f;
	struct kube_caller *caller;
};

static int setup(void **state)
{
	struct calling *c = xcalloc(1, sizeof(*c));
	struct kube_access access = {0};

	kube_transport_setup();
	c->f = fakeapi_new(NULL);
	access.server = xstrdup(fakeapi_url(c->f));
	access.any_certificate = true;
	kube_secret_set(&access.token, bytes_of(fakeapi_token(c->f)));
	c->caller = kube_caller_new(&access);
	kube_access_fini(&access);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct calling *c = *state;

	kube_caller_free(c->caller);
	kube_caller_free(NULL);
	fakeapi_free(c->f);
	free(c);
	return 0;
}

static enum err ask(struct calling *c, int *status)
{
	const struct kube_ask get = {
		.path = "/version", .reply_ms = WAIT_MS, .silence_ms = WAIT_MS};
	struct buffer body = {0};
	struct reason why;
	enum err err = kube_caller_ask(c->caller, &get, status, &body, &why);

	assert_true(err != ERR_OK || body.len > 0);
	buffer_fini(&body);
	return err;
}

static void test_one_question_after_the_other_takes_one_connection(void **state)
{
	struct calling *c = *state;
	int status;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(ask(c, &status), ERR_OK);
		assert_int_equal(status, 200);
	}
	assert_int_equal(fakeapi_connections_ever(c->f), 1);
	assert_int_equal(fakeapi_requests(c->f, "GET /version"), 5);
}

static void test_a_connection_that_ended_between_two_questions_is_made_anew(void **state)
{
	struct calling *c = *state;
	int status;

	assert_int_equal(ask(c, &status), ERR_OK);
	fakeapi_drop(c->f, FAKEAPI_CUT_CLOSE);
	assert_int_equal(ask(c, &status), ERR_OK);
	assert_int_equal(status, 200);
}

static void test_a_server_that_goes_is_told_and_found_again(void **state)
{
	struct calling *c = *state;
	int status;

	assert_int_equal(ask(c, &status), ERR_OK);
	fakeapi_down(c->f);
	assert_int_equal(ask(c, &status), ERR_UNREACHABLE);
	assert_int_equal(status, 0);
	fakeapi_up(c->f);
	assert_int_equal(ask(c, &status), ERR_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_question_after_the_other_takes_one_connection),
		TEST(a_connection_that_ended_between_two_questions_is_made_anew),
		TEST(a_server_that_goes_is_told_and_found_again),
	};

	return cmocka_run_group_tests_name("kube/transport_call", tests, NULL, NULL);
}
