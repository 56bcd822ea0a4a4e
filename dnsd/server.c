/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "dnsd/respond.h"
#include "dnsd/tcp.h"
#include "dnsd/transfers.h"
#include "dnsd/udp.h"

enum {
	MAX_WORKERS = 60,      /* below the handover's places for readers */
	KEPT_DESCRIPTORS = 256 /* for everything but TCP connections */
};

struct worker {
	unsigned number;
	struct server *server;
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t stop;
	uv_async_t retire;
	uv_async_t adopt;                  /* connections are there for it */
	uv_async_t renew;                  /* there are new rules */
	_Atomic(struct rrl_rules *) rules; /* not yet taken up; NULL: none */
	struct handover *handover;
	struct responder responder;
	struct tcp *tcp;
	struct transfers_desk *desk; /* NULL: none */
	struct udp **udp;            /* one for each of its sockets */
	size_t udp_count;
	bool is_retired;
};

struct server {
	struct server_address *address;
	size_t address_count;
	struct server_address *tls_address;
	size_t tls_count;
	struct tls *tls;        /* NULL: none */
	struct sockets sockets; /* once started they are the workers' loops' */
	struct worker *worker;
	unsigned worker_count;
	struct netset *proxies;
	struct transfers *transfers; /* NULL: none */
	uint64_t descriptors;        /* that the process may have */
	struct tcp_limits tcp_limits;
	struct quota *quota; /* of connections */
	struct rrl_table *limits;
	pthread_mutex_t moving_lock;
	struct sockets moving; /* connections that come, or have left */
	unsigned next_adopter;
	bool started;
};

/* --- binding --- */

static void say_where(const struct server_address *a, const char *what, struct reason *why)
{
	char text[ADDR_PORT_TEXT_SIZE];

	reason_prefix(why, "%s: %s", addr_port_print(&a->addr, a->port, text), what);
}

/* The row's sockets that were another process's; false: there are none. */
static bool take_given(struct server *s, struct sockets *given, struct server_address *a,
                       enum sockets_kind kind)
{
	struct sockets_item row = {.kind = kind, .addr = a->addr, .asked = a->port};
	uint16_t port = 0;

	if (given == NULL || sockets_move(given, &s->sockets, &row, s->worker_count, &port) == 0)
		return false;
	row.kind = SOCKETS_TCP;
	if (kind == SOCKETS_UDP)
		(void)sockets_move(given, &s->sockets, &row, s->worker_count, &port);
	a->port = port;
	return true;
}

static struct server *server_new(const struct server_address *addresses, size_t count,
                                 unsigned workers)
{
	struct server *s = xcalloc(1, sizeof *s);

	s->worker_count = workers == 0 ? 1 : workers > MAX_WORKERS ? MAX_WORKERS : workers;
	s->worker = xcalloc(s->worker_count, sizeof *s->worker);
	s->address = xmemdup(addresses, count * sizeof *addresses);
	s->address_count = count;
	s->limits = rrl_table_new();
	CHECK(pthread_mutex_init(&s->moving_lock, NULL) == 0);
	for (unsigned w = 0; w < s->worker_count; w++) {
		struct worker *worker = &s->worker[w];

		worker->number = w;
		worker->server = s;
		worker->responder.stats = stats_new();
		worker->responder.limits = rrl_new(s->limits, worker->responder.stats);
	}
	return s;
}

unsigned server_tcp_most(uint64_t descriptors, unsigned workers, uint64_t wanted)
{
	uint64_t there = descriptors > KEPT_DESCRIPTORS ? descriptors - KEPT_DESCRIPTORS : 0;
	uint64_t least = (uint64_t)workers * TCP_MIN_CONNECTIONS;

	if (there < least)
		there = least;
	return (unsigned)(wanted < there ? wanted : there);
}

/* Takes all descriptors that this process may have; returns how many. */
static uint64_t raise_descriptors(void)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_cur != limit.rlim_max) {
		rlim_t before = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			limit.rlim_cur = before;
	}
	return limit.rlim_cur;
}

