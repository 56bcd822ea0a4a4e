/* progress.h -- how far a long work is, on a terminal only. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stddef.h>

#include "base/text.h"

/* "deployments.apps [#####-----] 5/10", of `width` marks.  Pure. */
void progress_print(const char *what, size_t done, size_t all, unsigned width, struct text *out);
/* Shows it on standard error, over what was shown before, where that is a terminal; done == all ends it. */
void progress_show(const char *what, size_t done, size_t all);

#endif
