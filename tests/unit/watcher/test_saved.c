/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/support/watcher_saved.h"
#include "watcher/saved.h"

enum { LA = 1, NY = 2, PATIENCE_MS = 10000 };

/* One life of the state over a directory. */
struct life {
	uv_loop_t loop;
	struct facts *facts;
	struct saved *saved;
};

static const struct saved_pace quick = {
	.append_every_ms = 1,
	.settle_ms = 1,
	.base_every_ms = 600000,
	.journal_enough = 64 << 10,
};

static void live(struct life *l, const char *dir)
{
	struct reason why = {""};

	assert_int_equal(uv_loop_init(&l->loop), 0);
	l->facts = facts_new();
	assert_int_equal(facts_cluster_id(l->facts, bytes_of("la")), LA);
	assert_int_equal(facts_cluster_id(l->facts, bytes_of("ny")), NY);
	assert_int_equal(saved_open(&l->loop, dir, l->facts, &l->saved, &why), ERR_OK);
	saved_set_pace(l->saved, &quick);
}

static void end(struct life *l)
{
	saved_close(l->saved);
	uv_run(&l->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&l->loop), 0);
	facts_free(l->facts);
}

static void run_ms(struct life *l, uint64_t ms)
{
	uint64_t until = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < until) {
		uv_run(&l->loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

/* Until the counter is at least `value`. */
#define RUN_UNTIL(l, field, value)                                                                 \
	do {                                                                                       \
		uint64_t until_ = clock_monotonic_ms() + PATIENCE_MS;                              \
		while (saved_counts((l)->saved).field < (value) && clock_monotonic_ms() < until_)  \
			run_ms((l), 1);                                                            \
		assert_true(saved_counts((l)->saved).field >= (value));                            \
	} while (0)

static void put(struct life *l, uint16_t cluster, const char *name, int64_t ttl)
{
	const struct fact *fact = watcher_saved_fact(name, ttl, "192.0.2.1");

	saved_put_fact(l->saved, cluster, fact);
	facts_put(l->facts, cluster, fact);
}

static void drop(struct life *l, uint16_t cluster, const char *name)
{
	facts_remove(l->facts, cluster, FACT_DNS_ENDPOINT, bytes_of("test"), bytes_of(name));
	saved_remove_fact(l->saved, cluster, FACT_DNS_ENDPOINT, bytes_of("test"), bytes_of(name));
}

static void put_value(struct life *l, enum saved_class class, const char *key, const char *value)
{
	saved_put_value(l->saved, class, bytes_of(key), bytes_of(value));
}

static bool value_is(struct life *l, enum saved_class class, const char *key, const char *value)
{
	struct bytes found = {0};

	return saved_find_value(l->saved, class, bytes_of(key), &found) &&
	       bytes_equal_text(found, value);
}

static int setup(void **state)
{
	*state = watcher_saved_dir();
	return 0;
}

static int teardown(void **state)
{
	watcher_saved_remove_dir(*state);
	return 0;
}

/* A base with la and "one", and a journal with "two", the host's "three" and a serial. */
static void write_some(const char *dir)
{
	struct life l;

	live(&l, dir);
	saved_put_cluster(l.saved, LA, CLUSTER_MEMBER);
	put(&l, LA, "one", 1);
	RUN_UNTIL(&l, base_bytes, 1);
	put(&l, LA, "two", 2);
	RUN_UNTIL(&l, writes, 2);
	put(&l, FACTS_HOST, "three", 3);
	put_value(&l, SAVED_SERIAL, "example.com", "\1\2\3\4");
	end(&l);
}

static void test_facts_clusters_and_values_come_back(void **state)
{
	struct life l;

	write_some(*state);
	live(&l, *state);
	assert_true(saved_was_restored(l.saved));
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "one"), 1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "two"), 2);
	assert_int_equal(watcher_saved_ttl(l.facts, "", "three"), 3);
	assert_true(facts_cluster(l.facts, LA)->registered);
	assert_int_equal(facts_cluster(l.facts, LA)->knowledge, KNOWLEDGE_UNSEEN);
	assert_int_equal(facts_cluster(l.facts, LA)->source, CLUSTER_MEMBER);
	assert_false(facts_cluster(l.facts, NY)->registered);
	assert_true(value_is(&l, SAVED_SERIAL, "example.com", "\1\2\3\4"));
	assert_false(value_is(&l, SAVED_HOST, "example.com", "\1\2\3\4"));
	end(&l);
}

