/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"
#include "ctl/release_pods.h"
#include "ctl/replicas.h"

/* Pods a, b, c... of namespace n that say these; NULL: nothing. */
static struct pods pods_of(const char *const *said, size_t count)
{
	struct pods p = {xcalloc(count, sizeof(*p.list)), count};

	for (size_t i = 0; i < count; i++) {
		char name[] = {(char)('a' + i), '\0'};

		p.list[i] = (struct pod){.namespace = xstrdup("n"),
		                         .name = xstrdup(name),
		                         .is_running = true,
		                         .is_ready = true,
		                         .said = said[i] ? json_tokener_parse(said[i]) : NULL};
		if (!said[i])
			reason_set(&p.list[i].why, ERR_TIMEOUT, "no answer");
	}
	return p;
}

static void assert_differences(void (*compare)(const struct pods *, struct json_object *),
                               const char *const *said, size_t count, const char *want)
{
	struct pods p = pods_of(said, count);
	struct json_object *lines = json_object_new_array();
	struct text got = {0};

	compare(&p, lines);
	text_add(&got, "");
	for (size_t i = 0; i < json_object_array_length(lines); i++)
		text_printf(&got, "%s\n",
		            json_object_get_string(json_object_array_get_idx(lines, i)));
	assert_string_equal(got.data, want);
	text_fini(&got);
	json_object_put(lines);
	pods_fini(&p);
}

static void test_replicas_that_know_the_same_do_not_differ(void **state)
{
	static const char same[] = "{\"version\":\"1\",\"clusters\":[{\"name\":\"la\","
				   "\"knowledge\":\"synced\",\"up\":true}],"
				   "\"zones\":[{\"name\":\"z\",\"serial\":4,\"names\":2}]";
	char other[512], one[512];
	const char *const said[] = {one, NULL, other};

	(void)state;
	snprintf(one, sizeof(one), "%s,\"counts\":{\"answers\":1}}", same);
	snprintf(other, sizeof(other), "%s,\"counts\":{\"answers\":900}}", same);
	assert_differences(replicas_compare_status, said, 3, "");
	assert_differences(replicas_compare_status, NULL, 0, "");
}

static void test_knowledge_zones_and_serials_may_differ(void **state)
{
	static const char *const said[] = {
		"{\"version\":\"1\",\"host\":{\"knowledge\":\"synced\"},\"clusters\":[{\"name\":"
		"\"la\","
		"\"knowledge\":\"synced\",\"up\":true}],\"zones\":[{\"name\":\"z\",\"serial\":4,"
		"\"names\":2}]}",
		"{\"version\":\"1\",\"host\":null,\"clusters\":[{\"name\":\"la\",\"knowledge\":"
		"\"unseen\","
		"\"drained\":true},{\"name\":\"ny\",\"knowledge\":\"synced\",\"up\":true}],"
		"\"zones\":[{\"name\":\"z\",\"serial\":5,\"names\":2}]}",
		"{\"version\":\"2\",\"host\":{\"knowledge\":\"synced\"},\"clusters\":[{\"name\":"
		"\"la\","
		"\"knowledge\":\"synced\",\"up\":true}],\"zones\":[{\"name\":\"z\",\"serial\":4,"
		"\"names\":2,"
		"\"held\":1}]}",
	};

	(void)state;
	assert_differences(replicas_compare_status, said, 3,
	                   "version: 1 at a, b; 2 at c\n"
	                   "host: synced at a, c; none at b\n"
	                   "cluster la: synced, up at a, c; unseen, down, drained at b\n"
	                   "cluster ny: not known at a, c; synced, up at b\n"
	                   "zone z: 2 names, 0 held at a, b; 2 names, 1 held at c\n"
	                   "each replica's own serial of z: 4 at a, c; 5 at b\n");
}

