/* transfers.c -- zones for secondaries: who gets them, what changes say, and who is told. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_secondaries.h"
#include "tests/support/world_wire.h"

#define SECRET SECONDARIES_SECRET
#define KEY    SECONDARIES_KEY

enum { FORMERR = 1, REFUSED = 5 };
enum { SOON_MS = 5000 };

/* --- nighd --- */

static void configure(struct world *w, const char *transfer)
{
	char config[2048];

	snprintf(config, sizeof(config),
	         "zones: [{name: example.com, nameservers: [{name: ns1.example.com, addresses: "
	         "[192.0.2.53]}], records: [\"www 300 IN A 192.0.2.1\"], transfer: {%s}}]\n"
	         "tsig: keys\n",
	         transfer);
	world_config(w, config);
}

static void start(struct world *w, const char *transfer)
{
	secondaries_write_keys(w);
	configure(w, transfer);
	world_folder(w, "manifests/host");
	world_start(w);
}

static void reload(struct world *w, const char *transfer)
{
	configure(w, transfer);
	world_signal(w, SIGHUP);
	world_expect_log(w, "config taken up", SOON_MS);
}

/* --- who gets it --- */

static void expect(struct world *w, const char *from, const char *key, bool gets)
{
	char *out = secondaries_dig(w, world_dns_port(w), from, key, "AXFR");

	if ((strstr(out, "192.0.2.1") != NULL) != gets)
		world_fail(w, "from %s with '%s': %s", from, key, out);
	free(out);
}

static void test_without_a_rule_nobody_gets_the_zone(void **state)
{
	struct world *w = *state;

	start(w, "allow: [], notify: [\"127.0.0.1:9\"]");
	expect(w, "127.0.0.1", "", false);
	expect(w, "127.0.0.1", KEY, false);
}

static void test_address_and_key_must_both_be_right_where_both_are_asked_for(void **state)
{
	struct world *w = *state;

	start(w, "allow: [{address: 127.0.0.2/32}, {key: transfer, address: 127.0.0.3/32}]");
	expect(w, "127.0.0.2", "", true);
	expect(w, "127.0.0.2", KEY, true);
	expect(w, "127.0.0.1", "", false);
	expect(w, "127.0.0.1", KEY, false);
	expect(w, "127.0.0.3", "", false);
	expect(w, "127.0.0.3", KEY, true);
	expect(w, "127.0.0.3", "hmac-sha256:other:" SECRET, false);
}

/* CVE-2026-12490: what is for TLS alone is not to be had over plain TCP. */
static void test_a_rule_for_tls_is_none_for_tcp(void **state)
{
	struct world *w = *state;

	start(w, "allow: [{address: 127.0.0.0/8, transport: tls}, {address: 127.0.0.4/32, "
	         "transport: tcp}]");
	expect(w, "127.0.0.1", "", false);
	expect(w, "127.0.0.1", KEY, false);
	expect(w, "127.0.0.4", "", true);
}

/* --- transport x key x address (RFC 9103 9, CVE-2026-12490) --- */

enum via { VIA_UDP, VIA_TCP, VIA_TLS };
enum signed_with { NO_KEY, TRANSFER, OTHER, WRONG_SECRET };

/* What the rules of the test below say. */
static bool is_allowed(enum via via, enum signed_with key, unsigned address)
{
	if (key == WRONG_SECRET)
		return false;
	switch (address) {
	case 2:
		return via == VIA_TLS && key == TRANSFER;
	case 3:
		return via != VIA_TLS;
	case 4:
		return key == OTHER;
	default:
		return false;
	}
}

