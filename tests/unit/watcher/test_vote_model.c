/* SPDX-License-Identifier: Apache-2.0 */
/* A model check of the vote: three replicas and two sites through every pair of worlds one after the other, with messages
 * that are lost, late and doubled; more of both through worlds at random.  VOTE_SEED=N says the seed of a long one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tests/support/watcher_votes.h"

enum {
	/* So long a site has to be seen, and who sees it to be heard, until it counts: it may have been down. */
	SETTLED = (VOTES_UP + 1) * VOTES_SECOND + 3,
	/* Interval x down + timeout, and a step for the message. */
	DEADLINE = (VOTES_DOWN + 1) * VOTES_SECOND + 1,
	/* Where messages are lost, the last one that said "up" counts until it is too old. */
	DEADLINE_LOSSY = DEADLINE + VOTES_HEARD + 2,
	SETTLED_LOSSY = SETTLED + VOTES_HEARD + 2,
	STEADY = DEADLINE_LOSSY + 2, /* nothing is unknown any more */
	QUIET = 3 * STEADY
};

static const unsigned REPLICAS = 3, SITES = 2;

/* What has been so for how many steps, and what the replicas did. */
struct watch {
	struct votes *votes;
	unsigned replicas, sites;
	bool lossy;
	struct votes_links links;
	unsigned same_for; /* links, and who is alive */
	unsigned
		causes; /* of the changes that have not settled: who sees what, who hears whom, who began */
	unsigned dead_for[VOTES_MOST_SITES];
	unsigned sees_for[VOTES_MOST_REPLICAS][VOTES_MOST_SITES];
	unsigned vouched_for[VOTES_MOST_REPLICAS][VOTES_MOST_SITES][VOTES_MOST_REPLICAS];
	bool was[VOTES_MOST_REPLICAS][VOTES_MOST_SITES];
	unsigned flips[VOTES_MOST_REPLICAS][VOTES_MOST_SITES]; /* by these */
	const char *schedule;                                  /* for complaints */
	unsigned withdrawals, returns;                         /* that anything was tested */
};

static void complain(const struct watch *w, unsigned r, unsigned s, const char *what)
{
	fail_msg("replica %u, site %u: %s (%u steps after a change) in %s", r, s, what, w->same_for,
	         w->schedule);
}

static bool sees_other(const struct watch *w, unsigned r, unsigned site, unsigned steps)
{
	for (unsigned s = 0; s < w->sites; s++)
		if (s != site && w->sees_for[r][s] >= steps)
			return true;
	return false;
}

static bool sees_any(const struct watch *w, unsigned r)
{
	for (unsigned s = 0; s < w->sites; s++)
		if (w->links.sees[r][s])
			return true;
	return false;
}

static void count_on(unsigned *counter, bool is_so) { *counter = is_so ? *counter + 1 : 0; }

static void note(struct watch *w)
{
	unsigned fresh = w->lossy ? VOTES_HEARD : VOTES_SECOND;

	for (unsigned s = 0; s < w->sites; s++) {
		bool dead = true;

		for (unsigned r = 0; r < w->replicas; r++) {
			bool sees = w->links.sees[r][s];

			dead &= !sees;
			count_on(&w->sees_for[r][s], sees);
			for (unsigned from = 0; from < w->replicas; from++)
				count_on(&w->vouched_for[from][s][r],
				         sees && votes_unheard(w->votes, from, r) <= fresh);
		}
		count_on(&w->dead_for[s], dead);
	}
}

/* With half or more of all seeing it up, and heard, nobody withdraws it. */
static void check_majority(const struct watch *w, unsigned r, unsigned s)
{
	unsigned vouching = 0, settled = w->lossy ? SETTLED_LOSSY : SETTLED;

	for (unsigned p = 0; p < w->replicas; p++)
		vouching += w->vouched_for[r][s][p] >= settled;
	if (2 * vouching >= w->replicas && votes_age(w->votes, r) > settled &&
	    votes_withdrawn(w->votes, r, s))
		complain(w, r, s, "withdrawn, though a majority sees it");
}

/* Who reaches anything withdraws a dead site in time; not while somebody has just started, and may know better. */
static void check_deadline(const struct watch *w, unsigned r, unsigned s)
{
	unsigned deadline = w->lossy ? DEADLINE_LOSSY : DEADLINE;

	for (unsigned p = 0; p < w->replicas; p++)
		if (votes_age(w->votes, p) <= deadline)
			return;
	if (!w->lossy && w->same_for < deadline)
		return;
	if (w->dead_for[s] > deadline && sees_other(w, r, s, deadline) &&
	    !votes_withdrawn(w->votes, r, s))
		complain(w, r, s, "dead, and still not withdrawn");
}

