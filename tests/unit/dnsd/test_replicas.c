/* Two replicas of one process, each with a world of its own, through dnsd/replicas.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/replicas.h"
#include "tests/support/watcher_authority.h"

enum { PATIENCE_MS = 20000, DAY_S = 86400, PROBES = 3, PORT = 28054 };

/* One replica: what it knows, and what its probes are made to say. */
struct replica {
	struct replicas *replicas;
	struct config *config;
	struct cluster_state state[2];
	struct records_cluster cluster[2];
	struct records_probe probe[PROBES];
	struct records_result result;
	bool wanted[PROBES];
	unsigned changes;
};

struct world {
	uv_loop_t loop;
	char dir[64];
	struct authority *authority;
	struct replica replica[2];
	unsigned stopping;
};

static void run_ms(struct world *w, uint64_t ms)
{
	for (uint64_t end = clock_monotonic_ms() + ms; clock_monotonic_ms() < end;) {
		for (size_t i = 0; i < 2; i++)
			replicas_tick(w->replica[i].replicas);
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
}

#define run_until(w, condition)                                                                    \
	for (uint64_t end_ = clock_monotonic_ms() + PATIENCE_MS; !(condition); run_ms(w, 5))       \
	assert_true(clock_monotonic_ms() < end_)

static void on_change(void *arg) { ((struct replica *)arg)->changes++; }
static void on_stopped(void *arg) { ((struct world *)arg)->stopping--; }

static struct config *read_config(const struct world *w, size_t i, const char *mode)
{
	char path[96];
	struct text errors = {0};
	struct config *c;
	FILE *f;

	snprintf(path, sizeof path, "%s/r%zu.yaml", w->dir, i);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f,
	        "probe: {mode: %s, interval: 100ms, timeout: 100ms}\n"
	        "replicas: {listen: \"127.0.0.%zu:%d\", name: r%zu, peers: [\"127.0.0.2:%d\", "
	        "\"127.0.0.3:%d\"], certificate: nighd.crt, key: nighd.key, ca: ca.crt}\n",
	        mode, i + 2, PORT, i, PORT, PORT);
	assert_int_equal(fclose(f), 0);
	c = config_read(path, &errors);
	assert_non_null(c);
	text_fini(&errors);
	return c;
}

/* Houston has two addresses, one of them twice; Los Angeles none. */
static void fill(struct replica *r)
{
	static const char *const names[] = {"houston", "losangeles"};

	for (uint16_t i = 0; i < 2; i++) {
		r->state[i].knowledge = KNOWLEDGE_SYNCED;
		r->cluster[i] =
			(struct records_cluster){.id = i, .name = names[i], .state = &r->state[i]};
	}
	for (size_t i = 0; i < PROBES; i++)
		r->probe[i] = (struct records_probe){
			.addr = {ADDR_IPV4, {192, 0, 2, i == 2}}, .port = 80, .cluster = 0};
	r->result = (struct records_result){.clusters = r->cluster,
	                                    .cluster_count = 2,
	                                    .probes = r->probe,
	                                    .probe_count = PROBES};
}

static bool is_wanted(size_t index, void *arg) { return ((struct replica *)arg)->wanted[index]; }

/* It sees its cluster's API or not, and probes the addresses in that case. */
static void set_targets(struct replica *r, bool sees_api)
{
	r->state[0].knowledge = sees_api ? KNOWLEDGE_SYNCED : KNOWLEDGE_UNSEEN;
	for (size_t i = 0; i < PROBES; i++)
		r->wanted[i] = !sees_api || r->config->probe.mode == CONFIG_PROBE_ALWAYS;
	replicas_set_targets(r->replicas, &r->result, is_wanted, r);
}

