/* nighctl.c -- the person's tool against a running nighd. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz-"
#define WEB     "web.shop.fed.svc.example.com"

static void start(struct world *w)
{
	world_three_cities(w);
	world_start(w);
}

static void test_status_shows_clusters_and_zones(void **state)
{
	struct world *w = *state;
	const char *const argv[] = {"$NIGHCTL", "status", NULL};
	const char *const wide[] = {"$NIGHCTL", "status", "-o", "wide", NULL};
	const char *out;

	start(w);
	out = world_expect_run(w, argv, 0, "nighd " NIGH_VERSION ", ready");
	assert_non_null(strstr(out, "losangeles"));
	assert_non_null(strstr(out, "synced"));
	assert_non_null(strstr(out, "example.com"));
	world_expect_run(w, wide, 0, "us-west-a");
}

static void test_explain_says_why_and_what(void **state)
{
	struct world *w = *state;
	const char *const argv[] = {"$NIGHCTL", "explain", WEB, "--client", "203.0.113.0/24", NULL};
	const char *const aaaa[] = {"$NIGHCTL", "explain", WEB, "--type", "AAAA", NULL};
	const char *out;

	start(w);
	out = world_expect_run(w, argv, 0, "answer: NOERROR, from losangeles, for 180 s");
	assert_non_null(strstr(out, "198.18.3.10"));
	assert_non_null(strstr(out, "km"));
	world_expect_run(w, aaaa, 0, "AAAA");
}

static void test_json_is_what_the_server_says(void **state)
{
	struct world *w = *state;
	const char *const argv[] = {"$NIGHCTL", "-o",       "json",           "explain",
	                            WEB,        "--client", "203.0.113.0/24", NULL};
	struct json_object *said, *got;
	const char *out;

	start(w);
	assert_int_equal(world_run(w, argv, &out), 0);
	got = json_tokener_parse(out);
	said = world_json(w, "/explain?name=" WEB "&client=203.0.113.0/24");
	assert_non_null(got);
	assert_string_equal(json_object_to_json_string(json_object_object_get(got, "answer")),
	                    json_object_to_json_string(json_object_object_get(said, "answer")));
	json_object_put(got);
	json_object_put(said);
}

static void test_yaml_is_the_same_as_yaml(void **state)
{
	struct world *w = *state;
	const char *const argv[] = {"$NIGHCTL", "status", "-o", "yaml", NULL};

	start(w);
	assert_non_null(strstr(world_expect_run(w, argv, 0, "ready: true\n"), "clusters:\n"));
}

static void test_check_names_every_error_with_file_and_line(void **state)
{
	struct world *w = *state;
	char dir[256], config[256], expected[400];
	const char *const argv[] = {"$NIGHCTL", "check", dir, config, NULL};

	world_three_cities(w);
	snprintf(dir, sizeof(dir), "%s", world_path(w, "manifests"));
	world_write(w, "c.yaml", "workers: 1\n");
	snprintf(config, sizeof(config), "%s", world_path(w, "c.yaml"));
	world_expect_run(w, argv, 0, "");
	world_write(w, "manifests/clusters/houston/bad.yaml", "apiVersion: v1\n");
	world_write(w, "c.yaml", "workers: 1\nworker: 2\n");
	snprintf(expected, sizeof(expected),
	         "%s/clusters/houston/bad.yaml:1: an object without kind\n", dir);
	world_expect_run(w, argv, 1, expected);
	snprintf(expected, sizeof(expected), "%s:2: unknown key 'worker'\n", config);
	world_expect_run(w, argv, 1, expected);
}

static void test_check_of_a_manifest_file_looks_at_it_by_itself(void **state)
{
	struct world *w = *state;
	char good[256], bad[256], member[256], expected[400];
	const char *const fine[] = {"$NIGHCTL", "check", good, member, NULL};
	const char *const argv[] = {"$NIGHCTL", "check", good, bad, member, NULL};

	/* Its Domain, its zone and its cluster's place stand elsewhere. */
	world_three_cities(w);
	world_write(w, "good.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: ServiceDNSRecord\n"
	            "metadata: {name: web, namespace: shop}\nspec: {domainRef: fed}\n---\n"
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: DNSEndpoint\n"
	            "metadata: {name: a, namespace: shop}\nspec:\n  endpoints:\n"
	            "  - {dnsName: www.example.com, recordType: A, targets: [192.0.2.1]}\n");
	world_write(w, "bad.yaml",
	            "# broken\napiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: DNSEndpoint\n"
	            "metadata: {name: b, namespace: shop}\nspec:\n  endpoints:\n"
	            "  - {dnsName: www.example.com, recordType: MX, targets: [ten]}\n");
	snprintf(good, sizeof(good), "%s", world_path(w, "good.yaml"));
	snprintf(bad, sizeof(bad), "%s", world_path(w, "bad.yaml"));
	snprintf(member, sizeof(member), "%s",
	         world_path(w, "manifests/clusters/houston/service-web.yaml"));
	assert_string_equal(world_expect_run(w, fine, 0, ""), "");
	snprintf(expected, sizeof(expected),
	         "%s:2: DNSEndpoint shop/b: www.example.com. MX: ", bad);
	world_expect_run(w, argv, 1, expected);
}

