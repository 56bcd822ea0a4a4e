/* floods.c -- who asks too much, who asks through others, and how much comes back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "tests/support/world.h"
#include "tests/support/world_wire.h"

enum { REPLY_MS = 2000, SILENCE_MS = 300 };

#define LISTEN "listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.1:0\", "

/* --- the PROXY protocol over UDP --- */

/* What web gives to a query that comes from `from` behind a header that names the client. */
static const char *ask_behind(struct world *w, const char *from, const char *client,
                              unsigned within_ms)
{
	static char records[2048];
	static uint8_t reply[WIRE_ROOM];
	const struct world_question q = {
		.name = "web.shop.fed.svc.example.com", .type = "A", .from = from};
	uint8_t packet[600];
	size_t header = client ? world_wire_proxy(client, false, packet) : 0;
	size_t len = header + world_wire_build(&q, 7, packet + header);
	size_t got = world_wire_udp(w, &q, packet, len, reply, within_ms);

	if (got == 0)
		return "SILENCE";
	if (got == 12)
		return "FORMERR";
	snprintf(records, sizeof(records), "%s", world_wire_read(w, reply, got).records);
	return records;
}

static void start_behind_a_proxy(struct world *w)
{
	world_three_cities(w);
	world_config(w, LISTEN "proxyFrom: [127.0.0.9/32]}\n"
	                       "publish: {allow: [198.18.0.0/16]}\n");
	world_start(w);
}

static void test_behind_a_listed_proxy_the_client_of_the_header_decides(void **state)
{
	struct world *w = *state;

	start_behind_a_proxy(w);
	assert_string_equal(ask_behind(w, "127.0.0.9", "192.0.2.7", REPLY_MS), "198.18.1.10");
	assert_string_equal(ask_behind(w, "127.0.0.9", "198.51.100.7", REPLY_MS), "198.18.2.10");
	assert_string_equal(ask_behind(w, "127.0.0.9", "203.0.113.7", REPLY_MS), "198.18.3.10");
	assert_int_equal((int)world_metric(w, "dnsd_proxied_total"), 3);
}

static void test_a_listed_proxy_gets_no_answer_without_a_good_header(void **state)
{
	struct world *w = *state;
	const struct world_question q = {
		.name = "web.shop.fed.svc.example.com", .type = "A", .from = "127.0.0.9"};
	uint8_t packet[64], reply[512];

	start_behind_a_proxy(w);
	assert_string_equal(ask_behind(w, "127.0.0.9", NULL, SILENCE_MS), "SILENCE");
	for (size_t cut = 0; cut < 28; cut += 9) {
		world_wire_proxy("192.0.2.7", false, packet);
		assert_int_equal(world_wire_udp(w, &q, packet, cut, reply, SILENCE_MS), 0);
	}
	assert_int_equal((int)world_metric(w, "dnsd_proxy_broken_total"), 5);
	assert_int_equal((int)world_metric(w, "dnsd_proxied_total"), 0);
	assert_string_equal(ask_behind(w, "127.0.0.9", "192.0.2.7", REPLY_MS), "198.18.1.10");
}

static void test_of_others_no_header_is_believed(void **state)
{
	struct world *w = *state;

	start_behind_a_proxy(w);
	assert_string_equal(ask_behind(w, "127.0.0.8", NULL, REPLY_MS), "198.18.2.10");
	/* Read as DNS, the signature is a header whose opcode is none of ours. */
	assert_string_not_equal(ask_behind(w, "127.0.0.8", "192.0.2.7", REPLY_MS), "198.18.1.10");
	assert_int_equal((int)world_metric(w, "dnsd_proxied_total"), 0);
	assert_int_equal((int)world_metric(w, "dnsd_proxy_broken_total"), 0);
}

/* --- rate limiting --- */

enum { PER_SECOND = 50, FLOOD = 1000 };

#define ZONE                                                                                       \
	"zones:\n"                                                                                 \
	"- name: example.com\n"                                                                    \
	"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"                      \
	"  records: [\"www 300 IN A 192.0.2.1\", \"other 300 IN A 192.0.2.2\", "                   \
	"\"*.wild 300 IN A 192.0.2.3\"]\n"
#define LIMITED ZONE "rateLimit: {perSecond: 50, slip: 2, exempt: []}\n"

