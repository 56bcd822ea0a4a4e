/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_object.h>
#include <unistd.h>

#include "base/conf.h"

struct place {
	char name[32];
	int64_t floor;
};

struct settings {
	struct conf_strings dns;
	char *http;
	uint64_t workers;
	char *user;
	int mode;
	uint64_t interval;
	bool loud;
	struct conf_strings deny;
	char *state;
	struct conf_strings sources;
	struct place place;
};

static void read_place(struct conf_file *file, struct json_object *value, void *out)
{
	struct place *p = out;
	struct json_object *floor = NULL;

	if (!json_object_object_get_ex(value, "floor", &floor))
		conf_complain(file, value, "place needs a floor");
	else if (!json_object_is_type(floor, json_type_int))
		conf_complain(file, floor, "floor must be a whole number");
	else
		p->floor = json_object_get_int64(floor);
}

static void print_place(const void *field, struct text *out)
{
	text_printf(out, "{floor: %d}", (int)((const struct place *)field)->floor);
}

#define AT(field) offsetof(struct settings, field)

static const struct conf_row rows[] = {
	{"listen.dns", CONF_STRINGS, AT(dns), "[\"127.0.0.1:5300\", \"[::1]:5300\"]",
         .sentence = "Where DNS is answered."},
	{"workers", CONF_U64, AT(workers), "0", 0, 64, .sentence = "Threads that answer."},
	{"listen.http", CONF_STRING, AT(http), "\"127.0.0.1:8053\"", .sentence = "For people."},
	{"user", CONF_STRING, AT(user), NULL, .sentence = "Whom to become."},
	{"probe.mode", CONF_ENUM, AT(mode), "unseen", .words = "unseen|always|off",
         .reloadable = true, .sentence = ".When \\ to probe."},
	{"probe.interval", CONF_DURATION, AT(interval), "1s", 100, 3600000, .reloadable = true,
         .sentence = "How often."},
	{"loud", CONF_BOOL, AT(loud), NULL, .reloadable = true, .sentence = "Say more."},
	{"publish.deny", CONF_NETWORKS, AT(deny), NULL, .reloadable = true,
         .sentence = "Never these."},
	{"state", CONF_PATH, AT(state), NULL, .sentence = "Where state is kept."},
	{"sources.manifests", CONF_PATHS, AT(sources), NULL, .sentence = "Folders."},
	{"place", CONF_CUSTOM, AT(place), "{floor: 3}", .custom = read_place, .print = print_place,
         .sentence = "Where it stands."},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void fini(struct settings *s) { conf_fini(rows, ROWS, s); }

static struct settings read_good(const char *name, const char *yaml)
{
	struct settings s = {0};
	struct text errors = {0};

	conf_defaults(rows, ROWS, &s);
	text_add(&errors, "");
	assert_int_equal(conf_read_text(rows, ROWS, name, bytes_of(yaml), &s, &errors), ERR_OK);
	assert_string_equal(errors.data, "");
	text_fini(&errors);
	return s;
}

static void assert_errors(const char *yaml, const char *want)
{
	struct settings s = {0};
	struct text errors = {0};

	conf_defaults(rows, ROWS, &s);
	assert_int_equal(conf_read_text(rows, ROWS, "dir/n.yaml", bytes_of(yaml), &s, &errors),
	                 ERR_PARSE);
	assert_string_equal(errors.data, want);
	text_fini(&errors);
	fini(&s);
}

static void test_an_empty_file_gives_the_defaults(void **state)
{
	struct settings s = read_good("n.yaml", "# nothing\n");

	(void)state;
	assert_int_equal(s.dns.count, 2);
	assert_string_equal(s.dns.item[1], "[::1]:5300");
	assert_string_equal(s.http, "127.0.0.1:8053");
	assert_int_equal(s.workers, 0);
	assert_null(s.user);
	assert_int_equal(s.mode, 0);
	assert_int_equal(s.interval, 1000);
	assert_false(s.loud);
	assert_int_equal(s.deny.count, 0);
	assert_null(s.state);
	assert_int_equal(s.place.floor, 3);
	fini(&s);
	assert_null(s.http);
	assert_int_equal(s.dns.count, 0);
}

static void test_a_file_goes_over_the_defaults(void **state)
{
	struct settings s = read_good(
		"dir/n.yaml",
		"listen: {dns: [\"[::]:53\"], http: }\nworkers: 8\nuser: nigh\n"
		"probe:\n  mode: off\n  interval: 500ms\nloud: true\nsources:\n  manifests: [a, "
		"/b]\n"
		"publish: {deny: [127.0.0.0/8, \"::1\"]}\nstate: state\nplace: {floor: 9}\n");

	(void)state;
	assert_int_equal(s.dns.count, 1);
	assert_string_equal(s.dns.item[0], "[::]:53");
	assert_string_equal(s.http, "127.0.0.1:8053");
	assert_int_equal(s.workers, 8);
	assert_string_equal(s.user, "nigh");
	assert_int_equal(s.mode, 2);
	assert_int_equal(s.interval, 500);
	assert_true(s.loud);
	assert_string_equal(s.deny.item[1], "::1");
	assert_string_equal(s.state, "dir/state");
	assert_string_equal(s.sources.item[0], "dir/a");
	assert_string_equal(s.sources.item[1], "/b");
	assert_int_equal(s.place.floor, 9);
	fini(&s);
}

static void test_unknown_and_doubled_keys_are_errors(void **state)
{
	(void)state;
	assert_errors(
		"workers: 1\nworker: 2\nnothing:\nprobe:\n  mode: off\n  often:\n    very: 1\n",
		"dir/n.yaml:2: unknown key 'worker'\ndir/n.yaml:3: unknown key 'nothing'\n"
		"dir/n.yaml:6: unknown key 'probe.often'\n");
	assert_errors("\nprobe.mode: off\n", "dir/n.yaml:2: unknown key 'probe.mode'\n");
	assert_errors("probe: {mode: off}\nloud: true\nprobe: {}\n",
	              "dir/n.yaml:3: key 'probe' is there twice\n");
}

static void test_all_errors_of_a_file_are_reported(void **state)
{
	(void)state;
	assert_errors(
		"workers: 65\nprobe: 5\nloud: yes\nuser: 7\nstate: [x]\nplace: {}\n",
		"dir/n.yaml:1: workers must be 0 to 64\ndir/n.yaml:2: probe must be a mapping\n"
		"dir/n.yaml:3: loud must be true or false\ndir/n.yaml:4: user must be a text\n"
		"dir/n.yaml:5: state must be a text\ndir/n.yaml:6: place needs a floor\n");
	assert_errors(
		"workers: -1\nprobe:\n  interval: 5\n  mode: sometimes\nplace:\n  floor: x\n",
		"dir/n.yaml:1: workers must be a whole number\n"
		"dir/n.yaml:3: probe.interval must be a duration like 500ms, 10s, 5m, 2h or 0\n"
		"dir/n.yaml:4: probe.mode must be one of unseen|always|off\n"
		"dir/n.yaml:6: floor must be a whole number\n");
	assert_errors("probe: {interval: 5ms}\nlisten: {dns: x}\npublish:\n  deny:\n  - "
	              "1.2.3.4/8\n  - 5\n",
	              "dir/n.yaml:1: probe.interval must be 100ms to 1h\n"
	              "dir/n.yaml:2: listen.dns must be a list of texts\n"
	              "dir/n.yaml:5: publish.deny: '1.2.3.4/8' has bits set behind its length\n"
	              "dir/n.yaml:6: publish.deny must be a list of text\n");
	assert_errors("user: \"a\\0b\"\n", "dir/n.yaml:1: user holds a NUL\n");
}

static void test_an_empty_text_is_refused(void **state)
{
	(void)state;
	assert_errors("user: \"\"\nstate: \"\"\nsources:\n  manifests:\n  - a\n  - \"\"\n",
	              "dir/n.yaml:1: user must not be empty\n"
	              "dir/n.yaml:2: state must not be empty\n"
	              "dir/n.yaml:6: sources.manifests must not be empty\n");
}

static void test_what_is_not_one_mapping_is_refused(void **state)
{
	(void)state;
	assert_errors("- a\n", "dir/n.yaml:1: the settings must be a mapping\n");
	assert_errors("loud: true\n---\nloud: false\n",
	              "dir/n.yaml:3: only one document is allowed\n");
	assert_errors("loud: [\n", "dir/n.yaml:1: did not find expected node content\n");
}

static void test_what_is_printed_is_read_back(void **state)
{
	struct settings a = read_good(
		"n.yaml", "user: \"a\\\"b\\n\\u0085 \"\nstate: s\nprobe: {interval: 90s}\n"
			  "listen: {dns: []}\nloud: true\nworkers: 3\nsources: {manifests: [x]}\n");
	struct text first = {0}, second = {0};
	struct settings b;

	(void)state;
	conf_print(rows, ROWS, &a, &first);
	b = read_good("elsewhere/n.yaml", first.data);
	conf_print(rows, ROWS, &b, &second);
	assert_string_equal(first.data, second.data);
	assert_string_equal(b.user, a.user);
	assert_int_equal(b.interval, 90000);
	assert_int_equal(b.dns.count, 0);
	assert_memory_equal(first.data,
	                    "listen:\n  dns: []\n  http: \"127.0.0.1:8053\"\nworkers: 3\n", 54);
	assert_non_null(
		strstr(first.data, "\nprobe:\n  mode: unseen\n  interval: 90s\nloud: true\n"));
	assert_non_null(strstr(first.data, "\nplace: {floor: 3}\n"));
	text_fini(&first);
	text_fini(&second);
	fini(&a);
	fini(&b);
}

static void test_changes_that_need_a_restart_are_listed(void **state)
{
	struct settings a = read_good("n.yaml", ""),
			b = read_good("n.yaml", "loud: true\nprobe: {mode: off}\n");
	struct settings c =
		read_good("n.yaml", "workers: 2\nuser: x\nlisten: {dns: []}\nplace: {floor: 1}\n");
	struct text out = {0};

	(void)state;
	conf_changed(rows, ROWS, &a, &b, &out);
	assert_int_equal(out.len, 0);
	conf_changed(rows, ROWS, &a, &c, &out);
	assert_string_equal(out.data, "listen.dns, workers, user, place");
	text_fini(&out);
	fini(&a);
	fini(&b);
	fini(&c);
}

static void test_files_are_read(void **state)
{
	char name[] = "/tmp/test_conf_XXXXXX";
	int fd = mkstemp(name);
	struct settings s = {0};
	struct text errors = {0}, want = {0};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "workers: 5\nstate: s\n", 20), 20);
	close(fd);
	assert_int_equal(conf_read(rows, ROWS, name, &s, &errors), ERR_OK);
	assert_int_equal(s.workers, 5);
	assert_string_equal(s.state, "/tmp/s");
	unlink(name);
	assert_int_equal(conf_read(rows, ROWS, name, &s, &errors), ERR_IO);
	text_printf(&want, "%s: cannot open: No such file or directory\n", name);
	assert_string_equal(errors.data, want.data);
	text_reset(&errors);
	assert_int_equal(conf_read(rows, ROWS, "/", &s, &errors), ERR_IO);
	assert_string_equal(errors.data, "/: cannot read: Is a directory\n");
	text_fini(&errors);
	text_fini(&want);
	fini(&s);
}

