/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/support/zones_files.h"
#include "tests/support/zones_world.h"

static void load(struct zfiles *f, struct zones *z, const char *text)
{
	struct text whole = {NULL, 0, 0};

	text_printf(&whole, "%s%s", ZFILES_HEAD, text);
	zfiles_write(f, "zone", whole.data);
	assert_true(zfiles_load(f, z));
	text_fini(&whole);
}

/* The zone's print holds the text; NULL: of problems there are none. */
static void expect(struct zones *z, const char *text, const char *problem)
{
	char *printed = zworld_print(zones_build(z, 1)), *problems = zworld_problems(z);

	if (!strstr(printed, text))
		print_error("%s", printed);
	assert_non_null(strstr(printed, text));
	if (problem && !strstr(problems, problem))
		print_error("%s", problems);
	if (problem)
		assert_non_null(strstr(problems, problem));
	else
		assert_string_equal(problems, "");
	free(printed);
	free(problems);
}

static struct zones *new_zones(void)
{
	struct zones *z = zones_new();

	zfiles_set_zone(z);
	zworld_set_clusters(z, 2);
	return z;
}

#define A_SITE                                                                                     \
	{                                                                                          \
		0, 3, "30 A 192.0.2.10", UINT32_MAX                                                \
	}

static void test_types_of_both_stand_beside_each_other(void **state)
{
	static const struct zworld_site site[] = {A_SITE};
	struct zones *z = new_zones();

	load(*state, z, "www 30 TXT file\n");
	zworld_put_sites(z, "www.example.com", site, 1, NULL, true);
	expect(z, "  30 TXT \"file\"\n  site c0 endpoints loadBalancer", NULL);
	zworld_remove(z, "www.example.com");
	expect(z, " name www.example.com. from zone file of example.com\n  30 TXT \"file\"\n",
	       NULL);
	zworld_put_sites(z, "www.example.com", site, 1, NULL, true);
	load(*state, z, "");
	expect(z, " name www.example.com. sites fail-open from test www.example.com\n  site c0",
	       NULL);
	zones_free(z);
}

static void test_of_a_type_that_both_have_the_files_counts(void **state)
{
	static const struct zworld_site site[] = {A_SITE};
	struct zones *z = new_zones();

	zworld_put_sites(z, "www.example.com", site, 1, NULL, true);
	load(*state, z, "\nwww 30 A 192.0.2.1\n");
	expect(z, "  30 A 192.0.2.1\n",
	       "zone:4: www.example.com. A: the zone file has this name's data; what test "
	       "www.example.com has is left out\n");
	/* The line moves, though the name is the same. */
	load(*state, z, "\n\n\nwww 30 A 192.0.2.1\n");
	expect(z, "  30 A 192.0.2.1\n", "zone:6: www.example.com. A:");
	load(*state, z, "");
	expect(z, "    30 A 192.0.2.10\n", NULL);
	zones_free(z);
}

static void test_beside_a_cname_nothing_of_the_other_stands(void **state)
{
	struct zones *z = new_zones();

	load(*state, z, "a 30 CNAME b\nc 30 TXT c\n");
	zworld_put(z, "a.example.com", "30 A 192.0.2.1", NULL);
	expect(z, " name a.example.com. from test a.example.com\n  30 CNAME b.example.com.\n",
	       "a.example.com. A: the zone file");
	zworld_put(z, "c.example.com", "30 CNAME d.example.com.", NULL);
	expect(z, " name c.example.com. from test c.example.com\n  30 TXT \"c\"\n",
	       "c.example.com. CNAME: the zone file");
	zones_free(z);
}

static void test_a_fallback_cannot_stand_beside_the_files_data(void **state)
{
	static const struct zworld_site site[] = {A_SITE};
	struct zones *z = new_zones();

	load(*state, z, "www 30 TXT file\n");
	zworld_put_sites(z, "www.example.com", site, 1, "up.example.com", false);
	expect(z, " name www.example.com. sites fail-open from test www.example.com\n  30 TXT",
	       NULL);
	zones_free(z);
}

