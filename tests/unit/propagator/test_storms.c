/* Servers that refuse again and again, over many objects: all is as it should be in the end, and they were not asked for more
 * than they could be.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/propagator_world.h"

enum { OBJECTS = 40, MEMBERS = 3 };

static int setup(void **state)
{
	struct propagator_world *w = propagator_world_new(MEMBERS);

	*state = w;
	propagator_world_begin(w);
	return 0;
}

static int teardown(void **state)
{
	propagator_world_free(*state);
	return 0;
}

static void ask(struct propagator_world *w, unsigned i, int replicas)
{
	char name[16];

	snprintf(name, sizeof(name), "web-%u", i);
	propagator_world_deployment(w, name, replicas, WORLD_EVERYWHERE);
}

static void ask_all(struct propagator_world *w, int replicas)
{
	for (unsigned i = 0; i < OBJECTS; i++)
		ask(w, i, replicas);
}

static void expect_all(struct propagator_world *w, struct fakeapi *f, const int *replicas)
{
	for (unsigned i = 0; i < OBJECTS; i++) {
		char key[32], want[32];

		snprintf(key, sizeof(key), "shop/web-%u", i);
		snprintf(want, sizeof(want), "\"replicas\":%d,", replicas[i]);
		propagator_world_expect(w, f, FAKEAPI_DEPLOYMENTS, key, want);
	}
}

static void expect_all_everywhere(struct propagator_world *w, int replicas)
{
	int all[OBJECTS];

	for (unsigned i = 0; i < OBJECTS; i++)
		all[i] = replicas;
	for (unsigned m = 0; m < MEMBERS; m++)
		expect_all(w, w->members[m], all);
}

/* Turns for so long, then there are no more requests with that text than that. */
static void expect_at_most(struct propagator_world *w, struct fakeapi *f, const char *text,
                           unsigned most, unsigned ms)
{
	unsigned count;

	propagator_world_turn(w, ms);
	count = fakeapi_requests(f, text);
	if (count > most)
		fail_msg("%u times '%s' in %u ms, not %u", count, text, ms, most);
}

/* --- a server that refuses everything for a while --- */

enum { WHILE_MS = 4000, AT_ONCE = 32 };

static void refuse_all_for_a_while(struct propagator_world *w, int status, const char *headers,
                                   unsigned most)
{
	int rest[OBJECTS];

	ask_all(w, 1);
	expect_all_everywhere(w, 1);
	propagator_world_calm(w);
	fakeapi_answer(w->members[0], "WRITE " FAKEAPI_DEPLOYMENTS, 0, status, headers);
	ask_all(w, 2);
	expect_at_most(w, w->members[0], "PATCH /apis/apps", most, WHILE_MS);
	for (unsigned i = 0; i < OBJECTS; i++)
		rest[i] = 2;
	for (unsigned m = 1; m < MEMBERS; m++)
		expect_all(w, w->members[m], rest);
	fakeapi_no_rule(w->members[0], NULL);
	expect_all(w, w->members[0], rest);
}

/* It wants to be left alone for a second: what waits for it waits. */
static void test_429_with_a_time_is_heeded_by_all_that_waits(void **state)
{
	refuse_all_for_a_while(*state, 429, "Retry-After: 1\n", AT_ONCE * (WHILE_MS / 1000 + 1));
}

static void test_429_without_a_time_is_tried_again_after_a_pause(void **state)
{
	refuse_all_for_a_while(*state, 429, NULL, 2 * OBJECTS);
}

/* 200 ms, doubled each time: five more in four seconds. */
static void test_409_is_tried_again_with_growing_pauses(void **state)
{
	refuse_all_for_a_while(*state, 409, NULL, 6 * OBJECTS);
}

