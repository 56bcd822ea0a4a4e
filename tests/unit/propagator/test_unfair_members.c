/* Members that are slow, silent, full or broken, each in its own way: none of them delays another, nor the host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/propagator_web.h"

enum { GONDOR, SLOW, REFUSING, SILENT, LISTING, BREAKING, MEMBERS };
enum { BREAK_EVERY_MS = 1000, LISTING_MOST_MS = 20000, STRANGERS = 300, LATE_MS = 8000 };

struct unfair {
	struct propagator_world *world;
	uint64_t broken_ms, breaks;
};

static void stranger(struct text *out, size_t i, void *arg)
{
	(void)arg;
	text_printf(out,
	            "{'metadata':{'name':'stranger-%05zu','namespace':'shop','labels':{"
	            "'kubefed.io/managed':'true'}},'spec':{'replicas':1}}",
	            i);
}

static int setup(void **state)
{
	struct propagator_world *w = propagator_world_new(MEMBERS);

	*state = w;
	fakeapi_delay(w->members[SLOW], "", 0, 2000);
	fakeapi_answer(w->members[REFUSING], "WRITE ", 0, 429, "Retry-After: 30\n");
	fakeapi_stall(w->members[SILENT], "", 0);
	fakeapi_put_many(w->members[LISTING], FAKEAPI_DEPLOYMENTS, STRANGERS, stranger, NULL);
	fakeapi_drip(w->members[LISTING], FAKEAPI_DEPLOYMENTS "?!watch=", 0, 100);
	propagator_world_begin(w);
	return 0;
}

static void turn(struct unfair *u)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms - u->broken_ms >= BREAK_EVERY_MS) {
		fakeapi_drop(u->world->members[BREAKING], FAKEAPI_CUT_RESET);
		u->broken_ms = now_ms;
		u->breaks++;
	}
	propagator_world_turn(u->world, 5);
}

static void turn_for(struct unfair *u, unsigned ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		turn(u);
}

/* How long it takes until it is so; the test fails where that is too long. */
static unsigned wait_for(struct unfair *u, struct fakeapi *f, const char *resource,
                         const char *object, const char *text)
{
	uint64_t since_ms = clock_monotonic_ms();

	while (!propagator_world_is(f, resource, object, text)) {
		if (clock_monotonic_ms() - since_ms > LATE_MS)
			fail_msg("%s %s has no '%s' after %d ms", resource, object, text, LATE_MS);
		turn(u);
	}
	return (unsigned)(clock_monotonic_ms() - since_ms);
}

static unsigned change(struct unfair *u, int replicas)
{
	char want[32];

	snprintf(want, sizeof(want), "\"replicas\":%d,", replicas);
	propagator_world_deployment(u->world, "web", replicas, WORLD_EVERYWHERE);
	return wait_for(u, u->world->members[GONDOR], FAKEAPI_DEPLOYMENTS, WEB, want);
}

/* From the first moment on, and when all have been so for long. */
static void test_one_that_is_well_is_written_to_at_once_whatever_the_others_do(void **state)
{
	enum { CHANGES = 10 };
	struct unfair u = {.world = *state};
	unsigned worst = 0;

	for (int i = 1; i <= CHANGES; i++) {
		unsigned took = change(&u, i);

		worst = took > worst ? took : worst;
		turn_for(&u, 300);
	}
	print_message("  %d changes, the slowest after %u ms\n", CHANGES, worst);
	/* The slow one has the last of them, too. */
	wait_for(&u, u.world->members[SLOW], FAKEAPI_DEPLOYMENTS, WEB, "\"replicas\":10,");
	wait_for(&u, u.world->host, FAKEAPI_CLUSTERS, WORLD_FEDERATION "/gondor",
	         "\"type\":\"Ready\",\"status\":\"True\"");
	assert_true(u.breaks > 3);
}

/* It is waited for as long as its list may come soon, and no longer. */
static void test_a_list_that_never_ends_delays_the_status_of_no_new_object(void **state)
{
	struct unfair u = {.world = *state};
	unsigned took;

	turn_for(&u, LISTING_MOST_MS);
	propagator_world_deployment(u.world, "new", 1, WORLD_EVERYWHERE);
	took = wait_for(&u, u.world->host, WORLD_FEDERATED_DEPLOYMENTS, "shop/new",
	                "\"name\":\"lorien\",\"status\":\"CachedRetrievalFailed\"");
	print_message("  after %u ms\n", took);
}

static void add_passes(const struct types_note *note, void *arg)
{
	*(uint64_t *)arg += note->counts.passes;
}

static uint64_t passes_of(const struct unfair *u)
{
	uint64_t sum = 0;

	types_each(work_types(u->world->work), add_passes, &sum);
	return sum;
}

/* All is known of it, and nothing has changed. */
static void test_watches_that_break_make_no_object_be_looked_at(void **state)
{
	enum { OBJECTS = 50 };
	struct unfair u = {.world = *state};
	uint64_t before;
	char name[16];

	for (int i = 0; i < OBJECTS; i++) {
		snprintf(name, sizeof(name), "web-%d", i);
		propagator_world_deployment(u.world, name, 1,
		                            "'placement':{'clusters':[{'name':'gondor'}]}");
	}
	propagator_world_turn(u.world, 5000);
	before = passes_of(&u);
	turn_for(&u, 6000);
	print_message("  %llu passes\n", (unsigned long long)(passes_of(&u) - before));
	/* One of the others may turn, and be looked at everywhere. */
	assert_true(passes_of(&u) - before < (uint64_t)3 * OBJECTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, web_teardown)
		T(test_one_that_is_well_is_written_to_at_once_whatever_the_others_do),
		T(test_a_list_that_never_ends_delays_the_status_of_no_new_object),
		T(test_watches_that_break_make_no_object_be_looked_at),
	};

	return cmocka_run_group_tests_name("propagator/unfair_members", tests, NULL, NULL);
}
