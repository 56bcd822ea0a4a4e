/* dns_endpoint.h -- the names of a DNSEndpoint: fixed data, the same for every client.
 *
 * Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_DNS_ENDPOINT_H
#define RECORDS_DNS_ENDPOINT_H

#include <stdbool.h>

#include "records/names.h"
#include "records/offer.h"
#include "records/world.h"

/* Is it what a record of its namespace, or published sites of one, say already, written down by somebody? */
bool dns_endpoint_is_rendering(const struct world *w, const struct fact *fact);

/* The name of an endpoint in wire form.  False, and a note: it is none, or of no zone. */
bool dns_endpoint_read_name(const struct world *w, const char *title, struct bytes name,
                            uint8_t wire[NAMES_WIRE_MAX], size_t *len);
/* Its TTL, or the default. */
uint32_t dns_endpoint_ttl(const struct world *w, const struct fact_endpoint *from);

struct offer *dns_endpoint_offer(const struct world *w, const struct fact *fact);

#endif
