/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

/* A zone of `count` names, each a DNSEndpoint of its own; more than 5 and more than 20 % are a
 * mass change. */
static struct records_world *world_begin(void)
{
	struct records_world *w = records_world_new();

	w->settings.guard_min_names = 5;
	w->settings.guard_max_percent = 20;
	w->settings.guard_hold_ms = 600000;
	records_world_configure(w);
	records_world_put(w, "", records_fact_domain("kube-federation-system/d", "example.com", 1));
	return w;
}

static void put_names(struct records_world *w, int from, int to)
{
	for (int i = from; i < to; i++) {
		char key[32], line[64];

		snprintf(key, sizeof(key), "ns/e%d", i);
		snprintf(line, sizeof(line), "n%d.example.com 30 A 192.0.2.%d", i, i + 1);
		records_world_put(w, "", records_fact_dns_endpoint(key, line, 1));
	}
}

static struct records_world *world_of(int count)
{
	struct records_world *w = world_begin();

	put_names(w, 0, count);
	records_world_build(w);
	assert_int_equal(w->count, count);
	return w;
}

static void remove_names(struct records_world *w, int from, int to)
{
	for (int i = from; i < to; i++) {
		char key[32];

		snprintf(key, sizeof(key), "ns/e%d", i);
		records_world_remove(w, "", FACT_DNS_ENDPOINT, key);
	}
}

static size_t held(const struct records_world *w)
{
	const struct records_hold *list;
	size_t count = records_holds(w->records, &list), names = 0;

	for (size_t i = 0; i < count; i++)
		names += list[i].names;
	return names;
}

static void test_a_mass_deletion_in_one_build_is_held_whole(void **state)
{
	struct records_world *w = world_of(40);
	const struct records_hold *list;

	(void)state;
	remove_names(w, 0, 20);
	assert_int_equal(records_world_build(w), 0);
	assert_int_equal(w->count, 40);
	assert_true(w->last->report_changed);
	assert_int_equal(records_holds(w->records, &list), 1);
	assert_string_equal(list[0].zone, "example.com.");
	assert_int_equal(list[0].names, 20);
	assert_int_equal(list[0].since_ms, w->now_ms);
	assert_int_equal(list[0].until_ms, w->now_ms + 600000);
	assert_int_equal(w->last->next_ms, w->now_ms + 600000);
	records_world_free(w);
}

static void test_few_names_and_a_small_share_pass(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_names(w, 0, 5); /* 12 %, and not more than five */
	assert_int_equal(records_world_build(w), 5);
	w->now_ms += 61000;
	remove_names(w, 5, 12); /* seven of 35 are not more than 20 % */
	assert_int_equal(records_world_build(w), 7);
	assert_int_equal(held(w), 0);
	assert_int_equal(w->last->next_ms, 0);
	records_world_free(w);
}

static void test_the_window_slides(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_names(w, 0, 5);
	records_world_build(w);
	w->now_ms += 30000;
	remove_names(w, 5, 8); /* eight of 40 in a minute are just allowed */
	records_world_build(w);
	assert_int_equal(w->count, 32);
	w->now_ms += 1000;
	remove_names(w, 8, 9); /* the ninth is held, and what follows */
	records_world_build(w);
	assert_int_equal(w->count, 32);
	assert_int_equal(held(w), 1);
	w->now_ms += 120000;
	remove_names(w, 9, 10);
	records_world_build(w);
	assert_int_equal(held(w), 2);
	assert_int_equal(w->count, 32);
	records_world_free(w);
}

static void test_a_name_that_comes_and_goes_counts_once(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	for (int round = 0; round < 5; round++) {
		remove_names(w, 0, 5);
		assert_int_equal(records_world_build(w), 5);
		assert_int_equal(held(w), 0);
		put_names(w, 0, 5);
		assert_int_equal(records_world_build(w), 5);
		w->now_ms += 1000;
	}
	remove_names(w, 0, 9); /* but nine names of 40 are too many */
	assert_int_equal(records_world_build(w), 0);
	assert_int_equal(held(w), 9);
	records_world_free(w);
}

