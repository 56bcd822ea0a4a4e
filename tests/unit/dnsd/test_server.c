/* Real sockets on loopback: UDP and TCP, both families, batches, limits, the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnsd/server.h"
#include "dnsd/tcp.h"
#include "tests/support/dnsd_certificate.h"
#include "tests/support/dnsd_world.h"

enum { ADDRESSES = 3, WORKERS = 2, WAIT_MS = 5000 };

static struct world *w;
static struct server *server;
static const struct server_address *bound;
static uint8_t query[512];
static size_t query_len;

static int setup(void **state)
{
	static const struct asking edns = {.edns = 1232};
	struct server_address list[ADDRESSES] = {
		{{.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}}, 0},
		{{.family = ADDR_IPV6, .bytes = {[15] = 1}}, 0},
		{{.family = ADDR_IPV4}, 0},
	};
	struct reason why = {0};
	size_t count;

	(void)state;
	w = world_new();
	world_zones_are(w, "example.com");
	world_put(w, "www.example.com", "300 A 192.0.2.1", NULL);
	/* Long enough that answers fill a connection's buffers. */
	world_put(w, "big.example.com",
	          "300 TXT 0000000000000000000000000000000000000000000000000000000000000000"
	          "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	          "0000000000000"
	          "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	          "0000000000000",
	          "300 A 192.0.2.1", NULL);
	world_build(w);
	query_len = world_query("www.example.com A", &edns, query);
	if (server_bind(list, ADDRESSES, WORKERS, NULL, &server, &why) != ERR_OK) {
		print_error("%s\n", why.text);
		return -1;
	}
	bound = server_addresses(server, &count);
	server_start(server, zones_handover(world_zones(w)));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_stop(server);
	server_free(server);
	world_free(w);
	return 0;
}

static int dial(int type, const struct addr *a, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(a, port, &sa);
	int fd = socket(sa.ss_family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

/* Bytes that came within the deadline; 0: none, or the end. */
static size_t receive(int fd, void *out, size_t room)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t len;

	if (poll(&p, 1, WAIT_MS) <= 0)
		return 0;
	len = recv(fd, out, room, 0);
	return len > 0 ? (size_t)len : 0;
}

static size_t receive_all(int fd, uint8_t *out, size_t len)
{
	size_t got = 0, n;

	while (got < len && (n = receive(fd, out + got, len - got)) > 0)
		got += n;
	return got;
}

/* Did the server close it, within the deadline? */
static bool is_ended(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t byte;

	return poll(&p, 1, WAIT_MS) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static uint64_t event(enum stats_event e)
{
	struct stats *sum = stats_new();
	uint64_t found;

	server_stats(server, sum);
	found = stats_read(&sum->events[e]);
	free(sum);
	return found;
}

/* A query with its length before it. */
static size_t framed(uint8_t *out)
{
	out[0] = (uint8_t)(query_len >> 8);
	out[1] = (uint8_t)query_len;
	memcpy(out + 2, query, query_len);
	return 2 + query_len;
}

static void test_udp_and_tcp_have_the_same_port_for_all_workers(void **state)
{
	(void)state;
	for (int i = 0; i < ADDRESSES; i++)
		assert_true(bound[i].port != 0);
}

static void test_udp_answers_on_every_address(void **state)
{
	uint8_t answer[2048];

	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = dial(SOCK_DGRAM, &bound[i].addr, bound[i].port);

		assert_int_equal(send(fd, query, query_len, 0), query_len);
		assert_int_equal(receive(fd, answer, sizeof answer), query_len + 16);
		assert_memory_equal(answer, query, 2);
		close(fd);
	}
}

static void test_a_wildcard_address_replies_from_the_address_asked(void **state)
{
	static const struct addr other = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 77}};
	uint8_t answer[2048];
	/* Connected: the kernel drops what comes from anywhere else. */
	int fd = dial(SOCK_DGRAM, &other, bound[2].port);

	(void)state;
	assert_int_equal(send(fd, query, query_len, 0), query_len);
	assert_int_equal(receive(fd, answer, sizeof answer), query_len + 16);
	close(fd);
}

