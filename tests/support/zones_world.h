/* zones_world.h -- small zones for tests, put together from text.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ZONES_WORLD_H
#define TESTS_ZONES_WORLD_H

#include <stdbool.h>

#include "zones/build.h"

/* Wire form of a name; at most eight results live at once. */
struct bytes zworld_wire(const char *name);
/* The name taken apart with the snapshot's key. */
struct name zworld_name(const char *name);
/* The node of that very name, which must be there. */
const struct node *zworld_node(const struct snapshot *s, const char *name);

/* Zones of these apexes (separated by spaces), each with ns1.APEX at 192.0.2.53, TTL 30, negative TTL 20. */
void zworld_set_zones(struct zones *z, const char *apexes);

/* Fixed records, each "TTL TYPE RDATA", ended by NULL; A and AAAA go in as addresses. The source is "test NAME". */
void zworld_put(struct zones *z, const char *name, ...) __attribute__((sentinel));
void zworld_put_list(struct zones *z, const char *name, const char *const *records, size_t count);

/* A site: cluster, layers, records as above ("" or NULL: none). */
struct zworld_site {
	uint16_t cluster;
	uint8_t layers;
	const char *record;
	uint32_t probe; /* its only probe, UINT32_MAX: none */
};
void zworld_put_sites(struct zones *z, const char *name, const struct zworld_site *sites,
                      size_t count, const char *fallback, bool fail_open);
/* The same of a name with a traffic policy, and what few sites have (NULL: none has it); no fallback, fails open. */
struct zworld_more {
	uint32_t hold;
	uint16_t capacity, ready, endpoints;
};
void zworld_put_by_policy(struct zones *z, const char *name, uint32_t policy,
                          const struct zworld_site *sites, const struct zworld_more *more,
                          size_t count);
void zworld_remove(struct zones *z, const char *name);

/* Clusters "c0" .. of ids 0 .., all up and synced. */
void zworld_set_clusters(struct zones *z, size_t count);

/* For cmocka: the state is zones, of example.com and three clusters. */
int zworld_setup(void **state);
int zworld_teardown(void **state);

/* snapshot_print(); the caller frees. */
char *zworld_print(const struct snapshot *s);
/* All problems, "WHERE: MESSAGE\n" each; the caller frees. */
char *zworld_problems(const struct zones *z);

/* What zone_find() says of a name, as "exact www.example.com. 3"; static memory. */
const char *zworld_find(const struct snapshot *s, const char *name);

/* Deterministic randomness: a step of splitmix64. */
uint64_t zworld_random(uint64_t *state);

#endif
