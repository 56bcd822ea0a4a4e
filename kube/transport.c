/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/transport.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "kube/transport_easy.h"

enum {
	REPLY_MS = 30000,
	LOOK_MS = 250, /* how often deadlines are looked at */

	/* The time of the loop that one server may take: a minute's worth of full speed, then a quarter.  An honest
	 * list of gigabytes fits into the minute; who sends without end is slowed down. */
	CREDIT_MOST_US = 60 * 1000000,
	CREDIT_SHARE = 4,
	PAUSE_MS = 200,
	TURN_US = 20000,
	/* Of one answer in one turn.  libcurl reads 1.6 MB of a stream at most: what is 40 times that when unpacked is
	 * made to keep the loop busy. */
	TURN_MOST = 64 << 20,
	ASK_MS = 1000
};

struct kube_request {
	struct kube_request *next, **at; /* in client->requests */
	struct kube_client *client;
	CURLM *multi; /* the client's, or the one before it was replaced; NULL: not begun */
	struct kube_events events;
	struct transport_easy easy;
	struct buffer
		body; /* libcurl may read on after a cancel from within one of its callbacks */
	uint64_t deadline_ms, silence_ms;
	uint64_t end_ms; /* of all of it; 0: none */
	uint64_t turn;   /* of the client's, in which it was last sent something */
	size_t turn_bytes;
	bool answered;  /* on_status was called */
	bool cancelled; /* freed as soon as libcurl lets go of it */
	bool ended;     /* libcurl is done with it */
	CURLcode code;
	const char *lost; /* why, when its connection was taken away; the client's text */
};

struct watched { /* a socket of libcurl's */
	uv_poll_t poll;
	struct kube_client *client;
	curl_socket_t fd;
	int events;  /* UV_READABLE | UV_WRITABLE, as libcurl wants it */
	bool is_due; /* to be asked for what it has read already */
	struct watched *next, **at;
};

