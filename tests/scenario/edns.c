/* edns.c -- what EDNS options and the class CHAOS get, and who may ask. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/support/world_wire.h"

enum { NOERROR = 0, FORMERR = 1, NXDOMAIN = 3, REFUSED = 5, BADVERS = 16 };
enum { CLASS_CH = 3, CLASS_HS = 4, CLASS_ANY = 255 };

#define ZONE                                                                                       \
	"zones:\n"                                                                                 \
	"- name: example.com\n"                                                                    \
	"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"                      \
	"  records: [\"www 300 IN A 192.0.2.1\"]\n"

static void start(struct world *w, const char *yaml)
{
	char config[4096];

	snprintf(config, sizeof(config), "%s%s", ZONE, yaml);
	world_config(w, config);
	world_folder(w, "manifests/host");
	world_start(w);
}

/* A for www.example.com with these options. */
static struct world_answer with_options(struct world *w, const char *options, bool tcp)
{
	struct world_question q = {
		.name = "www.example.com", .type = "A", .options = options, .tcp = tcp};

	return world_question(w, &q);
}

static struct world_answer chaos(struct world *w, const char *name, const char *type)
{
	struct world_question q = {.name = name, .type = type, .dns_class = CLASS_CH};

	return world_question(w, &q);
}

/* --- identity --- */

static void test_nsid_is_said_to_who_asks_for_it(void **state)
{
	struct world *w = *state;

	start(w, "identity: {nsid: fra-1}\n");
	assert_string_equal(with_options(w, "3=", false).options, "3=6672612d31");
	assert_string_equal(with_options(w, "3=", true).options, "3=6672612d31");
	assert_string_equal(with_options(w, "3=0102", false).options, "3=6672612d31");
	assert_string_equal(with_options(w, "100=", false).options, "");
	assert_string_equal(with_options(w, "3= 3=", false).options, "3=6672612d31");
}

static void test_without_an_identity_nothing_is_said(void **state)
{
	static const char *const names[] = {"version.bind", "version.server", "hostname.bind",
	                                    "id.server", "authors.bind"};
	struct world *w = *state;

	start(w, "");
	assert_string_equal(with_options(w, "3=", false).options, "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct world_answer a = chaos(w, names[i], "TXT");

		assert_int_equal(a.rcode, REFUSED);
		assert_string_equal(a.records, "REFUSED");
	}
}

static void test_chaos_names_are_answered_by_config(void **state)
{
	struct world *w = *state;
	struct world_answer a;
	struct world_question any = {.name = "version.bind", .type = "TXT", .dns_class = CLASS_ANY};

	start(w, "identity: {hostname: node 7, version: \"none of \\\"yours\\\"\"}\n");
	assert_string_equal(chaos(w, "Version.BIND", "TXT").records, "\"none of \\\"yours\\\"\"");
	assert_string_equal(chaos(w, "version.server", "TXT").records, "\"none of \\\"yours\\\"\"");
	a = chaos(w, "hostname.bind", "TXT");
	assert_string_equal(a.records, "\"node 7\"");
	assert_true(a.authoritative);
	assert_int_equal(a.ttl, 0);
	assert_string_equal(chaos(w, "id.server", "ANY").records, "\"node 7\"");
	assert_int_equal(chaos(w, "id.server", "A").rcode, REFUSED);
	assert_int_equal(chaos(w, "server", "TXT").rcode, REFUSED);
	assert_int_equal(chaos(w, "a.version.bind", "TXT").rcode, REFUSED);
	assert_int_equal(chaos(w, "www.example.com", "TXT").rcode, REFUSED);
	assert_int_equal(world_question(w, &any).rcode, REFUSED);
	any.dns_class = CLASS_HS;
	assert_int_equal(world_question(w, &any).rcode, REFUSED);
	/* The class IN does not have it. */
	assert_int_equal(world_query(w, "version.bind", "TXT", NULL).rcode, REFUSED);
}

static void test_a_reload_changes_the_identity(void **state)
{
	struct world *w = *state;

	start(w, "identity: {nsid: a, version: \"1\"}\n");
	assert_string_equal(chaos(w, "version.bind", "TXT").records, "\"1\"");
	world_config(w, ZONE "identity: {nsid: b}\n");
	world_signal(w, 1);
	world_expect_log(w, "config taken up", 5000);
	assert_string_equal(with_options(w, "3=", false).options, "3=62");
	assert_int_equal(chaos(w, "version.bind", "TXT").rcode, REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_nsid_is_said_to_who_asks_for_it),
		world_test(test_without_an_identity_nothing_is_said),
		world_test(test_chaos_names_are_answered_by_config),
		world_test(test_a_reload_changes_the_identity),
	};

	return cmocka_run_group_tests_name("scenario/edns", tests, NULL, NULL);
}
