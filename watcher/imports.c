/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/imports.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/program.h"
#include "base/smallfile.h"
#include "base/stamp.h"
#include "base/text.h"
#include "base/xalloc.h"

enum { TICK_MS = 1000, STALE_INTERVALS = 3 };

struct import {
	struct imports *owner;
	struct arena *arena; /* of the settings */
	struct import_settings is;
	struct import_words *words; /* the last good ones; NULL: none yet */
	struct stamp as;            /* of the file as it was looked at */
	bool looked;
	uint64_t next_ms, good_ms; /* of the command: its next run, its last good end; 0: none */
	struct program *run;       /* NULL: none is under way */
	bool dropped;              /* no import any more, but its run has to end */
	bool is_running;           /* the loop has something of a run */
	bool is_wrong;             /* its error is told */
	struct import *next;
};

struct imports {
	uv_loop_t *loop;
	uv_timer_t timer;
	imports_on_error_fn *on_error;
	void *arg;
	struct import *list; /* those that are dropped too */
	bool may_run;
	bool closed; /* the timer is */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- words and errors --- */

static void tell(struct import *i, const char *message)
{
	if (i->owner->on_stopped || (!message && !i->is_wrong))
		return;
	i->is_wrong = message != NULL;
	i->owner->on_error(i->is.name, message, i->owner->arg);
}

static const char *source_of(const struct import *i)
{
	return i->is.file ? i->is.file : i->is.command[0];
}

/* A line's number follows the name of what it is of at once. */
static void tell_reason(struct import *i, const struct reason *why, bool has_line)
{
	struct text message = {0};

	text_printf(&message, "%s:%s%s", source_of(i), has_line ? "" : " ", why->text);
	tell(i, message.data);
	text_fini(&message);
}

static bool take_words(struct import *i, struct bytes text)
{
	struct import_words *words;
	struct reason why;

	if (import_parse(text, &words, &why) != ERR_OK) {
		tell_reason(i, &why, true);
		return false;
	}
	import_free(i->words);
	i->words = words;
	tell(i, NULL);
	return true;
}

/* --- files --- */

static void read_file(struct import *i)
{
	struct buffer read = {0};
	struct reason why;

	if (smallfile_read(i->is.file, IMPORT_MOST, &read, NULL, &why) == ERR_OK)
		(void)take_words(i, (struct bytes){read.data, read.len});
	else
		tell_reason(i, &why, false);
	buffer_fini(&read);
}

static void look_at_file(struct import *i)
{
	struct stamp as = stamp_at(i->is.file);

	if (i->looked && stamp_equal(&as, &i->as))
		return;
	i->looked = true;
	i->as = as;
	read_file(i);
}

/* --- commands --- */

static void free_import(struct import *i)
{
	struct import **at = &i->owner->list;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	import_free(i->words);
	arena_free(i->arena);
	free(i);
}

static void end_when_closed(struct imports *im)
{
	void (*on_stopped)(void *arg) = im->on_stopped;
	void *arg = im->stopped_arg;

	if (!im->closed || im->list)
		return;
	free(im);
	on_stopped(arg);
}

static void on_run_closed(void *arg)
{
	struct import *i = arg;
	struct imports *im = i->owner;

	i->is_running = false;
	if (!i->dropped)
		return;
	free_import(i);
	end_when_closed(im);
}

static void on_run_end(enum err err, struct bytes output, const struct reason *why, void *arg)
{
	struct import *i = arg;

	i->run = NULL;
	if (err)
		tell_reason(i, why, false);
	else if (take_words(i, output))
		i->good_ms = clock_monotonic_ms();
}

static void look_at_command(struct import *i, uint64_t now_ms)
{
	const struct program_settings settings = {i->is.command, NULL, i->is.timeout_ms, true};
	const struct program_events events = {on_run_end, on_run_closed, i};
	struct reason why;

	if (!i->owner->may_run) {
		(void)reason_set(&why, ERR_DENIED,
		                 "no command may be run since this process started: restart it");
		tell_reason(i, &why, false);
		return;
	}
	if (i->good_ms != 0 && !i->is_wrong &&
	    now_ms - i->good_ms > STALE_INTERVALS * i->is.interval_ms + i->is.timeout_ms) {
		(void)reason_set(&why, ERR_TIMEOUT, "what it said is old");
		tell_reason(i, &why, false);
	}
	if (i->is_running || now_ms < i->next_ms)
		return;
	i->next_ms = now_ms + i->is.interval_ms;
	i->is_running = true;
	i->run = program_run(i->owner->loop, &settings, &events);
}

static void look(struct imports *im)
{
	uint64_t now_ms = clock_monotonic_ms();

	for (struct import *i = im->list; i; i = i->next) {
		if (i->dropped)
			continue;
		if (i->is.file)
			look_at_file(i);
		else
			look_at_command(i, now_ms);
	}
}

static void on_timer(uv_timer_t *timer) { look(timer->data); }

/* --- the outside --- */

struct imports *imports_start(uv_loop_t *loop, imports_on_error_fn *on_error, void *arg)
{
	struct imports *im = xcalloc(1, sizeof(*im));