static void test_other_changes_pass_while_names_are_held(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_names(w, 0, 20);
	records_world_build(w);
	records_world_put(
		w, "", records_fact_dns_endpoint("ns/new", "new.example.com 30 A 192.0.2.99", 1));
	records_world_put(
		w, "", records_fact_dns_endpoint("ns/e30", "n30.example.com 30 A 192.0.2.98", 1));
	assert_int_equal(records_world_build(w), 2);
	assert_int_equal(w->count, 41);
	assert_int_equal(held(w), 20);
	records_world_free(w);
}

static void test_it_ends_when_the_names_come_back(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_names(w, 0, 20);
	records_world_build(w);
	for (int i = 0; i < 20; i++) {
		char key[32], line[64];

		snprintf(key, sizeof(key), "ns/e%d", i);
		/* All but the first are as they were. */
		snprintf(line, sizeof(line), "n%d.example.com 30 A 192.0.2.%d", i, i ? i + 1 : 200);
		records_world_put(w, "", records_fact_dns_endpoint(key, line, 1));
	}
	assert_int_equal(records_world_build(w), 1);
	assert_int_equal(held(w), 0);
	assert_true(w->last->report_changed);
	assert_string_equal(records_world_show(w, "n0.example.com."),
	                    "DNSEndpoint ns/e0; fixed A 30 192.0.2.200");
	records_world_free(w);
}

static void test_it_ends_after_its_time(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_names(w, 0, 20);
	records_world_build(w);
	w->now_ms = w->last->next_ms - 1;
	assert_int_equal(records_world_build(w), 0);
	w->now_ms++;
	assert_int_equal(records_world_build(w), 20);
	assert_int_equal(w->count, 20);
	assert_int_equal(held(w), 0);
	assert_int_equal(w->last->next_ms, 0);
	records_world_free(w);
}

static void test_it_ends_when_it_is_released(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	w->settings.guard_hold_ms = 0;
	records_world_configure(w);
	records_world_build(w);
	assert_int_equal(records_release(w->records, "example.com."), ERR_NOTFOUND);
	remove_names(w, 0, 20);
	records_world_build(w);
	assert_int_equal(w->last->next_ms, 0);
	assert_int_equal(records_release(w->records, "other.test."), ERR_NOTFOUND);
	assert_int_equal(records_release(w->records, "example.com"), ERR_OK);
	/* One came back meanwhile, in the same build. */
	records_world_put(w, "",
	                  records_fact_dns_endpoint("ns/e0", "n0.example.com 30 A 192.0.2.55", 1));
	assert_int_equal(records_world_build(w), 20);
	assert_int_equal(w->count, 21);
	assert_int_equal(held(w), 0);
	records_world_free(w);
}

static void test_a_name_that_lost_its_addresses_shows_its_new_self_after_release(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	for (int i = 0; i < 20; i++) {
		char key[32], line[64];

		snprintf(key, sizeof(key), "ns/e%d", i);
		snprintf(line, sizeof(line), "n%d.example.com 30 TXT empty", i);
		records_world_put(w, "", records_fact_dns_endpoint(key, line, 1));
	}
	assert_int_equal(records_world_build(w), 0);
	assert_int_equal(held(w), 20);
	assert_int_equal(records_release(w->records, "example.com."), ERR_OK);
	assert_int_equal(records_world_build(w), 20);
	assert_string_equal(records_world_show(w, "n7.example.com."),
	                    "DNSEndpoint ns/e7; fixed TXT 30 empty");
	records_world_free(w);
}