/* `sign` is in what is got. */
static void expect_by_rules(struct world *w, enum via via, enum signed_with key, unsigned address,
                            const char *type, const char *sign)
{
	static const char *const transports[] = {"+notcp", "+tcp", "+tls"};
	static const char *const keys[] = {"", KEY, "hmac-sha512:other:" SECRET,
	                                   "hmac-sha256:transfer:bm90IHRoaXM="};
	char from[16], *out;
	bool gets;

	snprintf(from, sizeof(from), "127.0.0.%u", address);
	out = secondaries_dig_over(w, transports[via],
	                           via == VIA_TLS ? secondaries_tls_port(w) : world_dns_port(w),
	                           from, keys[key], type);
	gets = strstr(out, sign) != NULL;
	if (gets != is_allowed(via, key, address))
		world_fail(w, "%s from %s, key '%s', %s: %s", transports[via], from, keys[key],
		           type, out);
	free(out);
}

/* With the rules of is_allowed(), and who else may ask for names of the zone. */
static void start_with_rules(struct world *w, const char *allow_query)
{
	char config[2048];

	secondaries_write_certificate(w);
	world_write(w, "keys",
	            "key \"transfer\" { algorithm hmac-sha256; secret \"" SECRET "\"; };\n"
	            "key \"other\" { algorithm hmac-sha512; secret \"" SECRET "\"; };\n");
	assert_int_equal(chmod(world_path(w, "keys"), 0640), 0);
	snprintf(config, sizeof(config),
	         SECONDARIES_LISTEN
	         "tsig: keys\n"
	         "zones: [{name: example.com, records: [\"www 300 IN A 192.0.2.1\"], %s transfer: "
	         "{allow: [{address: 127.0.0.2/32, key: transfer, transport: tls}, {address: "
	         "127.0.0.3/32, transport: tcp}, {address: 127.0.0.4/32, key: other}]}}]\n",
	         allow_query);
	world_config(w, config);
	world_folder(w, "manifests/host");
	world_start(w);
}

static void test_transport_and_key_and_address_must_all_be_right(void **state)
{
	struct world *w = *state;

	start_with_rules(w, "");
	/* Over UDP there is but the SOA, and that to who may have the rest. */
	for (enum via via = VIA_UDP; via <= VIA_TLS; via++)
		for (enum signed_with key = NO_KEY; key <= WRONG_SECRET; key++)
			for (unsigned address = 1; address <= 4; address++)
				expect_by_rules(w, via, key, address,
				                via == VIA_UDP ? "IXFR=1" : "AXFR",
				                via == VIA_UDP ? "SOA" : "192.0.2.1");
}

/* A secondary asks for the SOA, over whatever it transfers by, before it has the zone transferred (RFC 1034 4.3.5). */
static void test_who_may_have_a_zone_that_is_not_for_all_may_ask_for_its_soa(void **state)
{
	struct world *w = *state;
	char *out;

	start_with_rules(w, "allowQuery: [127.0.0.9/32],");
	for (enum via via = VIA_UDP; via <= VIA_TLS; via++)
		for (enum signed_with key = NO_KEY; key <= WRONG_SECRET; key++)
			for (unsigned address = 1; address <= 4; address++)
				expect_by_rules(w, via, key, address, "SOA", "SOA");
	expect_by_rules(w, VIA_UDP, NO_KEY, 3, "IXFR=1", "SOA");
	/* Nothing else, and of no other name. */
	out = secondaries_dig(w, world_dns_port(w), "127.0.0.3", "", "NS");
	assert_string_equal(out, "");
	free(out);
	assert_int_equal(world_question(w, &(struct world_question){.name = "www.example.com",
	                                                            .type = "SOA",
	                                                            .from = "127.0.0.3"})
	                         .rcode,
	                 REFUSED);
	assert_int_equal(world_question(w, &(struct world_question){.name = "www.example.com",
	                                                            .type = "A",
	                                                            .from = "127.0.0.9"})
	                         .rcode,
	                 0);
}

static void test_a_rule_with_a_key_that_is_not_there_is_refused(void **state)
{
	struct world *w = *state;

	start(w, "allow: [{key: transfer}]");
	expect(w, "127.0.0.1", KEY, true);
	world_write(w, "keys",
	            "key \"other\" { algorithm hmac-sha256; secret \"" SECRET "\"; };\n");
	assert_int_equal(chmod(world_path(w, "keys"), 0640), 0);
	world_signal(w, SIGHUP);
	world_expect_log(w, "zones.transfer.allow.key: transfer of zone example.com is not in",
	                 SOON_MS);
	expect(w, "127.0.0.1", KEY, true);
}

