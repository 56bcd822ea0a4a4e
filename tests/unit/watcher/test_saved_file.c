/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "watcher/saved_file.h"

static const struct saved_file_header some = {.lineage = 0x1122334455667788, .generation = 7};

/* One record of every type. */
static const struct saved_file_record records[] = {
	{.type = SAVED_FILE_CLUSTER, .kind = 2, .cluster = {(const uint8_t *)"la", 2}},
	{.type = SAVED_FILE_CLUSTER_GONE, .cluster = {(const uint8_t *)"ny", 2}},
	{.type = SAVED_FILE_FACT,
         .cluster = {(const uint8_t *)"la", 2},
         .body = {(const uint8_t *)"a\0b", 3}},
	{.type = SAVED_FILE_FACT_GONE,
         .kind = 6,
         .cluster = {(const uint8_t *)"", 0},
         .namespace = {(const uint8_t *)"shop", 4},
         .name = {(const uint8_t *)"web", 3}},
	{.type = SAVED_FILE_VALUE,
         .kind = 1,
         .name = {(const uint8_t *)"key", 3},
         .body = {(const uint8_t *)"v", 1}},
};
enum { RECORDS = sizeof(records) / sizeof(records[0]) };

static bool same_record(const struct saved_file_record *a, const struct saved_file_record *b)
{
	return a->type == b->type && a->kind == b->kind && bytes_equal(a->cluster, b->cluster) &&
	       bytes_equal(a->namespace, b->namespace) && bytes_equal(a->name, b->name) &&
	       bytes_equal(a->body, b->body);
}

static void expect_next(const struct saved_file_record *record, void *arg)
{
	size_t *next = arg;

	assert_true(same_record(record, &records[(*next)++ % RECORDS]));
}

static size_t add_records(struct saved_file_writer *w)
{
	for (int i = 0; i < RECORDS; i++)
		assert_true(saved_file_add(w, &records[i]));
	saved_file_end_frame(w);
	return w->out.len;
}

static struct bytes bytes_in(const struct saved_file_writer *w)
{
	return (struct bytes){w->out.data, w->out.len};
}

/* A journal of `frames` frames; end[i] is where frame i ends. */
static struct saved_file_writer journal_of(int frames, size_t *end)
{
	struct saved_file_writer w = {.kind = SAVED_FILE_JOURNAL, .header = some};

	saved_file_add_header(&w);
	for (int i = 0; i < frames; i++)
		end[i] = add_records(&w);
	return w;
}

static struct saved_file_writer base_of(void)
{
	struct saved_file_writer w = {.kind = SAVED_FILE_BASE, .header = some};

	saved_file_add_header(&w);
	add_records(&w);
	add_records(&w);
	saved_file_add_end(&w);
	return w;
}

static void test_a_base_reads_as_it_was_written(void **state)
{
	struct saved_file_writer w = base_of();
	struct saved_file_header header;
	size_t next = 0;

	(void)state;
	assert_int_equal(saved_file_check_base(bytes_in(&w), &header, NULL), ERR_OK);
	assert_true(header.lineage == some.lineage && header.generation == some.generation);
	assert_int_equal(saved_file_each(bytes_in(&w), expect_next, &next), 0);
	assert_int_equal(next, 2 * RECORDS);
	buffer_fini(&w.out);
}

static void test_an_empty_base_is_good(void **state)
{
	struct saved_file_writer w = {.kind = SAVED_FILE_BASE, .header = some};
	struct saved_file_header header;
	size_t next = 0;

	(void)state;
	saved_file_add_header(&w);
	saved_file_add_end(&w);
	assert_int_equal(saved_file_check_base(bytes_in(&w), &header, NULL), ERR_OK);
	assert_int_equal(saved_file_each(bytes_in(&w), expect_next, &next), 0);
	assert_int_equal(next, 0);
	buffer_fini(&w.out);
}

static void test_it_does_not_matter_in_how_many_pieces_it_is_written(void **state)
{
	struct saved_file_writer whole = base_of(), w = {.kind = SAVED_FILE_BASE, .header = some};
	struct buffer file = {0};

	(void)state;
	saved_file_add_header(&w);
	buffer_put(&file, w.out.data, w.out.len);
	saved_file_drained(&w);
	for (int i = 0; i < 2; i++) {
		add_records(&w);
		if (i == 1)
			saved_file_add_end(&w);
		buffer_put(&file, w.out.data, w.out.len);
		saved_file_drained(&w);
	}
	assert_int_equal(w.offset, file.len);
	assert_true(bytes_equal(bytes_in(&whole), (struct bytes){file.data, file.len}));
	buffer_fini(&file);
	buffer_fini(&w.out);
	buffer_fini(&whole.out);
}

