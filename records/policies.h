/* policies.h -- the traffic policies there are, by number.
 *
 * A policy keeps its number as long as it is there, and until no name that is given out has it any
 * more; then the number is used again.  0 stands for `defaults`.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_POLICIES_H
#define RECORDS_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "records/build.h"
#include "records/fact.h"

struct policies;

struct policies *policies_new(const struct hash_key *key);
void policies_free(struct policies *p);

/* Takes up a change of a policy's fact (either may be NULL).  True: names may be decided by another one now,
 * or their sites be made otherwise; else names stay as they are.  Ends what policies_get() gave of it. */
bool policies_apply(struct policies *p, const struct fact *before, const struct fact *after);
/* The number of that name, which may be of a policy that is not there (yet); as long as a name has it. */
uint32_t policies_reserve(struct policies *p, struct bytes namespace, struct bytes name);

/* How many numbers there are, 0 included. */
size_t policies_count(const struct policies *p);
/* By number; `is` is NULL where there is none. */
const struct records_policy *policies_get(const struct policies *p, uint32_t number);
bool policies_any(const struct policies *p);
/* Does it look at how many endpoints are ready?  Does any? */
bool policies_look_at_endpoints(const struct policy_value *policy);
bool policies_any_looks_at_endpoints(const struct policies *p);
/* <0: a comes first, where both are for the same. */
int policies_compare(const struct records_policy *a, const struct records_policy *b);

/* A name that had one policy has another; 0 for a name that is new or gone. */
void policies_move_name(struct policies *p, uint32_t from, uint32_t to);
/* The same of the one that each is passed over by; NULL for a name that is new or gone. */
void policies_move_passed(struct policies *p, const struct endpoint *from,
                          const struct endpoint *to);
void policies_each_override(const struct policies *p, records_on_policy_override_fn *fn, void *arg);
/* No name has any: all are given out again. */
void policies_count_anew(struct policies *p);

/* Gives back the numbers that nobody has any more; fills the policies of a result. */
void policies_result(struct policies *p, struct records_result *out);

#endif
