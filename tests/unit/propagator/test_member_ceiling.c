/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "propagator/member_ceiling.h"
#include "tests/support/kube_server.h"

#define KUBEFED "kube-federation-system"

enum { SOON_MS = 15000, REST_MS = 300 };

struct member {
	struct kube_server *s;
	struct kube_backoff backoff;
	struct member_ceiling *ceiling;
	bool changed;
};

static void on_change(void *arg) { ((struct member *)arg)->changed = true; }

static struct member *member_new(void **state)
{
	struct member *m = calloc(1, sizeof(*m));

	m->s = *state;
	m->backoff.cap_ms = 100;
	m->ceiling = member_ceiling_new("gondor", KUBEFED, on_change, m);
	return m;
}

static void member_free(struct member *m)
{
	member_ceiling_free(m->ceiling);
	free(m);
}

static void watch(struct member *m)
{
	member_ceiling_watch(m->ceiling, &m->s->loop, m->s->client, &m->backoff);
}

static void put_ceiling(struct member *m, const char *yaml)
{
	fakeapi_put(m->s->f, FAKEAPI_CONFIG_MAPS,
	            "{'metadata': {'name': 'nigh-ceiling', 'namespace': '" KUBEFED
	            "'}, 'data': {'ceiling': '%s'}}",
	            yaml);
}

static void await_change(struct member *m)
{
	kube_server_turn_until(&m->s->loop, &m->changed, SOON_MS);
	m->changed = false;
}

static void assert_stays(struct member *m, const char *word)
{
	kube_server_turn_for(&m->s->loop, REST_MS);
	assert_false(m->changed);
	assert_string_equal(member_ceiling_word(m->ceiling), word);
}

static void test_nothing_is_known_before_it_was_asked(void **state)
{
	struct member *m = member_new(state);

	fakeapi_stall(m->s->f, "/api/v1/", 0);
	watch(m);
	assert_stays(m, "unknown");
	assert_false(member_ceiling_is_known(m->ceiling));
	fakeapi_no_rule(m->s->f, NULL);
	member_free(m);
}

static void test_a_ceiling_comes_changes_and_goes(void **state)
{
	struct member *m = member_new(state);
	uint64_t first;

	watch(m);
	await_change(m);
	assert_true(member_ceiling_is_known(m->ceiling));
	assert_string_equal(member_ceiling_word(m->ceiling), "none");
	put_ceiling(m, "kinds: [ConfigMap]");
	await_change(m);
	assert_string_equal(member_ceiling_word(m->ceiling), "held");
	first = member_ceiling_revision(m->ceiling);
	put_ceiling(m, "kind: [ConfigMap]");
	await_change(m);
	assert_string_equal(member_ceiling_word(m->ceiling), "broken");
	assert_int_not_equal(member_ceiling_revision(m->ceiling), first);
	fakeapi_delete(m->s->f, FAKEAPI_CONFIG_MAPS, KUBEFED "/nigh-ceiling");
	await_change(m);
	assert_string_equal(member_ceiling_word(m->ceiling), "none");
	member_free(m);
}

static void test_another_config_map_is_no_ceiling(void **state)
{
	struct member *m = member_new(state);

	fakeapi_put(m->s->f, FAKEAPI_CONFIG_MAPS,
	            "{'metadata': {'name': 'other', 'namespace': '" KUBEFED "'}}");
	fakeapi_put(m->s->f, FAKEAPI_CONFIG_MAPS,
	            "{'metadata': {'name': 'nigh-ceiling', 'namespace': 'shop'}}");
	watch(m);
	await_change(m);
	assert_stays(m, "none");
	member_free(m);
}

/* It may be another server's, which has one. */
static void test_that_there_is_none_is_asked_of_each_client_anew(void **state)
{
	struct member *m = member_new(state);

	watch(m);
	await_change(m);
	assert_string_equal(member_ceiling_word(m->ceiling), "none");
	member_ceiling_unwatch(m->ceiling);
	assert_false(member_ceiling_is_known(m->ceiling));
	put_ceiling(m, "kinds: []");
	watch(m);
	await_change(m);
	assert_stays(m, "held");
	member_free(m);
}

static void test_a_list_that_brings_the_same_changes_nothing(void **state)
{
	struct member *m = member_new(state);

	put_ceiling(m, "kinds: [ConfigMap]");
	watch(m);
	await_change(m);
	fakeapi_compact(m->s->f);
	fakeapi_fail_watches(m->s->f, FAKEAPI_CONFIG_MAPS, 410);
	assert_stays(m, "held");
	member_free(m);
}

static void test_who_may_not_read_it_and_never_saw_one_is_not_limited(void **state)
{
	struct member *m = member_new(state);

	put_ceiling(m, "kinds: []");
	fakeapi_forbid(m->s->f, FAKEAPI_CONFIG_MAPS);
	watch(m);
	await_change(m);
	assert_true(member_ceiling_is_known(m->ceiling));
	assert_stays(m, "none");
	member_free(m);
}

static void test_a_ceiling_that_was_seen_outlasts_the_right_and_the_client(void **state)
{
	struct member *m = member_new(state);
	uint64_t revision;

	put_ceiling(m, "kinds: []");
	watch(m);
	await_change(m);
	revision = member_ceiling_revision(m->ceiling);
	member_ceiling_unwatch(m->ceiling);
	assert_stays(m, "held");
	fakeapi_forbid(m->s->f, FAKEAPI_CONFIG_MAPS);
	watch(m);
	assert_stays(m, "held");
	assert_int_equal(member_ceiling_revision(m->ceiling), revision);
	member_ceiling_unwatch(m->ceiling);
	/* Only that there is none, seen, ends it. */
	fakeapi_allow(m->s->f, FAKEAPI_CONFIG_MAPS);
	fakeapi_delete(m->s->f, FAKEAPI_CONFIG_MAPS, KUBEFED "/nigh-ceiling");
	watch(m);
	await_change(m);
	assert_string_equal(member_ceiling_word(m->ceiling), "none");
	member_free(m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kube_server_setup, kube_server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_known_before_it_was_asked),
		TEST(test_a_ceiling_comes_changes_and_goes),
		TEST(test_another_config_map_is_no_ceiling),
		TEST(test_that_there_is_none_is_asked_of_each_client_anew),
		TEST(test_a_list_that_brings_the_same_changes_nothing),
		TEST(test_who_may_not_read_it_and_never_saw_one_is_not_limited),
		TEST(test_a_ceiling_that_was_seen_outlasts_the_right_and_the_client),
	};

	return cmocka_run_group_tests_name("propagator/member_ceiling", tests,
	                                   kube_server_setup_group, NULL);
}
