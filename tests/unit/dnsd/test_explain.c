/* What explain says, and that it is what was answered. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnsd/explain.h"
#include "records/endpoint.h"
#include "tests/support/dnsd_world.h"

static struct world *w;
static const struct snapshot *s;

static int setup(void **state)
{
	static const bool down[] = {true};

	(void)state;
	w = world_new();
	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	world_cluster(w, "hou", 29.76, -95.37);
	world_networks(w, "198.51.100.0/24,42.36,-71.06\n198.51.101.0/24,37.77,-122.42\n");
	world_put(w, "fixed.example.com", "300 A 192.0.2.9", NULL);
	world_put(w, "alias.example.com", "300 CNAME web.example.com", NULL);
	world_put_sites(w, "web.example.com", NULL, "la: 30 A 192.0.2.1", "ny!: 30 A 192.0.2.2",
	                "hou: 30 A 192.0.2.3", NULL);
	world_put_sites(w, "dead.example.com", NULL, "la!: 30 A 192.0.2.1", NULL);
	world_put_sites(w, "zone.example.com", "web.example.com", "ny!: 30 A 192.0.2.2", NULL);
	world_put_sites(w, "probed.example.com", NULL, "la#0: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                NULL);
	world_probes(w, down, 1);
	s = world_build(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static struct json_object *explain(const struct explain_request *r)
{
	struct text out = {0};
	struct reason why = {0};
	struct json_object *root;

	assert_int_equal(explain_print(s, r, &out, &why), ERR_OK);
	root = json_tokener_parse(out.data);
	if (root == NULL)
		print_error("%s\n", out.data);
	assert_non_null(root);
	text_fini(&out);
	return root;
}

/* "answer.rcode", "steps.0.left.1" */
static const char *at(struct json_object *root, const char *path)
{
	char part[32];
	size_t len;

	for (; *path != '\0'; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		snprintf(part, sizeof part, "%.*s", (int)len, path);
		if (json_object_is_type(root, json_type_array))
			root = json_object_array_get_idx(root, (size_t)atoi(part));
		else if (!json_object_object_get_ex(root, part, &root))
			return "(absent)";
	}
	return root != NULL ? json_object_get_string(root) : "null";
}

static void test_a_choice_is_told_step_by_step(void **state)
{
	struct explain_request r = {
		.name = "web.example.com", .client = "198.51.100.7/24", .now_ms = 5000};
	struct json_object *j = explain(&r);

	(void)state;
	assert_string_equal(at(j, "question.name"), "web.example.com");
	assert_string_equal(at(j, "question.type"), "A");
	assert_string_equal(at(j, "zone"), "example.com");
	assert_string_equal(at(j, "client.address"), "198.51.100.0");
	assert_string_equal(at(j, "client.network"), "198.51.100.0/24");
	assert_string_equal(at(j, "client.from"), "ecs");
	assert_string_equal(at(j, "client.place"), "null");
	assert_string_equal(at(j, "candidates.0.cluster"), "hou");
	assert_string_equal(at(j, "candidates.2.usable"), "false");
	assert_string_equal(at(j, "candidates.2.reasons.0.layer"), "endpoints");
	assert_string_equal(at(j, "candidates.2.reasons.0.ok"), "false");
	assert_string_equal(at(j, "candidates.2.distanceKm"), "null");
	assert_string_equal(at(j, "steps.0.stage"), "usable");
	assert_string_equal(at(j, "steps.0.left.1"), "la");
	assert_string_equal(at(j, "steps.1.stage"), "nearest");
	assert_string_equal(at(j, "steps.1.left.0"), "hou");
	assert_string_equal(at(j, "answer.rcode"), "NOERROR");
	assert_string_equal(at(j, "answer.site"), "hou");
	assert_string_equal(at(j, "answer.ttl"), "30");
	assert_string_equal(at(j, "answer.scope"), "24");
	assert_string_equal(at(j, "answer.records.0"), "web.example.com. 30 IN A 192.0.2.3");
	json_object_put(j);
}

