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
	BIND_TRIES = 32,       /* to find one port that is free for UDP and TCP */
	KEPT_DESCRIPTORS = 256 /* for everything but TCP connections */
};

struct worker {
	unsigned number;
	struct server *server;
	pthread_t thread;
	int *udp_fd, *tcp_fd; /* one per address; -1: none, or taken over by the loop */
	int *tls_fd;          /* one per address of TLS, likewise; NULL: none */
	uv_loop_t loop;
	uv_async_t stop;
	uv_async_t renew;                  /* there are new rules */
	_Atomic(struct rrl_rules *) rules; /* not yet taken up; NULL: none */
	struct handover *handover;
	struct responder responder;
	struct tcp *tcp;
	struct transfers_desk *desk; /* NULL: none */
	struct udp **udp;            /* one per address */
};

struct server {
	struct server_address *address;
	size_t address_count;
	struct server_address *tls_address;
	size_t tls_count;
	struct tls *tls; /* NULL: none */
	struct worker *worker;
	unsigned worker_count;
	struct netset *proxies;
	struct transfers *transfers; /* NULL: none */
	uint64_t descriptors;        /* that the process may have */
	struct tcp_limits tcp_limits;
	struct quota *quota; /* of connections */
	struct rrl_table *limits;
	bool started;
};

/* --- binding --- */

static void close_address(struct server *s, size_t i)
{
	for (unsigned w = 0; w < s->worker_count; w++) {
		struct worker *worker = &s->worker[w];

		if (worker->udp_fd[i] >= 0)
			close(worker->udp_fd[i]);
		if (worker->tcp_fd[i] >= 0)
			close(worker->tcp_fd[i]);
		worker->udp_fd[i] = worker->tcp_fd[i] = -1;
	}
}

/* All workers' sockets of one address, on the port that is there, or on one that the kernel
 * chooses for the first of them. */
static enum err open_address(struct server *s, size_t i, struct reason *why)
{
	struct server_address *a = &s->address[i];
	uint16_t chosen = a->port;

	for (unsigned w = 0; w < s->worker_count; w++) {
		struct worker *worker = &s->worker[w];
		enum err err = tcp_open(&a->addr, chosen, true, &worker->tcp_fd[i], &chosen, why);

		if (err == ERR_OK)
			err = udp_open(&a->addr, chosen, true, &worker->udp_fd[i], why);
		if (err != ERR_OK) {
			close_address(s, i);
			return err;
		}
	}
	a->port = chosen;
	return ERR_OK;
}

static enum err bind_address(struct server *s, size_t i, struct reason *why)
{
	bool chooses = s->address[i].port == 0;
	enum err err = ERR_CONFLICT;

	for (unsigned tries = 0; tries < (chooses ? BIND_TRIES : 1) && err == ERR_CONFLICT; tries++)
		err = open_address(s, i, why);
	return err;
}

/* SO_REUSEPORT would let two nighds of one user share a port unawares: look first, without it. */
static enum err probe_address(const struct server_address *a, struct reason *why)
{
	int fd;
	enum err err;