static void start_with(struct world *w, const char *config)
{
	world_folder(w, "manifests/host");
	world_config(w, config);
	world_start(w);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int open_client(const struct world *w, const char *from)
{
	struct sockaddr_in local = {.sin_family = AF_INET}, remote = local;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, from, &local.sin_addr), 1);
	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &remote.sin_addr), 1);
	remote.sin_port = htons((uint16_t)world_dns_port(w));
	assert_int_equal(bind(fd, (void *)&local, sizeof local), 0);
	assert_int_equal(connect(fd, (void *)&remote, sizeof remote), 0);
	return fd;
}

/* What came back of a flood. */
struct tally {
	unsigned whole, cut, silent;
	uint64_t took_ms;
};

/* Reads what has come, or comes within that time. */
static void read_replies(struct world *w, int fd, struct tally *t, size_t query_len, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t reply[2048];

	while (poll(&p, 1, wait_ms) == 1) {
		ssize_t len = recv(fd, reply, sizeof reply, 0);
		struct world_answer a;

		assert_true(len >= 12);
		a = world_wire_read(w, reply, (size_t)len);
		if (!a.truncated) {
			t->whole++;
			continue;
		}
		t->cut++;
		assert_string_equal(a.records, "TRUNCATED");
		assert_string_equal(a.authority, "");
		assert_true((size_t)len <= query_len);
	}
}

/* Asks FLOOD times, as fast as it goes; "%u" in the name is another number each time. */
static struct tally flood(struct world *w, const char *from, const char *name)
{
	int fd = open_client(w, from);
	uint64_t begin = now_ms();
	struct tally t = {0};
	size_t len = 0;

	for (unsigned i = 0; i < FLOOD; i++) {
		char asked[128];
		const char *number = strstr(name, "%u");
		uint8_t query[512];

		snprintf(asked, sizeof asked, "%s", name);
		if (number)
			snprintf(asked, sizeof asked, "r%u%s", i, number + 2);
		len = world_wire_build(&(struct world_question){.name = asked, .type = "A"},
		                       (uint16_t)i, query);
		assert_int_equal(send(fd, query, len, 0), (ssize_t)len);
		read_replies(w, fd, &t, len, 0);
		if (i % 10 == 9)
			read_replies(w, fd, &t, len, 1);
	}
	read_replies(w, fd, &t, len, 300);
	t.took_ms = now_ms() - begin;
	t.silent = FLOOD - t.whole - t.cut;
	close(fd);
	return t;
}

/* A second's worth at once and at most a quarter more, then as much each second; of the rest, every other one is cut. */
static void assert_limited(const struct tally *t)
{
	unsigned over = t->cut + t->silent;
	unsigned most = PER_SECOND * 5 / 4 + (unsigned)(t->took_ms * PER_SECOND / 1000) + 2;

	assert_in_range(t->whole, PER_SECOND, most);
	assert_in_range(t->cut, over / 2 - 1, over / 2 + 1);
}

static void test_a_flood_gets_its_rate_and_of_the_rest_every_other_is_cut(void **state)
{
	struct world *w = *state;
	struct tally t;

	start_with(w, LIMITED);
	t = flood(w, "127.0.0.1", "www.example.com");
	assert_limited(&t);
	assert_int_equal((int)world_metric(w, "dnsd_rate_limit_slipped_total{class=\"positive\"}"),
	                 (int)t.cut);
	assert_int_equal((int)world_metric(w, "dnsd_rate_limit_dropped_total{class=\"positive\"}"),
	                 (int)t.silent);
	assert_int_equal((int)world_metric(w, "dnsd_rate_limit_limited_total{class=\"positive\"}"),
	                 (int)(t.cut + t.silent));
	/* Each message was answered or dropped. */
	assert_int_equal(
		(int)world_metric(w, "dnsd_answers_total{transport=\"udp\",rcode=\"NOERROR\"}"),
		(int)(t.whole + t.cut));
	world_expect_http(w, "/status", "\"rateLimit\":{\"limited\":", 0);
}

static void test_names_that_are_made_up_are_counted_together(void **state)
{
	struct world *w = *state;
	struct tally t;

	start_with(w, LIMITED);
	t = flood(w, "127.0.1.1", "%u.example.com");
	assert_limited(&t);
	assert_true(world_metric(w, "dnsd_rate_limit_limited_total{class=\"nxdomain\"}") > 0);
	t = flood(w, "127.0.1.1", "%u.wild.example.com");
	assert_limited(&t);
	t = flood(w, "127.0.1.1", "%u.elsewhere.test");
	assert_limited(&t);
	assert_true(world_metric(w, "dnsd_rate_limit_limited_total{class=\"error\"}") > 0);
}