struct kube_client {
	uv_loop_t *loop;
	struct kube_access access;
	CURLM *multi;
	uv_timer_t timer; /* libcurl's */
	uv_timer_t look;  /* deadlines, and the end of a pause */
	uv_timer_t again; /* a turn was too short for all that had been read */
	struct kube_request *requests;
	struct watched *sockets;
	struct kube_counts counts;
	bool in_curl;      /* it is calling back: nothing may be added or removed now */
	bool busy;         /* that, or ends are being told */
	char *replace_why; /* not NULL: the connection is to be replaced */
	int64_t credit_us; /* of the loop's time */
	uint64_t credited_us;
	uint64_t turn;            /* a number */
	uint64_t asked_ms;        /* when all sockets were asked */
	uint64_t paused_until_ms; /* 0: not paused */
	bool stopping;
	unsigned open_handles;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

void kube_transport_setup(void) { CHECK(curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK); }

static void on_look(uv_timer_t *timer);
static void on_again(uv_timer_t *timer);
static void end_client(struct kube_client *c);

/* --- requests --- */

static void link_request(struct kube_client *c, struct kube_request *r)
{
	r->at = &c->requests;
	r->next = c->requests;
	if (r->next)
		r->next->at = &r->next;
	c->requests = r;
}

static void free_request(struct kube_request *r)
{
	if (r->multi)
		curl_multi_remove_handle(r->multi, r->easy.curl);
	*r->at = r->next;
	if (r->next)
		r->next->at = r->at;
	transport_easy_fini(&r->easy);
	if (r->body.data)
		explicit_bzero(r->body.data, r->body.len);
	buffer_fini(&r->body);
	free(r);
}

static void tell_done(struct kube_request *r, enum err err, const char *why)
{
	struct kube_events events = r->events;
	bool wanted = !r->cancelled;

	free_request(r);
	if (wanted)
		events.on_done(err, why, events.arg);
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct kube_request *r = arg;
	size_t len = size * count;
	long status = 0;
	curl_off_t after = 0;

	/* The empty line behind the headers; not of a "100 Continue" or of a proxy's CONNECT. */
	if (r->cancelled || r->answered || (len != 2 && len != 1) ||
	    (line[0] != '\r' && line[0] != '\n'))
		return len;
	curl_easy_getinfo(r->easy.curl, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return len;
	curl_easy_getinfo(r->easy.curl, CURLINFO_RETRY_AFTER, &after);
	r->answered = true;
	r->deadline_ms = r->silence_ms ? clock_monotonic_ms() + r->silence_ms : 0;
	if (status == 401)
		r->client->counts.unauthorized++;
	if (r->events.on_status)
		r->events.on_status((int)status, after > 0 ? (uint64_t)after * 1000 : 0,
		                    r->events.arg);
	return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct kube_request *r = arg;
	size_t len = size * count;

	r->client->counts.bytes += len;
	if (r->turn != r->client->turn) {
		r->turn = r->client->turn;
		r->turn_bytes = 0;
	}
	r->turn_bytes += len;
	if (r->turn_bytes > TURN_MOST) {
		r->easy.flooded = true;
		return 0;
	}
	if (r->silence_ms)
		r->deadline_ms = clock_monotonic_ms() + r->silence_ms;
	if (!r->cancelled && r->events.on_body)
		r->events.on_body((struct bytes){(const uint8_t *)data, len}, r->events.arg);
	return r->cancelled ? 0 : len; /* 0 makes libcurl give it up */
}

static void begin_request(struct kube_request *r)
{
	r->multi = r->client->multi;
	CHECK(curl_multi_add_handle(r->multi, r->easy.curl) == CURLM_OK);
}

struct kube_request *kube_client_ask(struct kube_client *c, const struct kube_ask *ask,
                                     const struct kube_events *events)
{
	struct kube_request *r = xcalloc(1, sizeof(*r));
	struct kube_ask own = *ask;

	if (ask->body.len > 0)
		buffer_put(&r->body, ask->body.data, ask->body.len);
	own.body = (struct bytes){r->body.data, r->body.len};
	r->client = c;
	r->events = *events;
	r->silence_ms = ask->silence_ms;
	r->deadline_ms = clock_monotonic_ms() + (ask->reply_ms ? ask->reply_ms : REPLY_MS);
	r->end_ms = ask->whole_ms ? clock_monotonic_ms() + ask->whole_ms : 0;
	transport_easy_init(&r->easy, &c->access, &own);
	curl_easy_setopt(r->easy.curl, CURLOPT_PRIVATE, r);
	curl_easy_setopt(r->easy.curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(r->easy.curl, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(r->easy.curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(r->easy.curl, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(r->easy.curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	link_request(c, r);
	c->counts.requests++;
	if (!c->in_curl)
		begin_request(r);
	if (!uv_is_active((uv_handle_t *)&c->look))
		uv_timer_start(&c->look, on_look, LOOK_MS, LOOK_MS);
	return r;
}

void kube_request_cancel(struct kube_request *r)
{
	if (!r || r->cancelled)
		return;
	r->cancelled = true;
	if (!r->client->in_curl)
		free_request(r);
}

/* --- what has ended --- */

static void collect(struct kube_client *c)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct kube_request *r;
		long opened = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &r);
		curl_easy_getinfo(message->easy_handle, CURLINFO_NUM_CONNECTS, &opened);
		c->counts.connections += (uint64_t)opened;
		r->ended = true;
		r->code = message->data.result;
	}
}

static void finish(struct kube_request *r)
{
	struct reason why = {0};
	enum err err;

	if (r->lost)
		err = reason_set(&why, ERR_GONE, "%s", r->lost);
	else
		err = transport_easy_result(&r->easy, r->code, &why);
	if (err == ERR_OK && !r->answered)
		err = reason_set(&why, ERR_UNREACHABLE, "ended without an answer");
	tell_done(r, err, why.text);
}

/* The oldest first: it stands last. */
static struct kube_request *find_ended(const struct kube_client *c)
{
	struct kube_request *found = NULL;

	for (struct kube_request *r = c->requests; r; r = r->next)
		if (r->ended || r->cancelled)
			found = r;
	return found;
}

/* Tells those that have ended, frees those that nobody wants.  A callback may ask, cancel and replace. */
static void reap(struct kube_client *c)
{
	struct kube_request *r;

	while ((r = find_ended(c)) != NULL)
		finish(r);
}

/* --- the connection --- */

static int on_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *known);
static int on_timeout(CURLM *multi, long after_ms, void *arg);

static CURLM *new_multi(struct kube_client *c)
{
	CURLM *multi = curl_multi_init();

	CHECK(multi != NULL);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, c);
	return multi;
}

/* What is under way is told, on a new connection already, so that who asks again at once gets that one. */
static void replace_now(struct kube_client *c)
{
	CURLM *before = c->multi;
	char *why = c->replace_why;

	c->replace_why = NULL;
	c->counts.replaced++;
	uv_timer_stop(&c->timer);
	c->multi = new_multi(c);
	for (struct kube_request *r = c->requests; r; r = r->next)
		if (!r->ended) {
			r->ended = true;
			r->lost = why;
		}
	reap(c);
	curl_multi_cleanup(before);
	free(why);
}

/* After libcurl has called back: what was put off meanwhile. */
static void catch_up(struct kube_client *c)
{
	c->busy = true;
	collect(c);
	reap(c);
	if (c->replace_why && !c->stopping)
		replace_now(c);
	for (struct kube_request *r = c->requests; r; r = r->next)
		if (!r->multi)
			begin_request(r);
	c->busy = false;
	if (c->stopping)
		end_client(c);
}

/* --- the budget of time --- */

static void set_polling(struct watched *w, bool on);

static void pause_client(struct kube_client *c)
{
	c->paused_until_ms = clock_monotonic_ms() + PAUSE_MS;
	c->counts.throttled++;
	for (struct watched *w = c->sockets; w; w = w->next)
		set_polling(w, false);
}

static void resume_client(struct kube_client *c)
{
	c->paused_until_ms = 0;
	uv_timer_start(&c->again, on_again, 1, 0);
	for (struct watched *w = c->sockets; w; w = w->next)
		set_polling(w, true);
}

static void spend(struct kube_client *c, uint64_t from_us)
{
	uint64_t now_us = clock_monotonic_us();

	c->credit_us += (int64_t)((now_us - c->credited_us) / CREDIT_SHARE);
	c->credited_us = now_us;
	if (c->credit_us > CREDIT_MOST_US)
		c->credit_us = CREDIT_MOST_US;
	c->credit_us -= (int64_t)(now_us - from_us);
	if (c->credit_us < 0 && c->paused_until_ms == 0)
		pause_client(c);
}

/* What libcurl 7.88 has read of one stream while it served another waits in its buffers, and no socket tells of it: it
 * is asked again until nothing more comes, once more in a turn of its own, and, should that have been in vain, each
 * second (on_look).  After a while others have their turn first. */
static void drain(struct kube_client *c, curl_socket_t fd, int events)
{
	uint64_t until_us = clock_monotonic_us() + TURN_US, first = c->counts.bytes, before;
	int running;

	do {
		before = c->counts.bytes;
		curl_multi_socket_action(c->multi, fd, events, &running);
		events = CURL_CSELECT_IN;
	} while (fd != CURL_SOCKET_TIMEOUT && c->counts.bytes != before &&
	         clock_monotonic_us() < until_us);
	if (fd != CURL_SOCKET_TIMEOUT && c->counts.bytes != first)
		uv_timer_start(&c->again, on_again, 1, 0);
}

static void act(struct kube_client *c, curl_socket_t fd, int events)
{
	uint64_t from_us = clock_monotonic_us();

	c->turn++;
	c->busy = c->in_curl = true;
	drain(c, fd, events);
	c->in_curl = false;
	spend(c, from_us);
	catch_up(c);
}

/* Sockets come and go meanwhile: the first that has not been asked, until all have been. */
static void on_again(uv_timer_t *timer)
{
	struct kube_client *c = timer->data;
	struct watched *w;

	c->asked_ms = clock_monotonic_ms();
	for (w = c->sockets; w; w = w->next)
		w->is_due = c->paused_until_ms == 0;
	do {
		for (w = c->sockets; w && !w->is_due; w = w->next)
			;
		if (w) {
			w->is_due = false;
			act(c, w->fd, CURL_CSELECT_IN);
		}
	} while (w && !c->stopping);
}

/* --- libcurl's sockets and timer on the loop --- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watched *w = poll->data;
	int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
	           (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

	act(w->client, w->fd, status < 0 ? CURL_CSELECT_ERR : what);
}

static void set_polling(struct watched *w, bool on)
{
	if (on)
		uv_poll_start(&w->poll, w->events, on_poll);
	else
		uv_poll_stop(&w->poll);
}

static void on_poll_closed(uv_handle_t *handle) { free(handle->data); }

static struct watched *watch_socket(struct kube_client *c, curl_socket_t fd)
{
	struct watched *w = xcalloc(1, sizeof(*w));

	w->client = c;
	w->fd = fd;
	w->poll.data = w;
	CHECK(uv_poll_init_socket(c->loop, &w->poll, fd) == 0);
	w->at = &c->sockets;
	w->next = c->sockets;
	if (w->next)
		w->next->at = &w->next;
	c->sockets = w;
	return w;
}

static void forget_socket(struct watched *w)
{
	*w->at = w->next;
	if (w->next)
		w->next->at = w->at;
	uv_close((uv_handle_t *)&w->poll, on_poll_closed);
}

/* libcurl says what it waits for on a socket. */
static int on_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *known)
{
	struct kube_client *c = arg;
	struct watched *w = known;

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			forget_socket(w);
		return 0;
	}
	if (!w) {
		w = watch_socket(c, fd);
		curl_multi_assign(c->multi, fd, w);
	}
	w->events =
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	set_polling(w, c->paused_until_ms == 0);
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct kube_client *c = timer->data;

