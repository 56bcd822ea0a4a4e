/* What a member sends that is not what it should be. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "propagator/cache.h"
#include "tests/support/propagator_web.h"

enum { STRANGERS = 3000 };

static int setup(void **state)
{
	struct propagator_world *w = propagator_world_new(2);

	*state = w;
	w->options.member_mebibytes = 1;
	propagator_world_begin(w);
	return 0;
}

/* A managed Deployment that nobody asks for. */
static void stranger(struct text *out, size_t i, void *arg)
{
	text_printf(out,
	            "{'metadata':{'name':'stranger-%05zu','namespace':'shop','labels':{"
	            "'kubefed.io/managed':'true'%s}},'spec':{'replicas':1}}",
	            i, arg ? (const char *)arg : "");
}

static const struct budget *budget_of(struct propagator_world *w, const char *member)
{
	return &members_find(work_members(w->work), member)->budget;
}

static void add_overfull(const struct types_note *note, void *arg)
{
	*(size_t *)arg += note->counts.overfull;
}

static void test_a_member_full_of_strangers_fills_no_memory_and_keeps_its_objects(void **state)
{
	struct propagator_world *w = *state;
	size_t overfull = 0;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_put_many(web_gondor(w), FAKEAPI_DEPLOYMENTS, STRANGERS, stranger, NULL);
	web_expect_status(w, "more than is kept of deployments");
	web_expect_status(w, "CachedRetrievalFailed");
	types_each(work_types(w->work), add_overfull, &overfull);
	assert_int_equal(overfull, 1);
	assert_true(budget_of(w, "gondor")->used <= 1 << 20);
	/* Others go on, and what is there is left as it is. */
	propagator_world_deployment(w, "web", 3, "");
	web_expect_copy(w, 1, "\"replicas\":3");
	propagator_world_deployment(w, "web", 4, "'placement':{'clusters':[{'name':'rohan'}]}");
	web_expect_copy(w, 1, "\"replicas\":4");
	propagator_world_turn(w, 1000);
	web_expect_copy(w, 0, "\"replicas\":1");
	assert_int_equal(fakeapi_requests(web_gondor(w), "DELETE "), 0);
}

static void test_labels_without_end_are_counted(void **state)
{
	enum { LABELS = 150000 };
	struct propagator_world *w = *state;
	struct text labels = {0};

	web_bring(w, WORLD_EVERYWHERE);
	for (unsigned i = 0; i < LABELS; i++)
		text_printf(&labels, ",'l%u':''", i);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','labels':{'kubefed.io/managed':"
	            "'true'%s}},'spec':{'replicas':1}}",
	            labels.data);
	text_fini(&labels);
	web_expect_status(w, "more than is kept of deployments");
	propagator_world_deployment(w, "web", 3, "");
	web_expect_copy(w, 1, "\"replicas\":3");
}

/* Of what nobody asks for its labels are not kept. */
static void test_of_strangers_only_names_and_versions_are_kept(void **state)
{
	enum { LABELS = 3000, SOME = 40 };
	struct propagator_world *w = *state;
	struct text labels = {0};

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(web_gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS "/shop/stranger", 0, 403, NULL);
	for (unsigned i = 0; i < LABELS; i++)
		text_printf(&labels, ",'l%u':''", i);
	fakeapi_put_many(web_gondor(w), FAKEAPI_DEPLOYMENTS, SOME, stranger, labels.data);
	text_fini(&labels);
	propagator_world_expect_requests(w, web_gondor(w), "stranger-00039", 1);
	assert_true(budget_of(w, "gondor")->used < (size_t)(SOME + 10) * 2 * CACHE_EACH);
	propagator_world_deployment(w, "web", 3, "");
	web_expect_copy(w, 0, "\"replicas\":3");
	web_expect_copy(w, 1, "\"replicas\":3");
}

/* It may be asked for later, and nothing of it may change then. */
static void test_a_stranger_that_is_asked_for_is_known_at_once(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(web_gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS "/shop/stranger", 1, 403, NULL);
	fakeapi_put_many(web_gondor(w), FAKEAPI_DEPLOYMENTS, 1, stranger, NULL);
	propagator_world_expect_requests(w, web_gondor(w), "stranger-00000", 1);
	fakeapi_hush_watches(web_gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "stranger-00000", 1, WORLD_EVERYWHERE);
	propagator_world_expect(w, w->host, WORLD_FEDERATED_DEPLOYMENTS, "shop/stranger-00000",
	                        "{\"name\":\"gondor\",\"health\"");
}

static void test_a_list_without_end_stops_no_other(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_endless(web_gondor(w), FAKEAPI_DEPLOYMENTS "?!watch=", 0, FAKEAPI_ENDLESS_ITEMS);
	propagator_world_deployment(w, "web", 2, WORLD_EVERYWHERE);
	web_expect_copy(w, 1, "\"replicas\":2");
	web_expect_status(w, "CachedRetrievalFailed");
	propagator_world_turn(w, 5000);
	assert_true(budget_of(w, "gondor")->used <= 1 << 20);
	propagator_world_deployment(w, "web", 3, "");
	web_expect_copy(w, 1, "\"replicas\":3");
}

static void send_events(struct propagator_world *w, unsigned count, uint64_t *version)
{
	struct text events = {0};

	for (unsigned i = 0; i < count; i++)
		text_printf(&events,
		            "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Deployment\","
		            "\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"web\","
		            "\"namespace\":\"shop\",\"uid\":\"u\",\"generation\":%llu,"
		            "\"resourceVersion\":\"%llu\",\"labels\":{"
		            "\"kubefed.io/managed\":\"true\"}},\"spec\":{\"replicas\":1}}}\n",
		            (unsigned long long)*version, (unsigned long long)*version + 1000000),
			++*version;
	fakeapi_send(web_gondor(w), FAKEAPI_DEPLOYMENTS, events.data, events.len);
	text_fini(&events);
}

/* They are taken as they come; in between others have their turn, and what is kept does not grow. */
static void test_events_without_end_stop_no_other(void **state)
{
	enum { AT_ONCE = 5000, ROUNDS = 20, SOON_MS = 20000 };
	struct propagator_world *w = *state;
	uint64_t version = 1, begin_ms;

	web_bring(w, WORLD_EVERYWHERE);
	begin_ms = clock_monotonic_ms();
	for (int i = 2; i < ROUNDS; i++) {
		char want[32];

		send_events(w, AT_ONCE, &version);
		snprintf(want, sizeof(want), "\"replicas\":%d,", i);
		propagator_world_deployment(w, "web", i, "");
		web_expect_copy(w, 1, want);
	}
	assert_true(clock_monotonic_ms() - begin_ms < SOON_MS);
	assert_true(budget_of(w, "gondor")->used < 64 * CACHE_EACH);
	assert_true(fakeapi_requests(web_gondor(w), "PATCH ") < 10 * ROUNDS);
	print_message("  %u events, %d changes: %llu ms\n", AT_ONCE * (ROUNDS - 2), ROUNDS - 2,
	              (unsigned long long)(clock_monotonic_ms() - begin_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, web_teardown)
		T(test_a_member_full_of_strangers_fills_no_memory_and_keeps_its_objects),
		T(test_labels_without_end_are_counted),
		T(test_of_strangers_only_names_and_versions_are_kept),
		T(test_a_stranger_that_is_asked_for_is_known_at_once),
		T(test_a_list_without_end_stops_no_other),
		T(test_events_without_end_stop_no_other),
	};

	return cmocka_run_group_tests_name("propagator/hostile_members", tests, NULL, NULL);
}
