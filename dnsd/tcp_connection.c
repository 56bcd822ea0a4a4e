/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/proxy.h"
#include "dnsd/tcp_inside.h"

enum { LAST_CALL_MS = 100 }; /* for who asks without end */

struct waiting {
	uv_write_t request;
	size_t len;
	uint8_t data[];
};

/* --- turns --- */

/* A handshake costs as much as many answers, and so it counts. */
static void spend_handshake(struct tcp *t)
{
	t->answers_left -= t->answers_left < TCP_HANDSHAKE_COST ? t->answers_left
	                                                        : (unsigned)TCP_HANDSHAKE_COST;
}

static void stand_in_line(struct connection *c)
{
	struct tcp *t = c->tcp;

	(void)uv_read_stop((uv_stream_t *)&c->handle);
	if (c->in_line)
		return;
	tcp_count(t, STATS_TCP_WAITED, 1);
	c->in_line = true;
	c->before = t->last;
	c->behind = NULL;
	if (t->last != NULL)
		t->last->behind = c;
	else
		t->first = c;
	t->last = c;
	CHECK(uv_idle_start(&t->turn, tcp_take_turn) == 0);
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

void tcp_take_turn(uv_idle_t *turn)
{
	struct tcp *t = turn->data;

	t->answers_left = TCP_TURN_ANSWERS;
	t->bytes_left = TCP_TURN_BYTES;
	while (t->first != NULL && tcp_has_turn(t)) {
		struct connection *c = t->first;

		leave_line(c);
		tcp_connection_go_on(c);
	}
	if (t->stop_at != 0 && !t->is_ending) {
		if (is_last_call_over(t))
			tcp_begin_end(t);
	} else if (t->first == NULL) {
		CHECK(uv_idle_stop(turn) == 0);
	}
}

/* --- the list of connections --- */

void tcp_connection_put(struct connection *c)
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
void tcp_connection_touch(struct connection *c)
{
	c->active_at = uv_now(c->tcp->loop);
	if (c->prev != NULL) {
		take_out(c);
		tcp_connection_put(c);
	}
}

static void note_active(struct connection *c)
{
	c->queries++;
	tcp_connection_touch(c);
}

/* --- the end of a connection --- */

static void on_connection_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	tls_stream_free(c->tls);
	free(c->pending);
	free(c);
}

/* close_notify, or the alert that says what was wrong: if it can go at once. */
static void say_goodbye(struct connection *c)
{
	struct bytes last;

	if (!c->is_open)
		tcp_count(c->tcp, STATS_TLS_FAILED, 1);
	if (c->unsent > 0)
		return;
	tls_stream_end(c->tls);
	last = tls_stream_output(c->tls);
	if (last.len > 0) {
		uv_buf_t buf = uv_buf_init((char *)(uintptr_t)last.data, (unsigned)last.len);

		(void)uv_try_write((uv_stream_t *)&c->handle, &buf, 1);
	}
}

void tcp_connection_close(struct connection *c)
{
	struct tcp *t = c->tcp;

	if (uv_is_closing((uv_handle_t *)&c->handle))
		return;
	if (c->tls != NULL)
		say_goodbye(c);
	take_out(c);
	quota_leave(t->quota);
	if (c->network.family != ADDR_NONE)
		quota_leave_network(t->quota, &c->network);
	leave_line(c);
	tcp_transfer_forget(c);
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
		tcp_count(c->tcp, STATS_UNSENT, 1);
	if (uv_is_closing((uv_handle_t *)&c->handle))
		return;
	if (status < 0) {
		tcp_connection_close(c);
		return;
	}
	c->write_at = c->unsent > 0 ? uv_now(c->tcp->loop) : 0;
	if (c->unsent == 0)
		tcp_connection_go_on(c);
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
		tcp_connection_close(c);
		return;
	}
	if (c->unsent == 0)
		c->write_at = uv_now(c->tcp->loop);
	c->unsent += len;
}

static void send_bytes(struct connection *c, const uint8_t *data, size_t len)
{
	size_t sent = 0;

	if (len == 0 || uv_is_closing((uv_handle_t *)&c->handle))
		return;
	if (c->unsent == 0) {
		uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
		int n = uv_try_write((uv_stream_t *)&c->handle, &buf, 1);

		if (n < 0 && n != UV_EAGAIN) {
			tcp_count(c->tcp, STATS_UNSENT, 1);
			tcp_connection_close(c);
			return;
		}
		sent = n > 0 ? (size_t)n : 0;
	}
	if (sent < len)
		wait_to_send(c, data + sent, len - sent);
}