static void test_an_empty_directory_restores_nothing(void **state)
{
	struct life l;

	live(&l, *state);
	assert_false(saved_was_restored(l.saved));
	assert_int_equal(saved_counts(l.saved).set_aside, 0);
	end(&l);
	live(&l, *state);
	assert_false(saved_was_restored(l.saved));
	assert_int_equal(saved_counts(l.saved).set_aside, 0);
	end(&l);
}

static void test_a_change_is_on_disk_without_closing(void **state)
{
	struct life l, after;
	char *copy;

	live(&l, *state);
	RUN_UNTIL(&l, base_bytes, 1);
	put(&l, LA, "one", 1);
	put(&l, LA, "gone", 1);
	RUN_UNTIL(&l, journal_bytes, 1);
	drop(&l, LA, "gone");
	put(&l, LA, "one", 7);
	RUN_UNTIL(&l, writes, 3);
	copy = watcher_saved_copy_dir(*state);
	live(&after, copy);
	assert_int_equal(watcher_saved_ttl(after.facts, "la", "one"), 7);
	assert_int_equal(watcher_saved_ttl(after.facts, "la", "gone"), -1);
	end(&after);
	end(&l);
	watcher_saved_remove_dir(copy);
}

static void test_changes_are_appended_at_most_once_a_second(void **state)
{
	const struct saved_pace usual = {1000, 100, 600000, 64 << 10};
	struct life l;

	live(&l, *state);
	RUN_UNTIL(&l, base_bytes, 1);
	saved_set_pace(l.saved, &usual);
	for (int i = 0; i < 150; i++) {
		put(&l, LA, "one", i);
		run_ms(&l, 10);
	}
	assert_in_range(saved_counts(l.saved).writes, 2, 3);
	end(&l);
}

static void test_only_the_last_change_of_a_key_is_written(void **state)
{
	uint64_t lone, many;
	struct life l;

	live(&l, *state);
	RUN_UNTIL(&l, base_bytes, 1);
	put(&l, LA, "one", 1000);
	RUN_UNTIL(&l, writes, 2);
	lone = saved_counts(l.saved).journal_bytes;
	for (int i = 0; i < 1000; i++)
		put(&l, LA, "one", 2000 + i);
	RUN_UNTIL(&l, writes, 3);
	many = saved_counts(l.saved).journal_bytes - lone;
	assert_true(many <= lone);
	end(&l);
	live(&l, *state);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "one"), 2999);
	end(&l);
}

static void test_what_stays_the_same_is_not_written(void **state)
{
	struct life l;

	write_some(*state);
	live(&l, *state); /* since when its clusters are unseen */
	end(&l);
	live(&l, *state);
	put_value(&l, SAVED_SERIAL, "example.com", "\1\2\3\4");
	put_value(&l, SAVED_HOST, "never.example", "");
	saved_put_cluster(l.saved, LA, CLUSTER_MEMBER);
	run_ms(&l, 50);
	assert_int_equal(saved_counts(l.saved).writes, 0);
	end(&l);
}

static uint64_t age_ms(const struct life *l, uint16_t cluster)
{
	return clock_monotonic_ms() - facts_cluster(l->facts, cluster)->since_ms;
}