/* RFC 8914 4.19, 4.21. */
static void test_a_refusal_says_whether_there_is_such_a_zone(void **state)
{
	static const char *const types[] = {"AXFR", "IXFR"};
	struct world *w = *state;

	start(w, "allow: [{address: 192.0.2.1}]");
	for (unsigned i = 0; i < 4; i++) {
		struct world_question q = {
			.name = "example.com", .type = types[i % 2], .tcp = i < 2};
		struct world_answer a = world_question(w, &q);

		assert_int_equal(a.rcode, REFUSED);
		assert_int_equal(a.ede, 18);
		q.name = "example.net";
		a = world_question(w, &q);
		assert_int_equal(a.rcode, REFUSED);
		assert_int_equal(a.ede, 20);
	}
	assert_true(world_metric(w, "dnsd_transfers_refused_total") >= 8);
	assert_true(world_metric(w, "dnsd_transfers_total") == 0);
}

/* RFC 1995 2: the newest SOA, which tells to ask over TCP if that is news.  RFC 5936 4.2 has no AXFR over UDP. */
static void test_over_udp_ixfr_is_the_soa_alone_and_axfr_a_format_error(void **state)
{
	struct world *w = *state;
	char port[16];
	struct world_answer soa, a;
	const char *out;

	start(w, "allow: [{address: 127.0.0.0/8}]");
	soa = world_query(w, "example.com", "SOA", NULL);
	snprintf(port, sizeof(port), "%u", world_dns_port(w));
	for (unsigned i = 0; i < 2; i++) {
		out = world_expect_run(w,
		                       (const char *[]){"dig", "-p", port, "@127.0.0.1", "+notcp",
		                                        "+tries=1", "+noall", "+answer",
		                                        "example.com",
		                                        i ? "IXFR=1" : "IXFR=4294967295", NULL},
		                       0, "SOA");
		assert_non_null(strstr(out, soa.records));
		assert_non_null(strchr(out, '\n'));
		assert_null(strstr(out, "192.0.2.1"));
	}
	a = world_question(w, &(struct world_question){.name = "example.com", .type = "AXFR"});
	assert_int_equal(a.rcode, FORMERR);
	assert_string_equal(a.authority, "");
}

/* --- changes --- */

static void test_ixfr_says_what_went_and_what_came(void **state)
{
	struct world *w = *state;
	char type[32], *out;
	unsigned serial;

	start(w, "allow: [{address: 127.0.0.0/8}]");
	world_endpoint(w, "a.yaml", "a", "a.example.com", "A", "198.18.0.1");
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", SOON_MS);
	out = secondaries_zone_at(w, world_dns_port(w));
	serial = secondaries_serial_in(out);
	assert_true(serial > 0);
	free(out);
	world_endpoint(w, "a.yaml", "a", "b.example.com", "A", "198.18.0.2");
	world_expect(w, "b.example.com", "A", NULL, "198.18.0.2", SOON_MS);
	snprintf(type, sizeof(type), "IXFR=%u", serial);
	out = secondaries_dig(w, world_dns_port(w), "127.0.0.1", "", type);
	assert_non_null(strstr(out, "198.18.0.1"));
	assert_non_null(strstr(out, "198.18.0.2"));
	assert_null(strstr(out, "192.0.2.1\n"));
	assert_true(strstr(out, "198.18.0.1") < strstr(out, "198.18.0.2"));
	free(out);
	/* Long ago: the whole zone. */
	out = secondaries_dig(w, world_dns_port(w), "127.0.0.1", "", "IXFR=1");
	assert_non_null(strstr(out, "192.0.2.1"));
	assert_null(strstr(out, "198.18.0.1"));
	free(out);
}