static void test_a_burst_is_answered_whole(void **state)
{
	int fd = dial(SOCK_DGRAM, &bound[0].addr, bound[0].port);
	uint8_t answer[2048];
	unsigned answered = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(send(fd, query, query_len, 0), query_len);
	while (answered < 200 && receive(fd, answer, sizeof answer) > 0)
		answered++;
	assert_int_equal(answered, 200);
	close(fd);
}

static void test_rubbish_is_answered_or_silent_and_the_next_query_is_fine(void **state)
{
	int fd = dial(SOCK_DGRAM, &bound[0].addr, bound[0].port);
	uint8_t rubbish[5000], answer[2048];

	(void)state;
	memset(rubbish, 0x55, sizeof rubbish);
	assert_int_equal(send(fd, rubbish, 5, 0), 5);
	assert_int_equal(send(fd, rubbish, 0, 0), 0);
	assert_int_equal(send(fd, rubbish, sizeof rubbish, 0), sizeof rubbish);
	assert_int_equal(receive(fd, answer, sizeof answer), 12); /* NOTIMP */
	assert_int_equal(send(fd, query, query_len, 0), query_len);
	assert_int_equal(receive(fd, answer, sizeof answer), query_len + 16);
	close(fd);
}

static void test_tcp_answers_many_queries_of_one_connection_in_order(void **state)
{
	enum { COUNT = 100 };
	uint8_t out[COUNT * 128], in[COUNT * 256];
	size_t len = 0, answer = 2 + query_len + 16;
	int fd = dial(SOCK_STREAM, &bound[0].addr, bound[0].port);

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		size_t at = len;

		len += framed(out + at);
		out[at + 3] = (uint8_t)i;
	}
	assert_int_equal(send(fd, out, len, 0), len);
	assert_int_equal(receive_all(fd, in, COUNT * answer), COUNT * answer);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(in[i * answer + 3], i);
	close(fd);
}

static void test_tcp_takes_a_query_octet_by_octet(void **state)
{
	uint8_t out[600], in[600];
	size_t len = framed(out);
	int fd = dial(SOCK_STREAM, &bound[1].addr, bound[1].port), on = 1;

	(void)state;
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(send(fd, out + i, 1, 0), 1);
	assert_int_equal(receive_all(fd, in, len + 16), len + 16);
	close(fd);
}

static void test_a_half_closed_connection_is_answered_and_closed(void **state)
{
	uint8_t out[600], in[600];
	size_t len = framed(out);
	int fd = dial(SOCK_STREAM, &bound[0].addr, bound[0].port);

	(void)state;
	assert_int_equal(send(fd, out, len, 0), len);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(receive_all(fd, in, sizeof in), len + 16);
	close(fd);
}

static void test_a_message_that_gets_no_answer_ends_the_connection(void **state)
{
	/* Empty, shorter than a header, an answer. */
	static const uint8_t bad[][2 + 12] = {{0, 0}, {0, 11}, {0, 12, 0x12, 0x34, 0x80}};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint8_t out[1200], in[1200];
		size_t len = framed(out), bad_len = 2 + (size_t)bad[i][1];
		int fd = dial(SOCK_STREAM, &bound[0].addr, bound[0].port);

		memcpy(out + len, bad[i], bad_len);
		assert_int_equal(send(fd, out, len + bad_len, 0), len + bad_len);
		assert_int_equal(receive_all(fd, in, len + 16), len + 16);
		assert_true(is_ended(fd));
		close(fd);
	}
}

