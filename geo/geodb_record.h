/* geodb_record.h -- one record of a MaxMind database: where it says that a network is.
 *
 * Reads the format's data section itself, with a bound on the work that one
 * record may cause, so that a damaged file is an error and never a long wait.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_GEODB_RECORD_H
#define GEO_GEODB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "geo/area.h"
#include "geo/place.h"

enum { GEODB_RECORD_MAX_VALUES = 20000, GEODB_RECORD_MAX_DEPTH = 32 };

struct geodb_record {
	bool has_place;
	struct place place;
	uint16_t accuracy_km; /* how far off the place may be; 0: nothing is known of that */
	struct area area;
};

/* The record at `offset` of the data section.  Its place is, in order of say: location.latitude and
 * .longitude; flat latitude and longitude, numbers or text; the middle of the country of
 * country.iso_code, registered_country.iso_code, country_code, or country.  Coordinates
 * out of bounds, and 0,0, which databases write for "unknown", are none.  Its accuracy is
 * location.accuracy_radius, or the country's size when only its middle is known.  Its area: continent.code, or the
 * country's continent; the country; subdivisions[0].iso_code, or flat state1, a name.  *values_left is
 * how many values may still be looked at in this file; it goes down.  ERR_PARSE. */
enum err geodb_record_decode(struct bytes section, size_t offset, uint64_t *values_left,
                             struct geodb_record *out, struct reason *why) MUST_CHECK;

#endif
