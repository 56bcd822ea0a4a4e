/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/tcp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "dnsd/tcp_inside.h"

enum {
	SWEEP_MS = 1000, /* at most; oftener where the idle time is short */
	SWEEP_MIN_MS = 50,
	STOP_SWEEP_MS = 20,
	LEAVE_SWEEP_MS = 10,
	STOP_MS = 500 /* in all */
};

/* --- connections --- */

static void find_client(struct connection *c)
{
	struct sockaddr_storage sa;
	int len = sizeof sa;

	if (uv_tcp_getpeername(&c->handle, (struct sockaddr *)&sa, &len) == 0)
		c->client = addr_from_sockaddr((struct sockaddr *)&sa, NULL);
}

static struct connection *connection_new(struct tcp *t)
{
	struct connection *c = xcalloc(1, sizeof *c);

	t->was_busy = true;
	c->tcp = t;
	c->handle.data = c;
	c->active_at = uv_now(t->loop);
	CHECK(uv_tcp_init(t->loop, &c->handle) == 0);
	tcp_connection_put(c);
	return c;
}

/* When there is no room, another one goes. */
static void welcome(struct connection *c, bool has_room, struct tls *tls)
{
	struct tcp *t = c->tcp;

	if (!c->awaits_header && !tcp_connection_admit(c))
		return;
	tcp_count(t, STATS_TCP_OPENED, 1);
	if (!has_room) {
		/* This worker's idlest; another one's may be idler still. */
		tcp_count(t, STATS_TCP_REFUSED, 1);
		tcp_connection_close(t->last_connection);
	}
	if (uv_is_closing((uv_handle_t *)&c->handle))
		return;
	if (tls != NULL)
		c->tls = tls_stream_new(tls);
	(void)uv_tcp_nodelay(&c->handle, 1);
	tcp_connection_start(c);
}

static void on_incoming(uv_stream_t *listener, int status)
{
	const struct listener *l = listener->data;
	struct tcp *t = l->tcp;
	struct connection *c;
	bool has_room;

	if (status < 0)
		return;
	c = connection_new(t);
	has_room = quota_enter(t->quota);
	if (uv_accept(listener, (uv_stream_t *)&c->handle) != 0) {
		tcp_connection_close(c);
		return;
	}
	find_client(c);
	c->awaits_header = netset_has(t->responder->proxies, &c->client);
	welcome(c, has_room, l->tls);
}

void tcp_adopt(struct tcp *t, int take_fd, const struct addr *client)
{
	struct connection *c = connection_new(t);
	bool has_room = quota_enter(t->quota);

	if (uv_tcp_open(&c->handle, take_fd) != 0) {
		close(take_fd);
		tcp_connection_close(c);
		return;
	}
	c->client = *client;
	welcome(c, has_room, NULL);
}

/* Nothing of it is under way. */
static bool is_at_rest(const struct connection *c)
{
	return c->unsent == 0 && c->pending_len == 0 && !c->in_line && c->asked == NULL &&
	       c->transfer == NULL && !c->ended && !c->awaits_header;
}

/* What the client has sent meanwhile is still the kernel's, and so becomes the other process's. */
static bool leave(struct connection *c)
{
	struct tcp *t = c->tcp;
	uv_os_fd_t fd;
	int other;

	if (c->tls != NULL || !is_at_rest(c) || uv_is_closing((uv_handle_t *)&c->handle) ||
	    uv_fileno((uv_handle_t *)&c->handle, &fd) != 0)
		return false;
	other = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (other < 0)
		return false;
	t->on_leave(other, &c->client, t->leave_arg);
	tcp_connection_close(c);
	return true;
}

/* One long write may be taken bit by bit: that too is reading. */
static void note_taken(struct connection *c, uint64_t now)
{
	size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->handle);

	if (c->unsent > 0 && queued < c->queued)
		c->write_at = now;
	c->queued = queued;
}

static bool is_expired(const struct connection *c, uint64_t now)
{
	uint64_t silence = c->tcp->responder->idle_ms;

	if (c->unsent > 0)
		return now - c->write_at > TCP_WRITE_MS;
	/* It waits for us, not we for it. */
	if (c->asked != NULL)
		return false;
	if ((c->awaits_header || (c->tls != NULL && !c->is_open)) && silence > TCP_HANDSHAKE_MS)
		silence = TCP_HANDSHAKE_MS;
	return now - c->active_at > silence;
}

/* The other process has it, or it has had its time. */
static bool has_left(struct connection *c, uint64_t now)
{
	const struct tcp *t = c->tcp;

	if (t->retired_at == 0)
		return false;
	return leave(c) || (now - t->retired_at > TCP_RETIRED_MS && is_at_rest(c));
}

