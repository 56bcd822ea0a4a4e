/* SPDX-License-Identifier: Apache-2.0 */
#include "records/names.h"

#include <string.h>

enum { LABEL_MAX = 63 };

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* The character that an escape means, and how much text it takes; 0: a bad one. */
static size_t read_escape(struct bytes text, uint8_t *out)
{
	unsigned value;

	if (text.len < 2)
		return 0;
	if (!is_digit(text.data[1])) {
		*out = text.data[1];
		return 2;
	}
	if (text.len < 4 || !is_digit(text.data[2]) || !is_digit(text.data[3]))
		return 0;
	value = (text.data[1] - '0') * 100U + (text.data[2] - '0') * 10U + (text.data[3] - '0');
	*out = (uint8_t)value;
	return value > 255 ? 0 : 4;
}

/* The bytes from `at` on that stand for themselves, at most `most`; returns how many. */
static size_t read_plain(struct bytes text, size_t *at, uint8_t *out, size_t most)
{
	const uint8_t *from = text.data + *at;
	size_t count = 0, end = text.len - *at < most ? text.len - *at : most;

	for (; count < end && from[count] != '.' && from[count] != '\\'; count++)
		out[count] = from[count];
	*at += count;
	return count;
}

/* The text from `at` to the next dot into out[*len..], with its length before it.
 * Leaves *at behind the dot. */
static enum err read_label(struct bytes text, size_t *at, uint8_t *out, size_t *len,
                           struct reason *why)
{
	size_t start = (*len)++;
	size_t left = NAMES_WIRE_MAX - 1 - *len; /* one byte stays for the root label */
	size_t size;

	size = read_plain(text, at, out + *len, LABEL_MAX < left ? LABEL_MAX : left);
	*len += size;
	while (*at < text.len && text.data[*at] != '.') {
		uint8_t c = text.data[*at];
		size_t taken = 1;

		if (c == '\\')
			taken = read_escape((struct bytes){text.data + *at, text.len - *at}, &c);
		if (taken == 0)
			return reason_set(why, ERR_PARSE, "a bad escape");
		if (size == LABEL_MAX)
			return reason_set(why, ERR_RANGE, "a label is longer than 63 bytes");
		if (*len == NAMES_WIRE_MAX - 1)
			return reason_set(why, ERR_RANGE, "the name is longer than 255 bytes");
		out[(*len)++] = c;
		size++;
		*at += taken;
	}
	if (size == 0)
		return reason_set(why, ERR_PARSE, "a label is empty");
	out[start] = (uint8_t)size;
	*at += *at < text.len;
	return ERR_OK;
}

enum err names_from_text(struct bytes text, uint8_t out[NAMES_WIRE_MAX], size_t *len,
                         struct reason *why)
{
	size_t at = 0;

	*len = 0;
	if (text.len == 0)
		return reason_set(why, ERR_PARSE, "the name is empty");
	if (text.len == 1 && text.data[0] == '.')
		at = 1;
	while (at < text.len) {
		enum err err;

		if (*len >= NAMES_WIRE_MAX - 2)
			return reason_set(why, ERR_RANGE, "the name is longer than 255 bytes");
		err = read_label(text, &at, out, len, why);
		if (err)
			return err;
	}
	out[(*len)++] = 0;
	return ERR_OK;
}

static char *write_char(char *out, uint8_t c)
{
	if (c <= ' ' || c >= 0x7f) {
		*out++ = '\\';
		*out++ = (char)('0' + c / 100);
		*out++ = (char)('0' + c / 10 % 10);
		*out++ = (char)('0' + c % 10);
		return out;
	}
	if (strchr(".\\\"();@$", c))
		*out++ = '\\';
	*out++ = (char)c;
	return out;
}

char *names_to_text(const uint8_t *wire, char out[NAMES_TEXT_SIZE])
{
	char *at = out;

	if (*wire == 0)
		*at++ = '.';
	for (; *wire; wire += 1 + *wire) {
		for (size_t i = 1; i <= *wire; i++)
			at = write_char(at, wire[i]);
		*at++ = '.';
	}
	*at = '\0';
	return out;
}

bool names_wire_is_good(struct bytes wire)
{
	size_t at = 0;

	if (wire.len > NAMES_WIRE_MAX)
		return false;
	while (at < wire.len && wire.data[at] != 0) {
		if (wire.data[at] > 63)
			return false;
		at += 1U + wire.data[at];
	}
	return at + 1 == wire.len;
}

/* Label lengths are below 'A', so that bytes_lower() leaves them alone. */
static bool same(const uint8_t *a, const uint8_t *b, size_t len)
{
	if (memcmp(a, b, len) == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i] && bytes_lower(a[i]) != bytes_lower(b[i]))
			return false;
	return true;
}

bool names_wire_equal(const uint8_t *a, const uint8_t *b)
{
	size_t len = names_wire_len(a);

	return len == names_wire_len(b) && same(a, b, len);
}

bool names_wire_is_under(const uint8_t *name, const uint8_t *apex)
{
	size_t left = names_wire_len(name);
	size_t want = names_wire_len(apex);

	while (left > want) {
		left -= 1 + (size_t)*name;
		name += 1 + *name;
	}
	return left == want && same(name, apex, want);
}

bool names_is_label(struct bytes text, struct reason *why)
{
	if (text.len == 0 || text.len > LABEL_MAX) {
		(void)reason_set(why, ERR_RANGE, "it has %zu characters, not 1 to 63", text.len);
		return false;
	}
	if (text.data[0] == '-' || text.data[text.len - 1] == '-') {
		(void)reason_set(why, ERR_PARSE, "it begins or ends with '-'");
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = bytes_lower(text.data[i]);

		if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '-' && c != '_') {
			(void)reason_set(why, ERR_PARSE,
			                 "only letters, digits, '-' and '_' may be in it");
			return false;
		}
	}
	return true;
}