struct flooder {
	pthread_t thread;
	int fd;
	uint8_t query[512];
	size_t len;
	_Atomic bool ended;
};

/* 20 each millisecond, as a botnet does: nobody reads what comes back. */
static void *flood_on(void *arg)
{
	struct flooder *f = arg;

	while (!f->ended) {
		for (unsigned i = 0; i < 20; i++)
			(void)send(f->fd, f->query, f->len, MSG_DONTWAIT);
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	return NULL;
}

static void test_a_flood_costs_another_network_none_of_its_answers(void **state)
{
	struct world *w = *state;
	struct flooder f = {0};
	const struct world_question q = {
		.name = "www.example.com", .type = "A", .from = "127.0.9.1"};
	static uint8_t reply[WIRE_ROOM];
	uint8_t query[512];
	size_t len = world_wire_build(&q, 7, query);

	start_with(w, LIMITED);
	f.fd = open_client(w, "127.0.0.66");
	f.len = world_wire_build(&q, 8, f.query);
	assert_int_equal(pthread_create(&f.thread, NULL, flood_on, &f), 0);
	/* Each is asked once: 40 a second, less than its rate. */
	for (unsigned i = 0; i < 80; i++) {
		size_t got = world_wire_udp(w, &q, query, len, reply, REPLY_MS);

		assert_true(got > 0);
		assert_string_equal(world_wire_read(w, reply, got).records, "192.0.2.1");
		nanosleep(&(struct timespec){0, 25000000}, NULL);
	}
	f.ended = true;
	pthread_join(f.thread, NULL);
	close(f.fd);
	assert_true(world_metric(w, "dnsd_rate_limit_limited_total{class=\"positive\"}") > 1000);
}

static void test_one_kind_of_answer_does_not_cost_another(void **state)
{
	struct world *w = *state;
	struct tally t;

	start_with(w, LIMITED);
	t = flood(w, "127.0.0.1", "%u.example.com");
	assert_limited(&t);
	assert_string_equal(world_ask(w, "www.example.com", "A", NULL), "192.0.2.1");
	assert_string_equal(world_ask(w, "other.example.com", "A", NULL), "192.0.2.2");
	assert_string_equal(world_ask(w, "www.example.com", "AAAA", NULL), "NODATA");
}

static void test_over_tcp_nobody_is_limited(void **state)
{
	struct world *w = *state;

	start_with(w, LIMITED);
	(void)flood(w, "127.0.0.1", "www.example.com");
	for (unsigned i = 0; i < 2 * PER_SECOND; i++)
		assert_string_equal(world_ask_tcp(w, "www.example.com", "A", NULL), "192.0.2.1");
}

static void test_by_default_loopback_is_counted_but_never_limited(void **state)
{
	struct world *w = *state;
	struct tally t;

	start_with(w, ZONE);
	t = flood(w, "127.0.0.1", "www.example.com");
	assert_int_equal(t.whole, FLOOD);
	assert_true(world_metric(w, "dnsd_rate_limit_exempt_total{class=\"positive\"}") > 0);
	assert_int_equal((int)world_metric(w, "dnsd_rate_limit_limited_total{class=\"positive\"}"),
	                 0);
}

static unsigned count_lines(const char *log, const char *text)
{
	unsigned count = 0;

	for (; (log = strstr(log, text)) != NULL; log++)
		count++;
	return count;
}

/* Of the 64 places that a minute's log has, two networks may share one: then the second is not told. */
static void test_a_network_over_the_limit_is_logged_once(void **state)
{
	static const char *const others[] = {"127.0.5.1", "127.0.6.1", "127.0.7.1", "127.0.8.1"};
	struct world *w = *state;
	uint64_t until;

	start_with(w, LIMITED);
	(void)flood(w, "127.0.0.1", "www.example.com");
	world_expect_log(w, "more answers to 127.0.0.0/24 than rateLimit.perSecond", 5000);
	(void)flood(w, "127.0.0.2", "www.example.com");
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		(void)flood(w, others[i], "www.example.com");
	until = now_ms() + 5000;
	while (count_lines(world_log(w), "more answers to ") < 2 && now_ms() < until)
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	assert_in_range(count_lines(world_log(w), "more answers to "), 2, 5);
	assert_int_equal(count_lines(world_log(w), "more answers to 127.0.0.0/24"), 1);
}

static void test_a_reload_changes_the_limit(void **state)
{
	struct world *w = *state;
	struct tally t;

	start_with(w, ZONE "rateLimit: {mode: log-only, perSecond: 50, exempt: []}\n");
	t = flood(w, "127.0.0.1", "www.example.com");
	assert_int_equal(t.whole, FLOOD);
	world_expect_log(w, "more answers to 127.0.0.0/24 than rateLimit.perSecond", 5000);
	world_config(w, LIMITED);
	world_signal(w, SIGHUP);
	world_expect_log(w, "config taken up", 5000);
	t = flood(w, "127.0.0.1", "www.example.com");
	assert_in_range(t.whole, 1, FLOOD / 2);
	world_config(w, ZONE "rateLimit: {mode: off, perSecond: 50, exempt: []}\n");
	world_signal(w, SIGHUP);
	/* Until then the limit holds. */
	for (unsigned i = 0; i < 50 && t.whole < FLOOD; i++)
		t = flood(w, "127.0.0.1", "www.example.com");
	assert_int_equal(t.whole, FLOOD);
}

static void test_behind_a_proxy_each_client_has_its_own_limit(void **state)
{
	struct world *w = *state;
	unsigned silent = 0;

	world_three_cities(w);
	world_config(w, LISTEN "proxyFrom: [127.0.0.9/32]}\n"
	                       "publish: {allow: [198.18.0.0/16]}\n"
	                       "rateLimit: {perSecond: 20, slip: 0, exempt: []}\n");
	world_start(w);
	for (unsigned i = 0; i < 45; i++)
		silent += strcmp(ask_behind(w, "127.0.0.9", "192.0.2.7", 20), "SILENCE") == 0;
	assert_true(silent > 0);
	assert_string_equal(ask_behind(w, "127.0.0.9", "203.0.113.7", REPLY_MS), "198.18.3.10");
}

/* --- names with many addresses --- */

static void test_of_ten_thousand_addresses_an_answer_tells_sixteen(void **state)
{
	enum { MANY = 10000, TEXT = 20 };
	struct world *w = *state;
	struct world_question q = {
		.name = "big.example.com", .type = "A", .client = "192.0.2.0/24"};
	char *targets = calloc(MANY, TEXT), *at = targets, first[2048];
	struct world_answer a;

	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "%s198.18.%d.%d", i ? ", " : "", i / 250, i % 250);
	world_domain(w, "fed", "example.com");
	world_endpoint(w, "big.yaml", "big", "big.example.com", "A", targets);
	free(targets);
	world_start(w);
	a = world_question(w, &q);
	assert_int_equal(a.address_count, 16);
	assert_int_equal(a.scope, 24);
	assert_false(a.truncated);
	snprintf(first, sizeof(first), "%s", a.records);
	assert_string_equal(world_question(w, &q).records, first);
	q.tcp = true;
	assert_string_equal(world_question(w, &q).records, first);
	q.client = "198.51.100.0/24";
	a = world_question(w, &q);
	assert_int_equal(a.address_count, 16);
	assert_string_not_equal(a.records, first);
	world_config(w, "defaults: {maxAddresses: 1000}\n");
	world_signal(w, SIGHUP);
	world_expect_log(w, "config taken up", 5000);
	for (unsigned i = 0; i < 50 && a.address_count != 1000; i++) {
		nanosleep(&(struct timespec){0, 100000000}, NULL);
		a = world_question(w, &q);
	}
	assert_int_equal(a.address_count, 1000);
}

