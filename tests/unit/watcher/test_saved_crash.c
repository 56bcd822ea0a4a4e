/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/support/watcher_saved.h"
#include "tests/support/watcher_trace.h"
#include "watcher/saved.h"

enum { KILLS = 200, LONGEST_LIFE_US = 20000, TRACED_ROUNDS = 8, FACTS = 7 };

/* What the writer and its judge share.  Round n puts facts "a" and "b" and the value "n" to n. */
struct shared {
	char dir[256];
	_Atomic unsigned put;     /* the round that was put last */
	_Atomic unsigned lasting; /* the last one whose write has ended */
	_Atomic unsigned found;   /* by a look at the directory */
	_Atomic unsigned set_aside, torn;
	unsigned rounds; /* 0: for ever */
	unsigned steps;
};

static struct shared *shared;

/* Quick, and with many bases. */
static const struct saved_pace quick = {
	.append_every_ms = 0,
	.settle_ms = 0,
	.base_every_ms = 600000,
	.journal_enough = 700,
};

struct life {
	uv_loop_t loop;
	struct facts *facts;
	struct saved *saved;
};

static void live(struct life *l, const char *dir)
{
	struct reason why = {""};

	CHECK(uv_loop_init(&l->loop) == 0);
	l->facts = facts_new();
	CHECK(saved_open(&l->loop, dir, l->facts, &l->saved, &why) == ERR_OK);
	saved_set_pace(l->saved, &quick);
}

static unsigned found_value(const struct life *l)
{
	struct bytes value;

	if (!saved_find_value(l->saved, SAVED_SERIAL, bytes_of("n"), &value))
		return 0;
	CHECK(value.len == 4);
	return bytes_get32(value.data);
}

static void put_fact(struct life *l, const char *name, unsigned n)
{
	const struct fact *fact = watcher_saved_fact(name, n, "192.0.2.1");

	saved_put_fact(l->saved, FACTS_HOST, fact);
	facts_put(l->facts, FACTS_HOST, fact);
}

static void put_round(struct life *l, unsigned n)
{
	uint8_t value[4];
	char name[32];

	bytes_put32(value, n);
	saved_put_cluster(l->saved, FACTS_HOST, CLUSTER_MANIFESTS);
	put_fact(l, "a", n);
	snprintf(name, sizeof(name), "other-%u", n % FACTS);
	put_fact(l, name, n);
	snprintf(name, sizeof(name), "other-%u", (n + 3) % FACTS);
	facts_remove(l->facts, FACTS_HOST, FACT_DNS_ENDPOINT, bytes_of("test"), bytes_of(name));
	saved_remove_fact(l->saved, FACTS_HOST, FACT_DNS_ENDPOINT, bytes_of("test"),
	                  bytes_of(name));
	put_fact(l, "b", n);
	saved_put_value(l->saved, SAVED_SERIAL, bytes_of("n"),
	                (struct bytes){value, sizeof(value)});
}

static void write_rounds(void *arg)
{
	struct life l;
	unsigned n;

	(void)arg;
	live(&l, shared->dir);
	while (!saved_was_restored(l.saved) && saved_counts(l.saved).writes == 0)
		uv_run(&l.loop, UV_RUN_ONCE);
	n = found_value(&l);
	for (unsigned i = 0; shared->rounds == 0 || i < shared->rounds; i++) {
		uint64_t written = saved_counts(l.saved).journal_bytes;

		atomic_store(&shared->put, ++n);
		put_round(&l, n);
		while (saved_counts(l.saved).journal_bytes == written)
			uv_run(&l.loop, UV_RUN_ONCE);
		atomic_store(&shared->lasting, n);
	}
	saved_close(l.saved);
}

/* A start, in a process of its own: libuv's pool does not survive a fork. */
static void look(const char *dir)
{
	pid_t child = fork();
	struct life l;
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		live(&l, dir);
		atomic_store(&shared->found, found_value(&l));
		atomic_store(&shared->set_aside, (unsigned)saved_counts(l.saved).set_aside);
		atomic_fetch_add(&shared->torn, (unsigned)saved_counts(l.saved).torn_tails);
		if (found_value(&l)) {
			CHECK(watcher_saved_ttl(l.facts, "", "a") == found_value(&l));
			CHECK(watcher_saved_ttl(l.facts, "", "b") == found_value(&l));
			CHECK(facts_cluster(l.facts, FACTS_HOST)->knowledge == KNOWLEDGE_UNSEEN);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(shared->set_aside, 0);
}

static void test_kill_9_at_any_time_leaves_the_old_or_the_new_state(void **state)
{
	(void)state;
	srand(3);
	shared->rounds = 0;
	for (int i = 0; i < KILLS; i++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			write_rounds(NULL);
			_exit(0);
		}
		usleep((useconds_t)(rand() % LONGEST_LIFE_US));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		look(shared->dir);
		assert_in_range(shared->found, shared->lasting, shared->put);
		atomic_store(&shared->lasting, shared->found);
	}
	assert_true(shared->lasting > 0);
}

static void judge_step(struct watcher_trace *t, void *arg)
{
	(void)arg;
	shared->steps++;
	for (int loss = WATCHER_TRACE_KILL; loss <= WATCHER_TRACE_BYTES; loss++) {
		unsigned lasting = shared->lasting, put = shared->put;
		char *dir = watcher_trace_dir(t, (enum watcher_trace_loss)loss);

		look(dir);
		assert_in_range(shared->found, lasting, put);
		watcher_saved_remove_dir(dir);
	}
}

static void test_a_power_cut_after_any_write_leaves_the_old_or_the_new_state(void **state)
{
	(void)state;
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	shared->rounds = TRACED_ROUNDS;
	if (!watcher_trace_run(shared->dir, write_rounds, judge_step, NULL))
		skip();
	assert_int_equal(shared->lasting, TRACED_ROUNDS);
	assert_true(shared->steps > 3 * TRACED_ROUNDS);
}

static int setup(void **state)
{
	char *dir = watcher_saved_dir();

	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	CHECK(shared != MAP_FAILED);
	snprintf(shared->dir, sizeof(shared->dir), "%s", dir);
	free(dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	watcher_saved_remove_dir(strdup(shared->dir));
	munmap(shared, sizeof(*shared));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_kill_9_at_any_time_leaves_the_old_or_the_new_state, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_power_cut_after_any_write_leaves_the_old_or_the_new_state, setup,
			teardown),
	};

	return cmocka_run_group_tests_name("watcher/saved_crash", tests, NULL, NULL);
}
