/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/peers_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"

enum { READ_ROOM = 16384, BUDGET_MS = 1000 };

struct peers_link {
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct peers_session *session;
	struct peers_link_events events;
	bool dialled, is_open, is_closing;
	struct addr addr;
	uint16_t port;
	char why[160];

	uint64_t heard_ms; /* or began */
	uint64_t taken_ms; /* the other end read something, or there was nothing to read */
	uint64_t budget_ms;
	size_t received; /* since budget_ms */
	struct buffer in;
	uint8_t room[READ_ROOM]; /* what libuv reads into */
};

struct writing {
	uv_write_t request;
	struct peers_link *link;
	struct buffer data;
};

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
	struct peers_link *l = handle->data;

	l->events.on_closed(l, l->why, l->events.arg);
	peers_session_free(l->session);
	buffer_fini(&l->in);
	free(l);
}

static void drop(struct peers_link *l, const char *why)
{
	if (l->is_closing)
		return;
	l->is_closing = true;
	snprintf(l->why, sizeof l->why, "%s", why);
	uv_close((uv_handle_t *)&l->tcp, on_closed);
}

void peers_link_close(struct peers_link *l) { drop(l, ""); }

/* --- writing --- */

static size_t unread(const struct peers_link *l)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&l->tcp);
}

static void on_written(uv_write_t *request, int status)
{
	struct writing *w = request->data;

	w->link->taken_ms = clock_monotonic_ms();
	if (status != 0)
		drop(w->link, uv_strerror(status));
	buffer_fini(&w->data);
	free(w);
}

static void flush(struct peers_link *l)
{
	struct writing *w = xcalloc(1, sizeof *w);
	uv_buf_t buf;
	int status;

	w->request.data = w;
	w->link = l;
	peers_session_take_output(l->session, &w->data);
	if (w->data.len == 0 || l->is_closing) {
		buffer_fini(&w->data);
		free(w);
		return;
	}
	if (unread(l) == 0)
		l->taken_ms = clock_monotonic_ms();
	buf = uv_buf_init((char *)w->data.data, (unsigned)w->data.len);
	status = uv_write(&w->request, (uv_stream_t *)&l->tcp, &buf, 1, on_written);
	if (status != 0) {
		buffer_fini(&w->data);
		free(w);
		drop(l, uv_strerror(status));
	} else if (unread(l) > PEERS_MOST_BYTES) {
		drop(l, "it does not read what it is told");
	}
}

void peers_link_send(struct peers_link *l, const struct peers_message *m)
{
	struct buffer frame = {0};

	if (!peers_link_is_open(l))
		return;
	peers_message_print(m, &frame);
	if (peers_session_write(l->session, (struct bytes){frame.data, frame.len}))
		flush(l);
	else
		drop(l, peers_session_error(l->session));
	buffer_fini(&frame);
}

/* --- reading --- */

/* Those of the frames that are whole. */
static void take_frames(struct peers_link *l)
{
	size_t at = 0, len;

	while (!l->is_closing) {
		struct bytes left = {l->in.data + at, l->in.len - at};
		struct peers_message m;

		if (!peers_frame_length(left, &len)) {
			drop(l, "it says what is no message");
			return;
		}
		if (len == 0 || left.len < len)
			break;
		if (!peers_message_parse((struct bytes){left.data, len}, &m)) {
			drop(l, "it says what is no message, or is of another version");
			return;
		}
		at += len;
		l->events.on_message(l, &m, l->events.arg);
	}
	l->in.len -= at;
	memmove(l->in.data, l->in.data + at, l->in.len);
}

static void read_plain(struct peers_link *l)
{
	enum peers_tls_result result;
	uint8_t plain[READ_ROOM];
	size_t len;

	do {
		result = peers_session_read(l->session, plain, sizeof plain, &len);
		if (!l->is_open && peers_session_is_open(l->session)) {
			l->is_open = true;
			flush(l);
			l->events.on_open(l, l->events.arg);
		}
		buffer_put(&l->in, plain, len);
		if (l->in.len > 0)
			take_frames(l);
	} while (result == PEERS_TLS_DATA && !l->is_closing);
	flush(l);
	if (result == PEERS_TLS_BROKEN)
		drop(l, peers_session_error(l->session));
	else if (result == PEERS_TLS_END)
		drop(l, "it has closed the connection");
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct peers_link *l = handle->data;

	(void)wanted;
	*buf = uv_buf_init((char *)l->room, sizeof l->room);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct peers_link *l = stream->data;

	if (l->is_closing || len == 0)
		return;
	if (len < 0) {
		drop(l, len == UV_EOF ? "it has closed the connection" : uv_strerror((int)len));
		return;
	}
	if (l->is_open) /* a long message takes its time */
		l->heard_ms = clock_monotonic_ms();
	l->received += (size_t)len;
	if (l->received > PEERS_MOST_BYTES) {
		drop(l, "it says too much");
		return;
	}
	peers_session_feed(l->session, (struct bytes){(const uint8_t *)buf->base, (size_t)len});
	read_plain(l);
}

