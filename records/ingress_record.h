/* ingress_record.h -- the hosts of an IngressDNSRecord.
 *
 * Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_INGRESS_RECORD_H
#define RECORDS_INGRESS_RECORD_H

#include "records/draft.h"
#include "records/world.h"

void ingress_record_make(const struct world *w, uint32_t source, const struct fact *fact,
                         struct draft *d);

#endif
