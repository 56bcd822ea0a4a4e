/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/tsig.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/check.h"
#include "dnsd/tsig_inside.h"

enum {
	TYPE_TSIG = 250,
	CLASS_ANY = 255,
	FUDGE_S = 300,  /* RFC 8945 10 recommends it */
	FIXED_LEN = 10, /* TYPE, CLASS, TTL, RDLENGTH */
	SHORTEST_MAC = 10
};

/* The record as it came. */
struct record {
	struct name name, algorithm;
	uint64_t time;
	uint16_t fudge, original_id, error;
	struct bytes mac, other;
};

/* --- reading --- */

static uint64_t read_time(struct cursor *c)
{
	uint64_t high = cursor_u16(c);

	return high << 32 | cursor_u32(c);
}

static bool read_name(struct cursor *c, struct name *out)
{
	size_t len = name_parse(out, c->at, cursor_left(c));

	(void)cursor_bytes(c, len);
	return len > 0;
}

static bool read_record(struct bytes from, struct record *r)
{
	struct cursor c = cursor_over(from.data, from.len);
	uint16_t type, class, rdata_len;
	uint32_t ttl;

	if (!read_name(&c, &r->name))
		return false;
	type = cursor_u16(&c);
	class = cursor_u16(&c);
	ttl = cursor_u32(&c);
	rdata_len = cursor_u16(&c);
	if (type != TYPE_TSIG || class != CLASS_ANY || ttl != 0 || rdata_len != cursor_left(&c))
		return false;
	if (!read_name(&c, &r->algorithm))
		return false;
	r->time = read_time(&c);
	r->fudge = cursor_u16(&c);
	r->mac = cursor_bytes(&c, cursor_u16(&c));
	r->original_id = cursor_u16(&c);
	r->error = cursor_u16(&c);
	r->other = cursor_bytes(&c, cursor_u16(&c));
	return !c.bad && cursor_left(&c) == 0;
}

/* --- the MAC --- */

static EVP_MAC_CTX *begin(const struct tsig_key *key)
{
	EVP_MAC_CTX *mac = EVP_MAC_CTX_dup(key->mac);

	CHECK(mac != NULL);
	return mac;
}

static void add(EVP_MAC_CTX *mac, const void *data, size_t len)
{
	CHECK(EVP_MAC_update(mac, data, len) == 1);
}

static void add_number(EVP_MAC_CTX *mac, uint64_t number, size_t len)
{
	uint64_t wire = htobe64(number);

	add(mac, (const uint8_t *)&wire + sizeof(wire) - len, len);
}

/* RFC 8945 4.3.3: what the record says beside the MAC.  Of later messages the times alone (5.3.1). */
static void add_variables(EVP_MAC_CTX *mac, const struct tsig *t, uint64_t time, uint16_t fudge,
                          uint16_t error, struct bytes other)
{
	if (!t->is_later) {
		add(mac, t->name, t->name_len);
		add_number(mac, CLASS_ANY, 2);
		add_number(mac, 0, 4);
		add(mac, t->algorithm, t->algorithm_len);
	}
	add_number(mac, time, TSIG_TIME_LEN);
	add_number(mac, fudge, 2);
	if (t->is_later)
		return;
	add_number(mac, error, 2);
	add_number(mac, other.len, 2);
	add(mac, other.data, other.len);
}

static size_t finish(EVP_MAC_CTX *mac, uint8_t out[TSIG_MAC_MAX])
{
	size_t len = 0;

	CHECK(EVP_MAC_final(mac, out, &len, TSIG_MAC_MAX) == 1);
	EVP_MAC_CTX_free(mac);
	return len;
}

/* The message as it was before the record was added to it (RFC 8945 4.3.2). */
static void add_message(EVP_MAC_CTX *mac, const uint8_t *message, size_t len, uint16_t id,
                        bool without_record)
{
	uint16_t additional = bytes_get16(message + 10);

	add_number(mac, id, 2);
	add(mac, message + 2, 8);
	add_number(mac, additional - (without_record ? 1U : 0U), 2);
	add(mac, message + 12, len - 12);
}

