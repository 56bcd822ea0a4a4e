/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/import_run.h"

#include <signal.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "watcher/import.h"

/* How long a program that has ended may be survived by one that holds its output open. */
enum { LINGER_MS = 1000, HANDLES = 3 };

struct import_run {
	uv_process_t process;
	uv_pipe_t output;
	uv_timer_t timer;
	unsigned open; /* handles that are not closed yet */
	import_run_fn *on_end;
	void (*closed)(void *arg);
	void *arg;
	bool is_ours; /* the end is not told yet */
	bool is_running;
	bool is_read; /* to the end */
	int spawned;  /* what uv_spawn() said */
	int64_t status;
	int signal;
	struct buffer read;
};

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
	struct import_run *r = handle->data;

	if (--r->open > 0)
		return;
	buffer_fini(&r->read);
	r->closed(r->arg);
	free(r);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

/* The process's handle is closed when it has been waited for: else it would stay behind as a zombie. */
static void wind_up(struct import_run *r)
{
	r->is_ours = false;
	/* Whoever of its group is left holds the output open, or has no business any more. */
	if (r->spawned == 0 && (r->is_running || !r->is_read))
		(void)kill(-r->process.pid, SIGKILL);
	if (!r->is_running)
		close_handle((uv_handle_t *)&r->process);
	close_handle((uv_handle_t *)&r->output);
	close_handle((uv_handle_t *)&r->timer);
}

static void fail(struct import_run *r, enum err err, const char *text)
{
	struct reason why;

	(void)reason_set(&why, err, "%s", text);
	wind_up(r);
	r->on_end(err, (struct bytes){0}, &why, r->arg);
}

static void finish(struct import_run *r)
{
	struct reason why = {""};
	enum err err = ERR_OK;

	if (r->signal)
		err = reason_set(&why, ERR_IO, "ended by signal %d", r->signal);
	else if (r->status)
		err = reason_set(&why, ERR_IO, "ended with status %d", (int)r->status);
	wind_up(r);
	r->on_end(err, (struct bytes){r->read.data, r->read.len}, &why, r->arg);
}

/* --- while it runs --- */

static void on_timer(uv_timer_t *timer)
{
	struct import_run *r = timer->data;

	if (r->spawned != 0)
		fail(r, ERR_IO, uv_strerror(r->spawned));
	else if (r->is_running)
		fail(r, ERR_TIMEOUT, "has not ended in time");
	else
		finish(r);
}

static void on_ended(uv_process_t *process, int64_t status, int term_signal)
{
	struct import_run *r = process->data;

	r->is_running = false;
	r->status = status;
	r->signal = term_signal;
	if (!r->is_ours)
		close_handle((uv_handle_t *)process);
	else if (r->is_read)
		finish(r);
	else
		CHECK(uv_timer_start(&r->timer, on_timer, LINGER_MS, 0) == 0);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct import_run *r = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)r->read.data + r->read.len,
	                   (unsigned)(r->read.room - r->read.len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct import_run *r = stream->data;

	(void)buf;
	if (n >= 0) {
		r->read.len += (size_t)n;
		if (r->read.len > IMPORT_MOST)
			fail(r, ERR_RANGE, "more than 1 MiB of output");
		return;
	}
	r->is_read = true;
	(void)uv_read_stop(stream);
	if (!r->is_running)
		finish(r);
}

/* --- the beginning --- */

static void spawn(struct import_run *r, const char *const *command)
{
	uv_stdio_container_t stdio[] = {
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
	         .data.stream = (uv_stream_t *)&r->output},
		{.flags = UV_IGNORE},
	};
	uv_process_options_t options = {.exit_cb = on_ended,
	                                .file = command[0],
	                                .args = (char **)(uintptr_t)command,
	                                .flags = UV_PROCESS_DETACHED, /* a group of its own */
	                                .stdio = stdio,
	                                .stdio_count = 3};

	r->spawned = uv_spawn(r->process.loop, &r->process, &options);
	r->is_running = r->spawned == 0;
	if (r->spawned == 0)
		CHECK(uv_read_start((uv_stream_t *)&r->output, on_alloc, on_read) == 0);
}

struct import_run *import_run_begin(uv_loop_t *loop, const char *const *command,
                                    uint64_t timeout_ms, import_run_fn *on_end,
                                    void (*closed)(void *arg), void *arg)
{
	struct import_run *r = xcalloc(1, sizeof(*r));

	r->on_end = on_end;
	r->closed = closed;
	r->arg = arg;
	r->is_ours = true;
	r->open = HANDLES;
	(void)buffer_extend(&r->read, IMPORT_MOST + 1);
	buffer_reset(&r->read);
	r->process.loop = loop;
	r->process.data = r->output.data = r->timer.data = r;
	CHECK(uv_timer_init(loop, &r->timer) == 0);
	CHECK(uv_pipe_init(loop, &r->output, 0) == 0);
	spawn(r, command);
	CHECK(uv_timer_start(&r->timer, on_timer, r->spawned ? 0 : timeout_ms, 0) == 0);
	return r;
}

void import_run_cancel(struct import_run *r)
{
	if (r->is_ours)
		wind_up(r);
}
