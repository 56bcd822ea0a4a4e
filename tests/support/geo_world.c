/* geo_world.c -- few values in few bits, so that networks and places meet. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/geo_world.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "tests/support/geo_files.h"

enum { MAX_POOL = 24 };

uint64_t geo_world_draw(struct geo_world *w, uint64_t below)
{
	return hash_mix(w->seed, w->drawn++) % below;
}

static struct place draw_place(struct geo_world *w)
{
	return (struct place){(double)geo_world_draw(w, 18001) / 100 - 90,
	                      (double)geo_world_draw(w, 36001) / 100 - 180};
}

/* Near others, exactly at others, anywhere, or without a place. */
static void draw_clusters(struct geo_world *w)
{
	w->cluster_count = 1 + geo_world_draw(w, GEO_WORLD_CLUSTERS);
	for (size_t i = 0; i < w->cluster_count; i++) {
		struct ranking_cluster *c = &w->clusters[i];
		uint64_t kind = geo_world_draw(w, 8);

		snprintf(w->names[i], sizeof(w->names[i]), "%c%u",
		         (char)('a' + geo_world_draw(w, 26)), (unsigned)i);
		*c = (struct ranking_cluster){
			.id = (uint16_t)(i * 3), .name = w->names[i], .has_place = true};
		c->place = draw_place(w);
		if (i > 0 && kind <= 1) {
			c->has_place = w->clusters[i - 1].has_place;
			c->place = w->clusters[i - 1].place;
			/* 0.006 degrees are 667 m: chains of near ones come about. */
			c->place.latitude +=
				(double)kind * (c->place.latitude < 0 ? 0.006 : -0.006);
		} else if (kind == 2) {
			c->has_place = false;
		}
	}
	w->unknown_order[0] = w->names[geo_world_draw(w, w->cluster_count)];
	w->unknown_order[1] = "nobody";
	w->unknown_order[2] = w->names[geo_world_draw(w, w->cluster_count)];
}

static struct addr mapped(const struct addr *v4)
{
	struct addr a = {.family = ADDR_IPV6, .bytes = {[10] = 0xff, [11] = 0xff}};

	memcpy(a.bytes + 12, v4->bytes, 4);
	return a;
}

static struct addr draw_plain_addr(struct geo_world *w)
{
	struct addr a = {.family = geo_world_draw(w, 2) == 0 ? ADDR_IPV4 : ADDR_IPV6};
	uint64_t r = hash_mix(w->seed, w->drawn++);

	/* Few values in the first bytes, so that networks meet. */
	a.bytes[0] = (uint8_t)(r & 0xc0);
	a.bytes[1] = (uint8_t)(r >> 8 & 0x81);
	a.bytes[2] = (uint8_t)(r >> 16 & 0xf0);
	a.bytes[3] = (uint8_t)(r >> 24 & 0x9f);
	for (int i = 4; a.family == ADDR_IPV6 && i < 16; i++)
		a.bytes[i] = (uint8_t)(i % 3 == 0 ? r >> 32 & 0x11 : 0);
	return a;
}

/* Plain, or in ::ffff:0:0/96, or a bit beside it. */
static struct addr draw_addr(struct geo_world *w)
{
	struct addr a = draw_plain_addr(w);
	unsigned bit;

	if (a.family != ADDR_IPV4 || geo_world_draw(w, 2) == 0)
		return a;
	a = mapped(&a);
	bit = (unsigned)geo_world_draw(w, 192);
	if (bit < 96)
		a.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	return a;
}

static bool is_new(const struct geo_world *w, const struct addr_network *n)
{
	for (size_t i = 0; i < w->network_count; i++)
		if (w->networks[i].len == n->len && addr_equal(&w->networks[i].addr, &n->addr))
			return false;
	return true;
}

static void draw_networks(struct geo_world *w)
{
	enum { LABELS = 6 };
	static const char *const labels[LABELS] = {"", "DE", "US", "US-CA", "office", "JP"};
	struct place pool[MAX_POOL];
	size_t pool_count = 1 + geo_world_draw(w, MAX_POOL),
	       wanted = geo_world_draw(w, GEO_WORLD_NETWORKS);

	for (size_t i = 0; i < pool_count; i++)
		pool[i] = draw_place(w);
	for (size_t i = 0; i < wanted; i++) {
		struct addr_network n = {.addr = draw_addr(w)};

		n.len = (uint8_t)geo_world_draw(w, addr_bits(&n.addr) + 1u);
		if (geo_world_draw(w, 2) == 0)
			n.len = (uint8_t)geo_world_draw(w, 20);
		n.addr = addr_masked(&n.addr, n.len);
		n = addr_network_unmapped(&n);
		if (!is_new(w, &n))
			continue;
		w->networks[w->network_count] = n;
		w->labels[w->network_count] =
			labels[hash_mix(w->seed + 1, w->network_count) % LABELS];
		w->places[w->network_count++] = pool[geo_world_draw(w, pool_count)];
	}
}

