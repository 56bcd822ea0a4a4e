/* Random worlds: the answer is the brute-force nearest, and every address inside the scope gets
 * the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/place.h"
#include "tests/support/dnsd_world.h"

enum { WORLDS = 40, MAX_CLUSTERS = 12, MAX_NETWORKS = 60, NAMES = 8, QUESTIONS = 150, PROBES = 12 };

struct site_truth {
	bool exists, usable, has_a, has_aaaa;
};

/* One world as the test knows it, beside the one that the server has. */
struct truth {
	unsigned clusters;
	struct place place[MAX_CLUSTERS];
	bool has_place[MAX_CLUSTERS], drained[MAX_CLUSTERS];
	unsigned networks;
	struct addr_network network[MAX_NETWORKS];
	struct place network_place[MAX_NETWORKS];
	struct site_truth site[NAMES][MAX_CLUSTERS];
};

static unsigned below(unsigned n) { return (unsigned)random() % n; }

/* Few places, far apart, so that equal ones are exactly equal. */
static struct place random_place(void)
{
	return (struct place){(double)below(13) * 12 - 72 + 0.37, (double)below(24) * 14.7 - 170};
}

/* Addresses crowd together, so that networks nest and touch. */
static struct addr random_plain_addr(void)
{
	struct addr a = {.family = below(2) ? ADDR_IPV4 : ADDR_IPV6};
	unsigned bytes = a.family == ADDR_IPV4 ? 4 : 10, fixed = a.family == ADDR_IPV4 ? 1 : 4;

	for (unsigned i = 0; i < fixed; i++)
		a.bytes[i] = (uint8_t)(32 + i);
	for (unsigned i = fixed; i < bytes; i++)
		a.bytes[i] = (uint8_t)(below(3) ? below(4) << 6 : below(256));
	return a;
}

static struct addr mapped(const struct addr *v4)
{
	struct addr a = {.family = ADDR_IPV6, .bytes = {[10] = 0xff, [11] = 0xff}};

	memcpy(a.bytes + 12, v4->bytes, 4);
	return a;
}

/* Also in ::ffff:0:0/96, and a bit beside it. */
static struct addr random_addr(void)
{
	struct addr a = random_plain_addr();
	unsigned bit = 32 + below(128);

	if (a.family != ADDR_IPV4 || below(3) > 0)
		return a;
	a = mapped(&a);
	if (bit < 96)
		a.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	return a;
}

/* A mapped network is an IPv4 one. */
static struct addr_network random_network(void)
{
	struct addr written = random_addr(), a = addr_unmapped(&written);
	unsigned least = a.family == ADDR_IPV4 ? 8 : 32;
	uint8_t len = (uint8_t)(least + below(a.family == ADDR_IPV4 ? 22 : 34));

	return (struct addr_network){addr_masked(&a, len), len};
}

/* IPv4 now and then in its mapped form. */
static const char *written(const struct addr_network *n, char out[ADDR_NETWORK_TEXT_SIZE])
{
	if (n->addr.family == ADDR_IPV4 && below(4) == 0)
		return addr_network_print(
			&(struct addr_network){mapped(&n->addr), (uint8_t)(n->len + 96)}, out);
	return addr_network_print(n, out);
}

static void make_networks(struct truth *t, struct world *w)
{
	struct text csv = {0};
	char network[ADDR_NETWORK_TEXT_SIZE];

	t->networks = below(MAX_NETWORKS);
	for (unsigned i = 0; i < t->networks; i++) {
		bool is_new;

		do {
			is_new = true;
			t->network[i] = random_network();
			for (unsigned j = 0; j < i; j++)
				is_new = is_new &&
				         (t->network[j].len != t->network[i].len ||
				          !addr_equal(&t->network[j].addr, &t->network[i].addr));
		} while (!is_new);
		t->network_place[i] = random_place();
		text_printf(&csv, "%s,%.10g,%.10g\n", written(&t->network[i], network),
		            t->network_place[i].latitude, t->network_place[i].longitude);
	}
	world_networks(w, t->networks > 0 ? csv.data : NULL);
	text_fini(&csv);
}

