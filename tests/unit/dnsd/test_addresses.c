/* Names with more addresses than an answer tells: how many, which, to whom, and at what cost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "tests/support/dnsd_world.h"

enum { MOST = 16, MANY = 4000, SITE_IDS_STEP = 5, FIRST_SITE_ID = 3 };

static struct world *w;
static struct addr addresses[MANY];

/* A label with its length before it, in example.com. */
#define WIRE(label) label "\7example\3com"
#define NAME(label) ((struct bytes){(const uint8_t *)WIRE(label), sizeof WIRE(label)})

static struct endpoint_rrset set_of(size_t count)
{
	return (struct endpoint_rrset){
		.type = bytes_of("A"), .ttl = 30, .addresses = addresses, .count = count};
}

static void put_fixed(struct bytes owner, size_t count)
{
	const struct endpoint_rrset set = set_of(count);
	const struct endpoint e = {
		.owner = owner, .source = "test", .fixed = &set, .fixed_count = 1};

	zones_put(world_zones(w), &e);
}

/* Each site begins elsewhere, so that they share some of their addresses. */
static void put_sites(struct bytes owner, const size_t *counts, size_t sites)
{
	struct endpoint_site site[40];
	struct endpoint_rrset set[40];
	const struct endpoint e = {.owner = owner,
	                           .source = "test",
	                           .has_sites = true,
	                           .fail_open = true,
	                           .sites = site,
	                           .site_count = sites};

	for (size_t i = 0; i < sites; i++) {
		set[i] = set_of(counts[i]);
		set[i].addresses = addresses + 7 * i;
		site[i] = (struct endpoint_site){
			.cluster = (uint16_t)(FIRST_SITE_ID + SITE_IDS_STEP * i),
			.layers = SITE_ENDPOINTS | SITE_LOAD_BALANCER,
			.rrsets = &set[i],
			.rrset_count = 1};
	}
	zones_put(world_zones(w), &e);
}

