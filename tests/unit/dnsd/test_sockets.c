/* The sockets of listening addresses: each row's, each worker's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>

#include "dnsd/sockets.h"

static const struct addr loopback = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};

static unsigned count_of(const struct sockets *s, enum sockets_kind kind, unsigned worker)
{
	unsigned count = 0;

	for (size_t i = 0; i < s->count; i++)
		count += s->item[i].kind == kind && s->item[i].worker == worker;
	return count;
}

static uint16_t open_row(struct sockets *s, unsigned workers)
{
	struct reason why = {0};
	uint16_t port = 0;

	if (sockets_open_dns(s, &loopback, workers, &port, &why) != ERR_OK)
		fail_msg("%s", why.text);
	assert_int_not_equal(port, 0);
	return port;
}

static void test_each_worker_has_one_for_udp_and_one_for_tcp_on_one_port(void **state)
{
	struct sockets s = {0};
	uint16_t port = open_row(&s, 3);

	(void)state;
	assert_int_equal(s.count, 6);
	for (unsigned w = 0; w < 3; w++) {
		assert_int_equal(count_of(&s, SOCKETS_UDP, w), 1);
		assert_int_equal(count_of(&s, SOCKETS_TCP, w), 1);
	}
	for (size_t i = 0; i < s.count; i++) {
		assert_int_equal(s.item[i].port, port);
		assert_int_equal(s.item[i].asked, 0);
	}
	sockets_close(&s);
}

static void test_fewer_workers_have_all_sockets_among_them(void **state)
{
	struct sockets_item row = {.kind = SOCKETS_UDP, .addr = loopback};
	struct sockets from = {0}, to = {0};
	uint16_t port = 0;

	(void)state;
	(void)open_row(&from, 5);
	assert_int_equal(sockets_move(&from, &to, &row, 2, &port), 5);
	assert_int_equal(count_of(&to, SOCKETS_UDP, 0), 3);
	assert_int_equal(count_of(&to, SOCKETS_UDP, 1), 2);
	assert_int_equal(from.count, 5);
	sockets_widen(&to, 2);
	assert_int_equal(to.count, 5);
	sockets_close(&from);
	sockets_close(&to);
}

static void test_more_workers_get_further_ones_on_the_same_port(void **state)
{
	struct sockets s = {0};
	uint16_t port = open_row(&s, 2);

	(void)state;
	sockets_widen(&s, 4);
	assert_int_equal(s.count, 8);
	for (unsigned w = 0; w < 4; w++) {
		assert_int_equal(count_of(&s, SOCKETS_UDP, w), 1);
		assert_int_equal(count_of(&s, SOCKETS_TCP, w), 1);
	}
	for (size_t i = 0; i < s.count; i++)
		assert_int_equal(s.item[i].port, port);
	sockets_close(&s);
}

/* "127.0.0.1:0" twice is two ports. */
static void test_rows_that_are_alike_stay_apart(void **state)
{
	struct sockets_item row = {.kind = SOCKETS_UDP, .addr = loopback};
	struct sockets from = {0}, to = {0};
	uint16_t first = open_row(&from, 2), second = open_row(&from, 2), port = 0;

	(void)state;
	assert_int_equal(sockets_move(&from, &to, &row, 2, &port), 2);
	assert_int_equal(port, first);
	port = 0;
	assert_int_equal(sockets_move(&from, &to, &row, 2, &port), 2);
	assert_int_equal(port, second);
	port = 0;
	assert_int_equal(sockets_move(&from, &to, &row, 2, &port), 0);
	sockets_widen(&to, 3);
	assert_int_equal(to.count, 6);
	sockets_close(&from);
	sockets_close(&to);
}

static void test_what_is_asked_for_by_its_number_is_another_row(void **state)
{
	struct sockets from = {0}, to = {0};
	uint16_t port = open_row(&from, 1), none = 0;
	struct sockets_item row = {.kind = SOCKETS_UDP, .addr = loopback, .asked = port};

	(void)state;
	assert_int_equal(sockets_move(&from, &to, &row, 1, &none), 0);
	sockets_close(&from);
	sockets_close(&to);
}

static void test_a_port_that_is_taken_leaves_nothing_open(void **state)
{
	struct sockets s = {0}, other = {0};
	struct reason why = {0};
	uint16_t port = open_row(&s, 1);
	int fd = s.item[1].fd;

	(void)state;
	assert_int_equal(sockets_probe(&loopback, port, &why), ERR_CONFLICT);
	assert_int_equal(sockets_open_tls(&other, &loopback, 2, &port, &why), ERR_CONFLICT);
	assert_int_equal(other.count, 0);
	sockets_close(&other);
	sockets_close(&s);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_worker_has_one_for_udp_and_one_for_tcp_on_one_port),
		cmocka_unit_test(test_fewer_workers_have_all_sockets_among_them),
		cmocka_unit_test(test_more_workers_get_further_ones_on_the_same_port),
		cmocka_unit_test(test_rows_that_are_alike_stay_apart),
		cmocka_unit_test(test_what_is_asked_for_by_its_number_is_another_row),
		cmocka_unit_test(test_a_port_that_is_taken_leaves_nothing_open),
	};

	return cmocka_run_group_tests_name("dnsd/sockets", tests, NULL, NULL);
}
