/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/proxy.h"

enum {
	BATCH = 64,
	ROUNDS = 16,      /* full batches before other sockets have their turn */
	QUERY_MAX = 4096, /* the rest of a longer one is cut, so that it is FORMERR */
	CONTROL_SIZE = CMSG_SPACE(sizeof(struct in6_pktinfo)),
	SOCKET_BUFFER = 4 << 20,
	IPV6_LEAST_MTU = 1280 /* RFC 8200 5 */
};

union source {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* One message's places in a batch. */
struct slot {
	union source source;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
	struct iovec in,
		out; /* what is received here, and what is sent from here: of another message if one was not answered */
};

struct udp_batch {
	struct reader *reader;
	struct responder *responder;
	const struct udp *last; /* whose messages `in` was made ready for */
	unsigned used;          /* of `in`, since then */
	struct mmsghdr in[BATCH], out[BATCH];
	struct slot slot[BATCH];
	uint8_t query[BATCH][QUERY_MAX];
	uint8_t answer[BATCH][EDNS_UDP_SIZE];
};

struct udp {
	uv_poll_t poll;
	int fd;
	bool wildcard;
	struct udp_batch *batch;
};

/* --- sockets --- */

static void set_option(int fd, int level, int name, int value)
{
	/* All of these are improvements; a kernel without one still serves. */
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

static void set_options(int fd, const struct addr *addr)
{
	bool wildcard = addr_is_any(addr);

	set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	if (addr->family == ADDR_IPV4) {
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
		set_option(fd, IPPROTO_IP, IP_PKTINFO, wildcard);
	} else {
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
		/* What every path takes, and in one piece: no answer is longer. */
		set_option(fd, IPPROTO_IPV6, IPV6_MTU, IPV6_LEAST_MTU);
		set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, wildcard);
	}
}

enum err udp_open(const struct addr *addr, uint16_t port, bool shared, int *fd, struct reason *why)
{
	struct sockaddr_storage sa;
	socklen_t sa_len = addr_to_sockaddr(addr, port, &sa);
	int saved;

	*fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return reason_set(why, ERR_IO, "socket: %s", strerror(errno));
	set_options(*fd, addr);
	if (shared)
		set_option(*fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind(*fd, (struct sockaddr *)&sa, sa_len) == 0)
		return ERR_OK;
	saved = errno;
	close(*fd);
	*fd = -1;
	return reason_set(why,
	                  saved == EACCES       ? ERR_DENIED
	                  : saved == EADDRINUSE ? ERR_CONFLICT
	                                        : ERR_IO,
	                  "UDP: %s", strerror(saved));
}

/* --- batches --- */

struct udp_batch *udp_batch_new(struct reader *reader, struct responder *responder)
{
	struct udp_batch *b = xcalloc(1, sizeof *b);

	b->reader = reader;
	b->responder = responder;
	for (unsigned i = 0; i < BATCH; i++) {
		struct slot *slot = &b->slot[i];

		slot->in = (struct iovec){b->query[i], QUERY_MAX};
		b->in[i].msg_hdr = (struct msghdr){
			.msg_name = &slot->source, .msg_iov = &slot->in, .msg_iovlen = 1};
		slot->out = (struct iovec){b->answer[i], 0};
		b->out[i].msg_hdr = (struct msghdr){.msg_iov = &slot->out, .msg_iovlen = 1};
	}
	return b;
}

void udp_batch_free(struct udp_batch *b) { free(b); }

/* Makes `in` ready for a socket.  The kernel overwrites the lengths of what it uses, but those of the name are the same for
 * all messages of a socket. */
static void prepare(struct udp *u)
{
	struct udp_batch *b = u->batch;
	unsigned stale = b->last != u ? BATCH : u->wildcard ? b->used : 0;

	for (unsigned i = 0; i < stale; i++) {
		b->in[i].msg_hdr.msg_namelen = sizeof(union source);
		b->in[i].msg_hdr.msg_control = u->wildcard ? b->slot[i].control : NULL;
		b->in[i].msg_hdr.msg_controllen = u->wildcard ? CONTROL_SIZE : 0;
	}
}

static unsigned receive(struct udp *u)
{
	struct udp_batch *b = u->batch;
	int n;

	prepare(u);
	n = recvmmsg(u->fd, b->in, BATCH, MSG_DONTWAIT, NULL);
	b->last = u;
	b->used = n > 0 ? (unsigned)n : 0;
	return b->used;
}

/* A reply's source is the query's destination; which way it goes is the routing table's affair,
 * but for link-local addresses. */
static void turn_around(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			info.ipi_ifindex = 0;
			memcpy(CMSG_DATA(c), &info, sizeof info);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				info.ipi6_ifindex = 0;
			memcpy(CMSG_DATA(c), &info, sizeof info);
		}
	}
}

