/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/tcp.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

enum {
	CHUNK = 4096,   /* bytes read at once: small, as UDP waits meanwhile */
	GATHER = 16384, /* answers written in one call, if there are so many */
	ANSWER_MAX = 2 + 65535,
	SWEEP_MS = 1000, /* at most; oftener where the idle time is short */
	SWEEP_MIN_MS = 50,
	STOP_SWEEP_MS = 20,
	LAST_CALL_MS = 100, /* for who asks without end */
	STOP_MS = 500       /* in all */
};

struct listener {
	uv_tcp_t handle;
	struct listener *next;
};

struct connection {
	uv_tcp_t handle;
	struct tcp *tcp;
	struct connection *prev, *next;
	struct addr client;
	struct addr network; /* of the client, counted; ADDR_NONE: not limited */
	uint64_t queries;    /* that were answered */
	uint64_t active_at;  /* last query that was answered */
	uint64_t write_at;   /* last time that something waiting was taken; 0: nothing waits */
	size_t unsent;
	size_t queued;                      /* what libuv still held at the last sweep */
	bool ended;                         /* the client sends no more */
	bool in_line;                       /* for its turn; not read from meanwhile */
	struct connection *before, *behind; /* in line */
	uint8_t *pending;                   /* received, not answered yet */
	size_t pending_len;
};

struct tcp {
	uv_loop_t *loop;
	struct reader *reader;
	struct responder *responder;
	uv_timer_t sweep;
	struct tcp_limits limits;
	struct quota *quota;
	struct listener *listeners;
	struct connection *first_connection, *last_connection; /* the idlest is the last */

	uv_idle_t turn; /* active while somebody is in line, and during the last call */
	struct connection *first, *last;   /* in line */
	unsigned answers_left, bytes_left; /* of this turn; at 0 everyone stands in line */

	uint64_t stop_at; /* since then it is the last call; 0: it is not */
	bool was_busy;    /* since the turn began something came or went on */
	bool is_ending;   /* the last call is over: nothing is read any more */
	uint8_t chunk[CHUNK];
	uint8_t out[GATHER + ANSWER_MAX];
};

struct waiting {
	uv_write_t request;
	size_t len;
	uint8_t data[];
};

static void answer_pending(struct connection *c);
static void on_turn(uv_idle_t *turn);
static void begin_end(struct tcp *t);

static void count_event(struct tcp *t, enum stats_event event, uint64_t n)
{
	stats_add(&t->responder->stats->events[event], n);
}

/* --- turns --- */

static bool has_turn(const struct tcp *t) { return t->answers_left > 0 && t->bytes_left > 0; }

static void spend(struct tcp *t, size_t answer)
{
	t->answers_left--;
	t->bytes_left -= answer < t->bytes_left ? (unsigned)answer : t->bytes_left;
}

static void stand_in_line(struct connection *c)
{
	struct tcp *t = c->tcp;

	(void)uv_read_stop((uv_stream_t *)&c->handle);
	if (c->in_line)
		return;
	count_event(t, STATS_TCP_WAITED, 1);
	c->in_line = true;
	c->before = t->last;
	c->behind = NULL;
	if (t->last != NULL)
		t->last->behind = c;
	else
		t->first = c;
	t->last = c;
	CHECK(uv_idle_start(&t->turn, on_turn) == 0);
}

static void leave_line(struct connection *c)
{
	struct tcp *t = c->tcp;

	if (!c->in_line)
		return;
	c->in_line = false;
	if (c->before != NULL)
		c->before->behind = c->behind;
	else
		t->first = c->behind;
	if (c->behind != NULL)
		c->behind->before = c->before;
	else
		t->last = c->before;
}

/* A whole turn of the loop brought nothing more, or it takes too long. */
static bool is_last_call_over(struct tcp *t)
{
	bool is_quiet = !t->was_busy;

	t->was_busy = false;
	return is_quiet || uv_now(t->loop) - t->stop_at > LAST_CALL_MS;
}

