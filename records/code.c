/* SPDX-License-Identifier: Apache-2.0 */
#include "records/code.h"

#include <string.h>

/* --- writing --- */

void code_write_number(struct code_writer *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buffer_u8(w->out, (uint8_t)(v | 0x80));
	buffer_u8(w->out, (uint8_t)v);
}

void code_write_signed(struct code_writer *w, int64_t v)
{
	code_write_number(w, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void code_write_string(struct code_writer *w, struct bytes s)
{
	if (s.len > CODE_LENGTH_MOST) {
		w->err = reason_set(w->why, ERR_RANGE, "a string of %zu bytes is too long", s.len);
		return;
	}
	code_write_number(w, s.len);
	buffer_put(w->out, s.data, s.len);
}

void code_write_count(struct code_writer *w, size_t count)
{
	if (count > CODE_LENGTH_MOST)
		w->err = reason_set(w->why, ERR_RANGE, "a list of %zu items is too long", count);
	else
		code_write_number(w, count);
}

void code_write_strings(struct code_writer *w, const struct bytes *s, size_t count)
{
	code_write_count(w, count);
	for (size_t i = 0; i < count && !w->err; i++)
		code_write_string(w, s[i]);
}

void code_write_double(struct code_writer *w, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	buffer_u64(w->out, bits);
}

void code_spoil(struct cursor *c)
{
	c->bad = true;
	c->at = c->end;
}

uint64_t code_read_number(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);
		uint64_t part = byte & 0x7f;

		/* Only the bits there are, no needless last byte: equal values, equal bytes. */
		if (part << shift >> shift != part || (byte == 0 && shift > 0))
			break;
		v |= part << shift;
		if (byte < 0x80)
			return v;
	}
	code_spoil(c);
	return 0;
}

int64_t code_read_signed(struct cursor *c)
{
	uint64_t v = code_read_number(c);

	return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

uint64_t code_read_up_to(struct cursor *c, uint64_t most)
{
	uint64_t v = code_read_number(c);

	if (v <= most)
		return v;
	code_spoil(c);
	return 0;
}

struct bytes code_read_string(struct cursor *c)
{
	return cursor_bytes(c, code_read_up_to(c, CODE_LENGTH_MOST));
}

/* An item takes a byte at least: damaged bytes cannot ask for more memory than that. */
size_t code_read_count(struct cursor *c)
{
	size_t count = code_read_up_to(c, CODE_LENGTH_MOST);

	if (count <= cursor_left(c))
		return count;
	code_spoil(c);
	return 0;
}

uint8_t code_read_flags(struct cursor *c, uint8_t known)
{
	uint8_t flags = cursor_u8(c);

	if (flags & ~known)
		code_spoil(c);
	return flags;
}

const struct bytes *code_read_strings(struct cursor *c, struct arena *a, size_t *count)
{
	struct bytes *list;

	*count = code_read_count(c);
	list = arena_calloc(a, *count, sizeof(*list));
	for (size_t i = 0; i < *count && !c->bad; i++)
		list[i] = code_read_string(c);
	return list;
}

double code_read_double(struct cursor *c)
{
	uint64_t bits = cursor_u64(c);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}
