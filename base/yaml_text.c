/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_text.h"

#include <string.h>

enum { DIRECTIVES_MOST = 1000 };

static struct bytes behind(struct bytes text, size_t at)
{
	return (struct bytes){text.data + at, text.len - at};
}

struct bytes yaml_text_start(struct bytes text)
{
	return text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0 ? behind(text, 3) : text;
}

static bool is_allowed(uint32_t c)
{
	if (c < 0xa0)
		return c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c < 0x7f) || c == 0x85;
	return c != 0xfeff && c != 0xfffe && c != 0xffff;
}

size_t yaml_text_find_bad(struct bytes text, unsigned *line, const char **what)
{
	size_t at = 0, directives = 0;

	*line = 1;
	while (at < text.len) {
		uint32_t c = text.data[at];
		size_t n = 1;

		if (c >= ' ' && c < 0x7f) {
			at++;
			continue;
		}
		if (c >= 0x80)
			n = text_utf8(behind(text, at), &c);
		if (n == 0 || !is_allowed(c)) {
			*what = n ? "a control character is not allowed" : "not UTF-8";
			return at;
		}
		if (c == '\n' && at + 1 < text.len && text.data[at + 1] == '%' &&
		    ++directives > DIRECTIVES_MOST) {
			*what = "too many directives";
			return at;
		}
		/* Line breaks as libyaml counts them. */
		if (c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029 ||
		    (c == '\r' && (at + 1 == text.len || text.data[at + 1] != '\n')))
			++*line;
		at += n;
	}
	return at;
}

/* "\uXXXX" at `at`, of which the value is wanted. */
static bool escape_at(struct bytes text, size_t at, uint32_t *out)
{
	uint32_t v = 0;

	if (text.len - at < 6 || memcmp(text.data + at, "\\u", 2) != 0)
		return false;
	for (size_t i = at + 2; i < at + 6; i++) {
		uint8_t c = text.data[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

static bool begins_like_json(struct bytes text)
{
	for (size_t at = 0; at < text.len; at++)
		if (!memchr(" \t\r\n", text.data[at], 4))
			return text.data[at] == '{' || text.data[at] == '[';
	return false;
}

bool yaml_text_join_surrogates(struct bytes text, struct text *out)
{
	size_t from = 0, at = 0;
	const uint8_t *escape;
	uint32_t high, low;

	if (!begins_like_json(text) ||
	    (!memmem(text.data, text.len, "\\ud", 3) && !memmem(text.data, text.len, "\\uD", 3)))
		return false;
	while ((escape = memchr(text.data + at, '\\', text.len - at)) != NULL) {
		at = (size_t)(escape - text.data);
		if (escape_at(text, at, &high) && high >= 0xd800 && high <= 0xdbff &&
		    escape_at(text, at + 6, &low) && low >= 0xdc00 && low <= 0xdfff) {
			text_add_bytes(out, (struct bytes){text.data + from, at - from});
			text_printf(out, "\\U%08x",
			            (unsigned)(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
			from = at += 12;
		} else {
			/* The backslash and what it escapes, so that "\\ud800" is left alone. */
			at = text.len - at > 2 ? at + 2 : text.len;
		}
	}
	text_add_bytes(out, behind(text, from));
	return true;
}

unsigned yaml_text_clamp_line(struct bytes text, unsigned line)
{
	unsigned last = 1;

	for (size_t at = 0; at + 1 < text.len && last < line; at++)
		last += text.data[at] == '\n';
	return line < last ? line : last;
}

bool yaml_text_tab_indents(struct bytes text, unsigned line)
{
	const uint8_t *at = text.data, *end = text.len ? at + text.len : at;

	for (; line > 1 && at < end; line--) {
		const uint8_t *next = memchr(at, '\n', (size_t)(end - at));

		at = next ? next + 1 : end;
	}
	for (; at < end && (*at == ' ' || *at == '\t'); at++)
		if (*at == '\t')
			return true;
	return false;
}
