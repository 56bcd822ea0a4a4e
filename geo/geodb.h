/* geodb.h -- client networks and their places, read from files once.
 *
 * Only geodb_mmdb.c knows libmaxminddb.  Sources in rising order of say:
 * databases (the first that knows a network wins), then the networks CSV
 * (longest match; overrides every database).  The product is frozen; it is
 * never read per query but compiled by ranking_build() and ranking_build_by().  Off the control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_GEODB_H
#define GEO_GEODB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "geo/area.h"
#include "geo/place.h"

struct geodb;

/* Reads files and puts them together.  `before` (NULL: none; borrowed) is what was read the last time:
 * a file that has not changed since is not read again, but shared.  Each file that cannot be read or is
 * malformed adds one line "FILE: text" or "FILE:LINE: text" to *errors (owned text; may be NULL);
 * *out has of it what `before` has, if anything, and the first one's code is returned: ERR_IO,
 * ERR_PARSE, ERR_RANGE.  *out is never NULL; without files it is empty.  Opening and freeing
 * geodbs that share files is for one thread at a time. */
enum err geodb_open(const char *const *databases, size_t database_count, const char *networks_csv,
                    const struct geodb *before, struct geodb **out, char **errors) MUST_CHECK;
void geodb_free(struct geodb *g); /* NULL is fine */
/* Of how many files there is something: as it is, or as it was when it could be read. */
size_t geodb_file_count(const struct geodb *g);
/* Are they made of the same files, read at the same time? */
bool geodb_is_same(const struct geodb *a, const struct geodb *b);

/* One stretch of addresses of a family with the same answer, in address order,
 * covering the family's whole space without gap or overlap, siblings merged. */
struct geodb_span {
	struct addr_network network;
	int32_t place;        /* index for geodb_place(), or -1: no place is known */
	uint32_t area;        /* number for geodb_area() */
	uint16_t accuracy_km; /* how far off the place may be; 0: nothing is known of that */
};

typedef void geodb_on_span_fn(const struct geodb_span *span, void *arg);

void geodb_each(const struct geodb *g, enum addr_family family, geodb_on_span_fn *on_span,
                void *arg);
const struct place *geodb_place(const struct geodb *g, int32_t index);
size_t geodb_place_count(const struct geodb *g);
/* Number 0 is the area of which nothing is known. */
const struct area *geodb_area(const struct geodb *g, uint32_t number);
size_t geodb_area_count(const struct geodb *g);

/* For explain: what is known of an address.  `network` is the source's own
 * network; `database` its file name ("networks.csv"), borrowed; NULL when no
 * source has it.  `label` as in the CSV, or the country code, or "".  The area is the source's, or, where
 * the CSV says nothing of it, the first database's that knows the address. */
struct geodb_match {
	struct addr_network network;
	const struct place *place;
	const char *database;
	const char *label;
	const struct area *area; /* never NULL */
	uint16_t accuracy_km;    /* 0: unknown */
};
struct geodb_match geodb_find(const struct geodb *g, const struct addr *a);

#endif
