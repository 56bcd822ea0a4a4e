/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "watcher/peers_message.h"

static const struct vote_key KEY = {0x0102030405060708, 0x1112131415161718};

static struct bytes printed(const struct peers_message *m, struct buffer *b)
{
	buffer_reset(b);
	peers_message_print(m, b);
	return (struct bytes){b->data, b->len};
}

static void test_what_is_printed_is_parsed(void **state)
{
	struct buffer entries = {0}, frame = {0};
	struct peers_message messages[] = {
		{.kind = PEERS_HELLO, .id = "0123456789abcde", .name = bytes_of("nighd-0")},
		{.kind = PEERS_VIEW, .to = 1ULL << 40, .reaches = true},
		{.kind = PEERS_CHANGES, .from = 3, .to = 4, .reaches = false},
		{.kind = PEERS_BEAT, .to = 4, .reaches = true},
		{.kind = PEERS_ASK},
		{.kind = PEERS_BYE},
	};
	struct peers_message m;
	struct vote_key key;
	enum vote_view view;
	size_t len, at = 0;

	(void)state;
	peers_entry_put(&entries, &KEY, VOTE_DOWN);
	messages[1].entries = messages[2].entries = (struct bytes){entries.data, entries.len};
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		struct bytes whole = printed(&messages[i], &frame);

		assert_true(peers_frame_length(whole, &len));
		assert_int_equal(len, whole.len);
		assert_true(peers_message_parse(whole, &m));
		assert_int_equal(m.kind, messages[i].kind);
		assert_memory_equal(m.id, messages[i].id, PEERS_ID);
		assert_true(bytes_equal(m.name, messages[i].name));
		assert_int_equal(m.from, messages[i].from);
		assert_int_equal(m.to, messages[i].to);
		assert_int_equal(m.reaches, messages[i].reaches);
		assert_true(bytes_equal(m.entries, messages[i].entries));
	}
	assert_true(peers_entry_next((struct bytes){entries.data, entries.len}, &at, &key, &view));
	assert_true(key.a == KEY.a && key.b == KEY.b && view == VOTE_DOWN);
	assert_false(peers_entry_next((struct bytes){entries.data, entries.len}, &at, &key, &view));
	buffer_fini(&entries);
	buffer_fini(&frame);
}

static void test_no_cut_message_is_taken(void **state)
{
	struct buffer entries = {0}, frame = {0};
	struct peers_message all[] = {
		{.kind = PEERS_HELLO, .name = bytes_of("n")},
		{.kind = PEERS_VIEW, .to = 2},
		{.kind = PEERS_CHANGES, .from = 1, .to = 2},
		{.kind = PEERS_BEAT},
	};
	struct peers_message m;

	(void)state;
	peers_entry_put(&entries, &KEY, VOTE_UP);
	all[1].entries = all[2].entries = (struct bytes){entries.data, entries.len};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct bytes whole = printed(&all[i], &frame);

		for (size_t len = 0; len < whole.len; len++)
			/* A view without entries is one. */
			if (len + PEERS_ENTRY != whole.len || all[i].entries.len == 0)
				assert_false(
					peers_message_parse((struct bytes){whole.data, len}, &m));
		buffer_u8(&frame, 0);
		assert_false(peers_message_parse((struct bytes){frame.data, frame.len}, &m));
	}
	buffer_fini(&entries);
	buffer_fini(&frame);
}

static void test_frames_are_bounded(void **state)
{
	uint8_t head[PEERS_FRAME_HEAD];
	size_t len;

	(void)state;
	assert_true(peers_frame_length((struct bytes){head, 3}, &len));
	assert_int_equal(len, 0);
	bytes_put32(head, PEERS_FRAME_MOST);
	assert_true(peers_frame_length((struct bytes){head, sizeof head}, &len));
	assert_int_equal(len, PEERS_FRAME_MOST + PEERS_FRAME_HEAD);
	bytes_put32(head, PEERS_FRAME_MOST + 1);
	assert_false(peers_frame_length((struct bytes){head, sizeof head}, &len));
	bytes_put32(head, 0);
	assert_false(peers_frame_length((struct bytes){head, sizeof head}, &len));
}

/* The byte at that distance from the end has another value. */
static bool takes_with(const struct peers_message *message, size_t from_end, uint8_t value)
{
	struct buffer frame = {0};
	struct peers_message m;
	bool takes;

	peers_message_print(message, &frame);
	frame.data[frame.len - from_end] = value;
	takes = peers_message_parse((struct bytes){frame.data, frame.len}, &m);
	buffer_fini(&frame);
	return takes;
}

static void test_values_that_mean_nothing_are_not_taken(void **state)
{
	struct peers_message hello = {.kind = PEERS_HELLO, .name = bytes_of("n")},
			     beat = {.kind = PEERS_BEAT}, ask = {.kind = PEERS_ASK},
			     back = {.kind = PEERS_CHANGES, .from = 2, .to = 2},
			     changes = {.kind = PEERS_CHANGES, .from = 1, .to = 2};
	struct buffer entries = {0}, frame = {0};
	struct peers_message m;

	(void)state;
	assert_true(takes_with(&hello, 1, 'm'));
	assert_false(takes_with(&hello, 1, '\n')); /* it goes into logs */
	assert_false(takes_with(&hello, 1 + 2 + PEERS_ID + 1, PEERS_VERSION + 1));
	assert_true(takes_with(&beat, 1, 1));
	assert_false(takes_with(&beat, 1, 2));
	assert_false(takes_with(&ask, 1, 0));
	assert_false(takes_with(&ask, 1, PEERS_BYE + 1));
	assert_false(peers_message_parse(printed(&back, &frame), &m));
	peers_entry_put(&entries, &KEY, VOTE_UP);
	changes.entries = (struct bytes){entries.data, entries.len};
	assert_true(takes_with(&changes, 1, VOTE_UNKNOWN));
	assert_false(takes_with(&changes, 1, VOTE_DOWN + 1));
	hello.name = bytes_of("");
	assert_false(peers_message_parse(printed(&hello, &frame), &m));
	hello.name = bytes_of("0123456789012345678901234567890123456789012345678901234567890123");
	assert_false(peers_message_parse(printed(&hello, &frame), &m));
	buffer_fini(&entries);
	buffer_fini(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_printed_is_parsed),
		cmocka_unit_test(test_no_cut_message_is_taken),
		cmocka_unit_test(test_frames_are_bounded),
		cmocka_unit_test(test_values_that_mean_nothing_are_not_taken),
	};

	return cmocka_run_group_tests_name("watcher/peers_message", tests, NULL, NULL);
}