static void test_a_name_that_moves_to_another_source_is_not_counted(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_names(w, 0, 20);
	for (int i = 0; i < 20; i++) {
		char key[32], line[64];

		snprintf(key, sizeof(key), "ns/moved%d", i);
		snprintf(line, sizeof(line), "n%d.example.com 30 A 192.0.2.%d", i, i + 1);
		records_world_put(w, "", records_fact_dns_endpoint(key, line, 1));
	}
	assert_int_equal(records_world_build(w), 20);
	assert_int_equal(held(w), 0);
	records_world_free(w);
}

static void test_held_names_survive_a_change_of_zones(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_names(w, 0, 20);
	records_world_put(w, "", records_fact_domain("ns/other", "other.test", 1));
	records_world_build(w);
	assert_true(w->last->everything);
	assert_int_equal(w->count, 40);
	assert_int_equal(held(w), 20);
	records_world_put(w, "", records_fact_domain("ns/third", "third.test", 1));
	records_world_build(w);
	assert_true(w->last->everything);
	assert_int_equal(w->count, 40);
	w->now_ms += 600000;
	records_world_build(w);
	assert_int_equal(w->count, 20);
	records_world_free(w);
}

/* Twenty services of cluster la, annotated, each with a slice. */
static void put_services(struct records_world *w)
{
	records_world_cluster(w, "la", true);
	for (int i = 0; i < 20; i++) {
		char key[32], slice[32], name[32], address[32], host[64];

		snprintf(key, sizeof(key), "ns/s%d", i);
		snprintf(slice, sizeof(slice), "ns/s%d-1", i);
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(address, sizeof(address), "192.0.2.%d", i + 1);
		snprintf(host, sizeof(host), "h%d.example.com", i);
		records_world_put(w, "la",
		                  records_fact_service(key, address, 443, host, NULL, NULL, 1));
		records_world_put(w, "la", records_fact_slice(slice, name, 1));
	}
	records_world_build(w);
	assert_int_equal(w->count, 20);
}

static void test_held_names_keep_their_probes_and_readiness_is_not_counted(void **state)
{
	struct records_world *w = world_of(0);
	size_t probes = 0;

	(void)state;
	put_services(w);
	for (int i = 0; i < 20; i++) {
		char slice[32];

		snprintf(slice, sizeof(slice), "ns/s%d-1", i);
		records_world_remove(w, "la", FACT_ENDPOINT_SLICE, slice);
	}
	assert_int_equal(records_world_build(w), 20);
	assert_int_equal(held(w), 0);
	records_world_cluster(w, "la", false);
	assert_int_equal(records_world_build(w), 0);
	assert_int_equal(held(w), 20);
	for (size_t i = 0; i < w->last->probe_count; i++)
		probes += w->last->probes[i].addr.family != ADDR_NONE;
	assert_int_equal(probes, 20);
	w->now_ms += 600000;
	assert_int_equal(records_world_build(w), 20);
	for (size_t i = 0; i < w->last->probe_count; i++)
		assert_int_equal(w->last->probes[i].addr.family, ADDR_NONE);
	records_world_free(w);
}

/* --- zones whose Domain goes --- */

static void remove_domain(struct records_world *w)
{
	records_world_remove(w, "", FACT_DOMAIN, "kube-federation-system/d");
}

static void put_domain(struct records_world *w)
{
	records_world_put(w, "", records_fact_domain("kube-federation-system/d", "example.com", 1));
}

static void test_a_domain_that_goes_takes_no_more_names_than_may_go(void **state)
{
	struct records_world *w = world_of(40);
	const struct records_hold *list;

	(void)state;
	remove_domain(w);
	records_world_build(w);
	assert_int_equal(w->count, 40);
	assert_int_equal(w->last->zone_count, 1);
	assert_false(w->last->zones_changed);
	assert_int_equal(records_holds(w->records, &list), 1);
	assert_string_equal(list[0].zone, "example.com.");
	assert_int_equal(list[0].names, 40);
	assert_int_equal(w->last->next_ms, w->now_ms + 600000);
	/* In the zone everything goes on. */
	put_names(w, 40, 41);
	assert_int_equal(records_world_build(w), 1);
	assert_int_equal(w->count, 41);
	w->now_ms += 600000;
	records_world_build(w);
	assert_int_equal(w->count, 0);
	assert_int_equal(w->last->zone_count, 0);
	assert_int_equal(records_holds(w->records, &list), 0);
	records_world_free(w);
}