static void test_a_restart_makes_no_cluster_younger(void **state)
{
	enum { DAYS = 3 * 86400 };
	uint64_t then = (uint64_t)(clock_unix_s() - DAYS) * 1000;
	uint8_t value[8];
	struct life l;

	write_some(*state);
	live(&l, *state);
	assert_true(age_ms(&l, LA) < PATIENCE_MS);
	for (int i = 0; i < 8; i++)
		value[i] = (uint8_t)(then >> 8 * (7 - i));
	saved_put_value(l.saved, SAVED_UNSEEN, bytes_of("la"),
	                (struct bytes){value, sizeof(value)});
	end(&l);
	for (int restart = 0; restart < 2; restart++) {
		live(&l, *state);
		assert_in_range(age_ms(&l, LA), DAYS * 1000LL, DAYS * 1000LL + PATIENCE_MS);
		end(&l);
	}
	live(&l, *state);
	saved_put_knowledge(l.saved, LA, KNOWLEDGE_SYNCED);
	end(&l);
	live(&l, *state);
	assert_true(age_ms(&l, LA) < PATIENCE_MS);
	end(&l);
}

static void test_an_empty_value_removes(void **state)
{
	struct life l;

	write_some(*state);
	live(&l, *state);
	put_value(&l, SAVED_SERIAL, "example.com", "");
	put_value(&l, SAVED_HOST, "lb.example.net", "x");
	end(&l);
	live(&l, *state);
	assert_false(value_is(&l, SAVED_SERIAL, "example.com", "\1\2\3\4"));
	assert_true(value_is(&l, SAVED_HOST, "lb.example.net", "x"));
	end(&l);
}

static void drop_cluster(struct life *l, uint16_t cluster)
{
	struct cluster_state gone = {.registered = false};

	facts_set_cluster(l->facts, cluster, &gone);
	saved_drop_cluster(l->saved, cluster);
}

static void test_a_dropped_cluster_stays_away_with_its_facts(void **state)
{
	struct life l;

	write_some(*state);
	live(&l, *state);
	put(&l, LA, "pending", 1);
	drop_cluster(&l, LA);
	end(&l);
	live(&l, *state);
	assert_false(facts_cluster(l.facts, LA)->registered);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "one"), -1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "pending"), -1);
	assert_int_equal(watcher_saved_ttl(l.facts, "", "three"), 3);
	end(&l);
}

static void test_a_cluster_that_went_and_came_has_only_its_new_facts(void **state)
{
	struct life l;

	write_some(*state);
	live(&l, *state);
	drop_cluster(&l, LA);
	saved_put_cluster(l.saved, LA, CLUSTER_MANIFESTS);
	put(&l, LA, "new", 9);
	end(&l);
	live(&l, *state);
	assert_true(facts_cluster(l.facts, LA)->registered);
	assert_int_equal(facts_cluster(l.facts, LA)->source, CLUSTER_MANIFESTS);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "one"), -1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "new"), 9);
	end(&l);
}

static void test_a_cluster_whose_first_list_never_ended_is_not_known(void **state)
{
	struct life l;

	live(&l, *state);
	put(&l, NY, "early", 5);
	end(&l);
	live(&l, *state);
	assert_int_equal(watcher_saved_ttl(l.facts, "ny", "early"), 5);
	assert_int_equal(facts_cluster(l.facts, NY)->knowledge, KNOWLEDGE_NEVER);
	end(&l);
}

static void test_a_torn_tail_is_cut_and_the_journal_goes_on(void **state)
{
	char name[64];
	uint8_t *data;
	size_t len;
	struct life l;

	write_some(*state);
	data = watcher_saved_read(*state, watcher_saved_journal(*state, name), &len);
	assert_non_null(data);
	watcher_saved_write(*state, name, data, len - 3);
	free(data);
	live(&l, *state);
	assert_int_equal(saved_counts(l.saved).torn_tails, 1);
	assert_int_equal(saved_counts(l.saved).set_aside, 0);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "two"), 2);
	assert_int_equal(watcher_saved_ttl(l.facts, "", "three"), -1);
	put(&l, LA, "four", 4);
	end(&l);
	live(&l, *state);
	assert_int_equal(saved_counts(l.saved).torn_tails, 0);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "two"), 2);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "four"), 4);
	end(&l);
}

