/* transfers_between.c -- a zone on its way keeps nobody waiting: other answers come between its messages (RFC 7766 6.2.1.1), and
 * several zones go over one connection. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_wire.h"

enum {
	LARGE = 60000, /* names of example.com, each a TXT of TEXT_LEN: some 13 MB */
	TEXT_LEN = 200,
	SMALL = 10,       /* names of example.net */
	APEX_RECORDS = 4, /* beside the names: SOA, NS, its address, and the SOA again */
	WAIT_MS = 20000,
	FRAME = 514,
	SERVFAIL = 2
};

static void write_zone(struct world *w, const char *file, unsigned names)
{
	struct text zone = {0};
	char filler[TEXT_LEN + 1];

	memset(filler, 'x', TEXT_LEN);
	filler[TEXT_LEN] = '\0';
	text_add(&zone,
	         "$TTL 300\n@ SOA ns1 host 7 3600 900 604800 60\n NS ns1\nns1 A 192.0.2.53\n");
	for (unsigned i = 0; i < names; i++)
		text_printf(&zone, "n%u TXT %s\n", i, filler);
	world_write_in_place(w, file, zone.data);
	text_fini(&zone);
}

/* `more`: lines of the config. */
static void start_with(struct world *w, const char *more)
{
	char config[1024];

	snprintf(config, sizeof config,
	         "zones:\n"
	         "- {name: example.com, file: large, transfer: {allow: [{address: 127.0.0.0/8}]}}\n"
	         "- {name: example.net, file: small, transfer: {allow: [{address: 127.0.0.0/8}]}}\n"
	         "startup: {patience: 60s}\n%s",
	         more);
	world_config(w, config);
	world_folder(w, "manifests/host");
	write_zone(w, "large", LARGE);
	write_zone(w, "small", SMALL);
	world_start(w);
}

static void start(struct world *w) { start_with(w, ""); }

/* Whose kernel keeps little of what it has not read. */
static int dial(struct world *w)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)world_dns_port(w)),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), room = 65536;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

static size_t put(uint8_t *out, const char *name, const char *type, uint16_t id)
{
	struct world_question q = {.name = name, .type = type, .no_edns = true};
	uint8_t query[512];

	return world_wire_frame(query, world_wire_build(&q, id, query), out);
}

static void ask(struct world *w, int fd, const char *name, const char *type, uint16_t id)
{
	uint8_t out[FRAME];

	world_wire_send(w, fd, out, put(out, name, type, id));
}

/* The next message, which must come: its ID, and how many records answer. */
struct message {
	uint16_t id;
	unsigned records;
	size_t len;
};

static struct message receive(struct world *w, int fd, uint8_t *room)
{
	size_t len = world_wire_receive(w, fd, room, WAIT_MS);

	if (len <= 12)
		world_fail(w, "the stream ended");
	assert_int_equal(room[3] & 15, 0);
	return (struct message){bytes_get16(room), bytes_get16(room + 6), len};
}

static void test_what_is_asked_behind_a_zone_is_answered_before_its_end(void **state)
{
	enum { ZONE = 1, BEHIND = 2, AMIDST = 3, EARLY = 1000000 };
	struct world *w = *state;
	uint8_t out[2 * FRAME], *room = malloc(WIRE_ROOM);
	size_t len, bytes = 0, behind_at = 0, amidst_at = 0;
	unsigned records = 0;
	bool has_asked = false;
	int fd;

	start(w);
	fd = dial(w);
	len = put(out, "example.com", "AXFR", ZONE);
	len += put(out + len, "n7.example.net", "TXT", BEHIND);
	world_wire_send(w, fd, out, len);
	while (records < LARGE + APEX_RECORDS || behind_at == 0 || amidst_at == 0) {
		struct message m = receive(w, fd, room);

		bytes += m.len;
		if (m.id == ZONE)
			records += m.records;
		else
			*(m.id == BEHIND ? &behind_at : &amidst_at) = bytes;
		if (!has_asked && bytes > EARLY)
			ask(w, fd, "n8.example.net", "TXT", AMIDST);
		has_asked |= bytes > EARLY;
	}
	assert_int_equal(records, LARGE + APEX_RECORDS);
	assert_in_range(behind_at, 1, EARLY);
	/* What was on its way already comes before it. */
	assert_in_range(amidst_at, EARLY, bytes - EARLY);
	close(fd);
	free(room);
}

