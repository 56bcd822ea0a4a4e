/* secondaries.c -- BIND, Knot and NSD follow nighd without a difference, whatever changes and whatever serial comes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_secondaries.h"

#define STATIC_ZONE                                                                                \
	"nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}], records: [\"www 300 IN " \
	"A 192.0.2.1\"]"

enum { NAMES = 30, CHANGES = 1000, SOON_MS = 5000 };

/* `source`: where the zone comes from, a key of its config; `transport`: of the rule for secondaries; `more`: keys of the
 * config. */
static void start_with(struct world *w, const struct peer *s, const char *source,
                       const char *transport, const char *more)
{
	char config[2048], notify[256];

	secondaries_write_keys(w);
	secondaries_print(s, notify, sizeof notify);
	snprintf(config, sizeof config,
	         "zones: [{name: example.com, %s, transfer: {allow: [{address: " SECONDARIES_VIEWER
	         "/32, transport: tcp}, {key: transfer, transport: %s}], notify: [%s]}}]\n"
	         "tsig: keys\n%s",
	         source, transport, notify, more);
	world_config(w, config);
	world_folder(w, "manifests/host");
	world_start(w);
}

static void start(struct world *w, const struct peer *s, const char *source)
{
	start_with(w, s, source, "tcp", "");
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

static void test_bind_knot_and_nsd_follow_a_thousand_changes(void **state)
{
	struct world *w = *state;
	struct peer s[SECONDARIES_COUNT];
	char step[16];

	secondaries_init(s);
	start(w, s, STATIC_ZONE);
	secondaries_start(w, s);
	secondaries_expect(w, s);
	for (unsigned i = 0; i < CHANGES; i++) {
		change(w, i);
		usleep(8000);
		if (i % 250 == 249)
			secondaries_expect(w, s);
	}
	snprintf(step, sizeof(step), "\"%u\"", CHANGES - 1);
	world_expect(w, "step.example.com", "TXT", NULL, step, SOON_MS);
	secondaries_expect(w, s);
	secondaries_stop(s);
}

/* --- NOTIFY with a key (RFC 8945) --- */

/* How often named has been told of a change. */
static unsigned tellings(struct world *w)
{
	const char *out;
	unsigned count = 0;

	(void)world_run(w, (const char *[]){"cat", world_path(w, "named/log"), NULL}, &out);
	while ((out = strstr(out, "received notify for zone 'example.com': TSIG 'transfer'")) !=
	       NULL) {
		out++;
		count++;
	}
	return count;
}

/* They take none without the key, and what they sign is believed: nobody is told twice. */
static void test_notify_is_signed_and_so_is_what_answers_it(void **state)
{
	struct world *w = *state;
	struct peer s[SECONDARIES_COUNT];
	unsigned before;

	secondaries_init(s);
	start(w, s, STATIC_ZONE);
	secondaries_start(w, s);
	secondaries_expect(w, s);
	change(w, 1);
	world_expect(w, "step.example.com", "TXT", NULL, "\"1\"", SOON_MS);
	secondaries_expect(w, s);
	before = tellings(w);
	assert_true(before >= 1);
	/* Longer than until the second and the third; one may have crossed a late answer. */
	world_expect_stays(w, "step.example.com", "TXT", NULL, "\"1\"", 4000);
	assert_in_range(tellings(w), before, before + 1);
	assert_null(strstr(world_log(w), "does not answer NOTIFY"));
	secondaries_stop(s);
}

/* --- over TLS (RFC 9103) --- */

/* Which they have to: the rule for them is for TLS alone. */
static void test_bind_and_nsd_follow_over_tls(void **state)
{
	struct world *w = *state;
	struct peer s[SECONDARIES_COUNT];
	char step[16];

	secondaries_write_certificate(w);
	secondaries_init(s);
	start_with(w, s, STATIC_ZONE, "tls", SECONDARIES_LISTEN);
	secondaries_start_over_tls(w, s, secondaries_tls_port(w));
	secondaries_expect(w, s);
	for (unsigned i = 0; i < 20; i++) {
		change(w, i);
		snprintf(step, sizeof(step), "\"%u\"", i);
		world_expect(w, "step.example.com", "TXT", NULL, step, SOON_MS);
		if (i % 5 == 4)
			secondaries_expect(w, s);
	}
	assert_true(world_metric(w, "dnsd_tls_opened_total") >= 2);
	secondaries_stop(s);
}

/* --- round the circle of serials --- */

static void write_zone(struct world *w, unsigned serial)
{
	world_write(w, "example.zone",
	            "$TTL 300\n@ SOA ns1 hostmaster %u 3600 900 604800 60\n NS ns1\n"
	            "ns1 A 192.0.2.53\nserial TXT \"%u\"\n",
	            serial, serial);
}

static unsigned serial_now(struct world *w)
{
	char *zone = secondaries_zone_at(w, world_dns_port(w));
	unsigned serial = secondaries_serial_in(zone);

	free(zone);
	return serial;
}

/* All have the new serial and its record, and what has changed goes from one to the next. */
static void expect_step(struct world *w, struct peer *s, unsigned before)
{
	unsigned after = serial_now(w);
	char type[32], *changes;

	if (after == before || after - before >= 1U << 31)
		world_fail(w, "%u does not come after %u", after, before);
	secondaries_expect(w, s);
	snprintf(type, sizeof type, "IXFR=%u", before);
	changes = secondaries_dig(w, world_dns_port(w), SECONDARIES_VIEWER, "", type);
	if (strstr(changes, "192.0.2.53"))
		world_fail(w, "not the changes but the whole zone from %u: %s", before, changes);
	free(changes);
}

static void step_file(struct world *w, struct peer *s, unsigned serial)
{
	char text[16];
	unsigned before = serial_now(w);

	snprintf(text, sizeof text, "\"%u\"", serial);
	write_zone(w, serial);
	world_expect(w, "serial.example.com", "TXT", NULL, text, SOON_MS);
	assert_int_equal(serial_now(w), serial);
	expect_step(w, s, before);
}

/* Knot asks for the SOA before each transfer, and all do where no NOTIFY comes. */
static void test_secondaries_follow_a_zone_that_is_not_for_them_to_ask(void **state)
{
	struct world *w = *state;
	struct peer s[SECONDARIES_COUNT];

	secondaries_init(s);
	start(w, s, STATIC_ZONE ", allowQuery: [127.0.0.6/32]");
	secondaries_start(w, s);
	secondaries_expect(w, s);
	assert_string_equal(world_ask(w, "www.example.com", "A", NULL), "REFUSED");
	for (unsigned i = 0; i < 5; i++) {
		struct deadline deadline = inside_deadline(SOON_MS);
		unsigned before = serial_now(w);

		change(w, i);
		while (serial_now(w) == before && inside_has_time(deadline))
			inside_rest();
		expect_step(w, s, before);
	}
	secondaries_stop(s);
}

/* From the clock's serial two steps of less than half the circle lead to its end, and the next change beyond it: Unix time
 * is ahead there (RFC 1982 3.2). */
static void test_secondaries_follow_where_the_serial_goes_round(void **state)
{
	struct world *w = *state;
	struct peer s[SECONDARIES_COUNT];
	unsigned before;

	secondaries_init(s);
	write_zone(w, 7);
	start(w, s, "file: example.zone");
	secondaries_start(w, s);
	secondaries_expect(w, s);
	step_file(w, s, (unsigned)time(NULL) + (1U << 31) - 86400);
	step_file(w, s, 4294967290U);
	step_file(w, s, 4294967294U);
	before = serial_now(w);
	for (unsigned i = 0; i < 5; i++) {
		char address[32];

		snprintf(address, sizeof address, "198.18.0.%u", i + 1);
		world_endpoint(w, "a.yaml", "a", "a.example.com", "A", address);
		world_expect(w, "a.example.com", "A", NULL, address, SOON_MS);
		expect_step(w, s, before);
		before = serial_now(w);
	}
	assert_true(before < 4294967290U);
	secondaries_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_bind_knot_and_nsd_follow_a_thousand_changes),
		world_test(test_notify_is_signed_and_so_is_what_answers_it),
		world_test(test_bind_and_nsd_follow_over_tls),
		world_test(test_secondaries_follow_a_zone_that_is_not_for_them_to_ask),
		world_test(test_secondaries_follow_where_the_serial_goes_round),
	};

	return cmocka_run_group_tests_name("scenario/secondaries", tests, NULL, NULL);
}
