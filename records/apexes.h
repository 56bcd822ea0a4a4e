/* apexes.h -- the zones there are, and which one a name belongs to.
 *
 * From Domain objects of the host and from the settings.  Frozen: made anew
 * when one of them changes.  Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_APEXES_H
#define RECORDS_APEXES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "records/build.h"
#include "records/facts.h"
#include "records/notes.h"

struct apexes;
struct kept_zones;

/* `kept`: Domains that count although they are gone. */
struct apexes *apexes_new(const struct hash_key *key, const struct records_settings *settings,
                          const struct facts *facts, const struct kept_zones *kept,
                          struct notes *notes);
void apexes_free(struct apexes *a);

/* Longest name first. */
const struct records_zone *apexes_list(const struct apexes *a, size_t *count);
bool apexes_equal(const struct apexes *a, const struct apexes *b);
/* The number of the longest zone at or above the name, or -1. */
int apexes_find(const struct apexes *a, struct bytes wire);

/* The zone that the Domain of that name stands for, in wire form; {0} when there is
 * none.  Of several: the one in kube-federation-system, else the oldest. */
struct bytes apexes_domain(const struct apexes *a, struct bytes name);

#endif
