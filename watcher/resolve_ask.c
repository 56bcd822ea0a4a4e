/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/resolve_ask.h"

#include <ares.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"

enum { TRIES = 3 };

/* A socket of c-ares. */
struct watch {
	uv_poll_t poll;
	struct resolve_ask *ask;
	ares_socket_t fd;
	struct watch *next;
};

struct resolve_ask {
	uv_loop_t *loop;
	uv_timer_t timer; /* for c-ares' own timeouts */
	char *servers;    /* NULL: the system's */
	ares_channel channel;
	struct watch *watches;
	size_t handles; /* not closed yet */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

struct question {
	resolve_on_answer_fn *on_answer;
	void *arg;
};

/* --- what libuv has to watch for c-ares --- */

static void free_when_closed(struct resolve_ask *a)
{
	if (--a->handles > 0)
		return;
	free(a->servers);
	ares_library_cleanup();
	a->on_stopped(a->stopped_arg);
	free(a);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *w = handle->data;
	struct resolve_ask *a = w->ask;

	free(w);
	free_when_closed(a);
}

static void on_timer(uv_timer_t *timer);

static void arm(struct resolve_ask *a)
{
	struct timeval tv;
	const struct timeval *left = ares_timeout(a->channel, NULL, &tv);

	if (!left) {
		uv_timer_stop(&a->timer);
		return;
	}
	uv_update_time(a->loop);
	CHECK(uv_timer_start(&a->timer, on_timer,
	                     (uint64_t)left->tv_sec * 1000 + (uint64_t)left->tv_usec / 1000 + 1,
	                     0) == 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct resolve_ask *a = timer->data;

	ares_process_fd(a->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(a);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	const struct watch *w = poll->data;
	struct resolve_ask *a = w->ask;
	ares_socket_t fd = w->fd;
	bool readable = status < 0 || events & UV_READABLE;
	bool writable = status < 0 || events & UV_WRITABLE;

	ares_process_fd(a->channel, readable ? fd : ARES_SOCKET_BAD,
	                writable ? fd : ARES_SOCKET_BAD);
	arm(a);
}

static struct watch *watch_new(struct resolve_ask *a, ares_socket_t fd)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->ask = a;
	w->fd = fd;
	w->next = a->watches;
	CHECK(uv_poll_init_socket(a->loop, &w->poll, fd) == 0);
	w->poll.data = w;
	a->watches = w;
	a->handles++;
	return w;
}

static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolve_ask *a = arg;
	struct watch **at = &a->watches;
	struct watch *w;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	w = *at;
	if (readable || writable) {
		int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

		if (!w)
			w = watch_new(a, fd);
		CHECK(uv_poll_start(&w->poll, events, on_ready) == 0);
	} else if (w) {
		*at = w->next;
		uv_close((uv_handle_t *)&w->poll, on_watch_closed);
	}
}

static int open_channel(struct resolve_ask *a, uint64_t timeout_ms, ares_channel *out)
{
	char files_and_dns[] = "fb", dns[] = "b";
	struct ares_options options = {
		.sock_state_cb = on_socket,
		.sock_state_cb_data = a,
		.timeout = (int)timeout_ms,
		.tries = TRIES,
		.ndomains = 0,
		.lookups = a->servers ? dns : files_and_dns,
	};
	int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS |
	           ARES_OPT_LOOKUPS;
	int status = ares_init_options(out, &options, mask);

	if (status != ARES_SUCCESS || !a->servers)
		return status;
	status = ares_set_servers_ports_csv(*out, a->servers);
	if (status != ARES_SUCCESS)
		ares_destroy(*out);
	return status;
}

/* --- answers --- */

static int by_address(const void *a, const void *b) { return addr_compare(a, b); }

static void sort_addresses(struct resolve_answer *answer)
{
	size_t kept = 0;

	if (answer->count)
		qsort(answer->addr, answer->count, sizeof(*answer->addr), by_address);
	for (size_t i = 0; i < answer->count; i++)
		if (kept == 0 || !addr_equal(&answer->addr[kept - 1], &answer->addr[i]))
			answer->addr[kept++] = answer->addr[i];
	answer->count = kept;
}

static void shorten(uint64_t *ttl_ms, int ttl_s)
{
	uint64_t ms = ttl_s > 0 ? (uint64_t)ttl_s * 1000 : 0;

	if (ms < *ttl_ms)
		*ttl_ms = ms;
}

static void read_addresses(struct resolve_answer *answer, const struct ares_addrinfo *info)
{
	size_t count = 0;

	answer->ttl_ms = UINT64_MAX;
	for (const struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next)
		count++;
	answer->addr = xreallocarray(NULL, count, sizeof(*answer->addr));
	for (const struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next) {
		answer->addr[answer->count++] = addr_from_sockaddr(n->ai_addr, NULL);
		shorten(&answer->ttl_ms, n->ai_ttl);
	}
	for (const struct ares_addrinfo_cname *c = info->cnames; c; c = c->next)
		shorten(&answer->ttl_ms, c->ttl);
	sort_addresses(answer);
}

static const char *message_of(int status)
{
	switch (status) {
	case ARES_ETIMEOUT:
		return "timed out";
	case ARES_ENOTFOUND:
		return "no such name";
	case ARES_ENODATA:
		return "has no address";
	case ARES_ESERVFAIL:
	case ARES_ECONNREFUSED:
		return "the name servers failed or cannot be reached";
	case ARES_EBADNAME:
		return "not a host name";
	default:
		return ares_strerror(status);
	}
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct question *q = arg;
	struct resolve_answer answer = {.outcome = RESOLVE_FAILED};

	(void)timeouts;
	if (status == ARES_SUCCESS)
		read_addresses(&answer, info);
	if (answer.count)
		answer.outcome = RESOLVE_FOUND;
	else if (status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND)
		answer.outcome = RESOLVE_NONE;
	if (!answer.count)
		answer.message = message_of(status == ARES_SUCCESS ? ARES_ENODATA : status);
	ares_freeaddrinfo(info);
	q->on_answer(&answer, q->arg);
	free(q);
}

/* --- the outside --- */

enum err resolve_ask_new(uv_loop_t *loop, const char *servers, uint64_t timeout_ms,
                         struct resolve_ask **out, struct reason *why)
{
	struct resolve_ask *a = xcalloc(1, sizeof(*a));
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	a->loop = loop;
	a->servers = servers ? xstrdup(servers) : NULL;
	if (status == ARES_SUCCESS)
		status = open_channel(a, timeout_ms, &a->channel);
	if (status != ARES_SUCCESS) {
		free(a->servers);
		free(a);
		return reason_set(why, ERR_IO, "cannot look up names: %s", ares_strerror(status));
	}
	a->handles = 1;
	CHECK(uv_timer_init(loop, &a->timer) == 0);
	a->timer.data = a;
	*out = a;
	return ERR_OK;
}

void resolve_ask(struct resolve_ask *a, const char *name, enum addr_family family,
                 resolve_on_answer_fn *fn, void *arg)
{
	struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NOSORT,
		.ai_family = family == ADDR_IPV6 ? AF_INET6 : AF_INET,
	};
	struct question *q = xcalloc(1, sizeof(*q));

	*q = (struct question){fn, arg};
	ares_getaddrinfo(a->channel, name, NULL, &hints, on_answer, q);
	arm(a);
}

void resolve_ask_renew(struct resolve_ask *a, uint64_t timeout_ms)
{
	ares_channel fresh;

	if (open_channel(a, timeout_ms, &fresh) != ARES_SUCCESS)
		return;
	ares_destroy(a->channel);
	a->channel = fresh;
	arm(a);
}

static void on_timer_closed(uv_handle_t *handle) { free_when_closed(handle->data); }

void resolve_ask_stop(struct resolve_ask *a, void (*on_stopped)(void *arg), void *arg)
{
	a->on_stopped = on_stopped;
	a->stopped_arg = arg;
	ares_destroy(a->channel);
	uv_close((uv_handle_t *)&a->timer, on_timer_closed);
}