/* What TLS has for the wire: answers, and what it says itself. */
static void send_sealed(struct connection *c)
{
	struct bytes sealed = tls_stream_output(c->tls);

	if (sealed.len == 0)
		return;
	send_bytes(c, sealed.data, sealed.len);
	tls_stream_sent(c->tls);
}

void tcp_connection_send(struct connection *c, const uint8_t *data, size_t len)
{
	if (c->tls == NULL) {
		send_bytes(c, data, len);
		return;
	}
	if (len == 0 || uv_is_closing((uv_handle_t *)&c->handle))
		return;
	if (tls_stream_write(c->tls, data, len))
		send_sealed(c);
	else
		tcp_connection_close(c);
}

/* --- queries in --- */

static bool may_answer(const struct connection *c)
{
	return tcp_has_turn(c->tcp) && !tcp_is_paused(c) && !c->awaits_header &&
	       !tcp_transfer_is_full(c) && c->queries < c->tcp->limits.max_queries &&
	       !uv_is_closing((const uv_handle_t *)&c->handle);
}

/* A message that no longer fits the record, of what was gathered before it, begins the next: what came before is sent.
 * Returns where it stands now. */
static size_t begin_record(struct connection *c, size_t gathered, size_t len)
{
	struct tcp *t = c->tcp;

	tcp_connection_send(c, t->out, gathered);
	memmove(t->out, t->out + gathered, len);
	return 0;
}

/* Answers the whole messages at `data`; returns how many bytes they took.  A client that does
 * not read makes it stop early, and so does the end of the turn. */
static size_t answer_messages(struct connection *c, const uint8_t *data, size_t len)
{
	struct tcp *t = c->tcp;
	const struct snapshot *s = reader_take(t->reader);
	enum stats_transport transport = c->tls == NULL ? STATS_TCP : STATS_TLS;
	size_t used = 0, gathered = 0;

	t->responder->bars_transfers = c->bars_transfers;
	while (len - used >= 2 && may_answer(c)) {
		size_t message = bytes_get16(data + used), answer;

		if (message > TCP_MAX_QUERY) {
			tcp_count(t, STATS_TCP_OVERSIZE, 1);
			tcp_connection_send(c, t->out, gathered);
			gathered = 0;
			tcp_connection_close(c);
			break;
		}
		if (len - used - 2 < message)
			break;
		answer = respond(t->responder, s, transport, &c->client, data + used + 2, message,
		                 t->out + gathered + 2);
		used += 2 + message;
		if (answer == 0 && t->responder->wants_transfer) {
			tcp_connection_send(c, t->out, gathered);
			gathered = 0;
			note_active(c);
			tcp_transfer_begin(c);
			continue;
		}
		if (answer == 0) {
			/* No query: who sends such things is not kept waiting for (RFC 7766 6.2.3). */
			tcp_connection_send(c, t->out, gathered);
			gathered = 0;
			tcp_connection_close(c);
			break;
		}
		note_active(c);
		tcp_spend(t, answer);
		/* RFC 7766 8: length and message in one segment. */
		bytes_put16(t->out + gathered, (uint16_t)answer);
		if (transport == STATS_TLS && gathered + 2 + answer > TLS_RECORD)
			gathered = begin_record(c, gathered, 2 + answer);
		gathered += 2 + answer;
		if (gathered > TCP_GATHER) {
			tcp_connection_send(c, t->out, gathered);
			gathered = 0;
		}
	}
	reader_rest(t->reader);
	tcp_connection_send(c, t->out, gathered);
	return used;
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)c->tcp->chunk, TCP_CHUNK);
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

static void note_open(struct connection *c)
{
	struct tcp *t = c->tcp;

	c->is_open = true;
	c->bars_transfers = !tls_stream_is_for_transfers(c->tls);
	c->active_at = uv_now(t->loop);
	tcp_count(t, STATS_TLS_OPENED, 1);
	if (tls_stream_is_resumed(c->tls))
		tcp_count(t, STATS_TLS_RESUMED, 1);
}

/* As much as has come, so that what was sent in many records is answered in few. */
static enum tls_result gather_plain(struct connection *c, size_t *len)
{
	struct tcp *t = c->tcp;
	enum tls_result result;

	*len = 0;
	do {
		size_t got;

		result = tls_stream_read(c->tls, t->plain + *len, sizeof t->plain - *len, &got);
		*len += got;
	} while (result == TLS_DATA && *len < sizeof t->plain);
	return result;
}

