/* test_zone_history.c -- images, differences and transfers of random zones: what a secondary makes of them is the zone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dnsd/zone_history.h"
#include "tests/support/dnsd_world.h"

#define QUESTION "\7example\3com\0\0\374\0\1"

enum { HISTORY = 1 << 20, NAMES = 40, STEPS = 60, MESSAGE_ROOM = 65535 };

static struct world *new_world(void)
{
	struct world *w = world_new();

	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	return w;
}

static const struct zone_image *make(const struct snapshot *s, const char *cluster)
{
	return zone_image_make(s, snapshot_zone(s, 0), cluster);
}

static struct transfer *ask(void)
{
	return transfer_new(4711, (struct bytes){(const uint8_t *)QUESTION, sizeof QUESTION - 1},
	                    NULL);
}

static struct transfer *axfr(const struct zone_history *h)
{
	struct transfer *t = ask();

	zone_history_axfr(h, t);
	return t;
}

static struct transfer *ixfr(const struct zone_history *h, uint32_t from)
{
	struct transfer *t = ask();

	zone_history_ixfr(h, from, t);
	return t;
}

/* --- what a transfer says, as text, one record a line --- */

/* "OWNER TTL IN TYPE RDATA", as ldns prints it. */
static void print_records(const uint8_t *wire, size_t len, struct text *out)
{
	ldns_pkt *pkt;

	assert_int_equal(ldns_wire2pkt(&pkt, wire, len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_id(pkt), 4711);
	assert_true(ldns_pkt_aa(pkt) && ldns_pkt_qr(pkt));
	assert_int_equal(ldns_pkt_qdcount(pkt), 1);
	for (size_t i = 0; i < ldns_rr_list_rr_count(ldns_pkt_answer(pkt)); i++) {
		char *line = ldns_rr2str(ldns_rr_list_rr(ldns_pkt_answer(pkt), i));

		text_add(out, line);
		free(line);
	}
	ldns_pkt_free(pkt);
}

/* Takes the transfer; returns how many messages it took. */
static unsigned print_transfer(struct transfer *t, struct text *out)
{
	uint8_t *message = xmalloc(MESSAGE_ROOM);
	unsigned count = 0;
	size_t len;

	text_add(out, "");
	while ((len = transfer_next(t, 0, message)) > 0) {
		print_records(message, len, out);
		count++;
	}
	transfer_free(t);
	free(message);
	return count;
}

static unsigned count_lines(const char *text)
{
	unsigned count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

/* --- a secondary --- */

struct lines {
	char *line[4 * NAMES];
	size_t count;
};

static void forget(struct lines *l)
{
	while (l->count > 0)
		free(l->line[--l->count]);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void remove_line(struct lines *l, const char *line)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->line[i], line) == 0) {
			free(l->line[i]);
			l->line[i] = l->line[--l->count];
			return;
		}
	fail_msg("what is not there is to go: %s", line);
}

static bool is_soa(const char *line) { return strstr(line, "\tIN\tSOA\t") != NULL; }

/* RFC 1995 4: the SOA, then for each change the old one, what goes, the new one, what comes; or all of the zone. */
static void follow(struct lines *l, char *text)
{
	char *save, *line = strtok_r(text, "\n", &save);
	unsigned soas = 1;
	char *second = strtok_r(NULL, "\n", &save);

	assert_true(is_soa(line));
	if (second == NULL)
		return;
	if (!is_soa(second)) {
		forget(l);
		for (line = second; !is_soa(line); line = strtok_r(NULL, "\n", &save))
			l->line[l->count++] = xstrdup(line);
		return;
	}
	for (line = second; line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (is_soa(line))
			soas++;
		else if (soas % 2 == 0)
			remove_line(l, line);
		else
			l->line[l->count++] = xstrdup(line);
	}
}

static void assert_same(struct lines *l, const struct zone_image *i)
{
	struct zone_history *h = zone_history_new(0);
	struct text all = {0};
	struct lines whole = {0};

	zone_history_add(h, zone_image_ref(i));
	print_transfer(axfr(h), &all);
	follow(&whole, all.data);
	qsort(l->line, l->count, sizeof(*l->line), by_text);
	qsort(whole.line, whole.count, sizeof(*whole.line), by_text);
	assert_int_equal(l->count, whole.count);
	for (size_t k = 0; k < l->count; k++)
		assert_string_equal(l->line[k], whole.line[k]);
	forget(&whole);
	text_fini(&all);
	zone_history_free(h);
}

/* --- whole zones --- */