static void test_a_query_that_is_too_long_ends_the_connection(void **state)
{
	uint8_t out[2] = {0xff, 0xff}, in[16];
	uint64_t before = event(STATS_TCP_OVERSIZE);
	int fd = dial(SOCK_STREAM, &bound[0].addr, bound[0].port);

	(void)state;
	assert_int_equal(send(fd, out, 2, 0), 2);
	assert_int_equal(receive(fd, in, sizeof in), 0);
	assert_int_equal(event(STATS_TCP_OVERSIZE), before + 1);
	close(fd);
}

/* A client that asks without reading: the server stops reading, goes on when the client reads,
 * and loses nothing. */
static void test_a_client_that_does_not_read_pauses_its_own_connection_only(void **state)
{
	static const struct asking plain;
	uint8_t frame[600], answer[2048], *in = malloc(1 << 20);
	size_t frame_len = 2 + world_query("big.example.com TXT", &plain, frame + 2), sent = 0,
	       asked, got = 0, n;
	int fd = dial(SOCK_STREAM, &bound[0].addr, bound[0].port), udp;
	uint64_t deadline = clock_monotonic_ms() + 500;
	size_t answer_len;

	(void)state;
	frame[0] = 0;
	frame[1] = (uint8_t)(frame_len - 2);
	while (clock_monotonic_ms() < deadline) {
		ssize_t put = send(fd, frame + sent % frame_len, frame_len - sent % frame_len,
		                   MSG_DONTWAIT);

		if (put > 0) {
			sent += (size_t)put;
			deadline = clock_monotonic_ms() + 500;
		}
	}
	udp = dial(SOCK_DGRAM, &bound[0].addr, bound[0].port);
	assert_int_equal(send(udp, query, query_len, 0), query_len);
	assert_true(receive(udp, answer, sizeof answer) > 0);
	close(udp);
	asked = sent / frame_len;
	assert_int_equal(receive_all(fd, answer, 2), 2);
	answer_len = (size_t)answer[0] << 8 | answer[1];
	got = 2;
	while (got < asked * (2 + answer_len) && (n = receive(fd, in, 1 << 20)) > 0)
		got += n;
	assert_int_equal(got, asked * (2 + answer_len));
	assert_true(asked > 1000);
	close(fd);
	free(in);
}

static void test_a_port_in_use_is_a_conflict_that_names_the_address(void **state)
{
	struct server *second = NULL;
	struct reason why = {0};

	(void)state;
	assert_int_equal(server_bind(bound, 1, 1, NULL, &second, &why), ERR_CONFLICT);
	assert_non_null(strstr(why.text, "127.0.0.1:"));
	assert_null(second);
}

static void test_an_address_of_another_machine_is_an_error(void **state)
{
	struct server_address away = {{.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}}, 0};
	struct server *second = NULL;
	struct reason why = {0};

	(void)state;
	assert_int_equal(server_bind(&away, 1, 1, NULL, &second, &why), ERR_IO);
	assert_non_null(strstr(why.text, "192.0.2.1:0"));
}

/* A server of one worker, whose connections can be counted on. */
static struct server *start_one(const struct addr *addr, const struct tcp_limits *limits,
                                struct server_address *out)
{
	struct server_address a = {*addr, 0};
	struct server *one;
	struct reason why = {0};
	size_t count;

	assert_int_equal(server_bind(&a, 1, 1, NULL, &one, &why), ERR_OK);
	server_limit_tcp(one, limits);
	*out = server_addresses(one, &count)[0];
	server_start(one, zones_handover(world_zones(w)));
	return one;
}

static void assert_answers(int fd)
{
	uint8_t out[600], in[600];
	size_t len = framed(out);

	assert_int_equal(send(fd, out, len, MSG_NOSIGNAL), len);
	assert_int_equal(receive_all(fd, in, len + 16), len + 16);
}

