/* policy_index.h -- which policy decides for a name.
 *
 * Frozen: made anew when a policy or a zone came, went or has other targets.  Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_POLICY_INDEX_H
#define RECORDS_POLICY_INDEX_H

#include <stdint.h>

#include "base/hash.h"
#include "records/apexes.h"
#include "records/policies.h"

struct policy_index;

/* NULL: there is no policy. */
struct policy_index *policy_index_new(const struct hash_key *key, const struct policies *p,
                                      const struct apexes *apexes);
void policy_index_free(struct policy_index *x);

/* What a name comes from. */
struct policy_subject {
	enum policy_target_kind record; /* 0: no object of the host */
	enum policy_target_kind app;    /* POLICY_SERVICE, POLICY_INGRESS; 0: neither */
	struct bytes namespace, name;   /* of both */
};

/* The number of the policy for a name (in wire form); 0: none.  `x` may be NULL. */
uint32_t policy_index_find(const struct policy_index *x, const struct policy_subject *subject,
                           struct bytes owner);

/* A target that two policies want: the numbers of both. */
struct policy_index_conflict {
	uint32_t winner, loser;
	const struct policy_target *target; /* of the loser; until that changes */
};
const struct policy_index_conflict *policy_index_conflicts(const struct policy_index *x,
                                                           size_t *count);

#endif
