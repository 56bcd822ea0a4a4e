/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "dnsd/probe_notes.h"

static struct probe_note note_of(uint16_t port)
{
	struct probe_note n = {.port = port, .check = "tcp", .is_wanted = true, .at_ms = 1000};

	assert_true(addr_parse(bytes_of("192.0.2.1"), &n.addr));
	return n;
}

static void test_a_note_is_what_was_said_last(void **state)
{
	struct probe_notes *n = probe_notes_new();
	struct probe_note list[2] = {note_of(80), note_of(443)}, got;
	char text[PROBE_NOTE_TEXT_SIZE];

	(void)state;
	assert_false(probe_notes_get(n, 0, &got, text));
	probe_notes_set_all(n, list, 2);
	assert_true(probe_notes_get(n, 1, &got, text));
	assert_string_equal(text, "");
	list[1].down = list[1].flapping = true;
	probe_notes_set(n, 1, &list[1], "connection refused");
	probe_notes_set(n, 0, &list[0], "connection refused");
	probe_notes_set(n, 1, &list[1], "status 503");
	assert_true(probe_notes_get(n, 1, &got, text));
	assert_string_equal(text, "status 503");
	assert_int_equal(got.port, 443);
	assert_true(probe_notes_get(n, 0, &got, text));
	assert_string_equal(text, "connection refused");
	assert_false(probe_notes_get(n, 2, &got, text));
	probe_notes_free(n);
}

static void test_a_target_that_stays_keeps_its_note_and_another_has_none(void **state)
{
	struct probe_notes *n = probe_notes_new();
	struct probe_note list[3] = {note_of(80), note_of(443), note_of(22)}, got;
	char text[PROBE_NOTE_TEXT_SIZE];

	(void)state;
	probe_notes_set_all(n, list, 3);
	for (size_t i = 0; i < 3; i++)
		probe_notes_set(n, i, &list[i], "connected");
	list[1].port = 8443;
	list[2].is_wanted = false;
	probe_notes_set_all(n, list, 3);
	assert_true(probe_notes_get(n, 0, &got, text));
	assert_string_equal(text, "connected");
	assert_true(probe_notes_get(n, 1, &got, text));
	assert_string_equal(text, "");
	assert_false(probe_notes_get(n, 2, &got, text));
	assert_int_equal(probe_notes_counts(n).probes, 2);
	probe_notes_free(n);
}

static void test_numbers_follow_the_notes(void **state)
{
	struct probe_notes *n = probe_notes_new();
	struct probe_note list[2] = {note_of(80), note_of(443)};
	struct probe_counts c;

	(void)state;
	probe_notes_set_all(n, list, 2);
	list[0].down = list[0].flapping = true;
	list[0].held_until_ms = 5000;
	probe_notes_set(n, 0, &list[0], "connected");
	probe_notes_set_counts(n, 7, 8, 9);
	c = probe_notes_counts(n);
	assert_int_equal(c.probes, 2);
	assert_int_equal(c.down, 1);
	assert_int_equal(c.flapping, 1);
	assert_int_equal(c.held, 1);
	assert_int_equal(c.attempts, 7);
	assert_int_equal(c.waits, 8);
	assert_int_equal(c.voided, 9);
	probe_notes_set_all(n, list, 0);
	c = probe_notes_counts(n);
	assert_int_equal(c.probes + c.down + c.flapping + c.held, 0);
	probe_notes_free(n);
}

static void test_it_is_told_as_json(void **state)
{
	struct probe_notes *n = probe_notes_new();
	struct probe_note list[2] = {note_of(80), note_of(443)};
	const uint32_t index[] = {1, 0, 9};
	struct text out = {0};

	(void)state;
	list[0].at_ms = 0;
	probe_notes_set_all(n, list, 2);
	list[1].down = list[1].flapping = true;
	list[1].held_until_ms = 34500;
	probe_notes_set(n, 1, &list[1], "status \"503\"");
	probe_notes_print(n, index, 3, 4000, &out);
	assert_string_equal(
		out.data,
		"[{\"target\":\"192.0.2.1:443\",\"check\":\"tcp\",\"ok\":false,\"down\":true,"
		"\"detail\":\"status \\\"503\\\"\",\"ageSeconds\":3,\"flapping\":true,"
		"\"heldForSeconds\":31},{\"target\":\"192.0.2.1:80\",\"check\":\"tcp\",\"ok\":null,"
		"\"down\":false,\"detail\":\"not probed yet\",\"ageSeconds\":null,"
		"\"flapping\":false,\"heldForSeconds\":0}]");
	text_reset(&out);
	probe_notes_print_status(n, 4000, &out);
	assert_non_null(strstr(out.data, "{\"probes\":2,\"down\":1,\"held\":1,"));
	assert_non_null(strstr(out.data, "\"flapping\":[{\"target\":\"192.0.2.1:443\""));
	text_fini(&out);
	probe_notes_free(n);
}

struct reading {
	struct probe_notes *notes;
	atomic_bool stop;
};

static void *read_on(void *arg)
{
	struct reading *r = arg;
	char text[PROBE_NOTE_TEXT_SIZE];
	struct probe_note got;

	while (!atomic_load(&r->stop))
		for (size_t i = 0; i < 64; i++)
			if (probe_notes_get(r->notes, i, &got, text))
				assert_int_equal(got.port, i + 1);
	return NULL;
}

static void test_one_thread_writes_while_another_reads(void **state)
{
	struct reading r = {.notes = probe_notes_new()};
	struct probe_note list[64];
	pthread_t thread;

	(void)state;
	for (uint16_t i = 0; i < 64; i++)
		list[i] = note_of((uint16_t)(i + 1));
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (size_t round = 0; round < 2000; round++) {
		char text[32];

		if (round % 16 == 0)
			probe_notes_set_all(r.notes, list, 1 + round % 64);
		snprintf(text, sizeof text, "status %zu", round % 7);
		probe_notes_set(r.notes, 0, &list[0], text);
	}
	atomic_store(&r.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	probe_notes_free(r.notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_note_is_what_was_said_last),
		cmocka_unit_test(test_a_target_that_stays_keeps_its_note_and_another_has_none),
		cmocka_unit_test(test_numbers_follow_the_notes),
		cmocka_unit_test(test_it_is_told_as_json),
		cmocka_unit_test(test_one_thread_writes_while_another_reads),
	};

	return cmocka_run_group_tests_name("dnsd/probe_notes", tests, NULL, NULL);
}