static void test_damage_before_good_frames_is_kept_aside(void **state)
{
	char name[64], aside[80];
	uint8_t *data, *kept;
	size_t len, kept_len;
	struct life l;

	write_some(*state);
	data = watcher_saved_read(*state, watcher_saved_journal(*state, name), &len);
	data[60] ^= 1; /* in the first frame; a second follows */
	watcher_saved_write(*state, name, data, len);
	live(&l, *state);
	assert_int_equal(saved_counts(l.saved).set_aside, 1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "one"), 1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "two"), -1);
	assert_int_equal(watcher_saved_ttl(l.facts, "", "three"), -1);
	put(&l, LA, "four", 4);
	end(&l);
	snprintf(aside, sizeof(aside), "%s.bad-1", name);
	kept = watcher_saved_read(*state, aside, &kept_len);
	assert_non_null(kept);
	assert_int_equal(kept_len, len);
	assert_memory_equal(kept, data, len);
	free(kept);
	free(data);
	live(&l, *state);
	assert_int_equal(saved_counts(l.saved).set_aside, 0);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "four"), 4);
	end(&l);
}

/* Starts over a base that is not to be used, and finds nothing; the file is kept under `kept`. */
static void assert_starts_empty(const char *dir, const char *kept, uint64_t set_aside)
{
	struct life l;

	live(&l, dir);
	assert_false(saved_was_restored(l.saved));
	assert_int_equal(saved_counts(l.saved).set_aside, set_aside);
	assert_int_equal(facts_count(l.facts), 0);
	assert_true(watcher_saved_has(dir, kept));
	put(&l, LA, "fresh", 6);
	end(&l);
	live(&l, dir);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "fresh"), 6);
	assert_int_equal(saved_counts(l.saved).set_aside, 0);
	end(&l);
}

static void test_a_damaged_base_is_set_aside_with_its_journal_and_never_overwritten(void **state)
{
	char name[64], aside[80];
	uint8_t *data;
	size_t len;

	write_some(*state);
	watcher_saved_write(*state, "base.bad-1", "older", 5);
	data = watcher_saved_read(*state, "base", &len);
	data[len / 2] ^= 0x10;
	watcher_saved_write(*state, "base", data, len);
	snprintf(aside, sizeof(aside), "%s.bad-1", watcher_saved_journal(*state, name));
	assert_starts_empty(*state, "base.bad-2", 2);
	assert_true(watcher_saved_has(*state, aside));
	free(data);
	data = watcher_saved_read(*state, "base.bad-1", &len);
	assert_int_equal(len, 5);
	free(data);
}

static void test_a_base_without_its_end_is_damaged(void **state)
{
	uint8_t *data;
	size_t len;

	write_some(*state);
	data = watcher_saved_read(*state, "base", &len);
	watcher_saved_write(*state, "base", data, len - 24);
	free(data);
	assert_starts_empty(*state, "base.bad-1", 2);
}

static void test_a_newer_version_is_set_aside(void **state)
{
	uint8_t *data;
	size_t len;

	write_some(*state);
	data = watcher_saved_read(*state, "base", &len);
	data[9]++;
	watcher_saved_write(*state, "base", data, len);
	free(data);
	assert_starts_empty(*state, "base.bad-1", 2);
}

static void test_a_foreign_base_is_set_aside(void **state)
{
	watcher_saved_write(*state, "base", "hello", 5);
	assert_starts_empty(*state, "base.bad-1", 1);
}

static void test_a_link_a_folder_and_a_pipe_are_foreign(void **state)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/base", (const char *)*state);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_starts_empty(*state, "base.bad-1", 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_starts_empty(*state, "base.bad-2", 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_starts_empty(*state, "base.bad-3", 1);
}

static void test_a_missing_base_sets_its_journals_aside(void **state)
{
	char name[64], aside[80], path[512];

	write_some(*state);
	snprintf(aside, sizeof(aside), "%s.bad-1", watcher_saved_journal(*state, name));
	snprintf(path, sizeof(path), "%s/base", (const char *)*state);
	assert_int_equal(unlink(path), 0);
	assert_starts_empty(*state, aside, 1);
}

