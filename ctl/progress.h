/* progress.h -- how far a long work is, on standard error: a bar on a terminal, else a line now and then. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdint.h>

#include "base/text.h"

struct progress {
	const char *what; /* borrowed */
	uint64_t told_at_ms;
};

enum { PROGRESS_LINE_MS = 10000 };

/* "WHAT [###---] 3/6" without a newline; the bar is `width` wide. */
void progress_print(const char *what, size_t done, size_t all, unsigned width, struct text *out);
/* "WHAT: 3 of 6" if none was said in the last PROGRESS_LINE_MS, else nothing. */
void progress_line(struct progress *p, size_t done, size_t all, uint64_t now_ms, struct text *out);

void progress_begin(struct progress *p, const char *what);
/* The bar goes away when done is all. */
void progress_show(struct progress *p, size_t done, size_t all);
/* Where something else is about to be said on the terminal. */
void progress_hide(void);

#endif
