/* layers.h -- a zone with a file: the file's names under those of the endpoints.
 *
 * Where both have a name, both images are kept, and the tree has what they are together: of a type that both
 * have, and beside a CNAME, the file's counts, and the loss is told.  All other names stand in the tree
 * alone: the file's are known by their source.  Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_LAYERS_H
#define ZONES_LAYERS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "zones/draft.h"
#include "zones/served.h"

/* Names that are neither the apex nor a nameserver's with addresses.  Each takes one use of the image's source. */
void layers_put_endpoint(struct served *s, const struct name *name, const struct buffer *image);
void layers_remove_endpoint(struct served *s, const struct name *name);
void layers_put_file(struct served *s, const struct name *name, const struct buffer *image);
void layers_remove_file(struct served *s, const struct name *name);

/* What the file and an endpoint are together, borrowed from the images and the arena; its source is the
 * endpoint's, without a use of it.  Losses go to the problems. */
struct draft layers_merge(struct served *s, const struct name *name, const struct buffer *file,
                          const struct buffer *endpoint);

/* The lines of the file are others now: what is told of names that both have is told again. */
void layers_tell_again(struct served *s);
/* What the tree has of a name, apart: each an image, empty when there is none.  The tree keeps the node, with a use of
 * its own of the source. */
void layers_take(struct served *s, const struct name *name, struct buffer *file,
                 struct buffer *endpoint);
/* The file's image of a name that both have, borrowed; NULL: it is not of both. */
const struct buffer *layers_file_image(const struct served *s, const struct name *name);
/* What the endpoint of the name was made into, into `image`, without a use of its source.  False: the name is the file's alone,
 * or nobody's. */
bool layers_endpoint_image(const struct served *s, const struct name *name, struct buffer *image);
/* Every name that both have. */
typedef void layers_on_name_fn(const struct name *name, const struct buffer *file, void *arg);
void layers_each(const struct served *s, layers_on_name_fn *fn, void *arg);
void layers_free(struct served *s);

#endif
