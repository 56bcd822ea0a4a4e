/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/support/zones_files.h"
#include "tests/support/zones_world.h"

/* The file's text without the folder in it; static memory. */
static const char *without_folder(const struct zfiles *f, const char *text)
{
	static char out[32768];
	size_t len = 0, folder = strlen(f->folder) + 1;

	while (text && *text && len < sizeof(out) - 1) {
		if (strncmp(text, f->folder, folder - 1) == 0)
			text += folder;
		else
			out[len++] = *text++;
	}
	out[len] = '\0';
	return out;
}

/* `text` behind a head of two lines is refused, and these are all errors. */
static void refused(const struct zfiles *f, const char *text, const char *errors)
{
	char whole[2048];
	struct zonefile *z;

	snprintf(whole, sizeof(whole), "%s%s", ZFILES_HEAD, text);
	zfiles_write(f, "zone", whole);
	z = zfiles_read(f, NULL);
	assert_string_equal(without_folder(f, zonefile_errors(z)), errors);
	assert_false(zonefile_is_good(z));
	assert_int_equal(zonefile_name_count(z), 0);
	zonefile_free(z);
}

/* It is fine, with these warnings. */
static void warned(const struct zfiles *f, const char *text, const char *warnings)
{
	char whole[2048];
	struct zonefile *z;

	snprintf(whole, sizeof(whole), "%s%s", ZFILES_HEAD, text);
	zfiles_write(f, "zone", whole);
	z = zfiles_read(f, NULL);
	assert_string_equal(without_folder(f, zonefile_errors(z)), "");
	assert_string_equal(without_folder(f, zonefile_warnings(z)), warnings);
	zonefile_free(z);
}

/* What the zone is, printed; the caller frees. */
static char *print_zone(struct zfiles *f, const char *text)
{
	struct zones *z = zones_new();
	char *printed;

	zfiles_set_zone(z);
	zfiles_write(f, "zone", text);
	assert_true(zfiles_load(f, z));
	printed = zworld_print(zones_build(z, 1));
	zones_free(z);
	zonefile_free(f->current);
	f->current = NULL;
	return printed;
}

static void test_every_form_of_a_record_is_read(void **state)
{
	static const char expected[] =
		"zone example.com. names=7 negative=60\n"
		" name example.com. apex from zone file of example.com\n"
		"  7200 NS ns1.example.com.\n"
		"  3600 SOA ns1.example.com. host.example.com. - 3600 900 604800 60\n"
		"  30 TXT \"a b\" \"c\" \"\\\"d\"\n"
		" name \\..example.com. from zone file of example.com\n"
		"  7200 A 192.0.2.8\n"
		" name a.example.com. from zone file of example.com\n"
		"  1 A 192.0.2.1\n"
		"  1 A 192.0.2.2\n"
		" name sub.example.com. empty\n"
		" name h.sub.example.com. from zone file of example.com\n"
		"  90 HTTPS 1 . alpn=h2\n"
		" name m.sub.example.com. from zone file of example.com\n"
		"  90 MX 10 sub.example.com.\n"
		"  90 MX 20 a.example.com.\n"
		" name x.sub.example.com. from zone file of example.com\n"
		"  90 TYPE65280 \\# 4 01020304\n"
		" name U.example.com. from zone file of example.com\n"
		"  7200 A 192.0.2.9\n";
	char *printed =
		print_zone(*state, "@ IN 1h SOA ns1 host (\n 7 1h ; refresh\n 15m 1w 1m )\n"
	                           "\t2h NS ns1\n\t30 TXT \"a b\" c \\\"d\n"
	                           "a 1 IN A 192.0.2.1\n  IN A 192.0.2.2\n"
	                           "$ORIGIN sub\n$TTL 1m30s\n"
	                           "m MX 10 @\nm.sub.example.com. MX 20 a.example.com.\n"
	                           "x CLASS1 TYPE65280 \\# 4 0102 0304\nh HTTPS 1 . alpn=h2\n"
	                           "$ORIGIN example.com.\n$TTL 2h\nU TYPE1 \\# 4 c0000209\n"
	                           "\\046 A 192.0.2.8\n");
	const char *zone = strstr(printed, "zone ");

	assert_non_null(zone);
	assert_string_equal(zone, expected);
	free(printed);
}