static void test_a_journal_of_another_state_is_set_aside(void **state)
{
	char *other = watcher_saved_dir();
	char name[64], aside[80];
	uint8_t *data;
	size_t len;
	struct life l;

	write_some(*state);
	write_some(other);
	data = watcher_saved_read(other, watcher_saved_journal(other, name), &len);
	watcher_saved_write(*state, name, data, len);
	snprintf(aside, sizeof(aside), "%s.bad-1", name);
	live(&l, *state);
	assert_int_equal(saved_counts(l.saved).set_aside, 1);
	assert_true(watcher_saved_has(*state, aside));
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "one"), 1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "two"), -1);
	end(&l);
	free(data);
	watcher_saved_remove_dir(other);
}

/* What a start writes to the log; the caller frees. */
static char *words_of_start(struct life *l, const char *dir)
{
	int memory = memfd_create("log", MFD_CLOEXEC), before = dup(STDERR_FILENO);
	off_t len;
	char *text;

	assert_true(memory >= 0 && before >= 0);
	dup2(memory, STDERR_FILENO);
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	live(l, dir);
	log_setup(LOG_WARN, LOG_FORMAT_TEXT);
	dup2(before, STDERR_FILENO);
	close(before);
	len = lseek(memory, 0, SEEK_END);
	text = calloc(1, (size_t)len + 1);
	assert_int_equal(pread(memory, text, (size_t)len, 0), len);
	close(memory);
	return text;
}

/* A start with "one", and of what the journals held with as much as these TTLs say. */
static void assert_start_says(const char *dir, const char *name, const char *words, int two,
                              int three)
{
	struct life l;
	char *text = words_of_start(&l, dir);

	if (strstr(text, name) == NULL || strstr(text, words) == NULL)
		print_error("said: %s\n", text);
	assert_non_null(strstr(text, name));
	assert_non_null(strstr(text, words));
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "one"), 1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "two"), two);
	assert_int_equal(watcher_saved_ttl(l.facts, "", "three"), three);
	free(text);
	end(&l);
}

static void remove_file(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

static void test_an_emptied_journal_is_told(void **state)
{
	char name[64];

	write_some(*state);
	watcher_saved_write(*state, watcher_saved_journal(*state, name), "", 0);
	assert_start_says(*state, name, "is empty", -1, -1);
}

static void test_a_removed_journal_is_told_and_a_new_state_is_not(void **state)
{
	char *new = watcher_saved_dir(), name[64], *text;
	struct life l;

	text = words_of_start(&l, new);
	assert_string_equal(text, "");
	free(text);
	end(&l);
	watcher_saved_remove_dir(new);
	write_some(*state);
	remove_file(*state, watcher_saved_journal(*state, name));
	assert_start_says(*state, " info ", "no journal follows the base", -1, -1);
}

/* While no base can be written, journals follow journals. */
static void test_a_removed_journal_before_another_is_told(void **state)
{
	struct saved_pace pace = quick;
	char name[64], path[512];
	struct life l;

	write_some(*state);
	watcher_saved_journal(*state, name);
	snprintf(path, sizeof(path), "%s/base.new", (const char *)*state);
	assert_int_equal(mkdir(path, 0700), 0);
	live(&l, *state);
	pace.journal_enough = 1;
	saved_set_pace(l.saved, &pace);
	put(&l, LA, "four", 4);
	RUN_UNTIL(&l, write_errors, 1);
	put(&l, FACTS_HOST, "three", 33);
	end(&l);
	assert_int_equal(rmdir(path), 0);
	remove_file(*state, name);
	assert_start_says(*state, name, "is missing", -1, 33);
}

static void test_a_second_user_of_the_directory_is_refused(void **state)
{
	struct reason why = {""};
	struct facts *facts = facts_new();
	struct saved *second;
	struct life l;

	live(&l, *state);
	assert_int_equal(saved_open(&l.loop, *state, facts, &second, &why), ERR_CONFLICT);
	assert_non_null(strstr(why.text, "in use by another process"));
	end(&l);
	facts_free(facts);
}

static void test_a_place_that_is_no_directory_is_refused(void **state)
{
	struct reason why = {""};
	struct facts *facts = facts_new();
	struct saved *saved;
	char path[512];

	watcher_saved_write(*state, "file", "", 0);
	snprintf(path, sizeof(path), "%s/file", (const char *)*state);
	assert_int_equal(saved_open(NULL, path, facts, &saved, &why), ERR_IO);
	snprintf(path, sizeof(path), "%s/none/deeper", (const char *)*state);
	assert_int_equal(saved_open(NULL, path, facts, &saved, &why), ERR_IO);
	assert_non_null(strstr(why.text, "No such file"));
	facts_free(facts);
}

static void test_nobody_else_may_read_the_state(void **state)
{
	char dir[256], path[512];
	struct stat st;
	struct life l;

	snprintf(dir, sizeof(dir), "%s/made", (const char *)*state);
	live(&l, dir);
	put(&l, LA, "one", 1);
	end(&l);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(path, sizeof(path), "%s/base", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/lock", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(unlink(path), 0);
}

static void test_a_long_journal_becomes_a_base(void **state)
{
	uint64_t journals;
	char name[64], newer[64];
	struct life l;

	write_some(*state);
	watcher_saved_journal(*state, name);
	live(&l, *state);
	for (int i = 0; i < 3000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "name-%d", i);
		put(&l, LA, text, i);
	}
	RUN_UNTIL(&l, base_bytes, 64 << 10);
	assert_false(watcher_saved_has(*state, name));
	journals = saved_counts(l.saved).journal_bytes;
	put(&l, LA, "later", 8);
	RUN_UNTIL(&l, journal_bytes, journals + 1);
	assert_true(strcmp(watcher_saved_journal(*state, newer), name) > 0);
	assert_true(saved_counts(l.saved).journal_bytes - journals < 300);
	end(&l);
	live(&l, *state);
	assert_int_equal(facts_count(l.facts), 3 + 3000 + 1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "name-2999"), 2999);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "later"), 8);
	assert_true(value_is(&l, SAVED_SERIAL, "example.com", "\1\2\3\4"));
	end(&l);
}