static void test_several_zones_go_over_one_connection_each_whole(void **state)
{
	enum { COUNT = 21, QUESTION = 100 };
	struct world *w = *state;
	uint8_t out[(COUNT + 1) * FRAME], *room = malloc(WIRE_ROOM);
	unsigned records[COUNT] = {0}, left = COUNT + 1;
	size_t len = 0;
	int fd;

	start(w);
	fd = dial(w);
	for (uint16_t i = 0; i < COUNT; i++)
		len += put(out + len, i == 1 ? "example.com" : "example.net", "AXFR", i);
	len += put(out + len, "n7.example.net", "TXT", QUESTION);
	world_wire_send(w, fd, out, len);
	/* Also when nothing more is to come from the client. */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	while (left > 0) {
		struct message m = receive(w, fd, room);

		if (m.id == QUESTION) {
			left--;
			continue;
		}
		assert_true(m.id < COUNT);
		records[m.id] += m.records;
		left -= records[m.id] == (m.id == 1 ? LARGE : SMALL) + APEX_RECORDS;
	}
	assert_int_equal(world_wire_receive(w, fd, room, WAIT_MS), 0);
	assert_true(world_metric(w, "dnsd_transfers_total") == COUNT);
	close(fd);
	free(room);
}

/* Zones that are asked for and not read hold nothing but the one under way. */
static void test_who_asks_for_zones_and_does_not_read_stops_nobody(void **state)
{
	enum { CLIENTS = 10 };
	struct world *w = *state;
	uint8_t out[FRAME];
	int fd[CLIENTS];

	start(w);
	for (int i = 0; i < CLIENTS; i++) {
		fd[i] = dial(w);
		for (uint16_t id = 0; id < 30; id++)
			world_wire_send(w, fd[i], out, put(out, "example.com", "AXFR", id));
	}
	for (int i = 0; i < 20; i++)
		assert_string_equal(world_ask_tcp(w, "ns1.example.com", "A", NULL), "192.0.2.53");
	for (int i = 0; i < CLIENTS; i++)
		close(fd[i]);
	world_expect(w, "ns1.example.com", "A", NULL, "192.0.2.53", 0);
}

/* --- who does not read, and others --- */

static double resident(struct world *w) { return world_metric(w, "process_resident_memory_bytes"); }

/* The whole large zone, from an address. */
static void expect_zone(struct world *w, const char *from, uint8_t *room)
{
	int fd = world_wire_connect_to(w, &(struct world_question){.from = from});
	unsigned records = 0;

	ask(w, fd, "example.com", "AXFR", 1);
	while (records < LARGE + APEX_RECORDS)
		records += receive(w, fd, room).records;
	assert_int_equal(records, LARGE + APEX_RECORDS);
	close(fd);
}

/* Asks for the large zone and reads its first message alone; false: SERVFAIL.  The caller closes *fd. */
static bool begins(struct world *w, int *fd, uint8_t *room)
{
	*fd = dial(w);
	ask(w, *fd, "example.com", "AXFR", 1);
	assert_true(world_wire_receive(w, *fd, room, WAIT_MS) > 12);
	assert_true((room[3] & 15) == 0 || (room[3] & 15) == SERVFAIL);
	return (room[3] & 15) == 0;
}

/* Of a worker's 32 transfers one network has 8, which end when nothing of them is read for 10 s; its other 32 get SERVFAIL. */
static void test_who_does_not_read_has_its_share_of_transfers_until_the_deadline(void **state)
{
	enum { CLIENTS = 40, SHARE = 8, ENDED_MS = 60000, MEMORY = 16 << 20 };
	struct world *w = *state;
	struct deadline deadline = {0};
	uint8_t *room = malloc(WIRE_ROOM);
	unsigned begun = 0;
	double before;
	int fd[CLIENTS], again;

	start_with(w, "workers: 1\nrateLimit: {exempt: []}\n");
	expect_zone(w, "127.0.0.5", room);
	before = resident(w);
	for (int i = 0; i < CLIENTS; i++)
		begun += begins(w, &fd[i], room);
	assert_int_equal(begun, SHARE);
	expect_zone(w, "127.0.0.5", room);
	assert_in_range(resident(w), 1, before + MEMORY + world_sanitizer_bytes());
	deadline = inside_deadline(ENDED_MS);
	while (!begins(w, &again, room) && inside_has_time(deadline)) {
		close(again);
		inside_rest();
	}
	assert_int_equal(room[3] & 15, 0);
	assert_true(world_metric(w, "dnsd_tcp_expired_total") >= SHARE);
	close(again);
	for (int i = 0; i < CLIENTS; i++)
		close(fd[i]);
	free(room);
}

static void test_networks_that_are_exempt_have_all_transfers(void **state)
{
	enum { CLIENTS = 20 };
	struct world *w = *state;
	uint8_t *room = malloc(WIRE_ROOM);
	int fd[CLIENTS];

	start_with(w, "workers: 1\n");
	for (int i = 0; i < CLIENTS; i++)
		assert_true(begins(w, &fd[i], room));
	for (int i = 0; i < CLIENTS; i++)
		close(fd[i]);
	free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_what_is_asked_behind_a_zone_is_answered_before_its_end),
		world_test(test_several_zones_go_over_one_connection_each_whole),
		world_test(test_who_asks_for_zones_and_does_not_read_stops_nobody),
		world_test(test_who_does_not_read_has_its_share_of_transfers_until_the_deadline),
		world_test(test_networks_that_are_exempt_have_all_transfers),
	};

	return cmocka_run_group_tests_name("scenario/transfers_between", tests, NULL, NULL);
}
