/* made.h -- random zones as master files, small enough that everything collides.
 *
 * What NSD, Knot and nighd all take: one CNAME and alone, nothing below a DNAME.  All else that
 * can stand in a zone stands in some: empty non-terminals, wildcards, cuts with and without glue,
 * names below cuts, chains and loops within and between zones, odd labels, names of every length.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_MADE_H
#define TESTS_DIFFERENTIAL_MADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "tests/differential/dice.h"
#include "tests/differential/dname.h"

enum { MADE_ZONES_MOST = 6, MADE_SETS_MOST = 600 };

enum made_type {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_ANY = 255,
	TYPE_CAA = 257,
	TYPE_UNKNOWN = 65280
};

struct made_zone {
	struct dname apex;
	struct text file; /* master file format */
};

struct made_set {
	struct dname owner;
	uint16_t type;
	size_t zone;
};

struct made {
	struct made_zone zone[MADE_ZONES_MOST];
	size_t zone_count;
	struct made_set set[MADE_SETS_MOST];
	size_t set_count;
	/* Every record as records_text() has it, sorted. */
	char **record;
	size_t record_count, record_room;
};

/* The caller frees. */
struct made *made_new(struct dice *d);
void made_free(struct made *m);

/* Is that record (as records_text() has it) in some zone, or does a wildcard there give it? */
bool made_has(const struct made *m, const char *record);
/* The same without wildcards. */
bool made_has_as_written(const struct made *m, const char *record);
/* Does a zone hold an RRset of that name and type? */
bool made_has_set(const struct made *m, const struct dname *owner, uint16_t type);

/* A name that may or may not be there, below `apex`. */
struct dname made_name_below(struct dice *d, const struct dname *apex);
/* A short label, mostly of a few letters; returns its length. */
size_t made_label(struct dice *d, uint8_t out[63]);
/* The RDATA of one more record of the type, as text; `i` counts within the RRset. */
void made_rdata(struct made *m, struct dice *d, const struct dname *owner, uint16_t type,
                unsigned i, struct text *out);

#endif
