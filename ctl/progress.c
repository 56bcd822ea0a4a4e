/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 30 };

void progress_print(const char *what, size_t done, size_t all, unsigned width, struct text *out)
{
	size_t marks = all ? done * width / all : width;

	text_printf(out, "%s [", what);
	for (unsigned i = 0; i < width; i++)
		text_add(out, i < marks ? "#" : "-");
	text_printf(out, "] %zu/%zu", done, all);
}

void progress_show(const char *what, size_t done, size_t all)
{
	struct text line = {0};

	if (!isatty(STDERR_FILENO))
		return;
	progress_print(what, done, all, WIDTH, &line);
	/* To the start of the line, and to its end nothing else. */
	fprintf(stderr, "\r%s\033[K%s", line.data, done >= all ? "\r\033[K" : "");
	fflush(stderr);
	text_fini(&line);
}
