/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records/names.h"
#include "tests/support/zones_world.h"

static int setup(void **state)
{
	struct zones *z = zones_new();

	zworld_set_zones(z, "example.com");
	*state = z;
	return 0;
}

static int teardown(void **state)
{
	zones_free(*state);
	return 0;
}

#define assert_find(snapshot, name, expected)                                                      \
	assert_string_equal(zworld_find(snapshot, name), expected)

static void test_a_name_is_found_without_case(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "WwW.Example.com", "30 A 192.0.2.1", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "www.example.COM", "exact WwW.Example.com. 3");
	assert_find(s, "example.com", "exact example.com. 2");
	assert_find(s, "w.example.com", "absent example.com. 2");
	assert_find(s, "a.www.example.com", "absent WwW.Example.com. 3");
	assert_find(s, "example.org", "refused");
	assert_find(s, "com", "refused");
}

static void test_empty_names_come_and_go_with_those_below(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "a.b.c.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "x.b.c.example.com", "30 A 192.0.2.1", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "b.c.example.com", "exact empty b.c.example.com. 4");
	assert_find(s, "c.example.com", "exact empty c.example.com. 3");
	zworld_remove(*state, "a.b.c.example.com");
	s = zones_build(*state, 1);
	assert_find(s, "c.example.com", "exact empty c.example.com. 3");
	zworld_remove(*state, "x.b.c.example.com");
	s = zones_build(*state, 1);
	assert_find(s, "c.example.com", "absent example.com. 2");
	assert_int_equal(zone_name_count(snapshot_zone(s, 0)), 2);
}

static void test_a_name_with_others_below_becomes_empty(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "c.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "b.c.example.com", "30 A 192.0.2.1", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "c.example.com", "exact c.example.com. 3");
	zworld_remove(*state, "c.example.com");
	s = zones_build(*state, 1);
	assert_find(s, "c.example.com", "exact empty c.example.com. 3");
	zworld_put(*state, "C.example.com", "30 A 192.0.2.2", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "c.example.com", "exact C.example.com. 3");
	zworld_remove(*state, "b.c.example.com");
	zworld_remove(*state, "c.example.com");
	s = zones_build(*state, 1);
	assert_find(s, "c.example.com", "absent example.com. 2");
}

/* The examples of RFC 4592 2.2.1. */
static void test_wildcards_cover_as_rfc_4592_says(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "*.example.com", "30 TXT \"this is a wildcard\"",
	           "30 MX 10 host1.example.com.", NULL);
	zworld_put(*state, "sub.*.example.com", "30 TXT \"this is not a wildcard\"", NULL);
	zworld_put(*state, "host1.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "_ssh._tcp.host1.example.com", "30 SRV 0 0 22 host1.example.com.", NULL);
	zworld_put(*state, "_ssh._tcp.host2.example.com", "30 SRV 0 0 22 host2.example.com.", NULL);
	zworld_put(*state, "subdel.example.com", "30 NS ns.example.org.", "30 NS ns.example.net.",
	           NULL);
	s = zones_build(*state, 1);
	assert_find(s, "host3.example.com", "wildcard *.example.com. 2");
	assert_find(s, "foo.bar.example.com", "wildcard *.example.com. 2");
	assert_find(s, "host1.example.com", "exact host1.example.com. 3");
	assert_find(s, "sub.*.example.com", "exact sub.*.example.com. 4");
	assert_find(s, "_telnet._tcp.host1.example.com", "absent _tcp.host1.example.com. 4");
	assert_find(s, "host.subdel.example.com", "cut subdel.example.com. 3");
	assert_find(s, "ghost.*.example.com", "absent *.example.com. 3");
	assert_find(s, "host2.example.com", "exact empty host2.example.com. 3");
	assert_find(s, "*.example.com", "exact *.example.com. 3");
}

static void test_an_empty_wildcard_covers_too(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "a.*.b.example.com", "30 A 192.0.2.1", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "x.b.example.com", "wildcard *.b.example.com. 3");
	zworld_remove(*state, "a.*.b.example.com");
	zworld_put(*state, "b.example.com", "30 A 192.0.2.1", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "x.b.example.com", "absent b.example.com. 3");
}

