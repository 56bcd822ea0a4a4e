/* vector.h -- places as unit vectors, so that comparing distances costs three multiplications.
 *
 * The dot product of two falls as their distance grows.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_VECTOR_H
#define GEO_VECTOR_H

#include <math.h>

#include "geo/place.h"

#define VECTOR_EARTH_KM 6371.0088 /* IUGG mean radius */

struct vector {
	double x, y, z;
};

static inline struct vector vector_of(const struct place *p)
{
	double latitude = p->latitude * (M_PI / 180), longitude = p->longitude * (M_PI / 180);

	return (struct vector){cos(latitude) * cos(longitude), cos(latitude) * sin(longitude),
	                       sin(latitude)};
}

static inline double vector_dot(const struct vector *a, const struct vector *b)
{
	return a->x * b->x + a->y * b->y + a->z * b->z;
}

#endif