static struct geodb *make_geodb(const struct geo_world *w)
{
	char network[ADDR_NETWORK_TEXT_SIZE], *path, *errors = NULL;
	struct text csv = {0};
	struct geodb *g = NULL;

	for (size_t i = 0; i < w->network_count; i++)
		text_printf(&csv, "%s,%.2f,%.2f,%s\n", addr_network_print(&w->networks[i], network),
		            w->places[i].latitude, w->places[i].longitude, w->labels[i]);
	path = geo_file_new((struct bytes){(const uint8_t *)csv.data, csv.len});
	if (geodb_open(NULL, 0, path, NULL, &g, &errors) != ERR_OK)
		CHECK(errors == NULL);
	geo_file_remove(path);
	text_fini(&csv);
	return g;
}

/* The first by name of those that count as one place with a cluster. */
static size_t leader_of(const struct geo_world *w, size_t cluster)
{
	bool reached[GEO_WORLD_CLUSTERS] = {false}, grows = true;
	size_t leader = cluster;

	for (reached[cluster] = true; grows;) {
		grows = false;
		for (size_t i = 0; i < w->cluster_count; i++)
			for (size_t k = 0; k < w->cluster_count; k++) {
				const struct ranking_cluster *a = &w->clusters[i],
							     *b = &w->clusters[k];
				bool is_one = a->has_place == b->has_place &&
				              (!a->has_place ||
				               place_distance_km(&a->place, &b->place) <= 1.0);

				if (reached[i] && !reached[k] && is_one)
					reached[k] = grows = true;
			}
	}
	for (size_t i = 0; i < w->cluster_count; i++)
		if (reached[i] && strcmp(w->names[i], w->names[leader]) < 0)
			leader = i;
	return leader;
}

void geo_world_init(struct geo_world *w, uint64_t seed)
{
	*w = (struct geo_world){.seed = seed};
	draw_clusters(w);
	draw_networks(w);
	for (size_t i = 0; i < w->cluster_count; i++)
		w->leader[i] = leader_of(w, i);
	w->g = make_geodb(w);
}

void geo_world_fini(struct geo_world *w)
{
	ranking_free(w->r);
	geodb_free(w->g);
}

int geo_world_network(const struct geo_world *w, const struct addr *client)
{
	struct addr a = addr_unmapped(client);
	int best = -1;

	for (size_t i = 0; i < w->network_count; i++)
		if (addr_network_has(&w->networks[i], &a) &&
		    (best < 0 || w->networks[i].len > w->networks[best].len))
			best = (int)i;
	return best;
}

const struct place *geo_world_place(const struct geo_world *w, const struct addr *client)
{
	int network = geo_world_network(w, client);

	return network < 0 ? NULL : &w->places[network];
}

struct addr geo_world_probe(struct geo_world *w)
{
	struct addr a = draw_addr(w);
	const struct addr_network *n;

	if (w->network_count == 0 || geo_world_draw(w, 3) == 0)
		return a;
	/* At the edges of a network: its first and last address, and those outside. */
	n = &w->networks[geo_world_draw(w, w->network_count)];
	a = n->addr;
	for (unsigned i = n->len; geo_world_draw(w, 2) == 0 && i < addr_bits(&a); i++)
		a.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (n->len > 0 && geo_world_draw(w, 2) == 0)
		a.bytes[(n->len - 1) / 8] ^= (uint8_t)(0x80 >> (n->len - 1) % 8);
	return a.family == ADDR_IPV4 && geo_world_draw(w, 3) == 0 ? mapped(&a) : a;
}

/* When the network holds all of ::ffff:0:0/96, every other one is from there. */
struct addr geo_world_inside(struct geo_world *w, const struct addr *a, uint8_t depth)
{
	static const struct addr zero = {.family = ADDR_IPV4};
	struct addr inside = addr_masked(a, depth), first = mapped(&zero);

	if (depth < 96 && addr_network_has(&(struct addr_network){inside, depth}, &first) &&
	    geo_world_draw(w, 2) == 0) {
		inside = first;
		depth = 96;
	}
	for (unsigned i = depth; i < addr_bits(a); i++)
		if (geo_world_draw(w, 2) == 1)
			inside.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return inside;
}
