/* aliases.c -- aliases without end: chains of a thousand, loops, trees that are their own. Each question has a finite answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/world.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_wire.h"

enum { CHAIN = 1000, LINKS = 17, SOON_MS = 10000 };

#define ZONE "zones:\n- name: example.com\n  file: zone\n"
#define HEAD_OF_ZONE                                                                               \
	"$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 192.0.2.53\n"    \
	"www IN A 192.0.2.1\n"

static struct transport transports[PROBE_TRANSPORTS];

static void start(struct world *w, const char *records)
{
	struct text zone = {0};

	text_add(&zone, HEAD_OF_ZONE);
	text_add(&zone, records);
	world_write(w, "zone", "%s", zone.data);
	text_fini(&zone);
	probe_start(w, ZONE, transports);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", SOON_MS);
}

/* A of a label below example.com. */
static struct probe_reply ask(struct world *w, const struct transport *t, const char *label)
{
	uint8_t query[512];
	size_t len = probe_build("1234 0000 0001 0000 0000 0000", query), label_len = strlen(label);

	query[len++] = (uint8_t)label_len;
	memcpy(query + len, label, label_len);
	len += label_len;
	len += probe_build("Z 0001 0001", query + len);
	return probe_ask(w, t, query, len);
}

static void test_of_a_chain_of_a_thousand_17_links_are_answered(void **state)
{
	struct world *w = *state;
	struct text records = {0};

	for (unsigned i = 0; i + 1 < CHAIN; i++)
		text_printf(&records, "c%u IN CNAME c%u\n", i, i + 1);
	text_printf(&records, "c%u IN CNAME www\n", CHAIN - 1);
	start(w, records.data);
	text_fini(&records);
	for (unsigned t = 0; t < PROBE_TRANSPORTS; t++) {
		struct probe_reply r = ask(w, &transports[t], "c0");

		/* As NSD and Knot: NOERROR with what was found; over UDP without EDNS cut where it does not fit. */
		assert_int_equal(r.rcode, NOERROR);
		assert_true(r.counts[1] == LINKS || (r.flags & TC) != 0);
		r = ask(w, &transports[t], "c990");
		assert_int_equal(r.rcode, NOERROR);
		assert_int_equal(r.counts[1], 11);
	}
}

static void test_loops_end_on_every_transport(void **state)
{
	static const char *const loops[] = {"self", "one", "four"};
	struct world *w = *state;

	start(w, "self IN CNAME self\none IN CNAME two\ntwo IN CNAME one\n"
	         "four IN CNAME five\nfive IN CNAME six\nsix IN CNAME five\n");
	for (unsigned t = 0; t < PROBE_TRANSPORTS; t++)
		for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
			struct probe_reply r = ask(w, &transports[t], loops[i]);

			assert_int_equal(r.rcode, NOERROR);
			assert_in_range(r.counts[1], 1, LINKS);
		}
}

/* DNAME to itself, to below itself, to above itself, to each other: the name stays, grows, or goes round. */
static void test_trees_that_are_their_own_end_on_every_transport(void **state)
{
	static const char *const trees[] = {"self", "grows", "up", "left", "right"};
	struct world *w = *state;
	uint8_t query[512];

	start(w, "self IN DNAME self\ngrows IN DNAME a-label-that-is-rather-long.grows\n"
	         "up IN DNAME @\nleft IN DNAME right\nright IN DNAME left\n");
	for (unsigned t = 0; t < PROBE_TRANSPORTS; t++)
		for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
			size_t tree_len = strlen(trees[i]), len;
			struct probe_reply r;

			len = probe_build("1234 0000 0001 0000 0000 0000 01 78", query);
			query[len++] = (uint8_t)tree_len;
			memcpy(query + len, trees[i], tree_len);
			len += tree_len;
			len += probe_build("Z 0001 0001", query + len);
			r = probe_ask(w, &transports[t], query, len);
			/* YXDOMAIN (6) where the name has grown too long; x.example.com is not there. */
			assert_true(r.rcode == NOERROR || r.rcode == NXDOMAIN || r.rcode == 6);
			assert_true(r.counts[1] >= 2 || (r.flags & TC) != 0);
			assert_in_range(r.counts[1], 0, 2 * LINKS + 2);
		}
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_of_a_chain_of_a_thousand_17_links_are_answered),
		world_test(test_loops_end_on_every_transport),
		world_test(test_trees_that_are_their_own_end_on_every_transport),
	};

	return cmocka_run_group_tests_name("scenario/aliases", tests, NULL, NULL);
}
