/* starting.c -- how nighd is started, what it listens on, what it says, and how it ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define WEB "web.shop.fed.svc.example.com"

static void test_flags_replace_the_keys_of_the_same_meaning(void **state)
{
	struct world *w = *state;
	char dir[256], saved[256];
	const char *const flags[] = {"--manifests", dir,           "--dns",     "127.0.0.7:0",
	                             "--http",      "127.0.0.1:0", "--workers", "1",
	                             "--state",     saved,         NULL};
	struct world_question q = {
		.name = WEB, .type = "A", .client = "203.0.113.0/24", .to = "127.0.0.7"};

	world_three_cities(w);
	world_move(w, "manifests", "elsewhere");
	snprintf(dir, sizeof(dir), "%s", world_path(w, "elsewhere"));
	snprintf(saved, sizeof(saved), "%s", world_path(w, "saved"));
	world_config(w, "listen: {dns: [\"192.0.2.1:53\"], http: \"192.0.2.1:80\"}\nworkers: 2");
	world_flags(w, flags);
	world_start(w);
	assert_string_equal(world_question(w, &q).records, "198.18.3.10");
	world_stop(w);
	world_remove(w, "elsewhere");
	world_start(w);
	assert_string_equal(world_question(w, &q).records, "198.18.3.10");
}

static void test_the_config_lies_beside_what_it_names(void **state)
{
	struct world *w = *state;

	/* manifests and networks.csv are named without a path, and nighd runs in another directory. */
	world_three_cities(w);
	world_start(w);
	world_expect(w, WEB, "A", "203.0.113.0/24", "198.18.3.10", 0);
}

static void test_every_listening_address_answers_and_is_told(void **state)
{
	struct world *w = *state;
	struct world_question q = {.name = WEB, .type = "A", .client = "203.0.113.0/24"};
	const char *second, *third;

	world_three_cities(w);
	world_config(w, "listen: {dns: [\"127.0.0.1:0\", \"[::1]:0\", \"127.0.0.9:0\"], http: "
	                "\"[::1]:0\"}");
	world_flags(w, (const char *const[]){"--http", "127.0.0.1:0", NULL});
	world_start(w);
	assert_string_equal(world_question(w, &q).records, "198.18.3.10");
	second = strstr(world_log(w), ",[::1]:");
	assert_non_null(second);
	q.to = "::1";
	q.port = (unsigned)atoi(second + strlen(",[::1]:"));
	assert_string_equal(world_question(w, &q).records, "198.18.3.10");
	third = strstr(world_log(w), ",127.0.0.9:");
	assert_non_null(third);
	q.to = "127.0.0.9";
	q.port = (unsigned)atoi(third + strlen(",127.0.0.9:"));
	assert_string_equal(world_question(w, &q).records, "198.18.3.10");
	world_expect_http(w, "/status", "\"[::1]:", 0);
	world_expect_http(w, "/status", "\"127.0.0.9:", 0);
}

static void test_an_address_in_use_is_told_and_ends_it(void **state)
{
	struct world *w = *state;
	char address[64];
	const char *const argv[] = {"$NIGHD", "--dns", address, "--http", "127.0.0.1:0", NULL};

	world_three_cities(w);
	world_start(w);
	snprintf(address, sizeof(address), "127.0.0.1:%u", world_dns_port(w));
	world_expect_run(w, argv, 1, address);
}

static void test_of_several_directories_the_first_ones_object_counts(void **state)
{
	struct world *w = *state;

	world_config(w, "sources: {manifests: [second, manifests]}");
	world_domain(w, "fed", "example.com");
	world_endpoint(w, "a.yaml", "a", "a.example.com", "A", "198.18.0.1");
	world_endpoint(w, "b.yaml", "b", "b.example.com", "A", "198.18.0.2");
	world_write(w, "second/host/z.yaml",
	            "apiVersion: externaldns.k8s.io/v1alpha1\n"
	            "kind: DNSEndpoint\n"
	            "metadata: {name: a, namespace: shop}\n"
	            "spec: {endpoints: [{dnsName: a.example.com, recordType: A, targets: "
	            "[198.18.9.9]}]}\n");
	world_start(w);
	world_expect(w, "a.example.com", "A", NULL, "198.18.9.9", 0);
	world_expect(w, "b.example.com", "A", NULL, "198.18.0.2", 0);
	world_expect_http(w, "/status",
	                  "manifests/host/a.yaml:1: DNSEndpoint shop/a is already in ", 0);
}

static void test_the_log_can_be_json(void **state)
{
	struct world *w = *state;
	const char *line;

	world_three_cities(w);
	world_config(w, "log: {format: json, level: debug}");
	world_start(w);
	line = world_log(w);
	while (*line) {
		size_t len = strcspn(line, "\n");
		char *copy = strndup(line, len);
		struct json_object *root = json_tokener_parse(copy);

		if (!json_object_is_type(root, json_type_object))
			fail_msg("not a JSON object: %s", copy);
		json_object_put(root);
		free(copy);
		line += len + (line[len] == '\n');
	}
}

static void test_it_ends_with_0_on_sigterm_and_on_sigint(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_stop(w);
	world_start(w);
	world_signal(w, SIGINT);
	world_expect_log(w, "ending signal=2", 5000);
	world_expect_end(w, 0);
	/* And before it is ready. */
	world_remove(w, "manifests");
	world_start_unready(w);
	world_stop(w);
}

static void test_without_any_manifests_it_serves_its_configs_zones(void **state)
{
	struct world *w = *state;

	world_config(w, "sources: {}\n"
	                "zones: [{name: example.com, nameservers: [{name: ns.example.com, "
	                "addresses: [192.0.2.53]}],\n"
	                "         records: [\"www A 192.0.2.1\"]}]");
	world_start(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
	world_expect(w, "absent.example.com", "A", NULL, "NXDOMAIN", 0);
	world_three_cities(w);
	world_config(w, "sources: {manifests: [manifests]}");
	world_signal(w, SIGHUP);
	world_expect(w, WEB, "A", "203.0.113.0/24", "198.18.3.10", 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_flags_replace_the_keys_of_the_same_meaning),
		world_test(test_the_config_lies_beside_what_it_names),
		world_test(test_every_listening_address_answers_and_is_told),
		world_test(test_an_address_in_use_is_told_and_ends_it),
		world_test(test_of_several_directories_the_first_ones_object_counts),
		world_test(test_the_log_can_be_json),
		world_test(test_it_ends_with_0_on_sigterm_and_on_sigint),
		world_test(test_without_any_manifests_it_serves_its_configs_zones),
	};

	return cmocka_run_group_tests_name("scenario/starting", tests, NULL, NULL);
}
