/* dns_endpoint.h -- the names of a DNSEndpoint: fixed data, the same for every client.
 *
 * Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_DNS_ENDPOINT_H
#define RECORDS_DNS_ENDPOINT_H

#include <stdbool.h>

#include "records/offer.h"
#include "records/world.h"

/* Is it what a record of its namespace says already, written down by somebody? */
bool dns_endpoint_is_rendering(const struct world *w, const struct fact *fact);

struct offer *dns_endpoint_offer(const struct world *w, const struct fact *fact);

#endif
