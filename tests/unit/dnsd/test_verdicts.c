/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/clock.h"
#include "dnsd/verdicts.h"

enum { PATIENCE_MS = 10000, PROBES = 4, CHECKS = 4 };

/* One cluster that is seen, another, and what records would want of them. */
struct world {
	uv_loop_t loop;
	struct facts *facts;
	struct config *config;
	struct verdicts *verdicts;
	struct probe_notes *notes;
	struct records_probe probe[PROBES];
	struct policy_check policy[CHECKS];
	struct records_check check[CHECKS];
	struct records_cluster cluster[2];
	struct records_result result;
	size_t changes;
	bool stopped;
};

static void on_change(void *arg) { ((struct world *)arg)->changes++; }
static void on_stopped(void *arg) { ((struct world *)arg)->stopped = true; }

static struct world *world_new(void)
{
	static const char *const names[] = {"houston", "losangeles"};
	struct world *w = calloc(1, sizeof *w);
	struct text errors = {0};

	assert_non_null(w);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->facts = facts_new();
	w->notes = probe_notes_new();
	w->config = config_read(NULL, &errors);
	assert_non_null(w->config);
	w->config->probe.interval_ms = 20;
	w->config->probe.timeout_ms = 10;
	w->config->probe.down = w->config->probe.up = 1;
	for (size_t i = 0; i < 2; i++) {
		struct cluster_state state = {.knowledge = KNOWLEDGE_SYNCED};
		uint16_t id = facts_cluster_id(w->facts, bytes_of(names[i]));

		facts_set_cluster(w->facts, id, &state);
		w->cluster[i] = (struct records_cluster){
			.id = id, .name = names[i], .state = facts_cluster(w->facts, id)};
	}
	w->result = (struct records_result){.probes = w->probe,
	                                    .probe_count = PROBES,
	                                    .checks = w->check,
	                                    .check_count = CHECKS,
	                                    .clusters = w->cluster,
	                                    .cluster_count = 2};
	w->verdicts =
		verdicts_start(&w->loop, w->config, w->facts, NULL, NULL, w->notes, on_change, w);
	return w;
}

