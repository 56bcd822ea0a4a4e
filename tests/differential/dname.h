/* dname.h -- names in wire form, as values: put together, taken apart, written for a master file.
 *
 * Not zones/name.h, which is what is tested.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_DNAME_H
#define TESTS_DIFFERENTIAL_DNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { DNAME_MOST = 255 };

struct dname {
	uint8_t len; /* with the root's octet */
	uint8_t wire[DNAME_MOST];
};

/* "a.b" of plain labels; "" is the root. */
struct dname dname_of(const char *text);
/* One label of `len` bytes (1 to 63) before `below`; false: it does not fit, *out is untouched. */
bool dname_put_before(const void *label, size_t len, const struct dname *below, struct dname *out);
/* All labels of `above` before `below`. */
bool dname_join(const struct dname *above, const struct dname *below, struct dname *out);
struct dname dname_parent(const struct dname *n); /* of the root: the root */
bool dname_is_root(const struct dname *n);
bool dname_is_wildcard(const struct dname *n);
struct dname dname_upper(const struct dname *n); /* all letters, in upper case */
/* Without case (RFC 4343). */
bool dname_equal(const struct dname *a, const struct dname *b);
/* Is it that name, or below it? */
bool dname_is_in(const struct dname *n, const struct dname *apex);
/* For master files (RFC 1035 5.1), with the last dot. */
void dname_print(const struct dname *n, struct text *out);

#endif
