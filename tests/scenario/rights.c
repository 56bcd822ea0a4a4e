/* rights.c -- who may have what: the same on every transport, whoever claims to be somebody else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/support/world.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_sign.h"
#include "tests/support/world_wire.h"

#define SECRET  "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ="
#define ANOTHER "YW5vdGhlciBzZWNyZXQgYW5vdGhlciBzZWNyZXQgMTI="

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { BADSIG = 16, BADKEY = 17, BADTIME = 18, BADTRUNC = 22, QUERY_ROOM = 512 + SIGN_ROOM };

static struct transport transports[PROBE_TRANSPORTS];

/* `transfer`: rules of the zone; `more`: other sections. */
static void start(struct world *w, const char *transfer, const char *more)
{
	char config[2048];

	world_write(w, "keys",
	            "key \"transfer\" { algorithm hmac-sha256; secret \"" SECRET "\"; };\n"
	            "key \"other\" { algorithm hmac-sha256; secret \"" ANOTHER "\"; };\n");
	assert_int_equal(chmod(world_path(w, "keys"), 0600), 0);
	snprintf(config, sizeof config,
	         "zones:\n"
	         "- name: example.com\n"
	         "  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"
	         "  records: [\"www 300 IN A 192.0.2.1\"]\n"
	         "  transfer: {allow: [%s]}\n"
	         "tsig: keys\nworkers: 1\n%s",
	         transfer, more);
	probe_start(w, config, transports);
}

/* --- signatures --- */

static const struct {
	const char *label;
	struct signing how;
	unsigned rcode, error;
} forms[] = {
	{"good", {"transfer", SECRET, 0, 0}, NOERROR, 0},
	{"good, of another key", {"other", ANOTHER, 0, 0}, NOERROR, 0},
	{"almost too old", {"transfer", SECRET, 280, 0}, NOERROR, 0},
	{"almost too new", {"transfer", SECRET, -280, 0}, NOERROR, 0},
	{"of a key that is not there", {"nobody", SECRET, 0, 0}, NOTAUTH, BADKEY},
	{"with the secret of another key", {"transfer", ANOTHER, 0, 0}, NOTAUTH, BADSIG},
	{"said again after 301 s", {"transfer", SECRET, 301, 0}, NOTAUTH, BADTIME},
	{"said again after a day", {"transfer", SECRET, 86400, 0}, NOTAUTH, BADTIME},
	{"of a clock that is 310 s ahead", {"transfer", SECRET, -310, 0}, NOTAUTH, BADTIME},
	{"with a MAC of 16 octets", {"transfer", SECRET, 0, 16}, NOTAUTH, BADTRUNC},
};

/* Each way to sign wrongly has a counter of its own; a query may have been asked twice. */
static void expect_counted(struct world *w)
{
	double key = world_metric(w, "dnsd_tsig_bad_key_total"),
	       sig = world_metric(w, "dnsd_tsig_bad_sig_total"),
	       when = world_metric(w, "dnsd_tsig_bad_time_total"),
	       trunc = world_metric(w, "dnsd_tsig_bad_trunc_total");

	assert_true(key >= PROBE_TRANSPORTS && sig >= PROBE_TRANSPORTS);
	assert_true(when >= 3.0 * PROBE_TRANSPORTS && trunc >= PROBE_TRANSPORTS);
	assert_true(world_metric(w, "dnsd_bad_signatures_total") == key + sig + when + trunc);
}

static void test_signatures_are_judged_alike_on_every_transport(void **state)
{
	struct world *w = *state;

	start(w, "", "");
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < COUNT_OF(forms); i++) {
			uint8_t query[QUERY_ROOM];
			size_t len = probe_build(HEAD("0000", "0000") "W 0001 0001", query);
			struct probe_reply r;

			r = probe_ask(w, t, query, sign_message(query, len, &forms[i].how));
			if (r.rcode != forms[i].rcode || r.tsig_error != forms[i].error)
				world_fail(w, "%s over %s: rcode %u, error %u", forms[i].label,
				           t->label, r.rcode, r.tsig_error);
			/* Who signs wrongly gets no data. */
			assert_int_equal(r.counts[1], r.rcode == NOERROR ? 1 : 0);
			assert_int_equal(r.counts[2], 0);
		}
	expect_counted(w);
}

