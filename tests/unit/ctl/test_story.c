/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>

#include "ctl/story.h"

static void assert_story(const char *json, bool wide, const char *want)
{
	struct json_object *root = json_tokener_parse(json);
	struct text out = {0};

	assert_non_null(root);
	story_print(root, wide, &out);
	assert_string_equal(out.data, want);
	text_fini(&out);
	json_object_put(root);
}

static const char full[] =
	"{\"question\":{\"name\":\"www.example.com.\",\"type\":\"A\"},\"zone\":\"example.com.\","
	"\"client\":{\"address\":\"198.51.100.0\",\"network\":\"198.51.100.0/24\","
	"\"place\":{\"latitude\":37.77,\"longitude\":-122.42},\"continent\":\"NA\",\"country\":"
	"\"US\","
	"\"subdivision\":\"US-CA\",\"accuracyKm\":20,\"from\":\"ecs\",\"database\":\"nets."
	"csv\"},"
	"\"candidates\":[{\"cluster\":\"la\",\"distanceKm\":559.4,\"usable\":false,\"reasons\":["
	"{\"layer\":\"endpoints\",\"ok\":false,\"detail\":\"no ready endpoint\",\"ageSeconds\":4},"
	"{\"layer\":\"drain\",\"ok\":true,\"detail\":\"\",\"ageSeconds\":0}]},"
	"{\"cluster\":\"ny\",\"distanceKm\":null,\"usable\":true,\"reasons\":[]}],"
	"\"steps\":[{\"stage\":\"usable\",\"detail\":\"1 of 2\",\"left\":[\"ny\"]}],"
	"\"answer\":{\"rcode\":\"NOERROR\",\"site\":\"ny\",\"ttl\":30,\"scope\":24,"
	"\"records\":[\"www.example.com. 30 IN A 192.0.2.1\"]}}";

static void test_an_answer_is_told_from_the_question_to_the_records(void **state)
{
	(void)state;
	assert_story(full, false,
	             "www.example.com. A, of zone example.com.\n"
	             "asked for 198.51.100.0, network 198.51.100.0/24, known from ecs\n"
	             "standing at 37.77,-122.42, in US-CA, NA, within 20 km, says nets.csv\n"
	             "\n"
	             "CLUSTER   DISTANCE   USABLE   WHY\n"
	             "la        559 km     no       endpoints: no ready endpoint (4 s ago)\n"
	             "ny        -          yes      -\n"
	             "\n"
	             "1. usable: 1 of 2 -> ny\n"
	             "\n"
	             "answer: NOERROR, from ny, for 30 s, for the client's first 24 bits\n"
	             "  www.example.com. 30 IN A 192.0.2.1\n");
}

static void test_wide_tells_the_layers_that_are_fine_too(void **state)
{
	(void)state;
	assert_story("{\"candidates\":[{\"cluster\":\"la\",\"usable\":true,\"reasons\":["
	             "{\"layer\":\"endpoints\",\"ok\":true,\"detail\":\"3 "
	             "ready\"},{\"layer\":\"drain\",\"ok\":true}]}]}",
	             true,
	             ", of no zone that is served here\n"
	             "asked for \n"
	             "standing nobody knows where\n"
	             "\n"
	             "CLUSTER   DISTANCE   USABLE   WHY\n"
	             "la        -          yes      endpoints: 3 ready; drain\n"
	             "\n"
	             "answer: \n");
}

static void test_a_foreign_shape_does_no_harm(void **state)
{
	(void)state;
	assert_story("{\"question\":\"w "
	             "A\",\"client\":3,\"answer\":{\"records\":[7,\"x\\u001b\"],\"ttl\":-1}}",
	             false,
	             "w A, of no zone that is served here\n"
	             "asked for \n"
	             "standing nobody knows where\n"
	             "\n"
	             "answer: , for 0 s\n"
	             "  \n"
	             "  x?\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_is_told_from_the_question_to_the_records),
		cmocka_unit_test(test_wide_tells_the_layers_that_are_fine_too),
		cmocka_unit_test(test_a_foreign_shape_does_no_harm),
	};

	return cmocka_run_group_tests_name("ctl/story", tests, NULL, NULL);
}
