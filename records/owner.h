/* owner.h -- owner names in wire form: hashed without case, put together.
 *
 * Private to records; pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_OWNER_H
#define RECORDS_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "records/names.h"

/* The same for names that differ only in case. */
uint32_t owner_hash(const struct hash_key *key, struct bytes wire);
/* All letters in lower case. */
void owner_lower(struct bytes wire, uint8_t out[NAMES_WIRE_MAX]);

/* front + label + back, where front is wire without its root label, label may be
 * empty, and back is whole; its length, or 0 when that is over 255 bytes. */
size_t owner_join(struct bytes front, struct bytes label, struct bytes back,
                  uint8_t out[NAMES_WIRE_MAX]);

#endif
