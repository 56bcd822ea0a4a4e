/* additional.h -- addresses beside an answer that names hosts: of MX, NS, SRV, SVCB and HTTPS (RFC 1034 4.3.2 step 6, RFC 2782,
 * RFC 9460 4.1).
 *
 * Pure and without allocation.  Any worker.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ADDITIONAL_H
#define DNSD_ADDITIONAL_H

#include <stdbool.h>
#include <stdint.h>

#include "dnsd/answer.h"

/* Do its records name hosts? */
static inline bool additional_is_wanted(uint16_t type)
{
	return type == RR_NS || type == RR_MX || type == RR_SRV || type == RR_SVCB ||
	       type == RR_HTTPS;
}

/* To the last RRset of the answer, whose type is one of those: what is known of its hosts, as far as there is room.  A host with
 * sites is told at the site that answered, when it has one there that is usable, else at the client's nearest; the
 * scope grows with that.  Nothing is told of zones that `resolver` may not ask for.  Nothing here is needed: it is left out when it does not fit.  `name` is scratch. */
void additional_find(const struct snapshot *s, struct client *client, const struct addr *resolver,
                     struct answer *out, struct name *name);

#endif