/* What was given, and what can be bound: all of it is looked at before anything is. */
static enum err bind_all(struct server *s, struct sockets *given, size_t *at, struct reason *why)
{
	bool *is_given = xcalloc(s->address_count + 1, sizeof *is_given);
	enum err err = ERR_OK;

	for (*at = 0; *at < s->address_count && err == ERR_OK; ++*at) {
		struct server_address *a = &s->address[*at];

		is_given[*at] = take_given(s, given, a, SOCKETS_UDP);
		if (!is_given[*at])
			err = sockets_probe(&a->addr, a->port, why);
	}
	for (size_t i = 0; i < s->address_count && err == ERR_OK; i++) {
		struct server_address *a = &s->address[i];

		*at = i + 1;
		if (!is_given[i])
			err = sockets_open_dns(&s->sockets, &a->addr, s->worker_count, &a->port,
			                       why);
	}
	free(is_given);
	return err;
}

enum err server_bind(const struct server_address *addresses, size_t count, unsigned workers,
                     struct sockets *given, struct server **out, struct reason *why)
{
	struct server *s = server_new(addresses, count, workers);
	struct tcp_limits usual = tcp_limits_usual();
	size_t at;
	enum err err;

	*out = NULL;
	s->descriptors = raise_descriptors();
	server_limit_tcp(s, &usual);
	err = bind_all(s, given, &at, why);
	if (err != ERR_OK) {
		say_where(&addresses[at - 1], "", why);
		server_free(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void server_set_proxies(struct server *s, const struct conf_strings *networks)
{
	CHECK(!s->started && s->proxies == NULL);
	s->proxies = netset_new(networks);
	for (unsigned i = 0; i < s->worker_count; i++)
		s->worker[i].responder.proxies = s->proxies;
}

/* Old rules that a worker has not seen yet are none's any more. */
void server_set_limits(struct server *s, const struct rrl_settings *settings)
{
	for (unsigned i = 0; i < s->worker_count; i++) {
		struct worker *w = &s->worker[i];
		struct rrl_rules *fresh = rrl_rules_new(settings, s->worker_count);

		rrl_rules_free(atomic_exchange(&w->rules, fresh));
		if (s->started)
			CHECK(uv_async_send(&w->renew) == 0);
	}
}

bool server_next_limited(struct server *s, struct addr_network *out)
{
	return rrl_table_notice(s->limits, out);
}

enum err server_bind_tls(struct server *s, const struct server_address *addresses, size_t count,
                         struct sockets *given, struct tls *tls, struct reason *why)
{
	CHECK(s->tls == NULL && !s->started);
	s->tls = tls;
	s->tls_address = xmemdup(addresses, count * sizeof *addresses);
	s->tls_count = count;
	for (size_t i = 0; i < count; i++) {
		struct server_address *a = &s->tls_address[i];
		enum err err = ERR_OK;

		if (!take_given(s, given, a, SOCKETS_TLS))
			err = sockets_open_tls(&s->sockets, &a->addr, s->worker_count, &a->port,
			                       why);
		if (err != ERR_OK) {
			say_where(&addresses[i], "TLS: ", why);
			return err;
		}
	}
	return ERR_OK;
}

const struct server_address *server_tls_addresses(const struct server *s, size_t *count)
{
	*count = s->tls_count;
	return s->tls_address;
}

const struct tls *server_tls(const struct server *s) { return s->tls; }

const struct server_address *server_addresses(const struct server *s, size_t *count)
{
	*count = s->address_count;
	return s->address;
}

/* --- a worker's life --- */

static void take_up_rules(struct worker *w)
{
	struct rrl_rules *fresh = atomic_exchange(&w->rules, NULL);

	if (fresh != NULL)
		rrl_set_rules(w->responder.limits, fresh);
}

static void on_renew(uv_async_t *renew) { take_up_rules(renew->data); }

static void stop_udp(struct worker *w)
{
	for (size_t i = 0; i < w->udp_count && !w->is_retired; i++)
		udp_stop(w->udp[i]);
}

static void put_moving(struct server *s, const struct sockets_item *item)
{
	pthread_mutex_lock(&s->moving_lock);
	sockets_put(&s->moving, item);
	pthread_mutex_unlock(&s->moving_lock);
}

static void on_leave(int take_fd, const struct addr *client, void *arg)
{
	struct worker *w = arg;

	put_moving(w->server,
	           &(struct sockets_item){.kind = SOCKETS_TCP, .addr = *client, .fd = take_fd});
}

static void on_retire(uv_async_t *retire)
{
	struct worker *w = retire->data;

	stop_udp(w);
	w->is_retired = true;
	tcp_retire(w->tcp, on_leave, w);
}

/* Those for this worker: the next one of them. */
static bool take_moving(struct worker *w, struct sockets_item *out)
{
	struct server *s = w->server;
	bool found = false;

	pthread_mutex_lock(&s->moving_lock);
	for (size_t i = 0; i < s->moving.count && !found; i++) {
		found = s->moving.item[i].worker == w->number;
		if (found) {
			*out = s->moving.item[i];
			s->moving.item[i] = s->moving.item[--s->moving.count];
		}
	}
	pthread_mutex_unlock(&s->moving_lock);
	return found;
}

static void on_adopt(uv_async_t *adopt)
{
	struct worker *w = adopt->data;
	struct sockets_item item;

	while (!w->is_retired && take_moving(w, &item))
		tcp_adopt(w->tcp, item.fd, &item.addr);
}

static void on_stop(uv_async_t *stop)
{
	struct worker *w = stop->data;

	stop_udp(w);
	tcp_stop(w->tcp);
	if (w->desk != NULL)
		transfers_desk_close(w->desk);
	uv_close((uv_handle_t *)stop, NULL);
	uv_close((uv_handle_t *)&w->retire, NULL);
	uv_close((uv_handle_t *)&w->adopt, NULL);
	uv_close((uv_handle_t *)&w->renew, NULL);
}

static void start_udp(struct worker *w, const struct sockets_item *item, struct udp_batch *batch)
{
	w->udp = xreallocarray(w->udp, w->udp_count + 1, sizeof(struct udp *));
	w->udp[w->udp_count++] = udp_start(&w->loop, item->fd, addr_is_any(&item->addr), batch);
}

static void open_sockets(struct worker *w, struct udp_batch *batch)
{
	const struct server *s = w->server;

	for (size_t i = 0; i < s->sockets.count; i++) {
		const struct sockets_item *item = &s->sockets.item[i];
		bool is_tls = item->kind == SOCKETS_TLS;
		struct reason why = {0};

		if (item->worker != w->number)
			continue;
		if (item->kind == SOCKETS_UDP)
			start_udp(w, item, batch);
		else if (tcp_listen(w->tcp, item->fd, is_tls ? s->tls : NULL, &why) != ERR_OK)
			log_error("dnsd", "not listening: %s%s", is_tls ? "TLS: " : "", why.text);
	}
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct reader *reader = handover_join(w->handover);
	struct udp_batch *batch;
	char name[16];

	CHECK(reader != NULL);
	snprintf(name, sizeof name, "dns-%u", w->number);
	(void)pthread_setname_np(pthread_self(), name);
	take_up_rules(w);
	batch = udp_batch_new(reader, &w->responder);
	w->tcp = tcp_new(&w->loop, reader, &w->responder, &w->server->tcp_limits, w->server->quota);
	if (w->server->transfers != NULL) {
		w->desk = transfers_desk_open(w->server->transfers, &w->loop);
		tcp_set_desk(w->tcp, w->desk);
	}
	open_sockets(w, batch);
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < w->udp_count; i++)
		udp_free(w->udp[i]);
	tcp_free(w->tcp);
	udp_batch_free(batch);
	handover_leave(reader);
	return NULL;
}

void server_limit_tcp(struct server *s, const struct tcp_limits *limits)
{
	unsigned most = server_tcp_most(s->descriptors, s->worker_count, limits->max_connections);

	if (most < limits->max_connections)
		log_warn("dnsd", "no more than %u connections: the limit of open files is %llu",
		         most, (unsigned long long)s->descriptors);
	s->tcp_limits = *limits;
	quota_free(s->quota);
	s->quota = quota_new(most, (unsigned)limits->max_per_network);
}

unsigned server_connections(const struct server *s) { return quota_count(s->quota); }

void server_set_transfers(struct server *s, struct transfers *t) { s->transfers = t; }

void server_start(struct server *s, struct handover *h)
{
	sigset_t all, before;

	sockets_widen(&s->sockets, s->worker_count);
	/* Signals are the control thread's. */
	sigfillset(&all);
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	for (unsigned i = 0; i < s->worker_count; i++) {
		struct worker *w = &s->worker[i];

		w->handover = h;
		w->stop.data = w->renew.data = w->retire.data = w->adopt.data = w;
		CHECK(uv_loop_init(&w->loop) == 0);
		CHECK(uv_async_init(&w->loop, &w->stop, on_stop) == 0);
		CHECK(uv_async_init(&w->loop, &w->retire, on_retire) == 0);
		CHECK(uv_async_init(&w->loop, &w->adopt, on_adopt) == 0);
		CHECK(uv_async_init(&w->loop, &w->renew, on_renew) == 0);
		CHECK(pthread_create(&w->thread, NULL, worker_run, w) == 0);
	}
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	s->started = true;
}

const struct sockets *server_sockets(const struct server *s) { return &s->sockets; }

void server_retire(struct server *s)
{
	for (unsigned i = 0; i < s->worker_count && s->started; i++)
		CHECK(uv_async_send(&s->worker[i].retire) == 0);
}

void server_adopt(struct server *s, int take_fd, const struct addr *client)
{
	struct sockets_item item = {.kind = SOCKETS_TCP, .addr = *client, .fd = take_fd};

	CHECK(s->started);
	item.worker = s->next_adopter++ % s->worker_count;
	put_moving(s, &item);
	CHECK(uv_async_send(&s->worker[item.worker].adopt) == 0);
}

void server_take_left(struct server *s, struct sockets *out)
{
	pthread_mutex_lock(&s->moving_lock);
	for (size_t i = 0; i < s->moving.count; i++)
		sockets_put(out, &s->moving.item[i]);
	s->moving.count = 0;
	pthread_mutex_unlock(&s->moving_lock);
}

void server_stop(struct server *s)
{
	if (!s->started)
		return;
	for (unsigned i = 0; i < s->worker_count; i++)
		CHECK(uv_async_send(&s->worker[i].stop) == 0);
	for (unsigned i = 0; i < s->worker_count; i++) {
		CHECK(pthread_join(s->worker[i].thread, NULL) == 0);
		CHECK(uv_loop_close(&s->worker[i].loop) == 0);
	}
	/* The loops have closed them. */
	s->sockets.count = 0;
	s->started = false;
}

void server_free(struct server *s)
{
	if (s == NULL)
		return;
	server_stop(s);
	sockets_close(&s->sockets);
	sockets_close(&s->moving);
	pthread_mutex_destroy(&s->moving_lock);
	for (unsigned i = 0; i < s->worker_count; i++) {
		struct worker *w = &s->worker[i];

		rrl_free(w->responder.limits);
		rrl_rules_free(w->rules);
		free(w->responder.stats);
		free(w->udp);
	}
	netset_free(s->proxies);
	quota_free(s->quota);
	rrl_table_free(s->limits);
	free(s->worker);
	free(s->address);
	free(s->tls_address);
	free(s);
}

void server_stats(const struct server *s, struct stats *out)
{
	memset(out, 0, sizeof *out);
	for (unsigned i = 0; i < s->worker_count; i++)
		stats_merge(out, s->worker[i].responder.stats);
}
