/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dnsd/damper.h"
#include "tests/support/zones_world.h"

enum {
	LA = 1,
	NY = 2,
	FINE = SITE_ENDPOINTS | SITE_LOAD_BALANCER,
	S = 1000,
	MIN = 60 * S,
	THRESHOLD = 3,
	HOLD_S = 30,
	RISE_S = 120
};

/* www.example.com at c1 and c2, published after each change, as the pipeline does it. */
struct stage {
	struct zones *zones;
	struct damper *damper;
	const struct snapshot *last;
	uint64_t now_ms;
	uint8_t la; /* its layers */
	uint16_t la_ready;
	unsigned moves; /* of la's share */
};

static const struct node *node_of(const struct stage *s)
{
	return zworld_node(s->last, "www.example.com");
}

static const struct site *la(const struct stage *s) { return node_site(node_of(s), 0); }

static struct site_past past_of_la(const struct stage *s)
{
	static const struct site_past none;
	const struct site_past *past = site_past(la(s));

	return past ? *past : none;
}

static void publish(struct stage *s)
{
	uint16_t share = s->last ? site_capacity(la(s)) : 0;

	s->last = zones_build(s->zones, 1);
	s->moves += share != 0 && site_capacity(la(s)) != share;
}

static void put_name(struct stage *s, const char *name)
{
	const struct addr address = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};
	const struct endpoint_rrset set = {
		.type = bytes_of("A"), .ttl = 30, .count = 1, .addresses = &address};
	const struct endpoint_site sites[] = {{.cluster = LA,
	                                       .layers = s->la,
	                                       .rrsets = &set,
	                                       .rrset_count = 1,
	                                       .capacity = s->la_ready},
	                                      {.cluster = NY,
	                                       .layers = FINE,
	                                       .rrsets = &set,
	                                       .rrset_count = 1,
	                                       .capacity = s->la_ready ? 8 : 0}};
	const struct endpoint e = {.owner = zworld_wire(name),
	                           .source = "",
	                           .has_sites = true,
	                           .fail_open = true,
	                           .sites = sites,
	                           .site_count = 2};

	damper_put(s->damper, s->zones, &e, &(struct damper_times){s->last, s->now_ms});
}

static void put(struct stage *s, uint8_t layers)
{
	s->la = layers;
	put_name(s, "www.example.com");
	publish(s);
}

static void put_share(struct stage *s, uint16_t share)
{
	s->la_ready = share;
	put(s, FINE);
}

/* Ticks, as the pipeline has them. */
static void wait_s(struct stage *s, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 4; i++) {
		s->now_ms += S / 4;
		damper_look(s->damper, s->zones, &(struct damper_times){s->last, s->now_ms});
		publish(s);
	}
}

static void go_down_and_up(struct stage *s, uint8_t layers, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		put(s, layers);
		wait_s(s, 2);
		put(s, FINE);
		wait_s(s, 2);
	}
}

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->zones = zones_new();
	zworld_set_zones(s->zones, "example.com");
	zworld_set_clusters(s->zones, 3);
	s->damper = damper_new();
	damper_configure(
		s->damper,
		&(struct damper_settings){{THRESHOLD, 10 * MIN, HOLD_S * S, 10 * MIN}, RISE_S * S});
	s->now_ms = 1000 * S;
	put(s, FINE);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	damper_free(s->damper);
	zones_free(s->zones);
	free(s);
	return 0;
}

static void test_a_site_that_goes_down_and_up_too_often_is_held_and_comes_back(void **state)
{
	struct stage *s = *state;

	go_down_and_up(s, SITE_LOAD_BALANCER, THRESHOLD - 1);
	assert_false(site_is_held(la(s)));
	go_down_and_up(s, SITE_LOAD_BALANCER, 1);
	assert_true(site_is_held(la(s)));
	assert_false(snapshot_site_is_whole(s->last, la(s)));
	/* It is usable all the same, when nobody else is. */
	assert_true(snapshot_site_is_usable(s->last, snapshot_node_policy(s->last, node_of(s)),
	                                    la(s), NULL));
	assert_int_equal(damper_counts(s->damper).held, 1);
	wait_s(s, HOLD_S - 4);
	assert_true(site_is_held(la(s)));
	wait_s(s, 4);
	assert_false(site_is_held(la(s)));
	assert_true(snapshot_site_is_whole(s->last, la(s)));
}

static void test_every_further_time_it_is_held_twice_as_long(void **state)
{
	struct stage *s = *state;

	go_down_and_up(s, SITE_LOAD_BALANCER, THRESHOLD);
	wait_s(s, HOLD_S);
	go_down_and_up(s, SITE_LOAD_BALANCER, 1);
	wait_s(s, HOLD_S + 4);
	assert_true(site_is_held(la(s)));
	wait_s(s, HOLD_S);
	assert_false(site_is_held(la(s)));
}