static void test_a_base_follows_changes_after_its_time(void **state)
{
	struct saved_pace pace = quick;
	struct life l;

	pace.base_every_ms = 30;
	live(&l, *state);
	saved_set_pace(l.saved, &pace);
	RUN_UNTIL(&l, writes, 1);
	run_ms(&l, 100);
	assert_int_equal(saved_counts(l.saved).writes, 1); /* nothing changed */
	put(&l, LA, "one", 1);
	RUN_UNTIL(&l, writes, 3); /* a journal, then a base */
	run_ms(&l, 100);
	assert_int_equal(saved_counts(l.saved).writes, 3);
	end(&l);
}

/* No file may grow beyond `bytes`: what a full disk does to writes. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_full_disk_costs_no_more_than_the_changes_until_it_has_room(void **state)
{
	struct life l;

	signal(SIGXFSZ, SIG_IGN);
	write_some(*state);
	live(&l, *state);
	limit_files(100);
	put(&l, LA, "full", 1);
	RUN_UNTIL(&l, write_errors, 2); /* the journal, then a base */
	put(&l, LA, "still", 2);
	run_ms(&l, 20);
	assert_int_equal(saved_counts(l.saved).journal_bytes, 0);
	limit_files(RLIM_INFINITY);
	RUN_UNTIL(&l, base_bytes, 1);
	put(&l, LA, "after", 3);
	RUN_UNTIL(&l, journal_bytes, 1);
	end(&l);
	live(&l, *state);
	assert_int_equal(saved_counts(l.saved).torn_tails, 0);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "one"), 1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "full"), 1);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "still"), 2);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "after"), 3);
	end(&l);
}

static void test_a_journal_that_vanished_is_made_good_by_a_base(void **state)
{
	char name[64], path[512];
	struct life l;

	write_some(*state);
	live(&l, *state);
	snprintf(path, sizeof(path), "%s/%s", (const char *)*state,
	         watcher_saved_journal(*state, name));
	assert_int_equal(unlink(path), 0);
	put(&l, LA, "four", 4);
	RUN_UNTIL(&l, base_bytes, 1);
	assert_int_equal(saved_counts(l.saved).write_errors, 1);
	end(&l);
	live(&l, *state);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "two"), 2);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "four"), 4);
	end(&l);
}