static void test_the_place_given_shows_distances(void **state)
{
	struct explain_place place = {
		.has_place = true,
		.place = {42.36, -71.06},
		.database = "networks.csv",
		.area = {"NA", "US", "US-MA"},
		.accuracy_km = 20,
	};
	struct explain_request r = {
		.name = "web.example.com.", .client = "198.51.100.7", .place = &place};
	struct json_object *j = explain(&r);

	(void)state;
	assert_string_equal(at(j, "client.database"), "networks.csv");
	assert_true(atof(at(j, "client.place.latitude")) > 42.3);
	assert_string_equal(at(j, "client.continent"), "NA");
	assert_string_equal(at(j, "client.country"), "US");
	assert_string_equal(at(j, "client.subdivision"), "US-MA");
	assert_string_equal(at(j, "client.accuracyKm"), "20");
	assert_in_range(atoi(at(j, "candidates.2.distanceKm")), 300, 310);
	json_object_put(j);
}

static void test_fixed_names_and_aliases_are_told_too(void **state)
{
	struct explain_request fixed = {.name = "fixed.example.com"};
	struct explain_request alias = {
		.name = "alias.example.com", .type = "a", .resolver = "198.51.101.1"};
	struct json_object *j = explain(&fixed);

	(void)state;
	assert_string_equal(at(j, "steps.0.stage"), "fixed");
	assert_string_equal(at(j, "answer.site"), "null");
	assert_string_equal(at(j, "client.from"), "resolver");
	json_object_put(j);
	j = explain(&alias);
	assert_string_equal(at(j, "steps.0.stage"), "cname");
	assert_string_equal(at(j, "steps.0.detail"),
	                    "alias.example.com. is an alias of web.example.com.");
	assert_string_equal(at(j, "steps.1.stage"), "usable");
	assert_string_equal(at(j, "answer.site"), "la");
	assert_string_equal(at(j, "answer.records.0"),
	                    "alias.example.com. 300 IN CNAME web.example.com.");
	assert_string_equal(at(j, "answer.records.1"), "web.example.com. 30 IN A 192.0.2.1");
	json_object_put(j);
}

static void test_failing_open_and_falling_back_are_told(void **state)
{
	struct explain_request dead = {.name = "dead.example.com"};
	struct explain_request zone = {.name = "zone.example.com", .client = "198.51.101.0/24"};
	struct json_object *j = explain(&dead);

	(void)state;
	assert_string_equal(at(j, "steps.1.stage"), "failOpen");
	assert_string_equal(at(j, "answer.ttl"), "5");
	json_object_put(j);
	j = explain(&zone);
	assert_string_equal(at(j, "steps.1.stage"), "fallback");
	assert_string_equal(at(j, "candidates.0.cluster"), "ny");
	assert_string_equal(at(j, "candidates.2.cluster"), "la");
	assert_string_equal(at(j, "answer.records.0"),
	                    "zone.example.com. 180 IN CNAME web.example.com.");
	json_object_put(j);
}

static void test_what_is_missing_is_told(void **state)
{
	struct explain_request missing = {.name = "missing.example.com"},
			       foreign = {.name = "example.net"};
	struct json_object *j = explain(&missing);

	(void)state;
	assert_string_equal(at(j, "answer.rcode"), "NXDOMAIN");
	assert_string_equal(at(j, "answer.ttl"), "60");
	json_object_put(j);
	j = explain(&foreign);
	assert_string_equal(at(j, "answer.rcode"), "REFUSED");
	assert_string_equal(at(j, "zone"), "null");
	assert_string_equal(at(j, "steps.0.stage"), "outside");
	json_object_put(j);
}