static void test_a_copy_reads_as_the_same_zone(void **state)
{
	struct zfiles *f = *state;
	struct zonefile_request request = {.path = f->path,
	                                   .apex = zworld_wire("example.com"),
	                                   .ttl = 30,
	                                   .key = {{1, 2, 3, 4}},
	                                   .keeps_records = true};
	struct zonefile *first, *again;
	struct reason why = {0};
	char copy[128];

	zfiles_write(f, "zone",
	             ZFILES_HEAD "a TXT \"a; b\" \"\\\"\"\n\\046\\032 A 192.0.2.8\n* 7 MX 0 a\n"
	                         "a CAA 0 issue \"x\"\nh HTTPS 1 . alpn=h2\ne TYPE65280 \\# 0\n"
	                         "sub NS ns.sub\nns.sub AAAA 2001:db8::1\n$INCLUDE more Inc\n");
	zfiles_write(f, "more",
	             "x CNAME \\@\\\\.\\$.Y\np PTR p\np6 AAAA ::ffff:192.0.2.1\ns SRV 1 2 3 x\n"
	             "t DNAME \\;\\(.a\n");
	snprintf(copy, sizeof(copy), "%s/copy", f->folder);
	first = zonefile_read(&request);
	assert_true(zonefile_is_good(first));
	/* Whatever has become of the files since. */
	zfiles_write(f, "zone", ZFILES_HEAD "a A bad\n");
	assert_int_equal(zonefile_copy(first, copy, &why), ERR_OK);
	zonefile_drop_records(first);
	request.path = copy;
	request.before = first;
	again = zonefile_read(&request);
	assert_null(zonefile_errors(again));
	assert_int_equal(zonefile_name_count(again), zonefile_name_count(first));
	assert_int_equal(zonefile_change_count(again), 0);
	assert_int_equal(zonefile_serial(again), 7);
	zonefile_free(again);
	zonefile_free(first);
}

static void test_broken_zones_are_refused_with_file_and_line(void **state)
{
	refused(*state, "a CNAME b\na A 192.0.2.1\n",
	        "zone:4: a.example.com.: a CNAME beside other data (see line 3)\n");
	refused(*state, "a CNAME b\na CNAME c\n",
	        "zone:4: a.example.com.: more than one CNAME (see line 3)\n");
	refused(*state, "a DNAME b\na DNAME c\n",
	        "zone:4: a.example.com.: more than one DNAME (see line 3)\n");
	refused(*state, "a NS b\na DNAME c\n",
	        "zone:4: a.example.com.: a DNAME beside NS (see line 3)\n");
	refused(*state, "x.y.a A 192.0.2.1\na DNAME c\n",
	        "zone:3: x.y.a.example.com.: a name below a DNAME (see line 4)\n");
	refused(*state, "a A 192.0.2.1\n@ DNAME c.net.\n",
	        "zone:3: a.example.com.: a name below a DNAME (see line 4)\n");
	refused(*state, "@ SOA ns1 host 8 1 1 1 1\n",
	        "zone:3: example.com.: more than one SOA (see line 1)\n");
	refused(*state, "a SOA ns1 host 8 1 1 1 1\n",
	        "zone:3: a.example.com.: a SOA below the zone's apex\n");
	refused(*state, "@ CNAME a\n",
	        "zone:3: example.com.: a CNAME beside other data (see line 2)\n");
}