/* Of an answer: the MAC of what came before it (RFC 8945 4.3.1, 5.3.1). */
static void add_before(EVP_MAC_CTX *mac, const struct tsig *t)
{
	if (t->mac_len == 0)
		return;
	add_number(mac, t->mac_len, 2);
	add(mac, t->mac, t->mac_len);
}

/* --- a request --- */

static bool has_good_mac(const struct tsig *t, const struct record *r, const uint8_t *message,
                         size_t at)
{
	EVP_MAC_CTX *mac = begin(t->key);
	uint8_t expected[TSIG_MAC_MAX];
	size_t len;

	add_before(mac, t);
	add_message(mac, message, at, r->original_id, true);
	add_variables(mac, t, r->time, r->fudge, r->error, r->other);
	len = finish(mac, expected);
	return r->mac.len <= len && CRYPTO_memcmp(expected, r->mac.data, r->mac.len) == 0;
}

static bool is_of(const struct record *r, const struct tsig_key *key)
{
	return names_wire_equal(r->name.wire, key->name) &&
	       key->algorithm->wire_len == r->algorithm.len &&
	       memcmp(key->algorithm->wire, r->algorithm.wire, r->algorithm.len) == 0;
}

static uint64_t time_apart(const struct record *r, uint64_t now_s)
{
	return now_s > r->time ? now_s - r->time : r->time - now_s;
}

/* In the order of RFC 8945 5.2: the key, the MAC, the time, and how much of the MAC there is. */
static enum tsig_error judge(const struct tsig_keys *keys, const struct record *r,
                             const uint8_t *message, size_t at, uint64_t now_s, struct tsig *t)
{
	const struct tsig_key *key = tsig_keys_find(keys, r->name.wire);
	size_t whole, shortest;

	if (!key || !is_of(r, key))
		return TSIG_BADKEY;
	whole = key->algorithm->mac_len;
	shortest = whole / 2 > SHORTEST_MAC ? whole / 2 : SHORTEST_MAC;
	if (r->mac.len > whole || r->mac.len < shortest)
		return TSIG_MALFORMED;
	t->key = key;
	if (!has_good_mac(t, r, message, at)) {
		t->key = NULL;
		return TSIG_BADSIG;
	}
	memcpy(t->mac, r->mac.data, r->mac.len);
	t->mac_len = (uint8_t)r->mac.len;
	if (time_apart(r, now_s) > r->fudge)
		return TSIG_BADTIME;
	return r->mac.len < whole ? TSIG_BADTRUNC : TSIG_GOOD;
}

static void keep_name(const struct name *name, uint8_t *out, uint8_t *len)
{
	memcpy(out, name->wire, name->len);
	*len = name->len;
}

enum tsig_error tsig_verify(const struct tsig_keys *keys, const uint8_t *message, size_t len,
                            size_t at, uint64_t now_s, struct tsig *out)
{
	struct record r;

	*out = (struct tsig){.error = TSIG_MALFORMED};
	if (at < 12 || at >= len || bytes_get16(message + 10) == 0 ||
	    !read_record((struct bytes){message + at, len - at}, &r))
		return out->error;
	keep_name(&r.name, out->name, &out->name_len);
	keep_name(&r.algorithm, out->algorithm, &out->algorithm_len);
	out->original_id = r.original_id;
	out->fudge = r.fudge;
	out->time = r.time;
	out->error = judge(keys, &r, message, at, now_s, out);
	return out->error;
}

/* --- an answer --- */

size_t tsig_room(const struct tsig *t)
{
	size_t len = t->name_len + (size_t)t->algorithm_len + FIXED_LEN + TSIG_TIME_LEN + 10;

	if (t->key)
		len += t->key->algorithm->mac_len;
	return t->error == TSIG_BADTIME ? len + TSIG_TIME_LEN : len;
}

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t len)
{
	uint64_t wire = htobe64(number);

	memcpy(at, (const uint8_t *)&wire + sizeof(wire) - len, len);
	return at + len;
}

static uint8_t *put(uint8_t *at, const void *data, size_t len)
{
	if (len > 0)
		memcpy(at, data, len);
	return at + len;
}

/* Over the message before, this one, and what the record says. */
static void make_mac(struct tsig *t, const uint8_t *message, size_t len, uint64_t time,
                     struct bytes other)
{
	EVP_MAC_CTX *mac = begin(t->key);

