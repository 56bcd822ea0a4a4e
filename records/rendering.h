/* rendering.h -- the DNSEndpoint that KubeFed's controller would have written.
 *
 * The union over all clusters with an address, without health beyond what
 * KubeFed knew: for compatibility and for the vectors of tests/vectors/kubefed.
 * IPv6 goes to AAAA, unlike KubeFed.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_RENDERING_H
#define RECORDS_RENDERING_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "records/build.h"

/* The endpoints of a ServiceDNSRecord or IngressDNSRecord of the host, as the JSON
 * array spec.endpoints, sorted by dnsName.  ERR_NOTFOUND: no such record; ERR_UNREACHABLE: a host name among its
 * targets has no known address (KubeFed left what it had written as it was).  Nothing is appended then. */
enum err rendering_print(const struct records *r, const struct facts *f, enum fact_kind kind,
                         struct bytes namespace, struct bytes name, struct text *out) MUST_CHECK;
/* The same for its sites apart, as they were in the last build, sorted by dnsName and then by setIdentifier:
 * docs/dns-data.md says how they look.  Host names are written as such, so that it never is ERR_UNREACHABLE. */
enum err rendering_print_sites(const struct records *r, const struct facts *f, enum fact_kind kind,
                               struct bytes namespace, struct bytes name,
                               struct text *out) MUST_CHECK;

/* Has the Service of that cluster a ready endpoint?  Without one KubeFed published no address of it. */
bool rendering_is_ready(const struct records *r, uint16_t cluster, struct bytes namespace,
                        struct bytes service);

#endif
