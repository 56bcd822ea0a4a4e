/* tally.h -- three numbers for each of many things, found by a keyed hash of what they are.
 *
 * Such as the slices, ready and all endpoints of a Service.  However many facts make up a number, a
 * change of one costs the same.  A thing is its hash of 64 bits under a key that nobody knows.
 * Numbers may wrap: what was added is taken away again.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_TALLY_H
#define RECORDS_TALLY_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "records/idmap.h"

struct tally_entry {
	uint32_t id[2]; /* small and unaligned: there may be millions */
	uint32_t n[3];
};

struct tally { /* zeroed: empty */
	struct idmap index;
	struct tally_entry *pool; /* number n is pool[n - 1] */
	uint32_t count, room;
	uint32_t unused; /* chain through n[0], 0 ends */
};

/* What is counted of a Service's endpoints, in all its slices. */
enum { TALLY_SLICES, TALLY_READY, TALLY_ENDPOINTS };

void tally_fini(struct tally *t);
/* What stands for something of a cluster that has two names, such as an object. */
uint64_t tally_id(const struct hash_key *key, uint16_t cluster, struct bytes a, struct bytes b);
/* NULL: nothing is counted of it. */
struct tally_entry *tally_find(const struct tally *t, uint64_t id);
/* Made of zeros if there was none.  Good until the next one. */
struct tally_entry *tally_get(struct tally *t, uint64_t id);
/* Forgets it when all its numbers are 0. */
void tally_settle(struct tally *t, struct tally_entry *e);

#endif