	add_before(mac, t);
	add_message(mac, message, len, bytes_get16(message), false);
	add_variables(mac, t, time, FUDGE_S, (uint16_t)t->error, other);
	t->mac_len = (uint8_t)finish(mac, t->mac);
}

size_t tsig_sign(struct tsig *t, uint8_t *message, size_t len, uint64_t now_s)
{
	/* RFC 8945 5.2.3: so that the client can tell whose clock is wrong. */
	uint64_t time = t->error == TSIG_BADTIME ? t->time : now_s;
	uint8_t own_time[TSIG_TIME_LEN] = {0}, *at = message + len;
	size_t other_len = t->error == TSIG_BADTIME ? sizeof(own_time) : 0;
	struct bytes other = {own_time, other_len};
	size_t rdata_len = tsig_room(t) - t->name_len - FIXED_LEN;
	size_t mac_len = t->key ? t->key->algorithm->mac_len : 0;

	put_number(own_time, now_s, TSIG_TIME_LEN);
	if (t->key)
		make_mac(t, message, len, time, other);
	at = put(at, t->name, t->name_len);
	at = put_number(at, TYPE_TSIG, 2);
	at = put_number(at, CLASS_ANY, 2);
	at = put_number(at, 0, 4);
	at = put_number(at, rdata_len, 2);
	at = put(at, t->algorithm, t->algorithm_len);
	at = put_number(at, time, TSIG_TIME_LEN);
	at = put_number(at, FUDGE_S, 2);
	at = put_number(at, mac_len, 2);
	at = put(at, t->mac, mac_len);
	at = put_number(at, t->original_id, 2);
	at = put_number(at, t->error, 2);
	at = put_number(at, other.len, 2);
	at = put(at, other.data, other.len);
	put_number(message + 10, bytes_get16(message + 10) + 1U, 2);
	t->is_later = true;
	return (size_t)(at - message);
}

/* --- requests of ours --- */

void tsig_begin(struct tsig *t, const struct tsig_key *key, uint16_t id)
{
	*t = (struct tsig){.error = TSIG_GOOD, .key = key, .original_id = id, .fudge = FUDGE_S};
	t->name_len = (uint8_t)name_wire_len(key->name);
	memcpy(t->name, key->name, t->name_len);
	t->algorithm_len = key->algorithm->wire_len;
	memcpy(t->algorithm, key->algorithm->wire, t->algorithm_len);
}

/* Over a name, which may end in a pointer. */
static void skip_name(struct cursor *c)
{
	enum { POINTER = 0xc0 };
	uint8_t len;

	do {
		len = cursor_u8(c);
		(void)cursor_bytes(c, len >= POINTER ? 1 : len);
	} while (!c->bad && len > 0 && len < POINTER);
}

static void skip_record(struct cursor *c)
{
	skip_name(c);
	(void)cursor_bytes(c, FIXED_LEN - 2);
	(void)cursor_bytes(c, cursor_u16(c));
}

size_t tsig_find(const uint8_t *message, size_t len)
{
	struct cursor c = cursor_over(message, len);
	unsigned questions, records;

	(void)cursor_u32(&c);
	questions = cursor_u16(&c);
	records = cursor_u16(&c);
	records += cursor_u16(&c);
	records += cursor_u16(&c);
	if (c.bad || bytes_get16(message + 10) == 0)
		return 0;
	for (; questions > 0 && !c.bad; questions--) {
		skip_name(&c);
		(void)cursor_u32(&c);
	}
	for (; records > 1 && !c.bad; records--)
		skip_record(&c);
	return c.bad ? 0 : len - cursor_left(&c);
}

bool tsig_believes(const struct tsig *request, const uint8_t *message, size_t len, uint64_t now_s)
{
	size_t at = tsig_find(message, len);
	struct tsig first = *request;
	struct record r;

	first.is_later = false;
	return at > 0 && read_record((struct bytes){message + at, len - at}, &r) &&
	       is_of(&r, request->key) && r.mac.len == request->key->algorithm->mac_len &&
	       has_good_mac(&first, &r, message, at) && r.error == TSIG_GOOD &&
	       time_apart(&r, now_s) <= r.fudge;
}