static void test_a_zone_begins_and_ends_with_its_soa(void **state)
{
	struct world *w = new_world();
	struct zone_history *h = zone_history_new(HISTORY);
	struct text out = {0};
	const char *soa = "example.com.\t3600\tIN\tSOA\tns1.example.com. ";

	(void)state;
	world_put(w, "www.example.com", "300 A 192.0.2.1", "300 TXT \"x\"", NULL);
	world_put(w, "child.example.com", "300 NS ns.child.example.com", NULL);
	world_put(w, "ns.child.example.com", "300 A 192.0.2.2", NULL);
	zone_history_add(h, make(world_build(w), NULL));
	assert_int_equal(print_transfer(axfr(h), &out), 1);
	assert_int_equal(strncmp(out.data, soa, strlen(soa)), 0);
	assert_non_null(strstr(out.data + 1, soa));
	/* Glue is there, too (RFC 5936 3.5). */
	assert_non_null(strstr(out.data, "ns.child.example.com.\t300\tIN\tA\t192.0.2.2"));
	assert_int_equal(count_lines(out.data), 2 + 6);
	text_fini(&out);
	zone_history_free(h);
	world_free(w);
}

/* The image of that cluster, as text; the caller frees. */
static char *image_of(const struct snapshot *s, const char *cluster)
{
	struct zone_history *h = zone_history_new(0);
	struct text out = {0};

	zone_history_add(h, make(s, cluster));
	print_transfer(axfr(h), &out);
	zone_history_free(h);
	return text_take(&out);
}

