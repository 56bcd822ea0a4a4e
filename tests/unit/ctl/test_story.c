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
	"\"policy\":{\"namespace\":\"shop\",\"name\":\"web\"},"
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
	             "by the policy shop/web\n"
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

static void test_probes_that_are_down_or_flap_tell_what_they_found_out(void **state)
{
	static const char probes[] =
		"{\"candidates\":[{\"cluster\":\"la\",\"usable\":false,\"reasons\":[{\"layer\":"
		"\"probe\",\"ok\":false,\"detail\":\"1 of 2 down\"}],\"probes\":["
		"{\"target\":\"192.0.2.1:443\",\"check\":\"https\",\"down\":true,\"detail\":"
		"\"status "
		"503\"},{\"target\":\"192.0.2.2:443\",\"check\":\"https\",\"down\":false,"
		"\"detail\":"
		"\"status 200\"},{\"target\":\"192.0.2.3:443\",\"check\":\"https\",\"down\":true,"
		"\"detail\":\"status 200\",\"flapping\":true,\"heldForSeconds\":30}]}]}";

	(void)state;
	assert_story(probes, false,
	             ", of no zone that is served here\n"
	             "asked for \n"
	             "standing nobody knows where\n"
	             "\n"
	             "CLUSTER   DISTANCE   USABLE   WHY\n"
	             "la        -          no       probe: 1 of 2 down; 192.0.2.1:443 https: "
	             "status 503; 192.0.2.3:443 https: status 200, held for 30 s\n"
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

static void test_a_probe_that_judges_nothing_is_told_though_the_site_is_usable(void **state)
{
	(void)state;
	assert_story("{\"candidates\":["
	             "{\"cluster\":\"la\",\"usable\":true,\"probes\":["
	             "{\"target\":\"192.0.2.1:443\",\"check\":\"https\",\"ok\":null,\"down\":false,"
	             "\"detail\":\"ca.pem: there is no probe.files\",\"ageSeconds\":1},"
	             "{\"target\":\"192.0.2.2:443\",\"check\":\"https\",\"ok\":null,\"down\":false,"
	             "\"detail\":\"not probed yet\",\"ageSeconds\":null}]}]}",
	             false,
	             ", of no zone that is served here\n"
	             "asked for \n"
	             "standing nobody knows where\n"
	             "\n"
	             "CLUSTER   DISTANCE   USABLE   WHY\n"
	             "la        -          yes      192.0.2.1:443 https: not judged, ca.pem: "
	             "there is no probe.files\n"
	             "\n"
	             "answer: \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_is_told_from_the_question_to_the_records),
		cmocka_unit_test(test_wide_tells_the_layers_that_are_fine_too),
		cmocka_unit_test(test_probes_that_are_down_or_flap_tell_what_they_found_out),
		cmocka_unit_test(
			test_a_probe_that_judges_nothing_is_told_though_the_site_is_usable),
		cmocka_unit_test(test_a_foreign_shape_does_no_harm),
	};

	return cmocka_run_group_tests_name("ctl/story", tests, NULL, NULL);
}
