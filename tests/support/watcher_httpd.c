/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_httpd.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/watcher_certificates.h"

enum { TURN_MS = 20, HEAD_MOST = 65536, SEND_MS = 2000 };

struct httpd {
	struct httpd_settings is;
	int fd;
	uint16_t port;
	SSL_CTX *tls;
	pthread_t thread;
	atomic_bool stopping;
	pthread_mutex_t lock; /* of what follows */
	struct text request;
	struct text sni;
	size_t connections;
};

/* One connection, plain or not. */
struct conn {
	struct httpd *server;
	int fd;
	SSL *ssl;
	struct text seen; /* of gRPC */
	struct text body;
	bool ended;
	size_t told;
};

/* --- bytes --- */

static bool wait_for(struct conn *c, short events)
{
	struct pollfd p = {.fd = c->fd, .events = events};

	while (!atomic_load(&c->server->stopping)) {
		if (c->ssl && events == POLLIN && SSL_pending(c->ssl) > 0)
			return true;
		if (poll(&p, 1, TURN_MS) != 0)
			return true;
	}
	return false;
}

/* 0: the end. */
static size_t conn_read(struct conn *c, void *out, size_t room)
{
	ssize_t n;

	if (!wait_for(c, POLLIN))
		return 0;
	n = c->ssl ? SSL_read(c->ssl, out, (int)room) : recv(c->fd, out, room, 0);
	return n > 0 ? (size_t)n : 0;
}

static bool conn_write(struct conn *c, const void *data, size_t len)
{
	ssize_t n =
		c->ssl ? SSL_write(c->ssl, data, (int)len) : send(c->fd, data, len, MSG_NOSIGNAL);

	return n == (ssize_t)len;
}

/* --- HTTP/1.1 --- */

static bool read_head(struct conn *c, struct text *head)
{
	char part[4096];
	size_t n;

	while (head->len < HEAD_MOST && (!head->data || !strstr(head->data, "\r\n\r\n"))) {
		n = conn_read(c, part, sizeof part);
		if (n == 0)
			return false;
		text_add_bytes(head, (struct bytes){(const uint8_t *)part, n});
	}
	return true;
}

static void remember(struct httpd *d, const char *request)
{
	pthread_mutex_lock(&d->lock);
	text_reset(&d->request);
	text_add(&d->request, request);
	pthread_mutex_unlock(&d->lock);
}

static void serve_http1(struct conn *c)
{
	const struct httpd_settings *is = &c->server->is;
	struct text head = {0};
	char byte;

	if (read_head(c, &head)) {
		remember(c->server, head.data);
		if (is->answer && conn_write(c, is->answer, strlen(is->answer)))
			while (is->flood && !atomic_load(&c->server->stopping) &&
			       conn_write(c, is->flood, strlen(is->flood)))
				;
		if (!is->answer)
			(void)conn_read(c, &byte, 1);
	}
	text_fini(&head);
}

/* --- gRPC --- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t len, int flags,
                       void *arg)
{
	(void)session;
	(void)flags;
	return conn_write(arg, data, len) ? (ssize_t)len : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
	static const char *const wanted[] = {":path", ":authority", "content-type", "te"};
	struct conn *c = arg;

	(void)session;
	(void)frame;
	(void)flags;
	for (size_t i = 0; i < 4; i++)
		if (bytes_equal_text((struct bytes){name, name_len}, wanted[i]))
			text_printf(&c->seen, "%s=%.*s ", wanted[i], (int)value_len, value);
	return 0;
}

static int on_chunk(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                    size_t len, void *arg)
{
	struct conn *c = arg;

	(void)session;
	(void)flags;
	(void)stream;
	for (size_t i = 0; i < len; i++)
		text_printf(&c->seen, "%02x", data[i]);
	return 0;
}

static ssize_t give_body(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct conn *c = arg;
	uint8_t serving = c->server->is.serving;
	const uint8_t message[] = {0, 0, 0, 0, serving ? 2 : 0, 8, serving};
	const char *status = c->server->is.grpc_status ? c->server->is.grpc_status : "0";
	nghttp2_nv trailer = {(uint8_t *)(uintptr_t) "grpc-status", (uint8_t *)(uintptr_t)status,
	                      11, strlen(status), 0};
	size_t len = serving ? 7 : 5;

	(void)source;
	CHECK(room >= len);
	memcpy(out, message, len);
	*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
	CHECK(nghttp2_submit_trailer(session, stream, &trailer, 1) == 0);
	return (ssize_t)len;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct conn *c = arg;
	nghttp2_data_provider provider = {.read_callback = give_body};
	nghttp2_nv headers[] = {
		{(uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t) "200", 7, 3, 0},
		{(uint8_t *)(uintptr_t) "content-type", (uint8_t *)(uintptr_t) "application/grpc",
	         12, 16, 0}};

	if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) || frame->hd.stream_id == 0)
		return 0;
	remember(c->server, c->seen.data ? c->seen.data : "");
	CHECK(nghttp2_submit_response(session, frame->hd.stream_id, headers, 2, &provider) == 0);
	return 0;
}

static void serve_grpc(struct conn *c)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_session *session;
	uint8_t part[4096];
	size_t n;

	CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
	nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_chunk);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	CHECK(nghttp2_session_server_new(&session, callbacks, c) == 0);
	CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0) == 0);
	while (nghttp2_session_send(session) == 0 && (n = conn_read(c, part, sizeof part)) > 0)
		if (nghttp2_session_mem_recv(session, part, n) < 0)
			break;
	nghttp2_session_del(session);
	nghttp2_session_callbacks_del(callbacks);
	text_fini(&c->seen);
}

/* --- the server --- */