static void test_a_domain_of_few_names_goes_at_once(void **state)
{
	struct records_world *w = world_of(5);

	(void)state;
	remove_domain(w);
	records_world_build(w);
	assert_int_equal(w->count, 0);
	assert_int_equal(w->last->zone_count, 0);
	assert_int_equal(held(w), 0);
	records_world_free(w);
}

static void test_what_is_held_goes_with_its_zone(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_names(w, 0, 20);
	records_world_build(w);
	assert_int_equal(held(w), 20);
	remove_domain(w);
	records_world_build(w);
	assert_int_equal(w->count, 40);
	assert_int_equal(held(w), 40);
	w->now_ms += 600000;
	records_world_build(w);
	assert_int_equal(w->count, 0);
	assert_int_equal(held(w), 0);
	records_world_free(w);
}

static void test_a_kept_zone_ends_when_its_domain_comes_back_or_it_is_released(void **state)
{
	struct records_world *w = world_of(40);

	(void)state;
	remove_domain(w);
	records_world_build(w);
	assert_int_equal(held(w), 40);
	put_domain(w);
	records_world_build(w);
	assert_int_equal(held(w), 0);
	assert_true(w->last->report_changed);
	assert_int_equal(w->count, 40);
	remove_domain(w);
	records_world_build(w);
	assert_int_equal(held(w), 40);
	assert_int_equal(records_release(w->records, "example.com"), ERR_OK);
	records_world_build(w);
	assert_int_equal(w->count, 0);
	assert_int_equal(held(w), 0);
	records_world_free(w);
}

/* --- over a restart --- */

/* What a state directory keeps of the guard. */
struct kept {
	struct buffer owner[32], value[32];
	size_t count;
};

static void keep(struct bytes owner, struct bytes value, void *arg)
{
	struct kept *k = arg;
	size_t i = 0;

	while (i < k->count &&
	       !bytes_equal((struct bytes){k->owner[i].data, k->owner[i].len}, owner))
		i++;
	assert_true(i < 32);
	if (i == k->count) {
		buffer_put(&k->owner[i], owner.data, owner.len);
		k->count++;
	}
	buffer_reset(&k->value[i]);
	buffer_put(&k->value[i], value.data, value.len);
}

static void take_held(struct records_world *w, int64_t unix_ms_at_0, struct kept *kept)
{
	struct records_times now = {w->now_ms, unix_ms_at_0};

	records_take_held(w->records, w->facts, &now, keep, kept);
}

/* In a process whose monotonic clock was 0 at this Unix time. */
static bool restore(struct records_world *w, int64_t unix_ms_at_0, const struct buffer *owner,
                    struct bytes value)
{
	struct records_times now = {w->now_ms, unix_ms_at_0};

	return records_restore_held(w->records, w->facts, &now,
	                            (struct bytes){owner->data, owner->len}, value);
}

static size_t kept_names(const struct kept *k)
{
	size_t names = 0;

	for (size_t i = 0; i < k->count; i++)
		names += k->value[i].len > 0;
	return names;
}

static void kept_fini(struct kept *k)
{
	for (size_t i = 0; i < k->count; i++) {
		buffer_fini(&k->owner[i]);
		buffer_fini(&k->value[i]);
	}
}

/* A process whose monotonic clock began at this Unix time, and which knows the Domain alone. */
static struct records_world *after_restart(const struct kept *k, int64_t unix_ms_at_0)
{
	struct records_world *fresh = world_begin();