static void test_a_cut_hides_what_lies_below(void **state)
{
	const struct snapshot *s;
	const struct node *n;
	struct name glue;

	zworld_put(*state, "ns.sub.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "sub.example.com", "30 NS ns.sub.example.com.", NULL);
	zworld_put(*state, "late.sub.example.com", "30 A 192.0.2.1", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "ns.sub.example.com", "cut sub.example.com. 3");
	assert_find(s, "late.sub.example.com", "cut sub.example.com. 3");
	assert_find(s, "x.late.sub.example.com", "cut sub.example.com. 3");
	assert_find(s, "sub.example.com", "cut sub.example.com. 3");
	glue = zworld_name("ns.sub.example.com");
	n = zone_find_node(snapshot_zone(s, 0), &glue);
	assert_true(n != NULL && (node_flags(n) & NODE_OCCLUDED) != 0);
	zworld_remove(*state, "sub.example.com");
	s = zones_build(*state, 1);
	assert_find(s, "ns.sub.example.com", "exact ns.sub.example.com. 4");
	assert_find(s, "sub.example.com", "exact empty sub.example.com. 3");
}

static void test_a_dname_stands_for_what_lies_below(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "d.example.com", "30 DNAME example.net.", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "x.d.example.com", "30 A 192.0.2.1", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "d.example.com", "exact d.example.com. 3");
	assert_find(s, "x.d.example.com", "dname d.example.com. 3");
	assert_find(s, "y.z.d.example.com", "dname d.example.com. 3");
}

static void test_a_dname_may_stand_at_the_apex(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "www.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "example.com", "30 DNAME example.net.", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "example.com", "exact example.com. 2");
	assert_find(s, "www.example.com", "dname example.com. 2");
	zworld_remove(*state, "example.com");
	s = zones_build(*state, 1);
	assert_find(s, "www.example.com", "exact www.example.com. 3");
}

