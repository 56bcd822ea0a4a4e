/* instructions.c -- what callgrind counts: respond() over the questions of the bench kit, in worlds of one process.
 *
 * Run by tests/bench/instructions under callgrind, which writes one file for each case.  Sockets and the loop are left out:
 * their part depends on how many messages happen to come together.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "tests/support/dnsd_world.h"

enum { NAMES = 20000, SERVICES = 50, NETWORKS = 2000, CLUSTERS = 300, QUESTIONS = 2048 };

struct packet {
	uint8_t data[512];
	size_t len;
};

struct bench {
	struct world *world;
	const struct snapshot *snapshot;
	struct responder responder;
	struct packet packet[QUESTIONS];
};

static uint32_t random_below(uint32_t limit) { return (uint32_t)random() % limit; }

/* As nighd is without configuration: limits and cookies on, loopback looked up but never limited. */
static void set_up(struct bench *b, const char *zone)
{
	static char v4[] = "127.0.0.0/8", v6[] = "::1/128";
	struct conf_strings exempt = {(char *[]){v4, v6}, 2};
	struct rrl_settings limits = {RRL_ON, 200, 2, &exempt};

	srandom(1);
	b->world = world_new();
	world_zones_are(b->world, zone);
	world_terms(b->world, "cookies: {mode: on}\n");
	world_settings(b->world)->max_addresses = 16;
	b->responder.stats = stats_new();
	b->responder.limits = rrl_new(rrl_table_new(), b->responder.stats);
	rrl_set_rules(b->responder.limits, rrl_rules_new(&limits, 1));
}

static void measure(struct bench *b, const char *label)
{
	static const struct addr client = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};
	static uint8_t out[EDNS_UDP_SIZE];
	/* As nighd calls it: not compiled for this one caller. */
	size_t (*volatile answer)(struct responder *, const struct snapshot *, enum stats_transport,
	                          const struct addr *, const uint8_t *, size_t, uint8_t *) =
		respond;

	b->snapshot = world_build(b->world);
	/* The clock stands still: what is asked for again and again is over the limit, but exempt. */
	rrl_set_now(b->responder.limits, 1000000);
	for (int is_counted = 0; is_counted < 2; is_counted++) {
		if (is_counted)
			CALLGRIND_START_INSTRUMENTATION;
		for (unsigned i = 0; i < QUESTIONS; i++) {
			CHECK(answer(&b->responder, b->snapshot, STATS_UDP, &client,
			             b->packet[i].data, b->packet[i].len, out) > 0);
		}
	}
	CALLGRIND_DUMP_STATS_AT(label);
	CALLGRIND_STOP_INSTRUMENTATION;
	printf("%s %d\n", label, QUESTIONS);
}

/* 20,000 names of one address, as the kit writes them; `absent` in a hundred questions are for others. */
static void run_static(const char *label, unsigned absent, const struct asking *how)
{
	struct bench *b = xcalloc(1, sizeof *b);
	char text[64];

	set_up(b, "example.test");
	for (unsigned i = 0; i < NAMES; i++) {
		char record[64];

		snprintf(text, sizeof text, "h%07u.example.test", i);
		snprintf(record, sizeof record, "300 A 10.%u.%u.%u", i >> 16, i >> 8 & 255,
		         i & 255);
		world_put(b->world, text, record, NULL);
	}
	for (unsigned i = 0; i < QUESTIONS; i++) {
		bool is_absent = random_below(100) < absent;

		snprintf(text, sizeof text, "%c%07u.example.test A", is_absent ? 'x' : 'h',
		         random_below(NAMES));
		b->packet[i].len = world_query(text, how, b->packet[i].data);
	}
	measure(b, label);
}

static void add_networks(struct bench *b)
{
	struct text csv = {0};

	for (unsigned i = 0; i < NETWORKS; i++)
		text_printf(&csv, "%u.%u.0.0/16,%d,%d\n", 1 + i / 256 * 3, i % 256,
		            (int)random_below(120) - 60, (int)random_below(360) - 180);
	world_networks(b->world, csv.data);
	text_fini(&csv);
}

/* A service that each cluster has. */
static void put_everywhere(struct bench *b, unsigned service, unsigned clusters,
                           const char *capacity)
{
	char *line[CLUSTERS], name[64];

	for (unsigned i = 0; i < clusters; i++) {
		line[i] = xcalloc(1, 64);
		snprintf(line[i], 64, "c%03u%s: 30 A 10.%u.%u.%u", i, capacity, 200 + i / 256,
		         i % 256, service);
	}
	snprintf(name, sizeof name, "r%03u.bench.fed.svc.geo.test", service);
	world_put_site_lines(b->world, name, NULL, (const char *const *)line, clusters);
	for (unsigned i = 0; i < clusters; i++)
		free(line[i]);
}

