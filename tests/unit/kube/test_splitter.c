/* What is heard of a list and of a watch, whatever comes and wherever the pieces end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "kube/splitter.h"

enum { MOST = 1 << 16, BESIDE = 16 << 10 };

/* --- helpers --- */

/* One call a line: "object JSON", "skipped TYPE/NAMESPACE/NAME LEN", "envelope JSON". */
struct heard {
	struct text calls;
	size_t enough; /* so many objects, or 0 */
	size_t count;
};

static bool on_object(struct bytes json, void *arg)
{
	struct heard *heard = arg;

	text_add(&heard->calls, "object ");
	text_add_bytes(&heard->calls, json);
	text_add(&heard->calls, "\n");
	return ++heard->count != heard->enough;
}

static void on_skipped(struct bytes type, struct bytes namespace, struct bytes name, uint64_t len,
                       void *arg)
{
	struct heard *heard = arg;

	text_add(&heard->calls, "skipped ");
	text_add_bytes(&heard->calls, type);
	text_add(&heard->calls, "/");
	text_add_bytes(&heard->calls, namespace);
	text_add(&heard->calls, "/");
	text_add_bytes(&heard->calls, name);
	text_printf(&heard->calls, " %llu\n", (unsigned long long)len);
}

static void on_envelope(struct bytes json, void *arg)
{
	struct heard *heard = arg;

	text_add(&heard->calls, "envelope ");
	text_add_bytes(&heard->calls, json);
	text_add(&heard->calls, "\n");
}

static struct splitter *splitter_to(struct heard *heard, enum splitter_mode mode, size_t most)
{
	struct splitter_events events = {on_object, on_skipped, on_envelope, heard};

	text_add(&heard->calls, "");
	return splitter_new(mode, most, &events);
}

/* An exact copy each time, so that a sanitizer sees a look at what is gone. */
static enum err feed(struct splitter *s, const char *from, size_t len, struct reason *why)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum err err;

	assert_non_null(copy);
	memcpy(copy, from, len);
	err = splitter_feed(s, (struct bytes){copy, len}, why);
	free(copy);
	return err;
}

static enum err feed_text(struct splitter *s, const char *text)
{
	return feed(s, text, strlen(text), NULL);
}

/* A last line tells the end: "ok", "half", or what is wrong. */
static void tell_end(struct splitter *s, struct heard *heard, enum err err,
                     const struct reason *why)
{
	if (err != ERR_OK)
		text_printf(&heard->calls, "%s: %s\n", err_text(err), why->text);
	else
		text_add(&heard->calls, splitter_is_between(s) ? "ok\n" : "half\n");
}

struct sample {
	enum splitter_mode mode;
	size_t most;
	const char *text;
	const char *calls; /* but for those that are only compared with themselves */
};

/* In two pieces. */
static char *hear_split(const struct sample *sample, size_t at)
{
	struct heard heard = {0};
	struct splitter *s = splitter_to(&heard, sample->mode, sample->most);
	struct reason why = {""};
	enum err err = feed(s, sample->text, at, &why);

	if (err == ERR_OK)
		err = feed(s, sample->text + at, strlen(sample->text) - at, &why);
	tell_end(s, &heard, err, &why);
	splitter_free(s);
	return text_take(&heard.calls);
}

/* In pieces of 1 to `longest` bytes, and some empty ones. */
static char *hear_pieces(const struct sample *sample, size_t longest, uint32_t seed)
{
	struct heard heard = {0};
	struct splitter *s = splitter_to(&heard, sample->mode, sample->most);
	size_t len = strlen(sample->text);
	struct reason why = {""};
	enum err err = ERR_OK;

	for (size_t at = 0; at < len && err == ERR_OK;) {
		size_t n;

		seed = seed * 1664525 + 1013904223;
		n = longest == 1 ? 1 : (seed >> 8) % (longest + 1);
		n = n < len - at ? n : len - at;
		err = feed(s, sample->text + at, n, &why);
		at += n;
	}
	tell_end(s, &heard, err, &why);
	splitter_free(s);
	return text_take(&heard.calls);
}

static void assert_heard(enum splitter_mode mode, size_t most, const char *text, const char *calls)
{
	struct sample sample = {mode, most, text, calls};
	char *got = hear_split(&sample, strlen(text));

	assert_string_equal(got, calls);
	free(got);
}

static void assert_list(const char *text, const char *calls)
{
	assert_heard(SPLITTER_LIST, MOST, text, calls);
}

static void assert_watch(const char *text, const char *calls)
{
	assert_heard(SPLITTER_WATCH, MOST, text, calls);
}

/* "HEAD" + count times `unit` + "TAIL" */
static char *repeated(const char *head, const char *unit, size_t count, const char *tail)
{
	struct text t = {0};

	text_add(&t, head);
	for (size_t i = 0; i < count; i++)
		text_add(&t, unit);
	text_add(&t, tail);
	return text_take(&t);
}

/* --- lists --- */

static void test_a_typed_list_gives_its_items_and_then_what_is_around_them(void **state)
{
	(void)state;
	assert_list("{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":"
	            "{\"resourceVersion\":\"7\"},\"items\":[{\"a\":1},{\"b\":[2,{}]}]}\n",
	            "object {\"a\":1}\nobject {\"b\":[2,{}]}\n"
	            "envelope {\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":"
	            "{\"resourceVersion\":\"7\"},\"items\":[]}\nok\n");
}

