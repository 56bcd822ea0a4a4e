/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/denial.h"

#include <string.h>

#include "zones/tree.h"

/* How many bytes of a name stand before the apex that it ends in; its whole length: it does not. */
static size_t before_apex(const uint8_t *wire, size_t len, const uint8_t *apex, size_t apex_len)
{
	for (size_t at = 0; wire[at] != 0; at += 1U + wire[at])
		if (len - at == apex_len && tree_same_caseless(wire + at, apex, apex_len))
			return at;
	return len;
}

/* A pointer takes two bytes, so the root is no worse whole.  Returns the name's length. */
static size_t put_name(struct denial *d, const uint8_t *wire, const uint8_t *apex)
{
	size_t len = name_wire_len(wire), apex_len = name_wire_len(apex);
	size_t before = before_apex(wire, len, apex, apex_len);

	memcpy(d->data + d->len, wire, before);
	d->len = (uint16_t)(d->len + before);
	if (before < len) {
		d->pointer[d->pointers++] = d->len;
		d->len = (uint16_t)(d->len + 2);
	}
	return len;
}

void denial_make(const struct rrset *soa, uint32_t ttl, const uint8_t *apex, struct denial *out)
{
	const uint8_t *rdata = soa->data + 2;
	size_t names;

	out->len = DENIAL_FIXED;
	out->pointers = 0;
	names = put_name(out, rdata, apex);
	names += put_name(out, rdata + names, apex);
	memcpy(out->data + out->len, rdata + names, DENIAL_NUMBERS);
	out->len = (uint16_t)(out->len + DENIAL_NUMBERS);
	bytes_put16(out->data, RR_SOA);
	bytes_put16(out->data + 2, 1);
	bytes_put32(out->data + 4, ttl);
	bytes_put16(out->data + 8, (uint16_t)(out->len - DENIAL_FIXED));
}
