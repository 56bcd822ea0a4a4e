/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "watcher/probe_inside.h"

enum { ATTEMPTS = 3, ATTEMPT_EVERY_MS = 250, LATE_MS = 100, TEXT_SIZE = 160 };

/* One connection.  It outlives its probe until libuv has closed it. */
struct attempt {
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct prober *prober;
	struct target *target; /* NULL: its probe waits for it no more */
	struct attempt *next;  /* of the same probe, newest first; or spare */
};

/* --- the end of a probe --- */

static void on_attempt_closed(uv_handle_t *handle)
{
	struct attempt *a = handle->data;
	struct prober *p = a->prober;

	a->next = p->spare;
	p->spare = a;
	prober_handle_closed(p);
}

void probe_run_free_spare(struct prober *p)
{
	while (p->spare) {
		struct attempt *a = p->spare;

		p->spare = a->next;
		free(a);
	}
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
	struct target *t = a->target;

	a->target = NULL;
	a->prober->under_way--;
	t->open--;
	unlink_attempt(t, a);
	if (uv_tcp_close_reset(&a->tcp, on_attempt_closed) != 0)
		uv_close((uv_handle_t *)&a->tcp, on_attempt_closed);
}

void probe_run_end(struct prober *p, struct target *t)
{
	while (t->attempts)
		close_attempt(t->attempts);
	if (t->exchange) {
		probe_exchange_cancel(t->exchange);
		t->exchange = NULL;
		p->under_way--;
	}
	t->running = false;
	due_remove(p->due, t->slot);
	due_remove(p->queue, t->slot);
}

static void give_verdict(struct prober *p, struct target *t, bool succeeded, bool reached,
                         const char *text)
{
	probe_run_end(p, t);
	prober_plan_next(p, t);
	t->judged = true;
	t->failed = succeeded ? 0 : t->failed + 1;
	t->succeeded = succeeded ? t->succeeded + 1 : 0;
	if (t->failed >= t->settings.down)
		t->down = true;
	else if (t->succeeded >= t->settings.up)
		t->down = false;
	prober_tell(
		p, t,
		&(struct probe_verdict){
			.succeeded = succeeded, .reached = reached, .down = t->down, .text = text});
}

static void fail_at_deadline(struct prober *p, struct target *t)
{
	bool reached = t->exchange != NULL;
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%s after %gs", reached ? "no answer" : "timed out",
	               (double)(t->deadline_ms - t->begun_ms) / 1000);
	give_verdict(p, t, false, reached, text);
}

static void void_probe(struct prober *p, struct target *t, const char *text)
{
	p->counts.voided++;
	probe_run_end(p, t);
	prober_plan_next(p, t);
	prober_tell(p, t, &(struct probe_verdict){.is_void = true, .down = t->down, .text = text});
}

/* --- failures --- */

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

static uint64_t next_attempt_ms(const struct target *t)
{
	return t->begun_ms + (uint64_t)t->begun * ATTEMPT_EVERY_MS;
}

static bool may_begin_another(const struct target *t)
{
	return t->begun < ATTEMPTS && next_attempt_ms(t) < t->deadline_ms;
}

static void attempt_failed(struct prober *p, struct target *t, int status, bool by_us)
{
	if (by_us)
		void_probe(p, t, uv_strerror(status));
	else if (t->open == 0 && !may_begin_another(t))
		give_verdict(p, t, false, false, uv_strerror(status));
}

static void plan_within(struct prober *p, const struct target *t)
{
	due_put(p->due, t->slot, may_begin_another(t) ? next_attempt_ms(t) : t->deadline_ms);
}

/* --- what is asked over the connection --- */

static void on_exchange_end(enum probe_outcome outcome, const char *text, void *arg)
{
	struct target *t = arg;
	struct prober *p = t->prober;

	t->exchange = NULL;
	p->under_way--;
	if (outcome == PROBE_VOID)
		void_probe(p, t, text);
	else
		give_verdict(p, t, outcome == PROBE_GOOD, true, text);
	probe_run_queue(p);
	prober_arm(p);
}