static void test_the_manual_names_type_range_and_default(void **state)
{
	struct text out = {0};

	(void)state;
	conf_manual(rows, ROWS, &out);
	assert_non_null(strstr(out.data, ".It Ic probe.interval\nHow often.\nType: duration.\n"
	                                 "Range: 100ms to 1h.\nDefault: 1s.\n.It"));
	assert_non_null(strstr(out.data, ".It Ic probe.mode\n\\&.When \\e to probe.\n"
	                                 "Type: unseen|always|off.\nDefault: unseen.\n"));
	assert_non_null(strstr(out.data, ".It Ic user\nWhom to become.\nType: text.\n"
	                                 "A change needs a restart.\n"));
	text_fini(&out);
}

static void test_lists_are_equal_with_the_same_texts_in_the_same_order(void **state)
{
	char a[] = "a", other_a[] = "a", b[] = "b", *ab[] = {a, b}, *same[] = {other_a, b},
	     *ba[] = {b, a};
	const struct conf_strings list = {ab, 2}, shorter = {ab, 1}, none = {NULL, 0};

	(void)state;
	assert_true(conf_strings_equal(&list, &(struct conf_strings){same, 2}));
	assert_true(conf_strings_equal(&none, &(struct conf_strings){ab, 0}));
	assert_false(conf_strings_equal(&list, &(struct conf_strings){ba, 2}));
	assert_false(conf_strings_equal(&list, &shorter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_file_gives_the_defaults),
		cmocka_unit_test(test_a_file_goes_over_the_defaults),
		cmocka_unit_test(test_unknown_and_doubled_keys_are_errors),
		cmocka_unit_test(test_all_errors_of_a_file_are_reported),
		cmocka_unit_test(test_an_empty_text_is_refused),
		cmocka_unit_test(test_what_is_not_one_mapping_is_refused),
		cmocka_unit_test(test_what_is_printed_is_read_back),
		cmocka_unit_test(test_changes_that_need_a_restart_are_listed),
		cmocka_unit_test(test_files_are_read),
		cmocka_unit_test(test_lists_are_equal_with_the_same_texts_in_the_same_order),
		cmocka_unit_test(test_the_manual_names_type_range_and_default),
	};

	return cmocka_run_group_tests_name("base/conf", tests, NULL, NULL);
}
