/* code.h -- numbers, strings and lists as the bytes of facts; private to fact_code.c and policy_code.c.
 *
 * The forms are told in fact_code.h.  There is one form for each value, so that equal values have equal
 * bytes; reading refuses others.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_CODE_H
#define RECORDS_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

enum { CODE_LENGTH_MOST = UINT16_MAX }; /* bytes of a string, items of a list */

/* What is wrong stays in `err`; what is written after that is of no use. */
struct code_writer {
	struct buffer *out;
	enum err err;
	struct reason *why;
};

void code_write_number(struct code_writer *w, uint64_t v);
void code_write_signed(struct code_writer *w, int64_t v);
void code_write_double(struct code_writer *w, double v);
void code_write_string(struct code_writer *w, struct bytes s);
void code_write_count(struct code_writer *w, size_t count);
void code_write_strings(struct code_writer *w, const struct bytes *s, size_t count);

/* The cursor turns bad at the first fault, and is asked once, at the end. */
void code_spoil(struct cursor *c);
uint64_t code_read_number(struct cursor *c);
int64_t code_read_signed(struct cursor *c);
double code_read_double(struct cursor *c);
/* A number that is not over `most`. */
uint64_t code_read_up_to(struct cursor *c, uint64_t most);
/* A byte that has only the known bits. */
uint8_t code_read_flags(struct cursor *c, uint8_t known);
/* Where it lies. */
struct bytes code_read_string(struct cursor *c);
size_t code_read_count(struct cursor *c);
const struct bytes *code_read_strings(struct cursor *c, struct arena *a, size_t *count);

#endif