static void make_clusters(struct truth *t, struct world *w)
{
	t->clusters = 1 + below(MAX_CLUSTERS);
	for (unsigned i = 0; i < t->clusters; i++) {
		char name[16];

		snprintf(name, sizeof name, "c%02u", i);
		t->has_place[i] = below(8) > 0;
		t->place[i] = random_place();
		t->drained[i] = below(6) == 0;
		world_cluster(w, name, t->has_place[i] ? t->place[i].latitude : 999,
		              t->place[i].longitude);
		if (t->drained[i])
			world_drain(w, name, true);
	}
}

/* Addresses tell the cluster: 203.0.113.N and 2001:db8:ffff::N. */
static void make_name(struct truth *t, struct world *w, unsigned number)
{
	char name[32], lines[2 * MAX_CLUSTERS][64];
	const char *line[2 * MAX_CLUSTERS + 1] = {0};
	unsigned count = 0;

	for (unsigned i = 0; i < t->clusters; i++) {
		struct site_truth *site = &t->site[number][i];
		bool ready = below(4) > 0;

		*site = (struct site_truth){
			.exists = below(3) > 0, .has_a = below(4) > 0, .has_aaaa = below(3) == 0};
		site->usable = ready && !t->drained[i];
		if (!site->exists)
			continue;
		snprintf(lines[count], 64,
		         site->has_a ? "c%02u%s: 30 A 203.0.113.%u" : "c%02u%s:", i,
		         ready ? "" : "!", i + 1);
		line[count] = lines[count];
		count++;
		if (site->has_aaaa) {
			snprintf(lines[count], 64, "c%02u: 30 AAAA 2001:db8:ffff::%x", i, i + 1);
			line[count] = lines[count];
			count++;
		}
	}
	snprintf(name, sizeof name, "n%u.example.com", number);
	/* 25 lines at most: NULL ends them early. */
	world_put_sites(w, name, NULL, line[0], line[1], line[2], line[3], line[4], line[5],
	                line[6], line[7], line[8], line[9], line[10], line[11], line[12], line[13],
	                line[14], line[15], line[16], line[17], line[18], line[19], line[20],
	                line[21], line[22], line[23], NULL);
}

static const struct place *place_of(const struct truth *t, const struct addr *client)
{
	struct addr a = addr_unmapped(client);
	const struct place *best = NULL;
	int best_len = -1;

	for (unsigned i = 0; i < t->networks; i++) {
		if (addr_network_has(&t->network[i], &a) && t->network[i].len > best_len) {
			best = &t->network_place[i];
			best_len = t->network[i].len;
		}
	}
	return best;
}

static bool is_candidate(const struct site_truth *site, bool everyone, bool v6)
{
	return site->exists && (site->usable || everyone) && (v6 ? site->has_aaaa : site->has_a);
}

/* How far a cluster is for this client; by name when nobody knows where the client is. */
static double distance(const struct truth *t, unsigned cluster, const struct place *client)
{
	if (client == NULL)
		return cluster;
	return t->has_place[cluster] ? place_distance_km(client, &t->place[cluster]) : 1e9;
}

/* Is this answer (a cluster, or -1 for no data) right for the first address of the prefix? */
static void assert_right(const struct truth *t, unsigned name, bool v6, const struct addr *a,
                         int answered)
{
	const struct place *client = place_of(t, a);
	bool any_usable = false;
	double least = 1e12;

	for (unsigned i = 0; i < t->clusters; i++)
		any_usable |= t->site[name][i].exists && t->site[name][i].usable;
	for (unsigned i = 0; i < t->clusters; i++) {
		if (is_candidate(&t->site[name][i], !any_usable, v6) &&
		    distance(t, i, client) < least)
			least = distance(t, i, client);
	}
	if (answered < 0) {
		assert_true(least > 1e11);
		return;
	}
	assert_true((unsigned)answered < t->clusters);
	assert_true(is_candidate(&t->site[name][answered], !any_usable, v6));
	assert_true(distance(t, (unsigned)answered, client) < least + 0.001);
}