/* Takes what can be read of a TLS stream, while the turn lasts and the client reads. */
static void unseal(struct connection *c)
{
	struct tcp *t = c->tcp;
	enum tls_result result = TLS_DATA;

	while (result == TLS_DATA && may_answer(c)) {
		size_t len;

		if (!c->is_open)
			spend_handshake(t);
		result = gather_plain(c, &len);
		if (!c->is_open && tls_stream_is_open(c->tls))
			note_open(c);
		send_sealed(c);
		if (len > 0)
			take(c, t->plain, len);
	}
	c->has_sealed &= result == TLS_DATA;
	if (result == TLS_BROKEN)
		tcp_connection_close(c);
	c->ended |= result == TLS_END;
}

bool tcp_connection_admit(struct connection *c)
{
	struct addr network = tcp_network(&c->client);

	if (rrl_exempts(c->tcp->responder->limits, &c->client))
		return true;
	if (quota_enter_network(c->tcp->quota, &network)) {
		c->network = network;
		return true;
	}
	tcp_count(c->tcp, STATS_TCP_REFUSED, 1);
	tcp_connection_close(c);
	return false;
}

/* The header is whole: who asks is known, and the stream begins behind it. */
static void begin_behind(struct connection *c, const struct proxy *header)
{
	size_t rest = c->pending_len - header->len;

	c->awaits_header = false;
	tcp_count(c->tcp, STATS_TCP_PROXIED, 1);
	if (header->client.family != ADDR_NONE)
		c->client = header->client;
	if (!tcp_connection_admit(c))
		return;
	if (c->tls != NULL) {
		tls_stream_feed(c->tls, c->pending + header->len, rest);
		c->has_sealed = true;
		rest = 0;
	}
	memmove(c->pending, c->pending + header->len, rest);
	c->pending_len = rest;
	answer_kept(c);
	if (c->tls != NULL)
		unseal(c);
}

/* A listed proxy says first who asks; who does not is not listened to. */
static void take_header(struct connection *c, const uint8_t *data, size_t len)
{
	struct proxy header;

	keep(c, data, len);
	switch (proxy_parse(c->pending, c->pending_len, &header)) {
	case PROXY_MORE:
		return;
	case PROXY_BROKEN:
		tcp_count(c->tcp, STATS_TCP_PROXY_BROKEN, 1);
		tcp_connection_close(c);
		return;
	case PROXY_WHOLE:
		begin_behind(c, &header);
		return;
	}
}

/* While a zone is sent, what is asked behind it is heard as well (RFC 7766 6.2.1.1): as much as is kept anyway. */
static bool may_read_in_line(const struct connection *c)
{
	return c->transfer != NULL && !c->ended && !c->tcp->is_ending && !c->has_sealed &&
	       c->pending_len < 2 + TCP_MAX_QUERY && !tcp_transfer_is_full(c);
}

static void wait_for_turn(struct connection *c)
{
	stand_in_line(c);
	if (may_read_in_line(c))
		(void)uv_read_start((uv_stream_t *)&c->handle, give_chunk, on_read);
}

/* Reading, waiting for the client to read, for a turn, or the end, when nothing is left to do. */
static void go_on(struct connection *c)
{
	uv_stream_t *stream = (uv_stream_t *)&c->handle;
	struct tcp *t = c->tcp;
	bool was_full = tcp_transfer_is_full(c), is_full;

	tcp_transfer_send(c, UINT_MAX);
	if (uv_is_closing((uv_handle_t *)stream))
		return;
	c->ended |= c->queries >= t->limits.max_queries;
	is_full = tcp_transfer_is_full(c);
	if (tcp_is_paused(c) || c->ended || is_full)
		(void)uv_read_stop(stream);
	if (tcp_is_paused(c))
		return;
	if (!tcp_has_turn(t) || (was_full && !is_full))
		wait_for_turn(c);
	else if (c->unsent == 0 && c->asked == NULL && (c->ended || t->is_ending))
		tcp_connection_close(c);
	else if (!c->ended && !t->is_ending && !is_full)
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
		if (count != UV_EOF)
			tcp_connection_close(c);
		else if (!c->in_line)
			go_on(c);
		return;
	}
	if (c->awaits_header) {
		take_header(c, (const uint8_t *)buf->base, (size_t)count);
	} else if (c->tls == NULL) {
		take(c, (const uint8_t *)buf->base, (size_t)count);
	} else {
		tls_stream_feed(c->tls, (const uint8_t *)buf->base, (size_t)count);
		c->has_sealed = true;
		unseal(c);
	}
	go_on(c);
}

void tcp_connection_go_on(struct connection *c)
{
	c->tcp->was_busy = true;
	/* Neither a zone nor questions keep the others waiting. */
	tcp_transfer_send(c, 1);
	answer_kept(c);
	if (c->tls != NULL)
		unseal(c);
	go_on(c);
}

void tcp_connection_start(struct connection *c)
{
	(void)uv_read_start((uv_stream_t *)&c->handle, give_chunk, on_read);
}