	im->loop = loop;
	im->on_error = on_error;
	im->arg = arg;
	im->timer.data = im;
	CHECK(uv_timer_init(loop, &im->timer) == 0);
	return im;
}

static void copy_settings(struct import *i, const struct import_settings *is)
{
	size_t args = 0;
	const char **command;

	i->is = *is;
	i->is.name = arena_strdup(i->arena, is->name);
	i->is.file = is->file ? arena_strdup(i->arena, is->file) : NULL;
	if (!is->command)
		return;
	while (is->command[args])
		args++;
	command = arena_calloc(i->arena, args + 1, sizeof(*command));
	for (size_t k = 0; k < args; k++)
		command[k] = arena_strdup(i->arena, is->command[k]);
	i->is.command = command;
}

static struct import *add_import(struct imports *im, const struct import_settings *is)
{
	struct import *i = xcalloc(1, sizeof(*i));

	i->owner = im;
	i->arena = arena_new();
	copy_settings(i, is);
	i->next = im->list;
	im->list = i;
	return i;
}

/* What runs still has to end before it is free. */
static void drop_import(struct import *i)
{
	tell(i, NULL);
	i->dropped = true;
	if (i->run)
		program_cancel(i->run);
	i->run = NULL;
	if (!i->is_running)
		free_import(i);
}

static void drop_all(struct import *list)
{
	for (struct import *i = list, *next; i; i = next) {
		next = i->next;
		if (!i->dropped)
			drop_import(i);
	}
}

void imports_configure(struct imports *im, const struct import_settings *list, size_t count,
                       bool may_run)
{
	struct import *before = im->list;

	im->may_run = may_run;
	for (size_t k = 0; k < count; k++) {
		struct import *i = add_import(im, &list[k]);

		for (struct import *was = before; was; was = was->next)
			if (!was->dropped && strcmp(was->is.name, i->is.name) == 0) {
				i->words = was->words;
				was->words = NULL;
			}
	}
	drop_all(before);
	if (count > 0)
		CHECK(uv_timer_start(&im->timer, on_timer, TICK_MS, TICK_MS) == 0);
	else
		uv_timer_stop(&im->timer);
	look(im);
}

const struct import_word *imports_find(const struct imports *im, struct bytes name,
                                       const struct addr *addr, uint16_t port, struct bytes cluster)
{
	for (const struct import *i = im->list; i; i = i->next)
		if (!i->dropped && bytes_equal_text(name, i->is.name))
			return i->words ? import_find(i->words, addr, port, cluster) : NULL;
	return NULL;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct imports *im = handle->data;

	im->closed = true;
	end_when_closed(im);
}

void imports_stop(struct imports *im, void (*on_stopped)(void *arg), void *arg)
{
	im->on_stopped = on_stopped;
	im->stopped_arg = arg;
	drop_all(im->list);
	uv_close((uv_handle_t *)&im->timer, on_timer_closed);
}