/* --- how much comes back for how little --- */

/* Octets that one query of that length brings back, and a flood of it. */
struct factors {
	size_t query_len, answer_len;
	double of_flood, most; /* what the limit allows in the time that it took */
};

static struct factors measure(struct world *w, const char *from, const struct world_question *q)
{
	static uint8_t reply[WIRE_ROOM];
	uint8_t query[512];
	int fd = open_client(w, from);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct factors f = {.query_len = world_wire_build(q, 7, query)};
	uint64_t begin = now_ms();
	size_t back = 0;
	double whole;

	for (unsigned i = 0; i < FLOOD; i++) {
		int wait_ms = i == 0 ? REPLY_MS : i + 1 == FLOOD ? SILENCE_MS : i % 10 == 9;

		assert_int_equal(send(fd, query, f.query_len, 0), (ssize_t)f.query_len);
		while (poll(&p, 1, wait_ms) == 1) {
			ssize_t len = recv(fd, reply, sizeof reply, 0);

			assert_true(len >= 12);
			back += (size_t)len;
			if (i == 0)
				f.answer_len = (size_t)len;
			if (i == 0)
				break;
		}
	}
	whole = PER_SECOND * 1.25 + (double)(now_ms() - begin) * PER_SECOND / 1000 + 2;
	f.of_flood = (double)back / (double)(FLOOD * f.query_len);
	/* Every other one of the rest, no longer than the query. */
	f.most = whole / FLOOD * (double)f.answer_len / (double)f.query_len + 0.5;
	close(fd);
	return f;
}

