/* place.h -- a point on the earth, and how far two of them lie apart.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_PLACE_H
#define GEO_PLACE_H

#include <stdbool.h>

#include "base/bytes.h"

struct place {
	double latitude;  /* degrees, -90..90, north positive */
	double longitude; /* degrees, -180..180, east positive */
};

/* "34.05,-118.24" with optional spaces round the comma; false when it is not one or out of bounds. */
bool place_parse(struct bytes text, struct place *out);
bool place_is_valid(const struct place *p);
static inline bool place_equal(const struct place *a, const struct place *b)
{
	return a->latitude == b->latitude && a->longitude == b->longitude;
}
/* Great-circle distance on a sphere of 6371.0088 km (IUGG mean radius). */
double place_distance_km(const struct place *a, const struct place *b);

#endif
