/* tables.h -- the parts of a snapshot that change without any name: copied and frozen.
 *
 * Each is made from what the wiring gave; tables_same_x() tells whether it says anything new.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_TABLES_H
#define ZONES_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "zones/build.h"
#include "zones/frozen.h"

struct clusters *tables_clusters(const struct snapshot_cluster *cluster, size_t count);
bool tables_same_clusters(const struct clusters *a, const struct clusters *b);
struct probes *tables_probes(const struct zones_probe *probe, size_t count);
bool tables_same_probes(const struct probes *a, const struct probes *b);
struct votes *tables_votes(const struct snapshot_votes *votes);
bool tables_same_votes(const struct votes *a, const struct votes *b);
struct report *tables_report(const struct snapshot_report *report);
bool tables_same_report(const struct report *a, const struct report *b);
/* Takes the ranking; NULL: one that knows nothing. */
struct ranked *tables_ranked(const struct ranking *take_ranking);
/* One more use of each ranking. */
struct policies *tables_policies(const struct policy *policy, size_t count);
bool tables_same_policies(const struct policies *a, const struct policies *b);
struct waiting *tables_waiting(const bool *waits, size_t count);
bool tables_same_waiting(const struct waiting *a, const struct waiting *b);
/* Takes the terms; NULL: none. */
struct carried *tables_carried(const struct terms *take_terms,
                               void (*on_free)(const struct terms *terms));

#endif