static void test_when_all_connections_are_taken_the_idlest_makes_room(void **state)
{
	enum { MOST = 300 };
	struct tcp_limits limits = tcp_limits_usual();
	int fd[MOST + 1];
	struct server_address a;
	struct server *one;

	(void)state;
	limits.max_connections = MOST;
	limits.max_per_network = MOST + 1;
	one = start_one(&bound[0].addr, &limits, &a);
	for (int i = 0; i < MOST; i++) {
		fd[i] = dial(SOCK_STREAM, &a.addr, a.port);
		assert_answers(fd[i]);
	}
	usleep(5000);
	assert_answers(fd[0]); /* the first to come, but now the second is the idlest */
	fd[MOST] = dial(SOCK_STREAM, &a.addr, a.port);
	assert_answers(fd[MOST]);
	assert_true(is_ended(fd[1]));
	assert_answers(fd[0]);
	assert_answers(fd[2]);
	assert_int_equal(server_connections(one), MOST);
	for (int i = 0; i <= MOST; i++)
		close(fd[i]);
	server_stop(one);
	server_free(one);
}

/* An address of this machine beside loopback: the kernel takes what goes there over loopback. */
static bool find_own_address(struct addr *out)
{
	struct ifaddrs *all;
	bool found = false;

	assert_int_equal(getifaddrs(&all), 0);
	for (const struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
			continue;
		*out = addr_from_sockaddr(i->ifa_addr, NULL);
		found = out->bytes[0] != 127;
	}
	freeifaddrs(all);
	return found;
}

static void test_one_client_gets_its_share_and_loopback_all(void **state)
{
	enum { SHARE = 20 };
	char loopback[] = "127.0.0.0/8", *exempt[] = {loopback};
	const struct conf_strings list = {exempt, 1};
	const struct rrl_settings rules = {RRL_OFF, 1, 0, &list};
	struct tcp_limits limits = tcp_limits_usual();
	static const struct addr any = {.family = ADDR_IPV4};
	struct server_address a;
	struct server *one;
	struct addr own;
	int fd[SHARE + 1], other[SHARE + 1];

	(void)state;
	if (!find_own_address(&own))
		skip();
	limits.max_per_network = SHARE;
	one = start_one(&any, &limits, &a);
	server_set_limits(one, &rules);
	for (int i = 0; i < SHARE; i++) {
		fd[i] = dial(SOCK_STREAM, &own, a.port);
		assert_answers(fd[i]);
	}
	fd[SHARE] = dial(SOCK_STREAM, &own, a.port);
	assert_true(is_ended(fd[SHARE]));
	for (int i = 0; i <= SHARE; i++) {
		other[i] = dial(SOCK_STREAM, &bound[0].addr, a.port);
		assert_answers(other[i]);
	}
	assert_answers(fd[0]);
	for (int i = 0; i <= SHARE; i++) {
		close(other[i]);
		close(fd[i]);
	}
	server_stop(one);
	server_free(one);
}

static void assert_network(const char *client, const char *network)
{
	struct addr a, found;
	char text[ADDR_TEXT_SIZE];

	assert_true(addr_parse(bytes_of(client), &a));
	found = tcp_network(&a);
	assert_string_equal(addr_print(&found, text), network);
}

static void test_a_client_is_an_ipv4_address_or_an_ipv6_56(void **state)
{
	(void)state;
	assert_network("192.0.2.77", "192.0.2.77");
	assert_network("2001:db8:1:2ff:a::1", "2001:db8:1:200::");
	assert_network("::2", "::");
}

static void test_connections_leave_descriptors_for_the_rest(void **state)
{
	(void)state;
	assert_int_equal(server_tcp_most(1024, 4, 10000), 1024 - 256);
	assert_int_equal(server_tcp_most(100, 4, 10000), 4 * TCP_MIN_CONNECTIONS);
	assert_int_equal(server_tcp_most(300, 60, 10000), 60 * TCP_MIN_CONNECTIONS);
	assert_int_equal(server_tcp_most(300, 60, 10), 10);
	assert_int_equal(server_tcp_most(1 << 20, 4, 10000), 10000);
	assert_int_equal(server_tcp_most(UINT64_MAX, 1, 1), 1);
}

