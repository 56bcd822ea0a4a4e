/* regions.c -- finding in the built-in tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/regions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "geo/regions_table.h"

enum { MAX_NAME = 64 };

static int compare_region(const void *name, const void *row)
{
	const struct region *region = row;

	return strcasecmp(name, region->name);
}

static int compare_country(const void *code, const void *row)
{
	const struct regions_country *country = row;

	return strcasecmp(code, country->code);
}

/* As a string for the comparison; false: too long or with a NUL, so no name of ours. */
static bool copy(struct bytes text, char out[MAX_NAME])
{
	if (text.len == 0 || text.len >= MAX_NAME || memchr(text.data, 0, text.len) != NULL)
		return false;
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	return true;
}

const struct region *regions_find(struct bytes name)
{
	char key[MAX_NAME];

	if (!copy(name, key))
		return NULL;
	return bsearch(key, regions_table, regions_table_count, sizeof(regions_table[0]),
	               compare_region);
}

const struct region *regions_all(size_t *count)
{
	*count = regions_table_count;
	return regions_table;
}

bool regions_find_country(struct bytes code, struct regions_country *out)
{
	const struct regions_country *found;
	char key[MAX_NAME];

	if (!copy(code, key))
		return false;
	found = bsearch(key, regions_countries, regions_countries_count,
	                sizeof(regions_countries[0]), compare_country);
	if (found == NULL)
		return false;
	*out = *found;
	return true;
}

uint16_t regions_country_radius_km(const struct regions_country *c)
{
	return (uint16_t)ceil(sqrt((double)c->area_km2 / M_PI));
}
