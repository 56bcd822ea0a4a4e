/* http.c -- every page's shape, as design.md 5 promises it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json_object.h>
#include <json-c/json_pointer.h>
#include <json-c/json_tokener.h>
#include <json-c/json_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define SAN_FRANCISCO "203.0.113.0/24"

/* The value at a JSON pointer, of that type. */
static struct json_object *at(struct json_object *root, const char *path, enum json_type type)
{
	struct json_object *value = NULL;

	if (json_pointer_get(root, path, &value) != 0 || !json_object_is_type(value, type))
		fail_msg("%s is not %s in %s", path, json_type_to_name(type),
		         json_object_to_json_string(root));
	return value;
}

static const char *text_at(struct json_object *root, const char *path)
{
	return json_object_get_string(at(root, path, json_type_string));
}

static int64_t int_at(struct json_object *root, const char *path)
{
	return json_object_get_int64(at(root, path, json_type_int));
}

static bool bool_at(struct json_object *root, const char *path)
{
	return json_object_get_boolean(at(root, path, json_type_boolean));
}

static size_t count_at(struct json_object *root, const char *path)
{
	return json_object_array_length(at(root, path, json_type_array));
}

/* --- health --- */

static void test_readiness_comes_when_every_source_was_read_or_waited_for(void **state)
{
	struct world *w = *state;
	int status;

	world_config(w, "startup: {patience: 1500ms}");
	world_remove(w, "manifests");
	world_start_unready(w);
	world_get(w, "/livez", &status);
	assert_int_equal(status, 200);
	world_get(w, "/readyz", &status);
	assert_int_equal(status, 503);
	assert_non_null(strstr(world_get(w, "/healthz?verbose", &status), "[-]"));
	assert_int_equal(status, 503);
	world_expect_http(w, "/readyz", "![-]", 5000);
	world_get(w, "/healthz", &status);
	assert_int_equal(status, 200);
}

static void test_health_tells_each_check_in_a_line(void **state)
{
	struct world *w = *state;
	const char *body;
	int status;

	world_three_cities(w);
	world_start(w);
	body = world_get(w, "/healthz?verbose", &status);
	assert_int_equal(status, 200);
	for (const char *line = body; *line; line = strchr(line, '\n') + 1) {
		assert_memory_equal(line, "[+]", 3);
		assert_memory_equal(strchr(line, '\n') - 3, " ok", 3);
	}
}

/* --- status --- */

static void test_status_has_its_promised_shape(void **state)
{
	struct world *w = *state;
	struct json_object *s;
	char listen[64];

	world_three_cities(w);
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 0);
	s = world_json(w, "/status");
	assert_string_equal(text_at(s, "/version"), NIGH_VERSION);
	assert_true(bool_at(s, "/ready"));
	assert_int_equal(strlen(text_at(s, "/now")), strlen("2026-01-02T03:04:05Z"));
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", world_dns_port(w));
	assert_string_equal(text_at(s, "/listen/0"), listen);
	assert_true(count_at(s, "/clusters") >= 3);
	assert_int_equal(count_at(s, "/zones"), 1);
	assert_string_equal(text_at(s, "/zones/0/name"), "example.com");
	assert_true(int_at(s, "/zones/0/serial") > 0);
	assert_true(int_at(s, "/zones/0/names") > 3);
	assert_int_equal(int_at(s, "/zones/0/held"), 0);
	assert_int_equal(count_at(s, "/guard"), 0);
	assert_int_equal(count_at(s, "/errors"), 0);
	assert_int_equal(count_at(s, "/conflicts"), 0);
	assert_true(int_at(s, "/counts/names") > 3);
	assert_true(int_at(s, "/counts/records") > 3);
	assert_true(int_at(s, "/counts/answers") >= 1);
	json_object_put(s);
}

static struct json_object *find_cluster(struct json_object *status, const char *name)
{
	struct json_object *list = at(status, "/clusters", json_type_array);

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *c = json_object_array_get_idx(list, i);

		if (strcmp(text_at(c, "/name"), name) == 0)
			return c;
	}
	fail_msg("no cluster %s in %s", name, json_object_to_json_string(status));
	return NULL;
}

