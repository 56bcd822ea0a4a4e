/* manifests_errors.h -- what is wrong with one file: lines "PATH:LINE: text", 20 at most, and how many more.
 *
 * As store_set_error() takes them.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_ERRORS_H
#define WATCHER_MANIFESTS_ERRORS_H

#include <stddef.h>

#include "base/text.h"

struct manifests_errors { /* zeroed at first */
	struct text lines;
	size_t count;
};

void manifests_errors_add(struct manifests_errors *e, const char *path, unsigned line,
                          const char *text);
/* All of them as one text, the caller's; NULL: there are none.  Leaves it empty. */
char *manifests_errors_take(struct manifests_errors *e, const char *path);
void manifests_errors_fini(struct manifests_errors *e);

#endif