/* The answer's cluster or -1, and its scope. */
static int ask(struct world *w, unsigned name, bool v6, const struct addr *a, uint8_t len,
               unsigned *scope)
{
	char question[48], ecs[ADDR_NETWORK_TEXT_SIZE];
	struct addr_network prefix = {addr_masked(a, len), len};
	struct asking how = {.ecs = addr_network_print(&prefix, ecs)};
	const char *answer, *at;

	snprintf(question, sizeof question, "n%u.example.com %s", name, v6 ? "AAAA" : "A");
	answer = world_ask(w, question, &how);
	at = strstr(answer, " scope=");
	assert_non_null(at);
	*scope = (unsigned)atoi(at + 7);
	at = strstr(answer, v6 ? " AAAA 2001:db8:ffff::" : " A 203.0.113.");
	if (strncmp(answer, "NXDOMAIN", 8) == 0 || at == NULL)
		return -1;
	return (int)strtol(at + strlen(v6 ? " AAAA 2001:db8:ffff::" : " A 203.0.113."), NULL,
	                   v6 ? 16 : 10) -
	       1;
}

/* An address of the network: its bits kept, the others random; every other one is from
 * ::ffff:0:0/96 when that lies in it. */
static struct addr inside(const struct addr *first, unsigned len)
{
	static const struct addr zero = {.family = ADDR_IPV4};
	struct addr a = *first, border = mapped(&zero);

	if (len < 96 && below(2) &&
	    addr_network_has(&(struct addr_network){addr_masked(&a, (uint8_t)len), (uint8_t)len},
	                     &border)) {
		a = border;
		len = 96;
	}
	for (unsigned bit = len; bit < addr_bits(&a); bit++) {
		if (below(2))
			a.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	}
	return a;
}

static void question(const struct truth *t, struct world *w)
{
	unsigned name = below(NAMES), scope, other_scope;
	bool v6 = below(3) == 0;
	struct addr a = random_addr(), first;
	uint8_t len = (uint8_t)(1 + below(addr_bits(&a)));
	int answered;

	first = addr_masked(&a, len);
	answered = ask(w, name, v6, &a, len, &scope);
	assert_right(t, name, v6, &first, answered);
	if (answered < 0)
		assert_int_equal(scope, 0);
	assert_in_range(scope, 0, addr_bits(&a));
	for (unsigned i = 0; i < PROBES; i++) {
		struct addr probe = inside(&first, scope);
		struct addr near = inside(&first, scope < addr_bits(&a) - 8U ? scope + 8 : scope);

		assert_int_equal(ask(w, name, v6, &probe, addr_bits(&a), &other_scope), answered);
		assert_int_equal(ask(w, name, v6, &near, addr_bits(&a), &other_scope), answered);
	}
}

static void test_answers_are_nearest_and_scopes_honest_in_random_worlds(void **state)
{
	(void)state;
	srandom(20);
	for (unsigned i = 0; i < WORLDS; i++) {
		struct truth *t = calloc(1, sizeof *t);
		struct world *w = world_new();

		world_zones_are(w, "example.com");
		make_clusters(t, w);
		make_networks(t, w);
		for (unsigned name = 0; name < NAMES; name++)
			make_name(t, w, name);
		world_build(w);
		for (unsigned n = 0; n < QUESTIONS; n++)
			question(t, w);
		world_free(w);
		free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_nearest_and_scopes_honest_in_random_worlds),
	};

	return cmocka_run_group_tests_name("dnsd/choose worlds", tests, NULL, NULL);
}
