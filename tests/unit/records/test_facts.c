/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records/facts.h"
#include "tests/support/records_facts.h"

static const struct fact *service(const char *name, int port)
{
	return records_fact_service(name, "192.0.2.1", (uint16_t)port, NULL, NULL, NULL, 1);
}

static size_t take(struct facts *f, const struct fact_change **out)
{
	bool clusters;
	size_t count;

	*out = facts_take_changes(f, &count, &clusters);
	return count;
}

static void put(struct facts *f, uint16_t cluster, const char *name, int port)
{
	facts_put(f, cluster, service(name, port));
}

static bool drop(struct facts *f, uint16_t cluster, const char *name)
{
	return facts_remove(f, cluster, FACT_SERVICE, bytes_of("ns"), bytes_of(name));
}

static void test_cluster_ids_are_lasting_and_the_host_is_0(void **state)
{
	struct facts *f = facts_new();

	(void)state;
	assert_int_equal(facts_cluster_id(f, bytes_of("")), FACTS_HOST);
	assert_int_equal(facts_cluster_id(f, bytes_of("la")), 1);
	assert_int_equal(facts_cluster_id(f, bytes_of("ny")), 2);
	assert_int_equal(facts_cluster_id(f, bytes_of("la")), 1);
	assert_string_equal(facts_cluster_name(f, 2), "ny");
	assert_int_equal(facts_cluster_count(f), 3);
	assert_false(facts_cluster(f, 1)->registered);
	for (int i = 3; i < FACTS_MAX_CLUSTERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(facts_cluster_id(f, bytes_of(name)), i);
	}
	assert_int_equal(facts_cluster_id(f, bytes_of("one too many")), UINT16_MAX);
	facts_free(f);
}

static void test_the_same_fact_again_is_no_change(void **state)
{
	struct facts *f = facts_new();
	const struct fact_change *changes;

	(void)state;
	assert_true(facts_put(f, 0, service("ns/a", 1)));
	assert_true(facts_has_changes(f));
	assert_int_equal(take(f, &changes), 1);
	facts_drop_changes(f);
	assert_false(facts_put(f, 0, service("ns/a", 1)));
	assert_false(facts_has_changes(f));
	assert_true(facts_put(f, 0, service("ns/a", 2)));
	assert_int_equal(facts_count(f), 1);
	facts_free(f);
}

static void test_clusters_and_kinds_are_apart(void **state)
{
	struct facts *f = facts_new();
	uint16_t la = facts_cluster_id(f, bytes_of("la"));

	(void)state;
	put(f, FACTS_HOST, "ns/a", 1);
	put(f, la, "ns/a", 2);
	facts_put(f, la, records_fact_slice("ns/a", "a", 1));
	assert_int_equal(facts_count(f), 3);
	assert_true(drop(f, FACTS_HOST, "a"));
	assert_false(drop(f, FACTS_HOST, "a"));
	assert_null(facts_find(f, FACTS_HOST, FACT_SERVICE, bytes_of("ns"), bytes_of("a")));
	assert_non_null(facts_find(f, la, FACT_SERVICE, bytes_of("ns"), bytes_of("a")));
	assert_null(facts_find(f, la, FACT_SERVICE, bytes_of("n"), bytes_of("sa")));
	facts_free(f);
}

static void test_many_steps_of_a_key_are_one_change(void **state)
{
	struct facts *f = facts_new();
	const struct fact_change *changes;

	(void)state;
	put(f, 0, "ns/a", 1);
	take(f, &changes);
	facts_drop_changes(f);

	put(f, 0, "ns/a", 2);
	put(f, 0, "ns/b", 1);
	drop(f, 0, "a");
	put(f, 0, "ns/a", 3);
	assert_int_equal(take(f, &changes), 2);
	assert_non_null(changes[0].before);
	assert_ptr_equal(changes[0].after,
	                 facts_find(f, 0, FACT_SERVICE, bytes_of("ns"), bytes_of("a")));
	assert_null(changes[1].before);
	facts_drop_changes(f);
	facts_free(f);
}

