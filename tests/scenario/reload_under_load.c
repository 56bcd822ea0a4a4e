/* reload_under_load.c -- the config, a zone file, manifests and the certificate change all the time, and no question is lost or answered
 * wrongly. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/support/world_churn.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_askers.h"
#include "tests/support/world_probe.h"

enum { EVERY_MS = 100, FOR_MS = 10000, PER_SECOND = 2000, SOON_MS = 10000 };

static unsigned count_of(const char *log, const char *text)
{
	unsigned count = 0;

	for (; (log = strstr(log, text)) != NULL; log++)
		count++;
	return count;
}

/* SIGHUP ten times a second, with another config each time, a changed file, and now and then another certificate. */
static unsigned reload_for(struct world *w, unsigned for_ms)
{
	uint64_t begin = inside_now_ms();
	unsigned step = 0;

	for (; inside_now_ms() < begin + for_ms; step++) {
		uint64_t next = begin + (uint64_t)(step + 1) * EVERY_MS;

		churn_zone_file(w, step);
		churn_manifests(w, step);
		if (step % 10 == 5)
			churn_certificate(w);
		churn_reload(w, step);
		while (inside_now_ms() < next)
			inside_rest();
	}
	return step;
}

static const struct signing signing = {"transfer", CHURN_SECRET, 0, 0};

/* Who asks, and how much of all. */
static const struct {
	const char *label;
	unsigned transport, share;
	bool has_cookie, is_signed;
} clients[] = {
	{"UDP", 0, 2, false, false},
	{"UDP with cookies", 0, 5, true, false},
	{"UDP over IPv6", 3, 10, false, false},
	{"TCP", 1, 10, false, false},
	{"TLS", 2, 20, false, false},
	{"TCP over IPv6, signed", 4, 20, false, true},
};
enum { CLIENTS = sizeof clients / sizeof clients[0], COOKIE_TEXT = 3 + 48 + 1 };

static void get_cookie(struct world *w, char out[COOKIE_TEXT])
{
	struct world_question q = {
		.name = "always.example.com", .type = "A", .options = "10=0102030405060708"};
	struct world_answer a = world_question(w, &q);

	assert_int_equal(strlen(a.options), COOKIE_TEXT - 1);
	memcpy(out, a.options, COOKIE_TEXT);
}

static void start_clients(struct world *w, const struct transport *transports, const char *cookie,
                          struct askers *out[CLIENTS])
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct askers_how how = {
			.transport = &transports[clients[i].transport],
			.per_second = PER_SECOND / clients[i].share,
			.questions = churn_questions,
			.count = CHURN_QUESTIONS,
			.signing = clients[i].is_signed ? &signing : NULL,
			.cookie = clients[i].has_cookie ? cookie : NULL,
		};

		out[i] = askers_start(w, &how);
	}
}

static void test_a_reload_each_tenth_of_a_second_loses_nothing(void **state)
{
	struct world *w = *state;
	struct transport transports[PROBE_TRANSPORTS];
	char cookie[COOKIE_TEXT];
	struct askers *load[CLIENTS];
	uint64_t asked = 0, with_cookie = 0;
	double good_before;
	unsigned reloads;

	churn_start(w, transports);
	get_cookie(w, cookie);
	good_before = world_metric(w, "dnsd_good_cookies_total");
	start_clients(w, transports, cookie, load);
	reloads = reload_for(w, FOR_MS);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct askers_tally t = askers_stop(load[i]);

		askers_expect_all_right(w, clients[i].label, &t);
		asked += t.asked;
		with_cookie += clients[i].has_cookie ? t.asked : 0;
	}
	print_message("%u reloads, %u taken up, %llu questions\n", reloads,
	              count_of(world_log(w), "config taken up"), (unsigned long long)asked);
	/* Each cookie was good, whatever was read again meanwhile. */
	assert_true(world_metric(w, "dnsd_good_cookies_total") - good_before ==
	            (double)with_cookie);
	assert_in_range(count_of(world_log(w), "config taken up"), reloads / 4, reloads + 1);
	assert_true(asked >= (uint64_t)PER_SECOND * FOR_MS / 1000 / 2);
	world_expect_http(w, "/status", "\"errors\":[]", SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_reload_each_tenth_of_a_second_loses_nothing),
	};

	return cmocka_run_group_tests_name("scenario/reload_under_load", tests, NULL, NULL);
}
