/* edit.h -- one zone while it changes: nodes put and removed, and what follows from that.
 *
 * Keeps the empty non-terminals (RFC 8020), the marks of parents of wildcards
 * (RFC 4592) and of names below a cut or a DNAME.  Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_EDIT_H
#define ZONES_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "zones/name.h"
#include "zones/tree.h"

struct edit {
	struct tree_writer *tree;
	struct name apex;
	uint32_t root;
	size_t names;    /* owner names with data */
	size_t barriers; /* cuts and DNAME owners */
	bool wildcard_below_apex;
	bool must_reocclude; /* a barrier above other names came or went */
	bool changed;        /* data differ from what was published */
	bool touched;        /* nodes differ (sources do) */
};

/* NULL: no node.  At or below the apex. */
const struct node *edit_find(const struct edit *e, const struct name *name);
/* The image (draft.h) becomes the node of the name, in the place of what is there.  Takes
 * one use of its source. */
void edit_put(struct edit *e, const struct name *name, const struct buffer *image);
/* The name has no data any more. */
void edit_remove(struct edit *e, const struct name *name);
/* The image that a node was made from replaces what is in `image`. */
void edit_image(const struct node *n, struct buffer *image);
/* Brings the marks of occluded names up to date: once, before publishing. */
void edit_settle(struct edit *e);

#endif