/* Whether a name or a type exists never depends on the client (design.md 4). */
static void test_of_what_one_cluster_does_not_have_others_are_told(void **state)
{
	struct world *w = new_world();
	const struct snapshot *s;
	char *of_la, *of_nobody, *of_all;

	(void)state;
	world_put_sites(w, "both.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                "ny: 30 AAAA 2001:db8::2", NULL);
	world_put_sites(w, "other.example.com", NULL, "ny: 30 A 192.0.2.3", NULL);
	world_put_sites(w, "idle.example.com", NULL, "la!: 30 A 192.0.2.4", "ny: 30 A 192.0.2.5",
	                NULL);
	world_put_sites(w, "down.example.com", NULL, "la!: 30 A 192.0.2.6", "ny!: 30 A 192.0.2.7",
	                NULL);
	world_put_sites(w, "alias.example.com", NULL, "la: 30 CNAME a.example.net",
	                "ny: 30 A 192.0.2.8", NULL);
	world_put_sites(w, "besides.example.com", NULL, "la: 30 A 192.0.2.9",
	                "ny: 30 CNAME b.example.net", NULL);
	world_put_sites(w, "level.example.com", "next.example.com", "ny: 30 A 192.0.2.10", NULL);
	s = world_build(w);
	of_la = image_of(s, "la");
	assert_non_null(strstr(of_la, "both.example.com.\t30\tIN\tA\t192.0.2.1\n"));
	assert_non_null(strstr(of_la, "both.example.com.\t30\tIN\tAAAA\t2001:db8::2\n"));
	assert_null(strstr(of_la, "192.0.2.2\n"));
	assert_non_null(strstr(of_la, "other.example.com.\t30\tIN\tA\t192.0.2.3\n"));
	assert_null(strstr(of_la, "192.0.2.4\n"));
	assert_non_null(strstr(of_la, "idle.example.com.\t30\tIN\tA\t192.0.2.5\n"));
	assert_non_null(strstr(of_la, "down.example.com.\t30\tIN\tA\t192.0.2.6\n"));
	assert_null(strstr(of_la, "192.0.2.7\n"));
	assert_non_null(strstr(of_la, "alias.example.com.\t30\tIN\tCNAME\ta.example.net.\n"));
	assert_null(strstr(of_la, "192.0.2.8\n"));
	assert_non_null(strstr(of_la, "besides.example.com.\t30\tIN\tA\t192.0.2.9\n"));
	assert_null(strstr(of_la, "b.example.net"));
	assert_non_null(strstr(of_la, "level.example.com.\t30\tIN\tA\t192.0.2.10\n"));
	of_nobody = image_of(s, "lo");
	of_all = image_of(s, NULL);
	assert_string_equal(of_nobody, of_all);
	free(of_la);
	free(of_nobody);
	free(of_all);
	world_free(w);
}

static void test_sites_are_told_all_together_or_those_of_one_cluster(void **state)
{
	struct world *w = new_world();
	struct text all = {0}, one = {0};
	struct zone_history *h = zone_history_new(0), *of_la = zone_history_new(0);
	const struct snapshot *s;

	(void)state;
	world_put_sites(w, "www.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 40 A 192.0.2.2",
	                "ny: 40 A 192.0.2.1", NULL);
	world_put_sites(w, "idle.example.com", NULL, "la: 30 A 192.0.2.3", "ny!: 30 A 192.0.2.4",
	                NULL);
	world_put_sites(w, "down.example.com", NULL, "la!: 30 A 192.0.2.5", NULL);
	world_put_sites(w, "level.example.com", "next.example.com", "la!: 30 A 192.0.2.6", NULL);
	world_drain(w, "ny", true);
	s = world_build(w);
	zone_history_add(h, make(s, NULL));
	zone_history_add(of_la, make(s, "la"));
	print_transfer(axfr(h), &all);
	print_transfer(axfr(of_la), &one);
	/* One TTL for an RRset, each record once; a drain changes nothing, nor has it a serial. */
	assert_non_null(strstr(all.data, "www.example.com.\t30\tIN\tA\t192.0.2.1\n"
	                                 "www.example.com.\t30\tIN\tA\t192.0.2.2\n"));
	assert_null(strstr(all.data, "192.0.2.4"));
	assert_non_null(strstr(all.data, "down.example.com.\t30\tIN\tA\t192.0.2.5"));
	assert_non_null(strstr(all.data, "IN\tCNAME\tnext.example.com."));
	assert_non_null(strstr(one.data, "www.example.com.\t30\tIN\tA\t192.0.2.1\n"));
	assert_null(strstr(one.data, "192.0.2.2"));
	text_fini(&all);
	text_fini(&one);
	zone_history_free(h);
	zone_history_free(of_la);
	world_free(w);
}

/* RFC 6672 2.4: below a DNAME is nothing; RFC 5936 3.5: below a delegation what is fixed, for it may be glue. */
static void test_sites_below_a_delegation_and_all_below_a_dname_have_no_part(void **state)
{
	struct world *w = new_world();
	struct zone_history *h = zone_history_new(0);
	struct text all = {0};

	(void)state;
	world_put(w, "sub.example.com", "30 NS ns.sub.example.com", NULL);
	world_put(w, "ns.sub.example.com", "30 A 192.0.2.1", NULL);
	world_put_sites(w, "www.sub.example.com", NULL, "la: 30 A 192.0.2.2", NULL);
	world_put_sites(w, "level.sub.example.com", "next.example.com", "la!: 30 A 192.0.2.3",
	                NULL);
	world_put(w, "old.example.com", "30 DNAME example.net", "30 A 192.0.2.4", NULL);
	world_put(w, "fixed.old.example.com", "30 A 192.0.2.5", NULL);
	world_put_sites(w, "www.old.example.com", NULL, "la: 30 A 192.0.2.6", NULL);
	zone_history_add(h, make(world_build(w), NULL));
	print_transfer(axfr(h), &all);
	assert_non_null(strstr(all.data, "192.0.2.1\n"));
	assert_non_null(strstr(all.data, "192.0.2.4\n"));
	assert_null(strstr(all.data, "192.0.2.2\n"));
	assert_null(strstr(all.data, "level.sub"));
	assert_null(strstr(all.data, "192.0.2.5\n"));
	assert_null(strstr(all.data, "192.0.2.6\n"));
	text_fini(&all);
	zone_history_free(h);
	world_free(w);
}

static void test_a_large_zone_takes_many_messages(void **state)
{
	struct world *w = new_world();
	struct zone_history *h = zone_history_new(HISTORY);
	struct text out = {0};
	char name[64];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "host-%d.example.com", i);
		world_put(w, name, "300 A 192.0.2.1", NULL);
	}
	zone_history_add(h, make(world_build(w), NULL));
	assert_in_range(print_transfer(axfr(h), &out), 5, 20);
	assert_int_equal(count_lines(out.data), 5000 + 4);
	text_fini(&out);
	zone_history_free(h);
	world_free(w);
}

/* --- changes --- */

static void change(struct world *w, unsigned step)
{
	char name[64], line[64];
	unsigned which = (unsigned)random() % NAMES;

	snprintf(name, sizeof name, "n%u.example.com", which);
	snprintf(line, sizeof line, "%u A 192.0.2.%u", 300 + step % 2, step % 250);
	if (random() % 3 == 0)
		world_put(w, name, NULL);
	else if (which % 2 == 0)
		world_put(w, name, line, "60 TXT \"here\"", NULL);
	else
		world_put_sites(w, name, NULL, "la: 30 A 198.51.100.7",
		                random() % 2 == 0 ? "ny: 30 A 198.51.100.8"
		                                  : "ny!: 30 A 198.51.100.8",
		                NULL);
}