static void test_binding_raises_the_limit_of_open_files(void **state)
{
	struct server_address a = {{.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}}, 0};
	struct rlimit limit, after;
	struct server *one;
	struct reason why = {0};

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 200;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(server_bind(&a, 1, 1, NULL, &one, &why), ERR_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	assert_int_equal(after.rlim_cur, limit.rlim_max);
	server_free(one);
}

static void test_stopping_answers_what_it_has_and_takes_less_than_a_second(void **state)
{
	struct server_address a = {{.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}}, 0};
	struct server *other;
	struct reason why = {0};
	size_t count, answered = 0;
	uint8_t answer[2048];
	uint64_t begun;
	int udp, tcp;

	(void)state;
	assert_int_equal(server_bind(&a, 1, 1, NULL, &other, &why), ERR_OK);
	a = server_addresses(other, &count)[0];
	udp = dial(SOCK_DGRAM, &a.addr, a.port);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(send(udp, query, query_len, 0), query_len);
	server_start(other, zones_handover(world_zones(w)));
	tcp = dial(SOCK_STREAM, &a.addr, a.port);
	begun = clock_monotonic_ms();
	server_stop(other);
	assert_true(clock_monotonic_ms() - begun < 1000);
	while (answered < 50 && receive(udp, answer, sizeof answer) > 0)
		answered++;
	assert_int_equal(answered, 50);
	server_free(other);
	close(udp);
	close(tcp);
}

/* Rules change while workers answer: none is lost, and the last ones count. */
static void test_limits_change_while_workers_answer(void **state)
{
	struct server_address a = {{.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}}, 0};
	const struct conf_strings none = {0};
	struct rrl_settings settings = {RRL_ON, 5, 0, &none};
	struct server *other;
	struct reason why = {0};
	struct addr_network network;
	struct stats *sum = stats_new();
	size_t count, answered = 0;
	uint8_t answer[2048];
	int udp;

	(void)state;
	assert_int_equal(server_bind(&a, 1, 2, NULL, &other, &why), ERR_OK);
	a = server_addresses(other, &count)[0];
	server_set_limits(other, &settings);
	server_start(other, zones_handover(world_zones(w)));
	udp = dial(SOCK_DGRAM, &a.addr, a.port);
	for (unsigned i = 0; i < 200; i++) {
		settings.mode = i % 2 ? RRL_ON : RRL_OFF;
		server_set_limits(other, &settings);
		assert_int_equal(send(udp, query, query_len, 0), query_len);
		(void)server_next_limited(other, &network);
	}
	settings.mode = RRL_OFF;
	server_set_limits(other, &settings);
	/* Off is in force once a burst is answered whole. */
	for (unsigned tries = 0; tries < 100 && answered < 50; tries++) {
		struct pollfd p = {.fd = udp, .events = POLLIN};

		answered = 0;
		while (poll(&p, 1, 100) == 1)
			(void)recv(udp, answer, sizeof answer, 0);
		for (unsigned i = 0; i < 50; i++)
			assert_int_equal(send(udp, query, query_len, 0), query_len);
		while (answered < 50 && poll(&p, 1, 100) == 1 &&
		       recv(udp, answer, sizeof answer, 0) > 0)
			answered++;
	}
	assert_int_equal(answered, 50);
	server_stop(other);
	server_stats(other, sum);
	assert_int_equal(stats_read(&sum->events[STATS_RECEIVED]),
	                 stats_answers(sum) + stats_limits(sum, STATS_LIMIT_DROPPED));
	free(sum);
	server_free(other);
	close(udp);
}

/* A session of its own, one query, its end. */
static void ask_over_tls(const struct server_address *a)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	int fd = dial(SOCK_STREAM, &a->addr, a->port);
	uint8_t out[600], in[600];
	size_t len = framed(out), got = 0, n;

	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(SSL_write(ssl, out, (int)len), len);
	while (got < len + 16 && SSL_read_ex(ssl, in + got, sizeof in - got, &n) == 1)
		got += n;
	assert_int_equal(got, len + 16);
	assert_memory_equal(in + 2, query, 2);
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
}

