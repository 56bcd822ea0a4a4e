/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/plain.h"

#include <string.h>

#include "base/addr.h"
#include "records/names.h"
#include "zones/rdata.h"
#include "zones/rrset.h"

enum { STRING_MAX = 255 };

const char *plain_fields(uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *fields;
	} known[] = {
		{RR_NS, "n"},     {3, "n"},   {4, "n"},        {RR_CNAME, "n"}, {7, "n"},
		{8, "n"},         {9, "n"},   {RR_PTR, "n"},   {14, "nn"},      {RR_MX, "sn"},
		{17, "nn"},       {18, "sn"}, {21, "sn"},      {23, "n"},       {26, "snn"},
		{RR_SRV, "sssn"}, {36, "sn"}, {RR_DNAME, "n"}, {58, "nn"},      {107, "sn"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == type)
			return known[i].fields;
	return NULL;
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t'; }

struct bytes plain_trim(struct bytes text)
{
	while (text.len && is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len && is_space(text.data[text.len - 1]) &&
	       !(text.len > 1 && text.data[text.len - 2] == '\\'))
		text.len--;
	return text;
}

struct bytes plain_word(struct bytes *text)
{
	struct bytes rest = plain_trim(*text), word = {rest.data, 0};

	while (word.len < rest.len && !is_space(rest.data[word.len]))
		word.len += rest.data[word.len] == '\\' && word.len + 1 < rest.len ? 2 : 1;
	text->data = rest.data + word.len;
	text->len = rest.len - word.len;
	return word;
}

/* Does it end in a dot that no backslash takes? */
static bool is_absolute(struct bytes text)
{
	size_t slashes = 0;

	if (text.len == 0 || text.data[text.len - 1] != '.')
		return false;
	while (slashes + 1 < text.len && text.data[text.len - 2 - slashes] == '\\')
		slashes++;
	return slashes % 2 == 0;
}

enum err plain_parse_name(struct bytes text, const uint8_t *origin, struct buffer *out,
                          struct reason *why)
{
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len, origin_len;
	enum err err;

	if (origin && bytes_equal_text(text, "@")) {
		buffer_put(out, origin, names_wire_len(origin));
		return ERR_OK;
	}
	err = names_from_text(text, wire, &len, why);
	if (err)
		return err;
	if (!origin || is_absolute(text)) {
		buffer_put(out, wire, len);
		return ERR_OK;
	}
	origin_len = names_wire_len(origin);
	if (len - 1 + origin_len > NAMES_WIRE_MAX)
		return reason_set(why, ERR_RANGE, "the name is longer than 255 bytes");
	buffer_put(out, wire, len - 1);
	buffer_put(out, origin, origin_len);
	return ERR_OK;
}

enum err plain_parse_fields(const char *fields, struct bytes text, const uint8_t *origin,
                            struct buffer *out, struct reason *why)
{
	for (; *fields; fields++) {
		struct bytes word = plain_word(&text);
		uint64_t number;
		enum err err;

		if (word.len == 0)
			return reason_set(why, ERR_PARSE, "a field is missing");
		if (*fields == 'n') {
			err = plain_parse_name(word, origin, out, why);
			if (err)
				return err;
			continue;
		}
		if (!text_to_u64(word, UINT16_MAX, &number))
			return reason_set(why, ERR_RANGE, "'%.*s' is not a number from 0 to 65535",
			                  (int)(word.len < 40 ? word.len : 40),
			                  (const char *)word.data);
		buffer_u16(out, (uint16_t)number);
	}
	if (plain_trim(text).len)
		return reason_set(why, ERR_PARSE, "there is more than the type has fields");
	return ERR_OK;
}

enum err plain_parse_address(uint16_t type, struct bytes text, struct buffer *out,
                             struct reason *why)
{
	struct addr a;

	if (!addr_parse(text, &a) || a.family != (type == RR_A ? ADDR_IPV4 : ADDR_IPV6))
		return reason_set(why, ERR_PARSE, "'%.*s' is not an IPv%d address",
		                  (int)(text.len < 60 ? text.len : 60), (const char *)text.data,
		                  type == RR_A ? 4 : 6);
	buffer_put(out, a.bytes, type == RR_A ? 4 : 16);
	return ERR_OK;
}

enum err plain_parse_text(struct bytes text, struct buffer *out, struct reason *why)
{
	if (text.len + text.len / STRING_MAX + 1 > RDATA_MAX)
		return reason_set(why, ERR_RANGE, "the text is longer than 64 KiB");
	do {
		size_t len = text.len < STRING_MAX ? text.len : STRING_MAX;

		buffer_u8(out, (uint8_t)len);
		buffer_put(out, text.data, len);
		text.data += len;
		text.len -= len;
	} while (text.len);
	return ERR_OK;
}

/* One byte, perhaps escaped, of a text at *at; false: an escape that is none. */
static bool take_byte(struct bytes text, size_t *at, uint8_t *out)
{
	const uint8_t *p = text.data + *at;
	size_t left = text.len - *at;
	unsigned value = 0;

	*out = p[0];
	*at += 1;
	if (p[0] != '\\')
		return true;
	if (left < 2)
		return false;
	*out = p[1];
	*at += 1;
	if (p[1] < '0' || p[1] > '9')
		return true;
	for (size_t i = 1; i < 4; i++) {
		if (i >= left || p[i] < '0' || p[i] > '9')
			return false;
		value = value * 10 + (p[i] - '0');
	}
	*out = (uint8_t)value;
	*at += 2;
	return value <= UINT8_MAX;
}

static enum err parse_string(struct bytes text, size_t *at, struct buffer *out, struct reason *why)
{
	bool quoted = text.data[*at] == '"';
	size_t begin = out->len;

	*at += quoted;
	buffer_u8(out, 0);
	while (*at < text.len) {
		uint8_t c = text.data[*at];

		if (c == '"' || (!quoted && is_space(c)))
			break;
		if (!take_byte(text, at, &c))
			return reason_set(why, ERR_PARSE, "a backslash that begins no escape");
		if (out->len - begin > STRING_MAX)
			return reason_set(why, ERR_RANGE, "a text is longer than 255 bytes");
		buffer_u8(out, c);
	}
	if (quoted) {
		if (*at == text.len)
			return reason_set(why, ERR_PARSE, "a quotation mark is open");
		*at += 1;
	}
	if (*at < text.len && !is_space(text.data[*at]))
		return reason_set(why, ERR_PARSE, "no space between two texts");
	out->data[begin] = (uint8_t)(out->len - begin - 1);
	return ERR_OK;
}

enum err plain_parse_strings(struct bytes text, struct buffer *out, struct reason *why)
{
	size_t begin = out->len, at = 0;

	text = plain_trim(text);
	if (text.len == 0)
		return reason_set(why, ERR_PARSE, "a text is missing");
	while (at < text.len) {
		enum err err = parse_string(text, &at, out, why);

		if (err)
			return err;
		while (at < text.len && is_space(text.data[at]))
			at++;
	}
	if (out->len - begin > RDATA_MAX)
		return reason_set(why, ERR_RANGE, "longer than 64 KiB");
	return ERR_OK;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err plain_parse_generic(struct bytes text, struct buffer *out, struct reason *why)
{
	struct bytes word = plain_word(&text);
	size_t digits = 0;
	uint64_t len;
	uint8_t byte = 0;

	if (!text_to_u64(word, RDATA_MAX, &len))
		return reason_set(why, ERR_PARSE,
		                  "\\# is not followed by a length from 0 to 65535");
	for (size_t i = 0; i < text.len; i++) {
		int digit = hex_digit(text.data[i]);

		if (is_space(text.data[i]))
			continue;
		if (digit < 0)
			return reason_set(why, ERR_PARSE,
			                  "what follows \\# and the length is not hexadecimal");
		byte = (uint8_t)(byte << 4 | digit);
		if (digits++ % 2)
			buffer_u8(out, byte);
	}
	if (digits != len * 2)
		return reason_set(why, ERR_PARSE, "\\# names another length than that of the data");
	return ERR_OK;
}

/* Length of the name that begins at `at`, 0: it does not end in time. */
static size_t name_len(struct bytes rdata, size_t at)
{
	size_t start = at;

	while (at < rdata.len && rdata.data[at] != 0) {
		if (rdata.data[at] > 63)
			return 0;
		at += 1U + rdata.data[at];
	}
	return at < rdata.len && at + 1 - start <= NAMES_WIRE_MAX ? at + 1 - start : 0;
}

bool plain_print_fields(const char *fields, struct bytes rdata, struct text *out)
{
	char name[NAMES_TEXT_SIZE];
	size_t at = 0, len;

	for (const char *field = fields; *field; field++) {
		if (field != fields)
			text_add(out, " ");
		if (*field == 'n') {
			len = name_len(rdata, at);
			if (len == 0)
				return false;
			text_add(out, names_to_text(rdata.data + at, name));
		} else {
			len = 2;
			if (at + len > rdata.len)
				return false;
			text_printf(out, "%u", bytes_get16(rdata.data + at));
		}
		at += len;
	}
	return at == rdata.len;
}

static void print_string(struct bytes s, struct text *out)
{
	text_add(out, "\"");
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (c < ' ' || c >= 0x7f)
			text_printf(out, "\\%03u", c);
		else
			text_printf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	text_add(out, "\"");
}

bool plain_print_text(struct bytes rdata, struct text *out)
{
	struct cursor c = cursor_over(rdata.data, rdata.len);

	if (rdata.len == 0)
		return false;
	while (cursor_left(&c)) {
		struct bytes s = cursor_bytes(&c, cursor_u8(&c));

		if (c.bad)
			return false;
		if (c.at - s.len > rdata.data + 1)
			text_add(out, " ");
		print_string(s, out);
	}
	return true;
}

void plain_print_generic(struct bytes rdata, struct text *out)
{
	text_printf(out, "\\# %zu%s", rdata.len, rdata.len ? " " : "");
	for (size_t i = 0; i < rdata.len; i++)
		text_printf(out, "%02x", rdata.data[i]);
}
