/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"

enum { FUDGE_S = 300, MAC_LEN = 32, SECRET_MOST = 64, TEXT_MOST = 1024 };

static const uint8_t algorithm[] = "\13hmac-sha256";

static size_t put_name(const char *label, uint8_t *out)
{
	size_t len = strlen(label);

	out[0] = (uint8_t)len;
	memcpy(out + 1, label, len + 1);
	return len + 2;
}

/* Time of 48 bits, fudge. */
static size_t put_time(uint64_t at, uint8_t *out)
{
	bytes_put16(out, (uint16_t)(at >> 32));
	bytes_put32(out + 2, (uint32_t)at);
	bytes_put16(out + 6, FUDGE_S);
	return 8;
}

/* RFC 8945 4.3.3: the message and these, for a request. */
static void digest(const uint8_t *message, size_t len, const struct signing *how, uint64_t now,
                   uint8_t mac[MAC_LEN])
{
	uint8_t text[TEXT_MOST], secret[SECRET_MOST];
	int secret_len =
		EVP_DecodeBlock(secret, (const uint8_t *)how->secret, (int)strlen(how->secret));
	size_t at = len;

	for (const char *c = how->secret + strlen(how->secret); c[-1] == '='; c--)
		secret_len--;
	assert_true(secret_len > 0 && len + SIGN_ROOM < sizeof text);
	memcpy(text, message, len);
	at += put_name(how->name, text + at);
	memcpy(text + at, "\0\377\0\0\0\0", 6);
	at += 6;
	memcpy(text + at, algorithm, sizeof algorithm);
	at += sizeof algorithm;
	at += put_time(now, text + at);
	memset(text + at, 0, 4);
	at += 4;
	assert_non_null(HMAC(EVP_sha256(), secret, secret_len, text, at, mac, NULL));
}

size_t sign_message(uint8_t *message, size_t len, const struct signing *how)
{
	size_t mac_len = how->mac_len > 0 ? how->mac_len : MAC_LEN;
	uint64_t now = (uint64_t)(time(NULL) - how->age_s);
	uint8_t mac[MAC_LEN], *at = message + len;

	digest(message, len, how, now, mac);
	at += put_name(how->name, at);
	memcpy(at, "\0\372\0\377\0\0\0\0", 8);
	bytes_put16(at + 8, (uint16_t)(sizeof algorithm + 8 + 2 + mac_len + 6));
	at += 10;
	memcpy(at, algorithm, sizeof algorithm);
	at += sizeof algorithm;
	at += put_time(now, at);
	bytes_put16(at, (uint16_t)mac_len);
	memcpy(at + 2, mac, mac_len);
	at += 2 + mac_len;
	memcpy(at, message, 2);
	memset(at + 2, 0, 4);
	bytes_put16(message + 10, (uint16_t)(bytes_get16(message + 10) + 1));
	return (size_t)(at + 6 - message);
}