static bool begin_tls(struct conn *c)
{
	const char *name;

	c->ssl = SSL_new(c->server->tls);
	CHECK(c->ssl && SSL_set_fd(c->ssl, c->fd) == 1);
	if (SSL_accept(c->ssl) != 1) {
		ERR_clear_error();
		return false;
	}
	name = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
	pthread_mutex_lock(&c->server->lock);
	text_reset(&c->server->sni);
	text_add(&c->server->sni, name ? name : "");
	pthread_mutex_unlock(&c->server->lock);
	return true;
}

static void serve(struct httpd *d, int fd)
{
	struct timeval most = {.tv_sec = SEND_MS / 1000};
	int on = 1;
	struct conn c = {.server = d, .fd = fd};

	pthread_mutex_lock(&d->lock);
	d->connections++;
	pthread_mutex_unlock(&d->lock);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
	if (!d->tls || begin_tls(&c)) {
		if (d->is.is_grpc)
			serve_grpc(&c);
		else
			serve_http1(&c);
	}
	if (c.ssl) {
		SSL_shutdown(c.ssl);
		ERR_clear_error();
		SSL_free(c.ssl);
	}
	close(fd);
}

static void *run(void *arg)
{
	struct httpd *d = arg;
	struct pollfd p = {.fd = d->fd, .events = POLLIN};

	while (!atomic_load(&d->stopping)) {
		int fd = poll(&p, 1, TURN_MS) > 0 ? accept4(d->fd, NULL, NULL, SOCK_CLOEXEC) : -1;

		if (fd >= 0)
			serve(d, fd);
	}
	return NULL;
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                     const unsigned char *offered, unsigned len, void *arg)
{
	static const unsigned char h2[] = "\x02h2";

	(void)ssl;
	(void)arg;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, h2, 3, offered,
	                             len) == OPENSSL_NPN_NEGOTIATED
	               ? SSL_TLSEXT_ERR_OK
	               : SSL_TLSEXT_ERR_NOACK;
}

static void begin_listening(struct httpd *d)
{
	struct sockaddr_storage to;
	socklen_t len = sizeof to;
	struct addr addr;

	CHECK(addr_parse(bytes_of(d->is.address ? d->is.address : "127.0.0.1"), &addr));
	len = addr_to_sockaddr(&addr, 0, &to);
	d->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(d->fd >= 0 && bind(d->fd, (struct sockaddr *)&to, len) == 0);
	CHECK(listen(d->fd, 4096) == 0);
	len = sizeof to;
	CHECK(getsockname(d->fd, (struct sockaddr *)&to, &len) == 0);
	(void)addr_from_sockaddr((struct sockaddr *)&to, &d->port);
}

struct httpd *httpd_start(const struct httpd_settings *settings, const char *dir)
{
	struct httpd *d = xcalloc(1, sizeof *d);

	signal(SIGPIPE, SIG_IGN);
	d->is = *settings;
	begin_listening(d);
	if (settings->has_tls) {
		d->tls = certificates_context(dir, settings->expired, settings->asks_client);
		if (settings->is_grpc)
			SSL_CTX_set_alpn_select_cb(d->tls, choose_h2, NULL);
	}
	CHECK(pthread_mutex_init(&d->lock, NULL) == 0);
	CHECK(pthread_create(&d->thread, NULL, run, d) == 0);
	return d;
}

uint16_t httpd_port(const struct httpd *d) { return d->port; }

static char *copy(struct httpd *d, const struct text *t)
{
	char *text;

	pthread_mutex_lock(&d->lock);
	text = xstrdup(t->data ? t->data : "");
	pthread_mutex_unlock(&d->lock);
	return text;
}

char *httpd_request(struct httpd *d) { return copy(d, &d->request); }
char *httpd_sni(struct httpd *d) { return copy(d, &d->sni); }

size_t httpd_connections(struct httpd *d)
{
	size_t count;

	pthread_mutex_lock(&d->lock);
	count = d->connections;
	pthread_mutex_unlock(&d->lock);
	return count;
}

void httpd_stop(struct httpd *d)
{
	atomic_store(&d->stopping, true);
	CHECK(pthread_join(d->thread, NULL) == 0);
	pthread_mutex_destroy(&d->lock);
	close(d->fd);
	SSL_CTX_free(d->tls);
	text_fini(&d->request);
	text_fini(&d->sni);
	free(d);
}
