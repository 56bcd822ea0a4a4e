/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "watcher/due.h"

enum { ATTEMPTS = 3, ATTEMPT_EVERY_MS = 250, LATE_MS = 100 };

/* One connection.  It outlives its probe until libuv has closed it. */
struct attempt {
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct prober *prober;
	size_t index;         /* of its target */
	bool is_open;         /* its probe still waits for it */
	struct attempt *next; /* of the same probe, newest first */
};

struct target {
	struct probe_target is;
	uint32_t failed, succeeded; /* probes in a row */
	bool down;
	bool active; /* has a next time, waits or runs */
	uint64_t verdict_ms;

	bool running; /* the fields below are of this probe */
	uint64_t begun_ms, deadline_ms;
	unsigned begun, open;     /* attempts */
	struct attempt *attempts; /* the open ones */
};

/* Each active target has one time at which something has to be done for it: its next probe, its
 * next attempt, its deadline.  When there are too many connections it stands in the queue too. */
struct prober {
	uv_loop_t *loop;
	uv_timer_t timer;
	struct probe_settings settings;
	probe_on_verdict_fn *on_verdict;
	void *arg;
	struct target *target;
	size_t count;
	struct due *due;
	struct due *queue; /* by turn, not by time */
	uint64_t turns;
	size_t under_way; /* attempts */
	size_t handles;   /* not closed yet; the timer is one */
	struct prober_counts counts;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

static void on_timer(uv_timer_t *timer);

static void arm(struct prober *p)
{
	uint64_t at, now = clock_monotonic_ms();
	size_t index;

	if (p->on_stopped)
		return;
	if (!due_first(p->due, &index, &at)) {
		uv_timer_stop(&p->timer);
		return;
	}
	uv_update_time(p->loop);
	CHECK(uv_timer_start(&p->timer, on_timer, at > now ? at - now : 0, 0) == 0);
}

static uint64_t interval_ms(const struct prober *p)
{
	return p->settings.interval_ms ? p->settings.interval_ms : 1;
}

/* Targets keep their place in the interval, whoever comes and goes. */
static uint64_t first_time(const struct prober *p, const struct target *t)
{
	uint64_t every = interval_ms(p);
	uint64_t now = clock_monotonic_ms();
	struct bytes addr = {t->is.addr.bytes, sizeof(t->is.addr.bytes)};
	uint64_t place = hash_mix(hash_fixed(addr), t->is.port) % every;
	uint64_t at = now - now % every + place;

	return at >= now ? at : at + every;
}

/* --- the end of a probe --- */

static void free_when_closed(struct prober *p)
{
	if (--p->handles > 0)
		return;
	due_free(p->due);
	due_free(p->queue);
	free(p->target);
	p->on_stopped(p->stopped_arg);
	free(p);
}

static void on_attempt_closed(uv_handle_t *handle)
{
	struct attempt *a = handle->data;
	struct prober *p = a->prober;

	free(a);
	free_when_closed(p);
}

static void unlink_attempt(struct target *t, const struct attempt *a)
{
	struct attempt **at = &t->attempts;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
}

/* By a reset, so that a probe a second leaves no thousands of connections in TIME_WAIT. */
static void close_attempt(struct attempt *a)
{
	struct target *t = &a->prober->target[a->index];

	a->is_open = false;
	a->prober->under_way--;
	t->open--;
	unlink_attempt(t, a);
	if (uv_tcp_close_reset(&a->tcp, on_attempt_closed) != 0)
		uv_close((uv_handle_t *)&a->tcp, on_attempt_closed);
}

static void end_probe(struct prober *p, size_t index)
{
	struct target *t = &p->target[index];

	while (t->attempts)
		close_attempt(t->attempts);
	t->running = false;
	due_remove(p->due, index);
	due_remove(p->queue, index);
}

static void plan_next(struct prober *p, size_t index)
{
	due_put(p->due, index, p->target[index].begun_ms + interval_ms(p));
}

static void give_verdict(struct prober *p, size_t index, bool succeeded)
{
	struct target *t = &p->target[index];

	end_probe(p, index);
	plan_next(p, index);
	t->verdict_ms = clock_monotonic_ms();
	t->failed = succeeded ? 0 : t->failed + 1;
	t->succeeded = succeeded ? t->succeeded + 1 : 0;
	if (t->failed >= p->settings.down)
		t->down = true;
	else if (t->succeeded >= p->settings.up)
		t->down = false;
	p->on_verdict(index, succeeded, t->down, p->arg);
}

/* Out of descriptors, ports or memory, or not permitted: that says nothing about the target. */
static bool is_our_own(int status)
{
	switch (status) {
	case UV_EMFILE:
	case UV_ENFILE:
	case UV_ENOBUFS:
	case UV_ENOMEM:
	case UV_EADDRNOTAVAIL:
	case UV_EAFNOSUPPORT:
	case UV_EACCES:
	case UV_EPERM:
		return true;
	default:
		return false;
	}
}

/* No route, when the connection could not even begin.  Later it is what a router says of the
 * target. */
static bool is_no_route(int status)
{
	return status == UV_ENETUNREACH || status == UV_EHOSTUNREACH;
}

static void void_probe(struct prober *p, size_t index)
{
	p->counts.voided++;
	end_probe(p, index);
	plan_next(p, index);
}

static uint64_t next_attempt_ms(const struct target *t)
{
	return t->begun_ms + (uint64_t)t->begun * ATTEMPT_EVERY_MS;
}

static bool may_begin_another(const struct target *t)
{
	return t->begun < ATTEMPTS && next_attempt_ms(t) < t->deadline_ms;
}

static void attempt_failed(struct prober *p, size_t index, bool by_us)
{
	const struct target *t = &p->target[index];

	if (by_us)
		void_probe(p, index);
	else if (t->open == 0 && !may_begin_another(t))
		give_verdict(p, index, false);
}

/* --- attempts --- */

static void plan_within(struct prober *p, size_t index)
{
	const struct target *t = &p->target[index];

	due_put(p->due, index, may_begin_another(t) ? next_attempt_ms(t) : t->deadline_ms);
}

static void serve_queue(struct prober *p);

static void on_connect(uv_connect_t *connect, int status)
{
	struct attempt *a = connect->data;
	struct prober *p = a->prober;
	size_t index = a->index;

	if (!a->is_open)
		return; /* it was given up */
	if (status == 0) {
		give_verdict(p, index, true);
	} else {
		close_attempt(a);
		attempt_failed(p, index, is_our_own(status));
	}
	serve_queue(p);
	arm(p);
}

static void begin_attempt(struct prober *p, size_t index)
{
	struct target *t = &p->target[index];
	struct attempt *a = xcalloc(1, sizeof(*a));
	struct sockaddr_storage to;
	int status;

	*a = (struct attempt){.prober = p, .index = index, .is_open = true, .next = t->attempts};
	a->tcp.data = a->connect.data = a;
	t->attempts = a;
	t->begun++;
	t->open++;
	p->under_way++;
	p->handles++;
	p->counts.attempts++;
	CHECK(uv_tcp_init(p->loop, &a->tcp) == 0);
	a->tcp.data = a;
	addr_to_sockaddr(&t->is.addr, t->is.port, &to);
	plan_within(p, index);
	status = uv_tcp_connect(&a->connect, &a->tcp, (const struct sockaddr *)&to, on_connect);
	if (status != 0) {
		close_attempt(a);
		attempt_failed(p, index, is_our_own(status) || is_no_route(status));
	}
}

/* The turn of a target has come: it begins a probe, or the next attempt of one. */
static void take_turn(struct prober *p, size_t index)
{
	struct target *t = &p->target[index];

	if (!t->running) {
		t->running = true;
		t->begun = 0;
		t->begun_ms = clock_monotonic_ms();
		t->deadline_ms = t->begun_ms + p->settings.timeout_ms;
	}
	begin_attempt(p, index);
}

/* Nobody passes those who wait already. */
static void ask_for_turn(struct prober *p, size_t index)
{
	uint64_t turn;
	size_t waiting;

	if (p->under_way < PROBE_MOST_ATTEMPTS && !due_first(p->queue, &waiting, &turn)) {
		take_turn(p, index);
		return;
	}
	p->counts.waits++;
	due_put(p->queue, index, p->turns++);
	if (p->target[index].running)
		due_put(p->due, index, p->target[index].deadline_ms);
}

static void serve_queue(struct prober *p)
{
	uint64_t turn;
	size_t index;

	while (p->under_way < PROBE_MOST_ATTEMPTS && due_first(p->queue, &index, &turn)) {
		due_remove(p->queue, index);
		take_turn(p, index);
	}
}

/* A loop that comes late has not heard yet of the connections that succeeded in time. */
static void on_due(struct prober *p, size_t index)
{
	const struct target *t = &p->target[index];
	uint64_t now = clock_monotonic_ms();

	if (!t->running || now < t->deadline_ms)
		ask_for_turn(p, index);
	else if (now > t->deadline_ms + LATE_MS)
		void_probe(p, index);
	else
		give_verdict(p, index, false);
}

static void on_timer(uv_timer_t *timer)
{
	struct prober *p = timer->data;
	uint64_t at;
	size_t index;

	while (due_first(p->due, &index, &at) && at <= clock_monotonic_ms()) {
		due_remove(p->due, index);
		on_due(p, index);
	}
	serve_queue(p);
	arm(p);
}

/* --- the outside --- */

struct prober *prober_new(uv_loop_t *loop, const struct probe_settings *settings,
                          probe_on_verdict_fn *on_verdict, void *arg)
{
	struct prober *p = xcalloc(1, sizeof(*p));

	p->loop = loop;
	p->settings = *settings;
	p->on_verdict = on_verdict;
	p->arg = arg;
	p->due = due_new();
	p->queue = due_new();
	p->handles = 1;
	CHECK(uv_timer_init(loop, &p->timer) == 0);
	p->timer.data = p;
	return p;
}

static void deactivate(struct prober *p, size_t index)
{
	p->target[index].active = false;
	end_probe(p, index);
}

static void activate(struct prober *p, size_t index)
{
	struct target *t = &p->target[index];

	t->active = true;
	due_put(p->due, index, first_time(p, t));
}

/* A probe that runs keeps the times it began with. */
void prober_configure(struct prober *p, const struct probe_settings *settings)
{
	bool moves = settings->interval_ms != p->settings.interval_ms;

	p->settings = *settings;
	for (size_t i = 0; moves && i < p->count; i++)
		if (p->target[i].active && !p->target[i].running)
			due_put(p->due, i, first_time(p, &p->target[i]));
	arm(p);
}

static bool same_target(const struct target *t, const struct probe_target *is)
{
	return t->is.port == is->port && addr_equal(&t->is.addr, &is->addr);
}

static void resize(struct prober *p, size_t count)
{
	for (size_t i = count; i < p->count; i++)
		deactivate(p, i);
	p->target = xreallocarray(p->target, count, sizeof(*p->target));
	for (size_t i = p->count; i < count; i++)
		p->target[i] = (struct target){0};
	p->count = count;
}

void prober_set_targets(struct prober *p, const struct probe_target *targets, size_t count)
{
	resize(p, count);
	for (size_t i = 0; i < count; i++) {
		struct target *t = &p->target[i];
		bool wanted = targets[i].wanted && targets[i].addr.family != ADDR_NONE;

		if (!same_target(t, &targets[i])) {
			deactivate(p, i);
			*t = (struct target){0};
		}
		t->is = targets[i];
		if (wanted && !t->active)
			activate(p, i);
		else if (!wanted && t->active)
			deactivate(p, i);
	}
	serve_queue(p);
	arm(p);
}

void prober_set_state(struct prober *p, size_t index, bool down)
{
	CHECK(index < p->count);
	p->target[index].down = down;
	p->target[index].failed = p->target[index].succeeded = 0;
}

uint64_t prober_verdict_ms(const struct prober *p, size_t index)
{
	return index < p->count ? p->target[index].verdict_ms : 0;
}

struct prober_counts prober_counts(const struct prober *p) { return p->counts; }

static void on_timer_closed(uv_handle_t *handle) { free_when_closed(handle->data); }

void prober_stop(struct prober *p, void (*on_stopped)(void *arg), void *arg)
{
	p->on_stopped = on_stopped;
	p->stopped_arg = arg;
	for (size_t i = 0; i < p->count; i++)
		deactivate(p, i);
	uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}
