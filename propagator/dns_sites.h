/* dns_sites.h -- the endpoints of published sites: what is known, and what stands there of clusters that were not seen yet.
 *
 * What is recalled of a cluster (dns_data.h) is less than what was published of it: nothing of ports, of gateways, or of
 * what is not ready.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DNS_SITES_H
#define PROPAGATOR_DNS_SITES_H

#include <stdbool.h>

#include "base/bytes.h"

struct json_object;

/* Does what stands of that cluster, its setIdentifier, count for more than what is known? */
typedef bool dns_sites_stays_fn(struct bytes cluster, const void *arg);

/* Takes `known`, in the order of rendering_print_sites(), and gives the list that is to stand, in the same order.  `standing`
 * is a stranger's, and may be NULL.  What is known of a cluster that stays is in it at names only where it does not stand. */
struct json_object *dns_sites_keep(struct json_object *known, struct json_object *standing,
                                   dns_sites_stays_fn *stays, const void *arg);

#endif