/* With which policy, while one cluster is drained or none; `all` is in none but the last. */
enum by { BY_DEFAULTS, BY_STAGES, BY_STAGES_WITH_DRAIN, BY_STAGES_AND_ALL };

/* Every stage of a policy; shares decide among those that the others leave equal. */
static void use_stages(struct bench *b, enum by by)
{
	static struct bytes country = {(const uint8_t *)"DE", 2};
	static const uint16_t all[] = {0, 1, 2}, tier[] = {0, 0, 0};
	static const int32_t bias[] = {100, 100, 100};
	static const uint32_t weight[64] = {[3] = 50, [8] = 30, [13] = 20};
	static struct rules_fence fence = {
		.countries = &country, .country_count = 1, .clusters = all, .cluster_count = 3};
	static struct rules rules = {
		.stages = {RULES_FENCE, RULES_TIER, RULES_LATENCY, RULES_NEAREST},
		.stage_count = 4,
		.fences = &fence,
		.fence_count = 1,
		.tier = tier,
		.bias_km = bias};
	static struct policy policy = {
		.weight = weight, .cluster_count = 64, .is_capacity = true, .bucket_ipv4 = 20};

	policy.all = by == BY_STAGES_AND_ALL;
	policy.max_addresses = policy.all ? 2 : 0;
	policy.ranking = world_rank_by(b->world, &rules);
	world_policy(b->world, 1, &policy);
	world_use_policy(b->world, 1);
}

/* Services that each cluster has, the clusters in so many places, and clients of random networks. */
static void run_geo(const char *label, unsigned clusters, unsigned places, enum by by)
{
	struct bench *b = xcalloc(1, sizeof *b);
	char text[128], subnet[32];

	set_up(b, "geo.test");
	for (unsigned i = 0; i < clusters; i++) {
		unsigned place = i % places;

		snprintf(text, sizeof text, "c%03u", i);
		world_cluster(b->world, text, place * 37 % 120 - 60.0 + 0.5,
		              place * 101 % 360 - 180.0 + 0.5);
	}
	if (by == BY_STAGES_WITH_DRAIN)
		world_drain(b->world, "c000", true);
	add_networks(b);
	if (by != BY_DEFAULTS)
		use_stages(b, by);
	for (unsigned k = 0; k < SERVICES; k++)
		put_everywhere(b, k, clusters, by != BY_DEFAULTS ? "=8" : "");
	for (unsigned i = 0; i < QUESTIONS; i++) {
		unsigned network = random_below(NETWORKS);

		snprintf(subnet, sizeof subnet, "%u.%u.%u.0/24", 1 + network / 256 * 3,
		         network % 256, random_below(256));
		snprintf(text, sizeof text, "r%03u.bench.fed.svc.geo.test A",
		         random_below(SERVICES));
		b->packet[i].len =
			world_query(text, &(struct asking){.ecs = subnet}, b->packet[i].data);
	}
	measure(b, label);
}

int main(void)
{
	run_static("edns", 0, &(struct asking){.edns = 1232});
	run_static("nx", 50, &(struct asking){.edns = 1232});
	run_static("cookie", 0, &(struct asking){.options = "000a00080102030405060708"});
	run_geo("geo3", 3, 3, BY_DEFAULTS);
	run_geo("geo30", 30, 30, BY_DEFAULTS);
	run_geo("geo300", 300, 300, BY_DEFAULTS);
	/* Several clusters in each place. */
	run_geo("tie30", 30, 16, BY_DEFAULTS);
	run_geo("tie300", 300, 16, BY_DEFAULTS);
	run_geo("tie3", 3, 1, BY_DEFAULTS);
	/* As geo3 by a policy of every stage but `all`; the same with all clusters in one place, so that three are weighed; with one
	 * drained; and with `all`, which tells two of them. */
	run_geo("stages3", 3, 3, BY_STAGES);
	run_geo("shares3", 3, 1, BY_STAGES);
	run_geo("drain3", 3, 3, BY_STAGES_WITH_DRAIN);
	run_geo("all3", 3, 3, BY_STAGES_AND_ALL);
	return 0;
}