/* Once in each turn of the loop, before it looks at the sockets, UDP's among them. */
static void on_turn(uv_idle_t *turn)
{
	struct tcp *t = turn->data;

	t->answers_left = TCP_TURN_ANSWERS;
	t->bytes_left = TCP_TURN_BYTES;
	while (t->first != NULL && has_turn(t)) {
		struct connection *c = t->first;

		leave_line(c);
		answer_pending(c);
	}
	if (t->stop_at != 0 && !t->is_ending) {
		if (is_last_call_over(t))
			begin_end(t);
	} else if (t->first == NULL) {
		CHECK(uv_idle_stop(turn) == 0);
	}
}

/* --- the list of connections --- */

static void put_first(struct connection *c)
{
	struct tcp *t = c->tcp;

	c->prev = NULL;
	c->next = t->first_connection;
	if (c->next != NULL)
		c->next->prev = c;
	else
		t->last_connection = c;
	t->first_connection = c;
}

static void take_out(struct connection *c)
{
	struct tcp *t = c->tcp;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		t->first_connection = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		t->last_connection = c->prev;
}

/* It got an answer. */
static void note_active(struct connection *c)
{
	c->active_at = uv_now(c->tcp->loop);
	c->queries++;
	if (c->prev != NULL) {
		take_out(c);
		put_first(c);
	}
}

/* --- the end of a connection --- */

static void on_connection_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	free(c->pending);
	free(c);
}

static void close_connection(struct connection *c)
{
	struct tcp *t = c->tcp;

	if (uv_is_closing((uv_handle_t *)&c->handle))
		return;
	take_out(c);
	quota_leave(t->quota);
	if (c->network.family != ADDR_NONE)
		quota_leave_network(t->quota, &c->network);
	leave_line(c);
	uv_close((uv_handle_t *)&c->handle, on_connection_closed);
}

/* --- answers out --- */

static void on_written(uv_write_t *request, int status)
{
	struct waiting *w = request->data;
	struct connection *c = request->handle->data;

	c->unsent -= w->len;
	free(w);
	if (status < 0)
		count_event(c->tcp, STATS_UNSENT, 1);
	if (uv_is_closing((uv_handle_t *)&c->handle))
		return;
	if (status < 0) {
		close_connection(c);
		return;
	}
	c->write_at = c->unsent > 0 ? uv_now(c->tcp->loop) : 0;
	if (c->unsent == 0)
		answer_pending(c);
}

static void wait_to_send(struct connection *c, const uint8_t *data, size_t len)
{
	struct waiting *w = xmalloc(sizeof *w + len);
	uv_buf_t buf;

	w->request.data = w;
	w->len = len;
	memcpy(w->data, data, len);
	buf = uv_buf_init((char *)w->data, (unsigned)len);
	if (uv_write(&w->request, (uv_stream_t *)&c->handle, &buf, 1, on_written) != 0) {
		free(w);
		close_connection(c);
		return;
	}
	if (c->unsent == 0)
		c->write_at = uv_now(c->tcp->loop);
	c->unsent += len;
}

static void send_answers(struct connection *c, const uint8_t *data, size_t len)
{
	size_t sent = 0;

	if (len == 0 || uv_is_closing((uv_handle_t *)&c->handle))
		return;
	if (c->unsent == 0) {
		uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
		int n = uv_try_write((uv_stream_t *)&c->handle, &buf, 1);

		if (n < 0 && n != UV_EAGAIN) {
			count_event(c->tcp, STATS_UNSENT, 1);
			close_connection(c);
			return;
		}
		sent = n > 0 ? (size_t)n : 0;
	}
	if (sent < len)
		wait_to_send(c, data + sent, len - sent);
}

/* --- queries in --- */

static bool is_paused(const struct connection *c) { return c->unsent > TCP_MAX_UNSENT; }

static bool may_answer(const struct connection *c)
{
	return has_turn(c->tcp) && !is_paused(c) && c->queries < c->tcp->limits.max_queries &&
	       !uv_is_closing((const uv_handle_t *)&c->handle);
}

