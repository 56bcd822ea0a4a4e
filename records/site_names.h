/* site_names.h -- which clusters the published sites of the host name (DNSEndpoints labelled nigh.dev/sites).
 *
 * Such a cluster has sites though nobody may look at it.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_SITE_NAMES_H
#define RECORDS_SITE_NAMES_H

#include <stdbool.h>

#include "records/facts.h"
#include "records/tally.h"

/* So many ids are given to names of clusters that nobody registered: there must be some left for who is. */
enum { SITE_NAMES_MOST = FACTS_MAX_CLUSTERS / 2 };

struct site_names { /* zeroed but for the key: none */
	struct hash_key key;
	struct tally uses; /* by name: endpoints that name it */
	size_t count;      /* of these endpoints */
};

void site_names_fini(struct site_names *n);
/* The sites of an object are there, or are not any more; who is new to `f` is given an id, while there are any.  True: other
 * clusters than before are named. */
bool site_names_put(struct site_names *n, struct facts *f, const struct fact *object);
bool site_names_remove(struct site_names *n, const struct fact *object);
bool site_names_has(const struct site_names *n, struct bytes cluster);
/* Are there any?  Then who is registered nowhere and has a KubeFedCluster has no site only at the moment. */
bool site_names_any(const struct site_names *n);

#endif
