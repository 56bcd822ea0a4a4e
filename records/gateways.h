/* gateways.h -- which Services stand before Ingresses: those whose load balancer has an Ingress' address.
 *
 * Such a Service is the Ingress' controller; when it has slices and no ready endpoint in them it lets
 * nobody in, whatever stands behind it.  Of each address it is counted how many Services have it and how
 * many of them are up, so that many with one address cost no more than few.  Private to records; control
 * thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_GATEWAYS_H
#define RECORDS_GATEWAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "records/fact.h"
#include "records/facts.h"
#include "records/tally.h"

struct gateways;

/* `endpoints`: of each Service, by tally_id(). */
struct gateways *gateways_new(const struct hash_key *key, const struct tally *endpoints);
void gateways_free(struct gateways *g);

/* A Service or Ingress of a member came or went. */
void gateways_put(struct gateways *g, uint16_t cluster, const struct fact_value *v);
void gateways_remove(struct gateways *g, uint16_t cluster, const struct fact_value *v);
/* The slices of a Service changed; the texts are borrowed until the update. */
void gateways_touch(struct gateways *g, uint16_t cluster, struct bytes namespace,
                    struct bytes service);

/* After the changes of a build: looks at what was touched, and calls for the Ingresses of an address that
 * turned. */
typedef void gateways_on_ingress_fn(const struct fact *ingress, void *arg);
void gateways_update(struct gateways *g, const struct facts *facts, gateways_on_ingress_fn *fn,
                     void *arg);

/* Is there a Service with that address, and none that is up? */
bool gateways_is_down(const struct gateways *g, uint16_t cluster, struct bytes target);

#endif
