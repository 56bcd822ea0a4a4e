/* kube/watch_parse: order, ends, and being freed at any moment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "kube/object.h"
#include "kube/watch_parse.h"

enum { DEPTH = 32, MANY = 20000 };

struct desk {
	uv_loop_t loop;
	struct watch_parse *parse;
	unsigned next, bad, idle;
	unsigned free_at; /* when so many have come; 0: never */
	bool free_when_idle;
};

static void let_go(struct desk *d)
{
	watch_parse_free(d->parse);
	d->parse = NULL;
}

static void on_parsed(struct json_object *object, void *arg)
{
	struct desk *d = arg;

	assert_non_null(d->parse);
	if (object)
		assert_int_equal(object_number(object, "n", -1), (long)d->next);
	d->bad += object == NULL;
	d->next++;
	if (d->next == d->free_at)
		let_go(d);
}

static void on_idle(void *arg)
{
	struct desk *d = arg;

	d->idle++;
	if (d->free_when_idle)
		let_go(d);
}

static int setup(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	const struct watch_parse_events events = {on_parsed, on_idle, d};

	assert_int_equal(uv_loop_init(&d->loop), 0);
	d->parse = watch_parse_new(&d->loop, DEPTH, &events);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	let_go(d);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&d->loop), 0);
	free(d);
	return 0;
}

static void add(struct desk *d, unsigned n)
{
	char json[128];

	snprintf(json, sizeof(json), "{\"n\":%u,\"text\":\"%060u\",\"list\":[1,2,{\"a\":null}]}", n,
	         n);
	watch_parse_add(d->parse, bytes_of(json));
}

static void test_what_was_added_is_given_once_and_in_order(void **state)
{
	struct desk *d = *state;

	for (unsigned i = 0; i < MANY; i++)
		add(d, i);
	watch_parse_flush(d->parse);
	assert_false(watch_parse_is_idle(d->parse));
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(d->next, MANY);
	assert_int_equal(d->bad, 0);
	assert_int_equal(d->idle, 1);
	assert_true(watch_parse_is_idle(d->parse));
}

static void test_a_lone_object_does_not_wait_for_company(void **state)
{
	struct desk *d = *state;

	add(d, 0);
	watch_parse_flush(d->parse);
	add(d, 1); /* gathered while the first is parsed */
	watch_parse_flush(d->parse);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(d->next, 2);
	assert_int_equal(d->idle, 1);
}

static void test_what_is_not_json_is_told_in_its_place(void **state)
{
	struct desk *d = *state;

	add(d, 0);
	watch_parse_add(d->parse, bytes_of("{\"n\":"));
	add(d, 2);
	watch_parse_flush(d->parse);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(d->next, 3);
	assert_int_equal(d->bad, 1);
}

static void test_freed_in_the_middle_of_a_batch_it_gives_no_more(void **state)
{
	struct desk *d = *state;

	d->free_at = 7;
	for (unsigned i = 0; i < MANY; i++)
		add(d, i);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(d->next, 7);
	assert_int_equal(d->idle, 0);
}

static void test_freed_when_idle_it_is_gone(void **state)
{
	struct desk *d = *state;

	d->free_when_idle = true;
	add(d, 0);
	watch_parse_flush(d->parse);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_null(d->parse);
	assert_int_equal(d->idle, 1);
}

static void test_freed_while_the_pool_works_nothing_is_given(void **state)
{
	struct desk *d = *state;

	for (unsigned i = 0; i < MANY; i++)
		add(d, i);
	let_go(d);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(d->next, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_added_is_given_once_and_in_order),
		TEST(test_a_lone_object_does_not_wait_for_company),
		TEST(test_what_is_not_json_is_told_in_its_place),
		TEST(test_freed_in_the_middle_of_a_batch_it_gives_no_more),
		TEST(test_freed_when_idle_it_is_gone),
		TEST(test_freed_while_the_pool_works_nothing_is_given),
	};

	return cmocka_run_group_tests_name("kube/watch_parse", tests, NULL, NULL);
}
