/* whereabouts.h -- in which file and on which line each object stands, by its title, for --check.
 *
 * First everything is put, then it is asked.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_WHEREABOUTS_H
#define DNSD_WHEREABOUTS_H

#include <stdint.h>

struct whereabouts;

struct whereabouts *whereabouts_new(void);
void whereabouts_free(struct whereabouts *w); /* NULL is fine */

/* `cluster` is whose object the title means; of two that are the same the one put first counts.  The file's
 * name is borrowed. */
void whereabouts_put(struct whereabouts *w, uint16_t cluster, const char *title, const char *file,
                     unsigned line);
/* The file and its line; NULL: it stands in none. */
const char *whereabouts_find(struct whereabouts *w, uint16_t cluster, const char *title,
                             unsigned *line);

#endif
