/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_scalar.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

static bool one_of(struct bytes text, const char *a, const char *b, const char *c)
{
	return bytes_equal_text(text, a) || bytes_equal_text(text, b) || bytes_equal_text(text, c);
}

static struct yaml_scalar of_u64(uint64_t magnitude, bool negative)
{
	if (!negative && magnitude > INT64_MAX)
		return (struct yaml_scalar){YAML_SCALAR_UINT, {.u = magnitude}};
	if (!negative)
		return (struct yaml_scalar){YAML_SCALAR_INT, {.i = (int64_t)magnitude}};
	/* -(m - 1) - 1 reaches INT64_MIN without overflow. */
	return (struct yaml_scalar){YAML_SCALAR_INT,
	                            {.i = magnitude ? -(int64_t)(magnitude - 1) - 1 : 0}};
}

/* 0o17 and 0xff: digits of 2^bits, no sign; what overflows is text. */
static bool parse_based(struct bytes digits, unsigned bits, struct yaml_scalar *out)
{
	uint64_t v = 0;

	if (digits.len == 0)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		unsigned c = digits.data[i], digit = 99;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20) - 'a' + 10;
		if (digit >= 1u << bits || v >> (64 - bits))
			return false;
		v = v << bits | digit;
	}
	*out = of_u64(v, false);
	return true;
}

static size_t count_digits(struct bytes text, size_t at)
{
	size_t from = at;

	while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
		at++;
	return at - from;
}

/* [-+]? ( [.][0-9]+ | [0-9]+ ([.][0-9]*)? ) ([eE][-+]?[0-9]+)? */
static bool is_float(struct bytes text, size_t at)
{
	size_t before = count_digits(text, at), behind = 0;

	at += before;
	if (at < text.len && text.data[at] == '.') {
		behind = count_digits(text, at + 1);
		at += 1 + behind;
	}
	if (before + behind == 0)
		return false;
	if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
		size_t digits;

		at++;
		if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
			at++;
		digits = count_digits(text, at);
		if (digits == 0)
			return false;
		at += digits;
	}
	return at == text.len;
}

static struct yaml_scalar parse_number(struct bytes text)
{
	struct yaml_scalar v = {.kind = YAML_SCALAR_TEXT};
	size_t sign = text.data[0] == '-' || text.data[0] == '+';
	bool negative = text.data[0] == '-';
	uint64_t magnitude;
	double d;

	if (text.len > 2 && memcmp(text.data, "0o", 2) == 0 &&
	    parse_based((struct bytes){text.data + 2, text.len - 2}, 3, &v))
		return v;
	if (text.len > 2 && memcmp(text.data, "0x", 2) == 0 &&
	    parse_based((struct bytes){text.data + 2, text.len - 2}, 4, &v))
		return v;
	if (text_to_u64((struct bytes){text.data + sign, text.len - sign},
	                negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX, &magnitude))
		return of_u64(magnitude, negative);
	if (is_float(text, sign) && text_to_double(text, &d))
		return (struct yaml_scalar){YAML_SCALAR_DOUBLE, {.d = d}};
	return v;
}

struct yaml_scalar yaml_scalar_parse(struct bytes text)
{
	if (text.len == 0)
		return (struct yaml_scalar){.kind = YAML_SCALAR_NULL};
	if (memchr("0123456789+-.", text.data[0], 13))
		return parse_number(text);
	if (text.len > 5 || !memchr("~nNtTfF", text.data[0], 7))
		return (struct yaml_scalar){.kind = YAML_SCALAR_TEXT};
	if (bytes_equal_text(text, "~") || one_of(text, "null", "Null", "NULL"))
		return (struct yaml_scalar){.kind = YAML_SCALAR_NULL};
	if (one_of(text, "true", "True", "TRUE"))
		return (struct yaml_scalar){YAML_SCALAR_BOOL, {.truth = true}};
	if (one_of(text, "false", "False", "FALSE"))
		return (struct yaml_scalar){YAML_SCALAR_BOOL, {.truth = false}};
	return (struct yaml_scalar){.kind = YAML_SCALAR_TEXT};
}
