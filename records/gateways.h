/* gateways.h -- which Services stand before Ingresses: those whose load balancer has an Ingress' address.
 *
 * Such a Service is the Ingress' controller; without a ready endpoint it lets nobody in, whatever stands
 * behind it.  Facts are borrowed.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_GATEWAYS_H
#define RECORDS_GATEWAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "records/fact.h"
#include "records/facts.h"
#include "records/links.h"

struct gateways { /* zeroed but for the key: empty */
	struct hash_key key;
	struct links ingresses; /* by their addresses and host names */
	struct links services;  /* the same, once there are Ingresses: most clusters have none */
	bool has_services;
};

void gateways_fini(struct gateways *g);

/* A Service or Ingress of a member came or went. */
void gateways_put(struct gateways *g, uint16_t cluster, const struct fact *fact,
                  const struct fact_value *v);
void gateways_remove(struct gateways *g, uint16_t cluster, const struct fact *fact,
                     const struct fact_value *v);
/* After the changes of a build: takes up all Services when the first Ingress has come. */
void gateways_update(struct gateways *g, const struct facts *facts);

/* Calls for each Service that has an address of the Ingress, or the other way round; one may come twice. */
typedef void gateways_on_fact_fn(const struct fact *fact, void *arg);
void gateways_each_service(const struct gateways *g, uint16_t cluster, struct bytes target,
                           gateways_on_fact_fn *fn, void *arg);
void gateways_each_ingress(const struct gateways *g, uint16_t cluster,
                           const struct fact_value *service, gateways_on_fact_fn *fn, void *arg);

#endif