/* 30 addresses and a text that fills a message. */
static void start_with_large_answers(struct world *w)
{
	char zone[8192], *at = zone;

	at += sprintf(at, ZONE);
	at = strrchr(zone, ']');
	for (int i = 0; i < 30; i++)
		at += sprintf(at, ", \"many 300 IN A 192.0.2.%d\"", i);
	at += sprintf(at, ", \"text 300 IN TXT");
	for (int i = 0; i < 5; i++)
		at += sprintf(at, " %0200d", i);
	at += sprintf(at, "\", \"child 300 IN NS ns.child\", \"ns.child 300 IN A 192.0.2.7\"]\n");
	sprintf(at, "rateLimit: {perSecond: 50, slip: 2, exempt: []}\n");
	start_with(w, zone);
}

static void test_what_comes_back_is_measured_for_each_kind_of_query(void **state)
{
	static const struct {
		const char *label;
		struct world_question q;
	} kinds[] = {
		{"one address", {.name = "www.example.com", .type = "A"}},
		{"the same, no EDNS", {.name = "www.example.com", .type = "A", .no_edns = true}},
		{"16 of 30 addresses", {.name = "many.example.com", .type = "A"}},
		{"1000 octets of text", {.name = "text.example.com", .type = "TXT"}},
		{"the same, no EDNS", {.name = "text.example.com", .type = "TXT", .no_edns = true}},
		{"ANY", {.name = "example.com", .type = "ANY"}},
		{"SOA", {.name = "example.com", .type = "SOA"}},
		{"NS", {.name = "example.com", .type = "NS"}},
		{"DNSKEY", {.name = "example.com", .type = "DNSKEY"}},
		{"wildcard", {.name = "a.wild.example.com", .type = "A"}},
		{"no such type", {.name = "www.example.com", .type = "AAAA"}},
		{"no such name", {.name = "absent.example.com", .type = "A"}},
		{"referral with glue", {.name = "a.child.example.com", .type = "A"}},
		{"no zone of ours", {.name = "www.elsewhere.test", .type = "A"}},
	};
	struct world *w = *state;

	start_with_large_answers(w);
	print_message("%-22s %6s %6s %8s %8s\n", "amplification", "query", "answer", "one",
	              "flood");
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char from[32];
		struct factors f;
		double one;

		snprintf(from, sizeof from, "127.0.%u.1", 10 + i);
		f = measure(w, from, &kinds[i].q);
		one = (double)f.answer_len / (double)f.query_len;
		print_message("%-22s %6zu %6zu %8.1f %8.2f\n", kinds[i].label, f.query_len,
		              f.answer_len, one, f.of_flood);
		assert_true(f.answer_len > 0 && f.answer_len <= 1232);
		if (kinds[i].q.no_edns)
			assert_true(f.answer_len <= 512);
		assert_true(f.of_flood <= f.most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_behind_a_listed_proxy_the_client_of_the_header_decides),
		world_test(test_a_listed_proxy_gets_no_answer_without_a_good_header),
		world_test(test_of_others_no_header_is_believed),
		world_test(test_a_flood_gets_its_rate_and_of_the_rest_every_other_is_cut),
		world_test(test_names_that_are_made_up_are_counted_together),
		world_test(test_a_flood_costs_another_network_none_of_its_answers),
		world_test(test_one_kind_of_answer_does_not_cost_another),
		world_test(test_over_tcp_nobody_is_limited),
		world_test(test_by_default_loopback_is_counted_but_never_limited),
		world_test(test_a_network_over_the_limit_is_logged_once),
		world_test(test_a_reload_changes_the_limit),
		world_test(test_behind_a_proxy_each_client_has_its_own_limit),
		world_test(test_of_ten_thousand_addresses_an_answer_tells_sixteen),
		world_test(test_what_comes_back_is_measured_for_each_kind_of_query),
	};

	return cmocka_run_group_tests_name("scenario/floods", tests, NULL, NULL);
}