/* RFC 8945 5.1, 5.2: FORMERR, without a signature. */
static void test_a_signature_that_is_none_is_formerr_on_every_transport(void **state)
{
	static const struct signing short_mac = {"transfer", SECRET, 0, 1},
				    good = {"transfer", SECRET, 0, 0};
	struct world *w = *state;
	uint8_t query[QUERY_ROOM + SIGN_ROOM];

	start(w, "", "");
	for (EACH_TRANSPORT(t)) {
		size_t len = probe_build(HEAD("0000", "0000") "W 0001 0001", query), whole;

		assert_int_equal(probe_ask(w, t, query, sign_message(query, len, &short_mac)).rcode,
		                 FORMERR);
		/* Not the last record; twice; cut at each octet. */
		len = probe_build(HEAD("0000", "0000") "W 0001 0001", query);
		whole = sign_message(query, len, &good);
		bytes_put16(query + 10, 2);
		whole += probe_build("00 0029 04d0 00000000 0000", query + whole);
		assert_int_equal(probe_ask(w, t, query, whole).rcode, FORMERR);
		len = probe_build(HEAD("0000", "0000") "W 0001 0001", query);
		whole = sign_message(query, sign_message(query, len, &good), &good);
		assert_int_equal(probe_ask(w, t, query, whole).rcode, FORMERR);
		len = probe_build(HEAD("0000", "0000") "W 0001 0001", query);
		whole = sign_message(query, len, &good);
		for (size_t cut = len; cut < whole; cut++)
			assert_int_equal(probe_ask(w, t, query, cut).rcode, FORMERR);
	}
}

/* --- transfers --- */

/* AXFR of example.com, signed with that key ("": not). */
static size_t build_axfr(const char *key, uint8_t query[QUERY_ROOM])
{
	size_t len = probe_build(HEAD("0000", "0000") "Z 00fc 0001", query);
	struct signing how = {key, strcmp(key, "other") == 0 ? ANOTHER : SECRET, 0, 0};

	return *key != '\0' ? sign_message(query, len, &how) : len;
}

static bool gets_zone(struct world *w, const struct transport *t, const char *from, const char *key)
{
	uint8_t query[QUERY_ROOM], reply[WIRE_ROOM];
	size_t got = probe_exchange(w, t, from, query, build_axfr(key, query), reply);
	struct probe_reply r;

	assert_true(probe_read(reply, got, &r));
	assert_true((r.rcode == NOERROR) == (r.counts[1] > 0));
	return r.counts[1] > 0;
}

/* All of these in one rule must be so; one rule is enough. */
static const struct {
	const char *text, *address, *key;
	bool tcp, tls;
} rules[] = {
	{"{address: 127.0.0.2/32}", "127.0.0.2", "", true, true},
	{"{address: 127.0.0.3/32, key: transfer}", "127.0.0.3", "transfer", true, true},
	{"{address: 127.0.0.4/32, transport: tls}", "127.0.0.4", "", false, true},
	{"{address: 127.0.0.5/32, transport: tcp}", "127.0.0.5", "", true, false},
	{"{address: 127.0.0.6/32, transport: tls, key: other}", "127.0.0.6", "other", false, true},
	{"{address: 127.0.0.7/32, transport: tcp, key: other}", "127.0.0.7", "other", true, false},
};

static bool may(const struct transport *t, const char *from, const char *key)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if (strcmp(rules[i].address, from) == 0 &&
		    (*rules[i].key == '\0' || strcmp(rules[i].key, key) == 0) &&
		    (t->kind == PROBE_TCP ? rules[i].tcp : t->kind == PROBE_TLS && rules[i].tls))
			return true;
	return false;
}

