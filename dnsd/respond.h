/* respond.h -- a message in, a message out: what all transports do alike.
 *
 * Parse, decide, encode, count.  Wherever a query came from, it passes the same checks.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_RESPOND_H
#define DNSD_RESPOND_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "dnsd/answer.h"
#include "dnsd/netset.h"
#include "dnsd/query.h"
#include "dnsd/rrl.h"
#include "dnsd/stats.h"
#include "dnsd/tsig.h"
#include "zones/snapshot.h"

/* One worker's working room, reused for every query and never cleared. */
struct responder {
	struct stats *stats;
	const struct netset *proxies; /* whose PROXY headers are believed; NULL: nobody's */
	uint64_t
		idle_ms; /* how long a connection may be silent at present; for who sends a keepalive */
	struct rrl *limits; /* of answers over UDP; NULL: none */
	struct query query;
	struct tsig tsig; /* of the query, when it has one */
	struct answer answer;
	bool bars_transfers; /* set by the caller: over this TLS there are no transfers */
	bool wants_transfer; /* the query is for a transfer that may be had, which answers it */
};

/* Writes the answer to `out`, which holds EDNS_UDP_SIZE bytes for STATS_UDP, else 65535.  Returns its length; 0: say nothing; or,
 * with wants_transfer (not over UDP), it is a transfer that answers, which is for the caller to do.  `s` may be NULL (not
 * ready). */
size_t respond(struct responder *r, const struct snapshot *s, enum stats_transport transport,
               const struct addr *client, const uint8_t *packet, size_t len, uint8_t *out);

#endif