static void test_broken_lines_are_all_told(void **state)
{
	refused(*state,
	        "a A 192.0.2\nb\nc FOO x\nd CH A 192.0.2.1\ne -1 A 192.0.2.1\n"
	        "$GENERATE 1-9 a$ A 192.0.2.$\n$TTL never\n$ORIGIN\n$BLACKHOLE\n"
	        "f TXT\ng MX 70000 a\nh..i A 192.0.2.1\n",
	        "zone:3: A: '192.0.2' is not an IPv4 address\n"
	        "zone:4: there is no type\n"
	        "zone:5: 'FOO' is not a type that a zone can hold, nor a TTL up to 2147483647\n"
	        "zone:6: 'CH' is not the class of this zone, IN\n"
	        "zone:7: '-1' is not a type that a zone can hold, nor a TTL up to 2147483647\n"
	        "zone:8: $GENERATE is not supported; write the records themselves\n"
	        "zone:9: $TTL: 'never' is not a TTL from 0 to 2147483647\n"
	        "zone:10: $ORIGIN: a name is missing\n"
	        "zone:11: '$BLACKHOLE' is not a directive of master files\n"
	        "zone:12: TXT: a text is missing\n"
	        "zone:13: MX: '70000' is not a number from 0 to 65535\n"
	        "zone:14: 'h..i': a label is empty\n");
	refused(*state, "a 2147483648 A 192.0.2.1\n",
	        "zone:3: '2147483648' is not a type that a zone can hold, nor a TTL up to "
	        "2147483647\n");
	refused(*state, "a HTTPS 1 . alpn=h2 alpn=h3\n", "zone:3: HTTPS: key 1 is there twice\n");
}

static void test_a_zone_needs_soa_and_ns(void **state)
{
	struct zonefile *z;

	zfiles_write(*state, "zone", "a A 192.0.2.1\n");
	z = zfiles_read(*state, NULL);
	assert_string_equal(
		without_folder(*state, zonefile_errors(z)),
		"zone:1: the zone has no SOA\nzone:1: the zone has no NS at its apex\n");
	zonefile_free(z);
	zfiles_write(*state, "zone", "");
	z = zfiles_read(*state, NULL);
	assert_false(zonefile_is_good(z));
	zonefile_free(z);
}

static void test_what_can_be_made_right_is_a_warning(void **state)
{
	warned(*state, "a.example.org. A 192.0.2.1\n  A 192.0.2.2\n",
	       "zone:3: a.example.org. lies outside the zone and is left out\n");
	warned(*state, "a 60 A 192.0.2.1\na 30 A 192.0.2.2\na 90 A 192.0.2.3\n",
	       "zone:4: a.example.com. A: another TTL than in line 3; all get the smallest "
	       "(RFC 2181 5.2)\n");
	warned(*state, "a A 192.0.2.1\na A 192.0.2.1\n", "");
	warned(*state, "a RRSIG x\n", "zone:3: RRSIG of a file is not served, and left out\n");
}

static void test_an_rrset_has_one_ttl_and_no_record_twice(void **state)
{
	char *printed = print_zone(*state, ZFILES_HEAD
	                           "a 60 A 192.0.2.1\na 30 A 192.0.2.2\na 90 A 192.0.2.1\n");

	assert_non_null(strstr(printed, " name a.example.com. from zone file of example.com\n"
	                                "  30 A 192.0.2.1\n  30 A 192.0.2.2\n"));
	assert_null(strstr(printed, "  30 A 192.0.2.2\n  "));
	free(printed);
}

static void add_many(struct text *t, const char *type, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(type, "A") == 0)
			text_printf(t, "many A 10.%zu.%zu.%zu\n", i >> 16, i >> 8 & 255, i & 255);
		else
			text_printf(t, "many %s %s%zx\n", type,
			            strcmp(type, "AAAA") == 0 ? "2001:db8::" : "", i);
}

static const char *errors_of(const struct zfiles *f, const char *type, size_t count)
{
	static char errors[256];
	struct text t = {NULL, 0, 0};
	struct zonefile *z;

	text_add(&t, ZFILES_HEAD);
	add_many(&t, type, count);
	zfiles_write(f, "zone", t.data);
	z = zfiles_read(f, NULL);
	snprintf(errors, sizeof(errors), "%s", without_folder(f, zonefile_errors(z)));
	zonefile_free(z);
	text_fini(&t);
	return errors;
}

