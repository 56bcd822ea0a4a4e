/* checks.h -- ways to probe, and sites that must prove themselves: small tables of counted values.
 *
 * Each has an index as long as somebody uses it.  An index that got free is used again from the next
 * build on, so that whoever follows the results sees it free in between.  Private to records, behind
 * wants.h; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_CHECKS_H
#define RECORDS_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "records/build.h"

struct checks;

struct checks *checks_new(const struct hash_key *key);
void checks_free(struct checks *c);

/* One more use of a way to probe; 0, uncounted, for the config's.  `namespace` is that of its Secrets. */
uint32_t checks_take(struct checks *c, struct bytes namespace, const struct policy_check *check);
void checks_keep(struct checks *c, uint32_t index);
void checks_release(struct checks *c, uint32_t index);

/* One more use of a site of a name (in wire form) under a policy. */
uint32_t checks_take_site(struct checks *c, struct bytes owner, uint16_t cluster, uint32_t policy);
void checks_keep_site(struct checks *c, uint32_t index);
void checks_release_site(struct checks *c, uint32_t index);

/* Fills the checks and holds of a result; true: they changed since the last one. */
bool checks_result(struct checks *c, struct records_result *out);

#endif
