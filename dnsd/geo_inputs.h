/* geo_inputs.h -- the loader's own copies of what rankings are made from: names of files, clusters. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_GEO_INPUTS_H
#define DNSD_GEO_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "dnsd/geo_loader.h"
#include "geo/geodb_file.h"

struct conf_strings geo_strings_copy(const struct conf_strings *from);

/* The files that are looked at. */
struct geo_files {
	struct conf_strings databases;
	char *networks, *latency;        /* NULL: none */
	struct geodb_file_stamp *stamps; /* of the databases, then of these */
};

struct geo_files geo_files_of(const struct geo_loader_files *from);
void geo_files_free(struct geo_files *f);
/* Has any file another stamp than last time?  Remembers the new ones. */
bool geo_files_changed(struct geo_files *f);

/* The clusters, and their order for clients without a place. */
struct geo_clusters {
	struct ranking_cluster *item;
	size_t count;
	struct conf_strings unknown_order;
};

struct geo_clusters geo_clusters_copy(const struct ranking_cluster *item, size_t count,
                                      const struct conf_strings *unknown_order);
void geo_clusters_free(struct geo_clusters *c);
bool geo_clusters_same(const struct geo_clusters *a, const struct geo_clusters *b);

#endif