void peers_link_look(struct peers_link *l, uint64_t now_ms)
{
	if (now_ms - l->budget_ms >= BUDGET_MS) {
		l->budget_ms = now_ms;
		l->received = 0;
	}
	if (now_ms > l->heard_ms + PEERS_PATIENCE_MS)
		drop(l, l->is_open ? "nothing is heard of it" : "it does not answer");
	else if (unread(l) > 0 && now_ms > l->taken_ms + PEERS_PATIENCE_MS)
		drop(l, "it does not read what it is told");
}

/* --- the beginning --- */

static void begin(struct peers_link *l)
{
	int status = uv_read_start((uv_stream_t *)&l->tcp, on_alloc, on_read);

	(void)uv_tcp_nodelay(&l->tcp, 1);
	if (status != 0)
		drop(l, uv_strerror(status));
	else
		read_plain(l); /* who dials speaks first */
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct peers_link *l = connect->data;

	if (l->is_closing)
		return;
	if (status != 0)
		drop(l, uv_strerror(status));
	else
		begin(l);
}

static struct peers_link *link_new(uv_loop_t *loop, struct peers_tls *tls, bool dials,
                                   const struct peers_link_events *events)
{
	struct peers_link *l = xcalloc(1, sizeof *l);

	CHECK(uv_tcp_init(loop, &l->tcp) == 0);
	l->tcp.data = l->connect.data = l;
	l->events = *events;
	l->dialled = dials;
	l->session = peers_session_new(tls, dials);
	l->heard_ms = l->taken_ms = l->budget_ms = clock_monotonic_ms();
	return l;
}

struct peers_link *peers_link_dial(uv_loop_t *loop, struct peers_tls *tls, const struct addr *addr,
                                   uint16_t port, const struct peers_link_events *events)
{
	struct peers_link *l = link_new(loop, tls, true, events);
	struct sockaddr_storage to;
	int status;

	l->addr = *addr;
	l->port = port;
	addr_to_sockaddr(addr, port, &to);
	status = uv_tcp_connect(&l->connect, &l->tcp, (const struct sockaddr *)&to, on_connect);
	if (status != 0)
		drop(l, uv_strerror(status));
	return l;
}

struct peers_link *peers_link_accept(uv_stream_t *listener, struct peers_tls *tls,
                                     const struct peers_link_events *events)
{
	struct peers_link *l = link_new(listener->loop, tls, false, events);
	struct sockaddr_storage from;
	int len = sizeof from, status = uv_accept(listener, (uv_stream_t *)&l->tcp);

	if (status != 0) {
		drop(l, uv_strerror(status));
		return l;
	}
	if (uv_tcp_getpeername(&l->tcp, (struct sockaddr *)&from, &len) == 0) {
		l->addr = addr_from_sockaddr((const struct sockaddr *)&from, &l->port);
		l->addr = addr_unmapped(&l->addr);
	}
	begin(l);
	return l;
}

bool peers_link_is_open(const struct peers_link *l) { return l->is_open && !l->is_closing; }

bool peers_link_is_closing(const struct peers_link *l) { return l->is_closing; }

bool peers_link_is_busy(const struct peers_link *l) { return unread(l) > PEERS_BUSY_BYTES; }

bool peers_link_is_refused(const struct peers_link *l)
{
	return peers_session_error(l->session)[0] != '\0';
}

void peers_link_print(const struct peers_link *l, uint8_t out[PEERS_TLS_PRINT])
{
	peers_session_print(l->session, out);
}

bool peers_link_dialled(const struct peers_link *l) { return l->dialled; }

const struct addr *peers_link_addr(const struct peers_link *l) { return &l->addr; }

uint16_t peers_link_port(const struct peers_link *l) { return l->port; }
