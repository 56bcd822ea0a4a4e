/* fuzz_name.c -- bytes as a name of a query, against a plain reading; and as a name's text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/check.h"
#include "records/names.h"
#include "zones/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 1035 3.1, byte by byte; 0: not a name. */
static size_t plain_len(const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (at < size && data[at] != 0) {
		if (data[at] > 63)
			return 0;
		at += 1 + (size_t)data[at];
	}
	return at < size && at < NAME_MAX_LEN ? at + 1 : 0;
}

static void check_parts(const struct name *n, const uint8_t *wire, const struct name_key *key)
{
	for (size_t i = 0; i < n->len; i++) {
		uint8_t c = wire[i];

		CHECK(n->wire[i] == (c >= 'A' && c <= 'Z' ? c + 32 : c));
	}
	CHECK(name_wire_labels(wire) == n->labels);
	CHECK(name_wire_hash(wire, key) == fold_suffix(n, 0, key));
	CHECK(name_wire_compare(wire, n->wire) == 0);
	for (unsigned i = 0; i <= n->labels; i++)
		CHECK(name_wire_hash(n->wire + n->at[i], key) == fold_suffix(n, i, key));
}

static void check_text(const uint8_t *wire, size_t len)
{
	char text[NAMES_TEXT_SIZE];
	uint8_t again[NAMES_WIRE_MAX];
	size_t again_len;

	CHECK(names_from_text(bytes_of(names_to_text(wire, text)), again, &again_len, NULL) ==
	      ERR_OK);
	CHECK(again_len == len && memcmp(again, wire, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct name_key key = {{1, 2, 3, 4}};
	uint8_t wire[NAMES_WIRE_MAX];
	struct name n;
	size_t len = name_parse(&n, data, size);

	CHECK(len == plain_len(data, size));
	if (len) {
		check_parts(&n, data, &key);
		check_text(data, len);
	}
	if (names_from_text((struct bytes){data, size}, wire, &len, NULL) == ERR_OK)
		check_text(wire, len);
	return 0;
}
