/* geo_latency.h -- the file with the table of latencies, as it was read. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_GEO_LATENCY_H
#define DNSD_GEO_LATENCY_H

#include "base/err.h"
#include "geo/geodb_file.h"
#include "geo/latency.h"

struct geo_latency {
	char *path;
	struct geodb_file_stamp stamp;
	struct latency_table table;
};

/* ERR_IO, ERR_RANGE, ERR_PARSE, ERR_CONFLICT; `why` names the file, and the line. */
enum err geo_latency_read(const char *path, struct geo_latency **out,
                          struct reason *why) MUST_CHECK;
void geo_latency_free(struct geo_latency *l); /* NULL is fine */

#endif
