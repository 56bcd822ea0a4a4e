/* facts.h -- all facts of all clusters, and what changed since the last build.
 *
 * Held by the control thread: the watcher puts and removes, records_build()
 * reads and takes the changes.  Clusters are named by a small id that stays
 * theirs as long as the process lives; 0 is the host.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_FACTS_H
#define RECORDS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/fact.h"

struct facts;

enum { FACTS_HOST = 0, FACTS_MAX_CLUSTERS = 4096 };

/* What is known of a cluster as a source, besides its objects. */
enum knowledge {
	KNOWLEDGE_NEVER, /* configured, nothing seen nor restored yet */
	KNOWLEDGE_SYNCED,
	KNOWLEDGE_UNSEEN /* last known data, from state or from before it was lost */
};
enum cluster_source {
	CLUSTER_MANIFESTS,
	CLUSTER_KUBERNETES,
	CLUSTER_MEMBER,
	CLUSTER_SITES /* nobody looks at it: published sites of the host name it; never in facts */
};

struct cluster_state {
	bool registered; /* false: removed from the registry; its facts are gone too */
	enum cluster_source source;
	enum knowledge knowledge;
	uint64_t since_ms; /* monotonic: when knowledge last changed to what it is */
	char error[256];   /* why it is unseen; "" otherwise */
};

struct facts *facts_new(void);
void facts_free(struct facts *f);

/* The id of a name, given on first use; FACTS_HOST for "".  UINT16_MAX when the table is full. */
uint16_t facts_cluster_id(struct facts *f, struct bytes name);
/* The same, but none is given: UINT16_MAX when it has none. */
uint16_t facts_find_cluster(const struct facts *f, struct bytes name);
const char *facts_cluster_name(const struct facts *f, uint16_t id);
/* One more than the highest id given. */
uint16_t facts_cluster_count(const struct facts *f);
const struct cluster_state *facts_cluster(const struct facts *f, uint16_t id);
/* The state of what its sites are known by: its own, or the host's where nobody registered it, as published sites name it. */
const struct cluster_state *facts_cluster_behind(const struct facts *f, uint16_t id);
/* A change of anything but since_ms and error counts as a change to rebuild for. */
void facts_set_cluster(struct facts *f, uint16_t id, const struct cluster_state *state);

/* Puts a fact (takes the reference) under its own key; false: the same was there. */
bool facts_put(struct facts *f, uint16_t cluster, const struct fact *fact);
/* It is gone; false: it was not there. */
bool facts_remove(struct facts *f, uint16_t cluster, enum fact_kind kind, struct bytes namespace,
                  struct bytes name);
/* Borrowed; NULL when absent. */
const struct fact *facts_find(const struct facts *f, uint16_t cluster, enum fact_kind kind,
                              struct bytes namespace, struct bytes name);
/* Every fact of a cluster (kind 0: of all kinds), in no order; no change meanwhile. */
typedef void facts_on_fact_fn(uint16_t cluster, const struct fact *fact, void *arg);
void facts_each(const struct facts *f, uint16_t cluster, int kind, facts_on_fact_fn *on_fact,
                void *arg);
size_t facts_count(const struct facts *f);

/* One key whose fact differs from what it was at the last facts_take_changes(). */
struct fact_change {
	uint16_t cluster;
	const struct fact *before; /* NULL: new */
	const struct fact *after;  /* NULL: gone */
};
bool facts_has_changes(const struct facts *f);
/* Changes since the last call, each key once.  The array and its references
 * stay good until facts_drop_changes(), which must follow before the next put.
 * *clusters_changed: some cluster_state changed. */
const struct fact_change *facts_take_changes(struct facts *f, size_t *count,
                                             bool *clusters_changed);
void facts_drop_changes(struct facts *f);

#endif
