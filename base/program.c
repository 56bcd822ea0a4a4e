/* SPDX-License-Identifier: Apache-2.0 */
#include "base/program.h"

#include <signal.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/smallfile.h"
#include "base/xalloc.h"

/* How long a program that has ended may be survived by one that holds its output open. */
enum { LINGER_MS = 1000, HANDLES = 3 };

struct program {
	uv_process_t process;
	uv_pipe_t output;
	uv_timer_t timer;
	unsigned open; /* handles that are not closed yet */
	struct program_events events;
	bool leads_group;
	bool is_awaited; /* neither told nor cancelled */

	bool is_running; /* started and not waited for */
	bool is_read;    /* to the end */
	int spawned;     /* what uv_spawn() said */
	int64_t status;  /* how it ended */
	int signal;
	struct buffer read;
};

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
	struct program *p = handle->data;

	if (--p->open > 0)
		return;
	smallfile_wipe(&p->read);
	p->events.on_closed(p->events.arg);
	free(p);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

/* Whoever of its group is left holds the output open, or has no business any more. */
static void kill_what_runs(struct program *p)
{
	if (p->leads_group && p->spawned == 0 && (p->is_running || !p->is_read))
		(void)kill(-p->process.pid, SIGKILL);
	else if (p->is_running)
		(void)uv_process_kill(&p->process, SIGKILL);
}

/* Nobody waits for the result any more.  The process's handle is closed when it has been waited for: else it would
 * stay behind as a zombie. */
static void wind_up(struct program *p)
{
	p->is_awaited = false;
	kill_what_runs(p);
	if (!p->is_running)
		close_handle((uv_handle_t *)&p->process);
	close_handle((uv_handle_t *)&p->output);
	close_handle((uv_handle_t *)&p->timer);
}

static void fail(struct program *p, enum err err, const char *text)
{
	struct reason why;

	(void)reason_set(&why, err, "%s", text);
	wind_up(p);
	p->events.on_end(err, (struct bytes){0}, &why, p->events.arg);
}

/* It has ended and its output is read, or nobody will write any more. */
static void finish(struct program *p)
{
	struct reason why = {""};
	enum err err = ERR_OK;

	if (p->signal)
		err = reason_set(&why, ERR_IO, "ended by signal %d", p->signal);
	else if (p->status)
		err = reason_set(&why, ERR_DENIED, "ended with status %d", (int)p->status);
	wind_up(p);
	p->events.on_end(err, (struct bytes){p->read.data, p->read.len}, &why, p->events.arg);
}

/* --- while it runs --- */

static void on_timer(uv_timer_t *timer)
{
	struct program *p = timer->data;

	if (p->spawned != 0)
		fail(p, p->spawned == UV_ENOENT ? ERR_NOTFOUND : ERR_IO, uv_strerror(p->spawned));
	else if (p->is_running)
		fail(p, ERR_TIMEOUT, "has not ended in time");
	else
		finish(p);
}

static void on_ended(uv_process_t *process, int64_t status, int term_signal)
{
	struct program *p = process->data;

	p->is_running = false;
	p->status = status;
	p->signal = term_signal;
	if (!p->is_awaited)
		close_handle((uv_handle_t *)process);
	else if (p->is_read)
		finish(p);
	else
		CHECK(uv_timer_start(&p->timer, on_timer, LINGER_MS, 0) == 0);
}

/* Always the same memory: it does not grow, so no copy of a secret stays behind. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct program *p = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)p->read.data + p->read.len,
	                   (unsigned)(p->read.room - p->read.len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct program *p = stream->data;

	(void)buf;
	if (n >= 0) {
		p->read.len += (size_t)n;
		if (p->read.len > PROGRAM_MOST)
			fail(p, ERR_RANGE, "more than 1 MiB of output");
		return;
	}
	p->is_read = true;
	(void)uv_read_stop(stream);
	if (!p->is_running)
		finish(p);
}

/* --- the beginning --- */

static void spawn(struct program *p, const struct program_settings *settings)
{
	uv_stdio_container_t stdio[] = {
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
	         .data.stream = (uv_stream_t *)&p->output},
		{.flags = UV_IGNORE},
	};
	uv_process_options_t options = {.exit_cb = on_ended,
	                                .file = settings->command[0],
	                                .args = (char **)(uintptr_t)settings->command,
	                                .env = (char **)(uintptr_t)settings->env,
	                                .flags = settings->leads_group ? UV_PROCESS_DETACHED : 0,
	                                .stdio = stdio,
	                                .stdio_count = 3};

	p->spawned = uv_spawn(p->process.loop, &p->process, &options);
	p->is_running = p->spawned == 0;
	if (p->spawned == 0)
		p->spawned = uv_read_start((uv_stream_t *)&p->output, on_alloc, on_read);
}

struct program *program_run(uv_loop_t *loop, const struct program_settings *settings,
                            const struct program_events *events)
{
	struct program *p = xcalloc(1, sizeof(*p));

	p->events = *events;
	p->leads_group = settings->leads_group;
	p->is_awaited = true;
	(void)buffer_extend(&p->read, PROGRAM_MOST + 1);
	buffer_reset(&p->read);
	p->process.loop = loop;
	p->process.data = p->output.data = p->timer.data = p;
	CHECK(uv_timer_init(loop, &p->timer) == 0);
	CHECK(uv_pipe_init(loop, &p->output, 0) == 0);
	/* uv_spawn() readies the handle before anything can fail; it is closed like the others. */
	p->open = HANDLES;
	spawn(p, settings);
	CHECK(uv_timer_start(&p->timer, on_timer, p->spawned ? 0 : settings->timeout_ms, 0) == 0);
	return p;
}

void program_cancel(struct program *p)
{
	if (p->is_awaited)
		wind_up(p);
}

void program_set_timeout(struct program *p, uint64_t timeout_ms)
{
	if (p->spawned == 0)
		CHECK(uv_timer_start(&p->timer, on_timer, timeout_ms, 0) == 0);
}
