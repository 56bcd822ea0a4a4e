/* fuzz_tsig.c -- any bytes as a signed answer: nothing is believed but what the key has signed, every octet of it. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dnsd/tsig.h"

enum { NOW = 1700000000, ID = 0x1267, ROOM = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key_file[] = "key transfer { algorithm hmac-sha256; secret \"c2VjcmV0\"; };";
static const uint8_t key_name[] = "\10transfer";

static struct tsig ask(const struct tsig_keys *keys)
{
	static const char notify[] = "\x12\x67\x24\0\0\1\0\0\0\0\0\0\7example\3com\0\0\6\0\1";
	uint8_t message[ROOM];
	struct tsig t;

	memcpy(message, notify, sizeof(notify) - 1);
	tsig_begin(&t, tsig_keys_find(keys, key_name), ID);
	(void)tsig_sign(&t, message, sizeof(notify) - 1, NOW);
	return t;
}

/* All but the ID: the original one is signed. */
static void check_each_octet(const struct tsig *t, const uint8_t *data, size_t size)
{
	uint8_t *changed = malloc(size);

	CHECK(changed != NULL);
	memcpy(changed, data, size);
	for (size_t i = 2; i < size; i++) {
		changed[i] ^= 1;
		CHECK(!tsig_believes(t, changed, size, NOW));
		changed[i] ^= 1;
	}
	free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tsig_keys *keys;
	struct tsig t, checked;
	size_t at = tsig_find(data, size);

	CHECK(at == 0 || (at >= 12 && at <= size));
	CHECK(tsig_keys_parse("keys", bytes_of(key_file), &keys, NULL) == ERR_OK);
	t = ask(keys);
	if (tsig_believes(&t, data, size, NOW)) {
		CHECK(at > 0);
		check_each_octet(&t, data, size);
	}
	if (at > 0)
		(void)tsig_verify(keys, data, size, at, NOW, &checked);
	tsig_keys_unref(keys);
	return 0;
}