/* The journal of the next generation is there already and cannot be appended to. */
static void test_a_journal_that_failed_is_never_read_again(void **state)
{
	struct saved_pace eager = quick;
	unsigned long long generation;
	char name[64], blocker[128];
	uint64_t written;
	struct life l;

	live(&l, *state);
	RUN_UNTIL(&l, base_bytes, 1);
	put(&l, LA, "one", 1);
	RUN_UNTIL(&l, writes, 2);
	assert_int_equal(sscanf(watcher_saved_journal(*state, name), "journal-%llx", &generation),
	                 1);
	snprintf(name, sizeof(name), "journal-%016llx", generation + 1);
	watcher_saved_write(*state, name, "bad", 3);
	snprintf(blocker, sizeof(blocker), "%s/base.new", (const char *)*state);
	assert_int_equal(mkdir(blocker, 0700), 0);
	eager.base_every_ms = 1;
	saved_set_pace(l.saved, &eager);
	RUN_UNTIL(&l, write_errors, 1); /* the base; its journal is begun */
	put(&l, LA, "two", 2);
	RUN_UNTIL(&l, write_errors, 2); /* the journal */
	assert_int_equal(rmdir(blocker), 0);
	written = saved_counts(l.saved).base_bytes;
	RUN_UNTIL(&l, base_bytes, written + 1);
	assert_false(watcher_saved_has(*state, name));
	end(&l);
	live(&l, *state);
	assert_int_equal(saved_counts(l.saved).set_aside, 0);
	assert_int_equal(saved_counts(l.saved).torn_tails, 0);
	assert_int_equal(watcher_saved_ttl(l.facts, "la", "two"), 2);
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_facts_clusters_and_values_come_back),
		TEST(test_an_empty_directory_restores_nothing),
		TEST(test_a_change_is_on_disk_without_closing),
		TEST(test_changes_are_appended_at_most_once_a_second),
		TEST(test_only_the_last_change_of_a_key_is_written),
		TEST(test_what_stays_the_same_is_not_written),
		TEST(test_a_restart_makes_no_cluster_younger),
		TEST(test_an_empty_value_removes),
		TEST(test_a_dropped_cluster_stays_away_with_its_facts),
		TEST(test_a_cluster_that_went_and_came_has_only_its_new_facts),
		TEST(test_a_cluster_whose_first_list_never_ended_is_not_known),
		TEST(test_a_torn_tail_is_cut_and_the_journal_goes_on),
		TEST(test_damage_before_good_frames_is_kept_aside),
		TEST(test_a_damaged_base_is_set_aside_with_its_journal_and_never_overwritten),
		TEST(test_a_base_without_its_end_is_damaged),
		TEST(test_a_newer_version_is_set_aside),
		TEST(test_a_foreign_base_is_set_aside),
		TEST(test_a_link_a_folder_and_a_pipe_are_foreign),
		TEST(test_a_missing_base_sets_its_journals_aside),
		TEST(test_a_journal_of_another_state_is_set_aside),
		TEST(test_an_emptied_journal_is_told),
		TEST(test_a_removed_journal_is_told_and_a_new_state_is_not),
		TEST(test_a_removed_journal_before_another_is_told),
		TEST(test_a_second_user_of_the_directory_is_refused),
		TEST(test_a_place_that_is_no_directory_is_refused),
		TEST(test_nobody_else_may_read_the_state),
		TEST(test_a_long_journal_becomes_a_base),
		TEST(test_a_base_follows_changes_after_its_time),
		TEST(test_a_full_disk_costs_no_more_than_the_changes_until_it_has_room),
		TEST(test_a_journal_that_vanished_is_made_good_by_a_base),
		TEST(test_a_journal_that_failed_is_never_read_again),
	};

	return cmocka_run_group_tests_name("watcher/saved", tests, NULL, NULL);
}
