/* geo_world.h -- random worlds for tests of rankings: clusters, and networks with places, nested and adjacent.
 *
 * The same seed gives the same world.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_GEO_WORLD_H
#define TESTS_SUPPORT_GEO_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "geo/ranking.h"

enum { GEO_WORLD_CLUSTERS = 14, GEO_WORLD_NETWORKS = 120 };

struct geo_world {
	uint64_t seed, drawn;
	struct ranking_cluster clusters[GEO_WORLD_CLUSTERS]; /* ids: three times the index */
	char names[GEO_WORLD_CLUSTERS][16];
	size_t cluster_count;
	size_t leader[GEO_WORLD_CLUSTERS]; /* the first by name of those that count as one place */
	const char *unknown_order[3];
	struct addr_network networks[GEO_WORLD_NETWORKS];
	struct place places[GEO_WORLD_NETWORKS];
	const char *labels[GEO_WORLD_NETWORKS]; /* some are codes of countries */
	size_t network_count;
	struct geodb *g;
	struct ranking *r; /* the test's; freed with the world */
};

void geo_world_init(struct geo_world *w, uint64_t seed);
void geo_world_fini(struct geo_world *w);
/* The next random number of the world. */
uint64_t geo_world_draw(struct geo_world *w, uint64_t below);
/* The network whose place an address has, as the CSV's longest match; -1: none. */
int geo_world_network(const struct geo_world *w, const struct addr *client);
const struct place *geo_world_place(const struct geo_world *w, const struct addr *client);
/* An address to ask for: anywhere, or at the edges of a network. */
struct addr geo_world_probe(struct geo_world *w);
/* Another one inside a network of this length around it. */
struct addr geo_world_inside(struct geo_world *w, const struct addr *a, uint8_t depth);

#endif
