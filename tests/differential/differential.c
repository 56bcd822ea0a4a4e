/* differential.c -- random zones and questions to nighd, NSD and Knot side by side.
 *
 * What nighd says is what each of the others says, but for what rules.c explains.  The same
 * SEED gives the same zones and questions; COUNT is how many, TOLD how many differences are told whole.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/differential/rules.h"

enum { COUNT = 100000, SEED = 2, OF_A_WORLD = 2000, TOLD = 5 };

struct run {
	uint64_t seed, count, told_most, asked, asked_again, alone, differences;
	bool zones_are_told; /* of this world */
	uint64_t hits[RULES_MOST];
};

static uint64_t number(const char *name, uint64_t preset)
{
	const char *given = getenv(name);

	return given && *given ? strtoull(given, NULL, 10) : preset;
}

/* --- telling --- */

static void tell_zones(const struct made *m)
{
	struct text apex = {0};

	for (size_t i = 0; i < m->zone_count; i++) {
		text_reset(&apex);
		dname_print(&m->zone[i].apex, &apex);
		printf("--- zone %s ---\n%s", apex.data, m->zone[i].file.data);
	}
	text_fini(&apex);
}

static void tell(struct run *run, const struct made *m, const struct question *q,
                 const struct reply r[SERVERS], enum server who, unsigned aspects)
{
	static const char *const names[] = {"nighd", "NSD", "Knot"};
	struct text out = {0};

	if (run->differences++ >= run->told_most)
		return;
	if (!run->zones_are_told)
		tell_zones(m);
	run->zones_are_told = true;
	text_printf(&out, "--- SEED=%" PRIu64 ", question %" PRIu64 ": %s differs in", run->seed,
	            run->asked, names[who]);
	rules_print_aspects(aspects, &out);
	text_add(&out, " ---\n");
	question_print(q, &out);
	for (unsigned i = 0; i < SERVERS; i++) {
		text_printf(&out, "%s: ", names[i]);
		reply_print(&r[i], &out);
	}
	printf("%s", out.data);
	text_fini(&out);
}

/* --- comparing --- */

static void compare(struct run *run, const struct made *m, const struct question *q,
                    const struct said *said)
{
	struct reply r[SERVERS];
	unsigned left[SERVERS];

	for (unsigned i = 0; i < SERVERS; i++)
		r[i] = reply_read(&said->by[i], q);
	run->alone += rules_judge(m, q, r, left, run->hits);
	for (unsigned who = NSD; who < SERVERS; who++)
		if (left[who] != 0)
			tell(run, m, q, r, (enum server)who, left[who]);
	for (unsigned i = 0; i < SERVERS; i++)
		reply_fini(&r[i]);
}

static void ask(struct run *run, struct servers *s, const struct made *m, const struct question *q,
                size_t count, struct said *said)
{
	asking_all(s, q, count, said);
	for (size_t i = 0; i < count; i++) {
		compare(run, m, &q[i], &said[i]);
		run->asked++;
	}
}

static bool is_truncated(const struct message *m)
{
	return m->len > 2 && (m->data[2] & REPLY_TC >> 8) != 0;
}

/* As a client does: what somebody truncated, all are asked for over TCP.  What nighd truncated does not fit. */
static void ask_again(struct run *run, struct servers *s, const struct made *m,
                      const struct question *q, size_t count, const struct said *said)
{
	struct question *again = xcalloc(count, sizeof(*again));
	struct said *now = xcalloc(count, sizeof(*now));
	size_t *of = xcalloc(count, sizeof(*of)), many = 0;

	for (size_t i = 0; i < count; i++) {
		bool any = false;

		for (unsigned k = 0; k < SERVERS; k++)
			any |= is_truncated(&said[i].by[k]);
		if (!any || q[i].tcp || q[i].oddity != QUESTION_PLAIN)
			continue;
		of[many] = i;
		again[many++] = question_over_tcp(&q[i]);
	}
	ask(run, s, m, again, many, now);
	run->asked_again += many;
	for (size_t i = 0; i < many; i++)
		if (is_truncated(&said[of[i]].by[NIGHD]) &&
		    now[i].by[NIGHD].len <= question_room(&q[of[i]])) {
			printf("truncated, and it would fit:\n");
			compare(run, m, &q[of[i]], &said[of[i]]);
			run->differences++;
		}
	asking_drop(now, many);
	free(of);
	free(now);
	free(again);
}

