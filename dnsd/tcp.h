/* tcp.h -- DNS over TCP (RFC 7766), and over TLS on it (RFC 7858), on a worker's loop.
 *
 * Queries of one connection are answered in order, as many as there are; while a zone is transferred, in between.  All that a client
 * can fill has a limit: connections, a query's length, answers that it does not read, silence.
 * From the responder's proxies a PROXY header comes before all else, and names the client.
 * What all of them get in one turn of the loop has one too, so that UDP, and each other connection,
 * has its turn: who asks for more waits in line, its queries with it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TCP_H
#define DNSD_TCP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/err.h"
#include "dnsd/quota.h"
#include "dnsd/respond.h"
#include "dnsd/tls.h"
#include "zones/handover.h"

enum {
	TCP_BACKLOG = 511,         /* connections that wait in the kernel to be accepted */
	TCP_MIN_CONNECTIONS = 8,   /* of each worker, however few descriptors there are */
	TCP_MAX_QUERY = 8192,      /* bytes; a longer one ends the connection */
	TCP_MAX_QUERIES = 1 << 23, /* of one connection, which then ends */
	TCP_MAX_UNSENT = 65536,    /* bytes of answers; above, reading pauses */
	TCP_TURN_ANSWERS = 128,    /* of all connections in one turn of the loop ... */
	TCP_TURN_BYTES = 131072,   /* ... and bytes; the last answer may go beyond */
	TCP_HANDSHAKE_MS =
		5000, /* for a PROXY header and a TLS handshake, or the idle time when that is less */
	TCP_HANDSHAKE_COST = 64, /* answers of a turn that a step of a TLS handshake stands for */
	TCP_RETIRED_MS =
		1000,        /* connections go on for, when another process accepts the next ones */
	TCP_WRITE_MS = 10000 /* without the client reading any of what waits */
};

struct tcp;
struct transfers_desk;

/* What an operator may set, and what a test may. */
struct tcp_limits {
	uint64_t max_connections; /* of all workers; for one more, the idlest is closed */
	uint64_t
		max_per_network; /* of all workers; one more is closed, unless the responder's limits exempt it */
	uint64_t idle_ms;     /* without a query that was answered, while there is room */
	uint64_t max_queries; /* of one connection */
};
/* 10,000, 200, 10 s, TCP_MAX_QUERIES. */
struct tcp_limits tcp_limits_usual(void);

/* A socket bound to the address (shared: with SO_REUSEPORT), and listening.  Port 0: the kernel chooses, see
 * *port_out.  ERR_DENIED, ERR_CONFLICT, ERR_IO. */
enum err tcp_open(const struct addr *addr, uint16_t port, bool shared, int *fd, uint16_t *port_out,
                  struct reason *why) MUST_CHECK;

/* What counts as one client: its /32 (IPv4) or /56 (IPv6). */
struct addr tcp_network(const struct addr *client);
/* The silence that is allowed while `count` of `most` connections are there: up to half of them idle_ms, then less
 * and less, a fifth of it when all are taken (RFC 7766 6.2.3). */
uint64_t tcp_idle(uint64_t idle_ms, unsigned count, unsigned most);

/* Borrows reader, responder (whose idle_ms it keeps true) and quota, which says how many connections there may be. */
struct tcp *tcp_new(uv_loop_t *loop, struct reader *reader, struct responder *responder,
                    const struct tcp_limits *limits, struct quota *quota);
/* Where transfers are asked for (borrowed); NULL, as at first: there are none, and who asks gets SERVFAIL. */
void tcp_set_desk(struct tcp *t, struct transfers_desk *desk);
/* `tls` (borrowed): what comes is TLS and nothing else; NULL: plain. */
enum err tcp_listen(struct tcp *t, int take_fd, struct tls *tls, struct reason *why) MUST_CHECK;
/* Accepts no more: another process does, on the same sockets.  Plain connections leave, as duplicates for that process, as
 * soon as nothing of theirs is under way; those of TLS, whose state cannot, end after TCP_RETIRED_MS as soon as they may. */
typedef void tcp_on_leave_fn(int take_fd, const struct addr *client, void *arg);
void tcp_retire(struct tcp *t, tcp_on_leave_fn *on_leave, void *arg);
/* A connection that has left another process, which stood between two messages; its client may have been named by a
 * proxy. */
void tcp_adopt(struct tcp *t, int take_fd, const struct addr *client);
/* Answers what has been sent by now, also on connections not accepted yet; then reads no more,
 * sends what waits, closes: in half a second at most.  Free after the loop has ended. */
void tcp_stop(struct tcp *t);
void tcp_free(struct tcp *t);

#endif
