/* area.h -- what part of the world a network is in, as far as its source says.
 *
 * A value without padding, zero where nothing is known, so that equal ones are equal bytes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_AREA_H
#define GEO_AREA_H

#include <stdbool.h>

#include "base/bytes.h"

enum { AREA_CODE_SIZE = 3, AREA_SUBDIVISION_SIZE = 58 };

struct area {
	char continent[AREA_CODE_SIZE]; /* "EU": AF, AN, AS, EU, NA, OC or SA */
	char country[AREA_CODE_SIZE];   /* "DE": ISO 3166-1 */
	/* "US-CA" as in ISO 3166-2; "US-California" where a source knows only names, in its letters. */
	char subdivision[AREA_SUBDIVISION_SIZE];
};

/* What a label of the networks CSV says when it is a country's code ("US") or a subdivision's
 * ("US-CA"), in upper case; false: it is neither, and *out is zero. */
bool area_of_label(struct bytes label, struct area *out);
/* Sets the country, and its continent when the country is known and none is set. */
void area_set_country(struct area *a, const char code[AREA_CODE_SIZE]);
/* "US" and "CA" become "US-CA"; what is no text of fitting length says nothing. */
void area_set_subdivision(struct area *a, struct bytes name);

#endif