static int setup(void **state)
{
	static const size_t two[] = {1000, 3}, forty[40] = {[0 ... 39] = 100};

	(void)state;
	w = world_new();
	for (unsigned i = 0; i < MANY; i++)
		addresses[i] = (struct addr){.family = ADDR_IPV4,
		                             .bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};
	world_settings(w)->max_addresses = MOST;
	world_zones_are(w, "example.com");
	for (unsigned i = 0; i < 40; i++) {
		char name[8];

		snprintf(name, sizeof name, "c%02u", i);
		world_cluster(w, name, 10 + i, 20);
	}
	put_fixed(NAME("\4"
	               "most"),
	          MOST);
	put_fixed(NAME("\4"
	               "more"),
	          MOST + 1);
	put_fixed(NAME("\4"
	               "many"),
	          MANY);
	put_sites(NAME("\3"
	               "two"),
	          two, 2);
	put_sites(NAME("\5"
	               "forty"),
	          forty, 40);
	world_put(w, "alias.example.com", "300 CNAME many.example.com", NULL);
	world_put(w, "mail.example.com", "300 MX 10 many.example.com", NULL);
	world_put(w, "texts.example.com", "300 TXT 1", "300 TXT 2", "300 TXT 3", NULL);
	world_build(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* The last two octets of the A records of an answer; returns how many there are, and demands that none comes twice. */
static size_t read_addresses(const char *answer, unsigned out[MANY])
{
	size_t count = 0;

	while ((answer = strstr(answer, " A 10.0.")) != NULL) {
		unsigned high, low;

		answer += strlen(" A 10.0.");
		assert_int_equal(sscanf(answer, "%u.%u", &high, &low), 2);
		out[count++] = high << 8 | low;
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(out[i], out[k]);
	return count;
}

static size_t ask(const char *name, const char *ecs, unsigned out[MANY])
{
	char question[64];

	snprintf(question, sizeof question, "%s A", name);
	return read_addresses(
		world_ask(w, question, &(struct asking){.edns = 1232, .ecs = ecs, .tcp = true}),
		out);
}

static void test_as_many_as_may_be_are_told_as_they_are(void **state)
{
	static unsigned found[MANY];

	(void)state;
	assert_int_equal(ask("most.example.com", NULL, found), MOST);
	for (unsigned i = 0; i < MOST; i++)
		assert_int_equal(found[i], i);
	assert_non_null(strstr(
		world_ask(w, "most.example.com A", &(struct asking){.ecs = "198.51.100.0/24"}),
		" scope=0"));
}

static void test_of_more_so_many_are_told_each_once(void **state)
{
	static const char *const names[] = {"more.example.com", "many.example.com",
	                                    "two.example.com", "alias.example.com"};
	static unsigned found[MANY];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (unsigned net = 0; net < 256; net++) {
			char ecs[32];

			snprintf(ecs, sizeof ecs, "198.51.%u.0/24", net);
			if (i != 2)
				assert_int_equal(ask(names[i], ecs, found), MOST);
			else
				assert_in_range(ask(names[i], ecs, found), 3, MOST);
		}
	}
}

static void test_each_is_told_to_somebody_and_to_about_as_many(void **state)
{
	static unsigned found[MANY], told[MANY];

	(void)state;
	memset(told, 0, sizeof told);
	for (unsigned net = 0; net < 25600; net++) {
		char ecs[32];

		snprintf(ecs, sizeof ecs, "198.%u.%u.0/24", net >> 8, net & 255);
		assert_int_equal(ask("many.example.com", ecs, found), MOST);
		for (unsigned i = 0; i < MOST; i++)
			told[found[i]]++;
	}
	/* 102 on average. */
	for (unsigned i = 0; i < MANY; i++)
		assert_in_range(told[i], 10, 400);
}

static void test_a_client_is_told_the_same_again_and_its_neighbours_too(void **state)
{
	char first[4096];

	(void)state;
	for (unsigned net = 0; net < 64; net++) {
		char ecs[32];

		snprintf(ecs, sizeof ecs, "198.51.%u.0/24", net);
		snprintf(first, sizeof first, "%s",
		         world_ask(w, "many.example.com A",
		                   &(struct asking){.ecs = ecs, .tcp = true}));
		assert_non_null(strstr(first, " scope=24"));
		/* Whoever asks for them, and from wherever in the network. */
		snprintf(ecs, sizeof ecs, "198.51.%u.0/24", net);
		assert_string_equal(first, world_ask(w, "many.example.com A",
		                                     &(struct asking){.ecs = ecs,
		                                                      .resolver = "203.0.113.5",
		                                                      .tcp = true}));
		snprintf(ecs, sizeof ecs, "198.51.%u.77/32", net);
		assert_string_equal(first, world_ask(w, "many.example.com A",
		                                     &(struct asking){.ecs = ecs, .tcp = true}));
	}
	/* A shorter prefix gets what its first /24 gets, and is told that it holds only there. */
	assert_non_null(strstr(world_ask(w, "many.example.com A",
	                                 &(struct asking){.ecs = "198.51.0.0/16", .tcp = true}),
	                       " scope=24"));
}

static void test_a_union_tells_so_many_in_all_and_some_of_each_site_it_can(void **state)
{
	static unsigned found[MANY];
	size_t count;
	unsigned of_second = 0;

	(void)state;
	world_settings(w)->all = true;
	world_build(w);
	/* Half of them are for the second site, which has three. */
	count = ask("two.example.com", "198.51.100.0/24", found);
	assert_in_range(count, MOST / 2, MOST / 2 + 3);
	for (unsigned net = 0; net < 256; net++) {
		char ecs[32];

		snprintf(ecs, sizeof ecs, "198.51.%u.0/24", net);
		count = ask("forty.example.com", ecs, found);
		assert_in_range(count, 1, MOST);
		for (size_t i = 0; i < count; i++)
			of_second += found[i] >= 100;
	}
	assert_true(of_second > 0);
	world_settings(w)->all = false;
	world_build(w);
}

static void test_other_types_are_told_whole(void **state)
{
	const char *answer;

	(void)state;
	world_settings(w)->max_addresses = 1;
	world_build(w);
	answer = world_ask(w, "texts.example.com TXT", NULL);
	assert_non_null(strstr(answer, "TXT \"1\""));
	assert_non_null(strstr(answer, "TXT \"2\""));
	assert_non_null(strstr(answer, "TXT \"3\""));
	world_settings(w)->max_addresses = MOST;
	world_build(w);
}

/* CPU time of this thread. */
static double seconds_of(const char *name)
{
	struct timespec t[2];
	uint8_t *out = xmalloc(65535);
	char question[64];
	struct asking how = {.edns = 1232};

	snprintf(question, sizeof question, "%s A", name);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t[0]);
	for (unsigned i = 0; i < 3000; i++)
		assert_true(world_ask_raw(w, question, &how, out) > 0);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t[1]);
	free(out);
	return (double)(t[1].tv_sec - t[0].tv_sec) + (double)(t[1].tv_nsec - t[0].tv_nsec) / 1e9;
}

/* The same ones to all, so that they are no matter of the scope. */
static void test_beside_an_answer_so_many_are_told_too(void **state)
{
	struct asking how = {.ecs = "198.51.100.0/24", .tcp = true};
	unsigned place[MANY];
	const char *answer;

	(void)state;
	answer = world_ask(w, "mail.example.com MX", &how);
	assert_int_equal(read_addresses(answer, place), MOST);
	assert_non_null(strstr(answer, "scope=0"));
}

static void test_four_thousand_cost_about_as_much_as_seventeen(void **state)
{
	double few = 1e9, many = 1e9;

	(void)state;
	/* The best of several, as the machine has other things to do. */
	for (unsigned i = 0; i < 5; i++) {
		double a = seconds_of("more.example.com"), b = seconds_of("many.example.com");

		few = a < few ? a : few;
		many = b < many ? b : many;
	}
	assert_true(many < 3 * few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_many_as_may_be_are_told_as_they_are),
		cmocka_unit_test(test_of_more_so_many_are_told_each_once),
		cmocka_unit_test(test_each_is_told_to_somebody_and_to_about_as_many),
		cmocka_unit_test(test_a_client_is_told_the_same_again_and_its_neighbours_too),
		cmocka_unit_test(test_a_union_tells_so_many_in_all_and_some_of_each_site_it_can),
		cmocka_unit_test(test_other_types_are_told_whole),
		cmocka_unit_test(test_beside_an_answer_so_many_are_told_too),
		cmocka_unit_test(test_four_thousand_cost_about_as_much_as_seventeen),
	};

	return cmocka_run_group_tests_name("dnsd/addresses", tests, setup, teardown);
}