static void test_items_may_stand_before_kind_and_metadata(void **state)
{
	(void)state;
	assert_list("{\"apiVersion\":\"x/v1\",\"items\":[{\"a\":1}],\"kind\":\"XList\","
	            "\"metadata\":{\"resourceVersion\":\"7\"}}",
	            "object {\"a\":1}\nenvelope {\"apiVersion\":\"x/v1\",\"items\":[],"
	            "\"kind\":\"XList\",\"metadata\":{\"resourceVersion\":\"7\"}}\nok\n");
	assert_list("{\"items\":[{}]}", "object {}\nenvelope {\"items\":[]}\nok\n");
}

static void test_an_empty_list_and_null_items_give_no_object(void **state)
{
	(void)state;
	assert_list("{\"items\":[],\"a\":1}", "envelope {\"items\":[],\"a\":1}\nok\n");
	assert_list("{\"items\":[ \n ]}", "envelope {\"items\":[]}\nok\n");
	assert_list("{\"items\":null,\"a\":1}", "envelope {\"items\":[],\"a\":1}\nok\n");
	assert_list("{\"items\": null }", "envelope {\"items\": [] }\nok\n");
	assert_list("{\"items\":nuclear}",
	            "not well formed: byte 0x63 where items should be null\n");
}

static void test_only_the_items_at_the_top_are_the_items(void **state)
{
	(void)state;
	assert_list("{\"a\":{\"items\":[{}]},\"b\":\"items\",\"items\":[{\"items\":[{}]}]}",
	            "object {\"items\":[{}]}\n"
	            "envelope {\"a\":{\"items\":[{}]},\"b\":\"items\",\"items\":[]}\nok\n");
	assert_list("{\"items\":{\"a\":[1]}}", "envelope {\"items\":{\"a\":[1]}}\nok\n");
	assert_list("{\"items\":\"[\"}", "envelope {\"items\":\"[\"}\nok\n");
	assert_list("{\"items\":7,\"a\":[1]}", "envelope {\"items\":7,\"a\":[1]}\nok\n");
}

static void test_what_is_no_list_is_all_envelope(void **state)
{
	const char *status = "{\"kind\":\"Status\",\"metadata\":{},\"message\":\"too old: 3 {[\","
			     "\"reason\":\"Expired\",\"code\":410}";
	char *calls = repeated("envelope ", status, 1, "\nok\n");

	(void)state;
	assert_list(status, calls);
	free(calls);
}

static void test_white_space_of_a_readable_list_is_passed_over(void **state)
{
	(void)state;
	assert_list("\n {\n \"items\" : [\n { \"a\" : 1 } ,\r\n\t{ }\n ] ,\n \"k\" : \"x y\"\n}\n ",
	            "object { \"a\" : 1 }\nobject { }\n"
	            "envelope {\n \"items\" : [] ,\n \"k\" : \"x y\"\n}\nok\n");
}

static void test_items_that_are_no_objects_are_refused(void **state)
{
	static const char *const items[] = {"null", "7", "\"a\"", "[]", "true", ","};
	static const unsigned byte[] = {'n', '7', '"', '[', 't', ','};

	(void)state;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		char text[64], calls[128];

		snprintf(text, sizeof(text), "{\"items\":[{},%s]}", items[i]);
		snprintf(calls, sizeof(calls),
		         "object {}\nnot well formed: byte 0x%02x where an item should begin\n",
		         byte[i]);
		assert_list(text, calls);
	}
}

static void test_between_items_stands_one_comma(void **state)
{
	(void)state;
	assert_list("{\"items\":[{}{}]}", "object {}\nnot well formed: byte 0x7b after an item\n");
	assert_list("{\"items\":[{}}", "object {}\nnot well formed: byte 0x7d after an item\n");
	assert_list("{\"items\":[{},]}",
	            "object {}\nnot well formed: byte 0x5d where an item should begin\n");
	assert_list("{\"items\":[,{}]}", "not well formed: byte 0x2c where an item should begin\n");
}

static void test_after_a_list_comes_nothing(void **state)
{
	(void)state;
	assert_list(
		"{\"items\":[]} {}",
		"envelope {\"items\":[]}\nnot well formed: byte 0x7b after the end of the list\n");
}

/* --- watches --- */

static void test_a_watch_gives_one_object_after_the_other(void **state)
{
	(void)state;
	assert_watch(
		"{\"type\":\"ADDED\",\"object\":{\"a\":1}}\n{\"type\":\"BOOKMARK\"} \r\n{}{}\n",
		"object {\"type\":\"ADDED\",\"object\":{\"a\":1}}\n"
		"object {\"type\":\"BOOKMARK\"}\nobject {}\nobject {}\nok\n");
}

static void test_a_watch_knows_no_items(void **state)
{
	(void)state;
	assert_watch("{\"items\":[{},null,7]}", "object {\"items\":[{},null,7]}\nok\n");
}

static void test_what_stands_between_objects_is_refused(void **state)
{
	(void)state;
	assert_watch("{},{}",
	             "object {}\nnot well formed: byte 0x2c where an object should begin\n");
	assert_watch("[{}]", "not well formed: byte 0x5b where an object should begin\n");
}