/* CVE-2026-12490: a rule holds as a whole, on each transport. */
static void test_address_key_and_transport_must_all_be_right(void **state)
{
	static const char *const from[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4",
	                                   "127.0.0.5", "127.0.0.6", "127.0.0.7"};
	static const char *const keys[] = {"", "transfer", "other", "nobody"};
	struct world *w = *state;
	char allow[512] = "";

	for (size_t i = 0; i < COUNT_OF(rules); i++)
		snprintf(allow + strlen(allow), sizeof allow - strlen(allow), "%s%s", i ? ", " : "",
		         rules[i].text);
	start(w, allow, "");
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < COUNT_OF(from) && !t->v6; i++)
			for (size_t k = 0; k < COUNT_OF(keys); k++) {
				bool gets = gets_zone(w, t, from[i], keys[k]);
				/* Who signs with a key that is not there is not heard at all. */
				bool should =
					strcmp(keys[k], "nobody") != 0 && may(t, from[i], keys[k]);

				if (gets != should)
					world_fail(w, "%s with key '%s' over %s gets %s", from[i],
					           keys[k], t->label, gets ? "it" : "nothing");
			}
}

/* Messages that get no answer must not get what somebody else has just asked for. */
static void test_silence_after_a_transfer_is_silence(void **state)
{
	static const char *const silent[] = {"1234 8000 0001 0000 0000 0000 Z 00fc 0001",
	                                     "1234 8000 0000 0000 0000 0000", "1234", ""};
	struct world *w = *state;

	start(w, "{address: 127.0.0.2/32}", "");
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < COUNT_OF(silent) && t->kind != PROBE_UDP && !t->v6; i++) {
			uint8_t query[64], reply[WIRE_ROOM];
			size_t len = probe_build(silent[i], query), got;

			assert_true(gets_zone(w, t, "127.0.0.2", ""));
			got = probe_exchange(w, t, "127.0.0.1", query, len, reply);
			if (got != 0)
				world_fail(w, "'%s' over %s gets %zu octets", silent[i], t->label,
				           got);
		}
}

/* --- who claims to be another --- */

#define FROM_LOCALHOST "00 0029 04d0 00000000 000c 0008 0008 0001 20 00 7f000002"

static void test_a_client_subnet_opens_nothing(void **state)
{
	enum { ASKED = 300 };
	struct world *w = *state;
	const struct world_question where = {.from = "127.0.5.1"};
	uint8_t query[QUERY_ROOM], reply[WIRE_ROOM];
	size_t len, silent = 0;
	struct probe_reply r;

	start(w, "{address: 127.0.0.2/32}",
	      "rateLimit: {perSecond: 20, slip: 0, exempt: [127.0.0.2/32]}\n");
	for (EACH_TRANSPORT(t)) {
		if (t->v6)
			continue;
		len = probe_build(HEAD("0000", "0001") "Z 00fc 0001" FROM_LOCALHOST, query);
		len = probe_exchange(w, t, "127.0.5.2", query, len, reply);
		assert_true(probe_read(reply, len, &r));
		assert_int_equal(r.rcode, REFUSED);
	}
	len = probe_build(HEAD("0000", "0001") "W 0001 0001" FROM_LOCALHOST, query);
	for (unsigned i = 0; i < ASKED; i++)
		silent += world_wire_udp(w, &where, query, len, reply, 2) == 0;
	assert_true(silent > 0);
	assert_true(world_metric(w, "dnsd_rate_limit_dropped_total{class=\"positive\"}") > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_signatures_are_judged_alike_on_every_transport),
		world_test(test_a_signature_that_is_none_is_formerr_on_every_transport),
		world_test(test_address_key_and_transport_must_all_be_right),
		world_test(test_silence_after_a_transfer_is_silence),
		world_test(test_a_client_subnet_opens_nothing),
	};

	return cmocka_run_group_tests_name("scenario/rights", tests, NULL, NULL);
}
