/* zonefile.h -- a zone in master file format (RFC 1035 5), read and held to the rules of zones.
 *
 * zonefile_read() reads the file and what it includes, in the thread pool; the product is frozen.
 * It has the names that differ from those of the reading before, as images for zones_set_file(), and an index
 * of all names (20 bytes each) for telling lines and for comparing the next reading with.
 * A zone with an error has none of its names.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_ZONEFILE_H
#define ZONES_ZONEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/stamp.h"
#include "zones/name.h"

enum { ZONEFILE_MAX_BYTES = 1 << 30, ZONEFILE_MAX_FILES = 1000, ZONEFILE_MAX_DEPTH = 8 };

struct zonefile;

struct zonefile_request {
	const char *path;
	struct bytes apex;             /* wire form */
	uint32_t ttl;                  /* seconds, of records that no TTL is said for */
	bool has_nameservers;          /* the config has some: the file need not */
	struct name_key key;           /* the same for all readings of a zone */
	const struct zonefile *before; /* the last good reading that is in force; NULL: none */
	bool keeps_records;            /* of a good one, for zonefile_copy() */
};

/* Never NULL; the caller frees.  Any thread. */
struct zonefile *zonefile_read(const struct zonefile_request *request);
void zonefile_free(struct zonefile *z); /* NULL is fine */

/* Writes all records of a good reading that has kept them into the file `to`, one file whatever it includes, whole or not at
 * all.  Read again it is the same zone.  ERR_NOSPACE, ERR_IO.  Any thread, but one at a time into a file; takes as long as reading. */
enum err zonefile_copy(const struct zonefile *z, const char *to, struct reason *why) MUST_CHECK;
/* They take 60 bytes each and more. */
void zonefile_drop_records(struct zonefile *z);

/* Without an error: all of it may be served. */
bool zonefile_is_good(const struct zonefile *z);
/* "FILE:LINE: text" each, at most 100 and how many more; NULL: none. */
const char *zonefile_errors(const struct zonefile *z);
/* The same of what is left out or made right and served all the same. */
const char *zonefile_warnings(const struct zonefile *z);

size_t zonefile_name_count(const struct zonefile *z);
uint32_t zonefile_serial(const struct zonefile *z); /* of its SOA */
/* Names that are not as in `before`, or not there any more. */
size_t zonefile_change_count(const struct zonefile *z);

/* The i-th file, those that could not be read included; NULL past the last. */
const char *zonefile_file(const struct zonefile *z, size_t i, struct stamp *stamp);

/* Where the name (lower case, of `hash` by the request's key) first stands: "FILE:LINE" into out.  False: nowhere. */
bool zonefile_find(const struct zonefile *z, uint64_t hash, char *out, size_t room);

/* for (size_t at = 0; zonefile_next(z, &at, &image);) -- each changed name's image (draft.h), its source 0.  After
 * zonefile_drop_images() there are none. */
bool zonefile_next(const struct zonefile *z, size_t *at, struct bytes *image);
void zonefile_drop_images(struct zonefile *z);
/* Hashes of names that `before` had and this has not, ascending. */
const uint64_t *zonefile_gone(const struct zonefile *z, size_t *count);

#endif
