#include "records/owner.h"
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

/* Lengths of labels are at most 63, below 'A': all bytes may be treated alike. */
void owner_lower(struct bytes wire, uint8_t out[NAMES_WIRE_MAX])
{
	for (size_t i = 0; i < wire.len; i++) {
		uint8_t c = wire.data[i];

		out[i] = (uint8_t)(c | ((uint8_t)(c - 'A') < 26 ? 0x20 : 0));
	}
}

uint32_t owner_hash(const struct hash_key *key, struct bytes wire)
{
	uint8_t lower[NAMES_WIRE_MAX];

	owner_lower(wire, lower);
	return (uint32_t)hash_siphash(key, lower, wire.len);
}

size_t owner_join(struct bytes front, struct bytes label, struct bytes back, uint8_t out[NAMES_WIRE_MAX])
{
	size_t label_len = label.len ? label.len + 1 : 0;
	size_t len = front.len + label_len + back.len;
	uint8_t *at = out;

	if (len > NAMES_WIRE_MAX || label.len > 63)
		return 0;
	if (front.len)
		memcpy(at, front.data, front.len);
	at += front.len;
	if (label.len) {
		*at++ = (uint8_t)label.len;
		memcpy(at, label.data, label.len);
		at += label.len;
	}
	memcpy(at, back.data, back.len);
	return len;
}
