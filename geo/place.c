/* place.c -- points on the sphere: text, bounds, distance. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/place.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "geo/vector.h"

static struct bytes trimmed(struct bytes s)
{
	while (s.len > 0 && s.data[0] == ' ')
		s = (struct bytes){s.data + 1, s.len - 1};
	while (s.len > 0 && s.data[s.len - 1] == ' ')
		s.len--;
	return s;
}

bool place_parse(struct bytes text, struct place *out)
{
	const uint8_t *comma = text.len > 0 ? memchr(text.data, ',', text.len) : NULL;
	struct place p;
	size_t at;

	if (comma == NULL)
		return false;
	at = (size_t)(comma - text.data);
	if (!text_to_double(trimmed((struct bytes){text.data, at}), &p.latitude) ||
	    !text_to_double(trimmed((struct bytes){comma + 1, text.len - at - 1}), &p.longitude) ||
	    !place_is_valid(&p))
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
