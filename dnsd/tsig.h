/* tsig.h -- transaction signatures (RFC 8945): who sent this message, and nobody else did.
 *
 * Keys are shared secrets with HMAC-SHA256, -384 or -512, read from BIND's syntax.  One check for all transports.  Truncated
 * MACs are not taken.  Foreign bytes are read, never past their end.  Any thread; keys are never changed once read.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TSIG_H
#define DNSD_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "zones/name.h"

struct tsig_key;
struct tsig_keys;

/* `key "name" { algorithm hmac-sha256; secret "base64"; };`, any number, with comments as in C, C++ and the shell;
 * each has one of both, and none is named ".", which everybody tries.  The file
 * must not be readable by everybody.  ERR_IO, ERR_DENIED, ERR_PARSE with a reason that begins with FILE or FILE:LINE. */
enum err tsig_keys_read(const char *file, const struct tsig_keys **out,
                        struct reason *why) MUST_CHECK;
/* The same from a text; `file` is only its name. */
enum err tsig_keys_parse(const char *file, struct bytes text, const struct tsig_keys **out,
                         struct reason *why) MUST_CHECK;
/* Keys are shared, by any threads.  One more owner; returns keys.  NULL is fine. */
const struct tsig_keys *tsig_keys_ref(const struct tsig_keys *keys);
void tsig_keys_unref(
	const struct tsig_keys *keys); /* the last one wipes the secrets; NULL is fine */
/* The key of that name (wire form, without case); NULL: there is none.  `keys` may be NULL. */
const struct tsig_key *tsig_keys_find(const struct tsig_keys *keys, const uint8_t *name);
const uint8_t *tsig_key_name(const struct tsig_key *key); /* wire form, lower case */

/* The error of RFC 8945 3, as its record carries it; TSIG_MALFORMED: the message is FORMERR. */
enum tsig_error {
	TSIG_GOOD = 0,
	TSIG_BADSIG = 16,
	TSIG_BADKEY = 17,
	TSIG_BADTIME = 18,
	TSIG_BADTRUNC = 22,
	TSIG_MALFORMED = 0xffff
};

enum { TSIG_MAC_MAX = 64, TSIG_TIME_LEN = 6 };

/* One transaction: a request that was checked, and the messages that answer it. */
struct tsig {
	enum tsig_error error;
	const struct tsig_key *key; /* NULL: the answer is not signed */
	bool is_later;              /* an answer of several messages has begun (RFC 8945 5.3.1) */
	uint16_t original_id, fudge;
	uint64_t time; /* of the request */
	uint8_t mac_len;
	uint8_t mac[TSIG_MAC_MAX]; /* of the message before */
	uint8_t name_len, algorithm_len;
	uint8_t name[NAME_MAX_LEN], algorithm[NAME_MAX_LEN];
};

/* Checks a message whose TSIG record, its last, begins at `at`.  `now_s` is Unix time.  Returns out->error; with anything but
 * TSIG_GOOD and TSIG_MALFORMED the answer is NOTAUTH, without data. */
enum tsig_error tsig_verify(const struct tsig_keys *keys, const uint8_t *message, size_t len,
                            size_t at, uint64_t now_s, struct tsig *out);
/* How much longer the record makes an answer. */
size_t tsig_room(const struct tsig *t);
/* Appends the record to an answer of `len` bytes, which has so much room behind it, and counts it in the header.  Of an
 * answer of several messages each is signed, in order.  Returns the new length. */
size_t tsig_sign(struct tsig *t, uint8_t *message, size_t len, uint64_t now_s);

/* --- requests of ours --- */

/* A request of that ID, to be signed with the key (borrowed) by tsig_sign(). */
void tsig_begin(struct tsig *t, const struct tsig_key *key, uint16_t id);
/* Where the TSIG record of a message begins, its last; 0: it has none, or is malformed. */
size_t tsig_find(const uint8_t *message, size_t len);
/* Has whoever shares the key answered the request with this message?  One that is not signed is nobody's. */
bool tsig_believes(const struct tsig *request, const uint8_t *message, size_t len, uint64_t now_s);

#endif