static void test_each_layer_flaps_and_is_named(void **state)
{
	static const uint8_t broken[] = {SITE_LOAD_BALANCER, SITE_ENDPOINTS, FINE | SITE_FEW_READY,
	                                 FINE | SITE_NO_GATEWAY};
	struct stage *s = *state;

	for (size_t i = 0; i < sizeof(broken); i++) {
		go_down_and_up(s, broken[i], THRESHOLD);
		assert_true(site_is_held(la(s)));
		assert_int_equal(past_of_la(s).flaps, 1 << i);
		damper_remove(s->damper, s->zones, zworld_wire("www.example.com"));
		s->last = NULL;
		put(s, FINE);
	}
}

static void test_what_is_down_for_the_first_time_never_went_down(void **state)
{
	struct stage *s = *state;

	damper_remove(s->damper, s->zones, zworld_wire("www.example.com"));
	s->last = NULL;
	put(s, SITE_LOAD_BALANCER);
	for (unsigned i = 0; i < THRESHOLD - 1; i++) {
		put(s, FINE);
		put(s, SITE_LOAD_BALANCER);
	}
	put(s, FINE);
	assert_false(site_is_held(la(s)));
}

static void test_half_a_change_counts_no_more_than_once(void **state)
{
	struct stage *s = *state;

	put(s, SITE_LOAD_BALANCER);
	for (unsigned i = 0; i < 2 * THRESHOLD; i++) {
		put(s, 0);
		put(s, SITE_ENDPOINTS);
	}
	put(s, FINE);
	assert_false(site_is_held(la(s)));
}

static void test_a_rolling_restart_of_everything_is_no_flapping(void **state)
{
	struct stage *s = *state;
	char name[32];

	for (unsigned round = 0; round < 3; round++) {
		s->la = round == 1 ? SITE_LOAD_BALANCER : FINE;
		for (unsigned i = 0; i < 500; i++) {
			snprintf(name, sizeof(name), "n%u.example.com", i);
			put_name(s, name);
		}
		publish(s);
		wait_s(s, 30);
	}
	assert_int_equal(damper_counts(s->damper).sites, 500);
	assert_int_equal(damper_counts(s->damper).flapping, 0);
	wait_s(s, 12 * 60);
	assert_int_equal(damper_counts(s->damper).sites, 0);
}

static void test_a_million_names_that_fall_with_a_cluster_are_not_all_remembered(void **state)
{
	struct stage *s = *state;
	char name[32];

	for (unsigned round = 0; round < 2; round++) {
		s->la = round == 1 ? SITE_LOAD_BALANCER : FINE;
		for (unsigned i = 0; i < DAMPER_MOST + 100; i++) {
			snprintf(name, sizeof(name), "n%u.example.com", i);
			put_name(s, name);
		}
		publish(s);
	}
	assert_int_equal(damper_counts(s->damper).sites, DAMPER_MOST);
	assert_int_equal(damper_counts(s->damper).not_watched, 100);
}

static void test_a_site_that_goes_or_stays_down_is_forgotten(void **state)
{
	struct stage *s = *state;

	go_down_and_up(s, SITE_LOAD_BALANCER, THRESHOLD);
	assert_int_equal(damper_counts(s->damper).flapping, 1);
	damper_remove(s->damper, s->zones, zworld_wire("www.example.com"));
	assert_int_equal(damper_counts(s->damper).flapping, 0);
	assert_int_equal(damper_counts(s->damper).held, 0);
	s->last = NULL;
	put(s, FINE);
	go_down_and_up(s, SITE_LOAD_BALANCER, THRESHOLD);
	put(s, SITE_LOAD_BALANCER);
	assert_int_equal(damper_counts(s->damper).held, 0);
	assert_int_equal(damper_counts(s->damper).flapping, 1);
	wait_s(s, 12 * 60);
	assert_int_equal(damper_counts(s->damper).sites, 0);
	assert_int_equal(past_of_la(s).flaps, 0);
}

static void test_since_when_a_layer_is_as_it_is_stays_known(void **state)
{
	struct stage *s = *state;
	uint32_t down_s;

	assert_null(site_past(la(s)));
	wait_s(s, 10);
	down_s = (uint32_t)(s->now_ms / S);
	put(s, SITE_LOAD_BALANCER);
	wait_s(s, 100);
	put(s, SITE_LOAD_BALANCER);
	assert_int_equal(past_of_la(s).since_s[0], down_s);
	assert_int_equal(past_of_la(s).since_s[1], 0);
	put(s, 0);
	assert_int_equal(past_of_la(s).since_s[0], down_s);
	assert_int_equal(past_of_la(s).since_s[1], down_s + 100);
}