static void world_free(struct world *w)
{
	verdicts_stop(w->verdicts, on_stopped, w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_true(w->stopped);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	config_free(w->config);
	facts_free(w->facts);
	probe_notes_free(w->notes);
	free(w);
}

static void set_check(struct world *w, size_t index, const char *key, uint8_t mode)
{
	w->policy[index] = (struct policy_check){.kind = POLICY_CHECK_TCP, .mode = mode};
	w->check[index] = (struct records_check){.is = &w->policy[index], .key = bytes_of(key)};
}

static void set_probe(struct world *w, size_t index, uint16_t port, size_t cluster, uint32_t check)
{
	w->probe[index] = (struct records_probe){
		.port = port, .cluster = w->cluster[cluster].id, .check = check};
	assert_true(addr_parse(bytes_of("127.0.0.1"), &w->probe[index].addr));
}

static struct zones_probe at(const struct world *w, size_t index)
{
	size_t count;
	const struct zones_probe *table = verdicts_table(w->verdicts, &count);

	return index < count ? table[index] : (struct zones_probe){0};
}

static void run_ms(struct world *w, uint64_t ms)
{
	uint64_t until = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < until) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

static void run_until(struct world *w, size_t index, bool down)
{
	uint64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while ((at(w, index).down != down || at(w, index).at_ms == 0) &&
	       clock_monotonic_ms() < until)
		run_ms(w, 1);
	assert_int_equal(at(w, index).down, down);
	assert_true(at(w, index).at_ms > 0);
}

/* Bound to loopback; connections are refused until it listens. */
static int bound(uint16_t *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void test_a_policys_check_is_made_always_unless_it_says_otherwise(void **state)
{
	struct world *w = world_new();
	uint16_t port;
	int fd = bound(&port);

	(void)state;
	set_check(w, 1, "as usual", 0);
	set_check(w, 2, "unseen", 1);
	set_check(w, 3, "off", 3);
	for (uint32_t i = 0; i < 4; i++)
		set_probe(w, i, port, 0, i);
	verdicts_set_targets(w->verdicts, &w->result);
	run_until(w, 1, true);
	run_ms(w, 60);
	assert_int_equal(at(w, 0).at_ms, 0); /* probe.mode is unseen, and the cluster is seen */
	assert_int_equal(at(w, 2).at_ms, 0);
	assert_int_equal(at(w, 3).at_ms, 0);
	facts_set_cluster(
		w->facts, w->cluster[0].id,
		&(struct cluster_state){.registered = true, .knowledge = KNOWLEDGE_UNSEEN});
	verdicts_set_targets(w->verdicts, &w->result);
	run_until(w, 0, true);
	run_until(w, 2, true);
	assert_int_equal(at(w, 3).at_ms, 0);
	close(fd);
	world_free(w);
}

static void test_an_address_of_two_clusters_is_probed_once_and_told_twice(void **state)
{
	struct world *w = world_new();
	uint16_t port;
	int fd = bound(&port);

	(void)state;
	set_check(w, 1, "both", 2);
	set_probe(w, 0, port, 0, 1);
	set_probe(w, 1, port, 1, 1);
	verdicts_set_targets(w->verdicts, &w->result);
	run_until(w, 0, true);
	assert_true(at(w, 1).down);
	assert_int_equal(listen(fd, 100), 0);
	run_until(w, 0, false);
	assert_false(at(w, 1).down);
	close(fd);
	world_free(w);
}

static void test_what_was_down_stays_so_until_the_new_check_has_judged(void **state)
{
	struct world *w = world_new();
	uint16_t port;
	int fd = bound(&port);

	(void)state;
	set_check(w, 1, "before", 0);
	set_check(w, 2, "after", 0);
	set_probe(w, 0, port, 0, 1);
	verdicts_set_targets(w->verdicts, &w->result);
	run_until(w, 0, true);
	assert_int_equal(listen(fd, 100), 0);
	w->policy[2].interval_ms = 100;
	w->policy[2].up = 2;

	/* Another index has it from now on; a further one is new altogether. */
	w->probe[0] = (struct records_probe){0};
	set_probe(w, 2, port, 0, 2);
	set_probe(w, 3, port, 1, 2);
	verdicts_set_targets(w->verdicts, &w->result);
	assert_true(at(w, 2).down);
	assert_int_equal(at(w, 2).at_ms, 0);
	run_until(w, 2, true); /* a first success is not enough */
	run_until(w, 2, false);
	close(fd);
	world_free(w);
}

/* What listens ends, is seen down, and listens again. */
static void go_down_and_up(struct world *w, int *fd, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	                          .sin_port = htons(port)};
	int on = 1;

	close(*fd);
	run_until(w, 0, true);
	run_ms(w, 60); /* the other one answers meanwhile */
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(*fd, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(listen(*fd, 100), 0);
}

static void test_what_flaps_is_held_down_for_a_while(void **state)
{
	enum { HOLD_MS = 1500 };
	struct world *w = world_new();
	uint16_t port, other;
	int fd = bound(&port), always = bound(&other);
	uint64_t back_ms;

	(void)state;
	w->config->probe.flap_threshold = 2;
	w->config->probe.flap_hold_ms = HOLD_MS;
	assert_int_equal(listen(fd, 100), 0);
	assert_int_equal(listen(always, 100), 0);
	set_check(w, 1, "flaps", 0);
	set_probe(w, 0, port, 0, 1);
	set_probe(w, 1, other, 1, 1);
	verdicts_set_targets(w->verdicts, &w->result);
	run_until(w, 0, false);
	go_down_and_up(w, &fd, port);
	run_until(w, 0, false);
	go_down_and_up(w, &fd, port);
	back_ms = clock_monotonic_ms();
	run_until(w, 0, false);
	assert_true(clock_monotonic_ms() >= back_ms + HOLD_MS);
	assert_false(at(w, 1).down);
	close(fd);
	close(always);
	world_free(w);
}

static void test_when_nothing_answers_it_is_not_the_address_that_flaps(void **state)
{
	struct world *w = world_new();
	uint16_t port;
	int fd = bound(&port);
	uint64_t back_ms;

	(void)state;
	w->config->probe.flap_threshold = 2;
	w->config->probe.flap_hold_ms = 60000;
	assert_int_equal(listen(fd, 100), 0);
	set_check(w, 1, "alone", 0);
	set_probe(w, 0, port, 0, 1);
	verdicts_set_targets(w->verdicts, &w->result);
	run_until(w, 0, false);
	for (int i = 0; i < 4; i++) {
		go_down_and_up(w, &fd, port);
		back_ms = clock_monotonic_ms();
		run_until(w, 0, false);
		assert_true(clock_monotonic_ms() < back_ms + 30000);
	}
	close(fd);
	world_free(w);
}

static void test_a_verdict_is_kept_by_its_address_and_check(void **state)
{
	struct world *w = world_new();
	char key[4][VERDICTS_KEY_SIZE];

	(void)state;
	set_check(w, 1, "one", 0);
	set_check(w, 2, "two", 0);
	for (uint32_t i = 0; i < 3; i++)
		set_probe(w, i, 443, 0, i);
	set_probe(w, 3, 443, 0, CHECKS); /* beyond all: as no check */
	for (size_t i = 0; i < 4; i++)
		verdicts_print_key(&w->result, &w->probe[i], key[i]);
	assert_string_equal(key[0],
	                    "127.0.0.1:443"); /* as states have it since the first release */
	assert_string_equal(key[3], key[0]);
	assert_string_not_equal(key[1], key[0]);
	assert_string_not_equal(key[1], key[2]);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_policys_check_is_made_always_unless_it_says_otherwise),
		cmocka_unit_test(test_an_address_of_two_clusters_is_probed_once_and_told_twice),
		cmocka_unit_test(test_what_was_down_stays_so_until_the_new_check_has_judged),
		cmocka_unit_test(test_what_flaps_is_held_down_for_a_while),
		cmocka_unit_test(test_when_nothing_answers_it_is_not_the_address_that_flaps),
		cmocka_unit_test(test_a_verdict_is_kept_by_its_address_and_check),
	};

	return cmocka_run_group_tests_name("dnsd/verdicts", tests, NULL, NULL);
}