static void test_a_client_without_a_place_is_told_what_decides(void **state)
{
	struct explain_place nowhere = {.database = ""};
	struct explain_place somewhere = {
		.has_place = true, .place = {42.36, -71.06}, .database = "n.csv"};
	struct explain_request r = {.name = "web.example.com", .place = &nowhere};
	struct json_object *j = explain(&r);

	(void)state;
	assert_string_equal(at(j, "steps.1.detail"),
	                    "the client's place is unknown: by geo.unknownOrder, then by name");
	assert_string_equal(at(j, "client.country"), "");
	assert_string_equal(at(j, "client.accuracyKm"), "null");
	json_object_put(j);
	r.place = &somewhere;
	j = explain(&r);
	assert_string_equal(at(j, "steps.1.detail"), "the nearest site that has this type");
	json_object_put(j);
}

static void test_a_server_that_is_not_ready_says_so(void **state)
{
	struct explain_request r = {.name = "web.example.com"};
	struct json_object *j;

	(void)state;
	world_settings(w)->ready = false;
	s = world_build(w);
	j = explain(&r);
	assert_string_equal(at(j, "steps.0.stage"), "notReady");
	assert_string_equal(at(j, "answer.rcode"), "SERVFAIL");
	json_object_put(j);
	world_settings(w)->ready = true;
	s = world_build(w);
}

static void test_a_probe_that_failed_is_named_with_its_age(void **state)
{
	struct explain_request r = {.name = "probed.example.com", .now_ms = 8500};
	struct json_object *j = explain(&r);

	(void)state;
	assert_string_equal(at(j, "candidates.0.reasons.2.layer"), "probe");
	assert_string_equal(at(j, "candidates.0.reasons.2.ok"), "false");
	assert_string_equal(at(j, "candidates.0.reasons.2.ageSeconds"), "7");
	assert_string_equal(at(j, "candidates.1.reasons.2.detail"), "not probed");
	json_object_put(j);
}

static void assert_refused(struct explain_request r)
{
	struct text out = {0};
	struct reason why = {0};

	assert_int_equal(explain_print(s, &r, &out, &why), ERR_PARSE);
	assert_true(why.text[0] != '\0');
	text_fini(&out);
}

static void test_bad_requests_have_a_reason(void **state)
{
	(void)state;
	assert_refused((struct explain_request){0});
	assert_refused((struct explain_request){.name = "a..b"});
	assert_refused((struct explain_request){.name = "a", .type = "NOPE"});
	assert_refused((struct explain_request){.name = "a", .type = "AXFR"});
	assert_refused((struct explain_request){.name = "a", .client = "1.2.3"});
	assert_refused((struct explain_request){.name = "a", .client = "1.2.3.4/33"});
	assert_refused((struct explain_request){.name = "a", .client = "1.2.3.4/"});
	assert_refused((struct explain_request){.name = "a", .resolver = "here"});
}

/* The records of both, in order. */
static void assert_same(const char *name, const char *type, const char *client)
{
	struct explain_request r = {.name = name, .type = type, .client = client};
	struct asking how = {.ecs = client};
	struct json_object *j = explain(&r), *answer, *records;
	struct text told = {0}, question = {0};
	const char *found;

	text_printf(&question, "%s %s", name, type);
	found = world_ask(w, question.data, &how);
	json_object_object_get_ex(j, "answer", &answer);
	json_object_object_get_ex(answer, "records", &records);
	text_printf(&told, "%s%s scope=%s", at(j, "answer.rcode"),
	            strstr(found, " aa") ? " aa" : "", at(j, "answer.scope"));
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		const char *line = json_object_get_string(json_object_array_get_idx(records, i));
		const char *class = strstr(line, " IN ");

		text_printf(&told, " / an %.*s %s", (int)(class - line), line, class + 4);
	}
	if (strncmp(found, told.data, told.len) != 0)
		assert_string_equal(found, told.data);
	text_fini(&told);
	text_fini(&question);
	json_object_put(j);
}