/* A second descriptor of the attempt's connection; its own ends with it.  -1: there are no more. */
static int share_connection(const struct attempt *a)
{
	uv_os_fd_t fd;

	CHECK(uv_fileno((const uv_handle_t *)&a->tcp, &fd) == 0);
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* The attempts have found a way there: the first that is through is asked, the others end. */
static void begin_exchange(struct prober *p, struct target *t, const struct attempt *first)
{
	int fd = share_connection(first);

	if (fd < 0) {
		void_probe(p, t, uv_strerror(UV_EMFILE));
		return;
	}
	while (t->attempts)
		close_attempt(t->attempts);
	due_remove(p->queue, t->slot);
	t->exchange = probe_http_begin(p->http, t->check, &t->is.addr, t->is.port, fd,
	                               on_exchange_end, t);
	p->under_way++;
	due_put(p->due, t->slot, t->deadline_ms);
}

/* --- attempts --- */

static void on_connect(uv_connect_t *connect, int status)
{
	struct attempt *a = connect->data;
	struct prober *p = a->prober;
	struct target *t = a->target;

	if (!t)
		return; /* it was given up */
	if (status == 0 && probe_check_has_exchange(t->check)) {
		begin_exchange(p, t, a);
	} else if (status == 0) {
		give_verdict(p, t, true, true, "connected");
	} else {
		close_attempt(a);
		attempt_failed(p, t, status, is_our_own(status));
	}
	probe_run_queue(p);
	prober_arm(p);
}

static struct attempt *take_attempt(struct prober *p)
{
	struct attempt *a = p->spare;

	if (a)
		p->spare = a->next;
	else
		a = xcalloc(1, sizeof(*a));
	return a;
}

static void begin_attempt(struct prober *p, struct target *t)
{
	struct attempt *a = take_attempt(p);
	struct sockaddr_storage to;
	int status;

	*a = (struct attempt){.prober = p, .target = t, .next = t->attempts};
	t->attempts = a;
	t->begun++;
	t->open++;
	p->under_way++;
	p->handles++;
	p->counts.attempts++;
	CHECK(uv_tcp_init(p->loop, &a->tcp) == 0);
	a->tcp.data = a->connect.data = a;
	addr_to_sockaddr(&t->is.addr, t->is.port, &to);
	plan_within(p, t);
	status = uv_tcp_connect(&a->connect, &a->tcp, (const struct sockaddr *)&to, on_connect);
	if (status != 0) {
		close_attempt(a);
		attempt_failed(p, t, status, is_our_own(status) || is_no_route(status));
	}
}

/* --- turns --- */

/* Without what it takes to ask there is no use in a connection. */
static bool can_ask(const struct prober *p, const struct target *t, struct reason *why)
{
	const char *files = p->settings.files ? p->settings.files : "";

	return !probe_check_has_exchange(t->check) ||
	       probe_check_look(t->check, files, p->settings.secrets, t->begun_ms, why) == ERR_OK;
}

static void look_up_word(struct prober *p, struct target *t)
{
	const struct probe_target is = {
		.addr = t->is.addr, .port = t->is.port, .cluster = t->is.cluster};
	char reason[PROBE_WORD_SIZE] = "";
	enum probe_word word =
		p->import ? p->import(t->check->is.import, &is, reason, p->arg) : PROBE_NO_WORD;

	if (word == PROBE_NO_WORD)
		void_probe(p, t, "the import has no word of it");
	else if (reason[0] != '\0')
		give_verdict(p, t, word == PROBE_SAID_UP, false, reason);
	else
		give_verdict(p, t, word == PROBE_SAID_UP, false,
		             word == PROBE_SAID_UP ? "up" : "down");
}

static void begin_probe(struct prober *p, struct target *t)
{
	struct reason why;

	if (probe_check_is_import(t->check)) {
		look_up_word(p, t);
		return;
	}
	t->running = true;
	t->begun = 0;
	t->begun_ms = clock_monotonic_ms();
	t->deadline_ms = t->begun_ms + t->settings.timeout_ms;
	if (can_ask(p, t, &why))
		begin_attempt(p, t);
	else
		void_probe(p, t, why.text);
}

/* The turn of a target has come. */
static void take_turn(struct prober *p, struct target *t)
{
	if (t->running)
		begin_attempt(p, t);
	else
		begin_probe(p, t);
}

/* Nobody passes those who wait already. */
static void ask_for_turn(struct prober *p, struct target *t)
{
	uint64_t turn;
	size_t waiting;

	if (p->under_way < PROBE_MOST_ATTEMPTS && !due_first(p->queue, &waiting, &turn)) {
		take_turn(p, t);
		return;
	}
	p->counts.waits++;
	due_put(p->queue, t->slot, p->turns++);
	if (t->running)
		due_put(p->due, t->slot, t->deadline_ms);
}

void probe_run_queue(struct prober *p)
{
	uint64_t turn;
	size_t slot;

	while (p->under_way < PROBE_MOST_ATTEMPTS && due_first(p->queue, &slot, &turn)) {
		due_remove(p->queue, slot);
		take_turn(p, p->target[slot]);
	}
}

/* A loop that comes late has not heard yet of the connections that succeeded in time. */
void probe_run_due(struct prober *p, struct target *t)
{
	uint64_t now = clock_monotonic_ms();

	if (!t->running || now < t->deadline_ms)
		ask_for_turn(p, t);
	else if (now > t->deadline_ms + LATE_MS)
		void_probe(p, t, "its deadline was looked at too late");
	else
		fail_at_deadline(p, t);
}
