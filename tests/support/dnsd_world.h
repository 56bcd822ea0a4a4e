/* dnsd_world.h -- small worlds of zones, clusters and clients, for dnsd's tests.
 *
 * A world is built from short lines of text, published by zones_build(), and asked as if
 * over the wire; what it answers is read back by ldns and printed in one fixed form.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_DNSD_WORLD_H
#define TESTS_SUPPORT_DNSD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "dnsd/respond.h"
#include "zones/build.h"

struct world;

/* Ready, degraded TTL 5, policy nearest; no zones yet. */
struct world *world_new(void);
void world_free(struct world *w);
struct zones *world_zones(struct world *w);

/* "example.com example.org": SOA and NS (ns1.<zone>, 192.0.2.53) with TTL 3600, negative TTL 60.
 * Call once, first. */
void world_zones_are(struct world *w, const char *apexes);
/* What world_settings() changes takes effect with the next world_build(). */
struct snapshot_settings *world_settings(struct world *w);

/* A cluster; lat and lon outside the earth: no place.  Again: changes it. */
void world_cluster(struct world *w, const char *name, double lat, double lon);
void world_drain(struct world *w, const char *name, bool drained);
/* Its data are the last known; takes effect with the next world_build(). */
void world_unseen(struct world *w, const char *name, bool unseen);
/* Text of a networks CSV ("network,latitude,longitude" lines); NULL: nobody has a place. */
void world_networks(struct world *w, const char *csv);
/* Verdicts of probes by index. */
void world_probes(struct world *w, const bool *down, size_t count);

/* The share of a cluster's clients that it must not have (of SNAPSHOT_EVERYBODY), and the most that its answers' TTL may be. */
void world_withhold(struct world *w, const char *name, uint32_t withheld, uint32_t ttl_most);
/* Which holds wait. */
void world_waits(struct world *w, const bool *waits, size_t count);

/* A traffic policy, number 1 or more; borrowed.  Without a ranking it has that of `defaults`, without buckets 24 and 48. */
void world_policy(struct world *w, uint32_t number, const struct policy *policy);
/* The same by those rules: its ranking is made and kept by the world. */
void world_policy_by(struct world *w, uint32_t number, struct policy *policy,
                     const struct rules *rules);
/* A ranking of the world's clusters, whose indexes are in the order that they came in, and networks; the caller's. */
struct ranking *world_rank_by(struct world *w, const struct rules *rules);
/* Names with sites that are put from now on have that policy. */
void world_use_policy(struct world *w, uint32_t number);
/* The number of a cluster in arrays of a policy. */
uint16_t world_cluster_id(struct world *w, const char *name);

/* A name with fixed records: lines "TTL TYPE RDATA", NULL at the end. */
void world_put(struct world *w, const char *name, ...);
/* A name with sites: lines "CLUSTER: TTL TYPE RDATA"; "CLUSTER:" has no records; "CLUSTER!:" has
 * no ready endpoint; "CLUSTER#3:" is probed as index 3; "CLUSTER=5:" has a capacity of 5; "CLUSTER@2:" has hold 2;
 * "CLUSTER~9:" flaps, by its endpoints, which are as they are since second 1, and is held down until second 9;
 * "CLUSTER%3/10:" has 3 of 10 endpoints ready, of which half are wanted.
 * `fallback` NULL: fails open. */
void world_put_sites(struct world *w, const char *name, const char *fallback, ...);
/* The same of `count` lines. */
void world_put_site_lines(struct world *w, const char *name, const char *fallback,
                          const char *const *lines, size_t count);

/* What a config of this YAML says of the wire; cookies have a secret that is always the same. */
void world_terms(struct world *w, const char *yaml);

const struct snapshot *world_build(struct world *w);

/* How to ask; a zeroed one is a plain query from 192.0.2.99. */
struct asking {
	const char *resolver; /* source address */
	unsigned edns;        /* UDP size announced; 0: no OPT */
	bool dnssec_ok;
	const char *ecs;     /* "198.51.100.0/24"; implies EDNS */
	const char *options; /* further options in hex: "00030000" asks for NSID; implies EDNS */
	bool tcp, tls;
};

/* A query packet for "NAME TYPE"; returns its length. */
size_t world_query(const char *question, const struct asking *how, uint8_t packet[512]);
/* Asks and returns the raw answer's length. */
size_t world_ask_raw(struct world *w, const char *question, const struct asking *how, uint8_t *out);
/* Asks and prints: "RCODE[ aa][ tc][ scope=N][ ede=N]" and per record " / an OWNER TTL TYPE
 * RDATA" (an, ns, ar; spaces single).  Valid until the next call. */
const char *world_ask(struct world *w, const char *question, const struct asking *how);

#endif
