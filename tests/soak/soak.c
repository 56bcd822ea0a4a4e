/* soak.c -- all at once for a long time: questions over every transport, bad packets and streams, and a world that changes. Nothing may
 * be lost, wrong or reported by a sanitizer, and memory and descriptors must stay as they are.
 *
 * SOAK_SECONDS (600), SOAK_SEED (the time).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/bytes.h"
#include "tests/support/world.h"
#include "tests/support/world_churn.h"
#include "tests/support/world_hostile.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_askers.h"
#include "tests/support/world_mutate.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_wire.h"

enum {
	LOADS = 6,
	SAMPLE_MS = 1000,
	SAMPLES_MOST = 100000,
	/* Bytes from the second third to the last: changes kept for secondaries, 16 MiB of a zone, under a sanitizer. */
	GROWTH_MOST = 32 << 20,
	END_MS = 30000
};

struct soak {
	struct world *w;
	struct transport transports[PROBE_TRANSPORTS];
	struct mutator m;
	struct hostile *hostile;
	struct askers *load[LOADS];
	unsigned reloads, zone_files, manifests, certificates, transfers;
	uint32_t serial; /* of the last transfer */
	double *resident;
	unsigned samples;
};

static const char *const labels[LOADS] = {"UDP, IPv4", "UDP, IPv6",   "TCP, IPv4",
                                          "TLS, IPv4", "TCP, signed", "TLS, IPv6"};

static unsigned number_of(const char *name, unsigned fallback)
{
	const char *given = getenv(name);

	return given && *given ? (unsigned)strtoul(given, NULL, 10) : fallback;
}

/* --- what happens --- */

/* From SOA to SOA, or the SOA alone; its serial never goes back. */
static void heed_zone(struct soak *s, const uint8_t *reply, size_t len)
{
	ldns_pkt *pkt = NULL;
	ldns_rr_list *list;
	const ldns_rr *first, *last;
	uint32_t serial;

	if (len == 0 || ldns_wire2pkt(&pkt, reply, len) != LDNS_STATUS_OK)
		world_fail(s->w, "a transfer of %zu octets cannot be read", len);
	list = ldns_pkt_answer(pkt);
	if (ldns_rr_list_rr_count(list) == 0)
		world_fail(s->w, "a transfer is refused");
	first = ldns_rr_list_rr(list, 0);
	last = ldns_rr_list_rr(list, ldns_rr_list_rr_count(list) - 1);
	assert_int_equal(ldns_rr_get_type(first), LDNS_RR_TYPE_SOA);
	assert_int_equal(ldns_rr_compare(first, last), 0);
	serial = ldns_rdf2native_int32(ldns_rr_rdf(first, 2));
	assert_true(s->serial == 0 || (int32_t)(serial - s->serial) >= 0);
	s->serial = serial;
	ldns_pkt_free(pkt);
}

/* The zone, or what has changed since the last time, over TCP or TLS, whatever changes meanwhile; it is small: one message. */
static void transfer(struct soak *s)
{
	const struct transport *t =
		&s->transports[1 + mutate_below(&s->m, 2) + 3 * mutate_below(&s->m, 2)];
	uint8_t query[512], framed[514], *reply = malloc(WIRE_ROOM);
	struct probe_stream stream;
	char ixfr[256];
	size_t len;

	snprintf(ixfr, sizeof ixfr,
	         "1234 0000 0001 0000 0001 0000 Z 00fb 0001 c00c 0006 0001 00000000 0016 00 00"
	         "%08x 00000001 00000001 00000001 00000001",
	         s->serial);
	len = probe_build(s->transfers % 2 ? ixfr : HEAD("0000", "0000") "Z 00fc 0001", query);
	probe_stream_open(s->w, t, NULL, &stream);
	probe_stream_send(s->w, &stream, framed, world_wire_frame(query, len, framed));
	heed_zone(s, reply, probe_stream_receive(s->w, &stream, reply));
	probe_stream_close(&stream);
	free(reply);
	s->transfers++;
}

static void do_something(struct soak *s)
{
	switch (mutate_below(&s->m, 10)) {
	case 0:
		churn_reload(s->w, ++s->reloads);
		break;
	case 1:
		churn_zone_file(s->w, ++s->zone_files);
		break;
	case 2:
		churn_manifests(s->w, ++s->manifests);
		break;
	case 3:
		if (mutate_below(&s->m, 4) == 0) {
			churn_certificate(s->w);
			s->certificates++;
		}
		break;
	case 4:
		transfer(s);
		break;
	case 5:
	case 6:
		hostile_streams(s->hostile, 16);
		break;
	default:
		hostile_packets(s->hostile, 640);
		break;
	}
}

