/* published_record.h -- the names of a DNSEndpoint of published sites: each cluster's addresses are a site of its own.
 *
 * What nigh-propagator --publish-sites wrote of a record (docs/dns-data.md), where that record itself is not known.
 * Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_PUBLISHED_RECORD_H
#define RECORDS_PUBLISHED_RECORD_H

#include "records/draft.h"
#include "records/world.h"

/* Before service-X or ingress-X, in the name of the object. */
#define PUBLISHED_RECORD_PREFIX "nigh-"

/* The record that the object is of: its kind and name; `record` 0: it is not named after one, and speaks for itself. */
struct policy_subject published_record_subject(const struct fact *fact);

void published_record_make(const struct world *w, uint32_t source, const struct fact *fact,
                           struct draft *d);

#endif
