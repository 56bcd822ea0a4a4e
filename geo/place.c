/* place.c -- points on the sphere: text, bounds, distance. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/place.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "geo/vector.h"

bool place_parse(struct bytes text, struct place *out)
{
	const uint8_t *comma = text.len > 0 ? memchr(text.data, ',', text.len) : NULL;
	struct bytes latitude, longitude;
	struct place p;

	if (comma == NULL)
		return false;
	latitude = (struct bytes){text.data, (size_t)(comma - text.data)};
	longitude = (struct bytes){comma + 1, text.len - latitude.len - 1};
	if (!text_to_double(bytes_trimmed(latitude, " "), &p.latitude) ||
	    !text_to_double(bytes_trimmed(longitude, " "), &p.longitude) || !place_is_valid(&p))
		return false;
	*out = p;
	return true;
}

/* Written so that a NaN is not valid. */
bool place_is_valid(const struct place *p)
{
	return p->latitude >= -90 && p->latitude <= 90 && p->longitude >= -180 &&
	       p->longitude <= 180;
}

/* The half chord's sine is exact for near points; its cosine, from the chord to the
 * antipode, for far ones. */
double place_distance_km(const struct place *a, const struct place *b)
{
	struct vector u = vector_of(a), v = vector_of(b);
	double apart = sqrt(pow(u.x - v.x, 2) + pow(u.y - v.y, 2) + pow(u.z - v.z, 2));
	double across = sqrt(pow(u.x + v.x, 2) + pow(u.y + v.y, 2) + pow(u.z + v.z, 2));

	return 2 * VECTOR_EARTH_KM * atan2(apart, across);
}