static void test_the_longest_apex_wins(void **state)
{
	const struct snapshot *s;

	zworld_set_zones(*state, "example.com sub.example.com a.b.example.com com");
	zworld_put(*state, "www.sub.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "www.b.example.com", "30 A 192.0.2.1", NULL);
	s = zones_build(*state, 1);
	assert_find(s, "www.sub.example.com", "exact www.sub.example.com. 4");
	assert_find(s, "x.sub.example.com", "absent sub.example.com. 3");
	assert_find(s, "x.b.example.com", "absent b.example.com. 3");
	assert_find(s, "x.a.b.example.com", "absent a.b.example.com. 4");
	assert_find(s, "x.org", "refused");
	assert_find(s, "x.y.com", "absent com. 1");
}

static void test_the_root_may_be_a_zone(void **state)
{
	const struct snapshot *s;

	zworld_set_zones(*state, ".");
	s = zones_build(*state, 1);
	assert_find(s, ".", "exact . 0");
	assert_find(s, "a.b.", "absent . 0");
}

/* --- against a plain list of names --- */

enum { WORLD_NAMES = 24, WORLDS = 150, STEPS = 12 };

struct plain {
	char name[40]; /* "" : not used */
	char kind;     /* A, N(S), D(NAME) */
};

static bool is_below(const char *name, const char *top)
{
	size_t n = strlen(name), t = strlen(top);

	return n >= t && strcmp(name + n - t, top) == 0 && (n == t || name[n - t - 1] == '.');
}

static const struct plain *plain_find(const struct plain *p, const char *name)
{
	for (int i = 0; i < WORLD_NAMES; i++)
		if (*p[i].name && strcmp(p[i].name, name) == 0)
			return &p[i];
	return NULL;
}

static bool exists(const struct plain *p, const char *name)
{
	for (int i = 0; i < WORLD_NAMES; i++)
		if (*p[i].name && is_below(p[i].name, name))
			return true;
	return strcmp(name, "example.com") == 0;
}

static unsigned labels(const char *name)
{
	unsigned count = 1;

	for (; *name; name++)
		count += *name == '.';
	return count;
}

/* The suffix of `name` that has one label more than `top`. */
static const char *next_down(const char *name, const char *top)
{
	const char *at = name + strlen(name) - strlen(top);

	if (at > name)
		at--;
	while (at > name && at[-1] != '.')
		at--;
	return at;
}

/* RFC 1034 4.3.2 and RFC 4592 3.3.1, word by word. */
static void plain_lookup(const struct plain *p, const char *name, char *out)
{
	const char *at = "example.com";

	for (;;) {
		const struct plain *here = plain_find(p, at);
		const char *down;
		char star[128];

		if (here && here->kind == 'N') {
			sprintf(out, "cut %s. %u", at, labels(at));
			return;
		}
		if (strcmp(at, name) == 0) {
			sprintf(out, "exact %s%s. %u", here || labels(at) == 2 ? "" : "empty ", at,
			        labels(at));
			return;
		}
		if (here && here->kind == 'D') {
			sprintf(out, "dname %s. %u", at, labels(at));
			return;
		}
		down = next_down(name, at);
		if (exists(p, down)) {
			at = down;
			continue;
		}
		sprintf(star, "*.%s", at);
		if (exists(p, star))
			sprintf(out, "wildcard %s. %u", star, labels(at));
		else
			sprintf(out, "absent %s. %u", at, labels(at));
		return;
	}
}

static void random_name(uint64_t *seed, char *out)
{
	static const char *const label[] = {"a.", "b.", "*.", "c."};
	unsigned depth = 1 + (unsigned)(zworld_random(seed) % 4);

	*out = '\0';
	while (depth-- > 0)
		strcat(out, label[zworld_random(seed) % 4]);
	strcat(out, "example.com");
}

static void random_step(struct zones *z, struct plain *p, uint64_t *seed)
{
	struct plain *slot = &p[1 + zworld_random(seed) % (WORLD_NAMES - 1)], other;

	if (*slot->name) {
		zworld_remove(z, slot->name);
		*slot->name = '\0';
		return;
	}
	random_name(seed, other.name);
	if (plain_find(p, other.name))
		return;
	other.kind = "AAAAAAND"[zworld_random(seed) % 8];
	*slot = other;
	zworld_put(z, slot->name,
	           slot->kind == 'A'   ? "30 A 192.0.2.1"
	           : slot->kind == 'N' ? "30 NS x."
	                               : "30 DNAME y.",
	           NULL);
}

static void test_random_zones_are_searched_like_a_plain_list(void **state)
{
	uint64_t seed = 2024;

	(void)state;
	for (int world = 0; world < WORLDS; world++) {
		struct plain plain[WORLD_NAMES] = {{"", 0}};
		struct zones *z = zones_new();

		zworld_set_zones(z, "example.com");
		/* The nameserver that every zone of these tests has; steps touch only the others. */
		plain[0] = (struct plain){"ns1.example.com", 'A'};
		for (int step = 0; step < STEPS; step++) {
			const struct snapshot *s;

			for (int i = 0; i < 4; i++)
				random_step(z, plain, &seed);
			s = zones_build(z, 1);
			for (int i = 0; i < 60; i++) {
				char name[64], expected[160];

				random_name(&seed, name);
				plain_lookup(plain, name, expected);
				assert_find(s, name, expected);
			}
		}
		zones_free(z);
	}
}

struct listing {
	char text[512];
	int left;
};

static bool list_node(const struct node *n, void *arg)
{
	struct listing *l = arg;
	char name[1024];

	strcat(strcat(l->text, names_to_text(node_owner(n), name)), " ");
	return --l->left > 0;
}

static void test_nodes_are_listed_in_canonical_order(void **state)
{
	struct listing all = {"", 100}, some = {"", 2};
	const struct zone *z;

	zworld_put(*state, "z.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "a.z.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "B.example.com", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "*.z.example.com", "30 A 192.0.2.1", NULL);
	z = snapshot_zone(zones_build(*state, 1), 0);
	zone_each(z, NULL, list_node, &all);
	assert_string_equal(
		all.text,
		"example.com. B.example.com. ns1.example.com. z.example.com. *.z.example.com. "
		"a.z.example.com. ");
	zone_each(z, zworld_wire("c.example.com").data, list_node, &some);
	assert_string_equal(some.text, "ns1.example.com. z.example.com. ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_name_is_found_without_case, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_names_come_and_go_with_those_below,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_name_with_others_below_becomes_empty, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_wildcards_cover_as_rfc_4592_says, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_an_empty_wildcard_covers_too, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_cut_hides_what_lies_below, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_dname_stands_for_what_lies_below, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_a_dname_may_stand_at_the_apex, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_the_longest_apex_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_root_may_be_a_zone, setup, teardown),
		cmocka_unit_test(test_random_zones_are_searched_like_a_plain_list),
		cmocka_unit_test_setup_teardown(test_nodes_are_listed_in_canonical_order, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests_name("zones/zone", tests, NULL, NULL);
}
