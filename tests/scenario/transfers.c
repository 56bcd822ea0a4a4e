/* transfers.c -- zones for secondaries: who gets them, what changes say, who is told, and that BIND, Knot and NSD follow. */
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

#define SECRET "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ="
#define NIGHD  "127.0.0.1"
#define KEY    "hmac-sha256:transfer:" SECRET

enum { NAMES = 30, CHANGES = 1000, SOON_MS = 5000, FOLLOWED_MS = 30000, SECONDARIES = 3 };

/* --- nighd --- */

static void start(struct world *w, const char *transfer)
{
	char config[2048];

	world_write(w, "keys",
	            "key \"transfer\" { algorithm hmac-sha256; secret \"" SECRET "\"; };\n");
	assert_int_equal(chmod(world_path(w, "keys"), 0640), 0);
	snprintf(config, sizeof(config),
	         "zones: [{name: example.com, nameservers: [{name: ns1.example.com, addresses: "
	         "[192.0.2.53]}], records: [\"www 300 IN A 192.0.2.1\"], transfer: {%s}}]\n"
	         "tsig: keys\n",
	         transfer);
	world_config(w, config);
	world_folder(w, "manifests/host");
	world_start(w);
}

/* Another set of names each time. */
static void change(struct world *w, unsigned step)
{
	struct text yaml = {0};

	text_add(&yaml, "apiVersion: externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\n"
	                "metadata: {name: all, namespace: shop}\nspec:\n  endpoints:\n");
	for (unsigned i = 0; i < NAMES; i++)
		if ((i * 7 + step) % 11 != 0)
			text_printf(&yaml,
			            "  - {dnsName: n%u.example.com, recordType: A, "
			            "targets: [198.18.%u.%u]}\n",
			            i, i, (step / (i + 1)) % 250 + 1);
	text_printf(&yaml, "  - {dnsName: step.example.com, recordType: TXT, targets: [\"%u\"]}\n",
	            step);
	world_write(w, "manifests/host/all.yaml", "%s", yaml.data);
	text_fini(&yaml);
}

/* --- dig --- */

