/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/settle.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

/* The timer counts whole milliseconds and is up to one late, hence 4 for 5. */
enum { PAUSE_MS = 4, STORM_US = 2000, MOST_US = 95000 };

struct settle {
	uv_timer_t timer;
	void (*on_settled)(void *arg);
	void *arg;
	bool waiting;
	uint64_t first_us, last_us; /* pokes since on_settled ran */
	uint64_t poked_us;          /* first_us of the last run */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

static void on_timer(uv_timer_t *timer)
{
	struct settle *s = timer->data;
	uint64_t now_us = clock_monotonic_us();

	/* Still being poked: what comes next can share the work. */
	if (now_us - s->last_us < STORM_US && now_us - s->first_us < MOST_US) {
		uv_timer_start(&s->timer, on_timer, PAUSE_MS, 0);
		return;
	}
	s->waiting = false;
	s->poked_us = s->first_us;
	s->on_settled(s->arg);
}

struct settle *settle_new(uv_loop_t *loop, void (*on_settled)(void *arg), void *arg)
{
	struct settle *s = xcalloc(1, sizeof(*s));

	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	s->on_settled = on_settled;
	s->arg = arg;
	return s;
}

void settle_poke(struct settle *s)
{
	if (s->on_stopped)
		return;
	s->last_us = clock_monotonic_us();
	if (s->waiting)
		return;
	s->waiting = true;
	s->first_us = s->last_us;
	uv_update_time(s->timer.loop); /* the poker may have worked for long */
	uv_timer_start(&s->timer, on_timer, PAUSE_MS, 0);
}

uint64_t settle_poked_us(const struct settle *s) { return s->poked_us; }

static void on_closed(uv_handle_t *handle)
{
	struct settle *s = handle->data;
	void (*on_stopped)(void *arg) = s->on_stopped;
	void *arg = s->stopped_arg;

	free(s);
	on_stopped(arg);
}

static void no_one(void *arg) { (void)arg; }

void settle_stop(struct settle *s, void (*on_stopped)(void *arg), void *arg)
{
	s->on_stopped = on_stopped ? on_stopped : no_one;
	s->stopped_arg = arg;
	uv_close((uv_handle_t *)&s->timer, on_closed);
}
