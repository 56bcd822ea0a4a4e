/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/rrset.h"

#include <stdbool.h>
#include <string.h>

static bool has_any(const struct rrset *rrset, struct bytes rdata)
{
	struct bytes other;

	for (size_t at = 0; rrset_next(rrset, &at, &other);) {
		if (other.len == rdata.len && memcmp(other.data, rdata.data, rdata.len) == 0)
			return true;
	}
	return false;
}

/* Addresses are of one length and in order.  The union of many sites has thousands, in ranges that
 * seldom meet: so the ends come first. */
size_t rrset_find_address(const struct rrset *rrset, struct bytes rdata)
{
	const uint8_t *first = rrset->data + 2;
	size_t step = 2U + rdata.len, from = 0, to = rrset->count;

	if (memcmp(rdata.data, first, rdata.len) < 0 ||
	    memcmp(rdata.data, first + (to - 1) * step, rdata.len) > 0)
		return rrset->count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = memcmp(rdata.data, first + middle * step, rdata.len);

		if (order == 0)
			return middle;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return rrset->count;
}

static bool has(const struct rrset *rrset, struct bytes rdata)
{
	bool is_address = rrset->type == RR_A || rrset->type == RR_AAAA;

	if (is_address && rrset->count > 1 && rrset->bytes == rrset->count * (2 + rdata.len))
		return rrset_find_address(rrset, rdata) < rrset->count;
	return has_any(rrset, rdata);
}

bool rrsets_have(const struct rrset *first, const struct rrset *const *more, size_t count,
                 struct bytes rdata)
{
	if (has(first, rdata))
		return true;
	for (size_t i = 0; i < count; i++) {
		if (has(more[i], rdata))
			return true;
	}
	return false;
}
