/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "dnsd/wiring.h"
#include "records/ramp.h"
#include "watcher/saved.h"
#include "zones/build.h"

struct state {
	char dir[32];
	uv_loop_t loop;
	struct facts *facts;
	struct saved *saved;
};

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof *s);
	struct reason why = {""};

	strcpy(s->dir, "/tmp/nigh-wiring-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(uv_loop_init(&s->loop), 0);
	s->facts = facts_new();
	assert_int_equal(saved_open(&s->loop, s->dir, s->facts, &s->saved, &why), ERR_OK);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;
	char command[64];

	saved_close(s->saved);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	facts_free(s->facts);
	snprintf(command, sizeof command, "rm -r %s", s->dir);
	assert_int_equal(system(command), 0);
	free(s);
	return 0;
}

static void put(struct state *s, enum saved_class class, int count)
{
	for (int i = 0; i < count; i++) {
		char key[64];

		snprintf(key, sizeof key, class == SAVED_PROBE ? "192.0.2.1:%d" : "lb%d.test", i);
		saved_put_value(s->saved, class, bytes_of(key), bytes_of("x"));
	}
}

static void test_what_nobody_wants_any_more_does_not_pile_up_in_the_state(void **state)
{
	struct state *s = *state;
	struct bytes hosts[] = {bytes_of("lb3.test"), bytes_of("lb7.test")}, value;
	struct records_probe probes[2] = {{.port = 5}, {.addr = {.family = ADDR_NONE}}};
	struct records_result r = {
		.hosts = hosts, .host_count = 2, .probes = probes, .probe_count = 2};

	assert_true(addr_parse(bytes_of("192.0.2.1"), &probes[0].addr));
	put(s, SAVED_HOST, 100);
	wiring_forget_unwanted(&r, s->saved);
	assert_int_equal(saved_count_values(s->saved, SAVED_HOST), 100);
	put(s, SAVED_HOST, 1000);
	put(s, SAVED_PROBE, 1000);
	wiring_forget_unwanted(&r, s->saved);
	assert_int_equal(saved_count_values(s->saved, SAVED_HOST), 2);
	assert_true(saved_find_value(s->saved, SAVED_HOST, bytes_of("lb7.test"), &value));
	assert_int_equal(saved_count_values(s->saved, SAVED_PROBE), 1);
	assert_true(saved_find_value(s->saved, SAVED_PROBE, bytes_of("192.0.2.1:5"), &value));
}

/* The table of verdicts ends with the last address that is probed, mostly before the first. */
static void test_a_cluster_of_addresses_that_are_not_probed_is_up(void **state)
{
	struct zones_probe *verdicts = calloc(1, sizeof *verdicts);
	struct cluster_state synced = {.registered = true, .knowledge = KNOWLEDGE_SYNCED};
	struct records_cluster clusters[2] = {
		{.id = 1, .name = "la", .place_from = "", .state = &synced},
		{.id = 2, .name = "ny", .place_from = "", .state = &synced}};
	struct records_probe probes[100];
	struct records_result r = {
		.clusters = clusters, .cluster_count = 2, .probes = probes, .probe_count = 100};
	struct zones *z = zones_new();
	const struct snapshot *s;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		probes[i] = (struct records_probe){{.family = ADDR_IPV4}, 80, i < 1 ? 1 : 2, 0};
	for (size_t count = 0; count < 2; count++) {
		verdicts[0].down = true;
		wiring_set_clusters(z, &r, verdicts, count, &(struct wiring_times){1, 0, 0});
		s = zones_build(z, 1);
		assert_int_equal(snapshot_cluster(s, 1)->up, count == 0);
		assert_true(snapshot_cluster(s, 2)->up);
	}
	zones_free(z);
	free(verdicts);
}

static void test_a_shift_is_published_as_time_goes_on_and_only_when_it_says_more(void **state)
{
	/* After ten seconds a hundred seconds' way from all to nothing, the TTL limited from the beginning. */
	static const struct {
		int64_t unix_s;
		uint32_t withheld, ttl_most;
		bool drained;
	} expected[] = {{999, 0, 0, false},
	                {1000, 0, 5, false},
	                {1010, 0, 5, false},
	                {1060, SNAPSHOT_EVERYBODY / 2, 5, false},
	                {1109, SNAPSHOT_EVERYBODY * 99 / 100, 5, false},
	                {1110, SNAPSHOT_EVERYBODY, 0, true},
	                {2000, SNAPSHOT_EVERYBODY, 0, true}};
	const struct ramp ramp = {
		.from = RAMP_WHOLE, .start = 1010, .end = 1110, .ttl = 5, .ttl_from = 1000};
	struct cluster_state synced = {.registered = true, .knowledge = KNOWLEDGE_SYNCED};
	struct records_cluster la = {
		.id = 1, .name = "la", .place_from = "", .state = &synced, .shift = &ramp};
	struct records_result r = {.clusters = &la, .cluster_count = 1};
	struct zones *z = zones_new();

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		struct wiring_times times = {1, 0, expected[i].unix_s};
		const struct snapshot *s;
		const struct snapshot_cluster *c;

		wiring_set_clusters(z, &r, NULL, 0, &times);
		s = zones_build(z, 1);
		c = snapshot_cluster(s, 1);
		assert_int_equal(c->withheld, expected[i].withheld);
		assert_int_equal(c->ttl_most, expected[i].ttl_most);
		assert_int_equal(c->drained, expected[i].drained);
		assert_int_equal(c->shift->end, 1110);
		wiring_set_clusters(z, &r, NULL, 0, &times);
		assert_ptr_equal(zones_build(z, 1), s);
	}
	la.shift = NULL;
	wiring_set_clusters(z, &r, NULL, 0, &(struct wiring_times){1, 0, 2001});
	assert_null(snapshot_cluster(zones_build(z, 1), 1)->shift);
	zones_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_nobody_wants_any_more_does_not_pile_up_in_the_state, setup,
			teardown),
		cmocka_unit_test(test_a_cluster_of_addresses_that_are_not_probed_is_up),
		cmocka_unit_test(
			test_a_shift_is_published_as_time_goes_on_and_only_when_it_says_more),
	};

	return cmocka_run_group_tests_name("dnsd/wiring", tests, NULL, NULL);
}
