/* tcp_inside.h -- what tcp*.c share: a worker's connections, and what becomes of one.
 *
 * tcp.c lets connections in, ends those that are silent, and ends all; tcp_connection.c has their
 * bytes: turns, queries in, answers out, plain or sealed; tcp_transfer.c the zones that go over one, between other
 * answers.  The worker's thread alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TCP_INSIDE_H
#define DNSD_TCP_INSIDE_H

#include "dnsd/tcp.h"
#include "dnsd/tls_stream.h"
#include "dnsd/transfers.h"

enum {
	TCP_CHUNK = 4096,   /* bytes read at once: small, as UDP waits meanwhile */
	TCP_GATHER = 16384, /* answers written in one call, if there are so many */
	TCP_ANSWER_MAX = 2 + 65535,
	TCP_TRANSFERS_MOST = 32,      /* of a worker at a time ... */
	TCP_TRANSFERS_OF_NETWORK = 8, /* ... and of one client network, unless it is exempt */
	TCP_TRANSFERS_LATER = 8       /* of a connection, that wait for the one under way */
};

struct listener {
	uv_tcp_t handle;
	struct tcp *tcp;
	struct tls *tls; /* NULL: plain */
	struct listener *next;
};

struct tcp_later;

struct connection {
	uv_tcp_t handle;
	struct tcp *tcp;
	struct tls_stream *tls; /* NULL: plain */
	struct connection *prev, *next;
	struct addr client;
	struct addr network; /* of the client, counted; ADDR_NONE: not limited */
	uint64_t queries;    /* that were answered */
	uint64_t active_at;  /* last query that was answered */
	uint64_t write_at;   /* last time that something waiting was taken; 0: nothing waits */
	size_t unsent;
	size_t queued;                      /* what libuv still held at the last sweep */
	bool awaits_header;                 /* of the PROXY protocol; pending is to become one */
	bool is_open;                       /* a TLS handshake is done */
	bool bars_transfers;                /* its TLS is none for them */
	bool ended;                         /* the client sends no more */
	bool has_sealed;                    /* of what it sent some is not unsealed yet */
	bool in_line;                       /* for its turn; not read from meanwhile */
	struct connection *before, *behind; /* in line */
	struct transfers_request *asked;    /* for a transfer, the one under way ... */
	struct transfer *transfer;          /* ... or it is being sent; NULL: none */
	struct tcp_later *later, *latest;   /* to be asked for then: the first, and the last */
	unsigned later_count;
	uint8_t *pending; /* received, not answered yet */
	size_t pending_len;
};

struct tcp {
	uv_loop_t *loop;
	struct transfers_desk *desk; /* where transfers are asked for; NULL: nowhere */
	/* Whose transfers are under way; NULL: a free place. */
	const struct connection *transferring[TCP_TRANSFERS_MOST];
	struct reader *reader;
	struct responder *responder;
	uv_timer_t sweep;
	struct tcp_limits limits;
	struct quota *quota;
	struct listener *listeners;
	struct connection *first_connection, *last_connection; /* the idlest is the last */

	uv_idle_t turn; /* active while somebody is in line, and during the last call */
	struct connection *first, *last;   /* in line */
	unsigned answers_left, bytes_left; /* of this turn; at 0 everyone stands in line */

	uint64_t retired_at; /* since then nothing is accepted; 0: it is not so */
	tcp_on_leave_fn *on_leave;
	void *leave_arg;
	uint64_t stop_at; /* since then it is the last call; 0: it is not */
	bool was_busy;    /* since the turn began something came or went on */
	bool is_ending;   /* the last call is over: nothing is read any more */
	uint8_t chunk[TCP_CHUNK];
	uint8_t plain[TLS_RECORD];
	uint8_t out[TCP_GATHER + TCP_ANSWER_MAX];
};

static inline void tcp_count(struct tcp *t, enum stats_event event, uint64_t n)
{
	stats_add(&t->responder->stats->events[event], n);
}

/* --- turns --- */

static inline bool tcp_has_turn(const struct tcp *t)
{
	return t->answers_left > 0 && t->bytes_left > 0;
}

static inline void tcp_spend(struct tcp *t, size_t answer)
{
	t->answers_left--;
	t->bytes_left -= answer < t->bytes_left ? (unsigned)answer : t->bytes_left;
}

/* The client does not read. */
static inline bool tcp_is_paused(const struct connection *c) { return c->unsent > TCP_MAX_UNSENT; }

/* --- connections --- */

/* A new connection, among the others of its tcp. */
void tcp_connection_put(struct connection *c);
/* It has just been of use: the least idle of all. */
void tcp_connection_touch(struct connection *c);
/* Has its client not too many?  Else it is closed, and counted as refused. */
bool tcp_connection_admit(struct connection *c);
/* Begins to read from it. */
void tcp_connection_start(struct connection *c);
/* It is freed once the loop has closed it; twice is once. */
void tcp_connection_close(struct connection *c);
/* Sends framed answers, or keeps them until the client reads. */
void tcp_connection_send(struct connection *c, const uint8_t *data, size_t len);
/* Goes on with what was received, then with reading, or in a later turn. */
void tcp_connection_go_on(struct connection *c);

/* The query that was just taken apart asks for a transfer that may be had: in its turn among those of the connection. */
void tcp_transfer_begin(struct connection *c);
/* Sends of the one under way at most so many messages, in the turn, as far as the client reads. */
void tcp_transfer_send(struct connection *c, unsigned most);
/* No query is taken apart any more until one has ended. */
static inline bool tcp_transfer_is_full(const struct connection *c)
{
	return c->later_count >= TCP_TRANSFERS_LATER;
}
void tcp_transfer_forget(struct connection *c); /* all of them */

/* Once in each turn of the loop, before it looks at the sockets, UDP's among them: who stands in line has a turn. */
void tcp_take_turn(uv_idle_t *turn);
/* The last call is over: nothing is accepted or read any more (in tcp.c). */
void tcp_begin_end(struct tcp *t);

#endif
