/* policy_index.h -- which policy decides for a name.
 *
 * Frozen: made anew when a policy or a zone came, went or has other targets.  Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_POLICY_INDEX_H
#define RECORDS_POLICY_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "records/apexes.h"
#include "records/build.h"
#include "records/notes.h"
#include "records/policies.h"

struct policy_index;

/* So many targets of all policies count, those of the first policies in order; the others are noted. */
enum { POLICY_INDEX_TARGETS_MOST = 65536 };

/* NULL: there is no policy. */
struct policy_index *policy_index_new(const struct hash_key *key, const struct policies *p,
                                      const struct apexes *apexes, struct notes *notes);
void policy_index_free(struct policy_index *x);
/* Are there targets that do not count?  Then any policy may be a matter of any other.  `x` may be NULL. */
bool policy_index_is_cut(const struct policy_index *x);

/* What a name comes from. */
struct policy_subject {
	enum policy_target_kind record; /* 0: no object of the host */
	enum policy_target_kind app;    /* POLICY_SERVICE, POLICY_INGRESS; 0: neither */
	struct bytes namespace, name;   /* of both */
};

/* The number of the policy for a name (in wire form); 0: none.  `x` may be NULL.  *passed_over: the next one, by how exact its
 * target is, that is of another namespace; 0: there is none. */
uint32_t policy_index_find(const struct policy_index *x, const struct policy_subject *subject,
                           struct bytes owner, uint32_t *passed_over);

/* The targets that two policies want.  `x` may be NULL. */
const struct records_policy_conflict *policy_index_conflicts(const struct policy_index *x,
                                                             size_t *count);

#endif
