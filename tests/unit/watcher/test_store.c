/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "watcher/settle.h"
#include "watcher/store.h"

struct world {
	uv_loop_t loop;
	struct facts *facts;
	struct settle *settle;
	struct store *store;
	unsigned settled;
};

static void on_settled(void *arg) { ((struct world *)arg)->settled++; }

static void set_true(void *arg) { *(bool *)arg = true; }

static int setup(void **state)
{
	static struct world w;

	w = (struct world){0};
	log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
	uv_loop_init(&w.loop);
	w.facts = facts_new();
	w.settle = settle_new(&w.loop, on_settled, &w);
	w.store = store_new(w.facts, w.settle, NULL);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	bool stopped = false;

	settle_stop(w->settle, set_true, &stopped);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	store_free(w->store);
	facts_free(w->facts);
	return stopped ? uv_loop_close(&w->loop) : 1;
}

static const struct fact *domain(const char *name, const char *text)
{
	struct fact_value value = {.kind = FACT_DOMAIN,
	                           .namespace = bytes_of("default"),
	                           .name = bytes_of(name),
	                           .created = FACT_NO_TIME,
	                           .domain = {bytes_of(text)}};
	const struct fact *fact;

	CHECK(fact_encode(&value, &fact, NULL) == ERR_OK);
	return fact;
}

/* How often it has settled by now; forgets it. */
static unsigned settle_count(struct world *w)
{
	unsigned count;

	uv_run(&w->loop, UV_RUN_DEFAULT);
	count = w->settled;
	w->settled = 0;
	return count;
}

static void test_only_what_changes_something_settles(void **state)
{
	struct world *w = *state;

	assert_true(store_put(w->store, FACTS_HOST, domain("a", "example.com")));
	assert_int_equal(settle_count(w), 1);
	assert_false(store_put(w->store, FACTS_HOST, domain("a", "example.com")));
	assert_int_equal(settle_count(w), 0);
	assert_true(store_put(w->store, FACTS_HOST, domain("a", "example.org")));
	assert_int_equal(settle_count(w), 1);
	assert_int_equal(facts_count(store_facts(w->store)), 1);
}

static void test_removing_what_is_not_there_is_nothing(void **state)
{
	struct world *w = *state;
	const struct fact *fact;

	assert_false(store_remove(w->store, FACTS_HOST, FACT_DOMAIN, bytes_of("default"),
	                          bytes_of("a")));
	assert_int_equal(settle_count(w), 0);
	assert_true(store_put(w->store, FACTS_HOST, domain("a", "example.com")));
	fact = facts_find(w->facts, FACTS_HOST, FACT_DOMAIN, bytes_of("default"), bytes_of("a"));
	/* With a key that is part of what goes. */
	assert_true(store_remove(w->store, FACTS_HOST, FACT_DOMAIN, fact_namespace(fact),
	                         fact_name(fact)));
	assert_int_equal(settle_count(w), 1);
	assert_int_equal(facts_count(w->facts), 0);
}

static void test_knowledge_settles_when_it_changes_and_keeps_its_time(void **state)
{
	struct world *w = *state;
	uint16_t la = store_cluster(w->store, bytes_of("la"));
	const struct cluster_state *state_of_la = facts_cluster(w->facts, la);
	uint64_t since_ms;

	store_set_knowledge(w->store, la, CLUSTER_MANIFESTS, KNOWLEDGE_SYNCED, "not shown");
	assert_int_equal(settle_count(w), 1);
	assert_true(state_of_la->registered && state_of_la->knowledge == KNOWLEDGE_SYNCED);
	assert_string_equal(state_of_la->error, "");
	since_ms = state_of_la->since_ms;
	assert_true(since_ms > 0);
	store_set_knowledge(w->store, la, CLUSTER_MANIFESTS, KNOWLEDGE_SYNCED, NULL);
	assert_int_equal(settle_count(w), 0);
	store_set_knowledge(w->store, la, CLUSTER_MANIFESTS, KNOWLEDGE_UNSEEN, "unplugged");
	assert_int_equal(settle_count(w), 1);
	assert_string_equal(state_of_la->error, "unplugged");
	since_ms = state_of_la->since_ms;
	store_set_knowledge(w->store, la, CLUSTER_MANIFESTS, KNOWLEDGE_UNSEEN, "burnt");
	assert_string_equal(state_of_la->error, "burnt");
	assert_true(state_of_la->since_ms == since_ms);
	assert_int_equal(settle_count(w), 0);
}