static void test_the_apex_is_of_both(void **state)
{
	struct zones *z = new_zones();

	load(*state, z, "@ 60 MX 10 m\n");
	zworld_put(z, "example.com", "30 A 192.0.2.1", "30 TXT \"here\"", NULL);
	expect(z,
	       " name example.com. apex from test example.com\n  30 A 192.0.2.1\n"
	       "  300 NS ns1.example.com.\n"
	       "  300 SOA ns1.example.com. host.example.com. - 3600 900 604800 60\n"
	       "  60 MX 10 m.example.com.\n  30 TXT \"here\"\n",
	       NULL);
	zworld_put(z, "example.com", "30 MX 20 n.example.net.", NULL);
	expect(z, "  60 MX 10 m.example.com.\n", "zone:1: example.com. MX:");
	zones_free(z);
}

static void test_an_apex_may_have_sites_beside_the_file(void **state)
{
	static const struct zworld_site site[] = {A_SITE};
	struct zones *z = new_zones();

	zworld_put_sites(z, "example.com", site, 1, NULL, true);
	load(*state, z, "@ 60 MX 10 m\n");
	expect(z,
	       " name example.com. apex sites fail-open from test example.com\n"
	       "  300 NS ns1.example.com.\n"
	       "  300 SOA ns1.example.com. host.example.com. - 3600 900 604800 60\n"
	       "  60 MX 10 m.example.com.\n"
	       "  site c0 endpoints loadBalancer probes=0 down=0\n    30 A 192.0.2.10\n",
	       NULL);
	load(*state, z, "@ 60 A 192.0.2.1\n");
	expect(z, " name example.com. apex from test example.com\n  60 A 192.0.2.1\n",
	       "example.com. A: the zone file");
	zones_free(z);
}

/* The config's name servers stand beside the file's, and the file knows their addresses better. */
/* Where it stands alone, beside the file's data, and at the apex. */
static void test_a_site_is_amended_wherever_it_shows(void **state)
{
	static const struct zworld_site site[] = {A_SITE};
	static const char *const names[] = {"alone.example.com", "www.example.com", "example.com"};
	const struct zones_amendment held = {{.is_held = true, .flaps = SITE_ENDPOINTS}, 7};
	const struct zones_amendment free_again = {{.is_held = false}, 0};
	struct zones *z = new_zones();

	load(*state, z, "www 30 TXT file\n@ 30 TXT top\n");
	for (size_t i = 0; i < 3; i++) {
		const struct site *is;

		zworld_put_sites(z, names[i], site, 1, NULL, true);
		zones_amend(z, zworld_wire(names[i]), 0, &held);
		zones_amend(z, zworld_wire(names[i]), 1, &held); /* there is none */
		is = node_site(zworld_node(zones_build(z, 1), names[i]), 0);
		assert_true(site_is_held(is));
		assert_int_equal(site_capacity(is), 7);
		assert_non_null(site_rrset(is, RR_A));
	}
	expect(z,
	       "  30 TXT \"file\"\n  site c0 endpoints loadBalancer capacity=7 held probes=0 "
	       "down=0\n    30 A 192.0.2.10\n",
	       NULL);
	load(*state, z, "");
	for (size_t i = 0; i < 3; i++) {
		assert_true(site_is_held(node_site(zworld_node(zones_build(z, 1), names[i]), 0)));
		zones_amend(z, zworld_wire(names[i]), 0, &free_again);
		assert_false(site_is_held(node_site(zworld_node(zones_build(z, 1), names[i]), 0)));
	}
	zones_free(z);
}

/* A name of the file alone, one below no zone, one that is not there. */
static void test_what_has_no_site_is_not_amended(void **state)
{
	const struct zones_amendment held = {{.is_held = true}, 7};
	struct zones *z = new_zones();
	const struct snapshot *before;

	load(*state, z, "www 30 TXT file\n");
	before = zones_build(z, 1);
	zones_amend(z, zworld_wire("www.example.com"), 0, &held);
	zones_amend(z, zworld_wire("not.example.com"), 0, &held);
	zones_amend(z, zworld_wire("example.com"), 0, &held);
	zones_amend(z, zworld_wire("www.example.org"), 0, &held);
	assert_ptr_equal(zones_build(z, 1), before);
	zones_free(z);
}