static void test_a_page_of_html_is_refused_by_its_first_byte(void **state)
{
	(void)state;
	assert_list("<html>", "not well formed: byte 0x3c where an object should begin\n");
	assert_watch("\x1b[31m", "not well formed: byte 0x1b where an object should begin\n");
}

static void test_brackets_must_match(void **state)
{
	(void)state;
	assert_watch("{\"a\":[}", "not well formed: byte 0x7d closes what was not opened so\n");
	assert_watch("{]", "not well formed: byte 0x5d closes what was not opened so\n");
	assert_list("{\"items\":[{\"a\":[}]}",
	            "not well formed: byte 0x7d closes what was not opened so\n");
	assert_watch("{\"metadata\":{\"managedFields\":[}}",
	             "not well formed: byte 0x7d closes what was not opened so\n");
}

static void test_brackets_and_quotation_marks_in_strings_do_not_count(void **state)
{
	const char *text = "{\"a\":\"}]{[\\\"}\\\\\",\"\\\\\\\"}\":\"\\u007d\\\\\\\\\",\"b\":\"\"}";
	char *calls = repeated("object ", text, 1, "\nok\n");

	(void)state;
	assert_watch(text, calls);
	free(calls);
}

/* --- the cut --- */

static void test_managed_fields_are_cut_wherever_they_stand(void **state)
{
	(void)state;
	assert_watch("{\"metadata\":{\"managedFields\":[{\"a\":{}}],\"b\":1,\"c\":2}}",
	             "object {\"metadata\":{\"b\":1,\"c\":2}}\nok\n");
	assert_watch("{\"metadata\":{\"b\":1,\"managedFields\":[{\"a\":{}}],\"c\":2}}",
	             "object {\"metadata\":{\"b\":1,\"c\":2}}\nok\n");
	assert_watch("{\"metadata\":{\"b\":1,\"c\":2,\"managedFields\":[{\"a\":{}}]}}",
	             "object {\"metadata\":{\"b\":1,\"c\":2}}\nok\n");
	assert_watch("{\"metadata\":{\"managedFields\":[{\"a\":{}}]},\"d\":3}",
	             "object {\"metadata\":{},\"d\":3}\nok\n");
}

static void test_managed_fields_of_any_kind_are_cut(void **state)
{
	static const char *const values[] = {
		"null", "-1.5e3", "\"a,}]\\\"\"", "[]", "{}", "[[],{\"x\":[\",\"]},1]", "true"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char text[128];

		snprintf(text, sizeof(text), "{\"metadata\":{\"managedFields\":%s,\"b\":1}}",
		         values[i]);
		assert_watch(text, "object {\"metadata\":{\"b\":1}}\nok\n");
		snprintf(text, sizeof(text), "{\"metadata\":{\"b\":1,\"managedFields\":%s}}",
		         values[i]);
		assert_watch(text, "object {\"metadata\":{\"b\":1}}\nok\n");
	}
}

static void test_managed_fields_twice_are_cut_twice(void **state)
{
	(void)state;
	assert_watch("{\"metadata\":{\"managedFields\":1,\"managedFields\":2,\"b\":1,"
	             "\"managedFields\":3,\"c\":2,\"managedFields\":4,\"managedFields\":5}}",
	             "object {\"metadata\":{\"b\":1,\"c\":2}}\nok\n");
}

static void test_the_cut_reaches_lists_events_and_templates(void **state)
{
	(void)state;
	assert_list("{\"metadata\":{\"managedFields\":[]},\"items\":[{\"spec\":{\"template\":"
	            "{\"metadata\":{\"managedFields\":[],\"a\":1}}}}]}",
	            "object {\"spec\":{\"template\":{\"metadata\":{\"a\":1}}}}\n"
	            "envelope {\"metadata\":{},\"items\":[]}\nok\n");
	assert_watch(
		"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"a\":1,\"managedFields\":[]}}}",
		"object {\"type\":\"ADDED\",\"object\":{\"metadata\":{\"a\":1}}}\nok\n");
	assert_watch("{\"metadata\":{\"metadata\":{\"managedFields\":1},\"managedFields\":2}}",
	             "object {\"metadata\":{\"metadata\":{}}}\nok\n");
}

static void test_managed_fields_elsewhere_are_kept(void **state)
{
	static const char *const texts[] = {
		"{\"managedFields\":1}",
		"{\"metadata\":{\"labels\":{\"managedFields\":1}}}",
		"{\"metadata\":[{\"managedFields\":1}]}",
		"{\"metadata\":{\"a\":\"managedFields\",\"b\":[\"managedFields\"]}}",
		"{\"metadata\":\"x\",\"y\":{\"managedFields\":1}}",
		"{\"metadata\":null,\"y\":{\"managedFields\":1}}",
		"{\"x\":[\"metadata\",{\"managedFields\":1}]}",
		"{\"Metadata\":{\"managedFields\":1}}",
		"{\"metadata\":{\"managedfields\":1,\"managedFieldsX\":2,\"managedField\":3}}",
		"{\"meta\\u0064ata\":{\"managedFields\":1}}",
		"{\"metadata\":{\"managed\\u0046ields\":1}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *calls = repeated("object ", texts[i], 1, "\nok\n");

		assert_watch(texts[i], calls);
		free(calls);
	}
}