	if (c->paused_until_ms > 0)
		uv_timer_start(timer, on_timer, PAUSE_MS, 0);
	else
		act(c, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout(CURLM *multi, long after_ms, void *arg)
{
	struct kube_client *c = arg;

	if (multi != c->multi)
		return 0; /* the one before it was replaced has its last word */
	if (c->stopping || after_ms < 0)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_timer, after_ms > 0 ? (uint64_t)after_ms : 1, 0);
	return 0;
}

/* --- deadlines --- */

static void time_out(struct kube_request *r, const char *why)
{
	r->ended = true;
	r->code = CURLE_OPERATION_TIMEDOUT;
	(void)snprintf(r->easy.error, sizeof(r->easy.error), "%s", why);
}

/* While the client pauses, that nothing comes is not the server's doing; but who gave a time for all of it will have it. */
static void check_time(struct kube_request *r, uint64_t now_ms)
{
	if (r->ended)
		return;
	if (r->end_ms > 0 && now_ms >= r->end_ms)
		time_out(r, r->answered ? "the answer is not whole in time" : "no answer in time");
	else if (r->deadline_ms > 0 && now_ms >= r->deadline_ms && r->client->paused_until_ms == 0)
		time_out(r, r->answered ? "the answer does not go on" : "no answer in time");
}

static void on_look(uv_timer_t *timer)
{
	struct kube_client *c = timer->data;
	uint64_t now_ms = clock_monotonic_ms();

	if (c->paused_until_ms > 0 && now_ms >= c->paused_until_ms)
		resume_client(c);
	for (struct kube_request *r = c->requests; r; r = r->next)
		check_time(r, now_ms);
	if (now_ms - c->asked_ms >= ASK_MS)
		on_again(&c->again);
	if (!c->requests && c->paused_until_ms == 0 && !c->replace_why)
		uv_timer_stop(&c->look);
	catch_up(c);
}

/* --- life --- */

struct kube_client *kube_client_new(uv_loop_t *loop, const struct kube_access *access)
{
	struct kube_client *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	kube_access_copy(&c->access, access);
	c->credit_us = CREDIT_MOST_US;
	c->credited_us = clock_monotonic_us();
	c->timer.data = c->look.data = c->again.data = c;
	CHECK(uv_timer_init(loop, &c->timer) == 0);
	CHECK(uv_timer_init(loop, &c->look) == 0);
	CHECK(uv_timer_init(loop, &c->again) == 0);
	c->multi = new_multi(c);
	return c;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct kube_client *c = handle->data;
	void (*on_stopped)(void *arg) = c->on_stopped;
	void *arg = c->stopped_arg;