/* addr_from_sockaddr() without what is not asked for here. */
static void find_client(const union source *source, struct addr *out)
{
	bool is_v6 = source->any.sa_family == AF_INET6;

	*out = (struct addr){.family = is_v6 ? ADDR_IPV6 : ADDR_IPV4};
	if (is_v6)
		memcpy(out->bytes, &source->v6.sin6_addr, 16);
	else
		memcpy(out->bytes, &source->v4.sin_addr, 4);
}

/* What a message asks, and who does. */
struct asked {
	const uint8_t *query;
	size_t len;
	struct addr client;
};

/* From a listed proxy, the header says who asks; without one that is whole nobody knows, so nobody is answered. */
static bool take_off_header(struct responder *r, struct asked *m)
{
	struct proxy header;
	struct stats *stats = r->stats;

	if (proxy_parse(m->query, m->len, &header) != PROXY_WHOLE) {
		stats_add(&stats->events[STATS_RECEIVED], 1);
		stats_add(&stats->events[STATS_PROXY_BROKEN], 1);
		return false;
	}
	stats_add(&stats->events[STATS_PROXIED], 1);
	m->query += header.len;
	m->len -= header.len;
	if (header.client.family != ADDR_NONE)
		m->client = header.client;
	return true;
}

/* Answers message i into place `to` of the outgoing batch; false: nothing to say. */
static bool answer(struct udp_batch *b, const struct snapshot *s, unsigned i, unsigned to)
{
	struct msghdr *in = &b->in[i].msg_hdr, *out = &b->out[to].msg_hdr;
	struct responder *r = b->responder;
	struct asked m;
	size_t len;

	m.query = b->query[i];
	m.len = b->in[i].msg_len;
	find_client(&b->slot[i].source, &m.client);
	if (r->proxies != NULL && netset_has(r->proxies, &m.client) && !take_off_header(r, &m))
		return false;
	len = respond(r, s, STATS_UDP, &m.client, m.query, m.len, b->answer[to]);
	if (len == 0)
		return false;
	b->slot[to].out.iov_len = len;
	out->msg_name = in->msg_name;
	out->msg_namelen = in->msg_namelen;
	if (in->msg_controllen > 0)
		turn_around(in);
	out->msg_control = in->msg_control;
	out->msg_controllen = in->msg_controllen;
	return true;
}

/* What the kernel does not take at once is dropped and counted: a resolver asks again. */
static void send_all(struct udp *u, unsigned count)
{
	struct udp_batch *b = u->batch;
	unsigned done = 0, dropped = 0;

	while (done < count) {
		int n = sendmmsg(u->fd, b->out + done, count - done, MSG_DONTWAIT);

		if (n > 0) {
			done += (unsigned)n;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
			dropped += count - done;
			done = count;
		} else {
			/* This one cannot be sent (port 0, no route); the others can. */
			dropped++;
			done++;
		}
	}
	if (dropped > 0)
		stats_add(&b->responder->stats->events[STATS_UNSENT], dropped);
}

/* Returns how many were received. */
static unsigned answer_batch(struct udp *u)
{
	struct udp_batch *b = u->batch;
	unsigned count = receive(u), to = 0;
	const struct snapshot *s;

	if (count == 0)
		return 0;
	stats_add(&b->responder->stats->events[STATS_BATCHES], 1);
	if (b->responder->limits != NULL)
		rrl_set_now(b->responder->limits, clock_monotonic_ms());
	s = reader_take(b->reader);
	for (unsigned i = 0; i < count; i++)
		to += answer(b, s, i, to);
	reader_rest(b->reader);
	send_all(u, to);
	return count;
}

/* --- on the loop --- */

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct udp *u = poll->data;

	(void)events;
	for (unsigned i = 0; i < ROUNDS && answer_batch(u) == BATCH; i++)
		;
	/* libuv stops watching a socket with a pending error; receiving has cleared it. */
	if (status < 0)
		CHECK(uv_poll_start(&u->poll, UV_READABLE, on_event) == 0);
}

struct udp *udp_start(uv_loop_t *loop, int take_fd, bool wildcard, struct udp_batch *batch)
{
	struct udp *u = xcalloc(1, sizeof *u);

	u->fd = take_fd;
	u->wildcard = wildcard;
	u->batch = batch;
	u->poll.data = u;
	CHECK(uv_poll_init(loop, &u->poll, take_fd) == 0);
	CHECK(uv_poll_start(&u->poll, UV_READABLE, on_event) == 0);
	return u;
}

static void on_closed(uv_handle_t *handle)
{
	struct udp *u = handle->data;

	close(u->fd);
	u->fd = -1;
}

void udp_stop(struct udp *u)
{
	for (unsigned i = 0; i < ROUNDS && answer_batch(u) > 0; i++)
		;
	uv_close((uv_handle_t *)&u->poll, on_closed);
}

void udp_free(struct udp *u) { free(u); }