static void test_a_cut_needs_no_room(void **state)
{
	const char *small = "{\"metadata\":{\"name\":\"abcdefgh\"}}";
	char *text = repeated("{\"metadata\":{\"name\":\"abcdefgh\",\n\n \"managedFields\" : [\"",
	                      "0123456789", 1000, "\"] }}");

	(void)state;
	/* To the byte, in one piece and in many. */
	for (size_t most = strlen(small) - 1; most <= strlen(small); most++)
		for (size_t longest = 1; longest < 8; longest++) {
			struct sample sample = {SPLITTER_WATCH, most, text, NULL};
			char *got = hear_pieces(&sample, longest, 1);

			assert_string_equal(
				got,
				most < strlen(small)
					? "skipped // 32\nok\n"
					: "object {\"metadata\":{\"name\":\"abcdefgh\"}}\nok\n");
			free(got);
		}
	free(text);
}

/* --- limits --- */

static void test_an_object_as_long_as_the_limit_is_given_and_one_byte_more_is_not(void **state)
{
	(void)state;
	assert_heard(SPLITTER_WATCH, 9, "{\"a\":100}{\"a\":1000}{\"a\":100}",
	             "object {\"a\":100}\nskipped // 10\nobject {\"a\":100}\nok\n");
}

static void test_a_skipped_item_is_told_by_name_in_any_order(void **state)
{
	static const struct {
		const char *before, *after; /* what makes it too long */
	} items[] = {
		{"{\"metadata\":{\"name\":\"big\",\"namespace\":\"shop\"},\"x\":\"", "\"}"},
		{"{\"x\":\"", "\",\"metadata\":{\"namespace\":\"shop\",\"name\":\"big\"}}"},
		{"{\"metadata\":{\"name\":\"big\",\"x\":\"", "\",\"namespace\":\"shop\"}}"},
		{"{\"metadata\":{\"l\":{\"name\":\"no\"},\"x\":\"",
	         "\",\"namespace\":\"shop\",\"name\":\"big\"},"
	         "\"spec\":{\"name\":\"no\",\"metadata\":{\"name\":\"no\",\"namespace\":\"no\"}}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		char *item = repeated(items[i].before, "0123456789", 500, items[i].after);
		char *text = repeated("{\"items\":[{\"a\":1},", item, 1, ",{\"b\":1}]}");
		char calls[200];

		snprintf(calls, sizeof(calls),
		         "object {\"a\":1}\nskipped /shop/big %zu\nobject {\"b\":1}\n"
		         "envelope {\"items\":[]}\nok\n",
		         strlen(item));
		assert_heard(SPLITTER_LIST, 4096, text, calls);
		free(item);
		free(text);
	}
}

static void test_a_skipped_event_is_told_by_type_and_the_name_of_its_object(void **state)
{
	static const char *const calls = "skipped ADDED/shop/big 109\nobject {}\nok\n";

	(void)state;
	assert_heard(
		SPLITTER_WATCH, 40,
		"{\"type\":\"ADDED\",\"metadata\":{\"name\":\"no\"},\"object\":{\"type\":\"no\","
		"\"metadata\":{\"name\":\"big\",\"namespace\":\"shop\"}}}{}",
		calls);
	assert_heard(SPLITTER_WATCH, 40,
	             "{\"object\":{\"metadata\":{\"namespace\":\"shop\",\"name\":\"big\"},\"type\":"
	             "\"no\"},"
	             "\"metadata\":{\"name\":\"no\"},\"type\":\"ADDED\"}{}",
	             calls);
}

static void test_the_name_of_one_object_is_not_told_of_the_next(void **state)
{
	(void)state;
	assert_heard(SPLITTER_WATCH, 50,
	             "{\"type\":\"T\",\"object\":{\"metadata\":{\"name\":\"a\"}}}"
	             "{\"object\":\"0123456789012345678901234567890123456789\"}",
	             "object {\"type\":\"T\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n"
	             "skipped // 53\nok\n");
}

static void test_a_name_is_told_up_to_its_limit(void **state)
{
	char *text = repeated("{\"object\":{\"metadata\":{\"name\":\"", "x", 5000, "\"}}}");
	char *calls = repeated("skipped //", "x", SPLITTER_NAME_MOST, " 5035\nok\n");
	struct sample sample = {SPLITTER_WATCH, 100, text, NULL};
	char *got = hear_pieces(&sample, 9, 1);

	(void)state;
	assert_string_equal(got, calls);
	assert_heard(SPLITTER_WATCH, 100, text, calls);
	free(got);
	free(text);
	free(calls);
}

/* {"metadata":{"name":"d"},"x":[[…]]} of so many levels, the object counted. */
static char *deep_object(size_t levels, const char *before, const char *after)
{
	char *open = repeated("{\"metadata\":{\"name\":\"d\"},\"x\":", "[", levels - 1, "");
	char *all = repeated(open, "]", levels - 1, "}");
	char *text = repeated(before, all, 1, after);

	free(open);
	free(all);
	return text;
}

static void test_what_is_nested_too_deep_is_skipped_and_what_follows_is_not(void **state)
{
	char *text = deep_object(SPLITTER_DEPTH, "{\"items\":[", ",{\"a\":1}]}");
	char *calls = deep_object(SPLITTER_DEPTH, "object ",
	                          "\nobject {\"a\":1}\nenvelope {\"items\":[]}\nok\n");

	(void)state;
	assert_list(text, calls);
	free(text);
	free(calls);
	for (size_t more = 1; more < 5; more++) {
		char said[128];

		text = deep_object(SPLITTER_DEPTH + more, "{\"items\":[", ",{\"a\":1}]}");
		snprintf(said, sizeof(said),
		         "skipped //d %zu\nobject {\"a\":1}\nenvelope {\"items\":[]}\nok\n",
		         strlen(text) - strlen("{\"items\":[,{\"a\":1}]}"));
		assert_list(text, said);
		free(text);
	}
}

static void test_what_is_cut_may_be_nested_at_will(void **state)
{
	char *open = repeated("{\"metadata\":{\"managedFields\":", "[", 1000, "");
	char *text = repeated(open, "]", 1000, ",\"a\":1}}");

	(void)state;
	assert_watch(text, "object {\"metadata\":{\"a\":1}}\nok\n");
	free(open);
	free(text);
}

static void test_an_envelope_past_its_limits_is_no_space(void **state)
{
	char *text = repeated("{\"a\":\"", "0123456789abcdef", SPLITTER_ENVELOPE_MOST / 16,
	                      "\",\"items\":[{}]}");
	char *deep = deep_object(SPLITTER_DEPTH + 1, "", "");

	(void)state;
	assert_list(text, "no space: what is around the items is too long\n");
	assert_list(deep, "no space: what is around the items is nested too deep\n");
	free(text);
	free(deep);
}

static void test_an_envelope_may_be_as_long_as_its_limit(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		char *text = repeated("{\"a\":\"", "x", SPLITTER_ENVELOPE_MOST - 8 + more, "\"}");
		char *calls = more == 0
		                      ? repeated("envelope ", text, 1, "\nok\n")
		                      : xstrdup("no space: what is around the items is too long\n");

		assert_list(text, calls);
		free(text);
		free(calls);
	}
}

