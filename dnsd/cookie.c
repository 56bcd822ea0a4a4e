/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/cookie.h"

#include <endian.h>
#include <string.h>

enum {
	VERSION = 1,
	SERVER_MIN = 8,
	SERVER_MAX = 32,
	TIME_AT = COOKIE_CLIENT_LEN + 4,
	HASH_AT = COOKIE_CLIENT_LEN + 8 /* all before it is hashed, then the address */
};

struct hash_key cookie_secret(const uint8_t bytes[16])
{
	struct hash_key key;

	memcpy(&key.k0, bytes, sizeof key.k0);
	memcpy(&key.k1, bytes + 8, sizeof key.k1);
	return (struct hash_key){le64toh(key.k0), le64toh(key.k1)};
}

bool cookie_is_well_formed(size_t len)
{
	return len == COOKIE_CLIENT_LEN ||
	       (len >= COOKIE_CLIENT_LEN + SERVER_MIN && len <= COOKIE_CLIENT_LEN + SERVER_MAX);
}

/* RFC 9018 4.4, little-endian as SipHash's authors write it. */
static uint64_t hash(const struct hash_key *key, const uint8_t *cookie, const struct addr *client)
{
	uint8_t data[HASH_AT + sizeof client->bytes];
	size_t len = addr_bits(client) / 8;

	memcpy(data, cookie, HASH_AT);
	memcpy(data + HASH_AT, client->bytes, len);
	return htole64(hash_siphash(key, data, HASH_AT + len));
}

/* Which secret it was made with; secrets->count: none. */
static unsigned find_secret(const struct cookie_secrets *secrets, const uint8_t *cookie,
                            const struct addr *client)
{
	unsigned found = secrets->count;
	uint64_t sent;

	memcpy(&sent, cookie + HASH_AT, sizeof sent);
	/* All are tried, so that the time tells nothing. */
	for (unsigned i = secrets->count; i-- > 0;)
		found = (hash(&secrets->key[i], cookie, client) ^ sent) == 0 ? i : found;
	return found;
}

static void make(const struct hash_key *key, const uint8_t *client_part, const struct addr *client,
                 uint32_t now_s, uint8_t out[COOKIE_LEN])
{
	uint64_t hashed;

	memcpy(out, client_part, COOKIE_CLIENT_LEN);
	memset(out + COOKIE_CLIENT_LEN, 0, 4);
	out[COOKIE_CLIENT_LEN] = VERSION;
	bytes_put32(out + TIME_AT, now_s);
	hashed = hash(key, out, client);
	memcpy(out + HASH_AT, &hashed, sizeof hashed);
}

bool cookie_answer(const struct cookie_secrets *secrets, struct bytes sent,
                   const struct addr *client, uint32_t now_s, uint8_t out[COOKIE_LEN])
{
	unsigned secret = secrets->count;
	int32_t age_s = 0;

	if (sent.len == COOKIE_LEN && sent.data[COOKIE_CLIENT_LEN] == VERSION) {
		/* RFC 9018 4.3: serial arithmetic, so that it holds beyond 2106. */
		age_s = (int32_t)(now_s - bytes_get32(sent.data + TIME_AT));
		if (age_s <= COOKIE_EXPIRES_S && age_s >= -COOKIE_AHEAD_S)
			secret = find_secret(secrets, sent.data, client);
	}
	if (secret == 0 && age_s <= COOKIE_RENEWED_S)
		memcpy(out, sent.data, COOKIE_LEN);
	else
		make(&secrets->key[0], sent.data, client, now_s, out);
	return secret < secrets->count;
}