/* What it prints of a transfer from that port: records, sorted, one a line with single blanks; "" when it failed. */
static char *dig(struct world *w, const char *to, unsigned port, const char *from, const char *key,
                 const char *type)
{
	char port_text[16], to_text[32];
	const char *argv[] = {
		"dig",     "-p",       port_text, "@127.0.0.1",  "-b", from, "+noall", "+answer",
		"+onesoa", "+tries=1", "+time=5", "example.com", type, NULL, NULL,     NULL};
	const char *out;

	if (!strcmp(type, "AXFR"))
		argv[9] = "+tries=1";
	if (*key) {
		argv[13] = "-y";
		argv[14] = key;
	}
	snprintf(port_text, sizeof(port_text), "%u", port);
	snprintf(to_text, sizeof(to_text), "@%s", to);
	(void)world_run(w, argv, &out);
	return xstrdup(strstr(out, "Transfer failed") || strstr(out, "failed:") ? "" : out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines sorted, so that two transfers can be compared. */
static char *sorted(char *text)
{
	char *line[4 * NAMES], *save, *at = strtok_r(text, "\n", &save);
	struct text out = {0};
	size_t count = 0;

	for (; at && count < 4 * NAMES; at = strtok_r(NULL, "\n", &save))
		if (!strstr(at, "TSIG"))
			line[count++] = at;
	qsort(line, count, sizeof(*line), by_text);
	text_add(&out, "");
	for (size_t i = 0; i < count; i++) {
		for (const char *c = line[i]; *c; c++)
			if (*c != '\t' && *c != ' ')
				text_add_bytes(&out, (struct bytes){(const uint8_t *)c, 1});
			else if (out.data[out.len - 1] != ' ')
				text_add(&out, " ");
		text_add(&out, "\n");
	}
	free(text);
	return text_take(&out);
}

static unsigned serial_in(const char *text)
{
	const char *at = strstr(text, "hostmaster.example.com. ");

	return at ? (unsigned)strtoul(at + strlen("hostmaster.example.com. "), NULL, 10) : 0;
}

static char *zone_at(struct world *w, const char *address, unsigned port)
{
	return sorted(dig(w, address, port, "127.0.0.1", "", "AXFR"));
}

/* --- who gets it --- */

static void expect(struct world *w, const char *from, const char *key, bool gets)
{
	char *out = dig(w, NIGHD, world_dns_port(w), from, key, "AXFR");

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

static void test_a_rule_with_a_key_that_is_not_there_is_refused(void **state)
{
	struct world *w = *state;

	start(w, "allow: [{key: transfer}]");
	expect(w, "127.0.0.1", KEY, true);
	world_write(w, "keys",
	            "key \"other\" { algorithm hmac-sha256; secret \"" SECRET "\"; };\n");
	assert_int_equal(chmod(world_path(w, "keys"), 0640), 0);
	world_signal(w, SIGHUP);
	world_expect_log(w, "zones.transfer.allow.key of example.com: transfer is not in", SOON_MS);
	expect(w, "127.0.0.1", KEY, true);
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
	out = zone_at(w, NIGHD, world_dns_port(w));
	serial = serial_in(out);
	assert_true(serial > 0);
	free(out);
	world_endpoint(w, "a.yaml", "a", "b.example.com", "A", "198.18.0.2");
	world_expect(w, "b.example.com", "A", NULL, "198.18.0.2", SOON_MS);
	snprintf(type, sizeof(type), "IXFR=%u", serial);
	out = dig(w, NIGHD, world_dns_port(w), "127.0.0.1", "", type);
	assert_non_null(strstr(out, "198.18.0.1"));
	assert_non_null(strstr(out, "198.18.0.2"));
	assert_null(strstr(out, "192.0.2.1\n"));
	assert_true(strstr(out, "198.18.0.1") < strstr(out, "198.18.0.2"));
	free(out);
	/* Long ago: the whole zone. */
	out = dig(w, NIGHD, world_dns_port(w), "127.0.0.1", "", "IXFR=1");
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
		out = zone_at(w, NIGHD, world_dns_port(w));
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

static void test_a_secondary_is_told_until_it_answers(void **state)
{
	struct world *w = *state;
	struct sockaddr_in from;
	uint8_t message[512];
	char transfer[128];
	uint64_t at[4];
	unsigned port;
	int fd = listen_udp(&port);

	snprintf(transfer, sizeof(transfer),
	         "allow: [{address: 127.0.0.0/8}], notify: [\"127.0.0.1:%u\"]", port);
	start(w, transfer);
	/* Lost three times, each time after a longer while. */
	for (int i = 0; i < 4; i++) {
		assert_true(hear(fd, message, &from, 10000) > 12 + 17);
		at[i] = inside_now_ms();
		assert_int_equal(message[2], 0x24); /* NOTIFY, AA */
		assert_memory_equal(message + 12, "\7example\3com\0\0\6\0\1", 17);
	}
	assert_true(at[2] - at[1] > at[1] - at[0] + 500);
	assert_true(at[3] - at[2] > at[2] - at[1] + 1000);
	message[2] |= 0x80;
	assert_true(sendto(fd, message, 29, 0, (struct sockaddr *)&from, sizeof(from)) == 29);
	assert_int_equal(hear(fd, message, &from, 9000), 0);
	/* And again with each change. */
	world_endpoint(w, "a.yaml", "a", "a.example.com", "A", "198.18.0.1");
	assert_true(hear(fd, message, &from, SOON_MS) > 0);
	close(fd);
}

/* --- real secondaries --- */

struct secondary {
	const char *name, *address;
	unsigned port;
	pid_t pid;
};

static bool can_bind(int type, unsigned port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	bool can = fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;

	close(fd);
	return can;
}

/* For UDP and TCP, and below those that the kernel gives to clients; another for each `which` of SECONDARIES. */
static unsigned free_port(unsigned which)
{
	enum { FIRST = 10000, TRIES = 1000 };
	unsigned seed = (unsigned)getpid() * 31;

	for (unsigned i = 0; i < TRIES; i++) {
		unsigned port = FIRST + ((seed + i) * SECONDARIES + which) % 20000;

		if (can_bind(SOCK_DGRAM, port) && can_bind(SOCK_STREAM, port))
			return port;
	}
	fail_msg("no port is free");
	return 0;
}

static pid_t run(struct world *w, const char *name, const char *const *argv)
{
	char log[64];
	int fd;
	pid_t pid;

	snprintf(log, sizeof(log), "%s/log", name);
	fd = open(world_path(w, log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	pid = inside_spawn(argv, fd);
	close(fd);
	return pid;
}

static void start_knot(struct world *w, struct secondary *s)
{
	char dir[200], config[256];

	snprintf(dir, sizeof(dir), "%s", world_path(w, "knot"));
	world_write(w, "knot/c",
	            "server:\n  rundir: %s\n  listen: %s@%u\n"
	            "database:\n  storage: %s\n"
	            "key:\n  - id: transfer\n    algorithm: hmac-sha256\n    secret: " SECRET "\n"
	            "remote:\n  - id: primary\n    address: 127.0.0.1@%u\n    key: transfer\n"
	            "acl:\n  - id: all\n    address: 127.0.0.0/8\n    action: [transfer, notify]\n"
	            "zone:\n  - domain: example.com\n    master: primary\n    acl: all\n"
	            "    storage: %s\n",
	            dir, s->address, s->port, dir, world_dns_port(w), dir);
	snprintf(config, sizeof(config), "%s/c", dir);
	s->pid = run(w, "knot", (const char *[]){"knotd", "-c", config, NULL});
}

static void start_nsd(struct world *w, struct secondary *s)
{
	char dir[200], config[256];

	snprintf(dir, sizeof(dir), "%s", world_path(w, "nsd"));
	world_write(w, "nsd/c",
	            "server:\n  ip-address: %s\n  port: %u\n  username: \"\"\n"
	            "  zonesdir: \"%s\"\n  database: \"\"\n  pidfile: \"%s/pid\"\n"
	            "  xfrdfile: \"%s/xfrd\"\n  xfrdir: \"%s\"\n  zonelistfile: \"%s/list\"\n"
	            "  server-count: 1\n  verbosity: 2\n"
	            "remote-control:\n  control-enable: no\n"
	            "key:\n  name: transfer\n  algorithm: hmac-sha256\n  secret: \"" SECRET "\"\n"
	            "zone:\n  name: example.com\n  zonefile: zone\n"
	            "  request-xfr: 127.0.0.1@%u transfer\n  allow-notify: 127.0.0.1 NOKEY\n"
	            "  provide-xfr: 127.0.0.0/8 NOKEY\n",
	            s->address, s->port, dir, dir, dir, dir, dir, world_dns_port(w));
	snprintf(config, sizeof(config), "%s/c", dir);
	s->pid = run(w, "nsd", (const char *[]){"nsd", "-d", "-c", config, NULL});
}

static void start_named(struct world *w, struct secondary *s)
{
	char dir[200], config[256];

	snprintf(dir, sizeof(dir), "%s", world_path(w, "named"));
	world_write(
		w, "named/c",
		"options { directory \"%s\"; listen-on port %u { %s; };\n"
		"  listen-on-v6 { none; }; pid-file \"%s/pid\"; session-keyfile \"%s/session\";\n"
		"  lock-file none; recursion no; dnssec-validation no; notify no;\n"
		"  allow-transfer { any; }; };\n"
		"controls { };\n"
		"key \"transfer\" { algorithm hmac-sha256; secret \"" SECRET "\"; };\n"
		"zone \"example.com\" { type secondary; file \"zone\"; allow-notify { any; };\n"
		"  primaries port %u { 127.0.0.1 key transfer; }; };\n",
		dir, s->port, s->address, dir, dir, world_dns_port(w));
	snprintf(config, sizeof(config), "%s/c", dir);
	s->pid = run(w, "named", (const char *[]){"named", "-g", "-c", config, NULL});
}

static void stop_all(struct secondary *s)
{
	for (int i = 0; i < SECONDARIES; i++)
		if (s[i].pid > 0)
			kill(s[i].pid, SIGTERM);
	for (int i = 0; i < SECONDARIES; i++)
		if (s[i].pid > 0)
			(void)waitpid(s[i].pid, NULL, 0);
}

/* All three have what nighd has, record by record. */
static bool have_all(struct world *w, struct secondary *s, const char *zone, char **differs)
{
	for (int i = 0; i < SECONDARIES; i++) {
		char *its = zone_at(w, s[i].address, s[i].port);

		if (strcmp(its, zone) != 0) {
			free(*differs);
			*differs = its;
			if (*its == '\0')
				*differs = xstrdup(s[i].name);
			return false;
		}
		free(its);
	}
	return true;
}

static void print_logs(struct world *w, const struct secondary *s)
{
	for (int i = 0; i < SECONDARIES; i++) {
		char log[64];
		const char *out;

		snprintf(log, sizeof(log), "%s/log", s[i].name);
		(void)world_run(w, (const char *[]){"tail", "-n", "15", world_path(w, log), NULL},
		                &out);
		fprintf(stderr, "--- %s ---\n%s", s[i].name, out);
	}
}

static void expect_followed(struct world *w, struct secondary *s)
{
	struct deadline deadline = inside_deadline(FOLLOWED_MS);
	char *zone = zone_at(w, NIGHD, world_dns_port(w)), *differs = NULL;

	while (*zone == '\0' || !have_all(w, s, zone, &differs)) {
		if (!inside_has_time(deadline)) {
			print_logs(w, s);
			stop_all(s);
			world_fail(w, "a secondary has\n%s\nand nighd has\n%s",
			           differs ? differs : "nothing", zone);
		}
		inside_rest();
		free(zone);
		zone = zone_at(w, NIGHD, world_dns_port(w));
	}
	free(differs);
	free(zone);
}

static void test_bind_knot_and_nsd_follow_a_thousand_changes(void **state)
{
	struct world *w = *state;
	struct secondary s[SECONDARIES] = {
		{"knot", NIGHD, 0, 0}, {"nsd", NIGHD, 0, 0}, {"named", NIGHD, 0, 0}};
	char transfer[256], step[16];

	for (int i = 0; i < SECONDARIES; i++)
		s[i].port = free_port((unsigned)i);
	snprintf(transfer, sizeof(transfer),
	         "allow: [{address: 127.0.0.1/32}, {key: transfer}], notify: [\"127.0.0.1:%u\", "
	         "\"127.0.0.1:%u\", \"127.0.0.1:%u\"]",
	         s[0].port, s[1].port, s[2].port);
	start(w, transfer);
	start_knot(w, &s[0]);
	start_nsd(w, &s[1]);
	start_named(w, &s[2]);
	expect_followed(w, s);
	for (unsigned i = 0; i < CHANGES; i++) {
		change(w, i);
		usleep(8000);
		if (i % 250 == 249)
			expect_followed(w, s);
	}
	snprintf(step, sizeof(step), "\"%u\"", CHANGES - 1);
	world_expect(w, "step.example.com", "TXT", NULL, step, SOON_MS);
	expect_followed(w, s);
	stop_all(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_without_a_rule_nobody_gets_the_zone),
		world_test(test_address_and_key_must_both_be_right_where_both_are_asked_for),
		world_test(test_a_rule_for_tls_is_none_for_tcp),
		world_test(test_a_rule_with_a_key_that_is_not_there_is_refused),
		world_test(test_ixfr_says_what_went_and_what_came),
		world_test(test_a_transfer_has_what_was_published_before_it),
		world_test(test_a_secondary_is_told_until_it_answers),
		world_test(test_bind_knot_and_nsd_follow_a_thousand_changes),
	};

	return cmocka_run_group_tests_name("scenario/transfers", tests, NULL, NULL);
}
