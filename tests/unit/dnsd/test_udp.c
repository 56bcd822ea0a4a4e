/* UDP sockets as the kernel sees them: how large a datagram may be, and what becomes of a larger one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dnsd/udp.h"

enum { IPV6_LEAST_MTU = 1280 };

static const struct addr v4 = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};
static const struct addr v6 = {.family = ADDR_IPV6, .bytes = {[15] = 1}};

static int must_open(const struct addr *a)
{
	struct reason why;
	int fd;

	assert_int_equal(udp_open(a, 0, true, &fd, &why), ERR_OK);
	return fd;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* Whoever forges "fragmentation needed" is not heard (RFC 9715 3.1). */
static void test_what_others_say_of_the_path_is_not_believed(void **state)
{
	int fd = must_open(&v4);

	(void)state;
	assert_int_equal(option(fd, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
	close(fd);
	fd = must_open(&v6);
	assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_OMIT);
	assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_DONTFRAG), 1);
	close(fd);
}

static void test_over_ipv6_a_datagram_is_whole_and_passes_everywhere_or_does_not_leave(void **state)
{
	static const uint8_t answer[EDNS_UDP_SIZE + 1];
	int to = must_open(&v6), from = must_open(&v6);
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;

	(void)state;
	/* 40 of IPv6 and 8 of UDP: what every path takes (RFC 8200 5). */
	_Static_assert(EDNS_UDP_SIZE + 40 + 8 == IPV6_LEAST_MTU, "the size fits every path");
	assert_int_equal(getsockname(to, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(connect(from, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(send(from, answer, EDNS_UDP_SIZE, 0), EDNS_UDP_SIZE);
	/* Loopback would take 65536. */
	assert_int_equal(send(from, answer, EDNS_UDP_SIZE + 1, 0), -1);
	assert_int_equal(errno, EMSGSIZE);
	close(to);
	close(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_others_say_of_the_path_is_not_believed),
		cmocka_unit_test(
			test_over_ipv6_a_datagram_is_whole_and_passes_everywhere_or_does_not_leave),
	};

	return cmocka_run_group_tests_name("dnsd/udp", tests, NULL, NULL);
}