/* Of addresses an answer tells some, of other types all. */
static void test_a_name_may_have_more_addresses_than_an_answer(void **state)
{
	assert_string_equal(errors_of(*state, "A", 10000), "");
	assert_string_equal(errors_of(*state, "AAAA", 65535), "");
	assert_string_equal(errors_of(*state, "A", 65536),
	                    "zone:3: many.example.com. A: more than 65535 addresses\n");
	assert_string_equal(errors_of(*state, "TXT", 10000),
	                    "zone:3: many.example.com. TXT: too many records for one answer\n");
}

/* RFC 4034 6.3: in RDATA too, names have no case; numbers before them are no letters. */
static void test_names_in_rdata_that_differ_in_case_are_one(void **state)
{
	char *printed =
		print_zone(*state, ZFILES_HEAD "p PTR b\np PTR B\np PTR a\n"
	                                       "m MX 16705 h\nm MX 24929 h\nm MX 16705 H\n");

	assert_non_null(strstr(printed, "\n  300 MX 16705 H.example.com.\n"
	                                "  300 MX 24929 h.example.com.\n name p"));
	assert_non_null(strstr(printed, "\n  300 PTR a.example.com.\n  300 PTR B.example.com.\n"));
	assert_null(strstr(printed, "PTR b"));
	free(printed);
}

static void test_files_are_included_and_named(void **state)
{
	struct zfiles *f = *state;
	char path[128], *printed;

	snprintf(path, sizeof(path), "%s/sub", f->folder);
	assert_int_equal(mkdir(path, 0755), 0);
	zfiles_write(f, "sub/one", "$TTL 9\nb A 192.0.2.2\n$INCLUDE two\n  AAAA 2001:db8::1\n");
	zfiles_write(f, "two", "$ORIGIN deep\n@ A 192.0.2.3\n");
	printed = print_zone(f, ZFILES_HEAD "a 5 A 192.0.2.1\n$INCLUDE \"sub/one\" inc\n"
	                                    "  TXT after\n");
	assert_non_null(strstr(printed, " name a.example.com. from zone file of example.com\n"
	                                "  5 A 192.0.2.1\n  5 TXT \"after\"\n"));
	assert_non_null(strstr(printed, " name b.inc.example.com. from zone file of example.com\n"
	                                "  9 A 192.0.2.2\n  9 AAAA 2001:db8::1\n"));
	assert_non_null(strstr(printed, " name deep.inc.example.com. from"));
	free(printed);
	zfiles_write(f, "two", "\n\nx A 192.0.2\n");
	refused(f, "$INCLUDE sub/one\ny A 192\n",
	        "two:3: A: '192.0.2' is not an IPv4 address\n"
	        "zone:4: A: '192' is not an IPv4 address\n");
}