/* What a transfer has is what a question gets. */
static void test_a_transfer_has_what_was_published_before_it(void **state)
{
	struct world *w = *state;

	start(w, "allow: [{address: 127.0.0.0/8}]");
	for (unsigned i = 0; i < 50; i++) {
		char address[32], *out;

		snprintf(address, sizeof(address), "198.18.1.%u", i + 1);
		world_endpoint(w, "a.yaml", "a", "a.example.com", "A", address);
		world_expect(w, "a.example.com", "A", NULL, address, SOON_MS);
		out = secondaries_zone_at(w, world_dns_port(w));
		strcat(address, "\n");
		if (!strstr(out, address))
			world_fail(w, "no %s in %s", address, out);
		free(out);
	}
}

/* --- NOTIFY --- */

static int listen_udp(unsigned *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

/* The next message; its length, 0 when none comes in time. */
static size_t hear(int fd, uint8_t *out, struct sockaddr_in *from, int within_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	socklen_t len = sizeof(*from);
	ssize_t got;

	if (poll(&p, 1, within_ms) != 1)
		return 0;
	got = recvfrom(fd, out, 512, 0, (struct sockaddr *)from, &len);
	return got > 0 ? (size_t)got : 0;
}

/* The question is for the zone's SOA, which stands in the answer (RFC 1996 3.7): the one that nighd has now. */
static void expect_notify(struct world *w, const uint8_t *message, size_t len)
{
	struct world_answer a = world_wire_read(w, message, len);

	assert_int_equal(message[2], 0x24); /* NOTIFY, AA */
	assert_int_equal(message[3], 0);
	assert_memory_equal(message + 12, "\7example\3com\0\0\6\0\1", 17);
	assert_string_equal(a.records, world_ask(w, "example.com", "SOA", NULL));
}

/* With other flags and another ID. */
static void answer(int fd, const uint8_t *message, const struct sockaddr_in *to, uint8_t flags,
                   uint8_t id)
{
	enum { LEN = 12 + 17 };
	uint8_t reply[LEN];

	memcpy(reply, message, LEN);
	reply[1] ^= id;
	reply[2] |= flags;
	reply[7] = 0; /* no hint */
	assert_int_equal(sendto(fd, reply, LEN, 0, (const struct sockaddr *)to, sizeof(*to)), LEN);
}

static void start_telling(struct world *w, unsigned port)
{
	char transfer[128];

	snprintf(transfer, sizeof(transfer),
	         "allow: [{address: 127.0.0.0/8}], notify: [\"127.0.0.1:%u\"]", port);
	start(w, transfer);
}

static void test_a_secondary_is_told_until_it_answers(void **state)
{
	struct world *w = *state;
	struct sockaddr_in from;
	uint8_t message[512], first[512];
	in_port_t port_of_first = 0;
	uint64_t at[4];
	unsigned port;
	int fd = listen_udp(&port);

	start_telling(w, port);
	/* Lost three times, each time after a longer while. */
	for (int i = 0; i < 4; i++) {
		size_t len = hear(fd, message, &from, 10000);

		assert_true(len > 12 + 17);
		at[i] = inside_now_ms();
		expect_notify(w, message, len);
		/* The same message from the same place. */
		if (i == 0)
			memcpy(first, message, len);
		assert_memory_equal(message, first, len);
		assert_true(i == 0 || from.sin_port == port_of_first);
		port_of_first = from.sin_port;
	}
	assert_true(at[1] - at[0] > 700);
	assert_true(at[2] - at[1] > at[1] - at[0] + 500);
	assert_true(at[3] - at[2] > at[2] - at[1] + 1000);
	answer(fd, message, &from, 0x80, 0);
	assert_int_equal(hear(fd, message, &from, 9000), 0);
	/* And again with each change. */
	world_endpoint(w, "a.yaml", "a", "a.example.com", "A", "198.18.0.1");
	assert_true(hear(fd, message, &from, SOON_MS) > 0);
	close(fd);
}

static void test_a_reload_forgets_nobody_who_is_still_to_be_told(void **state)
{
	struct world *w = *state;
	struct sockaddr_in from;
	uint8_t message[512], first[512];
	char transfer[128];
	unsigned port;
	size_t len;
	int fd = listen_udp(&port);

	start_telling(w, port);
	len = hear(fd, first, &from, SOON_MS);
	assert_true(len > 0);
	snprintf(transfer, sizeof(transfer), "allow: [], notify: [\"127.0.0.1:%u\"]", port);
	reload(w, transfer);
	/* The same message, when its time has come. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hear(fd, message, &from, 10000), len);
		assert_memory_equal(message, first, len);
	}
	/* What was heard stays heard. */
	answer(fd, message, &from, 0x80, 0);
	assert_int_equal(hear(fd, message, &from, 1000), 0);
	world_signal(w, SIGHUP);
	assert_int_equal(hear(fd, message, &from, 9000), 0);
	close(fd);
}

static void test_a_secondary_that_is_new_in_the_config_is_told_at_once(void **state)
{
	struct world *w = *state;
	struct sockaddr_in from;
	uint8_t message[512];
	char transfer[128];
	unsigned port, new_port;
	int fd = listen_udp(&port), new_fd = listen_udp(&new_port);

	start_telling(w, port);
	assert_true(hear(fd, message, &from, SOON_MS) > 0);
	answer(fd, message, &from, 0x80, 0);
	snprintf(transfer, sizeof(transfer),
	         "allow: [], notify: [\"127.0.0.1:%u\", \"127.0.0.1:%u\"]", new_port, port);
	reload(w, transfer);
	expect_notify(w, message, hear(new_fd, message, &from, SOON_MS));
	answer(new_fd, message, &from, 0x80, 0);
	assert_int_equal(hear(fd, message, &from, 2500), 0);
	close(fd);
	close(new_fd);
}

static void test_what_is_no_answer_of_the_secondary_is_not_taken_for_one(void **state)
{
	struct world *w = *state;
	struct sockaddr_in from;
	uint8_t message[512];
	unsigned port, other_port;
	int fd = listen_udp(&port), other = listen_udp(&other_port);

	start_telling(w, port);
	assert_true(hear(fd, message, &from, SOON_MS) > 0);
	answer(other, message, &from, 0x80, 0);
	answer(fd, message, &from, 0x80, 1);
	answer(fd, message, &from, 0, 0);
	assert_true(hear(fd, message, &from, SOON_MS) > 0);
	/* Whoever refuses has heard as well. */
	message[3] = 5;
	answer(fd, message, &from, 0x80, 0);
	assert_int_equal(hear(fd, message, &from, 3500), 0);
	close(fd);
	close(other);
}

/* Where a rule names a key for its address, an answer without the signature could be anybody's. */
static void test_notify_with_a_key_is_not_answered_without_it(void **state)
{
	static const char tsig[] = "\10transfer\0\0\372\0\377";
	struct world *w = *state;
	struct sockaddr_in from;
	uint8_t message[512];
	char transfer[256];
	unsigned port;
	size_t len;
	int fd = listen_udp(&port);

	snprintf(transfer, sizeof(transfer),
	         "allow: [{address: 127.0.0.9/32}, {address: 127.0.0.0/8, key: transfer}], notify: "
	         "[\"127.0.0.1:%u\"]",
	         port);
	start(w, transfer);
	for (int i = 0; i < 3; i++) {
		len = hear(fd, message, &from, SOON_MS);
		assert_true(len > 0);
		assert_non_null(memmem(message, len, tsig, sizeof(tsig) - 1));
		answer(fd, message, &from, 0x80, 0);
	}
	/* The first rule that holds for the address decides. */
	snprintf(transfer, sizeof(transfer),
	         "allow: [{address: 127.0.0.0/8}, {key: transfer}], notify: [\"127.0.0.1:%u\"]",
	         port);
	reload(w, transfer);
	while (hear(fd, message, &from, 0) > 0)
		;
	world_endpoint(w, "a.yaml", "a", "a.example.com", "A", "198.18.0.1");
	len = hear(fd, message, &from, SOON_MS);
	assert_true(len > 0);
	assert_null(memmem(message, len, tsig, sizeof(tsig) - 1));
	close(fd);
}

static void test_secondaries_are_told_once_more_when_somebody_says_so(void **state)
{
	struct world *w = *state;
	const char *const one[] = {"$NIGHCTL", "zone", "notify", "example.com", NULL};
	const char *const all[] = {"$NIGHCTL", "zone", "notify", NULL};
	const char *const other[] = {"$NIGHCTL", "zone", "notify", "example.net", NULL};
	struct sockaddr_in from;
	uint8_t message[512];
	unsigned port;
	int fd = listen_udp(&port);

	start_telling(w, port);
	for (int i = 0; i < 3; i++) {
		size_t len = hear(fd, message, &from, SOON_MS);

		expect_notify(w, message, len);
		answer(fd, message, &from, 0x80, 0);
		assert_int_equal(hear(fd, message, &from, 2500), 0);
		if (i < 2)
			world_expect_run(w, i == 0 ? one : all, 0, "NOTIFY is sent to 1 secondary");
	}
	world_expect_run(w, other, 1, "the config has no zone example.net");
	world_config(w, "zones: [{name: example.com, records: [\"www 300 IN A 192.0.2.1\"]}]\n");
	world_signal(w, SIGHUP);
	world_expect_log(w, "config taken up", SOON_MS);
	world_expect_run(w, one, 1, "there is nobody to tell");
	world_expect_run(w, all, 1, "there is nobody to tell");
	close(fd);
}

static void test_notify_comes_from_where_nighd_listens(void **state)
{
	struct world *w = *state;
	struct sockaddr_in from;
	char config[512];
	uint8_t message[512];
	unsigned port;
	int fd = listen_udp(&port);

	snprintf(config, sizeof(config),
	         "listen: {dns: [\"[::1]:0\", \"127.0.0.9:0\"], http: \"127.0.0.1:0\"}\n"
	         "zones: [{name: example.com, records: [\"www 300 IN A 192.0.2.1\"], transfer: "
	         "{notify: [\"127.0.0.1:%u\"]}}]\n",
	         port);
	world_config(w, config);
	world_folder(w, "manifests/host");
	world_start(w);
	assert_true(hear(fd, message, &from, SOON_MS) > 0);
	assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000009);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_without_a_rule_nobody_gets_the_zone),
		world_test(test_address_and_key_must_both_be_right_where_both_are_asked_for),
		world_test(test_a_rule_for_tls_is_none_for_tcp),
		world_test(test_transport_and_key_and_address_must_all_be_right),
		world_test(test_who_may_have_a_zone_that_is_not_for_all_may_ask_for_its_soa),
		world_test(test_a_rule_with_a_key_that_is_not_there_is_refused),
		world_test(test_a_refusal_says_whether_there_is_such_a_zone),
		world_test(test_over_udp_ixfr_is_the_soa_alone_and_axfr_a_format_error),
		world_test(test_ixfr_says_what_went_and_what_came),
		world_test(test_a_transfer_has_what_was_published_before_it),
		world_test(test_a_secondary_is_told_until_it_answers),
		world_test(test_a_reload_forgets_nobody_who_is_still_to_be_told),
		world_test(test_a_secondary_that_is_new_in_the_config_is_told_at_once),
		world_test(test_what_is_no_answer_of_the_secondary_is_not_taken_for_one),
		world_test(test_notify_with_a_key_is_not_answered_without_it),
		world_test(test_secondaries_are_told_once_more_when_somebody_says_so),
		world_test(test_notify_comes_from_where_nighd_listens),
	};

	return cmocka_run_group_tests_name("scenario/transfers", tests, NULL, NULL);
}