static void test_who_follows_from_any_serial_has_the_zone(void **state)
{
	struct world *w = new_world();
	struct zone_history *h = zone_history_new(HISTORY);
	const struct zone_image *images[STEPS];

	(void)state;
	srandom(1);
	for (unsigned step = 0; step < STEPS; step++) {
		change(w, step);
		images[step] = make(world_build(w), NULL);
		zone_history_add(h, zone_image_ref(images[step]));
	}
	for (unsigned step = 0; step < STEPS; step++) {
		struct lines had = {0};
		struct zone_history *then = zone_history_new(0);
		struct text all = {0}, news = {0};

		zone_history_add(then, zone_image_ref(images[step]));
		print_transfer(axfr(then), &all);
		follow(&had, all.data);
		print_transfer(ixfr(h, zone_image_serial(images[step])), &news);
		follow(&had, news.data);
		assert_same(&had, images[STEPS - 1]);
		forget(&had);
		text_fini(&all);
		text_fini(&news);
		zone_history_free(then);
	}
	for (unsigned step = 0; step < STEPS; step++)
		zone_image_unref(images[step]);
	zone_history_free(h);
	world_free(w);
}

static unsigned lines_since(const struct zone_history *h, uint32_t from)
{
	struct text out = {0};
	unsigned count;

	print_transfer(ixfr(h, from), &out);
	count = count_lines(out.data);
	text_fini(&out);
	return count;
}

static void test_what_is_not_known_is_the_whole_zone_and_no_news_the_soa_alone(void **state)
{
	struct world *w = new_world();
	struct zone_history *h = zone_history_new(HISTORY), *brief = zone_history_new(0);
	uint32_t first, second;

	(void)state;
	world_put(w, "a.example.com", "300 A 192.0.2.1", NULL);
	zone_history_add(h, make(world_build(w), NULL));
	first = zone_image_serial(zone_history_newest(h));
	zone_history_add(brief, zone_image_ref(zone_history_newest(h)));
	world_put(w, "b.example.com", "300 A 192.0.2.1", NULL);
	zone_history_add(h, make(world_build(w), NULL));
	second = zone_image_serial(zone_history_newest(h));
	zone_history_add(brief, zone_image_ref(zone_history_newest(h)));
	assert_int_not_equal(first, second);
	/* The SOA, old, new, what came, the SOA. */
	assert_int_equal(lines_since(h, first), 5);
	assert_int_equal(lines_since(h, second), 1);
	assert_int_equal(lines_since(h, second + 1), 1);
	assert_int_equal(lines_since(h, first - 1), 2 + 4);
	/* No room for changes. */
	assert_int_equal(lines_since(brief, first), 2 + 4);
	zone_history_free(h);
	zone_history_free(brief);
	world_free(w);
}

/* A transfer that has begun is of one serial, whatever comes. */
static void test_a_transfer_outlives_its_history(void **state)
{
	struct world *w = new_world();
	struct zone_history *h = zone_history_new(HISTORY);
	struct text out = {0};
	struct transfer *t;

	(void)state;
	world_put(w, "a.example.com", "300 A 192.0.2.1", NULL);
	zone_history_add(h, make(world_build(w), NULL));
	t = axfr(h);
	world_put(w, "a.example.com", "300 A 192.0.2.2", NULL);
	zone_history_add(h, make(world_build(w), NULL));
	zone_history_free(h);
	world_free(w);
	print_transfer(t, &out);
	assert_non_null(strstr(out.data, "192.0.2.1"));
	assert_null(strstr(out.data, "192.0.2.2"));
	text_fini(&out);
}

static void test_what_nothing_was_put_into_is_refused_once(void **state)
{
	struct zone_history *h = zone_history_new(HISTORY);
	struct transfer *t = ixfr(h, 1);
	uint8_t *message = xmalloc(MESSAGE_ROOM);

	(void)state;
	assert_int_equal(transfer_next(t, 0, message), 12 + sizeof QUESTION - 1);
	assert_int_equal(bytes_get16(message), 4711);
	assert_int_equal(bytes_get16(message + 2), 0x8002);
	assert_memory_equal(message + 12, QUESTION, sizeof QUESTION - 1);
	assert_int_equal(transfer_next(t, 0, message), 0);
	transfer_free(t);
	free(message);
	zone_history_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_zone_begins_and_ends_with_its_soa),
		cmocka_unit_test(test_of_what_one_cluster_does_not_have_others_are_told),
		cmocka_unit_test(test_sites_are_told_all_together_or_those_of_one_cluster),
		cmocka_unit_test(test_sites_below_a_delegation_and_all_below_a_dname_have_no_part),
		cmocka_unit_test(test_a_large_zone_takes_many_messages),
		cmocka_unit_test(test_who_follows_from_any_serial_has_the_zone),
		cmocka_unit_test(
			test_what_is_not_known_is_the_whole_zone_and_no_news_the_soa_alone),
		cmocka_unit_test(test_a_transfer_outlives_its_history),
		cmocka_unit_test(test_what_nothing_was_put_into_is_refused_once),
	};

	return cmocka_run_group_tests_name("dnsd/zone_history", tests, NULL, NULL);
}
