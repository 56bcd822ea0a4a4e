/* build.h -- endpoints in, the next snapshot out: the room's single entrance.
 *
 * One per process, on the control thread.  Edits are gathered, zones_build()
 * makes a frozen snapshot that shares all that did not change with the one
 * before, and publishes it; what was replaced is freed when no worker can hold it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_BUILD_H
#define ZONES_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "records/endpoint.h"
#include "zones/handover.h"
#include "zones/snapshot.h"

struct zones;
struct zonefile;

struct zones_nameserver {
	struct bytes name;            /* wire form */
	const struct addr *addresses; /* published when the name is inside the zone */
	size_t address_count;
};
struct zones_zone {
	struct bytes apex;                          /* wire form */
	uint32_t ttl;                               /* of SOA and NS, and their addresses */
	uint32_t negative_ttl;                      /* SOA MINIMUM */
	const struct zones_nameserver *nameservers; /* at least one */
	size_t nameserver_count;
	uint32_t serial; /* the last one ever served (from state); 0: none */
	bool has_file; /* a zone file: until zones_set_file() has given it, what clusters do not have is not denied */
};

struct zones *zones_new(void);
/* All workers must have left the handover. */
void zones_free(struct zones *z);
/* Where snapshots are published; lives as long as `z`. */
struct handover *zones_handover(struct zones *z);

/* The set of zones, all at once.  When apexes come or go, every name is
 * forgotten and must be put again (records_result.everything). Serials are kept by apex. */
void zones_set_zones(struct zones *z, const struct zones_zone *zone, size_t count);
/* One name's endpoint, new or changed; outside every zone: passed over.  RDATA that
 * does not parse, a CNAME beside other data and the like are left out, each with a problem. */
void zones_put(struct zones *z, const struct endpoint *e);
void zones_remove(struct zones *z, struct bytes owner); /* wire form */

/* What changes at a site that was put while all else of its name stays. */
struct zones_amendment {
	struct endpoint_past past;
	uint16_t capacity; /* 0: as it is */
};
/* Nothing happens when there is no such site, or it does not show. */
void zones_amend(struct zones *z, struct bytes owner, uint16_t cluster,
                 const struct zones_amendment *change);

/* A zone's file, which differs as it tells itself from the one in force; NULL: it has none any more.  Borrowed until the
 * next of the zone (over zones_set_zones() too), or until the zone goes.  False: there is no such zone. */
bool zones_set_file(struct zones *z, struct bytes apex, const struct zonefile *file);
/* What zonefile_read() needs of it; always the same. */
struct name_key zones_key(const struct zones *z);

/* Tables (copied). */
void zones_set_clusters(struct zones *z, const struct snapshot_cluster *clusters, size_t count);
struct zones_probe {
	bool down;
	uint64_t at_ms;
};
void zones_set_probes(struct zones *z, const struct zones_probe *probes, size_t count);
void zones_set_votes(struct zones *z, const struct snapshot_votes *votes);
void zones_set_settings(struct zones *z, const struct snapshot_settings *settings);
void zones_set_ranking(struct zones *z, const struct ranking *take_ranking);
/* The traffic policies by number, those that are not there with a ranking of NULL; number 0 is not looked at, for that is made
 * of the settings and zones_set_ranking().  Copied; of rankings one more use is counted. */
void zones_set_policies(struct zones *z, const struct policy *policies, size_t count);
/* Which sites that came back must still wait, by the index of endpoint_site.hold.  Copied. */
void zones_set_waiting(struct zones *z, const bool *waits, size_t count);
/* What is handed over with each snapshot from now on.  Takes it (NULL: nothing): on_free gets it on this
 * thread when no worker can hold it any more. */
void zones_set_terms(struct zones *z, const struct terms *take_terms,
                     void (*on_free)(const struct terms *terms));
/* Copied whole. */
void zones_set_report(struct zones *z, const struct snapshot_report *report);

/* Publishes when anything differs.  Serials of zones whose data changed become
 * max(last + 1, unix_s) (RFC 1982 arithmetic).  Returns the current snapshot, good until the next call. */
const struct snapshot *zones_build(struct zones *z, int64_t unix_s);

/* What follows from all that was put, with the serials as zones_build(), which does it too: before
 * zones_each_problem(), or what came last is not told yet. */
void zones_settle(struct zones *z, int64_t unix_s);
/* RDATA and names that were refused: "where" is the source, one line each, sorted; kept until the name changes. */
typedef void zones_on_problem_fn(const char *where, const char *message, void *arg);
void zones_each_problem(const struct zones *z, zones_on_problem_fn *fn, void *arg);

/* The zone's serial as published next is one after `serial`, unless it is so already.  Another process has published
 * that one. */
void zones_raise_serial(struct zones *z, struct bytes apex, uint32_t serial);

/* Bytes held by names and trees, for metrics. */
size_t zones_memory(const struct zones *z);

#endif
