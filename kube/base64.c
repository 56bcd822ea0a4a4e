/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/base64.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

/* Without white space, in the plain alphabet, padded; NULL: it has a length that none can have. */
static char *normalise(struct bytes text, size_t *len)
{
	char *plain = xmalloc(text.len + 4);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.data[i];

		if (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '=')
			continue;
		plain[n++] = c == '-' ? '+' : (c == '_' ? '/' : c);
	}
	if (n % 4 == 1) {
		explicit_bzero(plain, n);
		free(plain);
		return NULL;
	}
	*len = n;
	while (n % 4 != 0)
		plain[n++] = '=';
	return plain;
}

bool base64_decode(struct bytes text, struct buffer *out)
{
	size_t given, padded;
	char *plain = normalise(text, &given);
	size_t before = out->len;
	int got = -1;

	if (!plain)
		return false;
	padded = (given + 3) / 4 * 4;
	if (padded < (size_t)1 << 30) {
		uint8_t *to = buffer_extend(out, padded / 4 * 3);

		got = EVP_DecodeBlock(to, (const unsigned char *)plain, (int)padded);
	}
	/* EVP_DecodeBlock() counts what was padded as zeros. */
	out->len = got < 0 ? before : before + given * 3 / 4;
	explicit_bzero(plain, given);
	free(plain);
	return got >= 0;
}

void base64_encode(struct bytes plain, struct text *out)
{
	enum { PIECE = 48 }; /* of three bytes each, so that only the last is padded */
	unsigned char coded[PIECE / 3 * 4 + 1];

	for (size_t at = 0; at < plain.len; at += PIECE) {
		size_t len = plain.len - at < PIECE ? plain.len - at : PIECE;
		int got = EVP_EncodeBlock(coded, plain.data + at, (int)len);

		text_add_bytes(out, (struct bytes){coded, (size_t)got});
	}
}