	if (a->port == 0)
		return ERR_OK;
	err = udp_open(&a->addr, a->port, false, &fd, why);
	if (err == ERR_OK)
		close(fd);
	return err;
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
	for (unsigned w = 0; w < s->worker_count; w++) {
		struct worker *worker = &s->worker[w];

		worker->number = w;
		worker->server = s;
		worker->responder.stats = stats_new();
		worker->responder.limits = rrl_new(s->limits, worker->responder.stats);
		worker->udp_fd = xcalloc(count, sizeof *worker->udp_fd);
		worker->tcp_fd = xcalloc(count, sizeof *worker->tcp_fd);
		worker->udp = xcalloc(count, sizeof(struct udp *));
		for (size_t i = 0; i < count; i++)
			worker->udp_fd[i] = worker->tcp_fd[i] = -1;
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

enum err server_bind(const struct server_address *addresses, size_t count, unsigned workers,
                     struct server **out, struct reason *why)
{
	struct server *s = server_new(addresses, count, workers);
	struct tcp_limits usual = tcp_limits_usual();
	enum err err = ERR_OK;
	size_t i;

	*out = NULL;
	s->descriptors = raise_descriptors();
	server_limit_tcp(s, &usual);
	for (i = 0; i < count && err == ERR_OK; i++)
		err = probe_address(&s->address[i], why);
	if (err == ERR_OK) {
		for (i = 0; i < count && err == ERR_OK; i++)
			err = bind_address(s, i, why);
	}
	if (err != ERR_OK) {
		char text[ADDR_PORT_TEXT_SIZE];

		reason_prefix(why, "%s: ",
		              addr_port_print(&addresses[i - 1].addr, addresses[i - 1].port, text));
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

/* All workers' sockets for TLS on one address. */
static enum err open_tls(struct server *s, size_t i, struct reason *why)
{
	struct server_address *a = &s->tls_address[i];
	enum err err;
	int fd;

	if (a->port != 0) {
		/* As probe_address(), without SO_REUSEPORT. */
		err = tcp_open(&a->addr, a->port, false, &fd, &a->port, why);
		if (err != ERR_OK)
			return err;
		close(fd);
	}
	for (unsigned w = 0; w < s->worker_count; w++) {
		err = tcp_open(&a->addr, a->port, true, &s->worker[w].tls_fd[i], &a->port, why);
		if (err != ERR_OK) {
			s->worker[w].tls_fd[i] = -1;
			return err;
		}
	}
	return ERR_OK;
}

enum err server_bind_tls(struct server *s, const struct server_address *addresses, size_t count,
                         struct tls *tls, struct reason *why)
{
	char text[ADDR_PORT_TEXT_SIZE];

	CHECK(s->tls == NULL && !s->started);
	s->tls = tls;
	s->tls_address = xmemdup(addresses, count * sizeof *addresses);
	s->tls_count = count;
	for (unsigned w = 0; w < s->worker_count; w++) {
		s->worker[w].tls_fd = xcalloc(count, sizeof(int));
		memset(s->worker[w].tls_fd, 0xff, count * sizeof(int));
	}
	for (size_t i = 0; i < count; i++) {
		enum err err = open_tls(s, i, why);

		if (err != ERR_OK) {
			reason_prefix(why, "%s: TLS: ",
			              addr_port_print(&addresses[i].addr, addresses[i].port, text));
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

static void on_stop(uv_async_t *stop)
{
	struct worker *w = stop->data;

	for (size_t i = 0; i < w->server->address_count; i++)
		udp_stop(w->udp[i]);
	tcp_stop(w->tcp);
	if (w->desk != NULL)
		transfers_desk_close(w->desk);
	uv_close((uv_handle_t *)stop, NULL);
	uv_close((uv_handle_t *)&w->renew, NULL);
}

static void open_sockets(struct worker *w, struct udp_batch *batch)
{
	const struct server *s = w->server;

	for (size_t i = 0; i < s->address_count; i++) {
		struct reason why = {0};

		w->udp[i] =
			udp_start(&w->loop, w->udp_fd[i], addr_is_any(&s->address[i].addr), batch);
		w->udp_fd[i] = -1;
		if (tcp_listen(w->tcp, w->tcp_fd[i], NULL, &why) != ERR_OK)
			log_error("dnsd", "not listening: %s", why.text);
		w->tcp_fd[i] = -1;
	}
	for (size_t i = 0; i < s->tls_count; i++) {
		struct reason why = {0};

		if (tcp_listen(w->tcp, w->tls_fd[i], s->tls, &why) != ERR_OK)
			log_error("dnsd", "not listening: TLS: %s", why.text);
		w->tls_fd[i] = -1;
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
	for (size_t i = 0; i < w->server->address_count; i++)
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

	/* Signals are the control thread's. */
	sigfillset(&all);
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	for (unsigned i = 0; i < s->worker_count; i++) {
		struct worker *w = &s->worker[i];

		w->handover = h;
		w->stop.data = w->renew.data = w;
		CHECK(uv_loop_init(&w->loop) == 0);
		CHECK(uv_async_init(&w->loop, &w->stop, on_stop) == 0);
		CHECK(uv_async_init(&w->loop, &w->renew, on_renew) == 0);
		CHECK(pthread_create(&w->thread, NULL, worker_run, w) == 0);
	}
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	s->started = true;
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
	s->started = false;
}

void server_free(struct server *s)
{
	if (s == NULL)
		return;
	server_stop(s);
	for (size_t i = 0; i < s->address_count; i++)
		close_address(s, i);
	for (unsigned i = 0; i < s->worker_count; i++) {
		struct worker *w = &s->worker[i];

		rrl_free(w->responder.limits);
		rrl_rules_free(w->rules);
		for (size_t k = 0; w->tls_fd != NULL && k < s->tls_count; k++) {
			if (w->tls_fd[k] >= 0)
				close(w->tls_fd[k]);
		}
		free(w->tls_fd);
		free(w->responder.stats);
		free(w->udp_fd);
		free(w->tcp_fd);
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
