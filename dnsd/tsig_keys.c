/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "dnsd/secret_file.h"
#include "dnsd/tsig_inside.h"

enum { FILE_MOST = 1 << 20, SECRET_MOST = 512, KEYS_MOST = 10000 };

#define ALGORITHM(bits, bytes)                                                                     \
	{                                                                                          \
		"hmac-sha" #bits, (const uint8_t *)"\013hmac-sha" #bits, 13, bytes, "SHA2-" #bits  \
	}

static const struct tsig_algorithm algorithms[] = {ALGORITHM(256, 32), ALGORITHM(384, 48),
                                                   ALGORITHM(512, 64)};

const struct tsig_algorithm *tsig_algorithm_find(struct bytes name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (name.len == strlen(algorithms[i].name) &&
		    strncasecmp((const char *)name.data, algorithms[i].name, name.len) == 0)
			return &algorithms[i];
	return NULL;
}

/* --- words of the file: names, "texts", and { } ; --- */

struct reader {
	const char *file;
	const uint8_t *at, *end;
	unsigned line;
	struct reason *why;
};

static enum err complain(const struct reader *r, const char *what)
{
	return reason_set(r->why, ERR_PARSE, "%s:%u: %s", r->file, r->line, what);
}

static bool follows(const struct reader *r, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(r->end - r->at) >= len && memcmp(r->at, text, len) == 0;
}

static void skip(struct reader *r, size_t len)
{
	for (; len > 0 && r->at < r->end; len--)
		r->line += *r->at++ == '\n';
}

static void skip_to(struct reader *r, const char *text)
{
	while (r->at < r->end && !follows(r, text))
		skip(r, 1);
}

static void skip_blanks(struct reader *r)
{
	for (;;) {
		if (r->at < r->end && isspace(*r->at)) {
			skip(r, 1);
		} else if (follows(r, "//") || follows(r, "#")) {
			skip_to(r, "\n");
		} else if (follows(r, "/*")) {
			skip(r, 2);
			skip_to(r, "*/");
			skip(r, 2);
		} else {
			return;
		}
	}
}

/* One of { } ; or a name, or a text without its quotes; none at the end. */
static struct bytes next_word(struct reader *r, bool *quoted)
{
	struct bytes word = {0};

	skip_blanks(r);
	*quoted = follows(r, "\"");
	if (*quoted) {
		skip(r, 1);
		word.data = r->at;
		skip_to(r, "\"");
		word.len = (size_t)(r->at - word.data);
		skip(r, 1);
		return word;
	}
	word.data = r->at;
	if (r->at < r->end && strchr("{};", *r->at)) {
		skip(r, 1);
		word.len = 1;
		return word;
	}
	while (r->at < r->end && !isspace(*r->at) && !strchr("{};\"", *r->at))
		skip(r, 1);
	word.len = (size_t)(r->at - word.data);
	return word;
}

static bool expect(struct reader *r, const char *mark)
{
	bool quoted;
	struct bytes word = next_word(r, &quoted);

	return !quoted && bytes_equal_text(word, mark);
}

/* --- one key --- */

/* Standard base64, padded; blanks within are passed over, as BIND does.  0: it is none, or too long. */
static size_t read_secret(struct bytes text, uint8_t out[SECRET_MOST])
{
	uint8_t clean[SECRET_MOST / 3 * 4 + 4] = {0};
	size_t len = 0, padding = 0;
	int got = -1;

	for (size_t i = 0; i < text.len; i++)
		if (!isspace(text.data[i])) {
			if (len == SECRET_MOST / 3 * 4)
				return 0;
			clean[len++] = text.data[i];
		}
	while (padding < 2 && padding < len && clean[len - 1 - padding] == '=')
		padding++;
	if (len > 0 && len % 4 == 0)
		got = EVP_DecodeBlock(out, clean, (int)len);
	OPENSSL_cleanse(clean, sizeof(clean));
	return got > 0 ? (size_t)got - padding : 0;
}

static EVP_MAC_CTX *begin_mac(const struct tsig_algorithm *algorithm, struct bytes secret)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	                                         (char *)(uintptr_t)algorithm->digest, 0),
		OSSL_PARAM_construct_end()};

	CHECK(mac != NULL && EVP_MAC_init(mac, secret.data, secret.len, params) == 1);
	EVP_MAC_free(hmac);
	return mac;
}

static enum err read_name(const struct reader *r, struct bytes word, struct tsig_key *key)
{
	struct reason why = {0};
	struct name name;

	if (name_from_text(&name, word, &why) != ERR_OK)
		return reason_set(r->why, ERR_PARSE, "%s:%u: the name of a key: %s", r->file,
		                  r->line, why.text);
	if (name.labels == 0)
		return reason_set(r->why, ERR_PARSE,
		                  "%s:%u: a key may not be named \".\": everybody tries that one",
		                  r->file, r->line);
	memcpy(key->name, name.wire, name.len);
	return ERR_OK;
}

struct body {
	const struct tsig_algorithm *algorithm;
	uint8_t secret[SECRET_MOST];
	size_t secret_len;
};

