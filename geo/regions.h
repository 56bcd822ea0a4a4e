/* regions.h -- where the public clouds' regions and the world's countries are.
 *
 * Built-in tables of our own compilation (each row names the source of its
 * coordinate).  Constant data; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_REGIONS_H
#define GEO_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "geo/place.h"

struct region {
	const char *provider; /* "aws", "google", ... */
	const char *name;     /* as in the label topology.kubernetes.io/region */
	struct place place;
	const char *source; /* what the coordinate is of: "city: Ashburn, Virginia" */
};

/* The region of that name, without case; NULL when unknown.  One name stands for one place. */
const struct region *regions_find(struct bytes name);
/* All rows, sorted by name. */
const struct region *regions_all(size_t *count);

struct regions_country {
	char code[3];
	struct place place; /* its middle */
	char continent[3];  /* "AF", "AN", "AS", "EU", "NA", "OC", "SA" */
	uint32_t area_km2;  /* at least 1 */
};

/* A country by its ISO 3166-1 alpha-2 code without case. */
bool regions_find_country(struct bytes code, struct regions_country *out);
/* Of a circle as large as the country: how far from its middle its people may be, in kilometres. */
uint16_t regions_country_radius_km(const struct regions_country *c);

#endif