static void test_name_servers_of_the_config_are_added(void **state)
{
	struct zones *z = zones_new();

	zworld_set_zones(z, "example.com");
	zfiles_write(*state, "zone",
	             "@ 60 SOA a b 1 1 1 1 1\n@ 60 NS ns2\nns1 60 TXT here\nns2 60 A 192.0.2.2\n");
	assert_true(zfiles_load(*state, z));
	expect(z, "  60 NS ns1.example.com.\n  60 NS ns2.example.com.\n", NULL);
	expect(z, " name ns1.example.com. from zone example.com\n  30 A 192.0.2.53\n  60 TXT",
	       NULL);
	zfiles_write(*state, "zone", "@ 60 SOA a b 1 1 1 1 1\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n");
	assert_true(zfiles_load(*state, z));
	expect(z, " name ns1.example.com. from zone example.com\n  60 A 192.0.2.1\n", NULL);
	/* The config has none any more. */
	zfiles_set_zone(z);
	expect(z, " name ns1.example.com. from zone file of example.com\n  60 A 192.0.2.1\n", NULL);
	zones_free(z);
}

static void test_the_file_stays_when_zones_come_and_go(void **state)
{
	struct zones *z = new_zones();
	struct zones_zone zones[2] = {
		{.apex = zworld_wire("example.com"),
	         .ttl = 30,
	         .negative_ttl = 20,
	         .has_file = true},
		{.apex = zworld_wire("example.net"), .ttl = 30, .negative_ttl = 20}};

	load(*state, z, "www 30 TXT file\nboth 30 TXT file\n");
	zworld_put(z, "both.example.com", "30 A 192.0.2.1", NULL);
	zones_build(z, 1);
	zones_set_zones(z, zones, 2);
	assert_false(zone_is_incomplete(snapshot_zone(zones_build(z, 1), 0)));
	expect(z, " name www.example.com. from zone file of example.com\n  30 TXT \"file\"\n",
	       NULL);
	expect(z, " name both.example.com. from zone file of example.com\n  30 TXT \"file\"\n",
	       NULL);
	zworld_put(z, "both.example.com", "30 A 192.0.2.1", NULL);
	expect(z, "  30 A 192.0.2.1\n  30 TXT \"file\"\n", NULL);
	load(*state, z, "www 30 TXT new\n");
	expect(z, "  30 TXT \"new\"\n", NULL);
	assert_int_equal(zone_name_count(snapshot_zone(zones_build(z, 1), 0)), 3);
	zones_free(z);
}

static void test_without_its_file_a_zone_has_the_endpoints(void **state)
{
	struct zones *z = new_zones();
	struct zones_zone zone = {
		.apex = zworld_wire("example.com"), .ttl = 30, .negative_ttl = 20};

	load(*state, z, "www 30 TXT file\nboth 30 TXT file\n");
	zworld_put(z, "both.example.com", "30 A 192.0.2.1", NULL);
	zones_set_zones(z, &zone, 1);
	assert_true(zones_set_file(z, zone.apex, NULL));
	assert_false(zones_set_file(z, zworld_wire("example.net"), NULL));
	expect(z, " name both.example.com. from test both.example.com\n  30 A 192.0.2.1\n", NULL);
	assert_int_equal(zone_name_count(snapshot_zone(zones_build(z, 1), 0)), 2);
	zones_free(z);
}