/* When nothing has changed for long, it is as the rule says, told by the world instead of by messages. */
static void check_rule(const struct watch *w, unsigned r, unsigned s)
{
	unsigned voters = 0, down = 0;

	if (w->lossy || w->same_for < STEADY)
		return;
	for (unsigned p = 0; p < w->replicas; p++) {
		if ((p != r && !w->links.hears[r][p]) || !sees_any(w, p))
			continue;
		voters++;
		down += !w->links.sees[p][s];
	}
	if (votes_frozen(w->votes, r) != (voters == 0))
		complain(w, r, s, "frozen or not, against the rule");
	if (voters > 0 && votes_withdrawn(w->votes, r, s) != (2 * down > voters))
		complain(w, r, s, "withdrawn or not, against the rule");
}

/* Of those who vote, more than half may say that it is down: who does not know does not. */
static void check_cause(const struct watch *w, unsigned r, unsigned s)
{
	unsigned voters = 0, down = 0, settled = w->lossy ? SETTLED_LOSSY : SETTLED;

	for (unsigned p = 0; p < w->replicas; p++) {
		if (votes_unheard(w->votes, r, p) > VOTES_HEARD)
			continue;
		down += w->sees_for[p][s] < settled;
		voters += sees_other(w, p, w->sites, settled);
	}
	if (2 * down <= voters)
		complain(w, r, s, "withdrawn by half of the voters or fewer");
}

static void check_flips(struct watch *w, unsigned r, unsigned s)
{
	bool is = votes_withdrawn(w->votes, r, s);

	if (is == w->was[r][s])
		return;
	w->was[r][s] = is;
	w->withdrawals += is;
	w->returns += !is;
	w->flips[r][s]++;
	if (votes_age(w->votes, r) == 0)
		return;
	if (is)
		check_cause(w, r, s);
	if (votes_frozen(w->votes, r))
		complain(w, r, s, "frozen, and changed");
	if (!w->lossy && w->flips[r][s] > w->causes)
		complain(w, r, s, "flapping without a cause");
}

static void begin(struct watch *w, struct votes *v, unsigned replicas, unsigned sites)
{
	unsigned withdrawals = w->withdrawals, returns = w->returns;

	*w = (struct watch){.votes = v, .replicas = replicas, .sites = sites};
	w->withdrawals = withdrawals;
	w->returns = returns;
}

static void change(struct watch *w, const struct votes_links *links)
{
	if (w->same_for >= STEADY) {
		memset(w->flips, 0, sizeof w->flips);
		w->causes = 0;
	}
	for (unsigned r = 0; r < w->replicas; r++) {
		for (unsigned s = 0; s < w->sites; s++)
			w->causes += w->links.sees[r][s] != links->sees[r][s];
		for (unsigned p = 0; p < w->replicas; p++)
			w->causes += w->links.hears[r][p] != links->hears[r][p];
	}
	w->links = *links;
	w->same_for = 0;
}

static void restart(struct watch *w, unsigned replica)
{
	votes_restart(w->votes, replica);
	memset(w->was[replica], 0, sizeof w->was[replica]);
	for (unsigned r = 0; r < w->replicas; r++)
		for (unsigned s = 0; s < w->sites; s++)
			w->vouched_for[r][s][replica] = 0;
	change(w, &w->links);
	w->causes += 2; /* what it said is void, and then it says something */
}

static void step(struct watch *w, unsigned steps)
{
	while (steps-- > 0) {
		votes_step(w->votes, &w->links);
		w->same_for++;
		note(w);
		for (unsigned r = 0; r < w->replicas; r++)
			for (unsigned s = 0; s < w->sites; s++) {
				check_majority(w, r, s);
				check_deadline(w, r, s);
				check_rule(w, r, s);
				check_flips(w, r, s);
			}
	}
}

/* --- every world --- */

/* 3 x 2 sights, 3 links; and of each link, whether one of its ends alone is different. */
enum { WORLDS = 1 << 9, ONE_WAY_WORLDS = 1 << 12 };

static struct votes_links world_of(unsigned bits)
{
	struct votes_links links = {0};

	for (unsigned r = 0; r < REPLICAS; r++)
		for (unsigned s = 0; s < SITES; s++)
			links.sees[r][s] = bits >> (r * SITES + s) & 1;
	for (unsigned a = 0, bit = 6; a < REPLICAS; a++)
		for (unsigned b = a + 1; b < REPLICAS; b++, bit++) {
			links.hears[a][b] = bits >> bit & 1;
			links.hears[b][a] = (bits >> bit ^ bits >> (bit + 3)) & 1;
		}
	return links;
}

