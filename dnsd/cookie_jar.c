/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/cookie_jar.h"

#include <string.h>

#include "base/random.h"
#include "dnsd/secret_file.h"

enum { SECRET_LEN = 16, LINE_LEN = 2 * SECRET_LEN, FILE_MOST = 4096 };

void cookie_jar_init(struct cookie_jar *jar)
{
	uint8_t bytes[SECRET_LEN];

	memset(jar, 0, sizeof *jar);
	random_bytes(bytes, sizeof bytes);
	jar->random = (struct cookie_secrets){.count = 1, .key = {cookie_secret(bytes)}};
	jar->secrets = jar->random;
	explicit_bzero(bytes, sizeof bytes);
}

void cookie_jar_fini(struct cookie_jar *jar) { explicit_bzero(jar, sizeof *jar); }

/* -1: none. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_line(const char *line, size_t len, struct cookie_secrets *out)
{
	uint8_t bytes[SECRET_LEN];
	bool good = len == LINE_LEN;

	for (size_t i = 0; good && i < SECRET_LEN; i++) {
		int high = digit(line[2 * i]), low = digit(line[2 * i + 1]);

		good = high >= 0 && low >= 0;
		if (good)
			bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (good)
		out->key[out->count++] = cookie_secret(bytes);
	explicit_bzero(bytes, sizeof bytes);
	return good;
}

static enum err parse(const char *file, const char *text, size_t len, struct cookie_secrets *out,
                      struct reason *why)
{
	const char *end = text + len;

	for (unsigned number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;

		if (out->count == COOKIE_MAX_SECRETS)
			return reason_set(why, ERR_PARSE, "%s:%u: more than %d secrets", file,
			                  number, COOKIE_MAX_SECRETS);
		if (!parse_line(text, (size_t)(stop - text), out))
			return reason_set(why, ERR_PARSE,
			                  "%s:%u: a secret is %d hexadecimal digits", file, number,
			                  LINE_LEN);
		text = newline != NULL ? newline + 1 : end;
	}
	if (out->count == 0)
		return reason_set(why, ERR_PARSE, "%s: no secret in it", file);
	return ERR_OK;
}

static enum err read_secrets(const char *file, struct stat *as, struct cookie_secrets *out,
                             struct reason *why)
{
	struct buffer text = {0};
	enum err err = secret_file_read(file, FILE_MOST, &text, as, why);

	if (err == ERR_OK)
		err = parse(file, (const char *)text.data, text.len, out, why);
	smallfile_wipe(&text);
	return err;
}

enum err cookie_jar_fill(struct cookie_jar *jar, const char *file, struct reason *why)
{
	struct cookie_secrets found = {0};
	struct stat as = {0};
	enum err err;

	if (file == NULL) {
		jar->secrets = jar->random;
		jar->is_wrong = false;
		return ERR_OK;
	}
	err = read_secrets(file, &as, &found, why);
	jar->is_wrong = err != ERR_OK;
	if (err == ERR_OK) {
		jar->secrets = found;
		jar->read = stamp_of(&as);
	}
	explicit_bzero(&found, sizeof found);
	return err;
}

bool cookie_jar_is_stale(const struct cookie_jar *jar, const char *file)
{
	struct stamp now;

	if (file == NULL)
		return false;
	now = stamp_at(file);
	return jar->is_wrong || !stamp_equal(&now, &jar->read);
}
