/* Whatever happens in whatever order: in the end the members have what the host asks for.
 *
 * A random life of a few objects: templates, overrides and placements that change, those of their namespace, too, deletions
 * of both kinds, a type that is disabled for a while, faults, a leader that ends in the middle and connections that break;
 * the seeds are fixed, and what was asked for last is remembered and expected.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/propagator_world.h"

enum { OBJECTS = 5, MEMBERS = 3, EVENTS = 60 };

struct asked {
	bool exists;
	unsigned replicas, places;      /* a bit for each member */
	unsigned other, replicas_there; /* the member with an override */
	unsigned left;                  /* where it may have been left behind, as nobody's */
};

struct life {
	struct propagator_world *w;
	struct asked asked[OBJECTS];
	unsigned namespace_places;
	bool is_disabled;
	uint64_t dice;
};

static unsigned roll(struct life *l, unsigned sides)
{
	l->dice = l->dice * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(l->dice >> 33) % sides;
}

static void name_of(unsigned i, char out[16]) { snprintf(out, 16, "web-%u", i); }

/* --- what a user does --- */

/* "'placement':{'clusters':[{'name':'gondor'}]}" */
static void print_placement(unsigned places, char out[160])
{
	int len = snprintf(out, 160, "'placement':{'clusters':[");

	for (unsigned m = 0; m < MEMBERS; m++)
		if (places & 1U << m)
			len += snprintf(out + len, 160 - (size_t)len, "%s{'name':'%s'}",
			                out[len - 1] == '[' ? "" : ",", propagator_world_name(m));
	snprintf(out + len, 160 - (size_t)len, "]}");
}

static void ask(struct life *l, unsigned i)
{
	struct asked *a = &l->asked[i];
	char name[16], placement[160], more[400];

	*a = (struct asked){.exists = true,
	                    .replicas = 1 + roll(l, 90),
	                    .places = roll(l, 1 << MEMBERS),
	                    .other = roll(l, MEMBERS),
	                    .replicas_there = 100 + roll(l, 90),
	                    .left = a->left};
	print_placement(a->places, placement);
	snprintf(more, sizeof(more),
	         "%s,'overrides':[{'clusterName':'%s','clusterOverrides':[{'path':"
	         "'/spec/replicas','value':%u}]}]",
	         placement, propagator_world_name(a->other), a->replicas_there);
	name_of(i, name);
	propagator_world_deployment(l->w, name, (int)a->replicas, more);
}

static void place_namespace(struct life *l, unsigned places)
{
	char placement[160];

	l->namespace_places = places;
	print_placement(places, placement);
	fakeapi_edit(l->w->host, WORLD_FEDERATED_NAMESPACES, "shop/shop", "{'spec':{%s}}",
	             placement);
}

static void disable(struct life *l, bool is_disabled)
{
	if (l->is_disabled == is_disabled)
		return;
	l->is_disabled = is_disabled;
	fakeapi_edit(l->w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	             "{'spec':{'propagation':'%s'}}", is_disabled ? "Disabled" : "Enabled");
}

/* With the annotation of orphans its copies stay, and are nobody's. */
static void take_away(struct life *l, unsigned i)
{
	struct asked *a = &l->asked[i];
	bool orphan = roll(l, 2) == 0;
	char key[32];

	snprintf(key, sizeof(key), "shop/web-%u", i);
	if (!fakeapi_get(l->w->host, WORLD_FEDERATED_DEPLOYMENTS, key))
		return;
	disable(l, false);
	if (orphan)
		fakeapi_edit(l->w->host, WORLD_FEDERATED_DEPLOYMENTS, key,
		             "{'metadata':{'annotations':{'kubefed.io/orphan':'true'}}}");
	fakeapi_ask_to_delete(l->w->host, WORLD_FEDERATED_DEPLOYMENTS, key);
	propagator_world_expect(l->w, l->w->host, WORLD_FEDERATED_DEPLOYMENTS, key, "!");
	a->exists = false;
	/* What it was to be taken from may still have been there, and then stays, too. */
	if (orphan)
		a->left = (1U << MEMBERS) - 1;
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

	switch (roll(l, 5)) {
	case 0:
		fakeapi_answer(f, "WRITE ", 1, statuses[roll(l, 4)], NULL);
		break;
	case 1:
		fakeapi_lose(f, "WRITE ", 1, roll(l, 2) ? FAKEAPI_LOSS_BEFORE : FAKEAPI_LOSS_AFTER);
		break;
	case 2:
		fakeapi_drop(f, FAKEAPI_CUT_RESET);
		break;
	case 3:
		fakeapi_delay(f, "WRITE ", 4, 300);
		break;
	default:
		fakeapi_close_watches(f, "");
	}
}

static void happen(struct life *l)
{
	unsigned i = roll(l, OBJECTS);

	switch (roll(l, 10)) {
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
	case 4:
		place_namespace(l, roll(l, 1 << MEMBERS));
		break;
	case 5:
		disable(l, roll(l, 2) == 0);
		break;
	case 6: /* while what was asked for before is on its way */
		ask(l, i);
		propagator_world_turn(l->w, 20);
		ask(l, i);
		break;
	default:
		ask(l, i);
	}
	propagator_world_turn(l->w, roll(l, 60));
}

/* Turns until it is not there, or is nobody's. */
static void expect_left(struct life *l, unsigned m, const char *key)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;
	struct fakeapi *f = l->w->members[m];

	while (fakeapi_get(f, FAKEAPI_DEPLOYMENTS, key) &&
	       !propagator_world_is(f, FAKEAPI_DEPLOYMENTS, key, "!\"kubefed.io/managed\"")) {
		if (clock_monotonic_ms() > end_ms)
			fail_msg("%s is still managed in %s", key, propagator_world_name(m));
		propagator_world_turn(l->w, 10);
	}
}

static void expect_one(struct life *l, unsigned i, unsigned m)
{
	const struct asked *a = &l->asked[i];
	bool is_there = a->exists && a->places & l->namespace_places & 1U << m;
	char key[32], want[32];

	snprintf(key, sizeof(key), "shop/web-%u", i);
	snprintf(want, sizeof(want), "\"replicas\":%u,",
	         a->other == m ? a->replicas_there : a->replicas);
	if (!is_there && a->left & 1U << m)
		expect_left(l, m, key);
	else
		propagator_world_expect(l->w, l->w->members[m], FAKEAPI_DEPLOYMENTS, key,
		                        is_there ? want : "!");
	if (is_there)
		propagator_world_expect(l->w, l->w->members[m], FAKEAPI_DEPLOYMENTS, key,
		                        "\"kubefed.io/managed\"");
}

static void expect_all(struct life *l)
{
	for (unsigned i = 0; i < OBJECTS; i++)
		for (unsigned m = 0; m < MEMBERS; m++)
			expect_one(l, i, m);
}

static void test_any_order_of_events_leads_to_the_same_members(void **state)
{
	static const uint64_t seeds[] = {1, 7, 42};

	(void)state;
	for (size_t s = 0; s < sizeof(seeds) / sizeof(*seeds); s++) {
		struct life l = {.w = propagator_world_new(MEMBERS),
		                 .dice = seeds[s],
		                 .namespace_places = (1U << MEMBERS) - 1};

		print_message("  seed %u\n", (unsigned)seeds[s]);
		propagator_world_begin(l.w);
		for (unsigned i = 0; i < EVENTS; i++)
			happen(&l);
		disable(&l, false);
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
