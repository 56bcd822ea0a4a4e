/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "base/smallfile.h"
#include "base/yaml.h"
#include "propagator/jsontree.h"
#include "propagator/health.h"

enum { NOW = 1767323045, FILE_MOST = 1 << 20 }; /* 2026-01-02T03:04:05Z */

struct tally {
	size_t cases, wrong;
	size_t of_state[HEALTH_FAILED + 1];
};

static void check(struct json_object *root, unsigned line, void *arg)
{
	struct tally *tally = arg;
	struct health h = health_of(jsontree_get(root, "object", NULL), NOW);
	const char *state = jsontree_word(root, "want", "state", NULL);

	health_why(&h, jsontree_get(root, "pods", NULL), jsontree_get(root, "events", NULL), NOW);
	if (strcmp(health_state_text(h.state), state) != 0 ||
	    strcmp(h.reason, jsontree_word(root, "want", "reason", NULL)) != 0 ||
	    strcmp(h.message, jsontree_word(root, "want", "message", NULL)) != 0) {
		print_error("objects.yaml:%u: %s is %s, %s: %s\n", line,
		            jsontree_word(root, "case", NULL), health_state_text(h.state), h.reason,
		            h.message);
		tally->wrong++;
	}
	tally->cases++;
	tally->of_state[h.state]++;
	json_object_put(root);
}

static void test_every_object_has_the_health_that_its_case_says(void **state)
{
	struct buffer text = {0};
	struct tally tally = {0};
	struct reason why = {0};

	(void)state;
	assert_int_equal(
		smallfile_read("tests/vectors/health/objects.yaml", FILE_MOST, &text, NULL, &why),
		ERR_OK);
	if (yaml_read((struct bytes){text.data, text.len}, check, &tally, &why) != ERR_OK)
		fail_msg("objects.yaml:%s", why.text);
	assert_int_equal(tally.wrong, 0);
	assert_true(tally.cases > 70);
	for (size_t i = 0; i <= HEALTH_FAILED; i++)
		assert_true(tally.of_state[i] > 0);
	buffer_fini(&text);
}

static void assert_health(struct health h, enum health_state state, const char *reason,
                          const char *message)
{
	assert_string_equal(h.reason, reason);
	assert_string_equal(h.message, message);
	assert_int_equal(h.state, state);
}

static void test_what_is_not_there_is_in_progress(void **state)
{
	struct json_object *list = json_object_new_array();

	(void)state;
	assert_health(health_of(NULL, NOW), HEALTH_IN_PROGRESS, "NotFound", "is not there");
	assert_health(health_of(list, NOW), HEALTH_UNKNOWN, "NoObject", "is no object");
	assert_health(health_unknown("connection refused"), HEALTH_UNKNOWN, "Unreachable",
	              "connection refused");
	json_object_put(list);
}

static void test_what_is_current_needs_no_why(void **state)
{
	struct json_object *pods = json_tokener_parse(
		"[{\"status\": {\"containerStatuses\": [{\"name\": \"web\", \"state\": "
		"{\"waiting\": {\"reason\": \"ErrImagePull\"}}}]}}]");
	struct health current = {HEALTH_CURRENT, "", "is ready"};
	struct health unknown = health_unknown("connection refused");

	(void)state;
	health_why(&current, pods, NULL, NOW);
	health_why(&unknown, pods, NULL, NOW);
	assert_health(current, HEALTH_CURRENT, "", "is ready");
	assert_health(unknown, HEALTH_UNKNOWN, "Unreachable", "connection refused");
	json_object_put(pods);
}

static void test_it_is_asked_why_ever_more_seldom(void **state)
{
	(void)state;
	assert_int_equal(health_pause_ms(1), 30000);
	assert_int_equal(health_pause_ms(2), 60000);
	assert_int_equal(health_pause_ms(4), 240000);
	assert_int_equal(health_pause_ms(5), 300000);
	assert_int_equal(health_pause_ms(1000000), 300000);
}

