/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"

enum { STREAMS_USUAL = 250, HEADERS_MOST = 32, RESET_AFTER_MS = 20 };

/* --- requests --- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		nghttp2_session_set_stream_user_data(session, frame->hd.stream_id,
		                                     stream_new(arg, frame->hd.stream_id));
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	struct bytes n = {name, name_len};
	char **to = NULL;

	(void)flags;
	(void)arg;
	if (!s || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (bytes_equal_text(n, ":method"))
		to = &s->request.method;
	else if (bytes_equal_text(n, ":path"))
		to = &s->request.raw;
	else if (bytes_equal_text(n, "authorization"))
		to = &s->request.authorization;
	else if (bytes_equal_text(n, "accept"))
		to = &s->request.accept;
	else if (bytes_equal_text(n, "content-type"))
		to = &s->request.content_type;
	else if (bytes_equal_text(n, "accept-encoding"))
		s->request.accepts_gzip = memmem(value, value_len, "gzip", 4) != NULL;
	if (to) {
		free(*to);
		*to = xstrndup((const char *)value, value_len);
	}
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(session, id);

	(void)flags;
	(void)arg;
	if (s && s->phase == STREAM_READING)
		text_add_bytes(&s->request.body, (struct bytes){data, len});
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)arg;
	if (s && s->phase == STREAM_READING && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) &&
	    (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
		serve_request(s);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(session, id);

	(void)code;
	(void)arg;
	if (s)
		stream_free(s);
	return 0;
}

void h2_open(struct conn *c)
{
	const struct fakeapi_options *o = &c->f->options;
	nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, o->streams ? o->streams : STREAMS_USUAL}};
	nghttp2_session_callbacks *callbacks;

	c->protocol = PROTOCOL_HTTP2;
	c->f->http2_ever++;
	CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	CHECK(nghttp2_session_server_new(&c->h2, callbacks, c) == 0);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(c->h2, NGHTTP2_FLAG_NONE, settings, 1);
}

void h2_read(struct conn *c, const uint8_t *data, size_t len)
{
	if (nghttp2_session_mem_recv(c->h2, data, len) < 0)
		conn_end(c, FAKEAPI_CUT_CLOSE);
}

/* --- answers --- */

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct stream *s = source->ptr;
	size_t len = 0;

	(void)session;
	(void)id;
	(void)arg;
	switch (stream_pull(s, to, room, &len)) {
	case PULL_DATA:
		break;
	case PULL_END:
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		break;
	case PULL_CUT:
		s->cut_now = s->conn->busy = true;
		s->reset_at_ms = clock_monotonic_ms() + RESET_AFTER_MS;
		return NGHTTP2_ERR_DEFERRED;
	case PULL_WAIT:
		s->deferred = s->conn->busy = true; /* asked again for its time */
		return NGHTTP2_ERR_DEFERRED;
	}
	return (ssize_t)len;
}

static nghttp2_nv header_of(const char *name, size_t name_len, const char *value, size_t value_len)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, name_len,
	                    value_len, NGHTTP2_NV_FLAG_NONE};
}

void h2_begin(struct stream *s)
{
	nghttp2_nv headers[HEADERS_MOST];
	nghttp2_data_provider body = {.source = {.ptr = s}, .read_callback = read_body};
	char status[16];
	size_t count = 0;

	snprintf(status, sizeof(status), "%d", s->status);
	headers[count++] = header_of(":status", 7, status, strlen(status));
	for (char *p = s->headers.data, *end; *p && count < HEADERS_MOST;
	     p = end + (*end == '\n')) {
		char *colon = strchr(p, ':');
		const char *value;

		end = p + strcspn(p, "\n");
		if (!colon || colon > end)
			continue;
		for (char *q = p; q < colon; q++)
			*q = (char)tolower((unsigned char)*q);
		value = colon + 1 + strspn(colon + 1, " ");
		headers[count++] = header_of(p, (size_t)(colon - p), value, (size_t)(end - value));
	}
	nghttp2_submit_response(s->conn->h2, s->id, headers, count, &body);
}

void h2_resume(struct stream *s)
{
	s->deferred = false;
	nghttp2_session_resume_data(s->conn->h2, s->id);
}

/* What its streams have come to; true: there is more to send. */
static bool cut_streams(struct conn *c)
{
	bool more = false;

	for (struct stream *s = c->streams; s; s = s->next) {
		if (!s->cut_now)
			continue;
		if (s->cut_how != FAKEAPI_CUT_STREAM) {
			conn_end(c, s->cut_how);
			return false;
		}
		if (clock_monotonic_ms() < s->reset_at_ms)
			continue;
		s->cut_now = false;
		s->cut_at = UINT64_MAX;
		s->hushed = true;
		nghttp2_submit_rst_stream(c->h2, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_INTERNAL_ERROR);
		more = true;
	}
	return more;
}

void h2_fill(struct conn *c)
{
	const uint8_t *data;
	ssize_t len;

	do {
		while (conn_waiting(c) < OUT_FULL &&
		       (len = nghttp2_session_mem_send(c->h2, &data)) > 0)
			buffer_put(&c->out, data, (size_t)len);
	} while (!c->ends && cut_streams(c));
	if (!c->ends && !nghttp2_session_want_read(c->h2) && !nghttp2_session_want_write(c->h2))
		conn_end(c, FAKEAPI_CUT_CLOSE);
}

void h2_goaway(struct conn *c)
{
	nghttp2_submit_goaway(c->h2, NGHTTP2_FLAG_NONE,
	                      nghttp2_session_get_last_proc_stream_id(c->h2), NGHTTP2_NO_ERROR,
	                      NULL, 0);
}
