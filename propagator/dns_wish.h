/* dns_wish.h -- what is to stand on the host for a ServiceDNSRecord or IngressDNSRecord: its status, and its DNSEndpoint.
 *
 * KubeFed's texts.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DNS_WISH_H
#define PROPAGATOR_DNS_WISH_H

#include <stdbool.h>

#include "propagator/dns_data.h"

struct json_object;

/* One record of the host. */
struct dns_wish_record {
	enum fact_kind kind; /* FACT_SERVICE_DNS_RECORD or FACT_INGRESS_DNS_RECORD */
	struct bytes namespace, name, uid;
};

/* Of its status: `domain` (of a service) and `dns`, an entry for each cluster that was ever seen.  NULL: nothing is to be
 * written, as there is no such record or no such Domain.  The caller puts it. */
struct json_object *dns_wish_status(const struct dns_data_view *view,
                                    const struct dns_wish_record *record);

/* The DNSEndpoint, owned by the record.  NULL: what is written of it stays; so it is as well when a load balancer's host name
 * could not be resolved yet.  The caller puts it. */
struct json_object *dns_wish_endpoint(const struct dns_data_view *view,
                                      const struct dns_wish_record *record);

/* The DNSEndpoint nigh-service-X or nigh-ingress-X, labelled nigh.dev/sites, where each cluster's addresses are endpoints of
 * their own.  Those of a member that was not seen since the start are as they stand in `have`, which may be NULL.  NULL as above. */
struct json_object *dns_wish_sites(const struct dns_data_view *view,
                                   const struct dns_wish_record *record, struct json_object *have);

/* Does `have`, which may be NULL, say all that `want` says? */
bool dns_wish_is_met(struct json_object *want, struct json_object *have);
/* Was this DNSEndpoint written for a record of that kind and name, by whoever names it as the owner? */
bool dns_wish_is_owned(struct json_object *endpoint, enum fact_kind kind, struct bytes name);

#endif