static void test_an_envelope_that_never_ends_is_no_space_soon(void **state)
{
	struct heard heard = {.enough = 0};
	struct splitter *s = splitter_to(&heard, SPLITTER_LIST, MOST);
	char *piece = repeated("", "0123456789abcdef", 512, "");
	size_t fed = 0;

	(void)state;
	assert_int_equal(feed_text(s, "{\"a\":\""), ERR_OK);
	while (feed_text(s, piece) == ERR_OK) {
		fed += strlen(piece);
		assert_true(splitter_memory(s) <= SPLITTER_ENVELOPE_MOST + BESIDE);
	}
	assert_true(fed <= SPLITTER_ENVELOPE_MOST);
	assert_true(splitter_memory(s) <= BESIDE);
	assert_int_equal(feed_text(s, "\"}"), ERR_NOSPACE);
	assert_string_equal(heard.calls.data, "");
	splitter_free(s);
	free(piece);
	text_fini(&heard.calls);
}

static void test_memory_is_bounded_whatever_never_ends(void **state)
{
	static const struct {
		enum splitter_mode mode;
		const char *begin, *unit;
	} cases[] = {
		{SPLITTER_WATCH, "{\"a\":\"", "0123456789abcdef"},
		{SPLITTER_WATCH, "{\"a\":\"", "\\\"\\\\\\\"\\\\"},
		{SPLITTER_WATCH, "{\"", "managedFields"},
		{SPLITTER_WATCH, "{\"a\":", "[{\"a\":"},
		{SPLITTER_WATCH, "{\"a\":[", "{\"a\":1}, "},
		{SPLITTER_WATCH, "{", "                "},
		{SPLITTER_WATCH, "{\"metadata\":{", "                "},
		{SPLITTER_WATCH, "{\"metadata\":{", "\"managedFields\":[{}],"},
		{SPLITTER_WATCH, "{\"metadata\":{\"name\":\"", "0123456789abcdef"},
		{SPLITTER_WATCH, "", "\n"},
		{SPLITTER_LIST, "{\"items\":[{\"a\":\"", "0123456789abcdef"},
		{SPLITTER_LIST, "{\"items\":[{}", ",{\"metadata\":{\"managedFields\":[]}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct heard heard = {.enough = 0};
		struct splitter *s = splitter_to(&heard, cases[i].mode, MOST);
		char *piece = repeated("", cases[i].unit, 512, "");

		assert_int_equal(feed_text(s, cases[i].begin), ERR_OK);
		for (size_t fed = 0; fed < 8 * MOST; fed += strlen(piece)) {
			assert_int_equal(feed_text(s, piece), ERR_OK);
			assert_true(splitter_memory(s) <= MOST + BESIDE);
		}
		splitter_free(s);
		free(piece);
		text_fini(&heard.calls);
	}
}

/* --- its life --- */

static void test_false_ends_it_until_it_is_reset(void **state)
{
	struct heard heard = {.enough = 2};
	struct splitter *s = splitter_to(&heard, SPLITTER_WATCH, MOST);

	(void)state;
	assert_int_equal(feed_text(s, "{\"a\":1}{\"a\":2}{\"a\":3}<"), ERR_OK);
	assert_int_equal(feed_text(s, "{\"a\":4}<"), ERR_OK);
	assert_string_equal(heard.calls.data, "object {\"a\":1}\nobject {\"a\":2}\n");
	splitter_reset(s);
	assert_int_equal(feed_text(s, "{\"a\":5}"), ERR_OK);
	assert_string_equal(heard.calls.data,
	                    "object {\"a\":1}\nobject {\"a\":2}\nobject {\"a\":5}\n");
	splitter_free(s);
	text_fini(&heard.calls);
}

static void test_after_an_error_nothing_is_taken_until_it_is_reset(void **state)
{
	struct heard heard = {.enough = 0};
	struct splitter *s = splitter_to(&heard, SPLITTER_WATCH, MOST);
	struct reason why = {""};

	(void)state;
	assert_int_equal(feed_text(s, "{\"a\":{\"b\":\"\\"), ERR_OK);
	assert_int_equal(feed_text(s, "n\"]"), ERR_PARSE);
	assert_false(splitter_is_between(s));
	assert_int_equal(feed(s, "{}", 2, &why), ERR_PARSE);
	assert_string_equal(why.text, "byte 0x5d closes what was not opened so");
	assert_string_equal(heard.calls.data, "");
	splitter_reset(s);
	assert_true(splitter_is_between(s));
	assert_int_equal(feed_text(s, "{\"\":{}}"), ERR_OK);
	assert_string_equal(heard.calls.data, "object {\"\":{}}\n");
	splitter_free(s);
	text_fini(&heard.calls);
}

static void test_a_reset_forgets_from_anywhere(void **state)
{
	const char *text = "{\"k\":\"\\\"\",\"metadata\":{\"managedFields\":[1],\"name\":\"a\"},"
			   "\"items\":[{\"metadata\":{\"managedFields\":{}}},{\"x\":\"\\\\\"}]}";
	const char *null = "{\"items\":null}";

	(void)state;
	for (size_t i = 0; i < strlen(text) + strlen(null); i++) {
		struct heard heard = {.enough = 0};
		struct splitter *s = splitter_to(&heard, SPLITTER_LIST, MOST);
		bool first = i < strlen(text);

		assert_int_equal(feed(s, first ? text : null, first ? i : i - strlen(text), NULL),
		                 ERR_OK);
		splitter_reset(s);
		text_reset(&heard.calls);
		assert_int_equal(feed_text(s, "{\"items\":[{\"a\":1}],\"z\":{}}"), ERR_OK);
		assert_string_equal(heard.calls.data,
		                    "object {\"a\":1}\nenvelope {\"items\":[],\"z\":{}}\n");
		splitter_free(s);
		text_fini(&heard.calls);
	}
}

static void test_what_an_object_needed_is_given_back_when_it_was_much(void **state)
{
	struct heard heard = {.enough = 0};
	struct splitter *s = splitter_to(&heard, SPLITTER_WATCH, 4 << 20);
	char *text = repeated("{\"a\":\"", "0123456789abcdef", 65536, "\"");

	(void)state;
	assert_int_equal(feed_text(s, text), ERR_OK);
	assert_true(splitter_memory(s) > 1 << 20);
	assert_int_equal(feed_text(s, "}"), ERR_OK);
	assert_true(splitter_memory(s) < BESIDE);
	assert_int_equal(feed_text(s, text), ERR_OK);
	splitter_reset(s);
	assert_true(splitter_memory(s) < BESIDE);
	splitter_free(s);
	text_fini(&heard.calls);
	free(text);
}

static void test_it_tells_whether_something_is_half_read(void **state)
{
	struct heard heard = {.enough = 0};
	struct splitter *list = splitter_to(&heard, SPLITTER_LIST, MOST);

	(void)state;
	assert_true(splitter_is_between(list));
	assert_int_equal(feed_text(list, "{\"items\":[{}"), ERR_OK);
	assert_false(splitter_is_between(list));
	assert_int_equal(feed_text(list, "]"), ERR_OK);
	assert_false(splitter_is_between(list));
	assert_int_equal(feed_text(list, "}"), ERR_OK);
	assert_true(splitter_is_between(list));
	splitter_free(list);
	splitter_free(NULL);
	text_fini(&heard.calls);
}

/* --- properties --- */

static const struct sample samples[] = {
	{SPLITTER_LIST, MOST,
         "{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"7\"},"
         "\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"managedFields\":[{\"m\":"
         "\"kubectl\",\"f\":{\"f:spec\":{\".\":{},\"k:{\\\"port\\\":80}\":{}}}}]},\"spec\":{\"p\":"
         "[{\"port\":80},1.5e-3,true,null]}},{\"metadata\":{\"managedFields\":[],\"name\":\"b\"}}]}"
         "\n",
         NULL},
	{SPLITTER_LIST, MOST,
         "{\"apiVersion\":\"x/v1\",\"items\":[{\"metadata\":{\"a\":1,\"managedFields\":null,"
         "\"l\":{\"metadata\":{\"managedFields\":\"\\\\\\\"}\"}}}},{}],\"kind\":\"XList\","
         "\"metadata\":{\"continue\":\"\",\"managedFields\":{}}}",
         NULL},
	{SPLITTER_LIST, MOST,
         " {\n  \"items\" : [\n    {\n      \"metadata\" : {\n        \"managedFields\" : [ 1 ] ,\n"
         "        \"name\" : \"\xc3\xa4\\u00e4\\\\\"\n      }\n    } ,\n    { }\n  ]\n}\n",
         NULL},
	{SPLITTER_LIST, MOST, "{\"items\": null ,\"metadata\":{ \"managedFields\" : 1 }}", NULL},
	{SPLITTER_LIST, 40,
         "{\"items\":[{\"x\":\"0123456789012345678901234567890\",\"metadata\":{\"name\":\"big\","
         "\"namespace\":\"shop\"}},{\"metadata\":{\"managedFields\":[0,1,2,3,4,5,6,7,8]}}]}",
         NULL},
	{SPLITTER_WATCH, 64,
         "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"managedFields\":[{}]}}}\n"
         "{\"object\":{\"x\":\"\\\\\\\\\",\"metadata\":{\"namespace\":\"n\",\"managedFields\":2,"
         "\"name\":\"b\"}},\"type\":\"MODIFIED\"}\n{\"type\":\"BOOKMARK\"}",
         NULL},
	{SPLITTER_WATCH, MOST,
         "{\"metadata\":{\"managedFields\":1,\"managedFields\":2,\"metadata\":{\"b\":[],"
         "\"managedFields\":3},\"managedFields\":4}} {\"a\":\"half",
         NULL},
	{SPLITTER_WATCH, MOST, "{\"a\":[\"\\\"]\",{}]}{\"b\":[}", NULL},
	{SPLITTER_LIST, MOST, "{\"items\":[{\"a\":\"\"},null]}", NULL},
	{SPLITTER_LIST, MOST, "{\"items\":nul}", NULL},
	/* No JSON, but the same to all. */
	{SPLITTER_WATCH, MOST,
         "{\"metadata\":{ 5 \"managedFields\" \"managedFields\":1,,\"managedFields\":2,:3,"
         "\"a\"{\"managedFields\":[:,]}}:\"metadata\":{}}",
         NULL},
	{SPLITTER_LIST, MOST, "{\"items\":[{\"a\":\"items\"}]:[{}],\"x\"5:1}", NULL},
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static void test_every_sample_split_at_each_byte_is_heard_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t len = strlen(samples[i].text);
		char *whole = hear_split(&samples[i], len);

		for (size_t at = 0; at < len; at++) {
			char *got = hear_split(&samples[i], at);

			assert_string_equal(got, whole);
			free(got);
		}
		free(whole);
	}
}

