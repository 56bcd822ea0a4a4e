/* Names, annotations and fields of a megabyte: nothing grows by them, the others go on, and what is wrong is said. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/support/propagator_web.h"

enum { MEGABYTE = 1 << 20, STATUS_MOST = 16 << 10, ROUNDS = 3 };

/* A megabyte of one letter; the caller frees it. */
static char *huge(void)
{
	char *text = xmalloc(MEGABYTE + 1);

	memset(text, 'x', MEGABYTE);
	text[MEGABYTE] = '\0';
	return text;
}

static int setup_of(void **state, unsigned mebibytes)
{
	struct propagator_world *w = propagator_world_new(2);

	*state = w;
	w->options.member_mebibytes = mebibytes;
	propagator_world_begin(w);
	return 0;
}

static int setup_small(void **state) { return setup_of(state, 1); }
static int setup(void **state) { return setup_of(state, 8); }

static size_t used(struct propagator_world *w, const char *member)
{
	return members_find(work_members(w->work), member)->budget.used;
}

static void expect_all_go_on(struct propagator_world *w)
{
	propagator_world_deployment(w, "web", 3, "");
	web_expect_copy(w, 0, "\"replicas\":3");
	web_expect_copy(w, 1, "\"replicas\":3");
}

/* --- in a member --- */

static void tell_of_huge_name(struct propagator_world *w)
{
	char *name = huge();

	fakeapi_send_line(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	                  "{'type':'ADDED','object':{'kind':'Deployment','apiVersion':'apps/v1',"
	                  "'metadata':{'name':'%s','namespace':'shop','uid':'u','generation':1,"
	                  "'resourceVersion':'1000000','labels':{'kubefed.io/managed':'true'}},"
	                  "'spec':{'replicas':1}}}",
	                  name);
	free(name);
}

static void test_a_member_with_a_huge_name_is_full_and_says_so(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	tell_of_huge_name(w);
	web_expect_status(w, "more than is kept of deployments");
	assert_true(used(w, "gondor") <= MEGABYTE);
	propagator_world_deployment(w, "web", 3, "");
	web_expect_copy(w, 1, "\"replicas\":3");
}

/* No server takes it in a path. */
static void test_a_huge_name_that_there_is_room_for_stops_no_other(void **state)
{
	struct propagator_world *w = *state;
	unsigned before;

	web_bring(w, WORLD_EVERYWHERE);
	tell_of_huge_name(w);
	propagator_world_turn(w, 1000);
	before = fakeapi_connections_ever(web_gondor(w));
	expect_all_go_on(w);
	propagator_world_turn(w, 2000);
	assert_true(used(w, "gondor") < (size_t)2 * MEGABYTE);
	assert_true(fakeapi_connections_ever(web_gondor(w)) - before < 5);
}

/* Of what a copy bears hashes are kept. */
static void test_huge_annotations_of_copies_are_not_kept(void **state)
{
	struct propagator_world *w = *state;
	char *text = huge();

	web_bring(w, WORLD_EVERYWHERE);
	for (int i = 0; i < ROUNDS; i++)
		fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB,
		             "{'metadata':{'annotations':{'a%d':'%s'}}}", i, text);
	free(text);
	expect_all_go_on(w);
	assert_true(used(w, "gondor") < MEGABYTE / 2);
}

static void test_a_huge_reason_in_a_status_is_told_in_few_words(void **state)
{
	struct propagator_world *w = *state;
	char *text = huge();

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB,
	             "{'status':{'observedGeneration':1,'replicas':1,'conditions':[{'type':"
	             "'Progressing','status':'False','reason':'ProgressDeadlineExceeded',"
	             "'message':'%s'},{'type':'ReplicaFailure','status':'True','reason':'%s',"
	             "'message':'%s'}]}}",
	             text, text, text);
	free(text);
	web_expect_status(w, "Failed");
	propagator_world_turn(w, 3000);
	assert_true(strlen(fakeapi_get(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB)) < STATUS_MOST);
	assert_true(used(w, "gondor") < MEGABYTE / 2);
	expect_all_go_on(w);
}

/* --- on the host --- */

static void test_a_huge_template_reaches_who_takes_it_and_the_other_says_why_not(void **state)
{
	struct propagator_world *w = *state;
	char *text = huge();

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(web_gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS, 0, 413, NULL);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'spec':{'template':{'metadata':{'labels':{'huge':'%s'}}}}}", text);
	web_expect_copy(w, 1, text);
	free(text);
	web_expect_status(w, "\"name\":\"gondor\",\"status\":\"UpdateFailed\"");
	web_expect_status(w, "413");
	fakeapi_no_rule(web_gondor(w), NULL);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'spec':{'template':{'metadata':{'labels':{'huge':null}}}}}");
	expect_all_go_on(w);
}

static void test_a_huge_annotation_of_a_federated_object_goes_nowhere(void **state)
{
	struct propagator_world *w = *state;
	char *text = huge();

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'huge':'%s'}}}", text);
	free(text);
	expect_all_go_on(w);
	assert_null(strstr(fakeapi_get(web_rohan(w), FAKEAPI_DEPLOYMENTS, WEB), "huge"));
}

/* More than etcd takes, and than is read. */
static void test_what_is_too_long_to_be_read_counts_as_it_was(void **state)
{
	enum { MEGABYTES = 5 };
	struct propagator_world *w = *state;
	char *text = huge();

	web_bring(w, WORLD_EVERYWHERE);
	for (int i = 0; i < MEGABYTES; i++)
		fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
		             "{'metadata':{'annotations':{'huge%d':'%s'}}}", i, text);
	free(text);
	propagator_world_deployment(w, "web", 2, "");
	propagator_world_deployment(w, "other", 4, WORLD_EVERYWHERE);
	propagator_world_expect(w, web_gondor(w), FAKEAPI_DEPLOYMENTS, "shop/other",
	                        "\"replicas\":4");
	web_expect_copy(w, 0, "\"replicas\":1");
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':null}}");
	expect_all_go_on(w);
}

int main(void)
{
#define T(f, s) cmocka_unit_test_setup_teardown(f, s, web_teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_member_with_a_huge_name_is_full_and_says_so, setup_small),
		T(test_a_huge_name_that_there_is_room_for_stops_no_other, setup),
		T(test_huge_annotations_of_copies_are_not_kept, setup),
		T(test_a_huge_reason_in_a_status_is_told_in_few_words, setup),
		T(test_a_huge_template_reaches_who_takes_it_and_the_other_says_why_not, setup),
		T(test_a_huge_annotation_of_a_federated_object_goes_nowhere, setup),
		T(test_what_is_too_long_to_be_read_counts_as_it_was, setup),
	};

	return cmocka_run_group_tests_name("propagator/huge_texts", tests, NULL, NULL);
}
