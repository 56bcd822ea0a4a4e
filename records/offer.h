/* offer.h -- what one source offers: names, each with its endpoint.
 *
 * A value of one build, in its arena; each name is there once.  Whether a name
 * is given out in this form is decided later, when all sources of it are known.
 * Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_OFFER_H
#define RECORDS_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "records/endpoint.h"

struct offer {
	struct endpoint *endpoints;
	uint32_t *hashes; /* owner_hash() of each */
	size_t count;
	uint32_t *slots; /* by hash: number + 1; NULL when there are few */
	size_t slot_mask;
	bool has_twins; /* two names of one hash */
};

/* Room for that many names. */
struct offer *offer_new(struct arena *a, size_t most);
/* The endpoint of that owner, new (zeroed but for the owner, which is copied) or as it was. */
struct endpoint *offer_put(struct offer *o, struct arena *a, uint32_t hash, struct bytes owner);
/* The same without the names that have neither sites nor fixed data. */
struct offer *offer_without_empty(struct arena *a, const struct offer *o);
/* Is a name of that hash offered? */
bool offer_has_hash(const struct offer *o, uint32_t hash);
/* NULL when the name is not offered (or o is NULL). */
struct endpoint *offer_find(const struct offer *o, uint32_t hash, const uint8_t *owner);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/* Is there an A or AAAA, at any site or fixed? */
bool endpoint_has_address(const struct endpoint *e);
/* With everything it points to. */
struct endpoint *endpoint_copy(struct arena *a, const struct endpoint *e);

#endif