static void test_every_sample_in_random_pieces_is_heard_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		char *whole = hear_split(&samples[i], strlen(samples[i].text));

		for (uint32_t seed = 0; seed < 200; seed++) {
			char *got = hear_pieces(&samples[i], 1 + seed % 20, seed);

			assert_string_equal(got, whole);
			free(got);
		}
		free(whole);
	}
}

/* As the cut should be, done the slow way. */
static void delete_managed_fields(struct json_object *value, bool is_metadata)
{
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			delete_managed_fields(json_object_array_get_idx(value, i), false);
		return;
	}
	if (!json_object_is_type(value, json_type_object))
		return;
	if (is_metadata)
		json_object_object_del(value, "managedFields");
	json_object_object_foreach(value, name, member)
		delete_managed_fields(member, strcmp(name, "metadata") == 0);
}

static struct json_object *parse_strict(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(SPLITTER_DEPTH + 2);
	struct json_object *value;

	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	value = json_tokener_parse_ex(tok, text, (int)len);
	assert_int_equal(json_tokener_get_error(tok), json_tokener_success);
	json_tokener_free(tok);
	return value;
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 10) % below;
}

static void add_space(struct text *t, uint32_t *seed)
{
	static const char *const spaces[] = {"", "", "", " ", "\n\t", "  \r\n"};

	text_add(t, spaces[draw(seed, 6)]);
}

