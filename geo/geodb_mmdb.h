/* geodb_mmdb.h -- a MaxMind database as a tree of our own, its records decoded once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_GEODB_MMDB_H
#define GEO_GEODB_MMDB_H

#include <stdint.h>

#include "base/err.h"
#include "geo/geodb_record.h"
#include "geo/prefix_tree.h"

/* Called once for each different record; returns the value that its networks get in
 * the tree, or PREFIX_NONE. */
typedef uint32_t geodb_mmdb_on_record_fn(const struct geodb_record *record, void *arg);

/* ERR_IO, ERR_RANGE (too large), ERR_PARSE.  The caller owns *out. */
enum err geodb_mmdb_read(const char *path, geodb_mmdb_on_record_fn *on_record, void *arg,
                         struct prefix_tree **out, struct reason *why) MUST_CHECK;

#endif