/* Answers the whole messages at `data`; returns how many bytes they took.  A client that does
 * not read makes it stop early, and so does the end of the turn. */
static size_t answer_messages(struct connection *c, const uint8_t *data, size_t len)
{
	struct tcp *t = c->tcp;
	const struct snapshot *s = reader_take(t->reader);
	size_t used = 0, gathered = 0;

	while (len - used >= 2 && may_answer(c)) {
		size_t message = bytes_get16(data + used), answer;

		if (message > TCP_MAX_QUERY) {
			count_event(t, STATS_TCP_OVERSIZE, 1);
			send_answers(c, t->out, gathered);
			gathered = 0;
			close_connection(c);
			break;
		}
		if (len - used - 2 < message)
			break;
		answer = respond(t->responder, s, STATS_TCP, &c->client, data + used + 2, message,
		                 t->out + gathered + 2);
		used += 2 + message;
		if (answer == 0) {
			/* No query: who sends such things is not kept waiting for (RFC 7766 6.2.3). */
			send_answers(c, t->out, gathered);
			gathered = 0;
			close_connection(c);
			break;
		}
		note_active(c);
		spend(t, answer);
		/* RFC 7766 8: length and message in one segment. */
		bytes_put16(t->out + gathered, (uint16_t)answer);
		gathered += 2 + answer;
		if (gathered > GATHER) {
			send_answers(c, t->out, gathered);
			gathered = 0;
		}
	}
	reader_rest(t->reader);
	send_answers(c, t->out, gathered);
	return used;
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)c->tcp->chunk, CHUNK);
}

/* Keeps what is not answered; at most a query that is not whole yet, or a chunk more. */
static void keep(struct connection *c, const uint8_t *data, size_t len)
{
	if (len == 0)
		return;
	c->pending = xrealloc(c->pending, c->pending_len + len);
	memcpy(c->pending + c->pending_len, data, len);
	c->pending_len += len;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);

/* Answers what was kept, as far as it goes. */
static void answer_kept(struct connection *c)
{
	size_t used = c->pending_len > 0 ? answer_messages(c, c->pending, c->pending_len) : 0;

	c->pending_len -= used;
	if (c->pending_len == 0) {
		free(c->pending);
		c->pending = NULL;
	} else {
		memmove(c->pending, c->pending + used, c->pending_len);
	}
}

/* The bytes that come next in the stream. */
static void take(struct connection *c, const uint8_t *data, size_t len)
{
	if (c->pending_len == 0) {
		size_t used = answer_messages(c, data, len);

		keep(c, data + used, len - used);
	} else {
		keep(c, data, len);
		answer_kept(c);
	}
}

/* Reading, waiting for the client to read, for a turn, or the end, when nothing is left to do. */
static void go_on(struct connection *c)
{
	uv_stream_t *stream = (uv_stream_t *)&c->handle;
	struct tcp *t = c->tcp;

	if (uv_is_closing((uv_handle_t *)stream))
		return;
	c->ended |= c->queries >= t->limits.max_queries;
	if (is_paused(c) || c->ended)
		(void)uv_read_stop(stream);
	if (is_paused(c))
		return;
	if (!has_turn(t))
		stand_in_line(c);
	else if (c->unsent == 0 && (c->ended || t->is_ending))
		close_connection(c);
	else if (!c->ended && !t->is_ending)
		(void)uv_read_start(stream, give_chunk, on_read);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct connection *c = stream->data;

	if (count == 0)
		return;
	c->tcp->was_busy = true;
	if (count < 0) {
		c->ended = true;
		(void)uv_read_stop(stream);
		if (count != UV_EOF || c->unsent == 0)
			close_connection(c);
		return;
	}
	take(c, (const uint8_t *)buf->base, (size_t)count);
	go_on(c);
}

/* Goes on with what was received, then with reading, or in a later turn. */
static void answer_pending(struct connection *c)
{
	c->tcp->was_busy = true;
	answer_kept(c);
	go_on(c);
}