static void add_value(struct text *t, uint32_t *seed, unsigned depth);

static void add_mapping(struct text *t, uint32_t *seed, unsigned depth)
{
	/* Each at most once: what a second one means is its parser's to say. */
	static const char *const names[] = {"metadata", "managedFields", "name",   "a\\\"b",
	                                    "items",    "\\\\",          "object", ""};
	unsigned first = draw(seed, 8), count = draw(seed, 5);

	text_add(t, "{");
	for (unsigned i = 0; i < count; i++) {
		text_add(t, i > 0 ? "," : "");
		add_space(t, seed);
		text_printf(t, "\"%s\"", names[(first + i * 3) % 8]);
		add_space(t, seed);
		text_add(t, ":");
		add_value(t, seed, depth);
	}
	add_space(t, seed);
	text_add(t, "}");
}

static void add_value(struct text *t, uint32_t *seed, unsigned depth)
{
	static const char *const scalars[] = {"null",    "-1.5",         "true",    "\"\"",
	                                      "\"},{\"", "\"\\\\\\\"\"", "\"a b\"", "12"};
	unsigned kind = depth < 6 ? draw(seed, 6) : 0;

	add_space(t, seed);
	if (kind < 2) {
		text_add(t, scalars[draw(seed, 8)]);
	} else if (kind == 2) {
		text_add(t, "[");
		for (unsigned i = draw(seed, 4); i > 0; i--) {
			add_value(t, seed, depth + 1);
			text_add(t, i > 1 ? "," : "");
		}
		text_add(t, "]");
	} else {
		add_mapping(t, seed, depth + 1);
	}
	add_space(t, seed);
}

static void assert_cut_as_json_c_would(const char *text, uint32_t seed)
{
	struct sample sample = {SPLITTER_WATCH, MOST, text, NULL};
	char *got = hear_pieces(&sample, 1 + seed % 50, seed);
	struct json_object *want = parse_strict(text, strlen(text)), *cut;

	assert_true(strncmp(got, "object ", 7) == 0);
	assert_string_equal(got + strlen(got) - 4, "\nok\n");
	cut = parse_strict(got + 7, strlen(got) - 7 - 4);
	delete_managed_fields(want, false);
	assert_true(json_object_equal(want, cut));
	json_object_put(want);
	json_object_put(cut);
	free(got);
}

