/* keyset.h -- which objects a list had: eight bytes each, whatever their names.
 *
 * Keeps keyed hashes.  That two of a million names have one hash happens once in thirty million lists, and then one
 * object that is gone is found to be so by the next.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_KEYSET_H
#define WATCHER_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"

/* Zeroed: empty. */
struct keyset {
	uint64_t *slot; /* 0: free */
	size_t count, room;
	struct hash_key key;
};

/* Empty, under a new key; gives memory back. */
void keyset_reset(struct keyset *s);
void keyset_add(struct keyset *s, struct bytes namespace, struct bytes name);
bool keyset_has(const struct keyset *s, struct bytes namespace, struct bytes name);

#endif