	/* Ids are others in each process. */
	records_world_cluster(fresh, "another", true);
	for (size_t i = 0; i < k->count; i++)
		if (k->value[i].len > 0)
			assert_true(restore(fresh, unix_ms_at_0, &k->owner[i],
			                    (struct bytes){k->value[i].data, k->value[i].len}));
	return fresh;
}

static void test_a_hold_outlives_the_process(void **state)
{
	struct policy_target zone = {POLICY_PATTERN, bytes_of("*.example.com")};
	struct policy_value all = {.targets = &zone, .target_count = 1};
	struct records_world *w = world_of(0), *later;
	const struct records_hold *before, *after;
	struct kept kept = {0};
	char *names;

	(void)state;
	put_services(w);
	/* They say by name which policy decides for them, though it is not known at first. */
	records_world_put(w, "", records_fact_policy("net/all", &all, 1));
	records_world_build(w);
	records_world_cluster(w, "la", false);
	records_world_build(w);
	assert_int_equal(held(w), 20);
	take_held(w, 5000000, &kept);
	assert_int_equal(kept_names(&kept), 20);
	later = after_restart(&kept, 5000000 + (int64_t)w->now_ms - 1000);
	later->now_ms = 2000;
	records_world_build(later);
	names = records_world_print(w);
	records_world_expect_text(records_world_print(later), names);
	assert_non_null(strstr(names, "; policy net/all;"));
	free(names);
	assert_int_equal(records_holds(w->records, &before), 1);
	assert_int_equal(records_holds(later->records, &after), 1);
	assert_int_equal(after->id, before->id);
	assert_int_equal(after->names, 20);
	assert_int_equal(after->since_ms, 1000);
	assert_int_equal(after->until_ms, 601000);
	/* Nothing new to keep; and in its time it ends, here and in the state. */
	take_held(later, 5000000, &kept);
	assert_int_equal(kept_names(&kept), 20);
	later->now_ms = 601000;
	assert_int_equal(records_world_build(later), 20);
	assert_int_equal(later->count, 0);
	take_held(later, 5000000, &kept);
	assert_int_equal(kept_names(&kept), 0);
	kept_fini(&kept);
	records_world_free(later);
	records_world_free(w);
}

static void test_a_kept_zone_outlives_the_process(void **state)
{
	struct records_world *w = world_of(40), *later = records_world_new();
	struct kept kept = {0};
	const struct records_hold *before, *after;

	(void)state;
	remove_domain(w);
	records_world_build(w);
	take_held(w, 0, &kept);
	assert_int_equal(kept_names(&kept), 1);
	assert_true(restore(later, 0, &kept.owner[0],
	                    (struct bytes){kept.value[0].data, kept.value[0].len}));
	put_names(later, 0, 40);
	later->now_ms = w->now_ms + 1000;
	records_world_build(later);
	assert_int_equal(later->count, 40);
	assert_int_equal(records_holds(w->records, &before), 1);
	assert_int_equal(records_holds(later->records, &after), 1);
	assert_int_equal(after->id, before->id);
	assert_int_equal(after->until_ms, before->until_ms);
	put_domain(later);
	records_world_build(later);
	take_held(later, 0, &kept);
	assert_int_equal(kept_names(&kept), 0);
	assert_int_equal(held(later), 0);
	assert_int_equal(later->count, 40);
	kept_fini(&kept);
	records_world_free(later);
	records_world_free(w);
}

static void test_a_hold_that_ended_meanwhile_is_not_taken_up(void **state)
{
	struct records_world *w = world_of(40), *later;
	struct kept kept = {0};

	(void)state;
	remove_names(w, 0, 20);
	records_world_build(w);
	take_held(w, 0, &kept);
	assert_int_equal(kept_names(&kept), 20);
	later = after_restart(&kept, (int64_t)w->now_ms + 600000);
	later->now_ms = 1000;
	records_world_build(later);
	assert_int_equal(later->count, 0);
	assert_int_equal(held(later), 0);
	take_held(later, 0, &kept);
	assert_int_equal(kept_names(&kept), 0);
	kept_fini(&kept);
	records_world_free(later);
	records_world_free(w);
}

