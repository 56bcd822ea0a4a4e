/* transfers_tls.c -- zones over TLS (RFC 9103): over which connections, and what goes between their messages. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tests/support/world.h"
#include "tests/support/world_secondaries.h"
#include "tests/support/world_tls.h"
#include "tests/support/world_wire.h"

enum { FRAME = 514 };

/* The zone comes from the file `zone`. */
static void start(struct world *w)
{
	secondaries_write_certificate(w);
	world_config(w, SECONDARIES_LISTEN
	             "zones: [{name: example.com, file: zone, transfer: {allow: [{address: "
	             "127.0.0.1/32}]}}]\n");
	world_folder(w, "manifests/host");
	world_start(w);
}

static void write_zone(struct world *w, unsigned names)
{
	struct text zone = {0};

	text_add(&zone,
	         "$TTL 300\n@ SOA ns1 host 7 3600 900 604800 60\n NS ns1\nns1 A 192.0.2.53\n");
	for (unsigned i = 0; i < names; i++)
		text_printf(&zone, "n%u TXT %0200u\n", i, i);
	world_write_in_place(w, "zone", zone.data);
	text_fini(&zone);
}

static void ask(struct tls_client *c, const char *name, const char *type, uint16_t id)
{
	struct world_question q = {.name = name, .type = type, .no_edns = true};
	uint8_t query[512], out[FRAME];
	size_t len = world_wire_frame(query, world_wire_build(&q, id, query), out);

	assert_int_equal(SSL_write(c->ssl, out, (int)len), len);
}

/* The rcode of the answer to AXFR, over a connection of that kind; *records: of its first message. */
static int ask_zone(struct world *w, int version, bool offers_dot, unsigned *records)
{
	uint8_t *reply = malloc(WIRE_ROOM);
	struct tls_client c;
	int rcode;

	tls_client_open(w, &c, secondaries_tls_port(w), version, offers_dot);
	ask(&c, "example.com", "AXFR", 7);
	assert_true(tls_client_receive(&c, reply) > 12);
	rcode = reply[3] & 15;
	*records = bytes_get16(reply + 6);
	/* A question is answered on it in any case. */
	ask(&c, "ns1.example.com", "A", 8);
	assert_true(tls_client_receive(&c, reply) > 12);
	assert_int_equal(bytes_get16(reply), 8);
	assert_int_equal(bytes_get16(reply + 6), 1);
	tls_client_close(&c);
	free(reply);
	return rcode;
}

static void test_a_zone_goes_over_tls_1_3_with_dot_and_no_other(void **state)
{
	enum { NOERROR = 0, REFUSED = 5 };
	struct world *w = *state;
	unsigned records;

	write_zone(w, 1);
	start(w);
	assert_int_equal(ask_zone(w, TLS1_3_VERSION, true, &records), NOERROR);
	assert_int_equal(records, 5);
	assert_int_equal(ask_zone(w, TLS1_2_VERSION, true, &records), REFUSED);
	assert_int_equal(records, 0);
	assert_int_equal(ask_zone(w, TLS1_3_VERSION, false, &records), REFUSED);
	assert_int_equal(records, 0);
	assert_int_equal(ask_zone(w, TLS1_3_VERSION, true, &records), NOERROR);
	assert_true(world_metric(w, "dnsd_transfers_total") == 2);
}

/* RFC 7766 6.2.1.1, as over TCP: scenario/transfers_between. */
static void test_other_answers_come_before_the_end_of_a_zone(void **state)
{
	enum { NAMES = 60000, AMIDST_AT = 1000000, ZONE = 7, BEHIND = 8, AMIDST = 9 };
	struct world *w = *state;
	uint8_t *reply = malloc(WIRE_ROOM);
	size_t bytes = 0, behind_at = 0;
	struct tls_client c;
	uint16_t id;

	write_zone(w, NAMES);
	start(w);
	tls_client_open(w, &c, secondaries_tls_port(w), TLS1_3_VERSION, true);
	ask(&c, "example.com", "AXFR", ZONE);
	ask(&c, "ns1.example.com", "A", BEHIND);
	do {
		size_t got = tls_client_receive(&c, reply);

		assert_true(got > 12);
		if (bytes <= AMIDST_AT && bytes + got > AMIDST_AT)
			ask(&c, "ns1.example.com", "A", AMIDST);
		bytes += got;
		id = bytes_get16(reply);
		if (id == BEHIND)
			behind_at = bytes;
	} while (id != AMIDST);
	assert_in_range(behind_at, 1, AMIDST_AT);
	/* The zone goes on behind it. */
	assert_true(tls_client_receive(&c, reply) > 12);
	assert_int_equal(bytes_get16(reply), ZONE);
	tls_client_close(&c);
	free(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_zone_goes_over_tls_1_3_with_dot_and_no_other),
		world_test(test_other_answers_come_before_the_end_of_a_zone),
	};

	return cmocka_run_group_tests_name("scenario/transfers_tls", tests, NULL, NULL);
}