static int begin(void **state, const char *mode)
{
	struct world *w = xcalloc(1, sizeof *w);
	struct reason why = {0};

	snprintf(w->dir, sizeof w->dir, "/tmp/nigh-replicas-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->authority = authority_new(w->dir);
	authority_issue_named(w->authority, "nighd", "replicas.nigh", DAY_S);
	for (size_t i = 0; i < 2; i++) {
		struct replica *r = &w->replica[i];

		r->config = read_config(w, i, mode);
		fill(r);
		r->replicas = replicas_new(&w->loop, on_change, r);
		assert_false(replicas_vote(r->replicas));
		assert_int_equal(replicas_configure(r->replicas, r->config, &why), ERR_OK);
		assert_true(replicas_vote(r->replicas));
		set_targets(r, true);
	}
	*state = w;
	return 0;
}

static int setup_unseen(void **state) { return begin(state, "unseen"); }
static int setup_always(void **state) { return begin(state, "always"); }

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	w->stopping = 2;
	for (size_t i = 0; i < 2; i++)
		replicas_stop(w->replica[i].replicas, on_stopped, w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->stopping, 0);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	for (size_t i = 0; i < 2; i++)
		config_free(w->replica[i].config);
	authority_free(w->authority);
	snprintf(command, sizeof command, "rm -rf %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void say(struct replica *r, size_t index, bool succeeded, bool down)
{
	replicas_note(r->replicas, index, &(struct replicas_verdict){succeeded, succeeded, down});
}

/* Index 0 fails while index 2 answers, until that is believed. */
static void lose(struct replica *r)
{
	for (int i = 0; i < 3; i++) {
		say(r, 0, false, true);
		usleep(2000);
		say(r, 2, true, false);
		usleep(2000);
	}
}

static char *status_of(const struct replica *r)
{
	struct replica_notes *notes = replica_notes_new();
	struct text out = {0};

	replicas_give_notes(r->replicas, notes);
	replica_notes_print(notes, &out);
	replica_notes_free(notes);
	return text_take(&out);
}

static bool status_has(const struct replica *r, const char *text)
{
	char *status = status_of(r);
	bool has = strstr(status, text) != NULL;

	free(status);
	return has;
}

static uint64_t heard_by(const struct replica *r)
{
	struct replica_notes *notes = replica_notes_new();
	uint64_t heard;

	replicas_give_notes(r->replicas, notes);
	heard = replica_notes_counts(notes).heard;
	replica_notes_free(notes);
	return heard;
}

static void test_who_sees_the_api_of_a_cluster_holds_it_up(void **state)
{
	struct world *w = *state;
	struct replica *here = &w->replica[0], *there = &w->replica[1];

	run_until(w, heard_by(here) == 1 && heard_by(there) == 1);
	set_targets(there, false);
	lose(there);
	run_until(w, status_has(here, "\"down\":1"));
	assert_false(replicas_decide(here->replicas, 0, false));
	assert_false(replicas_decide(there->replicas, 0, false));
	/* It was withdrawn, and one of two sees the API again. */
	assert_false(replicas_decide(there->replicas, 0, true));
	set_targets(here, false);
	lose(here);
	run_until(w, replicas_decide(there->replicas, 0, false));
	assert_true(replicas_decide(here->replicas, 0, false));
	assert_true(replicas_decide(here->replicas, 1, false)); /* the same address */
	assert_false(replicas_decide(here->replicas, 2, false));
}

static void test_who_has_not_looked_yet_counts_against_withdrawal(void **state)
{
	struct world *w = *state;
	struct replica *here = &w->replica[0], *there = &w->replica[1];
	struct text said = {0};

	run_until(w, heard_by(here) == 1 && heard_by(there) == 1);
	lose(here);
	run_until(w, status_has(there, "\"down\":1"));
	/* Not yet: it has not looked, and counts against that. */
	assert_false(replicas_decide(there->replicas, 0, false));
	lose(there);
	run_until(w, replicas_decide(here->replicas, 0, false));
	replicas_describe(here->replicas, 0, &said);
	assert_string_equal(said.data, "2 of 2 replicas see it down, 0 up");
	text_fini(&said);
	assert_true(status_has(here, "\"double\":false"));
	/* An index of the same address goes, and the other's view stays. */
	there->probe[1] = (struct records_probe){.addr = {.family = ADDR_NONE}};
	there->wanted[1] = false;
	replicas_set_targets(there->replicas, &there->result, is_wanted, there);
	run_ms(w, 200);
	assert_true(replicas_decide(here->replicas, 0, false));
	assert_false(replicas_decide(there->replicas, 1, true));
}

static void test_who_reaches_nothing_has_no_vote_and_freezes_when_alone(void **state)
{
	struct world *w = *state;
	struct replica *here = &w->replica[0], *there = &w->replica[1];
	uint64_t begun_ms = clock_monotonic_ms();

	run_until(w, heard_by(here) == 1);
	while (clock_monotonic_ms() - begun_ms < 1200) {
		say(here, 0, true, false);
		say(there, 0, false, true);
		run_ms(w, 20);
	}
	run_until(w, (say(here, 0, true, false), heard_by(here) == 0));
	assert_false(
		replicas_are_frozen(there->replicas)); /* it hears one that reaches something */
	assert_true(status_has(here, "\"voter\":false,\"sees\":{\"up\":0,\"down\":0"));
	run_until(w, replicas_are_frozen(there->replicas));
	run_until(w, replicas_are_frozen(here->replicas));
	assert_true(replicas_decide(here->replicas, 0, true));
	assert_false(replicas_decide(here->replicas, 0, false));
}

/* A file's word needs no network: it is believed though nothing is reached. */
static void test_what_is_told_is_believed(void **state)
{
	struct world *w = *state;
	struct policy_check import = {.kind = POLICY_CHECK_IMPORT};
	struct records_check checks[] = {{.is = NULL},
	                                 {.is = &import, .key = bytes_of("import x")}};

	run_until(w, heard_by(&w->replica[0]) == 1 && heard_by(&w->replica[1]) == 1);
	for (size_t i = 0; i < 2; i++) {
		struct replica *r = &w->replica[i];

		r->result.checks = checks;
		r->result.check_count = 2;
		for (size_t p = 0; p < PROBES; p++)
			r->probe[p].check = 1;
		set_targets(r, true);
		say(r, 0, false, true);
	}
	run_until(w, replicas_decide(w->replica[0].replicas, 0, false) &&
	                     replicas_decide(w->replica[1].replicas, 0, false));
	run_ms(w, 1000);
	assert_false(replicas_are_frozen(w->replica[0].replicas));
	say(&w->replica[0], 0, true, false);
	run_until(w, !replicas_decide(w->replica[1].replicas, 0, true));
}

static void test_without_replicas_in_the_config_there_is_no_vote(void **state)
{
	struct world *w = *state;
	struct replica *here = &w->replica[0], *there = &w->replica[1];
	struct text errors = {0};
	struct config *none = config_read(NULL, &errors);
	struct reason why = {0};

	run_until(w, heard_by(here) == 1 && heard_by(there) == 1);
	assert_int_equal(replicas_configure(there->replicas, none, &why), ERR_OK);
	assert_false(replicas_vote(there->replicas));
	assert_true(replicas_have_changed(there->replicas));
	run_until(w, heard_by(here) == 0);
	assert_int_equal(replicas_configure(there->replicas, there->config, &why), ERR_OK);
	set_targets(there, true);
	run_until(w, heard_by(here) == 1 && heard_by(there) == 1);
	config_free(none);
	text_fini(&errors);
}

static void test_a_file_that_is_not_there_is_named_and_changes_nothing(void **state)
{
	struct world *w = *state;
	struct replica *here = &w->replica[0];
	struct config *c = read_config(w, 0, "unseen");
	struct reason why = {0};
	char gone[96];

	snprintf(gone, sizeof gone, "%s/gone.crt", w->dir);
	free(c->replicas.certificate);
	c->replicas.certificate = xstrdup(gone);
	assert_int_equal(replicas_check(c, &why), ERR_PARSE);
	assert_non_null(strstr(why.text, "r0.yaml:2: replicas: "));
	assert_non_null(strstr(why.text, "gone.crt"));
	assert_int_equal(replicas_configure(here->replicas, c, &why), ERR_PARSE);
	run_until(w, heard_by(here) == 1);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_sees_the_api_of_a_cluster_holds_it_up,
	                                        setup_unseen, teardown),
		cmocka_unit_test_setup_teardown(
			test_who_has_not_looked_yet_counts_against_withdrawal, setup_always,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_who_reaches_nothing_has_no_vote_and_freezes_when_alone, setup_always,
			teardown),
		cmocka_unit_test_setup_teardown(test_what_is_told_is_believed, setup_always,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			test_without_replicas_in_the_config_there_is_no_vote, setup_unseen,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_a_file_that_is_not_there_is_named_and_changes_nothing, setup_unseen,
			teardown),
	};

	return cmocka_run_group_tests_name("dnsd/replicas", tests, NULL, NULL);
}
