/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe_http.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "watcher/probe_http_easy.h"

enum { SPARE_MOST = 64 };

struct probe_exchange {
	struct probe_easy easy;
	struct probe_http *http;
	probe_http_on_end_fn *on_end;
	void *arg;
	struct probe_exchange *next; /* of those that could not be asked, or the spare ones */
};

struct watched { /* a socket of libcurl's */
	uv_poll_t poll;
	struct probe_http *http;
	curl_socket_t fd;
};

struct probe_http {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;              /* libcurl's */
	uv_timer_t soon;               /* what could not be asked is told */
	struct probe_exchange *unable; /* those */
	struct probe_exchange *spare;
	size_t spares;
	size_t handles;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- ends --- */

static void keep_or_free(struct probe_http *h, struct probe_exchange *e)
{
	if (h->spares < SPARE_MOST) {
		probe_easy_end(&e->easy);
		e->next = h->spare;
		h->spare = e;
		h->spares++;
	} else {
		probe_easy_fini(&e->easy);
		free(e);
	}
}

/* The exchange is gone before its end is told: the callee may begin others. */
static void tell(struct probe_exchange *e)
{
	enum probe_outcome outcome = e->easy.outcome;
	char text[PROBE_HTTP_TEXT_SIZE];
	probe_http_on_end_fn *on_end = e->on_end;
	void *arg = e->arg;

	memcpy(text, e->easy.said, sizeof(text));
	keep_or_free(e->http, e);
	on_end(outcome, text, arg);
}

static void reap(struct probe_http *h)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct probe_exchange *e;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &e);
		curl_multi_remove_handle(h->multi, e->easy.curl);
		probe_easy_judge(&e->easy, code);
		tell(e);
	}
}

static void on_soon(uv_timer_t *timer)
{
	struct probe_http *h = timer->data;
	struct probe_exchange *e;

	while ((e = h->unable) != NULL) {
		h->unable = e->next;
		tell(e);
	}
}

/* --- libcurl's sockets and timer on the loop --- */

static void act(struct probe_http *h, curl_socket_t fd, int events)
{
	int running;

	curl_multi_socket_action(h->multi, fd, events, &running);
	reap(h);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watched *w = poll->data;
	int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
	           (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

	act(w->http, w->fd, status < 0 ? CURL_CSELECT_ERR : what);
}

static void handle_closed(struct probe_http *h)
{
	void (*on_stopped)(void *arg) = h->on_stopped;
	void *arg = h->stopped_arg;

	if (--h->handles > 0)
		return;
	free(h);
	on_stopped(arg);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct watched *w = handle->data;
	struct probe_http *h = w->http;

	free(w);
	handle_closed(h);
}

static struct watched *watch(struct probe_http *h, curl_socket_t fd)
{
	struct watched *w = xcalloc(1, sizeof(*w));

	w->http = h;
	w->fd = fd;
	w->poll.data = w;
	CHECK(uv_poll_init_socket(h->loop, &w->poll, fd) == 0);
	h->handles++;
	curl_multi_assign(h->multi, fd, w);
	return w;
}

static int on_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *known)
{
	struct watched *w = known;

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			uv_close((uv_handle_t *)&w->poll, on_poll_closed);
		return 0;
	}
	if (!w)
		w = watch(arg, fd);
	uv_poll_start(&w->poll,
	              (what & CURL_POLL_IN ? UV_READABLE : 0) |
	                      (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
	              on_poll);
	return 0;
}

static void on_timer(uv_timer_t *timer) { act(timer->data, CURL_SOCKET_TIMEOUT, 0); }

/* Never from within a call of ours: 0 is "at once" to libcurl, and the next turn of the loop to libuv. */
static int on_timeout(CURLM *multi, long after_ms, void *arg)
{
	struct probe_http *h = arg;

	(void)multi;
	if (after_ms < 0)
		uv_timer_stop(&h->timer);
	else
		uv_timer_start(&h->timer, on_timer, (uint64_t)after_ms, 0);
	return 0;
}

/* --- the outside --- */

struct probe_http *probe_http_new(uv_loop_t *loop)
{
	struct probe_http *h = xcalloc(1, sizeof(*h));

	h->loop = loop;
	h->timer.data = h->soon.data = h;
	h->handles = 2;
	CHECK(uv_timer_init(loop, &h->timer) == 0);
	CHECK(uv_timer_init(loop, &h->soon) == 0);
	h->multi = curl_multi_init();
	CHECK(h->multi != NULL);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	return h;
}

static struct probe_exchange *take_exchange(struct probe_http *h)
{
	struct probe_exchange *e = h->spare;

	if (!e)
		return xcalloc(1, sizeof(*e));
	h->spare = e->next;
	h->spares--;
	e->next = NULL;
	return e;
}

struct probe_exchange *probe_http_begin(struct probe_http *h, const struct probe_check *check,
                                        const struct addr *addr, uint16_t port, int take_fd,
                                        probe_http_on_end_fn *on_end, void *arg)
{
	struct probe_exchange *e = take_exchange(h);

	e->http = h;
	e->on_end = on_end;
	e->arg = arg;
	if (probe_easy_begin(&e->easy, check, addr, port, take_fd)) {
		CHECK(curl_easy_setopt(e->easy.curl, CURLOPT_PRIVATE, e) == CURLE_OK);
		CHECK(curl_multi_add_handle(h->multi, e->easy.curl) == CURLM_OK);
	} else {
		e->next = h->unable;
		h->unable = e;
		uv_timer_start(&h->soon, on_soon, 0, 0);
	}
	return e;
}

void probe_exchange_cancel(struct probe_exchange *e)
{
	struct probe_http *h = e->http;
	struct probe_exchange **at = &h->unable;

	while (*at && *at != e)
		at = &(*at)->next;
	if (*at)
		*at = e->next;
	else
		curl_multi_remove_handle(h->multi, e->easy.curl);
	keep_or_free(h, e);
}

static void on_timer_closed(uv_handle_t *handle) { handle_closed(handle->data); }

void probe_http_stop(struct probe_http *h, void (*on_stopped)(void *arg), void *arg)
{
	h->on_stopped = on_stopped;
	h->stopped_arg = arg;
	while (h->spare) {
		struct probe_exchange *e = h->spare;

		h->spare = e->next;
		probe_easy_fini(&e->easy);
		free(e);
	}
	curl_multi_cleanup(h->multi);
	uv_close((uv_handle_t *)&h->timer, on_timer_closed);
	uv_close((uv_handle_t *)&h->soon, on_timer_closed);
}
