/* server.h -- sockets and workers: everything between the kernel and answer_decide().
 *
 * N workers, each a thread with its own loop and its own SO_REUSEPORT sockets (sockets.h), UDP and
 * TCP, on every listening address.  A worker takes a snapshot per batch and rests.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_SERVER_H
#define DNSD_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/conf.h"
#include "base/err.h"
#include "dnsd/rrl.h"
#include "dnsd/sockets.h"
#include "dnsd/stats.h"
#include "dnsd/tcp.h"
#include "zones/handover.h"

struct server;
struct transfers;

struct server_address {
	struct addr addr;
	uint16_t port;
};

/* Binds all sockets of all workers (before privileges are dropped), and raises the process's limit of
 * open files to what it may have, for TCP.  Port 0: the kernel chooses one,
 * the same for UDP and TCP.  Addresses that `given` (NULL: none) has sockets of are not bound: these are taken out of
 * it.  ERR_DENIED, ERR_CONFLICT, ERR_IO with the address in `why`. */
enum err server_bind(const struct server_address *addresses, size_t count, unsigned workers,
                     struct sockets *given, struct server **out, struct reason *why) MUST_CHECK;
/* Networks from which the PROXY protocol is spoken, and only that (copied); before server_start(). */
void server_set_proxies(struct server *s, const struct conf_strings *networks);
/* Limits the rate of answers over UDP from now on; whenever, on one thread. */
void server_set_limits(struct server *s, const struct rrl_settings *settings);
/* As rrl_table_notice(), on the same thread. */
bool server_next_limited(struct server *s, struct addr_network *out);
/* The addresses as bound. */
const struct server_address *server_addresses(const struct server *s, size_t *count);
/* Binds all workers' sockets for DNS over TLS as well, once and before the start; `tls` is borrowed until server_free().
 * Errors as server_bind(). */
enum err server_bind_tls(struct server *s, const struct server_address *addresses, size_t count,
                         struct sockets *given, struct tls *tls, struct reason *why) MUST_CHECK;
/* The addresses for TLS as bound, and what is shown there; NULL: none. */
const struct server_address *server_tls_addresses(const struct server *s, size_t *count);
const struct tls *server_tls(const struct server *s);
/* Before the start, and before another thread looks; else tcp_limits_usual() hold.  Fewer connections where the process may not open so many files. */
void server_limit_tcp(struct server *s, const struct tcp_limits *limits);
/* Connections at this moment.  Any thread. */
unsigned server_connections(const struct server *s);
/* Starts the worker threads; they read snapshots from `h`.  Where sockets were given and are fewer than workers, further
 * ones are opened now. */
void server_start(struct server *s, struct handover *h);
/* Before server_start(): where zones for secondaries are to be had (borrowed). */
void server_set_transfers(struct server *s, struct transfers *t);
/* What the workers of a started server listen with, for another process to have as well; nobody closes these but the
 * server. */
const struct sockets *server_sockets(const struct server *s);
/* Another process has the sockets now: no more is taken from them, and connections leave or end as tcp_retire() says. */
void server_retire(struct server *s);
/* Adds those that have left, and are the caller's now (`addr`: the client). */
void server_take_left(struct server *s, struct sockets *out);
/* One that has left another process, for a worker of a started server. */
void server_adopt(struct server *s, int take_fd, const struct addr *client);
/* Answers what was received, then ends the workers and closes the sockets.  Blocks for at most a second. */
void server_stop(struct server *s);
void server_free(struct server *s);
/* How many connections of `wanted` there can be when the process may open `descriptors` files: some are kept back for
 * files, probes and the status; each worker has TCP_MIN_CONNECTIONS, unless fewer are wanted. */
unsigned server_tcp_most(uint64_t descriptors, unsigned workers, uint64_t wanted);
/* The sum over all workers.  Any thread. */
void server_stats(const struct server *s, struct stats *out);

#endif
