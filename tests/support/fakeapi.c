/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/support/world_inside.h"

enum { READ_ROUNDS = 8, WRITE_ROUNDS = 8, ORDER_MS = 10000 };

/* --- the lock --- */

void fake_lock(struct fakeapi *f)
{
	pthread_mutex_lock(&f->gate);
	pthread_mutex_lock(&f->lock);
	pthread_mutex_unlock(&f->gate);
}

void fake_unlock(struct fakeapi *f) { pthread_mutex_unlock(&f->lock); }

void fake_wake(struct fakeapi *f)
{
	uint64_t one = 1;

	CHECK(write(f->wake_fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

/* --- connections --- */

void conn_end(struct conn *c, enum fakeapi_cut how)
{
	c->ends = true;
	c->end_how = how;
}

static void conn_new(struct fakeapi *f, int fd)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->f = f;
	c->fd = fd;
	c->shaken = f->options.plain;
	c->ssl = f->options.plain ? NULL : tls_accept(f->tls, fd);
	c->next = f->conns;
	f->conns = c;
	f->conn_count++;
	f->conns_ever++;
}

static void conn_free(struct conn *c)
{
	if (c->end_how == FAKEAPI_CUT_RESET) {
		struct linger none = {.l_onoff = 1};

		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	}
	while (c->streams)
		stream_free(c->streams);
	nghttp2_session_del(c->h2);
	SSL_free(c->ssl);
	close(c->fd);
	buffer_fini(&c->in);
	buffer_fini(&c->out);
	free(c);
}

/* Bytes read; 0: none now, or it has ended. */
static size_t receive(struct conn *c, uint8_t *to, size_t room)
{
	ssize_t n;

	if (!c->ssl) {
		n = recv(c->fd, to, room, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			c->dead = true;
		return n > 0 ? (size_t)n : 0;
	}
	ERR_clear_error();
	n = SSL_read(c->ssl, to, (int)room);
	if (n <= 0 && SSL_get_error(c->ssl, (int)n) != SSL_ERROR_WANT_READ)
		c->dead = true;
	return n > 0 ? (size_t)n : 0;
}

static size_t transmit(struct conn *c, const uint8_t *data, size_t len)
{
	ssize_t n;

	if (!c->ssl) {
		n = send(c->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			c->dead = true;
	} else {
		int why;

		ERR_clear_error();
		n = SSL_write(c->ssl, data, len < OUT_FULL ? (int)len : OUT_FULL);
		why = n > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, (int)n);
		if (n <= 0 && why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ)
			c->dead = true;
	}
	c->wants_write = n <= 0;
	return n > 0 ? (size_t)n : 0;
}

/* The handshake, as far as it goes. */
static void shake(struct conn *c)
{
	const unsigned char *name = NULL;
	unsigned len = 0;
	int result, why;

	ERR_clear_error();
	result = SSL_do_handshake(c->ssl);
	why = result == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, result);
	c->wants_write = why == SSL_ERROR_WANT_WRITE;
	if (result != 1) {
		c->dead = why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
		return;
	}
	c->shaken = true;
	SSL_get0_alpn_selected(c->ssl, &name, &len);
	if (len == 2 && memcmp(name, "h2", 2) == 0)
		h2_open(c);
	else
		c->protocol = PROTOCOL_HTTP1;
}

static void take(struct conn *c, const uint8_t *data, size_t len)
{
	static const char preface[] = "PRI ";

	if (c->protocol == PROTOCOL_HTTP2) {
		h2_read(c, data, len);
		return;
	}
	buffer_put(&c->in, data, len);
	if (c->protocol == PROTOCOL_UNKNOWN && c->in.len >= 4) {
		if (memcmp(c->in.data, preface, 4) == 0 && !c->f->options.http1) {
			h2_open(c);
			h2_read(c, c->in.data, c->in.len);
			buffer_reset(&c->in);
			return;
		}
		c->protocol = PROTOCOL_HTTP1;
	}
	if (c->protocol == PROTOCOL_HTTP1)
		h1_read(c);
}

static void conn_read(struct conn *c)
{
	uint8_t piece[16384];
	size_t len;

	if (c->lingers) {
		ssize_t n = recv(c->fd, piece, sizeof(piece), 0);

		c->dead = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
		return;
	}
	if (!c->shaken)
		shake(c);
	for (int i = 0; i < READ_ROUNDS && c->shaken && !c->dead && !c->ends; i++) {
		len = receive(c, piece, sizeof(piece));
		if (len == 0)
			return;
		take(c, piece, len);
	}
	c->busy = c->shaken && !c->dead && !c->ends; /* TLS may hold more than the socket shows */
}

static void conn_fill(struct conn *c)
{
	if (c->protocol == PROTOCOL_HTTP2)
		h2_fill(c);
	else if (c->protocol == PROTOCOL_HTTP1)
		h1_fill(c);
}

/* An end that loses nothing: what the client still sends must be read, or it would be a reset. */
static void say_goodbye(struct conn *c)
{
	c->dead = c->end_how == FAKEAPI_CUT_RESET || shutdown(c->fd, SHUT_WR) != 0;
	c->lingers = !c->dead;
	while (c->streams)
		stream_free(c->streams);
}

/* Makes and writes, until the socket is full or it is the turn of others. */
static void conn_write(struct conn *c)
{
	for (int i = 0; i < WRITE_ROUNDS && !c->dead; i++) {
		size_t len;

		if (!c->ends && conn_waiting(c) < OUT_FULL / 2)
			conn_fill(c);
		if (conn_waiting(c) == 0 && c->ends)
			say_goodbye(c);
		if (conn_waiting(c) == 0)
			return;
		len = transmit(c, c->out.data + c->out_at, conn_waiting(c));
		c->f->bytes += len;
		c->out_at += len;
		if (conn_waiting(c) == 0) {
			buffer_reset(&c->out);
			c->out_at = 0;
		} else if (c->out_at > OUT_FULL) {
			memmove(c->out.data, c->out.data + c->out_at, conn_waiting(c));
			c->out.len -= c->out_at;
			c->out_at = 0;
		}
		if (c->wants_write)
			return;
	}
	c->busy = true;
}

/* What time and events have brought to its streams. */
static void conn_tick(struct conn *c, uint64_t now_ms, uint64_t *wake_at_ms)
{
	for (struct stream *s = c->streams, *next; s; s = next) {
		next = s->next;
		if (!stream_tick(s, now_ms, wake_at_ms))
			continue;
		if (c->h2 && s->deferred)
			h2_resume(s);
		s->deferred = false;
	}
}

/* --- the thread --- */

static bool listen_at(struct fakeapi *f)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	                        .sin_port = htons((uint16_t)f->port),
	                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int on = 1;

	f->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(f->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(f->listen_fd, (struct sockaddr *)&a, len) != 0 || listen(f->listen_fd, 512) != 0) {
		close(f->listen_fd);
		f->listen_fd = -1;
		return false;
	}
	getsockname(f->listen_fd, (struct sockaddr *)&a, &len);
	f->port = ntohs(a.sin_port);
	return true;
}

static void drop_all(struct fakeapi *f, enum fakeapi_cut how)
{
	for (struct conn *c = f->conns; c; c = c->next) {
		c->end_how = how;
		c->dead = true;
	}
}

static void obey(struct fakeapi *f)
{
	if (f->order_down && f->listen_fd >= 0) {
		close(f->listen_fd);
		f->listen_fd = -1;
	}
	if (f->order_down || f->order_drop)
		drop_all(f, f->drop_how);
	if (f->order_up && f->listen_fd < 0)
		listen_at(f);
	for (struct conn *c = f->conns; f->order_goaway && c; c = c->next)
		if (c->h2)
			h2_goaway(c);
	f->order_down = f->order_drop = f->order_up = f->order_goaway = false;
}

static void accept_all(struct fakeapi *f)
{
	int fd;

	while (f->listen_fd >= 0 &&
	       (fd = accept4(f->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		conn_new(f, fd);
}

static void bury(struct fakeapi *f)
{
	for (struct conn **at = &f->conns; *at;) {
		struct conn *c = *at;

		if (!c->dead) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		f->conn_count--;
		conn_free(c);
	}
}

struct looked {
	struct pollfd *fds;
	struct conn **conns;
	size_t count, room;
};

static void look_at(struct looked *l, int fd, int events, struct conn *c)
{
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->fds = xreallocarray(l->fds, l->room, sizeof(struct pollfd));
		l->conns = xreallocarray(l->conns, l->room, sizeof(struct conn *));
	}
	l->fds[l->count] = (struct pollfd){.fd = fd, .events = (short)events};
	l->conns[l->count++] = c;
}

/* Waits, without the lock. */
static void wait_for(struct fakeapi *f, struct looked *l, uint64_t wake_at_ms)
{
	uint64_t now_ms = clock_monotonic_ms();
	int timeout = -1;

	l->count = 0;
	look_at(l, f->wake_fd, POLLIN, NULL);
	if (f->listen_fd >= 0)
		look_at(l, f->listen_fd, POLLIN, NULL);
	if (wake_at_ms != UINT64_MAX)
		timeout = wake_at_ms > now_ms ? (int)(wake_at_ms - now_ms) : 0;
	for (struct conn *c = f->conns; c && !f->frozen; c = c->next) {
		if (c->frozen)
			continue;
		look_at(l, c->fd, POLLIN | (c->wants_write ? POLLOUT : 0), c);
		if (c->busy)
			timeout = 0;
	}
	pthread_mutex_unlock(&f->lock);
	poll(l->fds, l->count, timeout);
	fake_lock(f);
	if (l->fds[0].revents) {
		uint64_t many;

		CHECK(read(f->wake_fd, &many, sizeof(many)) == (ssize_t)sizeof(many));
	}
}

static void serve_conns(struct fakeapi *f, const struct looked *l, uint64_t *wake_at_ms)
{
	uint64_t now_ms = clock_monotonic_ms();

	for (size_t i = 0; i < l->count; i++) {
		struct conn *c = l->conns[i];
		short revents = l->fds[i].revents;
		bool was_busy;

		if (!c || c->dead || c->frozen || f->frozen)
			continue;
		was_busy = c->busy;
		c->busy = false;
		if ((revents & ~POLLOUT) || was_busy)
			conn_read(c);
		if (!c->lingers)
			conn_tick(c, now_ms, wake_at_ms);
		if (c->shaken && !c->lingers && (!c->wants_write || (revents & POLLOUT)))
			conn_write(c);
	}
}

static void *run(void *arg)
{
	struct fakeapi *f = arg;
	struct looked looked = {0};
	uint64_t wake_at_ms = UINT64_MAX;

	fake_lock(f);
	while (!f->quit) {
		uint64_t asked;

		wait_for(f, &looked, wake_at_ms);
		asked = f->asked;
		wake_at_ms = UINT64_MAX;
		obey(f);
		serve_conns(f, &looked, &wake_at_ms);
		accept_all(f);
		bury(f);
		f->done = asked;
	}
	drop_all(f, FAKEAPI_CUT_CLOSE);
	bury(f);
	fake_unlock(f);
	free(looked.fds);
	free(looked.conns);
	return NULL;
}

/* Waits until the thread has seen what was ordered; the lock is held before and not after. */
static void order(struct fakeapi *f)
{
	struct deadline deadline = inside_deadline(ORDER_MS);
	uint64_t mine = ++f->asked;
	bool is_done;

	fake_unlock_and_wake(f);
	do {
		fake_lock(f);
		is_done = f->done >= mine;
		fake_unlock(f);
		if (!is_done)
			inside_rest();
	} while (!is_done && inside_has_time(deadline));
	CHECK(is_done);
}

/* --- life --- */

static void start_thread(struct fakeapi *f)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	CHECK(pthread_create(&f->thread, NULL, run, f) == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct fakeapi *fakeapi_new(const struct fakeapi_options *options)
{
	struct fakeapi *f = xcalloc(1, sizeof(*f));
	char token[64];

	if (options)
		f->options = *options;
	pthread_mutex_init(&f->gate, NULL);
	pthread_mutex_init(&f->lock, NULL);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!listen_at(f))
		fail_msg("fakeapi: cannot listen on loopback: %s", strerror(errno));
	snprintf(token, sizeof(token), "fakeapi-token-%u", f->port);
	f->token = xstrdup(f->options.token ? f->options.token : token);
	f->options.token = NULL;
	f->version_text = xstrdup("v1.31.4");
	f->authorization = xstrdup("");
	snprintf(f->url, sizeof(f->url), "%s://127.0.0.1:%u", f->options.plain ? "http" : "https",
	         f->port);
	f->tls = tls_new();
	tls_certify(f->tls, f->options.certificate, f->options.http1);
	f->ca_pem = tls_ca_pem(f->tls);
	f->ca_base64 = tls_base64(f->ca_pem, strlen(f->ca_pem));
	store_init(f);
	start_thread(f);
	return f;
}

void fakeapi_free(struct fakeapi *f)
{
	if (!f)
		return;
	fake_lock(f);
	f->quit = true;
	fake_unlock_and_wake(f);
	pthread_join(f->thread, NULL);
	if (f->listen_fd >= 0)
		close(f->listen_fd);
	close(f->wake_fd);
	fakeapi_forget_requests(f);
	store_fini(f);
	rules_fini(f);
	tls_free(f->tls);
	free(f->requests);
	free(f->authorization);
	free(f->token);
	free(f->version_text);
	free(f->ca_pem);
	free(f->ca_base64);
	text_fini(&f->written);
	text_fini(&f->said);
	pthread_mutex_destroy(&f->gate);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

const char *fakeapi_url(const struct fakeapi *f) { return f->url; }
unsigned fakeapi_port(const struct fakeapi *f) { return f->port; }
const char *fakeapi_token(const struct fakeapi *f) { return f->token; }
const char *fakeapi_ca_pem(const struct fakeapi *f) { return f->ca_pem; }
const char *fakeapi_ca_base64(const struct fakeapi *f) { return f->ca_base64; }

void fakeapi_client_certificate(const struct fakeapi *f, bool expired, char **certificate,
                                char **key)
{
	tls_client(f->tls, expired, certificate, key);
}

/* --- changing its mind --- */

static void set_text(struct fakeapi *f, char **text, const char *value)
{
	fake_lock(f);
	free(*text);
	*text = xstrdup(value);
	fake_unlock(f);
}

void fakeapi_set_token(struct fakeapi *f, const char *token) { set_text(f, &f->token, token); }

void fakeapi_set_version_text(struct fakeapi *f, const char *version)
{
	set_text(f, &f->version_text, version);
}

void fakeapi_set_certificate(struct fakeapi *f, enum fakeapi_certificate certificate)
{
	fake_lock(f);
	tls_certify(f->tls, certificate, f->options.http1);
	fake_unlock(f);
}

void fakeapi_set_watch_list(struct fakeapi *f, enum fakeapi_watch_list watch_list)
{
	fake_lock(f);
	f->options.watch_list = watch_list;
	fake_unlock(f);
}

/* --- the whole server --- */

static void set_frozen(struct fakeapi *f, bool frozen)
{
	fake_lock(f);
	f->frozen = frozen;
	order(f);
}

void fakeapi_freeze(struct fakeapi *f) { set_frozen(f, true); }
void fakeapi_thaw(struct fakeapi *f) { set_frozen(f, false); }

void fakeapi_freeze_open(struct fakeapi *f)
{
	fake_lock(f);
	for (struct conn *c = f->conns; c; c = c->next)
		c->frozen = true;
	order(f);
}

void fakeapi_down(struct fakeapi *f)
{
	fake_lock(f);
	f->order_down = true;
	f->drop_how = FAKEAPI_CUT_CLOSE;
	order(f);
}

void fakeapi_up(struct fakeapi *f)
{
	fake_lock(f);
	f->order_up = true;
	order(f);
	if (f->listen_fd < 0)
		fail_msg("fakeapi: cannot listen again on port %u", f->port);
}

void fakeapi_drop(struct fakeapi *f, enum fakeapi_cut how)
{
	fake_lock(f);
	f->order_drop = true;
	f->drop_how = how;
	order(f);
}

void fakeapi_goaway(struct fakeapi *f)
{
	fake_lock(f);
	f->order_goaway = true;
	order(f);
}