/* What silence is allowed now (RFC 7766 6.2.3: less when there are many). */
static void find_idle(struct tcp *t)
{
	t->responder->idle_ms =
		tcp_idle(t->limits.idle_ms, quota_count(t->quota), quota_most(t->quota));
}

static void on_sweep(uv_timer_t *timer)
{
	struct tcp *t = timer->data;
	uint64_t now = uv_now(t->loop);
	struct connection *next;

	find_idle(t);
	for (struct connection *c = t->first_connection; c != NULL; c = next) {
		bool expired;

		next = c->next;
		note_taken(c, now);
		expired = is_expired(c, now);
		if (expired)
			tcp_count(t, STATS_TCP_EXPIRED, 1);
		if (expired || has_left(c, now) || (t->is_ending && now - t->stop_at > STOP_MS))
			tcp_connection_close(c);
	}
	if (t->is_ending && t->first_connection == NULL && !uv_is_closing((uv_handle_t *)timer)) {
		uv_close((uv_handle_t *)timer, NULL);
		uv_close((uv_handle_t *)&t->turn, NULL);
	}
}

/* --- begin and end --- */

static uint64_t sweep_ms(uint64_t idle_ms)
{
	uint64_t wanted = idle_ms / 10;

	return wanted > SWEEP_MS ? SWEEP_MS : wanted < SWEEP_MIN_MS ? SWEEP_MIN_MS : wanted;
}

struct tcp *tcp_new(uv_loop_t *loop, struct reader *reader, struct responder *responder,
                    const struct tcp_limits *limits, struct quota *quota)
{
	struct tcp *t = xcalloc(1, sizeof *t);
	uint64_t sweep = sweep_ms(limits->idle_ms);

	t->loop = loop;
	t->reader = reader;
	t->responder = responder;
	t->limits = *limits;
	t->quota = quota;
	find_idle(t);
	t->sweep.data = t;
	t->turn.data = t;
	t->answers_left = TCP_TURN_ANSWERS;
	t->bytes_left = TCP_TURN_BYTES;
	CHECK(uv_idle_init(loop, &t->turn) == 0);
	CHECK(uv_timer_init(loop, &t->sweep) == 0);
	CHECK(uv_timer_start(&t->sweep, on_sweep, sweep, sweep) == 0);
	return t;
}

enum err tcp_listen(struct tcp *t, int take_fd, struct tls *tls, struct reason *why)
{
	struct listener *l = xcalloc(1, sizeof *l);
	int status;

	CHECK(uv_tcp_init(t->loop, &l->handle) == 0);
	l->handle.data = l;
	l->tcp = t;
	l->tls = tls;
	l->next = t->listeners;
	t->listeners = l;
	status = uv_tcp_open(&l->handle, take_fd);
	if (status == 0)
		status = uv_listen((uv_stream_t *)&l->handle, TCP_BACKLOG, on_incoming);
	return status == 0 ? ERR_OK : reason_set(why, ERR_IO, "TCP: %s", uv_strerror(status));
}

static void close_listeners(struct tcp *t)
{
	for (struct listener *l = t->listeners; l != NULL; l = l->next)
		if (!uv_is_closing((uv_handle_t *)&l->handle))
			uv_close((uv_handle_t *)&l->handle, NULL);
}

void tcp_retire(struct tcp *t, tcp_on_leave_fn *on_leave, void *arg)
{
	close_listeners(t);
	uv_update_time(t->loop);
	t->on_leave = on_leave;
	t->leave_arg = arg;
	t->retired_at = uv_now(t->loop);
	CHECK(uv_timer_start(&t->sweep, on_sweep, 0, LEAVE_SWEEP_MS) == 0);
}

void tcp_begin_end(struct tcp *t)
{
	struct connection *next;

	t->is_ending = true;
	close_listeners(t);
	for (struct connection *c = t->first_connection; c != NULL; c = next) {
		next = c->next;
		(void)uv_read_stop((uv_stream_t *)&c->handle);
		if (c->unsent == 0 && (!c->in_line || c->transfer != NULL))
			tcp_connection_close(c);
	}
	CHECK(uv_timer_start(&t->sweep, on_sweep, 0, STOP_SWEEP_MS) == 0);
}

/* What the kernel holds, connections and queries, is taken first. */
void tcp_set_desk(struct tcp *t, struct transfers_desk *desk) { t->desk = desk; }

void tcp_stop(struct tcp *t)
{
	t->desk = NULL;
	uv_update_time(t->loop);
	t->stop_at = uv_now(t->loop);
	t->was_busy = true;
	CHECK(uv_idle_start(&t->turn, tcp_take_turn) == 0);
}

void tcp_free(struct tcp *t)
{
	struct listener *next;

	if (t == NULL)
		return;
	for (struct listener *l = t->listeners; l != NULL; l = next) {
		next = l->next;
		free(l);
	}
	free(t);
}
