/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/name.h"

#include <string.h>

#include "base/bytes.h"
#include "records/names.h"
#include "zones/fold.h"
#include "zones/name_apart.h"

/* Eight bytes from `at`, those from `len` on as zeros; nothing behind wire[len - 1] is read. */
static uint64_t load_tail(const uint8_t *wire, size_t at, size_t len)
{
	uint64_t v = 0;

	if (len >= 8)
		return fold_load(wire + len - 8) >> 8 * (8 - (len - at));
	for (size_t i = len; i-- > 0;)
		v = v << 8 | wire[i];
	return v;
}

void name_copy_lower_exactly(struct name *out, const uint8_t *wire, size_t len, size_t max)
{
	size_t end = (len + 7) & ~(size_t)7, safe = end <= max ? end : end - 8, at = 0;

	for (; at < safe; at += 8)
		fold_store(out->wire + at, bytes_lower8(fold_load(wire + at)));
	if (at < end)
		fold_store(out->wire + at, bytes_lower8(load_tail(wire, at, len)));
}

size_t name_parse(struct name *out, const uint8_t *wire, size_t max)
{
	return name_take_apart(out, wire, max);
}

uint64_t name_wire_hash(const uint8_t *wire, const struct name_key *key)
{
	struct name n;

	return name_parse(&n, wire, names_wire_len(wire)) ? fold_suffix(&n, 0, key) : 0;
}

enum err name_from_text(struct name *out, struct bytes text, struct reason *why)
{
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;
	enum err err = names_from_text(text, wire, &len, why);

	if (err == ERR_OK)
		(void)name_parse(out, wire, len);
	return err;
}

unsigned name_wire_labels(const uint8_t *wire)
{
	unsigned labels = 0;

	for (; *wire != 0; wire += 1 + *wire)
		labels++;
	return labels;
}

static unsigned label_places(const uint8_t *wire, uint8_t at[NAME_MAX_LABELS + 1])
{
	unsigned labels = 0, place = 0;

	for (; wire[place] != 0; place += 1U + wire[place])
		at[labels++] = (uint8_t)place;
	return labels;
}

static int label_compare(const uint8_t *a, const uint8_t *b)
{
	unsigned len = a[0] < b[0] ? a[0] : b[0];

	for (unsigned i = 1; i <= len; i++) {
		int order = bytes_lower(a[i]) - bytes_lower(b[i]);

		if (order)
			return order;
	}
	return a[0] - b[0];
}

int name_wire_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t at_a[NAME_MAX_LABELS + 1], at_b[NAME_MAX_LABELS + 1];
	unsigned left_a = label_places(a, at_a), left_b = label_places(b, at_b);

	while (left_a > 0 && left_b > 0) {
		int order = label_compare(a + at_a[--left_a], b + at_b[--left_b]);

		if (order)
			return order;
	}
	return (left_a > 0) - (left_b > 0);
}
