/* image.h -- images of nodes (draft.h) that are kept aside, each with one use of its source.
 *
 * Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_IMAGE_H
#define ZONES_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "zones/node.h"
#include "zones/slab.h"

/* 0: none, or there is no image. */
uint32_t image_source(const struct buffer *image);
/* Its source has one user less. */
void image_drop(struct slab *slab, struct buffer *image);
/* A copy of `from`; takes one use of its source.  False: it was there already. */
bool image_set(struct slab *slab, struct buffer *image, const struct buffer *from);
/* The node's, with one more use of its source. */
void image_of_node(struct slab *slab, const struct node *n, struct buffer *image);
static inline const struct node *image_node(const struct buffer *image)
{
	return (const struct node *)(const void *)image->data;
}

#endif
