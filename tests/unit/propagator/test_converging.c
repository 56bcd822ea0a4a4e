/* Whatever happens in whatever order: in the end the members have what the host asks for.
 *
 * A random life of a few objects, with faults, a leader that ends in the middle and connections that break; the seeds are
 * fixed, and what was asked for last is remembered and expected.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/propagator_world.h"

enum { OBJECTS = 5, MEMBERS = 3, EVENTS = 60 };

struct asked {
	bool exists;
	unsigned replicas, places; /* a bit for each member */
};

struct life {
	struct propagator_world *w;
	struct asked asked[OBJECTS];
	uint64_t dice;
};

static unsigned roll(struct life *l, unsigned sides)
{
	l->dice = l->dice * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(l->dice >> 33) % sides;
}

static void name_of(unsigned i, char out[16]) { snprintf(out, 16, "web-%u", i); }

/* --- what a user does --- */

static void ask(struct life *l, unsigned i)
{
	struct asked *a = &l->asked[i];
	char name[16], more[200];
	int len = snprintf(more, sizeof(more), "'placement':{'clusters':[");

	*a = (struct asked){true, 1 + roll(l, 90), roll(l, 1 << MEMBERS)};
	for (unsigned m = 0; m < MEMBERS; m++)
		if (a->places & 1U << m)
			len += snprintf(more + len, sizeof(more) - (size_t)len, "%s{'name':'%s'}",
			                more[len - 1] == '[' ? "" : ",", propagator_world_name(m));
	snprintf(more + len, sizeof(more) - (size_t)len, "]}");
	name_of(i, name);
	propagator_world_deployment(l->w, name, (int)a->replicas, more);
}

static void take_away(struct life *l, unsigned i)
{
	char key[32];

	snprintf(key, sizeof(key), "shop/web-%u", i);
	if (!fakeapi_get(l->w->host, WORLD_FEDERATED_DEPLOYMENTS, key))
		return;
	fakeapi_ask_to_delete(l->w->host, WORLD_FEDERATED_DEPLOYMENTS, key);
	propagator_world_expect(l->w, l->w->host, WORLD_FEDERATED_DEPLOYMENTS, key, "!");
	l->asked[i].exists = false;
}

/* --- what happens --- */

static void meddle(struct life *l, unsigned i)
{
	struct fakeapi *f = l->w->members[roll(l, MEMBERS)];
	char key[32];

	snprintf(key, sizeof(key), "shop/web-%u", i);
	if (fakeapi_get(f, FAKEAPI_DEPLOYMENTS, key))
		fakeapi_edit(f, FAKEAPI_DEPLOYMENTS, key, "{'spec':{'replicas':99}}");
}

static void break_something(struct life *l)
{
	static const int statuses[] = {409, 429, 500, 503};
	unsigned which = roll(l, MEMBERS + 1);
	struct fakeapi *f = which == MEMBERS ? l->w->host : l->w->members[which];

	switch (roll(l, 4)) {
	case 0:
		fakeapi_answer(f, "WRITE ", 1, statuses[roll(l, 4)], NULL);
		break;
	case 1:
		fakeapi_lose(f, "WRITE ", 1, roll(l, 2) ? FAKEAPI_LOSS_BEFORE : FAKEAPI_LOSS_AFTER);
		break;
	case 2:
		fakeapi_drop(f, FAKEAPI_CUT_RESET);
		break;
	default:
		fakeapi_close_watches(f, "");
	}
}

static void happen(struct life *l)
{
	unsigned i = roll(l, OBJECTS);

	switch (roll(l, 8)) {
	case 0:
		break_something(l);
		break;
	case 1:
		meddle(l, i);
		break;
	case 2:
		propagator_world_end(l->w);
		propagator_world_begin(l->w);
		break;
	case 3:
		if (roll(l, 3) == 0)
			take_away(l, i);
		break;
	default:
		ask(l, i);
	}
	propagator_world_turn(l->w, roll(l, 60));
}

static void expect_all(struct life *l)
{
	for (unsigned i = 0; i < OBJECTS; i++)
		for (unsigned m = 0; m < MEMBERS; m++) {
			const struct asked *a = &l->asked[i];
			char key[32], want[32];

			snprintf(key, sizeof(key), "shop/web-%u", i);
			snprintf(want, sizeof(want), "\"replicas\":%u,", a->replicas);
			propagator_world_expect(l->w, l->w->members[m], FAKEAPI_DEPLOYMENTS, key,
			                        a->exists && a->places & 1U << m ? want : "!");
		}
}

static void test_any_order_of_events_leads_to_the_same_members(void **state)
{
	static const uint64_t seeds[] = {1, 7, 42};

	(void)state;
	for (size_t s = 0; s < sizeof(seeds) / sizeof(*seeds); s++) {
		struct life l = {.w = propagator_world_new(MEMBERS), .dice = seeds[s]};

		print_message("  seed %u\n", (unsigned)seeds[s]);
		propagator_world_begin(l.w);
		for (unsigned i = 0; i < EVENTS; i++)
			happen(&l);
		expect_all(&l);
		propagator_world_calm(l.w);
		expect_all(&l);
		propagator_world_free(l.w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_order_of_events_leads_to_the_same_members),
	};

	return cmocka_run_group_tests_name("propagator/converging", tests, NULL, NULL);
}