/* Each is told with both, wherever the delegation or the DNAME comes from and whatever comes first. */
static void test_what_is_below_a_delegation_or_a_dname_of_the_other_is_told(void **state)
{
	static const struct zworld_site site[] = {A_SITE};
	struct zones *z = new_zones();

	zworld_put_sites(z, "www.sub.example.com", site, 1, NULL, true);
	zworld_put(z, "www.old.example.com", "30 A 192.0.2.1", NULL);
	load(*state, z, "sub 30 NS ns.example.net.\n\nold 30 DNAME example.net.\n");
	expect(z, "name sub.example.com.",
	       "zone:3: www.sub.example.com.: the delegation sub.example.com. of zone file of "
	       "example.com is above; what test www.sub.example.com has is not answered\n");
	expect(z, "name old.example.com.",
	       "zone:5: www.old.example.com.: the DNAME old.example.com. of zone file of "
	       "example.com is above; what test www.old.example.com has is not answered\n");
	/* The line moves; then more comes below. */
	load(*state, z, "\nsub 30 NS ns.example.net.\n");
	expect(z, "name sub.example.com.", "zone:4: www.sub.example.com.: the delegation");
	zworld_remove(z, "www.sub.example.com");
	expect(z, "name sub.example.com.", NULL);
	zworld_put(z, "a.b.sub.example.com", "30 TXT x", NULL);
	expect(z, "name sub.example.com.", "zone:4: a.b.sub.example.com.: the delegation sub");
	load(*state, z, "");
	expect(z, "30 TXT \"x\"", NULL);
	/* An endpoint's above the file's. */
	load(*state, z, "a.c 30 TXT x\nd 30 TXT x\n");
	zworld_put(z, "c.example.com", "30 NS ns.example.net.", NULL);
	zworld_put(z, "d.example.com", "30 DNAME example.net.", NULL);
	expect(z, "name c.example.com.",
	       "test c.example.com: a.c.example.com.: the delegation c.example.com. of test "
	       "c.example.com is above; what zone file of example.com has is not answered\n");
	load(*state, z, "d 30 TXT x\n");
	expect(z, "name d.example.com.", NULL);
	zones_free(z);
}

/* The whole zone can be an alias of another. */
static void test_what_is_below_a_dname_of_the_apex_is_told(void **state)
{
	struct zones *z = new_zones();

	load(*state, z, "@ 30 DNAME example.net.\n");
	zworld_put(z, "example.com", "30 A 192.0.2.1", NULL);
	expect(z, "30 DNAME", NULL);
	zworld_put(z, "www.example.com", "30 A 192.0.2.1", NULL);
	expect(z, "30 DNAME", "zone:1: www.example.com.: the DNAME example.com. of zone file");
	zones_free(z);
}

static void test_glue_is_not_told(void **state)
{
	struct zones *z = new_zones();

	zworld_put(z, "ns.sub.example.com", "30 A 192.0.2.1", NULL);
	load(*state, z, "sub 30 NS ns.sub\nsub 30 NS ns2.sub\nns2.sub 30 A 192.0.2.2\n");
	expect(z, "name ns.sub.example.com.", NULL);
	zworld_put(z, "sub.example.com", "30 TXT \"beside\"", NULL);
	expect(z, "name ns2.sub.example.com.", NULL);
	zones_free(z);
}

/* --- histories --- */

enum { WORLDS = 150, STEPS = 14, NAMES = 6 };

static const char *const names[NAMES] = {"a", "b.a", "*.a", "c", "x.y.c", "@"};

/* What the world is now: 0 none, else one of the sets of records. */
struct now {
	unsigned file[NAMES], endpoint[NAMES];
};

static void write_file(const struct zfiles *f, const struct now *now)
{
	static const char *const sets[] = {"A 192.0.2.1", "TXT f", "CNAME t.example.net.",
	                                   "NS t.example.net."};
	struct text text = {NULL, 0, 0};

	text_add(&text, ZFILES_HEAD);
	for (unsigned i = 0; i < NAMES; i++) {
		if (now->file[i] == 0 || (i == NAMES - 1 && now->file[i] > 2))
			continue;
		text_printf(&text, "%s 60 %s\n", names[i], sets[now->file[i] - 1]);
	}
	zfiles_write(f, "zone", text.data);
	text_fini(&text);
}