/* Replicas and sites have no names: of worlds that differ by those alone one is enough to begin with. */
static unsigned renamed(unsigned bits, const unsigned *replica, bool swaps)
{
	struct votes_links from = world_of(bits);
	unsigned to = 0;

	for (unsigned r = 0; r < REPLICAS; r++)
		for (unsigned s = 0; s < SITES; s++)
			to |= (unsigned)from.sees[replica[r]][swaps ? 1 - s : s] << (r * SITES + s);
	for (unsigned a = 0, bit = 6; a < REPLICAS; a++)
		for (unsigned b = a + 1; b < REPLICAS; b++, bit++)
			to |= (unsigned)from.hears[replica[a]][replica[b]] << bit;
	return to;
}

static bool is_first_of_its_kind(unsigned bits)
{
	static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
	                                      {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t i = 0; i < 6; i++)
		if (renamed(bits, orders[i], false) < bits || renamed(bits, orders[i], true) < bits)
			return false;
	return true;
}

/* Each second message of those is lost, late, or comes twice. */
static enum votes_fate every_second(void *arg, unsigned at)
{
	enum votes_fate *fate = arg;

	return at / VOTES_SECOND % 2 ? *fate : VOTES_ARRIVES;
}

static void through(struct watch *w, struct votes *v, const unsigned world[3], unsigned lasts,
                    enum votes_fate fate)
{
	char schedule[96];
	struct votes_links links = world_of(world[0]);

	snprintf(schedule, sizeof schedule, "world %x, %x after %u steps, %x, messages %d",
	         world[0], world[1], lasts, world[2], (int)fate);
	begin(w, v, REPLICAS, SITES);
	w->schedule = schedule;
	w->lossy = fate != VOTES_ARRIVES;
	votes_begin(v, (world[1] + lasts) % 2, every_second, &fate);
	change(w, &links);
	step(w, STEADY);
	links = world_of(world[1]);
	change(w, &links);
	step(w, lasts);
	links = world_of(world[2]);
	change(w, &links);
	step(w, STEADY + 2);
}

static void test_every_world_after_every_other(void **state)
{
	struct votes *v = votes_new(REPLICAS, SITES);
	struct watch w = {0};
	unsigned count = 0;

	(void)state;
	for (unsigned a = 0; a < WORLDS; a++) {
		if (!is_first_of_its_kind(a))
			continue;
		for (unsigned b = 0; b < WORLDS; b++)
			for (int fate = VOTES_ARRIVES; fate <= VOTES_TWICE; fate++, count++)
				through(&w, v, (unsigned[]){a, b, b}, STEADY,
				        (enum votes_fate)fate);
	}
	votes_free(v);
	printf("  %u schedules, %u withdrawals, %u returns\n", count, w.withdrawals, w.returns);
	assert_true(w.withdrawals > count && w.returns > count / 4);
}

/* It comes and goes before anybody has settled: 0.5 s to 4.5 s. */
static void test_every_world_for_a_moment(void **state)
{
	struct votes *v = votes_new(REPLICAS, SITES);
	struct watch w = {0};
	unsigned count = 0;

	(void)state;
	for (unsigned a = 0; a < WORLDS; a++) {
		if (!is_first_of_its_kind(a))
			continue;
		for (unsigned b = 0; b < WORLDS; b++)
			for (unsigned lasts = 1; lasts <= DEADLINE; lasts += 4, count++)
				through(&w, v, (unsigned[]){a, b, a}, lasts,
				        (enum votes_fate)((a + b + lasts / 4) % 4));
	}
	votes_free(v);
	printf("  %u schedules, %u withdrawals, %u returns\n", count, w.withdrawals, w.returns);
	assert_true(w.withdrawals > count && w.returns > count / 4);
}

/* Who hears whom need not be mutual: each such world after the one in which all is well, and back again. */
static void test_every_one_way_world(void **state)
{
	struct votes *v = votes_new(REPLICAS, SITES);
	const unsigned well = WORLDS - 1;
	struct watch w = {0};
	unsigned count = 0;

	(void)state;
	for (unsigned a = WORLDS; a < ONE_WAY_WORLDS; a++)
		for (int fate = VOTES_ARRIVES; fate <= VOTES_TWICE; fate++, count++) {
			through(&w, v, (unsigned[]){well, a, well}, STEADY, (enum votes_fate)fate);
			through(&w, v, (unsigned[]){a, well, a}, STEADY, (enum votes_fate)fate);
		}
	votes_free(v);
	printf("  %u schedules, %u withdrawals, %u returns\n", 2 * count, w.withdrawals, w.returns);
	assert_true(w.withdrawals > count && w.returns > count);
}