static void test_what_was_not_written_as_a_hold_is_refused(void **state)
{
	struct records_world *w = world_of(0), *later = world_of(0);
	struct kept kept = {0};

	(void)state;
	put_services(w);
	records_world_cluster(w, "la", false);
	records_world_build(w);
	take_held(w, 0, &kept);
	for (size_t len = 0; len < kept.value[0].len; len++)
		assert_false(
			restore(later, 0, &kept.owner[0], (struct bytes){kept.value[0].data, len}));
	assert_false(restore(later, 0, &kept.owner[1],
	                     (struct bytes){kept.value[0].data, kept.value[0].len}));
	/* A key that is no name. */
	kept.owner[0].len = 4;
	assert_false(restore(later, 0, &kept.owner[0],
	                     (struct bytes){kept.value[0].data, kept.value[0].len}));
	records_world_build(later);
	assert_int_equal(held(later), 0);
	kept_fini(&kept);
	records_world_free(later);
	records_world_free(w);
}

static void test_a_hold_lasts_no_longer_than_a_new_one_whatever_the_clock_says(void **state)
{
	static const int64_t years = INT64_C(50) * 365 * 86400 * 1000;
	struct records_world *w = world_of(40), *later;
	const struct records_hold *list;
	struct kept kept = {0};

	(void)state;
	remove_names(w, 0, 20);
	records_world_build(w);
	take_held(w, years, &kept);
	later = after_restart(&kept, 0);
	records_world_build(later);
	assert_int_equal(held(later), 20);
	assert_int_equal(records_holds(later->records, &list), 1);
	assert_true(list[0].since_ms <= later->now_ms);
	assert_int_equal(list[0].until_ms, later->now_ms + 600000);
	kept_fini(&kept);
	records_world_free(later);
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mass_deletion_in_one_build_is_held_whole),
		cmocka_unit_test(test_few_names_and_a_small_share_pass),
		cmocka_unit_test(test_the_window_slides),
		cmocka_unit_test(test_a_name_that_comes_and_goes_counts_once),
		cmocka_unit_test(test_other_changes_pass_while_names_are_held),
		cmocka_unit_test(test_it_ends_when_the_names_come_back),
		cmocka_unit_test(test_it_ends_after_its_time),
		cmocka_unit_test(test_it_ends_when_it_is_released),
		cmocka_unit_test(
			test_a_name_that_lost_its_addresses_shows_its_new_self_after_release),
		cmocka_unit_test(test_a_name_that_moves_to_another_source_is_not_counted),
		cmocka_unit_test(test_held_names_survive_a_change_of_zones),
		cmocka_unit_test(test_held_names_keep_their_probes_and_readiness_is_not_counted),
		cmocka_unit_test(test_a_domain_that_goes_takes_no_more_names_than_may_go),
		cmocka_unit_test(test_a_domain_of_few_names_goes_at_once),
		cmocka_unit_test(test_what_is_held_goes_with_its_zone),
		cmocka_unit_test(
			test_a_kept_zone_ends_when_its_domain_comes_back_or_it_is_released),
		cmocka_unit_test(test_a_hold_outlives_the_process),
		cmocka_unit_test(test_a_kept_zone_outlives_the_process),
		cmocka_unit_test(test_a_hold_that_ended_meanwhile_is_not_taken_up),
		cmocka_unit_test(test_what_was_not_written_as_a_hold_is_refused),
		cmocka_unit_test(
			test_a_hold_lasts_no_longer_than_a_new_one_whatever_the_clock_says),
	};

	return cmocka_run_group_tests_name("records/guard", tests, NULL, NULL);
}
