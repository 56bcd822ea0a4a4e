/* spans.h -- a family's networks in address order, siblings of one value merged on the way.
 *
 * Networks that cover a space from its first address to its last are pushed;
 * the fewest networks that say the same come out, in the same order.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_SPANS_H
#define GEO_SPANS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

typedef void spans_on_span_fn(const struct addr_network *network, uint64_t value, void *arg);

struct span {
	struct addr_network network;
	uint64_t value;
};

enum { SPANS_MAX_WAITING = 130 };

/* Held by the caller; on_span and arg set, the rest zero. */
struct spans {
	spans_on_span_fn *on_span;
	void *arg;
	size_t waiting_count;
	struct span waiting[SPANS_MAX_WAITING]; /* left halves whose right half is still to come */
};

/* The next network: it begins where the last one ended.  After the space's last
 * address everything has been given. */
void spans_push(struct spans *s, const struct addr_network *network, uint64_t value);

/* The bit of an address, 0 being the first. */
static inline unsigned spans_bit(const struct addr *a, unsigned at)
{
	return (unsigned)a->bytes[at / 8] >> (7 - at % 8) & 1;
}

#endif