static void test_every_world_with_a_restart(void **state)
{
	struct votes *v = votes_new(REPLICAS, SITES);
	struct watch w = {0};

	(void)state;
	for (unsigned a = 0; a < WORLDS; a++)
		for (unsigned after = 1; after <= STEADY; after += 5) {
			struct votes_links links = world_of(a);

			begin(&w, v, REPLICAS, SITES);
			w.schedule = "a world with a restart";
			votes_begin(v, after % 2, NULL, NULL);
			change(&w, &links);
			step(&w, after);
			restart(&w, after % REPLICAS);
			step(&w, STEADY + 2);
		}
	votes_free(v);
}

/* --- worlds at random --- */

struct dice {
	uint64_t state;
	unsigned of_hundred[3]; /* messages lost, late, twice */
};

static unsigned roll(struct dice *d, unsigned below)
{
	d->state = hash_mix(d->state, 0x9e3779b97f4a7c15);
	return (unsigned)(d->state >> 32) % below;
}

static enum votes_fate at_random(void *arg, unsigned at)
{
	struct dice *d = arg;
	unsigned n = roll(d, 100);

	(void)at;
	for (unsigned i = 0; i < 3; i++) {
		if (n < d->of_hundred[i])
			return (enum votes_fate)(VOTES_LOST + i);
		n -= d->of_hundred[i];
	}
	return VOTES_ARRIVES;
}

static void change_something(struct watch *w, struct dice *d)
{
	struct votes_links links = w->links;
	unsigned r = roll(d, w->replicas), p = roll(d, w->replicas), s = roll(d, w->sites);
	bool is = roll(d, 3) > 0;

	switch (roll(d, 4)) {
	case 0:
		links.sees[r][s] = is;
		break;
	case 1:
		for (r = 0; r < w->replicas; r++)
			links.sees[r][s] = is;
		break;
	case 2: /* one direction alone, too */
		links.hears[r][p] = is;
		break;
	default:
		for (s = 0; s < w->sites; s++)
			links.sees[r][s] = is;
		break;
	}
	change(w, &links);
	if (roll(d, 20) == 0)
		restart(w, r % w->replicas);
}

static void walk(uint64_t seed, unsigned changes, bool lossy)
{
	struct votes *v = votes_new(VOTES_MOST_REPLICAS, VOTES_MOST_SITES);
	struct dice d = {seed, {10, 10, 10}};
	struct votes_links links;
	struct watch w = {0};
	char schedule[64];

	memset(&links, 1, sizeof links);
	snprintf(schedule, sizeof schedule, "a walk of seed %llu", (unsigned long long)seed);
	begin(&w, v, VOTES_MOST_REPLICAS, VOTES_MOST_SITES);
	w.schedule = schedule;
	w.lossy = lossy;
	votes_begin(v, seed % 2, lossy ? at_random : NULL, &d);
	change(&w, &links);
	for (unsigned i = 0; i < changes; i++) {
		step(&w, 1 + roll(&d, roll(&d, 4) == 0 ? QUIET : 2 * VOTES_SECOND));
		change_something(&w, &d);
	}
	votes_free(v);
	assert_true(w.withdrawals > changes / 10 && w.returns > changes / 10);
}

enum { WALKS = 20 };

static void test_five_replicas_and_four_sites_at_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WALKS; seed++)
		walk(seed, 500, false);
}

static void test_five_replicas_and_messages_lost_at_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WALKS; seed++)
		walk(seed, 500, true);
}

static void test_a_long_walk(void **state)
{
	const char *text = getenv("VOTE_SEED");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : WALKS + 1;

	(void)state;
	printf("  VOTE_SEED=%llu\n", (unsigned long long)seed);
	walk(seed, 20000, false);
	walk(seed, 20000, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_world_after_every_other),
		cmocka_unit_test(test_every_world_for_a_moment),
		cmocka_unit_test(test_every_one_way_world),
		cmocka_unit_test(test_every_world_with_a_restart),
		cmocka_unit_test(test_five_replicas_and_four_sites_at_random),
		cmocka_unit_test(test_five_replicas_and_messages_lost_at_random),
		cmocka_unit_test(test_a_long_walk),
	};

	return cmocka_run_group_tests_name("watcher/vote_model", tests, NULL, NULL);
}