static void test_no_base_is_good_with_a_bit_changed_or_cut_anywhere(void **state)
{
	struct saved_file_writer w = base_of();
	struct saved_file_header header;
	struct reason why;

	(void)state;
	for (size_t i = 0; i < w.out.len; i++) {
		enum err err;

		w.out.data[i] ^= (uint8_t)(1u << i % 8);
		why.text[0] = '\0';
		err = saved_file_check_base(bytes_in(&w), &header, &why);
		assert_true(err == ERR_PARSE || err == ERR_UNSUPPORTED);
		assert_true(why.text[0] != '\0');
		w.out.data[i] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(
			saved_file_check_base((struct bytes){w.out.data, i}, &header, &why),
			ERR_PARSE);
	}
	buffer_u8(&w.out, 0);
	assert_int_equal(saved_file_check_base(bytes_in(&w), &header, &why), ERR_PARSE);
	buffer_fini(&w.out);
}

static void test_a_journal_cut_anywhere_is_good_up_to_its_last_whole_frame(void **state)
{
	size_t end[3];
	struct saved_file_writer w = journal_of(3, end);

	(void)state;
	for (size_t cut = 0; cut <= w.out.len; cut++) {
		/* A copy of its own length, for the sanitizer to see a step too far. */
		uint8_t *copy = xmemdup(w.out.data, cut);
		struct saved_file_header header;
		enum saved_file_tail tail;
		size_t len, want = cut < SAVED_FILE_HEADER_SIZE ? 0 : SAVED_FILE_HEADER_SIZE;

		for (int i = 0; i < 3; i++)
			want = end[i] <= cut ? end[i] : want;
		assert_int_equal(saved_file_check_journal((struct bytes){copy, cut}, &header, &len,
		                                          &tail, NULL),
		                 ERR_OK);
		assert_int_equal(len, want);
		assert_int_equal(tail, want == cut ? SAVED_FILE_WHOLE : SAVED_FILE_TORN);
		free(copy);
	}
	buffer_fini(&w.out);
}

static void test_damage_with_good_frames_behind_it_is_more_than_a_torn_tail(void **state)
{
	size_t end[3], len;
	struct saved_file_writer w = journal_of(3, end);
	struct saved_file_header header;
	enum saved_file_tail tail;

	(void)state;
	for (size_t i = SAVED_FILE_HEADER_SIZE; i < w.out.len; i++) {
		size_t good = SAVED_FILE_HEADER_SIZE;

		for (int f = 0; f < 3; f++)
			good = end[f] <= i ? end[f] : good;
		w.out.data[i] ^= 0x40;
		assert_int_equal(saved_file_check_journal(bytes_in(&w), &header, &len, &tail, NULL),
		                 ERR_OK);
		assert_int_equal(len, good);
		assert_int_equal(tail, i < end[1] ? SAVED_FILE_DAMAGED : SAVED_FILE_TORN);
		w.out.data[i] ^= 0x40;
	}
	buffer_fini(&w.out);
}

static void test_a_power_cut_may_leave_zeros(void **state)
{
	size_t end[1], len;
	struct saved_file_writer w = journal_of(1, end);
	struct saved_file_header header;
	enum saved_file_tail tail;
	uint8_t zeros[200] = {0};

	(void)state;
	assert_int_equal(
		saved_file_check_journal((struct bytes){zeros, 200}, &header, &len, &tail, NULL),
		ERR_OK);
	assert_int_equal(len, 0);
	assert_int_equal(tail, SAVED_FILE_TORN);
	buffer_put(&w.out, zeros, sizeof(zeros));
	assert_int_equal(saved_file_check_journal(bytes_in(&w), &header, &len, &tail, NULL),
	                 ERR_OK);
	assert_int_equal(len, end[0]);
	assert_int_equal(tail, SAVED_FILE_TORN);
	buffer_fini(&w.out);
}

