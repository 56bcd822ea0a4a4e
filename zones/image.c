/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/image.h"

#include <string.h>

#include "zones/edit.h"
#include "zones/source.h"

uint32_t image_source(const struct buffer *image)
{
	return image->len ? node_source(image_node(image)) : 0;
}

void image_drop(struct slab *slab, struct buffer *image)
{
	source_unref(slab, image_source(image));
	buffer_reset(image);
}

bool image_set(struct slab *slab, struct buffer *image, const struct buffer *from)
{
	bool same = image->len == from->len && memcmp(image->data, from->data, from->len) == 0;

	image_drop(slab, image);
	buffer_put(image, from->data, from->len);
	return !same;
}

void image_of_node(struct slab *slab, const struct node *n, struct buffer *image)
{
	edit_image(n, image);
	source_ref(slab, node_source(n));
}
