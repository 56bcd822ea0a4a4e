/* From bytes to bytes: mutated queries never hurt, and everything is counted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dnsd/respond.h"
#include "tests/support/dnsd_world.h"

static struct world *w;
static const struct snapshot *s;
static struct responder r;
static int nowhere;
static const struct addr client = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 99}};

static int setup(void **state)
{
	(void)state;
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(nowhere >= 0);
	w = world_new();
	r.stats = stats_new();
	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	world_put(w, "www.example.com", "300 A 192.0.2.1", NULL);
	world_put(w, "tree.example.com", "300 DNAME www.example.com", NULL);
	world_put(w, "child.example.com", "300 NS ns.child.example.com", NULL);
	world_put(w, "ns.child.example.com", "300 A 192.0.2.1", NULL);
	world_put(w, "*.wild.example.com", "300 CNAME sites.example.com", NULL);
	world_put_sites(w, "sites.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                NULL);
	world_terms(w, "identity: {nsid: here, version: \"1\"}\n");
	s = world_build(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(r.stats);
	world_free(w);
	close(nowhere);
	return 0;
}

/* From a block of exactly the query's size into one of exactly the answer's room. */
static size_t ask(const uint8_t *packet, size_t len, uint8_t *header)
{
	uint8_t *in = malloc(len > 0 ? len : 1), *out = malloc(EDNS_UDP_SIZE);
	size_t answer;

	memcpy(in, packet, len);
	answer = respond(&r, s, STATS_UDP, &client, in, len, out);
	assert_true(answer == 0 || (answer >= 12 && answer <= EDNS_UDP_SIZE));
	/* Under valgrind (make valgrind) this tells of each octet that nobody has set. */
	assert_int_equal(write(nowhere, out, answer), answer);
	if (answer > 0)
		memcpy(header, out, 12);
	free(in);
	free(out);
	return answer;
}

static void test_mutated_queries_are_answered_or_silent(void **state)
{
	static const char *const questions[] = {"www.example.com A",      "x.tree.example.com A",
	                                        "x.child.example.com DS", "q.wild.example.com A",
	                                        "sites.example.com ANY",  "example.net TXT"};
	/* NSID, two cookies, EXPIRE, keepalive, padding, one that nobody knows. */
	static const char every_option[] =
		"00030000"
		"000a00080102030405060708"
		"000a00180102030405060708010000005cf79f111f8130c3eee29480"
		"00090000"
		"000b0000"
		"000c00020000"
		"00640000";
	uint8_t packet[512], mutated[512], header[12];

	(void)state;
	srandom(7);
	for (unsigned round = 0; round < 60000; round++) {
		struct asking how = {.ecs = round % 3 > 0 ? "198.51.100.0/24" : NULL,
		                     .edns = round % 5 > 0 ? 1232 : 0,
		                     .options = round % 2 > 0 ? every_option : NULL};
		size_t len = world_query(questions[round % 6], &how, packet);

		memcpy(mutated, packet, len);
		for (unsigned i = 0; i < 1 + round % 4; i++)
			mutated[(size_t)random() % len] = (uint8_t)random();
		if (round % 7 == 0)
			len = (size_t)random() % (len + 1);
		if (ask(mutated, len, header) > 0) {
			assert_memory_equal(header, mutated, 2);
			assert_true((header[2] & 0x80) != 0);
		} else {
			assert_true(len < 12 || (mutated[2] & 0x80) != 0);
		}
	}
}

/* One name for each transport: with the option and without. */
static void test_padding_is_for_tls_and_for_who_pads(void **state)
{
	static const char *const questions[] = {"www.example.com A", "none.example.com A",
	                                        "example.net TXT", "x.child.example.com DS"};
	uint8_t *out = malloc(UINT16_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
		struct asking how = {.edns = 1232};
		size_t plain = world_ask_raw(w, questions[i], &how, out);

		how.tls = true;
		assert_int_equal(world_ask_raw(w, questions[i], &how, out), plain);
		how.options = "000c0000";
		assert_int_equal(world_ask_raw(w, questions[i], &how, out) % 468, 0);
		how.options = "0003000000640000000c0003ffffff";
		assert_int_equal(world_ask_raw(w, questions[i], &how, out) % 468, 0);
		how.tls = false;
		how.options = "000c0003ffffff";
		assert_int_equal(world_ask_raw(w, questions[i], &how, out), plain);
		how.tcp = true;
		assert_int_equal(world_ask_raw(w, questions[i], &how, out), plain);
	}
	free(out);
}