static void test_no_include_leaves_the_directory(void **state)
{
	struct zfiles *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/away", f->folder);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	snprintf(path, sizeof(path), "%s/up", f->folder);
	assert_int_equal(symlink("..", path), 0);
	snprintf(path, sizeof(path), "%s/here", f->folder);
	assert_int_equal(symlink("inc", path), 0);
	snprintf(path, sizeof(path), "%s/pipe", f->folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	zfiles_write(f, "inc", "i A 192.0.2.1\n");
	refused(f,
	        "$INCLUDE ../x\n$INCLUDE /etc/hostname\n$INCLUDE away\n$INCLUDE up/x\n"
	        "$INCLUDE zone\n$INCLUDE pipe\n$INCLUDE .\n$INCLUDE\n$INCLUDE gone\n",
	        "zone:3: $INCLUDE: ../x leads out of the zone file's directory\n"
	        "zone:4: $INCLUDE: /etc/hostname leads out of the zone file's directory\n"
	        "zone:5: $INCLUDE: away leads out of the zone file's directory\n"
	        "zone:6: $INCLUDE: up/x leads out of the zone file's directory\n"
	        "zone:7: $INCLUDE: zone is including itself\n"
	        "zone:8: $INCLUDE: pipe is not a regular file\n"
	        "zone:9: $INCLUDE: . is not a regular file\n"
	        "zone:10: $INCLUDE: a file name is missing\n"
	        "zone:11: $INCLUDE: gone cannot be read: No such file or directory\n");
	warned(f, "$INCLUDE here\n", "");
	snprintf(path, sizeof(path), "$INCLUDE %s/inc\n", f->folder);
	warned(f, path, "");
}

/* Whatever the config calls the directory, and the $INCLUDE. */
static void test_a_path_from_the_root_may_lead_into_the_directory(void **state)
{
	struct zfiles *f = *state, relative = *f;
	char before[4096], other[128], line[256];

	snprintf(other, sizeof(other), "%s-other", f->folder);
	assert_int_equal(symlink(f->folder, other), 0);
	zfiles_write(f, "inc", "i A 192.0.2.1\n");
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(f->folder), 0);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const before_it[] = {"", "./", "../"};

		snprintf(relative.path, sizeof(relative.path), "%s%s%szone", before_it[i],
		         i == 2 ? strrchr(f->folder, '/') + 1 : "", i == 2 ? "/" : "");
		snprintf(line, sizeof(line), "$INCLUDE %s/inc\n", f->folder);
		warned(&relative, line, "");
		snprintf(line, sizeof(line), "$INCLUDE \"%s/./inc\"\n", other);
		warned(&relative, line, "");
	}
	assert_int_equal(chdir(before), 0);
	assert_int_equal(unlink(other), 0);
	snprintf(line, sizeof(line), "$INCLUDE %s/../x\n", f->folder);
	refused(f, line, "zone:3: $INCLUDE: ../x leads out of the zone file's directory\n");
	snprintf(line, sizeof(line), "$INCLUDE %s/\n", f->folder);
	refused(f, line, "zone:3: $INCLUDE: a file name is missing\n");
}

static void expect_unreadable(const struct zfiles *f, const char *error)
{
	struct zonefile *z = zfiles_read(f, NULL);

	assert_string_equal(without_folder(f, zonefile_errors(z)), error);
	zonefile_free(z);
}

static void test_what_is_no_regular_file_is_not_read(void **state)
{
	struct zfiles *f = *state;

	expect_unreadable(f, "zone: cannot be read: No such file or directory\n");
	assert_int_equal(mkfifo(f->path, 0644), 0);
	expect_unreadable(f, "zone: is not a regular file\n");
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0755), 0);
	expect_unreadable(f, "zone: is not a regular file\n");
}

static void test_hostile_lines_end_in_errors(void **state)
{
	const struct zfiles *f = *state;
	struct text t = {NULL, 0, 0};
	struct zonefile *z;

	text_add(&t, ZFILES_HEAD);
	for (unsigned type = 0; type < 4; type++) {
		static const char *const types[] = {"TXT \"", "CAA 0 issue ", "NS ", "APL "};

		text_printf(&t, "a%u %s", type, types[type]);
		for (unsigned i = 0; i < 70000; i++)
			text_add(&t, "x");
		text_add(&t, "\n");
	}
	for (unsigned i = 0; i < 200; i++)
		text_add(&t, "bad\n");
	zfiles_write(f, "zone", t.data);
	z = zfiles_read(f, NULL);
	assert_false(zonefile_is_good(z));
	assert_non_null(strstr(zonefile_errors(z), "zone:3: a quotation mark is open"));
	assert_non_null(strstr(zonefile_errors(z), "zone:4: CAA: the text is longer than 64 KiB"));
	assert_non_null(strstr(zonefile_errors(z), "zone:6: APL: the text is longer than 64 KiB"));
	assert_non_null(strstr(zonefile_errors(z), "zone: 104 more\n"));
	zonefile_free(z);
	text_fini(&t);
}