static void test_status_tells_what_is_known_of_each_cluster(void **state)
{
	struct world *w = *state;
	struct json_object *s, *c;

	world_three_cities(w);
	world_cluster(w, "houston", "", "us-east-1", "");
	world_cluster(w, "newyork", "", "nowhere-1", "");
	world_start(w);
	s = world_json(w, "/status");
	c = find_cluster(s, "losangeles");
	assert_string_equal(text_at(c, "/source"), "manifests");
	assert_string_equal(text_at(c, "/knowledge"), "synced");
	assert_int_equal(int_at(c, "/ageSeconds"), 0);
	assert_string_equal(text_at(c, "/region"), "us-west");
	assert_string_equal(text_at(c, "/zones/0"), "us-west-a");
	assert_true(json_object_get_double(at(c, "/location/latitude", json_type_double)) > 34.04);
	assert_true(json_object_get_double(at(c, "/location/longitude", json_type_double)) <
	            -118.23);
	assert_non_null(text_at(c, "/location/from"));
	assert_false(bool_at(c, "/drained"));
	assert_true(bool_at(c, "/up"));
	assert_string_equal(text_at(c, "/error"), "");
	/* A region of a public cloud has a place, any other has none. */
	c = find_cluster(s, "houston");
	assert_non_null(strstr(text_at(c, "/location/from"), "us-east-1"));
	c = find_cluster(s, "newyork");
	assert_null(json_object_object_get(c, "location"));
	json_object_put(s);
}

static void test_errors_and_conflicts_have_their_promised_shape(void **state)
{
	struct world *w = *state;
	struct json_object *s;

	world_domain(w, "fed", "example.com");
	world_endpoint(w, "a.yaml", "a", "same.example.com", "A", "198.18.0.1");
	world_endpoint(w, "b.yaml", "b", "same.example.com", "A", "198.18.0.2");
	world_write(w, "manifests/host/c.yaml", "apiVersion: v1\n");
	world_start(w);
	s = world_json(w, "/status");
	assert_int_equal(count_at(s, "/errors"), 1);
	assert_non_null(strstr(text_at(s, "/errors/0/where"), "manifests/host/c.yaml"));
	assert_non_null(strstr(text_at(s, "/errors/0/message"),
	                       "manifests/host/c.yaml:1: an object without kind"));
	assert_int_equal(strlen(text_at(s, "/errors/0/since")), strlen("2026-01-02T03:04:05Z"));
	assert_int_equal(count_at(s, "/conflicts"), 1);
	assert_memory_equal(text_at(s, "/conflicts/0/name"), "same.example.com", 16);
	assert_non_null(strstr(text_at(s, "/conflicts/0/winner"), "shop/a"));
	assert_non_null(strstr(text_at(s, "/conflicts/0/loser"), "shop/b"));
	json_object_put(s);
}

/* --- names --- */

static void test_names_come_with_their_sites(void **state)
{
	struct world *w = *state;
	struct json_object *s;

	world_three_cities(w);
	world_service(w, "houston", "web", "198.18.2.10", false, "");
	world_start(w);
	s = world_json(w, "/status/names?zone=example.com&prefix=" WEB);
	assert_int_equal(count_at(s, "/items"), 1);
	assert_string_equal(text_at(s, "/items/0/name"), WEB);
	assert_non_null(strstr(text_at(s, "/items/0/source"), "ServiceDNSRecord"));
	assert_int_equal(int_at(s, "/items/0/ttl"), 180);
	assert_int_equal(count_at(s, "/items/0/sites"), 3);
	for (int i = 0; i < 3; i++) {
		char path[64];
		const char *cluster;

		snprintf(path, sizeof(path), "/items/0/sites/%d/cluster", i);
		cluster = text_at(s, path);
		snprintf(path, sizeof(path), "/items/0/sites/%d/usable", i);
		assert_int_equal(bool_at(s, path), strcmp(cluster, "houston") != 0);
		snprintf(path, sizeof(path), "/items/0/sites/%d/addresses/0", i);
		assert_memory_equal(text_at(s, path), "198.18.", 7);
		snprintf(path, sizeof(path), "/items/0/sites/%d/reasons/0/layer", i);
		assert_non_null(text_at(s, path));
		snprintf(path, sizeof(path), "/items/0/sites/%d/reasons/0/ok", i);
		(void)bool_at(s, path);
		snprintf(path, sizeof(path), "/items/0/sites/%d/reasons/0/detail", i);
		(void)text_at(s, path);
	}
	json_object_put(s);
}