/* "NAME" of about so many octets, in wire form. */
static size_t long_name(uint8_t *out, size_t len)
{
	size_t at = 0;

	while (len - at > 2) {
		size_t label = len - at - 2 < 63 ? len - at - 2 : 63;

		out[at] = (uint8_t)label;
		memset(out + at + 1, 'x', label);
		at += 1 + label;
	}
	out[at] = 0;
	return at + 1;
}

/* A question, OPT with every option, TSIG of an unknown key and algorithm: the answer would have all of them. */
static size_t sign_at_length(uint8_t *out, size_t question, size_t key, size_t algorithm)
{
	static const uint8_t header[12] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2},
			     type[4] = {0, 1, 0, 1},
			     opt[] = {0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 24, 0, 3, 0, 0,  0, 10, 0,
	                              8, 1, 2,  3, 4, 5, 6, 7, 8, 0, 9,  0, 0, 0, 11, 0, 0},
			     tsig[8] = {0, 250, 0, 255}, times[16] = {0};
	uint8_t *at = out, *rdata;

	memcpy(at, header, sizeof header);
	at += sizeof header;
	at += long_name(at, question);
	memcpy(at, type, sizeof type);
	at += sizeof type;
	memcpy(at, opt, sizeof opt);
	at += sizeof opt;
	at += long_name(at, key);
	memcpy(at, tsig, sizeof tsig);
	rdata = at += sizeof tsig + 2;
	at += long_name(at, algorithm);
	memcpy(at, times, sizeof times);
	at += sizeof times;
	bytes_put16(rdata - 2, (uint16_t)(at - rdata));
	return (size_t)(at - out);
}

static void test_a_signature_never_makes_an_answer_too_long(void **state)
{
	uint8_t packet[1200], header[12];

	(void)state;
	for (size_t question = 3; question < 256; question += 11)
		for (size_t key = 3; key < 256; key += 7)
			for (size_t algorithm = 3; algorithm < 256; algorithm += 84) {
				size_t len = sign_at_length(packet, question, key, algorithm);
				size_t answer = ask(packet, len, header);

				assert_in_range(answer, 12, 512);
				/* NOTAUTH, or FORMERR where it does not fit. */
				assert_true((header[3] & 15) == 9 || (header[3] & 15) == 1);
			}
}

static void test_answers_are_counted_by_rcode_reason_cluster_and_zone(void **state)
{
	uint8_t packet[512], header[12];
	struct asking how = {.ecs = "198.51.100.0/24"};
	uint64_t before[4] = {stats_answers_coded(r.stats, STATS_UDP, 0),
	                      stats_answers_for(r.stats, STATS_NEAREST),
	                      stats_events(r.stats, STATS_ECS), 0};
	uint64_t zone = zone_key(snapshot_zone(s, 0)), clusters = 0;

	(void)state;
	before[3] = stats_zone(r.stats, zone);
	assert_true(ask(packet, world_query("sites.example.com A", &how, packet), header) > 0);
	assert_int_equal(stats_answers_coded(r.stats, STATS_UDP, 0), before[0] + 1);
	assert_int_equal(stats_answers_for(r.stats, STATS_NEAREST), before[1] + 1);
	assert_int_equal(stats_events(r.stats, STATS_ECS), before[2] + 1);
	assert_int_equal(stats_zone(r.stats, zone), before[3] + 1);
	for (unsigned i = 0; i < RANKING_MAX_CLUSTERS; i++)
		clusters += stats_read(&r.stats->clusters[i]);
	assert_true(clusters > 0);
}

static void test_every_message_is_counted_once(void **state)
{
	(void)state;
	assert_int_equal(stats_answers(r.stats) + stats_read(&r.stats->events[STATS_SILENT]),
	                 stats_read(&r.stats->events[STATS_RECEIVED]));
	assert_true(stats_read(&r.stats->events[STATS_MALFORMED]) > 0);
}

static void test_without_a_snapshot_all_is_servfail(void **state)
{
	uint8_t packet[512], out[EDNS_UDP_SIZE];
	struct asking how = {.edns = 1232};
	size_t len = world_query("www.example.com A", &how, packet);

	(void)state;
	assert_int_equal(respond(&r, NULL, STATS_UDP, &client, packet, len, out),
	                 len + EDNS_EDE_LEN);
	assert_int_equal(out[3] & 15, RCODE_SERVFAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated_queries_are_answered_or_silent),
		cmocka_unit_test(test_padding_is_for_tls_and_for_who_pads),
		cmocka_unit_test(test_a_signature_never_makes_an_answer_too_long),
		cmocka_unit_test(test_answers_are_counted_by_rcode_reason_cluster_and_zone),
		cmocka_unit_test(test_every_message_is_counted_once),
		cmocka_unit_test(test_without_a_snapshot_all_is_servfail),
	};

	return cmocka_run_group_tests_name("dnsd/respond", tests, setup, teardown);
}