static void test_answers_are_compared_whatever_the_order_of_records(void **state)
{
	static const char *const said[] = {
		"{\"answer\":{\"rcode\":\"NOERROR\",\"site\":\"la\",\"records\":[\"x\",\"y\"]}}",
		"{\"answer\":{\"rcode\":\"NOERROR\",\"site\":\"la\",\"records\":[\"y\",\"x\"]}}",
		"{\"answer\":{\"rcode\":\"NXDOMAIN\",\"records\":[7]}}",
	};

	(void)state;
	assert_differences(replicas_compare_story, said, 2, "");
	assert_differences(replicas_compare_story, said, 3,
	                   "answer: NOERROR from la: x, y at a, b; NXDOMAIN:  at c\n");
}

static void print_word(struct json_object *said, bool wide, struct text *out)
{
	json_object_object_foreach(said, key, value)
	{
		(void)value;
		text_printf(out, "%s%s\n", key, wide ? ", wide" : "");
	}
}

static void compare_nothing(const struct pods *p, struct json_object *lines)
{
	(void)p;
	(void)lines;
}

static void compare_badly(const struct pods *p, struct json_object *lines)
{
	(void)p;
	json_object_array_add(lines, json_object_new_string("zone \033: this; that"));
}

static void assert_printed(const struct replicas_view *view, const char *const *said, size_t count,
                           const char *want)
{
	struct pods p = pods_of(said, count);
	struct text out = {0};

	p.list[0].is_ready = false;
	replicas_print(&p, view, false, &out);
	assert_string_equal(out.data ? out.data : "", want);
	text_fini(&out);
	pods_fini(&p);
}

static void test_each_answer_stands_below_its_pod_and_differences_at_the_end(void **state)
{
	static const char *const said[] = {"{\"one\":1}", NULL, "{\"three\":1}"};
	struct replicas_view view = {"x", print_word, compare_nothing, false, false, false};

	(void)state;
	assert_printed(&view, said, 3, "pod n/a (not ready)\none\n\npod n/c\nthree\n");
	view.compare = compare_badly;
	assert_printed(&view, said, 1,
	               "pod n/a (not ready)\none\n\nthe replicas differ\n  zone ?: this; that\n");
	assert_printed(&view, said + 1, 1, "\nthe replicas differ\n  zone ?: this; that\n");
}

static void test_what_all_say_is_told_once(void **state)
{
	static const char *const said[] = {"{\"one\":1}", NULL, "{\"three\":1}"};
	struct replicas_view view = {"x", print_word, compare_nothing, false, true, false};

	(void)state;
	assert_printed(&view, said, 3, "one\n\nsaid by pod n/a, pod n/c\n");
	assert_printed(&view, said + 1, 1, "");
	view.compare = compare_badly;
	assert_printed(&view, said, 1,
	               "pod n/a (not ready)\none\n\nthe replicas differ\n  zone ?: this; that\n");
}

static void test_a_hold_is_found_by_its_zone_with_or_without_a_dot(void **state)
{
	static const char *const said[] = {
		NULL,
		"{\"guard\":[{\"zone\":\"other.com\",\"id\":\"1\"},{\"zone\":\"example.com\"}]}",
		"{\"guard\":[{\"zone\":\"Example.com\",\"id\":\"7\"}]}"};
	struct pods p = pods_of(said, 3);

	(void)state;
	assert_string_equal(release_pods_find(&p, "example.com."), "7");
	assert_string_equal(release_pods_find(&p, "other.com"), "1");
	assert_null(release_pods_find(&p, "www.example.com"));
	pods_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replicas_that_know_the_same_do_not_differ),
		cmocka_unit_test(test_knowledge_zones_and_serials_may_differ),
		cmocka_unit_test(test_answers_are_compared_whatever_the_order_of_records),
		cmocka_unit_test(test_each_answer_stands_below_its_pod_and_differences_at_the_end),
		cmocka_unit_test(test_what_all_say_is_told_once),
		cmocka_unit_test(test_a_hold_is_found_by_its_zone_with_or_without_a_dot),
	};

	return cmocka_run_group_tests_name("ctl/replicas", tests, NULL, NULL);
}