static void test_names_come_in_pages_each_once(void **state)
{
	struct world *w = *state;
	char path[1400] = "/status/names?limit=7";
	bool seen[50] = {false};
	unsigned pages = 0, count = 0;

	world_domain(w, "fed", "example.com");
	for (int i = 0; i < 50; i++) {
		char file[32], object[32], name[64];

		snprintf(object, sizeof(object), "n%d", i);
		snprintf(file, sizeof(file), "n%d.yaml", i);
		snprintf(name, sizeof(name), "n%d.example.com", i);
		world_endpoint(w, file, object, name, "A", "198.18.0.1");
	}
	world_start(w);
	while (path[0]) {
		struct json_object *s = world_json(w, path);
		size_t items = count_at(s, "/items");
		const char *more = text_at(s, "/continue");

		assert_in_range(items, 1, 7);
		for (size_t i = 0; i < items; i++) {
			char item[64];
			unsigned n;

			snprintf(item, sizeof(item), "/items/%zu/name", i);
			if (sscanf(text_at(s, item), "n%u.example.com", &n) != 1)
				continue;
			assert_false(seen[n]);
			seen[n] = true;
			count++;
		}
		path[0] = '\0';
		if (*more)
			snprintf(path, sizeof(path), "/status/names?limit=7&continue=%s", more);
		json_object_put(s);
		assert_true(++pages < 20);
	}
	assert_int_equal(count, 50);
}

/* --- explain --- */

static void test_explain_has_its_promised_shape(void **state)
{
	struct world *w = *state;
	struct json_object *s;

	world_three_cities(w);
	world_service(w, "losangeles", "web", "198.18.3.10", false, "");
	world_start(w);
	s = world_json(w, "/explain?name=" WEB "&client=" SAN_FRANCISCO);
	assert_non_null(json_object_object_get(s, "question"));
	assert_memory_equal(text_at(s, "/zone"), "example.com", 11);
	assert_memory_equal(text_at(s, "/client/address"), "203.0.113.0", 11);
	assert_string_equal(text_at(s, "/client/network"), "203.0.113.0/24");
	assert_string_equal(text_at(s, "/client/from"), "ecs");
	assert_string_equal(text_at(s, "/client/database"), "networks.csv");
	assert_true(json_object_get_double(at(s, "/client/place/latitude", json_type_double)) >
	            37.7);
	assert_int_equal(count_at(s, "/candidates"), 3);
	assert_true(count_at(s, "/steps") >= 1);
	assert_non_null(text_at(s, "/steps/0/stage"));
	assert_non_null(text_at(s, "/steps/0/detail"));
	assert_string_equal(text_at(s, "/answer/rcode"), "NOERROR");
	assert_string_equal(text_at(s, "/answer/site"), "houston");
	assert_int_equal(int_at(s, "/answer/ttl"), 180);
	assert_int_equal(int_at(s, "/answer/scope"), 24);
	assert_string_equal(text_at(s, "/answer/records/0"), WEB ". 180 IN A 198.18.2.10");
	json_object_put(s);
}

/* The RDATA of explain's records, as world_ask() says them. */
static void explained(struct json_object *s, char out[512])
{
	struct json_object *records = at(s, "/answer/records", json_type_array);

	out[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		const char *line = json_object_get_string(json_object_array_get_idx(records, i));

		for (int field = 0; field < 4; field++)
			line = strchr(line, ' ') + 1;
		snprintf(out + strlen(out), 512 - strlen(out), "%s%s", i ? " " : "", line);
	}
}

static void test_what_explain_says_is_what_is_answered(void **state)
{
	static const char *const names[] = {WEB,
	                                    "web.shop.fed.svc.us-west.example.com",
	                                    "web.shop.fed.svc.us-east-a.us-east.example.com",
	                                    "fixed.example.com",
	                                    "absent.example.com",
	                                    "www.other.test"};
	static const char *const clients[] = {"192.0.2.0/24", SAN_FRANCISCO, "10.0.0.0/8",
	                                      "2001:db8:a0::/48"};
	struct world *w = *state;

	world_three_cities(w);
	world_endpoint(w, "fixed.yaml", "fixed", "fixed.example.com", "A", "198.18.0.1");
	world_service(w, "losangeles", "web", "198.18.3.10", false, "");
	world_start(w);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) * 4; i++) {
		struct world_answer a = world_query(w, names[i / 4], "A", clients[i % 4]);
		char path[256], records[512];
		struct json_object *s;

		snprintf(path, sizeof(path), "/explain?name=%s&client=%s", names[i / 4],
		         clients[i % 4]);
		s = world_json(w, path);
		explained(s, records);
		if (a.rcode == 0)
			assert_string_equal(records, a.records);
		else
			assert_string_equal(text_at(s, "/answer/rcode"), a.records);
		assert_int_equal(int_at(s, "/answer/scope"), a.scope);
		if (a.rcode == 0)
			assert_int_equal(int_at(s, "/answer/ttl"), a.ttl);
		json_object_put(s);
	}
}