static enum err read_statement(struct reader *r, struct bytes word, struct body *body)
{
	bool quoted;
	struct bytes value = next_word(r, &quoted);

	if ((bytes_equal_text(word, "algorithm") && body->algorithm) ||
	    (bytes_equal_text(word, "secret") && body->secret_len > 0))
		return complain(r, "a key has one algorithm and one secret");
	if (bytes_equal_text(word, "algorithm")) {
		body->algorithm = tsig_algorithm_find(value);
		if (!body->algorithm)
			return complain(r, "the algorithm is none of hmac-sha256, hmac-sha384, "
			                   "hmac-sha512");
	} else if (bytes_equal_text(word, "secret")) {
		body->secret_len = read_secret(value, body->secret);
		if (body->secret_len == 0)
			return complain(r, "the secret is not base64, or longer than 510 bytes");
	} else {
		return complain(r, "a key has an algorithm and a secret, each once, ended by ;");
	}
	return expect(r, ";") ? ERR_OK : complain(r, "a ; is missing");
}

static enum err read_body(struct reader *r, struct body *body)
{
	bool quoted;
	enum err err = ERR_OK;

	if (!expect(r, "{"))
		return complain(r, "a { is missing behind the name of a key");
	while (err == ERR_OK) {
		struct bytes word = next_word(r, &quoted);

		if (bytes_equal_text(word, "}"))
			break;
		err = read_statement(r, word, body);
	}
	if (err == ERR_OK && !expect(r, ";"))
		err = complain(r, "a ; is missing behind a }");
	if (err == ERR_OK && (!body->algorithm || body->secret_len == 0))
		err = complain(r, "a key needs an algorithm and a secret");
	return err;
}

static void free_key(struct tsig_key *key)
{
	EVP_MAC_CTX_free(key->mac);
	free(key);
}

static enum err read_key(struct reader *r, struct tsig_keys *keys)
{
	struct tsig_key *key = xcalloc(1, sizeof(*key));
	struct body body = {0};
	bool quoted;
	enum err err = read_name(r, next_word(r, &quoted), key);

	if (err == ERR_OK && tsig_keys_find(keys, key->name))
		err = complain(r, "a key of this name is there already");
	if (err == ERR_OK)
		err = read_body(r, &body);
	if (err == ERR_OK) {
		key->algorithm = body.algorithm;
		key->mac = begin_mac(body.algorithm, (struct bytes){body.secret, body.secret_len});
		key->next = keys->first;
		keys->first = key;
	} else {
		free_key(key);
	}
	OPENSSL_cleanse(&body, sizeof(body));
	return err;
}

/* --- all of them --- */

enum err tsig_keys_parse(const char *file, struct bytes text, const struct tsig_keys **out,
                         struct reason *why)
{
	struct tsig_keys *keys = xcalloc(1, sizeof(*keys));
	struct reader r = {.file = file, .at = text.data, .line = 1, .why = why};
	enum err err = ERR_OK;

	r.end = text.len > 0 ? text.data + text.len : text.data;
	atomic_init(&keys->owners, 1);
	*out = keys;
	for (size_t count = 0; err == ERR_OK; count++) {
		bool quoted;
		struct bytes word = next_word(&r, &quoted);

		if (word.len == 0 && !quoted && r.at == r.end)
			return ERR_OK;
		if (!bytes_equal_text(word, "key") || count == KEYS_MOST)
			err = complain(&r, "expected: key \"name\" { algorithm hmac-sha256; "
			                   "secret \"base64\"; };");
		else
			err = read_key(&r, keys);
	}
	tsig_keys_unref(keys);
	*out = NULL;
	return err;
}

enum err tsig_keys_read(const char *file, const struct tsig_keys **out, struct reason *why)
{
	struct buffer text = {0};
	struct stat as;
	enum err err = secret_file_read(file, FILE_MOST, &text, &as, why);

	*out = NULL;
	if (err == ERR_OK)
		err = tsig_keys_parse(file, (struct bytes){text.data, text.len}, out, why);
	smallfile_wipe(&text);
	return err;
}

/* To count is not to change what it is. */
static struct tsig_keys *counted(const struct tsig_keys *keys)
{
	return (struct tsig_keys *)(uintptr_t)keys;
}

const struct tsig_keys *tsig_keys_ref(const struct tsig_keys *keys)
{
	if (keys)
		atomic_fetch_add_explicit(&counted(keys)->owners, 1, memory_order_relaxed);
	return keys;
}

void tsig_keys_unref(const struct tsig_keys *shared)
{
	struct tsig_keys *keys = counted(shared);

	if (!keys || atomic_fetch_sub_explicit(&keys->owners, 1, memory_order_acq_rel) > 1)
		return;
	while (keys->first) {
		struct tsig_key *key = keys->first;

		keys->first = key->next;
		free_key(key);
	}
	free(keys);
}

const struct tsig_key *tsig_keys_find(const struct tsig_keys *keys, const uint8_t *name)
{
	const struct tsig_key *key = keys ? keys->first : NULL;

	while (key && !names_wire_equal(key->name, name))
		key = key->next;
	return key;
}

const uint8_t *tsig_key_name(const struct tsig_key *key) { return key->name; }