/* What is made anew conflicts with what is there: it is looked at each time, and nothing is taken. */
static void test_409_for_what_is_new_is_looked_at_and_no_storm(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	fakeapi_answer(w->members[0], "PATCH " FAKEAPI_DEPLOYMENTS, 0, 409, NULL);
	ask_all(w, 1);
	expect_at_most(w, w->members[0], "/deployments/web-", 2 * 6 * OBJECTS, WHILE_MS);
	fakeapi_no_rule(w->members[0], NULL);
	expect_all_everywhere(w, 1);
}

/* --- servers that refuse now and then --- */

struct storm {
	struct propagator_world *w;
	uint64_t dice;
	unsigned refusals, asked;
	int replicas[OBJECTS];
};

static unsigned roll(struct storm *s, unsigned sides)
{
	s->dice = s->dice * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(s->dice >> 33) % sides;
}

static void refuse_some(struct storm *s)
{
	static const struct {
		int status;
		const char *headers;
	} how[] = {{429, NULL}, {429, "Retry-After: 1\n"}, {409, NULL}, {409, NULL}};
	unsigned which = roll(s, MEMBERS + 1), i = roll(s, 4), times = 1 + roll(s, 3);
	struct fakeapi *f = which == MEMBERS ? s->w->host : s->w->members[which];

	fakeapi_answer(f, "WRITE ", times, how[i].status, how[i].headers);
	s->refusals += times;
}

static void rage(struct storm *s)
{
	enum { STROKES = 150 };

	for (unsigned n = 0; n < STROKES; n++) {
		unsigned i = roll(s, OBJECTS);

		refuse_some(s);
		s->replicas[i] = 1 + (int)roll(s, 90);
		ask(s->w, i, s->replicas[i]);
		s->asked++;
		propagator_world_turn(s->w, roll(s, 40));
	}
	fakeapi_no_rule(s->w->host, NULL);
	for (unsigned m = 0; m < MEMBERS; m++)
		fakeapi_no_rule(s->w->members[m], NULL);
}

static void expect_no_more_than_needed(struct storm *s)
{
	unsigned writes = 0, most = s->asked * MEMBERS + s->refusals;

	for (unsigned m = 0; m < MEMBERS; m++)
		writes += fakeapi_requests(s->w->members[m], "PATCH /apis/apps");
	if (writes > most)
		fail_msg("%u writes for %u changes of %d members and %u refusals", writes, s->asked,
		         MEMBERS, s->refusals);
	print_message("  %u writes for %u changes of %d members and %u refusals\n", writes,
	              s->asked, MEMBERS, s->refusals);
}

static void test_random_refusals_over_many_objects_converge(void **state)
{
	static const uint64_t seeds[] = {3, 11};
	struct storm s = {.w = *state};

	ask_all(s.w, 1);
	expect_all_everywhere(s.w, 1);
	propagator_world_calm(s.w);
	for (unsigned i = 0; i < OBJECTS; i++)
		s.replicas[i] = 1;
	for (size_t k = 0; k < sizeof(seeds) / sizeof(*seeds); k++) {
		s.dice = seeds[k];
		rage(&s);
		for (unsigned m = 0; m < MEMBERS; m++)
			expect_all(s.w, s.w->members[m], s.replicas);
	}
	expect_no_more_than_needed(&s);
	for (unsigned i = 0; i < OBJECTS; i++) {
		char key[32];

		snprintf(key, sizeof(key), "shop/web-%u", i);
		propagator_world_expect(s.w, s.w->host, WORLD_FEDERATED_DEPLOYMENTS, key,
		                        "\"type\":\"Propagation\",\"status\":\"True\"");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_429_with_a_time_is_heeded_by_all_that_waits),
		T(test_429_without_a_time_is_tried_again_after_a_pause),
		T(test_409_is_tried_again_with_growing_pauses),
		T(test_409_for_what_is_new_is_looked_at_and_no_storm),
		T(test_random_refusals_over_many_objects_converge),
	};

	return cmocka_run_group_tests_name("propagator/storms", tests, NULL, NULL);
}