static void test_tls_goes_on_with_all_workers_while_its_files_are_read_again(void **state)
{
	struct server_address a = {{.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}}, 0}, plain = a;
	char folder[] = "/tmp/nigh-server-XXXXXX", certificate[64], key[64];
	struct reason why = {0};
	struct server *both;
	struct tls *tls;
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
	snprintf(key, sizeof key, "%s/key.pem", folder);
	certificate_write(certificate, key, "test");
	assert_int_equal(tls_new(certificate, key, &tls, &why), ERR_OK);
	assert_int_equal(server_bind(&plain, 1, 3, NULL, &both, &why), ERR_OK);
	assert_int_equal(server_bind_tls(both, &a, 1, NULL, tls, &why), ERR_OK);
	a = server_tls_addresses(both, &count)[0];
	assert_int_equal(count, 1);
	server_start(both, zones_handover(world_zones(w)));
	for (unsigned i = 0; i < 60; i++) {
		ask_over_tls(&a);
		if (i % 3 == 0)
			assert_int_equal(tls_reload(tls, &why), ERR_OK);
		if (i % 5 == 0)
			tls_rotate(tls);
	}
	server_stop(both);
	server_free(both);
	tls_free(tls);
	assert_int_equal(unlink(certificate) + unlink(key) + rmdir(folder), 0);
}

static void test_a_tls_port_in_use_is_a_conflict_that_names_the_address(void **state)
{
	struct server_address plain = {{.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}}, 0};
	struct reason why = {0};
	struct server *second;

	(void)state;
	assert_int_equal(server_bind(&plain, 1, 1, NULL, &second, &why), ERR_OK);
	assert_int_equal(server_bind_tls(second, bound, 1, NULL, NULL, &why), ERR_CONFLICT);
	assert_non_null(strstr(why.text, "127.0.0.1:"));
	server_free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp_and_tcp_have_the_same_port_for_all_workers),
		cmocka_unit_test(test_udp_answers_on_every_address),
		cmocka_unit_test(test_a_wildcard_address_replies_from_the_address_asked),
		cmocka_unit_test(test_a_burst_is_answered_whole),
		cmocka_unit_test(test_rubbish_is_answered_or_silent_and_the_next_query_is_fine),
		cmocka_unit_test(test_tcp_answers_many_queries_of_one_connection_in_order),
		cmocka_unit_test(test_tcp_takes_a_query_octet_by_octet),
		cmocka_unit_test(test_a_half_closed_connection_is_answered_and_closed),
		cmocka_unit_test(test_a_message_that_gets_no_answer_ends_the_connection),
		cmocka_unit_test(test_a_query_that_is_too_long_ends_the_connection),
		cmocka_unit_test(test_a_client_that_does_not_read_pauses_its_own_connection_only),
		cmocka_unit_test(test_a_port_in_use_is_a_conflict_that_names_the_address),
		cmocka_unit_test(test_an_address_of_another_machine_is_an_error),
		cmocka_unit_test(test_when_all_connections_are_taken_the_idlest_makes_room),
		cmocka_unit_test(test_one_client_gets_its_share_and_loopback_all),
		cmocka_unit_test(test_a_client_is_an_ipv4_address_or_an_ipv6_56),
		cmocka_unit_test(test_connections_leave_descriptors_for_the_rest),
		cmocka_unit_test(test_binding_raises_the_limit_of_open_files),
		cmocka_unit_test(test_limits_change_while_workers_answer),
		cmocka_unit_test(test_tls_goes_on_with_all_workers_while_its_files_are_read_again),
		cmocka_unit_test(test_a_tls_port_in_use_is_a_conflict_that_names_the_address),
		cmocka_unit_test(test_stopping_answers_what_it_has_and_takes_less_than_a_second),
	};

	return cmocka_run_group_tests_name("dnsd/server", tests, setup, teardown);
}
