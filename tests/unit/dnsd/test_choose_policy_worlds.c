/* Random worlds with random policies: every address inside the scope gets the same answer, what is there is denied to nobody,
 * and the quick way decides as the one that explain goes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/latency.h"
#include "tests/support/dnsd_world.h"

enum { ROWS = 12 };
enum { WORLDS = 60, CLUSTERS = 6, NETWORKS = 24, NAMES = 6, QUESTIONS = 120, NEIGHBOURS = 12 };

static unsigned below(unsigned n) { return (unsigned)random() % n; }

/* What a policy points to. */
struct made {
	struct policy policy;
	struct rules rules;
	uint16_t tier[CLUSTERS], region[CLUSTERS];
	int32_t bias[CLUSTERS];
	struct rules_fence fence[2];
	struct bytes country[2];
	struct addr_network network;
	uint16_t fenced[2][CLUSTERS];
	uint32_t weight[64], unknown[64];
	bool expired[64];
	struct latency_table latency;
	struct ranking *ranking;
};

static struct made made[NAMES];

static struct addr random_addr(void)
{
	struct addr a = {.family = below(3) > 0 ? ADDR_IPV4 : ADDR_IPV6};
	unsigned bytes = a.family == ADDR_IPV4 ? 4 : 8, fixed = a.family == ADDR_IPV4 ? 1 : 3;

	for (unsigned i = 0; i < bytes; i++)
		a.bytes[i] = (uint8_t)(i < fixed ? 32 + i : below(3) ? below(4) << 6 : below(256));
	return a;
}

static struct addr_network random_network(void)
{
	struct addr a = random_addr();
	uint8_t len = (uint8_t)(a.family == ADDR_IPV4 ? 8 + below(20) : 24 + below(36));

	return (struct addr_network){addr_masked(&a, len), len};
}

/* On a calm day fewer sites are looked at. */
static void make_clusters(struct world *w, bool is_calm)
{
	for (unsigned i = 0; i < CLUSTERS; i++) {
		char name[8];

		snprintf(name, sizeof name, "c%u", i);
		/* Few places: some clusters share one. */
		world_cluster(w, name, below(8) ? (double)below(3) * 40 - 40 : 999,
		              (double)below(3) * 100 - 100);
		if (is_calm)
			continue;
		if (below(8) == 0)
			world_drain(w, name, true);
		if (below(5) == 0)
			world_withhold(w, name, below(SNAPSHOT_EVERYBODY + 1), below(2) * 9);
	}
}

static void make_networks(struct world *w)
{
	static const char *const labels[] = {"DE", "FR", "US", "Hall"};
	struct text csv = {0};

	for (unsigned i = 0; i < NETWORKS; i++) {
		struct addr_network n = random_network();
		char text[ADDR_NETWORK_TEXT_SIZE];

		addr_network_print(&n, text);
		if (csv.data != NULL && strstr(csv.data, text) != NULL)
			continue;
		text_printf(&csv, "%s,%u,%u,%s\n", text, below(80), below(160), labels[below(4)]);
	}
	world_networks(w, csv.data);
	text_fini(&csv);
}

static void make_fences(struct made *m)
{
	m->country[0] = bytes_of("DE");
	m->country[1] = bytes_of("US");
	m->network = random_network();
	for (unsigned i = 0; i < 2; i++) {
		struct rules_fence *f = &m->fence[i];

		*f = (struct rules_fence){.clusters = m->fenced[i], .required = below(2) == 0};
		if (below(2)) {
			f->countries = &m->country[i];
			f->country_count = 1;
		} else {
			f->networks = &m->network;
			f->network_count = 1;
		}
		for (unsigned c = 0; c < CLUSTERS; c++)
			if (below(3) == 0)
				m->fenced[i][f->cluster_count++] = (uint16_t)c;
		m->policy.has_fence |= f->required;
	}
	m->rules.fences = m->fence;
	m->rules.fence_count = 2;
}

static void add_stage(struct made *m, enum rules_stage stage)
{
	m->rules.stages[m->rules.stage_count++] = stage;
}

/* Milliseconds follow from the network, so that a row that is there twice is the same. */
static void make_latency(struct made *m)
{
	struct text csv = {0};
	struct reason why;

	for (unsigned i = 0; i < ROWS; i++) {
		struct addr_network n = random_network();
		char text[ADDR_NETWORK_TEXT_SIZE];
		unsigned cluster = below(CLUSTERS);

		text_printf(&csv, "%s,c%u,%u\n", addr_network_print(&n, text), cluster,
		            (n.len + cluster) % 3 * 10);
	}
	assert_int_equal(latency_parse(bytes_of(csv.data), &m->latency, &why), ERR_OK);
	text_fini(&csv);
	m->rules.latency = &m->latency;
}