static void test_of_a_changed_file_only_the_difference_is_built(void **state)
{
	struct zfiles *f = *state;
	struct zones *z = zones_new();

	zfiles_set_zone(z);
	zfiles_write(f, "zone", ZFILES_HEAD "a A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.3\n");
	assert_true(zfiles_load(f, z));
	assert_int_equal(zonefile_change_count(f->current), 4);
	zones_build(z, 1);
	zfiles_write(f, "zone", "\n\n" ZFILES_HEAD "c A 192.0.2.3\na A 192.0.2.9\nd A 192.0.2.4\n");
	assert_true(zfiles_load(f, z));
	/* a differs, d is new, b has gone. */
	assert_int_equal(zonefile_change_count(f->current), 3);
	zones_build(z, 2);
	assert_true(zfiles_load(f, z));
	assert_int_equal(zonefile_change_count(f->current), 0);
	zones_free(z);
}

static void test_the_serial_is_at_least_the_files_and_never_goes_back(void **state)
{
	struct zfiles *f = *state;
	struct zones *z = zones_new();

	zfiles_set_zone(z);
	zfiles_write(f, "zone", "@ SOA a b 2026112701 1 1 1 1\n@ NS a\n");
	assert_true(zfiles_load(f, z));
	assert_int_equal(zone_serial(snapshot_zone(zones_build(z, 1000), 0)), 2026112701);
	zfiles_write(f, "zone", "@ SOA a b 2026112701 1 1 1 1\n@ NS a\na A 192.0.2.1\n");
	assert_true(zfiles_load(f, z));
	assert_int_equal(zone_serial(snapshot_zone(zones_build(z, 1000), 0)), 2026112702);
	zfiles_write(f, "zone", "@ SOA a b 5 1 1 1 1\n@ NS a\n");
	assert_true(zfiles_load(f, z));
	assert_int_equal(zone_serial(snapshot_zone(zones_build(z, 1000), 0)), 2026112703);
	zones_free(z);
}

static void test_a_zone_whose_file_was_never_read_is_incomplete(void **state)
{
	struct zfiles *f = *state;
	struct zones *z = zones_new();

	zfiles_set_zone(z);
	assert_true(zone_is_incomplete(snapshot_zone(zones_build(z, 1), 0)));
	zfiles_write(f, "zone", ZFILES_HEAD);
	assert_true(zfiles_load(f, z));
	assert_false(zone_is_incomplete(snapshot_zone(zones_build(z, 1), 0)));
	zones_free(z);
}

/* --- random zones against a plain list --- */

enum { WORLDS = 120, NAMES = 12, VERSIONS = 4 };

struct plain {
	char owner[32];
	const char *type, *rdata;
	unsigned ttl;
};

static size_t random_records(uint64_t *seed, struct plain *out)
{
	static const struct {
		const char *type, *rdata[2];
	} kinds[] = {{"A", {"192.0.2.1", "192.0.2.2"}},
	             {"AAAA", {"2001:db8::1", "2001:db8::2"}},
	             {"TXT", {"\"a b\"", "\"c\""}},
	             {"MX", {"10 m.example.com.", "20 n.example.net."}}};
	static const char *const labels[] = {"a", "b", "*", "A.b", "x.y.z", "_t.a"};
	size_t count = 1 + zworld_random(seed) % NAMES;

	for (size_t i = 0; i < count; i++) {
		const char *label = labels[zworld_random(seed) % 6];
		size_t kind = zworld_random(seed) % 4;

		snprintf(out[i].owner, sizeof(out[i].owner), "%s", label);
		out[i].type = kinds[kind].type;
		out[i].rdata = kinds[kind].rdata[zworld_random(seed) % 2];
		/* One TTL for each RRset. */
		out[i].ttl = 10 + 10 * (unsigned)kind;
	}
	return count;
}

/* In one of the many ways to write it. */
static void write_record(uint64_t *seed, const struct plain *p, const char *before,
                         struct text *out)
{
	uint64_t way = zworld_random(seed);

	if (way & 1 && before && strcmp(before, p->owner) == 0)
		text_add(out, " ");
	else
		text_printf(out, "%s%s ", p->owner, way & 2 ? ".example.com." : "");
	text_printf(out, way & 4 ? "IN %u " : "%u IN ", p->ttl);
	text_printf(out, way & 8 ? "(%s\n%s ) ; it\n" : "%s %s\n", p->type, p->rdata);
	if (way & 16)
		text_add(out, "; a comment (\n\n");
}