/* --- from the beginning to the end --- */

static void begin(struct soak *s)
{
	static const struct signing signing = {"transfer", CHURN_SECRET, 0, 0};
	static const unsigned which[LOADS] = {0, 3, 1, 2, 4, 5};
	static const unsigned per_second[LOADS] = {500, 200, 100, 50, 50, 20};

	for (unsigned i = 0; i < LOADS; i++) {
		struct askers_how how = {.transport = &s->transports[which[i]],
		                         .per_second = per_second[i],
		                         .questions = churn_questions,
		                         .count = CHURN_QUESTIONS,
		                         .signing = i == 4 ? &signing : NULL};

		s->load[i] = askers_start(s->w, &how);
	}
}

static void run_for(struct soak *s, uint64_t for_ms)
{
	uint64_t until = inside_now_ms() + for_ms, sample_at = 0;

	while (inside_now_ms() < until) {
		do_something(s);
		if (inside_now_ms() >= sample_at && s->samples < SAMPLES_MOST) {
			s->resident[s->samples++] = hostile_resident(s->w);
			sample_at = inside_now_ms() + SAMPLE_MS;
		}
		inside_rest();
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of a third of the samples. */
static double median_of_third(struct soak *s, unsigned third)
{
	unsigned count = s->samples / 3;
	double *from = s->resident + (size_t)third * count;

	assert_true(count > 0);
	qsort(from, count, sizeof *from, by_size);
	return from[count / 2];
}

static void print_deeds(const struct soak *s)
{
	struct hostile_tally t = hostile_tally(s->hostile);

	print_message("%u reloads, %u zone files, %u manifests, %u certificates, %u transfers\n",
	              s->reloads, s->zone_files, s->manifests, s->certificates, s->transfers);
	print_message("%.0f datagrams, %.0f replies to bad ones, %.0f bad streams, %.0f good "
	              "queries between\n",
	              t.datagrams, t.replies, t.streams, t.good);
}

static void expect_no_growth(struct soak *s, unsigned descriptors_before, double seconds)
{
	double first = median_of_third(s, 0), second = median_of_third(s, 1);
	double last = median_of_third(s, 2);
	unsigned descriptors;

	world_expect_http(s->w, "/metrics", "dnsd_tcp_connections 0\n", END_MS);
	descriptors = hostile_descriptors(s->w);
	print_message("memory: %.1f, %.1f, %.1f MiB in each third, slope %.0f KiB a minute; "
	              "descriptors: %u, %u before\n",
	              first / 1048576, second / 1048576, last / 1048576,
	              (last - second) / 1024 / (seconds / 3 / 60), descriptors, descriptors_before);
	assert_in_range(descriptors, 1, descriptors_before);
	if (last - second > GROWTH_MOST)
		world_fail(s->w, "memory grows");
}

static void test_all_at_once_for_a_long_time(void **state)
{
	struct soak s = {.w = *state};
	unsigned seconds = number_of("SOAK_SECONDS", 600), descriptors;
	unsigned seed = number_of("SOAK_SEED", (unsigned)time(NULL));

	print_message("%u s, SOAK_SEED=%u, nighd %s sanitizers\n", seconds, seed,
	              world_is_sanitized() ? "with" : "without");
	s.m = mutate_begin(seed);
	s.resident = calloc(SAMPLES_MOST, sizeof *s.resident);
	churn_start(s.w, s.transports);
	s.hostile = hostile_new(s.w, seed, s.transports);
	hostile_streams(s.hostile, 50);
	hostile_let_go(s.hostile);
	transfer(&s);
	world_expect_http(s.w, "/metrics", "dnsd_tcp_connections 0\n", END_MS);
	descriptors = hostile_descriptors(s.w);
	begin(&s);
	run_for(&s, (uint64_t)seconds * 1000);
	print_deeds(&s);
	for (unsigned i = 0; i < LOADS; i++) {
		struct askers_tally t = askers_stop(s.load[i]);

		askers_expect_all_right(s.w, labels[i], &t);
	}
	hostile_free(s.hostile);
	expect_no_growth(&s, descriptors, seconds);
	free(s.resident);
	/* A sanitizer that has something to say makes an exit status of its own. */
	world_stop(s.w);
	assert_null(strstr(world_log(s.w), "Sanitizer"));
	assert_null(strstr(world_log(s.w), "runtime error"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_all_at_once_for_a_long_time),
	};

	return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
