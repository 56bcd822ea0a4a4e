/* rulebook.h -- the traffic policies in force: from what records found to the snapshot's table.
 *
 * A policy that is new or says something else comes into force with its ranking, which the geo loader makes;
 * until then the last one of that name stays.  Names of a new one get what `defaults` say, but nothing
 * at all when it has a fence that must hold, nor while there is no file, or one was never read, that could tell whose place is in
 * such a fence.
 * Wiring; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_RULEBOOK_H
#define DNSD_RULEBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "dnsd/config.h"
#include "dnsd/geo_loader.h"
#include "records/build.h"
#include "watcher/probe_secrets.h"
#include "watcher/store.h"
#include "zones/build.h"

struct rulebook;

struct rulebook *rulebook_new(void);
void rulebook_free(struct rulebook *b);

/* Policies, clusters or the config are not as before.  Asks for rankings; geo_loader_set_clusters() with the same
 * clusters is to follow. */
void rulebook_set(struct rulebook *b, const struct records_result *r, const struct config *c,
                  struct geo_loader *g);
/* Rankings have come from `g`, as geo_loader_events has them. */
void rulebook_rank(struct rulebook *b, const struct ranking *plain,
                   const struct geo_loader_ranked *ranked, size_t count,
                   const struct geo_loader *g);
/* The table of the snapshot, when it is not as it was given last.  `at_ms`: how old clusters are (wiring_times). */
void rulebook_give(struct rulebook *b, struct zones *z, const struct records_result *r,
                   uint64_t at_ms);

/* Has what /status says of policies changed since it was asked last? */
bool rulebook_is_news(struct rulebook *b);
/* What /status says of each, in the arena, by namespace and name; returns how many.  An object that does not parse is an error of
 * the store.  `secrets`: those that probes name. */
size_t rulebook_report(const struct rulebook *b, const struct records_result *r,
                       const struct records *records, const struct store *store,
                       const struct probe_secrets *secrets, struct arena *arena,
                       const struct snapshot_policy_report **out);

#endif
