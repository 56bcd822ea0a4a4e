/* zonefile_inside.h -- what a zone file is while it is read.  For zonefile*.c alone.
 *
 * A line is a *where*: a number that counts on over all files; `places` say which file and line it is.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_ZONEFILE_INSIDE_H
#define ZONES_ZONEFILE_INSIDE_H

#include "base/err.h"
#include "base/text.h"
#include "zones/zonefile.h"

enum { ZONEFILE_NONE = UINT32_MAX };

struct zonefile_record {
	uint32_t next; /* of the same owner, in the order of the file; ZONEFILE_NONE: the last */
	uint32_t ttl, where;
	uint32_t at; /* of its RDATA in `rdata` */
	uint16_t type, len;
};
struct zonefile_owner {
	uint64_t hash, content; /* of the name; of its image */
	uint32_t wire;          /* where its name begins in `wires` */
	uint32_t first, last;   /* records */
	uint32_t image;         /* where in `images`, in units of 4 bytes */
};
struct zonefile_place {
	uint32_t from, line, file; /* where `from` is this line of this file, and so on */
};
struct zonefile_part {
	char *path;
	struct stamp stamp;
};

struct zonefile {
	struct name apex;
	struct name_key key;
	struct text errors, warnings;
	size_t error_count, warning_count;
	struct zonefile_part *parts;
	size_t part_count;
	struct zonefile_place *places;
	size_t place_count, place_room;
	uint32_t next_where;

	/* while it is read, and until it is copied */
	struct zonefile_record *records;
	size_t record_count, record_room;
	struct zonefile_owner *owners;
	size_t owner_count, owner_room;
	uint32_t *slots; /* of owners by hash, ZONEFILE_NONE: free */
	size_t slot_count;
	struct buffer wires, rdata;
	bool has_dname;

	/* the product */
	uint32_t serial;
	struct buffer images; /* uint32_t length in bytes, then the image; 0x80000000: unchanged */
	uint64_t *hash, *content; /* by hash */
	uint32_t *where;
	size_t count;
	size_t changed;
	uint64_t *gone;
	size_t gone_count;
};

/* --- zonefile.c: what is wrong, at a where --- */
void zonefile_unreadable(struct zonefile *z,
                         const char *why); /* the zone file itself: it has no lines */
void zonefile_error(struct zonefile *z, uint32_t where, const char *fmt, ...) PRINTF_LIKE(3, 4);
void zonefile_warn(struct zonefile *z, uint32_t where, const char *fmt, ...) PRINTF_LIKE(3, 4);
unsigned zonefile_line(const struct zonefile *z, uint32_t where);
/* The owner's name as text. */
const char *zonefile_owner_text(const struct zonefile *z, const struct zonefile_owner *o,
                                char out[1024]);
/* A new part; returns its number. */
uint32_t zonefile_add_part(struct zonefile *z, const char *path);
/* What follows stands in this part from this line on. */
void zonefile_add_place(struct zonefile *z, uint32_t part, uint32_t line);

/* --- zonefile_open.c --- */
/* All bytes of a regular file; `dir` -1: path itself, else below that directory, wherever links lead. */
enum err zonefile_open(int dir, const char *path, size_t limit, struct buffer *out,
                       struct stamp *stamp, struct reason *why) MUST_CHECK;
/* The directory that a file stands in; -1: it cannot be opened. */
int zonefile_open_dir(const char *path);
/* What of a path from the root is behind that directory, by whatever name the path has it; NULL: it is not below it. */
const char *zonefile_below(int dir, const char *path);

/* --- zonefile_lines.c: all records of all files --- */
void zonefile_lines(struct zonefile *z, const struct zonefile_request *request);

/* --- zonefile_owners.c --- */
/* The number of the owner of this name (wire form), made when it is new. */
uint32_t zonefile_owner(struct zonefile *z, const uint8_t *wire, size_t len);
/* NULL: there is none. */
const struct zonefile_owner *zonefile_find_owner(const struct zonefile *z, const struct name *name,
                                                 unsigned label);
void zonefile_add(struct zonefile *z, uint32_t owner, const struct zonefile_record *record,
                  struct bytes rdata);

/* --- zonefile_rules.c: errors and warnings of the zone as a whole --- */
void zonefile_rules(struct zonefile *z, bool has_nameservers);

/* --- zonefile_images.c: what is read becomes the product --- */
void zonefile_images(struct zonefile *z, const struct zonefile *before);

#endif