static void test_a_dropped_cluster_takes_its_facts_along(void **state)
{
	struct world *w = *state;
	uint16_t la = store_cluster(w->store, bytes_of("la"));

	store_set_knowledge(w->store, la, CLUSTER_MANIFESTS, KNOWLEDGE_SYNCED, NULL);
	(void)store_put(w->store, la, domain("a", "example.com"));
	(void)store_put(w->store, FACTS_HOST, domain("b", "example.com"));
	(void)settle_count(w);
	store_drop_cluster(w->store, la);
	assert_int_equal(settle_count(w), 1);
	assert_false(facts_cluster(w->facts, la)->registered);
	assert_int_equal(facts_count(w->facts), 1);
	store_drop_cluster(w->store, la);
	assert_int_equal(settle_count(w), 0);
	assert_int_equal(store_cluster(w->store, bytes_of("la")), la);
}

static void add_error(const char *where, const char *message, int64_t since, void *arg)
{
	assert_true(since > 0);
	text_printf(arg, "%s=%s;", where, message);
}

static void expect_errors(struct world *w, const char *expected)
{
	struct text t = {0};

	store_each_error(w->store, add_error, &t);
	assert_string_equal(t.data ? t.data : "", expected);
	text_fini(&t);
}

static void test_errors_are_kept_in_order_replaced_and_cleared(void **state)
{
	struct world *w = *state;

	expect_errors(w, "");
	store_set_error(w->store, "m", "1");
	store_set_error(w->store, "z", "2");
	store_set_error(w->store, "a", "3");
	store_set_error(w->store, "n", "4");
	expect_errors(w, "a=3;m=1;n=4;z=2;");
	store_set_error(w->store, "m", "5");
	store_set_error(w->store, "a", NULL);
	store_set_error(w->store, "b", NULL);
	expect_errors(w, "m=5;n=4;z=2;");
	assert_int_equal(store_error_changes(w->store), 6);
	assert_int_equal(settle_count(w), 1);
}

static void test_each_line_of_a_message_is_an_error(void **state)
{
	struct world *w = *state;

	store_set_error(w->store, "m", "1\n2\n3");
	store_set_error(w->store, "n", "4");
	expect_errors(w, "m=1;m=2;m=3;n=4;");
	store_set_error(w->store, "m", "1\n2\n3");
	assert_int_equal(store_error_changes(w->store), 2);
	store_set_error(w->store, "m", "1\n3");
	expect_errors(w, "m=1;m=3;n=4;");
	assert_int_equal(store_error_changes(w->store), 3);
	store_set_error(w->store, "m", NULL);
	expect_errors(w, "n=4;");
}

static void count_error(const char *where, const char *message, int64_t since, void *arg)
{
	(void)where;
	(void)message;
	(void)since;
	++*(unsigned *)arg;
}

static void test_no_more_than_10000_errors_are_kept(void **state)
{
	struct world *w = *state;
	char where[32];
	unsigned count = 0;

	for (unsigned i = 0; i < 10050; i++) {
		(void)snprintf(where, sizeof(where), "file%u", i * 7919 % 10050);
		store_set_error(w->store, where, "bad");
	}
	store_each_error(w->store, count_error, &count);
	assert_int_equal(count, 10000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_what_changes_something_settles),
		TEST(test_removing_what_is_not_there_is_nothing),
		TEST(test_knowledge_settles_when_it_changes_and_keeps_its_time),
		TEST(test_a_dropped_cluster_takes_its_facts_along),
		TEST(test_errors_are_kept_in_order_replaced_and_cleared),
		TEST(test_each_line_of_a_message_is_an_error),
		TEST(test_no_more_than_10000_errors_are_kept),
	};

	return cmocka_run_group_tests_name("watcher/store", tests, NULL, NULL);
}
