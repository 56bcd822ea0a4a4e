/* regions_table.h -- the rows of regions.h.  Private to the room. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_REGIONS_TABLE_H
#define GEO_REGIONS_TABLE_H

#include <stddef.h>

#include "geo/regions.h"

/* Sorted by name in lower case; by code. */
extern const struct region regions_table[];
extern const size_t regions_table_count;
extern const struct regions_country regions_countries[];
extern const size_t regions_countries_count;

#endif