static void test_what_is_cut_is_what_deleting_from_the_parsed_object_leaves(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		struct text t = {0};
		uint32_t seed = i * 2654435761u;

		add_mapping(&t, &seed, 0);
		assert_cut_as_json_c_would(t.data, seed);
		text_fini(&t);
	}
}

static void test_the_envelope_and_the_items_are_together_the_list(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2000; i++) {
		struct text t = {0}, want = {0};
		struct sample sample = {SPLITTER_LIST, MOST, NULL, NULL};
		uint32_t seed = i * 2654435761u;
		char *got;

		text_add(&t, "{\"kind\":\"L\",\"items\":[");
		for (unsigned left = draw(&seed, 4); left > 0; left--) {
			struct text item = {0};

			add_mapping(&item, &seed, 3);
			sample.mode = SPLITTER_WATCH;
			sample.text = item.data;
			got = hear_split(&sample, 0);
			text_add_bytes(&want, (struct bytes){(uint8_t *)got, strlen(got) - 3});
			free(got);
			text_add(&t, item.data);
			text_add(&t, left > 1 ? " , " : "\n");
			text_fini(&item);
		}
		text_add(&t, "],\"metadata\":{}}");
		text_add(&want, "envelope {\"kind\":\"L\",\"items\":[],\"metadata\":{}}\nok\n");
		sample.mode = SPLITTER_LIST;
		sample.text = t.data;
		got = hear_pieces(&sample, 1 + i % 40, i);
		assert_string_equal(got, want.data);
		free(got);
		text_fini(&t);
		text_fini(&want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_typed_list_gives_its_items_and_then_what_is_around_them),
		cmocka_unit_test(test_items_may_stand_before_kind_and_metadata),
		cmocka_unit_test(test_an_empty_list_and_null_items_give_no_object),
		cmocka_unit_test(test_only_the_items_at_the_top_are_the_items),
		cmocka_unit_test(test_what_is_no_list_is_all_envelope),
		cmocka_unit_test(test_white_space_of_a_readable_list_is_passed_over),
		cmocka_unit_test(test_items_that_are_no_objects_are_refused),
		cmocka_unit_test(test_between_items_stands_one_comma),
		cmocka_unit_test(test_after_a_list_comes_nothing),
		cmocka_unit_test(test_a_watch_gives_one_object_after_the_other),
		cmocka_unit_test(test_a_watch_knows_no_items),
		cmocka_unit_test(test_what_stands_between_objects_is_refused),
		cmocka_unit_test(test_a_page_of_html_is_refused_by_its_first_byte),
		cmocka_unit_test(test_brackets_must_match),
		cmocka_unit_test(test_brackets_and_quotation_marks_in_strings_do_not_count),
		cmocka_unit_test(test_managed_fields_are_cut_wherever_they_stand),
		cmocka_unit_test(test_managed_fields_of_any_kind_are_cut),
		cmocka_unit_test(test_managed_fields_twice_are_cut_twice),
		cmocka_unit_test(test_the_cut_reaches_lists_events_and_templates),
		cmocka_unit_test(test_managed_fields_elsewhere_are_kept),
		cmocka_unit_test(test_a_cut_needs_no_room),
		cmocka_unit_test(
			test_an_object_as_long_as_the_limit_is_given_and_one_byte_more_is_not),
		cmocka_unit_test(test_a_skipped_item_is_told_by_name_in_any_order),
		cmocka_unit_test(test_a_skipped_event_is_told_by_type_and_the_name_of_its_object),
		cmocka_unit_test(test_the_name_of_one_object_is_not_told_of_the_next),
		cmocka_unit_test(test_a_name_is_told_up_to_its_limit),
		cmocka_unit_test(test_what_is_nested_too_deep_is_skipped_and_what_follows_is_not),
		cmocka_unit_test(test_what_is_cut_may_be_nested_at_will),
		cmocka_unit_test(test_an_envelope_past_its_limits_is_no_space),
		cmocka_unit_test(test_an_envelope_may_be_as_long_as_its_limit),
		cmocka_unit_test(test_an_envelope_that_never_ends_is_no_space_soon),
		cmocka_unit_test(test_memory_is_bounded_whatever_never_ends),
		cmocka_unit_test(test_false_ends_it_until_it_is_reset),
		cmocka_unit_test(test_after_an_error_nothing_is_taken_until_it_is_reset),
		cmocka_unit_test(test_a_reset_forgets_from_anywhere),
		cmocka_unit_test(test_what_an_object_needed_is_given_back_when_it_was_much),
		cmocka_unit_test(test_it_tells_whether_something_is_half_read),
		cmocka_unit_test(test_every_sample_split_at_each_byte_is_heard_the_same),
		cmocka_unit_test(test_every_sample_in_random_pieces_is_heard_the_same),
		cmocka_unit_test(test_what_is_cut_is_what_deleting_from_the_parsed_object_leaves),
		cmocka_unit_test(test_the_envelope_and_the_items_are_together_the_list),
	};

	return cmocka_run_group_tests_name("kube/splitter", tests, NULL, NULL);
}