static void ask_about(struct run *run, struct servers *s, const struct made *m, struct dice *d,
                      size_t count)
{
	struct question *q = xcalloc(count, sizeof(*q));
	struct said *said = xcalloc(count, sizeof(*said));

	for (size_t i = 0; i < count; i++)
		q[i] = question_make(m, d);
	ask(run, s, m, q, count, said);
	ask_again(run, s, m, q, count, said);
	asking_drop(said, count);
	free(said);
	free(q);
}

/* --- the document --- */

/* The rule of a row of docs/differences.md, "| `NAME` | RFC | ..."; NULL: it is no row. */
static const struct rule *rule_of_row(const char *line)
{
	const struct rule *r = rules;
	char row[128];

	if (strncmp(line, "| `", 3) != 0)
		return NULL;
	for (; r->name != NULL; r++) {
		snprintf(row, sizeof(row), "| `%s` | %s |", r->name, r->rfc);
		if (strncmp(line, row, strlen(row)) == 0)
			return r;
	}
	fail_msg("docs/differences.md has a rule that rules.c has not: %s", line);
	return NULL;
}

static void test_every_rule_is_explained_and_nothing_else(void **state)
{
	FILE *f = fopen("docs/differences.md", "r");
	bool is_explained[RULES_MOST] = {false};
	char line[4096];

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		const struct rule *r = rule_of_row(line);

		if (r != NULL)
			is_explained[r - rules] = true;
	}
	fclose(f);
	for (size_t i = 0; rules[i].name != NULL; i++)
		if (!is_explained[i])
			fail_msg("docs/differences.md does not explain %s (RFC %s)", rules[i].name,
			         rules[i].rfc);
}

/* --- all of it --- */

/* A rule that speaks for nothing has had its day: in the run that is always the same, each does. */
static void expect_no_idle_rule(const struct run *run)
{
	for (size_t i = 0; rules[i].name != NULL; i++) {
		printf("  %8" PRIu64 " %s\n", run->hits[i], rules[i].name);
		if (run->hits[i] == 0 && run->seed == SEED && run->count >= COUNT)
			fail_msg("the rule %s speaks for nothing", rules[i].name);
	}
}

static void test_nighd_says_what_nsd_and_knot_say(void **state)
{
	struct run run = {.seed = number("SEED", SEED),
	                  .count = number("COUNT", COUNT),
	                  .told_most = number("TOLD", TOLD)};
	struct dice d = {.seed = run.seed};

	(void)state;
	while (run.asked < run.count) {
		uint64_t left = run.count - run.asked;
		struct made *m = made_new(&d);
		struct servers s;

		run.zones_are_told = false;
		servers_start(&s, m);
		ask_about(&run, &s, m, &d, left < OF_A_WORLD ? left : OF_A_WORLD);
		servers_stop(&s);
		made_free(m);
	}
	printf("%" PRIu64 " questions, SEED=%" PRIu64 ", of them %" PRIu64
	       " over TCP for truncated ones, %" PRIu64
	       " where NSD and Knot each have ways of their own; %" PRIu64
	       " differences without a rule\n",
	       run.asked, run.seed, run.asked_again, run.alone, run.differences);
	assert_int_equal(run.differences, 0);
	expect_no_idle_rule(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_rule_is_explained_and_nothing_else),
		cmocka_unit_test(test_nighd_says_what_nsd_and_knot_say),
	};

	return cmocka_run_group_tests_name("differential", tests, NULL, NULL);
}