static void test_of_many_pods_the_first_are_counted(void **state)
{
	struct json_object *pods = json_object_new_array();
	struct health h = {HEALTH_IN_PROGRESS, "LessReady", "Ready: 0/5000"};

	(void)state;
	for (int i = 0; i < HEALTH_PODS_MOST; i++)
		json_object_array_add(
			pods,
			json_tokener_parse(
				"{\"status\": {\"containerStatuses\": [{\"image\": \"nginx:nope\","
				" \"state\": {\"waiting\": {\"reason\": \"ErrImagePull\"}}}]}}"));
	health_why(&h, pods, NULL, NOW);
	assert_health(h, HEALTH_IN_PROGRESS, "ImageCannotBePulled",
	              "100 of the first 100 pods: image nginx:nope cannot be pulled");
	json_object_put(pods);
}

static void test_long_words_are_cut(void **state)
{
	char json[2048], word[1000];
	struct json_object *object;
	struct health h;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	snprintf(json, sizeof(json),
	         "{\"status\": {\"conditions\": [{\"type\": \"Stalled\", \"status\": \"True\", "
	         "\"reason\": \"%.64s\", \"message\": \"%s\"}]}}",
	         word, word);
	object = json_tokener_parse(json);
	assert_non_null(object);
	h = health_of(object, NOW);
	assert_string_equal(h.reason, "Stalled");
	assert_int_equal(strlen(h.message), HEALTH_MESSAGE_SIZE - 1);
	json_object_put(object);
}

/* --- several clusters --- */

static const struct health current = {HEALTH_CURRENT, "", "Replicas: 4"};
static const struct health waiting = {HEALTH_IN_PROGRESS, "LessReady", "Ready: 1/4"};
static const struct health failed = {HEALTH_FAILED, "ProgressDeadlineExceeded", "no progress"};

static void test_several_clusters_are_as_good_as_the_worst(void **state)
{
	struct health_roll r = {0};

	(void)state;
	assert_health(health_roll_up(&r), HEALTH_CURRENT, "", "is in no cluster");
	health_roll_add(&r, "tokyo", &current);
	assert_health(health_roll_up(&r), HEALTH_CURRENT, "", "is Current in 1 cluster");
	health_roll_add(&r, "rohan", &current);
	assert_health(health_roll_up(&r), HEALTH_CURRENT, "", "is Current in all 2 clusters");
	health_roll_add(&r, "gondor", &waiting);
	assert_health(health_roll_up(&r), HEALTH_IN_PROGRESS, "LessReady",
	              "is Current in 2 of 3 clusters; gondor InProgress: Ready: 1/4");
	health_roll_add(&r, "mordor", &failed);
	health_roll_add(&r, "shire", &waiting);
	assert_health(health_roll_up(&r), HEALTH_FAILED, "ProgressDeadlineExceeded",
	              "is Current in 2 of 5 clusters; mordor Failed: no progress");
}

static void test_the_order_of_clusters_does_not_matter(void **state)
{
	static const struct {
		const char *cluster;
		const struct health *health;
	} all[] = {{"a", &current}, {"b", &waiting}, {"c", &failed}, {"d", &failed}};
	static const size_t orders[][4] = {
		{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {3, 0, 2, 1}, {1, 3, 0, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct health_roll r = {0};

		for (size_t j = 0; j < 4; j++)
			health_roll_add(&r, all[orders[i][j]].cluster, all[orders[i][j]].health);
		assert_health(health_roll_up(&r), HEALTH_FAILED, "ProgressDeadlineExceeded",
		              "is Current in 1 of 4 clusters; c Failed: no progress");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_object_has_the_health_that_its_case_says),
		cmocka_unit_test(test_what_is_not_there_is_in_progress),
		cmocka_unit_test(test_what_is_current_needs_no_why),
		cmocka_unit_test(test_it_is_asked_why_ever_more_seldom),
		cmocka_unit_test(test_of_many_pods_the_first_are_counted),
		cmocka_unit_test(test_long_words_are_cut),
		cmocka_unit_test(test_several_clusters_are_as_good_as_the_worst),
		cmocka_unit_test(test_the_order_of_clusters_does_not_matter),
	};

	return cmocka_run_group_tests_name("propagator/health", tests, NULL, NULL);
}