static void make_rules(struct made *m)
{
	if (below(2)) {
		make_fences(m);
		m->policy.narrowing |= (uint8_t)(1U << m->rules.stage_count);
		add_stage(m, RULES_FENCE);
	}
	if (below(2)) {
		for (unsigned c = 0; c < CLUSTERS; c++)
			m->tier[c] = (uint16_t)below(3);
		m->rules.tier = m->tier;
		m->policy.narrowing |= (uint8_t)(1U << m->rules.stage_count);
		add_stage(m, RULES_TIER);
	}
	if (below(3) == 0) {
		make_latency(m);
		add_stage(m, RULES_LATENCY);
	}
	if (below(2)) {
		for (unsigned c = 0; c < CLUSTERS; c++) {
			m->bias[c] = (int32_t)below(2000) - 1000;
			m->region[c] = (uint16_t)below(3);
		}
		m->rules.bias_km = below(2) ? m->bias : NULL;
		m->rules.region = below(2) ? m->region : NULL;
		add_stage(m, RULES_NEAREST);
	}
}

static void make_policy(struct world *w, struct made *m)
{
	struct policy *p = &m->policy;

	memset(m, 0, sizeof *m);
	make_rules(m);
	p->cluster_count = 64;
	for (unsigned c = 0; c < CLUSTERS; c++) {
		uint16_t id = world_cluster_id(w, (char[]){'c', (char)('0' + c), '\0'});

		m->weight[id] = below(4) * 10;
		m->unknown[id] = below(3);
		m->expired[id] = below(6) == 0;
	}
	p->weight = below(2) ? m->weight : NULL;
	p->is_capacity = below(3) == 0;
	p->all = below(3) == 0;
	p->max_addresses = (uint16_t)below(4);
	p->has_failback = below(2);
	p->no_data_when_all_down = below(3) == 0;
	p->bucket_ipv4 = (uint8_t)(below(3) ? 24 : 12 + below(20));
	p->bucket_ipv6 = (uint8_t)(below(3) ? 48 : 30 + below(40));
	p->ttl = below(2) * 100;
	p->expired = below(3) == 0 ? m->expired : NULL;
	if (below(3) == 0) {
		p->unknown_weight = m->unknown;
		m->rules.unknown_is_tie = m->rules.unknown_is_apart = true;
	} else if (below(3) == 0) {
		p->resolver_when_unknown = m->rules.unknown_is_apart = true;
	}
	p->ranking = m->ranking = world_rank_by(w, &m->rules);
}

static void make_name(struct world *w, unsigned number)
{
	char lines[2 * CLUSTERS][64], name[32];
	const char *list[2 * CLUSTERS];
	size_t count = 0;

	for (unsigned c = 0; c < CLUSTERS; c++) {
		static const char *const extra[] = {"", "", "", "=3", "=40", "@1", "~9", "!"};
		const char *with = extra[below(8)];

		if (below(4) == 0)
			continue;
		snprintf(lines[count], sizeof lines[count], "c%u%s: 30 A 192.0.2.%u", c, with, c);
		count++;
		if (below(3) == 0) {
			snprintf(lines[count], sizeof lines[count], "c%u%s: 30 AAAA 2001:db8::%u",
			         c, with, c);
			count++;
		}
	}
	for (size_t i = 0; i < count; i++)
		list[i] = lines[i];
	snprintf(name, sizeof name, "n%u.example.com", number);
	world_use_policy(w, number + 1);
	if (count > 0)
		world_put_site_lines(w, name, NULL, list, count);
}

/* Another name each, by the same policy: where it leads is another name's business, by another policy. */
static void make_alias(struct world *w, unsigned number)
{
	char lines[CLUSTERS][64], name[32];
	const char *list[CLUSTERS];

	for (unsigned c = 0; c < CLUSTERS; c++) {
		snprintf(lines[c], sizeof lines[c], "c%u: 30 CNAME n%u.example.com.", c,
		         (number + c) % NAMES);
		list[c] = lines[c];
	}
	snprintf(name, sizeof name, "s%u.example.com", number);
	world_put_site_lines(w, name, NULL, list, CLUSTERS);
}

/* To one name, wherever the client is sent: whether there is data at the end is the same for all. */
static void make_alias_to_one(struct world *w, unsigned number)
{
	char lines[CLUSTERS][64], name[32];
	const char *list[CLUSTERS];

	for (unsigned c = 0; c < CLUSTERS; c++) {
		snprintf(lines[c], sizeof lines[c], "c%u: 30 CNAME n%u.example.com.", c,
		         (number + 1) % NAMES);
		list[c] = lines[c];
	}
	snprintf(name, sizeof name, "o%u.example.com", number);
	world_put_site_lines(w, name, NULL, list, CLUSTERS);
}

static struct world *make_world(void)
{
	static const bool waits[] = {false, true};
	struct world *w = world_new();
	bool is_calm = below(2) == 0;