	if (--c->open_handles > 0)
		return;
	free(c);
	if (on_stopped)
		on_stopped(arg);
}

static void end_client(struct kube_client *c)
{
	while (c->requests)
		free_request(c->requests);
	curl_multi_cleanup(c->multi);
	while (c->sockets)
		forget_socket(c->sockets);
	kube_access_fini(&c->access);
	free(c->replace_why);
	c->open_handles = 3;
	uv_close((uv_handle_t *)&c->timer, on_handle_closed);
	uv_close((uv_handle_t *)&c->look, on_handle_closed);
	uv_close((uv_handle_t *)&c->again, on_handle_closed);
}

void kube_client_stop(struct kube_client *c, void (*on_stopped)(void *arg), void *arg)
{
	c->stopping = true;
	c->on_stopped = on_stopped;
	c->stopped_arg = arg;
	for (struct kube_request *r = c->requests; r; r = r->next)
		r->cancelled = true;
	if (!c->busy)
		end_client(c);
}

void kube_client_set_access(struct kube_client *c, const struct kube_access *access)
{
	bool same = kube_access_equal(&c->access, access);

	kube_access_fini(&c->access);
	kube_access_copy(&c->access, access);
	if (!same)
		kube_client_replace(c, "its credentials have changed");
}

const struct kube_access *kube_client_access(const struct kube_client *c) { return &c->access; }

void kube_client_replace(struct kube_client *c, const char *why)
{
	free(c->replace_why);
	c->replace_why = xstrdup(why);
	uv_timer_start(&c->look, on_look, 0, LOOK_MS);
}

struct kube_counts kube_client_counts(const struct kube_client *c) { return c->counts; }