static void test_check_of_a_broken_manifest_file_says_so_once(void **state)
{
	static const struct {
		const char *yaml, *text;
	} all[] = {
		{"apiVersion: v1\nmetadata: {name: x}\n", "1: an object without kind\n"},
		{"apiVersion: v1\nkind: Service\nmetadata: {name: a_b!}\n",
	         "1: Service: metadata.name: is not a name (letters, digits, '-' and '.')\n"},
		{"apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n"
	         "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
	         "5: this object is in the file already\n"},
	};
	struct world *w = *state;
	char file[256], expected[400];
	const char *const argv[] = {"$NIGHCTL", "check", file, NULL};

	snprintf(file, sizeof(file), "%s", world_path(w, "x.yaml"));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		world_write(w, "x.yaml", "%s", all[i].yaml);
		snprintf(expected, sizeof(expected), "%s:%s", file, all[i].text);
		assert_string_equal(world_expect_run(w, argv, 1, ""), expected);
	}
	world_write(w, "x.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n{\n");
	snprintf(expected, sizeof(expected), "%s:5: ", file);
	world_expect_run(w, argv, 1, expected);
}

static void test_drain_prints_the_line_to_write_and_ends_with_1(void **state)
{
	struct world *w = *state;
	const char *const drain[] = {"$NIGHCTL", "drain", "houston", NULL};
	const char *const undrain[] = {"$NIGHCTL", "undrain", "houston", NULL};

	/* Nobody's own kubeconfig. */
	setenv("KUBECONFIG", "/nowhere", 1);
	unsetenv("KUBERNETES_SERVICE_HOST");
	world_expect_run(w, drain, 1, "nigh.dev/drain: \"true\"\n");
	world_expect_run(w, undrain, 1, "nigh.dev/drain: \"false\"\n");
}

static void test_version_and_help_need_no_server(void **state)
{
	struct world *w = *state;
	const char *const version[] = {"$NIGHCTL", "version", NULL};
	const char *const json[] = {"$NIGHCTL", "version", "-o", "json", NULL};
	const char *const help[] = {"$NIGHCTL", "--help", NULL};

	assert_string_equal(world_expect_run(w, version, 0, ""), "nighctl " NIGH_VERSION "\n");
	world_expect_run(w, json, 0, "\"version\":");
	world_expect_run(w, help, 0, "usage: nighctl");
}

/* Every long option behind `mark` in the text must be behind `other_mark` in the other one. */
static void expect_options(const char *text, const char *mark, const char *other,
                           const char *other_mark, const char *who)
{
	for (const char *at = text; (at = strstr(at, mark)); at += strlen(mark)) {
		size_t len = strspn(at + strlen(mark), LETTERS);
		char wanted[80];
		const char *found = other;

		snprintf(wanted, sizeof(wanted), "%s%.*s", other_mark, (int)len, at + strlen(mark));
		while ((found = strstr(found, wanted)) &&
		       strspn(found + strlen(wanted), LETTERS) > 0)
			found++;
		if (!found)
			fail_msg("%s does not tell of --%.*s", who, (int)len, at + strlen(mark));
	}
}

