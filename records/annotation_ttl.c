/* SPDX-License-Identifier: Apache-2.0 */
#include "records/annotation_record.h"

#include "base/text.h"

static const struct {
	const char *text;
	uint64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000},
	{"\xce\xbcs", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60 * UINT64_C(1000000000)},
	{"h", 3600 * UINT64_C(1000000000)},
};

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static size_t count_digits(struct bytes s, size_t from)
{
	size_t n = 0;

	while (from + n < s.len && is_digit(s.data[from + n]))
		n++;
	return n;
}

/* The unit at the beginning of s: up to the next digit or point. */
static uint64_t read_unit(struct bytes s, size_t *len)
{
	*len = 0;
	while (*len < s.len && !is_digit(s.data[*len]) && s.data[*len] != '.')
		(*len)++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (bytes_equal_text((struct bytes){s.data, *len}, units[i].text))
			return units[i].ns;
	return 0;
}

/* One number with its unit, taken off the front; false: none there, or too much. */
static bool take_term(struct bytes *s, uint64_t *total_ns)
{
	size_t whole_len = count_digits(*s, 0);
	size_t fraction_len = 0;
	size_t at = whole_len;
	size_t unit_len;
	uint64_t whole = 0, ns, term;
	double fraction = 0, scale = 1;

	if (at < s->len && s->data[at] == '.') {
		at++;
		fraction_len = count_digits(*s, at);
		for (size_t i = 0; i < fraction_len && i < 15; i++) {
			fraction = fraction * 10 + (s->data[at + i] - '0');
			scale *= 10;
		}
		at += fraction_len;
	}
	if (whole_len + fraction_len == 0)
		return false;
	if (whole_len > 0 && !text_to_u64((struct bytes){s->data, whole_len}, UINT64_MAX, &whole))
		return false;
	ns = read_unit((struct bytes){s->data + at, s->len - at}, &unit_len);
	if (ns == 0 || __builtin_mul_overflow(whole, ns, &term) ||
	    __builtin_add_overflow(term, (uint64_t)(fraction * ((double)ns / scale)), &term) ||
	    __builtin_add_overflow(*total_ns, term, total_ns))
		return false;
	s->data += at + unit_len;
	s->len -= at + unit_len;
	return true;
}

bool annotation_record_read_ttl(struct bytes text, uint32_t *out)
{
	uint64_t ns = 0, seconds;

	if (!text_to_u64(text, UINT64_MAX, &seconds)) {
		do {
			if (!take_term(&text, &ns))
				return false;
		} while (text.len > 0);
		seconds = ns / UINT64_C(1000000000);
	}
	*out = (uint32_t)seconds;
	return seconds >= 1 && seconds <= INT32_MAX;
}
