/* ingress_rules.h -- which Services an Ingress means for a host, and on which port it listens.
 *
 * Private to records; pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_INGRESS_RULES_H
#define RECORDS_INGRESS_RULES_H

#include <stdbool.h>

#include "records/world.h"

/* Has a Service that the rules for the host name (none there: any rule, or the default
 * backend) a ready endpoint in the cluster?  An Ingress that names no Service: yes. */
bool ingress_rules_are_ready(const struct world *w, uint16_t cluster,
                             const struct fact_value *ingress, struct bytes host);
/* Of these Services the one that has the least ready endpoints, as a share of all.  False: there is none. */
bool ingress_rules_count(const struct world *w, uint16_t cluster, const struct fact_value *ingress,
                         struct bytes host, struct world_count *out);
/* Is the Ingress' controller known, at each of its addresses, and without a ready endpoint? */
bool ingress_rules_have_no_gateway(const struct world *w, uint16_t cluster,
                                   const struct fact_value *ingress);
/* 443 where `tls` covers the host, else 80. */
uint16_t ingress_rules_port(const struct fact_value *ingress, struct bytes host);

#endif