static void write_zone(uint64_t *seed, const struct plain *p, size_t count, const struct zfiles *f)
{
	struct text text = {NULL, 0, 0};

	text_add(&text, ZFILES_HEAD);
	for (size_t i = 0; i < count; i++)
		write_record(seed, &p[i], i ? p[i - 1].owner : NULL, &text);
	zfiles_write(f, "zone", text.data);
	text_fini(&text);
}

static bool has_type(const struct plain *p, size_t count, const char *owner, const char *type,
                     const char *rdata)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(p[i].owner, owner) == 0 && strcmp(p[i].type, type) == 0 &&
		    strcmp(p[i].rdata, rdata) == 0)
			return true;
	return false;
}

/* Every record of the list is printed below its name, and no other. */
static void check_zone(const char *printed, const struct plain *p, size_t count)
{
	const char *line = strstr(printed, " name example.com. apex");
	char owner[64] = "", type[16], rdata[64];
	size_t records = 0, expected = 0;
	unsigned ttl;

	assert_non_null(line);
	for (; *line; line += strcspn(line, "\n") + 1) {
		if (sscanf(line, " name %63s", owner) == 1)
			continue;
		if (sscanf(line, "  %u %15s %63[^\n]", &ttl, type, rdata) != 3 ||
		    strcmp(owner, "example.com.") == 0)
			continue;
		records++;
		assert_non_null(strstr(owner, ".example.com."));
		*strstr(owner, ".example.com.") = '\0';
		assert_true(has_type(p, count, owner, type, rdata));
		strcat(owner, ".example.com.");
	}
	for (size_t i = 0; i < count; i++)
		expected += !has_type(p, i, p[i].owner, p[i].type, p[i].rdata);
	assert_int_equal(records, expected);
}

static void test_random_zones_are_what_a_plain_list_says(void **state)
{
	struct zfiles *f = *state;

	for (uint64_t world = 0; world < WORLDS; world++) {
		uint64_t seed = world;
		struct zones *z = zones_new();

		zfiles_set_zone(z);
		/* Each version by its difference from the one before. */
		for (unsigned version = 0; version < VERSIONS; version++) {
			struct plain p[NAMES + 1];
			size_t count = random_records(&seed, p);
			char *printed;

			write_zone(&seed, p, count, f);
			assert_true(zfiles_load(f, z));
			printed = zworld_print(zones_build(z, 1));
			check_zone(printed, p, count);
			free(printed);
		}
		zones_free(z);
		zonefile_free(f->current);
		f->current = NULL;
	}
}

#define with_files(test) cmocka_unit_test_setup_teardown(test, zfiles_setup, zfiles_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_files(test_every_form_of_a_record_is_read),
		with_files(test_a_copy_reads_as_the_same_zone),
		with_files(test_broken_zones_are_refused_with_file_and_line),
		with_files(test_broken_lines_are_all_told),
		with_files(test_a_zone_needs_soa_and_ns),
		with_files(test_what_can_be_made_right_is_a_warning),
		with_files(test_an_rrset_has_one_ttl_and_no_record_twice),
		with_files(test_a_name_may_have_more_addresses_than_an_answer),
		with_files(test_names_in_rdata_that_differ_in_case_are_one),
		with_files(test_files_are_included_and_named),
		with_files(test_no_include_leaves_the_directory),
		with_files(test_a_path_from_the_root_may_lead_into_the_directory),
		with_files(test_what_is_no_regular_file_is_not_read),
		with_files(test_hostile_lines_end_in_errors),
		with_files(test_of_a_changed_file_only_the_difference_is_built),
		with_files(test_the_serial_is_at_least_the_files_and_never_goes_back),
		with_files(test_a_zone_whose_file_was_never_read_is_incomplete),
		with_files(test_random_zones_are_what_a_plain_list_says),
	};

	return cmocka_run_group_tests_name("zones/zonefile", tests, NULL, NULL);
}