	world_zones_are(w, "example.com");
	make_clusters(w, is_calm);
	make_networks(w);
	world_settings(w)->max_addresses = 16;
	if (!is_calm && below(3) == 0)
		world_waits(w, waits, 2);
	for (unsigned i = 0; i < NAMES; i++) {
		make_policy(w, &made[i]);
		world_policy(w, i + 1, &made[i].policy);
		make_name(w, i);
		make_alias(w, i);
		make_alias_to_one(w, i);
	}
	world_build(w);
	return w;
}

static void free_world(struct world *w)
{
	world_free(w);
	for (unsigned i = 0; i < NAMES; i++) {
		ranking_free(made[i].ranking);
		latency_fini(&made[i].latency);
	}
}

static void ask(struct world *w, const char *question, const struct addr_network *n, char out[600])
{
	char ecs[ADDR_NETWORK_TEXT_SIZE];

	addr_network_print(n, ecs);
	/* It also checks that the way of explain gives the same bytes. */
	snprintf(out, 600, "%s", world_ask(w, question, &(struct asking){.ecs = ecs}));
}

static unsigned scope_of(const char *answer)
{
	const char *at = strstr(answer, " scope=");

	assert_non_null(at);
	return (unsigned)atoi(at + strlen(" scope="));
}

/* Somebody inside the network. */
static struct addr_network neighbour_of(const struct addr_network *n)
{
	struct addr_network other = {n->addr, addr_bits(&n->addr)};

	for (unsigned bit = n->len; bit < other.len; bit++)
		if (below(2))
			other.addr.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	return other;
}

static void check_scope(struct world *w, const char *question, struct addr_network client)
{
	char answer[600], other[600];
	struct addr_network inside;
	unsigned scope;

	ask(w, question, &client, answer);
	scope = scope_of(answer);
	inside = (struct addr_network){addr_masked(&client.addr, (uint8_t)scope), (uint8_t)scope};
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		struct addr_network neighbour = neighbour_of(&inside);
		char ecs[ADDR_NETWORK_TEXT_SIZE];

		/* A shorter question is answered for its first address. */
		neighbour.len = (uint8_t)(scope + below(neighbour.len - scope + 1));
		neighbour.addr = addr_masked(&neighbour.addr, neighbour.len);
		if (neighbour.len == 0)
			continue;
		ask(w, question, &neighbour, other);
		if (strcmp(answer, other) != 0)
			fail_msg("%s: %s, but from %s: %s", question, answer,
			         addr_network_print(&neighbour, ecs), other);
	}
}

static void test_every_address_inside_the_scope_gets_the_same_answer(void **state)
{
	static const char *const types[] = {"A", "AAAA", "MX"};

	(void)state;
	srandom(6);
	for (unsigned k = 0; k < WORLDS; k++) {
		struct world *w = make_world();

		for (unsigned i = 0; i < QUESTIONS; i++) {
			char question[64];
			struct addr_network client = random_network();

			snprintf(question, sizeof question, "%c%u.example.com %s",
			         below(3) ? 'n' : 's', below(NAMES), types[below(3)]);
			check_scope(w, question, client);
		}
		free_world(w);
	}
}

static void test_what_is_there_is_denied_to_nobody(void **state)
{
	static const char *const types[] = {"A", "AAAA", "MX"};
	unsigned answered = 0, denied = 0, refused = 0;

	(void)state;
	srandom(7);
	for (unsigned k = 0; k < WORLDS; k++) {
		struct world *w = make_world();

		for (unsigned q = 0; q < 2 * NAMES * 3; q++) {
			unsigned data = 0, none = 0, fenced = 0;
			char question[64], answer[600];

			snprintf(question, sizeof question, "%c%u.example.com %s",
			         q < NAMES * 3 ? 'n' : 'o', q / 3 % NAMES, types[q % 3]);
			for (unsigned i = 0; i < 40; i++) {
				struct addr_network client = random_network();

				ask(w, question, &client, answer);
				data += strstr(answer, " A ") != NULL ||
				        strstr(answer, " AAAA ") != NULL;
				none += strstr(answer, " / ns ") != NULL;
				fenced += strncmp(answer, "REFUSED", 7) == 0;
			}
			if (data > 0 && none > 0)
				fail_msg("%s is there for %u and denied to %u", question, data,
				         none);
			/* An alias may be refused to some whose end is denied to all. */
			if (question[0] == 'n' && fenced > 0 && none > 0)
				fail_msg("%s is denied to %u and refused to %u", question, none,
				         fenced);
			refused += fenced;
			answered += data > 0;
			denied += none > 0;
		}
		free_world(w);
	}
	/* There was something to be seen. */
	assert_true(answered > 100 && denied > 100 && refused > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_address_inside_the_scope_gets_the_same_answer),
		cmocka_unit_test(test_what_is_there_is_denied_to_nobody),
	};

	return cmocka_run_group_tests_name("dnsd/choose (random policies)", tests, NULL, NULL);
}
