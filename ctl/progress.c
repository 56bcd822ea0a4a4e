/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { WIDTH = 30 };

void progress_print(const char *what, size_t done, size_t all, unsigned width, struct text *out)
{
	size_t marks = all ? done * width / all : width;

	text_printf(out, "%s [", what);
	for (unsigned i = 0; i < width; i++)
		text_add(out, i < marks ? "#" : "-");
	text_printf(out, "] %zu/%zu", done, all);
}

void progress_line(struct progress *p, size_t done, size_t all, uint64_t now_ms, struct text *out)
{
	if (done >= all || now_ms - p->told_at_ms < PROGRESS_LINE_MS)
		return;
	p->told_at_ms = now_ms;
	text_printf(out, "%s: %zu of %zu\n", p->what, done, all);
}

void progress_begin(struct progress *p, const char *what)
{
	*p = (struct progress){what, clock_monotonic_ms()};
}

/* To the start of the line, and to its end nothing else. */
void progress_hide(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

void progress_show(struct progress *p, size_t done, size_t all)
{
	struct text line = {0};

	progress_hide();
	if (!isatty(STDERR_FILENO))
		progress_line(p, done, all, clock_monotonic_ms(), &line);
	else if (done < all)
		progress_print(p->what, done, all, WIDTH, &line);
	fputs(line.data ? line.data : "", stderr);
	fflush(stderr);
	text_fini(&line);
}