static void test_a_frame_counts_only_in_its_own_place_and_file(void **state)
{
	size_t end[2], len, frame;
	struct saved_file_writer w = journal_of(2, end);
	struct saved_file_writer other = {.kind = SAVED_FILE_JOURNAL, .header = {some.lineage, 8}};
	struct saved_file_header header;
	enum saved_file_tail tail;

	(void)state;
	frame = end[1] - end[0];
	memcpy(w.out.data + end[0], w.out.data + SAVED_FILE_HEADER_SIZE, frame);
	assert_int_equal(saved_file_check_journal(bytes_in(&w), &header, &len, &tail, NULL),
	                 ERR_OK);
	assert_int_equal(len, end[0]);
	saved_file_add_header(&other);
	buffer_put(&other.out, w.out.data + SAVED_FILE_HEADER_SIZE, frame);
	assert_int_equal(saved_file_check_journal(bytes_in(&other), &header, &len, &tail, NULL),
	                 ERR_OK);
	assert_int_equal(len, SAVED_FILE_HEADER_SIZE);
	buffer_fini(&other.out);
	buffer_fini(&w.out);
}

static void test_a_base_is_no_journal_and_a_journal_no_base(void **state)
{
	size_t end[1], len;
	struct saved_file_writer journal = journal_of(1, end), base = base_of();
	struct saved_file_header header;
	enum saved_file_tail tail;

	(void)state;
	assert_int_equal(saved_file_check_base(bytes_in(&journal), &header, NULL), ERR_PARSE);
	assert_int_equal(saved_file_check_journal(bytes_in(&base), &header, &len, &tail, NULL),
	                 ERR_PARSE);
	buffer_fini(&base.out);
	buffer_fini(&journal.out);
}

static void test_a_newer_version_says_so(void **state)
{
	struct saved_file_writer w = base_of();
	struct saved_file_header header;
	struct reason why;

	(void)state;
	w.out.data[9] = SAVED_FILE_VERSION + 1;
	assert_int_equal(saved_file_check_base(bytes_in(&w), &header, &why), ERR_UNSUPPORTED);
	assert_string_equal(why.text, "written by a newer version (format 5)");
	buffer_fini(&w.out);
}

static void test_what_is_too_long_is_not_written(void **state)
{
	struct saved_file_writer w = {.kind = SAVED_FILE_JOURNAL, .header = some};
	struct saved_file_record long_body = records[2], long_name = records[3];
	size_t was;

	(void)state;
	saved_file_add_header(&w);
	was = w.out.len;
	long_body.body.len = SAVED_FILE_MAX_RECORD + 1;
	long_name.name.len = UINT16_MAX + 1;
	assert_false(saved_file_add(&w, &long_body));
	assert_false(saved_file_add(&w, &long_name));
	assert_int_equal(w.out.len, was);
	buffer_fini(&w.out);
}

static void ignore(const struct saved_file_record *record, void *arg)
{
	(void)record;
	(void)arg;
}

static void test_records_that_make_no_sense_are_skipped(void **state)
{
	struct saved_file_writer w = {.kind = SAVED_FILE_BASE, .header = some};
	size_t types;

	(void)state;
	saved_file_add_header(&w);
	types = w.out.len + 16; /* behind the head of the frame */
	for (int i = 0; i < RECORDS; i++) {
		assert_true(saved_file_add(&w, &records[i]));
		w.out.data[types] = i % 2 ? 99 : w.out.data[types];
		types = w.out.len;
	}
	saved_file_add_end(&w);
	assert_int_equal(saved_file_each(bytes_in(&w), ignore, NULL), RECORDS / 2);
	buffer_fini(&w.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_base_reads_as_it_was_written),
		cmocka_unit_test(test_an_empty_base_is_good),
		cmocka_unit_test(test_it_does_not_matter_in_how_many_pieces_it_is_written),
		cmocka_unit_test(test_no_base_is_good_with_a_bit_changed_or_cut_anywhere),
		cmocka_unit_test(test_a_journal_cut_anywhere_is_good_up_to_its_last_whole_frame),
		cmocka_unit_test(test_damage_with_good_frames_behind_it_is_more_than_a_torn_tail),
		cmocka_unit_test(test_a_power_cut_may_leave_zeros),
		cmocka_unit_test(test_a_frame_counts_only_in_its_own_place_and_file),
		cmocka_unit_test(test_a_base_is_no_journal_and_a_journal_no_base),
		cmocka_unit_test(test_a_newer_version_says_so),
		cmocka_unit_test(test_what_is_too_long_is_not_written),
		cmocka_unit_test(test_records_that_make_no_sense_are_skipped),
	};

	return cmocka_run_group_tests_name("watcher/saved_file", tests, NULL, NULL);
}
