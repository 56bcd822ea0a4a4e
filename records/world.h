/* world.h -- all that the makers of names may look at.
 *
 * Borrowed from struct records for the time of one build.  A maker reads it,
 * counts its wants, says its notes, and changes nothing else.  Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_WORLD_H
#define RECORDS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "records/apexes.h"
#include "records/build.h"
#include "records/clusters.h"
#include "records/facts.h"
#include "records/gateways.h"
#include "records/links.h"
#include "records/notes.h"
#include "records/policy_index.h"
#include "records/wants.h"

struct world {
	struct hash_key key; /* of every hash in this room */
	const struct records_settings *settings;
	const struct facts *facts;
	const struct apexes *apexes;
	const struct clusters *clusters;
	const struct policies *policies;
	const struct policy_index *policy_index; /* NULL: no policies */
	const struct tally *endpoints;           /* of Services, by world_id() */
	const struct gateways *gateways;
	const struct links *annotated; /* by owner_hash() of the host names they carry */
	struct wants *wants;
	struct notes *notes;   /* NULL: nobody listens */
	struct arena *arena;   /* for what the product points to */
	struct arena *scratch; /* for one maker's working values */
};

/* Of an object of a cluster. */
uint32_t world_hash_object(const struct world *w, uint16_t cluster, struct bytes namespace,
                           struct bytes name);

/* The same for a tally. */
uint64_t world_id(const struct world *w, uint16_t cluster, struct bytes namespace,
                  struct bytes name);

/* Has the Service of that cluster a ready endpoint? */
bool world_is_ready(const struct world *w, uint16_t cluster, struct bytes namespace,
                    struct bytes service);

/* Its endpoints in all its slices; nothing where there is none. */
struct world_count {
	uint32_t slices, ready, total;
};
struct world_count world_count_endpoints(const struct world *w, uint16_t cluster,
                                         struct bytes namespace, struct bytes service);

/* "Kind namespace/name", or "config zone NAME" of what nighd's own config writes; from the arena. */
const char *world_title(const struct world *w, const struct fact *fact);
/* The order of sources of one name: <0 when a comes first. */
int world_compare(const struct fact *a, const struct fact *b);

/* recordTTL of a KubeFed record: 180 when 0 or negative; what is over 2^31-1 is cut, and noted. */
uint32_t world_record_ttl(const struct world *w, const char *title, int64_t ttl);

#endif