/* --- connections --- */

/* Its network's share is limited, and taken by others. */
static bool is_greedy(struct connection *c)
{
	const struct tcp_limits *limits = &c->tcp->limits;
	struct addr network = tcp_network(&c->client);

	for (size_t i = 0; i < limits->exempt_count; i++) {
		if (addr_network_has(&limits->exempt[i], &c->client))
			return false;
	}
	if (!quota_enter_network(c->tcp->quota, &network))
		return true;
	c->network = network;
	return false;
}

static void find_client(struct connection *c)
{
	struct sockaddr_storage sa;
	int len = sizeof sa;

	if (uv_tcp_getpeername(&c->handle, (struct sockaddr *)&sa, &len) == 0)
		c->client = addr_from_sockaddr((struct sockaddr *)&sa, NULL);
}

static void on_incoming(uv_stream_t *listener, int status)
{
	struct tcp *t = listener->data;
	struct connection *c;
	bool has_room;

	if (status < 0)
		return;
	t->was_busy = true;
	c = xcalloc(1, sizeof *c);
	c->tcp = t;
	c->handle.data = c;
	c->active_at = uv_now(t->loop);
	CHECK(uv_tcp_init(t->loop, &c->handle) == 0);
	put_first(c);
	has_room = quota_enter(t->quota);
	if (uv_accept(listener, (uv_stream_t *)&c->handle) != 0) {
		close_connection(c);
		return;
	}
	find_client(c);
	if (is_greedy(c)) {
		count_event(t, STATS_TCP_REFUSED, 1);
		close_connection(c);
		return;
	}
	count_event(t, STATS_TCP_OPENED, 1);
	if (!has_room) {
		/* This worker's idlest; another one's may be idler still. */
		count_event(t, STATS_TCP_REFUSED, 1);
		close_connection(t->last_connection);
	}
	if (uv_is_closing((uv_handle_t *)&c->handle))
		return;
	(void)uv_tcp_nodelay(&c->handle, 1);
	(void)uv_read_start((uv_stream_t *)&c->handle, give_chunk, on_read);
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
	if (c->unsent > 0)
		return now - c->write_at > TCP_WRITE_MS;
	return now - c->active_at > c->tcp->responder->idle_ms;
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
			count_event(t, STATS_TCP_EXPIRED, 1);
		if (expired || (t->is_ending && now - t->stop_at > STOP_MS))
			close_connection(c);
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

enum err tcp_listen(struct tcp *t, int take_fd, struct reason *why)
{
	struct listener *l = xcalloc(1, sizeof *l);
	int status;

	CHECK(uv_tcp_init(t->loop, &l->handle) == 0);
	l->handle.data = t;
	l->next = t->listeners;
	t->listeners = l;
	status = uv_tcp_open(&l->handle, take_fd);
	if (status == 0)
		status = uv_listen((uv_stream_t *)&l->handle, TCP_BACKLOG, on_incoming);
	return status == 0 ? ERR_OK : reason_set(why, ERR_IO, "TCP: %s", uv_strerror(status));
}

static void begin_end(struct tcp *t)
{
	struct connection *next;

	t->is_ending = true;
	for (struct listener *l = t->listeners; l != NULL; l = l->next)
		uv_close((uv_handle_t *)&l->handle, NULL);
	for (struct connection *c = t->first_connection; c != NULL; c = next) {
		next = c->next;
		(void)uv_read_stop((uv_stream_t *)&c->handle);
		if (c->unsent == 0 && !c->in_line)
			close_connection(c);
	}
	CHECK(uv_timer_start(&t->sweep, on_sweep, 0, STOP_SWEEP_MS) == 0);
}

/* What the kernel holds, connections and queries, is taken first. */
void tcp_stop(struct tcp *t)
{
	uv_update_time(t->loop);
	t->stop_at = uv_now(t->loop);
	t->was_busy = true;
	CHECK(uv_idle_start(&t->turn, on_turn) == 0);
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