static void test_what_came_and_went_is_no_change(void **state)
{
	struct facts *f = facts_new();
	const struct fact_change *changes;
	const struct fact *kept;

	(void)state;
	put(f, 0, "ns/a", 1);
	take(f, &changes);
	facts_drop_changes(f);
	kept = facts_find(f, 0, FACT_SERVICE, bytes_of("ns"), bytes_of("a"));

	put(f, 0, "ns/a", 2);
	put(f, 0, "ns/c", 2);
	drop(f, 0, "c");
	drop(f, 0, "a");
	put(f, 0, "ns/a", 1);
	assert_int_equal(take(f, &changes), 0);
	facts_drop_changes(f);
	/* Whoever kept a pointer from before may keep it. */
	assert_ptr_equal(facts_find(f, 0, FACT_SERVICE, bytes_of("ns"), bytes_of("a")), kept);
	assert_int_equal(facts_count(f), 1);
	facts_free(f);
}

static void test_a_cluster_removed_from_the_registry_loses_its_facts(void **state)
{
	struct facts *f = facts_new();
	uint16_t la = facts_cluster_id(f, bytes_of("la"));
	struct cluster_state s = {.registered = true, .knowledge = KNOWLEDGE_SYNCED};
	const struct fact_change *changes;
	bool clusters;
	size_t count;

	(void)state;
	facts_set_cluster(f, la, &s);
	put(f, la, "ns/a", 1);
	put(f, 0, "ns/b", 1);
	facts_take_changes(f, &count, &clusters);
	assert_true(clusters);
	facts_drop_changes(f);
	s.since_ms = 5;
	facts_set_cluster(f, la, &s);
	assert_false(facts_has_changes(f));
	s.registered = false;
	facts_set_cluster(f, la, &s);
	changes = facts_take_changes(f, &count, &clusters);
	assert_true(clusters);
	assert_int_equal(count, 1);
	assert_null(changes[0].after);
	facts_drop_changes(f);
	assert_int_equal(facts_count(f), 1);
	facts_free(f);
}

static void count_one(uint16_t cluster, const struct fact *fact, void *arg)
{
	(void)fact;
	*(size_t *)arg += 1 + cluster;
}

static void test_each_walks_a_cluster_by_kind(void **state)
{
	struct facts *f = facts_new();
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof(name), "ns/s%d", i);
		put(f, 0, name, i);
	}
	facts_put(f, 0, records_fact_slice("ns/a", "a", 1));
	facts_each(f, 0, FACT_SERVICE, count_one, &seen);
	assert_int_equal(seen, 100);
	seen = 0;
	facts_each(f, 0, 0, count_one, &seen);
	assert_int_equal(seen, 101);
	facts_free(f);
}

/* Against a plain model: an array of ports by name. */
static void test_random_histories_tell_what_differs(void **state)
{
	struct facts *f = facts_new();
	int now[20] = {0}, told[20] = {0};

	(void)state;
	srand(7);
	for (int round = 0; round < 2000; round++) {
		const struct fact_change *changes;
		size_t count, want = 0;

		for (int steps = rand() % 12; steps > 0; steps--) {
			int i = rand() % 20, port = rand() % 4;
			char name[16];

			snprintf(name, sizeof(name), "ns/s%d", i);
			if (port)
				put(f, 0, name, port);
			else
				assert_int_equal(drop(f, 0, name + 3), now[i] != 0);
			now[i] = port;
		}
		for (int i = 0; i < 20; i++)
			want += now[i] != told[i];
		count = take(f, &changes);
		assert_int_equal(count, want);
		for (size_t k = 0; k < count; k++) {
			const struct fact *any =
				changes[k].after ? changes[k].after : changes[k].before;
			int i = atoi((const char *)fact_name(any).data + 1);

			assert_int_equal(changes[k].before != NULL, told[i] != 0);
			assert_int_equal(changes[k].after != NULL, now[i] != 0);
		}
		memcpy(told, now, sizeof(told));
		facts_drop_changes(f);
	}
	facts_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cluster_ids_are_lasting_and_the_host_is_0),
		cmocka_unit_test(test_the_same_fact_again_is_no_change),
		cmocka_unit_test(test_clusters_and_kinds_are_apart),
		cmocka_unit_test(test_many_steps_of_a_key_are_one_change),
		cmocka_unit_test(test_what_came_and_went_is_no_change),
		cmocka_unit_test(test_a_cluster_removed_from_the_registry_loses_its_facts),
		cmocka_unit_test(test_each_walks_a_cluster_by_kind),
		cmocka_unit_test(test_random_histories_tell_what_differs),
	};

	return cmocka_run_group_tests_name("records/facts", tests, NULL, NULL);
}
