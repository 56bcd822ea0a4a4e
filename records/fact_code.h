/* fact_code.h -- the bytes of a fact; private to fact.c.
 *
 *   kind u8, created (number), namespace, name, then the kind's own fields.
 *
 * A number is in groups of seven bits, lowest first, the top bit set while more
 * follow, in as few bytes as will do; a signed one is folded first (0, -1, 1,
 * -2, ...).  A string is its length as a number and its bytes, a list its
 * count and its items.  Saved state keeps these bytes: a new field of a kind
 * needs a new kind number or a version in the state.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_FACT_CODE_H
#define RECORDS_FACT_CODE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "records/fact.h"

enum err fact_code_write(const struct fact_value *value, struct buffer *out,
                         struct reason *why) MUST_CHECK;
/* The whole; false: not a fact, or something is left over. */
bool fact_code_read(struct cursor *c, struct arena *a, struct fact_value *out);
/* Kind, created, namespace and name; the cursor stands behind them. */
bool fact_code_read_key(struct cursor *c, struct fact_value *out);

/* Is it a DNSEndpoint of published sites?  Reads no further. */
bool fact_code_is_sites(struct cursor *c);

#endif
