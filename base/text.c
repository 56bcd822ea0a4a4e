/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

void text_fini(struct text *t)
{
	free(t->data);
	*t = (struct text){NULL, 0, 0};
}

void text_reset(struct text *t)
{
	t->len = 0;
	if (t->data)
		t->data[0] = '\0';
}

/* Room for len more characters and the NUL. */
static void reserve(struct text *t, size_t len)
{
	size_t least;

	CHECK(len < SIZE_MAX / 4 && t->len < SIZE_MAX / 4);
	least = t->len + len + 1;
	if (least <= t->room)
		return;
	t->room = t->room * 2 > least ? t->room * 2 : (least > 64 ? least : 64);
	t->data = xrealloc(t->data, t->room);
}

void text_add(struct text *t, const char *s) { text_add_bytes(t, bytes_of(s)); }

void text_add_bytes(struct text *t, struct bytes b)
{
	reserve(t, b.len);
	if (b.len)
		memcpy(t->data + t->len, b.data, b.len);
	t->len += b.len;
	t->data[t->len] = '\0';
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(t->room ? t->data + t->len : NULL, t->room - t->len, fmt, ap);
	va_end(ap);
	CHECK(len >= 0);
	if (t->room - t->len <= (size_t)len) {
		reserve(t, (size_t)len);
		vsnprintf(t->data + t->len, t->room - t->len, fmt, again);
	}
	va_end(again);
	t->len += (size_t)len;
}

size_t text_utf8(struct bytes s, uint32_t *out)
{
	/* By length: the first byte's fixed bits, its mask, and the least value. */
	static const struct {
		uint8_t lead, mask;
		uint32_t least;
	} form[] = {
		{0x00, 0x80, 0},
		{0xc0, 0xe0, 0x80},
		{0xe0, 0xf0, 0x800},
		{0xf0, 0xf8, 0x10000},
	};

	for (size_t n = 1; n <= 4 && n <= s.len; n++) {
		uint32_t c;

		if ((s.data[0] & form[n - 1].mask) != form[n - 1].lead)
			continue;
		c = s.data[0] & (uint8_t)~form[n - 1].mask;
		for (size_t i = 1; i < n; i++) {
			if ((s.data[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s.data[i] & 0x3f);
		}
		if (c < form[n - 1].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		if (out)
			*out = c;
		return n;
	}
	return 0;
}

bool text_is_plain(struct bytes s)
{
	for (size_t len; s.len > 0; s = (struct bytes){s.data + len, s.len - len}) {
		len = text_utf8(s, NULL);
		if (len == 0 || s.data[0] < ' ' || s.data[0] == 0x7f)
			return false;
	}
	return true;
}

const char *text_shown(struct bytes s, char *out, size_t size)
{
	size_t len = s.len < size ? s.len : size - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = s.data[i] >= ' ' && s.data[i] < 0x7f ? (char)s.data[i] : '?';
	out[len] = '\0';
	return out;
}

/* What must be escaped in JSON, and besides what YAML and terminals dislike raw. */
static bool must_escape(uint32_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
	       c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static void add_escaped(struct text *t, uint32_t c)
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: itself, its letter */

	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if ((uint32_t)named[i] == c) {
			text_printf(t, "\\%c", named[i + 1]);
			return;
		}
	}
	text_printf(t, "\\u%04x", (unsigned)c);
}

void text_add_json(struct text *t, struct bytes s)
{
	text_add(t, "\"");
	for (size_t at = 0, from = 0; from < s.len; from = at) {
		uint32_t c = 0;
		size_t n = 1;

		/* As many as can go as they are. */
		while (at < s.len) {
			n = text_utf8((struct bytes){s.data + at, s.len - at}, &c);
			if (n == 0 || must_escape(c))
				break;
			at += n;
		}
		text_add_bytes(t, (struct bytes){s.data + from, at - from});
		if (at == s.len)
			break;
		if (n == 0)
			text_add(t, "\xef\xbf\xbd");
		else
			add_escaped(t, c);
		at += n ? n : 1;
	}
	text_add(t, "\"");
}

char *text_copy(struct bytes s) { return xstrndup((const char *)s.data, s.len); }

char *text_take(struct text *t)
{
	char *taken;

	reserve(t, 0);
	t->data[t->len] = '\0';
	taken = t->data;
	*t = (struct text){NULL, 0, 0};
	return taken;
}

bool text_to_u64(struct bytes s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.data[i] - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

bool text_to_double(struct bytes s, double *out)
{
	char copy[64];
	char *end;
	double v;

	if (s.len == 0 || s.len >= sizeof(copy))
		return false;
	memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	/* strtod() alone would also take spaces, "inf" and hexadecimal. */
	if (strspn(copy, "0123456789+-.eE") != s.len)
		return false;
	v = strtod(copy, &end);
	if (*end || end == copy || !isfinite(v))
		return false;
	*out = v;
	return true;
}

double text_percent(uint32_t part, uint32_t whole)
{
	double percent = 0;

	for (uint64_t scale = 1; scale <= 1000; scale *= 10) {
		uint64_t scaled = ((uint64_t)part * 100 * scale + whole / 2) / whole;

		percent = (double)scaled / (double)scale;
		if ((uint32_t)(percent * whole / 100 + 0.5) == part)
			break;
	}
	return percent;
}

bool text_to_duration_ms(struct bytes s, uint64_t *out)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{"ms", 1},
		{"s", 1000},
		{"m", 60 * 1000},
		{"h", 60 * 60 * 1000},
	};
	size_t digits = 0;
	uint64_t v;

	while (digits < s.len && s.data[digits] >= '0' && s.data[digits] <= '9')
		digits++;
	if (!text_to_u64((struct bytes){s.data, digits}, UINT64_MAX, &v))
		return false;
	if (digits == s.len) {
		*out = 0;
		return v == 0;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (bytes_equal_text((struct bytes){s.data + digits, s.len - digits},
		                     units[i].unit))
			return !__builtin_mul_overflow(v, units[i].ms, out);
	return false;
}
