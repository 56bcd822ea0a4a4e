/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { HEAD_MOST = 64 * 1024 };

/* --- requests --- */

/* The value of a header of the head's text, which the caller frees; NULL: none. */
static char *header_get(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = strstr(head, "\r\n"); p; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, len) != 0 || p[len] != ':')
			continue;
		p += len + 1;
		p += strspn(p, " \t");
		return xstrndup(p, strcspn(p, "\r"));
	}
	return NULL;
}

static void consume(struct buffer *b, size_t len)
{
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
}

/* One whole request, of `len` bytes with its body; the head ends in a NUL. */
static void take_request(struct conn *c, const char *head, struct text *body)
{
	struct stream *s = stream_new(c, 0);
	const char *space = strchr(head, ' '), *line_end = strstr(head, "\r\n"), *second;
	char *encodings = header_get(head, "accept-encoding");
	char *connection = header_get(head, "connection");

	second = space ? strchr(space + 1, ' ') : NULL;
	if (!second || second > line_end) {
		free(encodings);
		free(connection);
		conn_end(c, FAKEAPI_CUT_CLOSE);
		return;
	}
	s->request.method = xstrndup(head, (size_t)(space - head));
	s->request.raw = xstrndup(space + 1, (size_t)(second - space) - 1);
	s->request.authorization = header_get(head, "authorization");
	s->request.accept = header_get(head, "accept");
	s->request.content_type = header_get(head, "content-type");
	s->request.accepts_gzip = encodings && strstr(encodings, "gzip");
	s->closes = connection && strcasecmp(connection, "close") == 0;
	free(encodings);
	free(connection);
	s->request.body = *body;
	*body = (struct text){0};
	serve_request(s);
}

void h1_read(struct conn *c)
{
	while (!c->streams && !c->ends && c->in.len > 0) {
		uint8_t *end = memmem(c->in.data, c->in.len, "\r\n\r\n", 4);
		size_t head_len = end ? (size_t)(end - c->in.data) + 4 : 0, body_len;
		char *head, *length;

		if (!end && c->in.len > HEAD_MOST)
			conn_end(c, FAKEAPI_CUT_CLOSE);
		if (!end)
			return;
		head = xstrndup((const char *)c->in.data, head_len);
		length = header_get(head, "content-length");
		body_len = length ? strtoul(length, NULL, 10) : 0;
		free(length);
		if (c->in.len - head_len >= body_len) {
			struct text body = {0};

			text_add_bytes(&body, (struct bytes){c->in.data + head_len, body_len});
			consume(&c->in, head_len + body_len);
			take_request(c, head, &body);
			text_fini(&body);
			body_len = 0;
		}
		free(head);
		if (body_len > 0)
			return;
	}
}

/* --- answers --- */

static void put_text(struct conn *c, const char *text) { buffer_put(&c->out, text, strlen(text)); }

void h1_begin(struct stream *s)
{
	struct conn *c = s->conn;
	char line[64];

	snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\n", s->status,
	         s->status == 200 ? "OK" : "As Told");
	put_text(c, line);
	for (const char *p = s->headers.data, *end; *p; p = end + (*end == '\n')) {
		end = p + strcspn(p, "\n");
		buffer_put(&c->out, p, (size_t)(end - p));
		put_text(c, "\r\n");
	}
	put_text(c, s->has_length ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
}

static void put_piece(struct stream *s, const uint8_t *data, size_t len)
{
	char line[32];

	if (!s->has_length) {
		snprintf(line, sizeof(line), "%zx\r\n", len);
		put_text(s->conn, line);
	}
	buffer_put(&s->conn->out, data, len);
	if (!s->has_length)
		put_text(s->conn, "\r\n");
}

void h1_fill(struct conn *c)
{
	uint8_t piece[16384];
	size_t len;

	while (conn_waiting(c) < OUT_FULL && !c->ends && c->streams &&
	       c->streams->phase == STREAM_ANSWERING && !c->streams->deferred) {
		struct stream *s = c->streams;

		switch (stream_pull(s, piece, sizeof(piece), &len)) {
		case PULL_DATA:
			put_piece(s, piece, len);
			break;
		case PULL_WAIT:
			s->deferred = c->busy = true; /* asked again for its time */
			return;
		case PULL_CUT:
			conn_end(c, s->cut_how);
			return;
		case PULL_END:
			if (!s->has_length)
				put_text(c, "0\r\n\r\n");
			if (s->closes)
				conn_end(c, FAKEAPI_CUT_CLOSE);
			stream_free(s);
			h1_read(c);
			break;
		}
	}
}