static void put_endpoint(struct zones *z, const struct now *now, unsigned i)
{
	static const struct zworld_site sites[] = {A_SITE, {1, 3, "30 TXT \"s\"", UINT32_MAX}};
	char name[32];

	snprintf(name, sizeof(name), "%s%sexample.com", i < NAMES - 1 ? names[i] : "",
	         i < NAMES - 1 ? "." : "");
	if (now->endpoint[i] == 0)
		zworld_remove(z, name);
	else if (now->endpoint[i] == 1)
		zworld_put(z, name, "30 A 192.0.2.7", "30 TXT \"e\"", NULL);
	else if (now->endpoint[i] == 2)
		zworld_put(z, name, "30 CNAME e.example.net.", NULL);
	else if (now->endpoint[i] == 4)
		zworld_put(z, name, "30 DNAME e.example.net.", NULL);
	else if (now->endpoint[i] == 5)
		zworld_put(z, name, "30 NS b.a.example.com.", NULL);
	else
		zworld_put_sites(z, name, sites, 2, "fall.example.net", false);
}

static char *state_of(struct zones *z)
{
	struct text out = {NULL, 0, 0};
	char *printed = zworld_print(zones_build(z, 1)), *problems = zworld_problems(z);

	text_printf(&out, "%s%s", printed, problems);
	free(printed);
	free(problems);
	return text_take(&out);
}

/* The same world made at once, the file first or last. */
static void check_against_fresh(const struct zfiles *f, struct zones *z, const struct now *now,
                                bool file_first)
{
	struct zfiles fresh_files = *f;
	struct zones *fresh = new_zones();
	char *before, *after;

	fresh_files.current = NULL;
	if (file_first)
		assert_true(zfiles_load(&fresh_files, fresh));
	for (unsigned i = 0; i < NAMES; i++)
		put_endpoint(fresh, now, i);
	if (!file_first)
		assert_true(zfiles_load(&fresh_files, fresh));
	before = state_of(z);
	after = state_of(fresh);
	assert_string_equal(before, after);
	assert_int_equal(zone_name_count(snapshot_zone(zones_build(z, 1), 0)),
	                 zone_name_count(snapshot_zone(zones_build(fresh, 1), 0)));
	free(before);
	free(after);
	zones_free(fresh);
	zonefile_free(fresh_files.current);
}

static void test_every_history_ends_as_if_made_at_once(void **state)
{
	struct zfiles *f = *state;

	for (uint64_t world = 0; world < WORLDS; world++) {
		uint64_t seed = world;
		struct zones *z = new_zones();
		struct now now = {{0}, {0}};

		write_file(f, &now);
		assert_true(zfiles_load(f, z));
		for (unsigned step = 0; step < STEPS; step++) {
			unsigned i = (unsigned)(zworld_random(&seed) % NAMES);

			if (zworld_random(&seed) % 2) {
				now.file[i] = (unsigned)(zworld_random(&seed) % 5);
				write_file(f, &now);
				assert_true(zfiles_load(f, z));
			} else {
				now.endpoint[i] = (unsigned)(zworld_random(&seed) % 6);
				put_endpoint(z, &now, i);
			}
			if (zworld_random(&seed) % 2)
				zones_build(z, 1);
		}
		check_against_fresh(f, z, &now, world % 2);
		zones_free(z);
		zonefile_free(f->current);
		f->current = NULL;
	}
}

#define with_files(test) cmocka_unit_test_setup_teardown(test, zfiles_setup, zfiles_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_files(test_types_of_both_stand_beside_each_other),
		with_files(test_of_a_type_that_both_have_the_files_counts),
		with_files(test_beside_a_cname_nothing_of_the_other_stands),
		with_files(test_a_fallback_cannot_stand_beside_the_files_data),
		with_files(test_the_apex_is_of_both),
		with_files(test_an_apex_may_have_sites_beside_the_file),
		with_files(test_a_site_is_amended_wherever_it_shows),
		with_files(test_what_has_no_site_is_not_amended),
		with_files(test_name_servers_of_the_config_are_added),
		with_files(test_the_file_stays_when_zones_come_and_go),
		with_files(test_without_its_file_a_zone_has_the_endpoints),
		with_files(test_what_is_below_a_delegation_or_a_dname_of_the_other_is_told),
		with_files(test_what_is_below_a_dname_of_the_apex_is_told),
		with_files(test_glue_is_not_told),
		with_files(test_every_history_ends_as_if_made_at_once),
	};

	return cmocka_run_group_tests_name("zones/layers", tests, NULL, NULL);
}