/* --- shares --- */

static void test_a_smaller_share_counts_at_once_and_a_larger_one_when_it_has_lasted(void **state)
{
	struct stage *s = *state;

	put_share(s, 16);
	put_share(s, 12);
	assert_int_equal(site_capacity(la(s)), 12);
	put_share(s, 16);
	wait_s(s, RISE_S - 2);
	assert_int_equal(site_capacity(la(s)), 12);
	wait_s(s, 4);
	assert_int_equal(site_capacity(la(s)), 16);
	wait_s(s, 12 * 60);
	assert_int_equal(damper_counts(s->damper).sites, 0);
}

static void test_a_rise_that_falls_back_waits_anew_and_the_last_count_is_what_counts(void **state)
{
	struct stage *s = *state;

	put_share(s, 1);
	put_share(s, 4);
	wait_s(s, RISE_S - 10);
	put_share(s, 3);
	wait_s(s, 20);
	assert_int_equal(site_capacity(la(s)), 1);
	put_share(s, 8);
	wait_s(s, RISE_S - 18);
	assert_int_equal(site_capacity(la(s)), 8);
}

static void test_a_site_that_comes_has_its_share_at_once(void **state)
{
	struct stage *s = *state;

	put_share(s, 16);
	s->la_ready = 0;
	put(s, SITE_LOAD_BALANCER);
	put_share(s, 16);
	assert_int_equal(site_capacity(la(s)), 16);
}

/* Whatever the border, the rhythm and where it begins. */
static void test_a_count_that_swings_over_a_border_moves_nobody_more_than_once(void **state)
{
	static const uint16_t step[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32};
	struct stage *s = *state;
	uint64_t random = 1;

	for (size_t i = 0; i + 1 < sizeof(step) / sizeof(step[0]); i++) {
		for (unsigned begin = 0; begin < 2; begin++) {
			damper_remove(s->damper, s->zones, zworld_wire("www.example.com"));
			s->last = NULL;
			put_share(s, step[i + begin]);
			s->moves = 0;
			for (unsigned swing = 0; swing < 40; swing++) {
				put_share(s, step[i + (begin + swing + 1) % 2]);
				wait_s(s, (unsigned)(zworld_random(&random) % (RISE_S - 1)));
			}
			assert_in_range(s->moves, 0, 1);
		}
	}
}

/* Two replicas of which one began later, amid the swinging, agree once it has ended. */
static void test_replicas_agree_when_a_count_has_been_still(void **state)
{
	struct stage *s = *state;
	void *other_state;
	struct stage *other;

	put_share(s, 12);
	put_share(s, 16);
	put_share(s, 12);
	put_share(s, 16);
	assert_int_equal(setup(&other_state), 0);
	other = other_state;
	other->last = NULL;
	put_share(other, 16);
	assert_int_not_equal(site_capacity(la(s)), site_capacity(la(other)));
	wait_s(s, RISE_S + 1);
	wait_s(other, RISE_S + 1);
	assert_int_equal(site_capacity(la(s)), site_capacity(la(other)));
	teardown(&other_state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SENTENCE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		SENTENCE(test_a_site_that_goes_down_and_up_too_often_is_held_and_comes_back),
		SENTENCE(test_every_further_time_it_is_held_twice_as_long),
		SENTENCE(test_each_layer_flaps_and_is_named),
		SENTENCE(test_what_is_down_for_the_first_time_never_went_down),
		SENTENCE(test_half_a_change_counts_no_more_than_once),
		SENTENCE(test_a_rolling_restart_of_everything_is_no_flapping),
		SENTENCE(test_a_million_names_that_fall_with_a_cluster_are_not_all_remembered),
		SENTENCE(test_a_site_that_goes_or_stays_down_is_forgotten),
		SENTENCE(test_since_when_a_layer_is_as_it_is_stays_known),
		SENTENCE(test_a_smaller_share_counts_at_once_and_a_larger_one_when_it_has_lasted),
		SENTENCE(test_a_rise_that_falls_back_waits_anew_and_the_last_count_is_what_counts),
		SENTENCE(test_a_site_that_comes_has_its_share_at_once),
		SENTENCE(test_a_count_that_swings_over_a_border_moves_nobody_more_than_once),
		SENTENCE(test_replicas_agree_when_a_count_has_been_still),
	};

	return cmocka_run_group_tests_name("dnsd/damper", tests, NULL, NULL);
}