/* --- metrics --- */

static bool is_sample(const char *line, size_t len)
{
	size_t name =
		strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
	const char *space;
	char *end;

	if (name == 0 || (line[name] != ' ' && line[name] != '{'))
		return false;
	space = line[name] == '{' ? strstr(line, "} ") + 1 : line + name;
	strtod(space + 1, &end);
	return end == line + len;
}

static void test_metrics_are_prometheus_text_and_counters_only_rise(void **state)
{
	struct world *w = *state;
	double before;
	const char *body;
	int status;

	world_three_cities(w);
	world_start(w);
	before = world_metric(w, "dnsd_answers_total{transport=\"udp\",rcode=\"NOERROR\"}");
	for (int i = 0; i < 10; i++)
		world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 0);
	assert_true(world_metric(w, "dnsd_answers_total{transport=\"udp\",rcode=\"NOERROR\"}") >=
	            before + 10);
	assert_true(world_metric(w, "dnsd_cluster_answers_total{cluster=\"losangeles\"}") >= 10);
	assert_true(world_metric(w, "dnsd_zone_answers_total{zone=\"example.com\"}") >= 10);
	assert_true(world_metric(w, "dnsd_answer_reasons_total{reason=\"nearest\"}") >= 10);
	assert_int_equal(
		(int)world_metric(w, "watcher_cluster_age_seconds{cluster=\"losangeles\"}"), 0);
	assert_true(world_metric(w, "dnsd_update_seconds_count") >= 1);
	body = world_get(w, "/metrics", &status);
	assert_int_equal(status, 200);
	for (const char *line = body; *line; line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, "\n");

		assert_int_equal(line[len], '\n');
		if (line[0] == '#')
			assert_true(strncmp(line, "# HELP ", 7) == 0 ||
			            strncmp(line, "# TYPE ", 7) == 0);
		else if (!is_sample(line, len))
			fail_msg("not a sample: %.*s", (int)len, line);
	}
}

/* --- wrong requests --- */

static void expect_error(struct world *w, const char *method, const char *path, int expected)
{
	int status;
	const char *body = world_send(w, method, path, &status);
	struct json_object *root = json_tokener_parse(body);

	if (status != expected)
		world_fail(w, "%s %s: %d, not %d: %s", method, path, status, expected, body);
	assert_non_null(root);
	assert_true(strlen(text_at(root, "/error")) > 0);
	json_object_put(root);
}

static void test_wrong_requests_get_an_error_that_says_why(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	expect_error(w, "GET", "/nowhere", 404);
	expect_error(w, "GET", "/status/nowhere", 404);
	expect_error(w, "POST", "/status", 405);
	expect_error(w, "DELETE", "/status", 405);
	expect_error(w, "GET", "/guard/release?zone=example.com", 405);
	expect_error(w, "POST", "/guard/release?zone=example.com", 404);
	expect_error(w, "GET", "/explain", 400);
	expect_error(w, "GET", "/explain?name=a..b", 400);
	expect_error(w, "GET", "/explain?name=" WEB "&type=NONSENSE", 400);
	expect_error(w, "GET", "/explain?name=" WEB "&client=somewhere", 400);
	expect_error(w, "GET", "/status/names?limit=0", 400);
	expect_error(w, "GET", "/status/names?limit=many", 400);
	expect_error(w, "GET", "/status/names?continue=zz", 400);
	expect_error(w, "GET", "/status/names?zone=other.test", 404);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_readiness_comes_when_every_source_was_read_or_waited_for),
		world_test(test_health_tells_each_check_in_a_line),
		world_test(test_status_has_its_promised_shape),
		world_test(test_status_tells_what_is_known_of_each_cluster),
		world_test(test_errors_and_conflicts_have_their_promised_shape),
		world_test(test_names_come_with_their_sites),
		world_test(test_names_come_in_pages_each_once),
		world_test(test_explain_has_its_promised_shape),
		world_test(test_what_explain_says_is_what_is_answered),
		world_test(test_metrics_are_prometheus_text_and_counters_only_rise),
		world_test(test_wrong_requests_get_an_error_that_says_why),
	};

	return cmocka_run_group_tests_name("scenario/http", tests, NULL, NULL);
}
