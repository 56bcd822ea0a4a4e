/* geodb_source.h -- one file of client networks and their places, read once.
 *
 * Frozen, and shared by the geodbs that were made while the file stayed as it is.  Private to
 * the room.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_GEODB_SOURCE_H
#define GEO_GEODB_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "geo/geodb_file.h"
#include "geo/intern.h"
#include "geo/place.h"
#include "geo/prefix_tree.h"

/* What the tree's leaves stand for. */
struct geodb_entry {
	struct place place;
	uint32_t label;       /* where it begins in the labels */
	uint32_t area;        /* number of it; 0: nothing is known */
	uint16_t accuracy_km; /* 0: nothing is known */
	uint8_t len;          /* of the CSV's network; of a database the leaf tells */
};

struct geodb_source {
	unsigned users;
	bool is_networks; /* a CSV, else a database */
	char *path;
	struct geodb_file_stamp stamp; /* of what was read, or of what was there before */
	struct prefix_tree *tree;
	struct geodb_entry *entries;
	size_t entry_count;
	struct intern *areas; /* struct area; the first says nothing */
	struct buffer labels; /* ending in NUL each; the first is "" */
};

/* ERR_IO, ERR_PARSE, ERR_RANGE; `why` names the file, and the line.  The caller is the first user. */
enum err geodb_source_read(const char *path, bool is_networks, struct geodb_source **out,
                           struct reason *why) MUST_CHECK;
/* Users are counted by one thread at a time. */
struct geodb_source *geodb_source_ref(struct geodb_source *s);
void geodb_source_unref(struct geodb_source *s); /* NULL is fine */

#endif
