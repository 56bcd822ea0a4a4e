/* overrides.h -- the names that a policy has and one of another namespace names as well, less exactly.
 *
 * Counted as names are given out; for people.  As many pairs as there are, and one name of each as an example.  Private to
 * records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_OVERRIDES_H
#define RECORDS_OVERRIDES_H

#include "base/hash.h"
#include "records/build.h"

struct overrides;

struct overrides *overrides_new(const struct hash_key *key);
void overrides_free(struct overrides *o); /* NULL is fine */

/* A name (in wire form) is decided by `winner` in place of `loser`; is not any more, having been so. */
void overrides_add(struct overrides *o, uint32_t winner, uint32_t loser, struct bytes owner);
void overrides_remove(struct overrides *o, uint32_t winner, uint32_t loser, struct bytes owner);
void overrides_clear(struct overrides *o);
void overrides_each(const struct overrides *o, records_on_policy_override_fn *fn, void *arg);

#endif