static void test_help_and_manual_tell_of_the_same_options(void **state)
{
	struct world *w = *state;
	const char *const help[] = {"$NIGHCTL", "--help", NULL};
	struct text page = {0};
	const char *said = world_expect_run(w, help, 0, "usage: nighctl");
	char *end;

	assert_true(inside_read_file("docs/man/nighctl.1", &page));
	end = strstr(page.data, ".Sh DESCRIPTION");
	assert_non_null(end);
	*end = '\0';
	expect_options(page.data, "Fl -", said, "--", "nighctl --help");
	expect_options(said, "--", page.data, "Fl -", "nighctl(1)");
	text_fini(&page);
}

static void test_help_for_a_command_is_of_that_command(void **state)
{
	struct world *w = *state;
	const char *const help[] = {"$NIGHCTL", "drain", "--help", NULL};
	const char *said = world_expect_run(w, help, 0, "nighctl drain CLUSTER");

	assert_non_null(strstr(said, "send a cluster's clients elsewhere"));
	assert_null(strstr(said, "undrain"));
}

static void test_what_is_wrong_is_said_before_a_server_is_asked(void **state)
{
	struct world *w = *state;
	const char *const share[] = {"$NIGHCTL", "shift", "--cluster", "la", "--to", "50", NULL};
	const char *const option[] = {"$NIGHCTL", "status", "--bogus", NULL};
	const char *const named_plan[] = {"$NIGHCTL", "explain", "plan", "--bogus", NULL};
	/* There 2 says that something would change. */
	const char *const plan[] = {"$NIGHCTL", "plan", "--bogus", NULL};
	const char *said = world_expect_run(w, share, 2, "--to is 0% to 100%, not 50");

	assert_ptr_equal(strchr(said, '\n') + 1, strchr(said, '\0'));
	said = world_expect_run(w, option, 2, "--bogus");
	world_expect_run(w, named_plan, 2, "--bogus");
	world_expect_run(w, plan, 1, "--bogus");
	assert_null(strstr(said, "usage:"));
}

static void test_wrong_use_ends_with_2(void **state)
{
	struct world *w = *state;
	const char *const none[] = {"$NIGHCTL", NULL};
	const char *const unknown[] = {"$NIGHCTL", "frobnicate", NULL};
	const char *const missing[] = {"$NIGHCTL", "explain", NULL};
	const char *const format[] = {"$NIGHCTL", "status", "-o", "xml", NULL};

	assert_int_equal(world_run(w, none, NULL), 2);
	world_expect_run(w, unknown, 2, "frobnicate");
	world_expect_run(w, missing, 2, "explain NAME");
	world_expect_run(w, format, 2, "xml");
}

static void test_a_server_that_is_not_there_or_says_no_is_told(void **state)
{
	struct world *w = *state;
	const char *const away[] = {"$NIGHCTL", "--server", "http://127.0.0.1:1", "status", NULL};
	const char *const wrong[] = {"$NIGHCTL", "explain", "a..b", NULL};

	start(w);
	world_expect_run(w, away, 1, "http://127.0.0.1:1");
	world_expect_run(w, wrong, 1, "nighctl: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_status_shows_clusters_and_zones),
		world_test(test_explain_says_why_and_what),
		world_test(test_json_is_what_the_server_says),
		world_test(test_yaml_is_the_same_as_yaml),
		world_test(test_check_names_every_error_with_file_and_line),
		world_test(test_check_of_a_manifest_file_looks_at_it_by_itself),
		world_test(test_check_of_a_broken_manifest_file_says_so_once),
		world_test(test_drain_prints_the_line_to_write_and_ends_with_1),
		world_test(test_version_and_help_need_no_server),
		world_test(test_help_and_manual_tell_of_the_same_options),
		world_test(test_help_for_a_command_is_of_that_command),
		world_test(test_what_is_wrong_is_said_before_a_server_is_asked),
		world_test(test_wrong_use_ends_with_2),
		world_test(test_a_server_that_is_not_there_or_says_no_is_told),
	};

	return cmocka_run_group_tests_name("scenario/nighctl", tests, NULL, NULL);
}
