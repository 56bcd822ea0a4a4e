/* saved_image.h -- all that is to be saved, as it was at one moment: what a base is written from.
 *
 * Taken on the loop's thread, in time that grows with the number of facts and not with their bytes
 * (they are referenced); frozen; printed and freed by any thread, while the state goes on.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SAVED_IMAGE_H
#define WATCHER_SAVED_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "watcher/saved_file.h"
#include "watcher/saved_state.h"

struct saved_image;

/* Borrows the clusters' names from `s`. */
struct saved_image *saved_image_take(struct saved_state *s);
void saved_image_free(struct saved_image *i); /* NULL is fine */

/* Adds the next records, about 256 KiB of them; false: those were the last. */
bool saved_image_print_some(struct saved_image *i, struct saved_file_writer *w);
/* How many were too long to be printed. */
size_t saved_image_skipped(const struct saved_image *i);

#endif