static void test_what_explain_says_is_what_was_answered(void **state)
{
	static const char *const names[] = {
		"web.example.com",    "alias.example.com", "dead.example.com", "zone.example.com",
		"probed.example.com", "fixed.example.com", "no.example.com"};
	static const char *const clients[] = {"198.51.100.0/24", "198.51.101.0/25", "192.0.2.0/24",
	                                      "0.0.0.0/0", "2001:db8::/56"};

	(void)state;
	for (int all = 0; all < 2; all++) {
		world_settings(w)->all = all;
		s = world_build(w);
		for (unsigned i = 0; i < 7; i++) {
			for (unsigned c = 0; c < 5; c++) {
				assert_same(names[i], "A", clients[c]);
				assert_same(names[i], "AAAA", clients[c]);
			}
		}
	}
	world_settings(w)->all = false;
	s = world_build(w);
}

static void test_a_site_of_status_names_has_its_addresses(void **state)
{
	const struct zone *z = snapshot_zone(s, 0);
	struct name name;
	const struct node *n;
	struct text out = {0};
	struct json_object *j;
	static const uint8_t wire[] = "\3web\7example\3com";

	(void)state;
	assert_true(name_parse(&name, wire, sizeof wire) > 0);
	n = zone_find_node(z, &name);
	if (n == NULL)
		fail();
	else
		explain_print_site(s, snapshot_node_policy(s, n), node_site(n, 0), 1000, &out);
	j = json_tokener_parse(out.data);
	assert_string_equal(at(j, "cluster"), "hou");
	assert_string_equal(at(j, "addresses.0"), "192.0.2.3");
	assert_string_equal(at(j, "usable"), "true");
	assert_string_equal(at(j, "reasons.4.layer"), "drain");
	json_object_put(j);
	text_fini(&out);
}

static void test_a_union_that_is_cut_names_the_sites_that_are_left(void **state)
{
	static char line[2][40000];
	static const char *const cluster[] = {"hou", "la"};
	struct json_object *root;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t len = (size_t)sprintf(line[i], "%s: 30 TXT %s", cluster[i], cluster[i]);

		while (len < 35000)
			len += (size_t)sprintf(line[i] + len, " %0199d", 0);
	}
	world_settings(w)->all = true;
	world_put_sites(w, "union.example.com", NULL, line[0], line[1], "ny: 30 TXT ny", NULL);
	s = world_build(w);
	root = explain(&(struct explain_request){.name = "union.example.com", .type = "TXT"});
	assert_string_equal(at(root, "steps.1.stage"), "all");
	assert_string_equal(at(root, "steps.1.detail"),
	                    "as many usable sites that have this type as fit one answer");
	assert_string_equal(at(root, "steps.1.left.0"), "hou");
	assert_string_equal(at(root, "steps.1.left.1"), "ny");
	assert_string_equal(at(root, "steps.1.left.2"), "null");
	assert_string_equal(at(root, "answer.records.2"), "null");
	json_object_put(root);
	world_settings(w)->all = false;
	s = world_build(w);
}

int main(void)
{
	/* explain.c may not include records, but reads its bits. */
	_Static_assert(SITE_ENDPOINTS == 1 && SITE_LOAD_BALANCER == 2, "as in explain.c");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_choice_is_told_step_by_step),
		cmocka_unit_test(test_the_place_given_shows_distances),
		cmocka_unit_test(test_fixed_names_and_aliases_are_told_too),
		cmocka_unit_test(test_failing_open_and_falling_back_are_told),
		cmocka_unit_test(test_what_is_missing_is_told),
		cmocka_unit_test(test_a_client_without_a_place_is_told_what_decides),
		cmocka_unit_test(test_a_server_that_is_not_ready_says_so),
		cmocka_unit_test(test_a_probe_that_failed_is_named_with_its_age),
		cmocka_unit_test(test_bad_requests_have_a_reason),
		cmocka_unit_test(test_what_explain_says_is_what_was_answered),
		cmocka_unit_test(test_a_union_that_is_cut_names_the_sites_that_are_left),
		cmocka_unit_test(test_a_site_of_status_names_has_its_addresses),
	};

	return cmocka_run_group_tests_name("dnsd/explain", tests, setup, teardown);
}
