/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_hostile.h"

#include <dirent.h>
#include <openssl/err.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/xalloc.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_mutate.h"
#include "tests/support/world_wire.h"

enum {
	LANES = 8,
	HELD = 32, /* connections that are left open for a while */
	GOOD = 4,
	BATCH = 63,           /* bad ones before a good one ... */
	BATCH_OCTETS = 80000, /* ... and no more than a socket's buffer holds, ... */
	SLOT_OCTETS = 1024,   /* ... with what the kernel keeps beside each */
	GOOD_ID = 0x8000,     /* bad ones have smaller IDs */
	ANSWER_MS = 10000,    /* for a busy machine */
	END_MS = 20000,       /* by which a connection must end: its idle time is 10 s */
	UDP_MOST = 1232,
	STREAM_ROOM = 4 * (MUTATE_ROOM + 2)
};

/* A client: one socket, so that all it sends comes to the same worker, in order. */
struct lane {
	int fd;
	bool is_proxied;
};

struct hostile {
	struct world *w;
	struct mutator m;
	const struct transport *transports;
	struct lane lane[LANES];
	int held[HELD]; /* 0: none */
	uint16_t id;
	size_t query_len[GOOD], answer_len[GOOD];
	uint8_t query[GOOD][512], answer[GOOD][UDP_MOST];
	struct hostile_tally tally;
};

static const char *const good[GOOD] = {
	HEAD("0100", "0000") "0178 0474726565 Z 0001 0001",
	HEAD("0000", "0000") "W 0001 0001",
	HEAD("0000", "0000") "05616c696173 Z 0001 0001",
	HEAD("0000", "0000") "N 0001 0001",
};

/* --- beginning and end --- */

static void open_lane(struct hostile *h, unsigned i)
{
	const struct transport *t = &h->transports[i % 4 == 3 ? 3 : 0];
	bool is_proxied = i % 4 == 1;
	struct world_question where = {.from = is_proxied ? PROBE_PROXY : NULL,
	                               .to = t->v6 ? "::1" : "127.0.0.1",
	                               .port = t->port};

	h->lane[i] = (struct lane){world_wire_open(h->w, &where), is_proxied};
}

struct hostile *hostile_new(struct world *w, uint64_t seed, const struct transport *transports)
{
	struct hostile *h = xcalloc(1, sizeof *h);

	signal(SIGPIPE, SIG_IGN);
	h->w = w;
	h->m = mutate_begin(seed);
	h->transports = transports;
	for (unsigned i = 0; i < GOOD; i++) {
		uint8_t reply[WIRE_ROOM];
		size_t len = probe_build(good[i], h->query[i]);
		size_t got = probe_exchange(w, &transports[0], NULL, h->query[i], len, reply);

		assert_in_range(got, PROBE_HEADER, UDP_MOST);
		h->query_len[i] = len;
		h->answer_len[i] = got;
		memcpy(h->answer[i], reply, got);
		h->tally.datagrams++;
	}
	for (unsigned i = 0; i < LANES; i++)
		open_lane(h, i);
	return h;
}

void hostile_free(struct hostile *h)
{
	hostile_let_go(h);
	for (unsigned i = 0; i < LANES; i++)
		close(h->lane[i].fd);
	free(h);
}

struct hostile_tally hostile_tally(const struct hostile *h) { return h->tally; }

/* --- good queries --- */

/* A good query with another ID; returns its number. */
static unsigned next_good(struct hostile *h, uint8_t out[512], size_t *len)
{
	unsigned which = mutate_below(&h->m, GOOD);

	h->id = (uint16_t)(h->id + 1) | GOOD_ID;
	memcpy(out, h->query[which], h->query_len[which]);
	bytes_put16(out, h->id);
	*len = h->query_len[which];
	return which;
}

static bool is_its_answer(const struct hostile *h, unsigned which, const uint8_t *reply, size_t len)
{
	return len == h->answer_len[which] && bytes_get16(reply) == h->id &&
	       memcmp(reply + 2, h->answer[which] + 2, len - 2) == 0;
}

/* --- datagrams --- */

static size_t put_header(struct hostile *h, const struct lane *l, bool may_be_bad,
                         uint8_t out[MUTATE_ROOM])
{
	size_t len;

	if (!l->is_proxied)
		return 0;
	len = world_wire_proxy(mutate_below(&h->m, 2) ? "127.0.0.1" : "::1", false, out);
	if (may_be_bad && mutate_below(&h->m, 4) == 0)
		len = mutate_change(&h->m, out, len);
	return len < WIRE_PROXY_ROOM ? len : WIRE_PROXY_ROOM;
}

static void send_datagram(struct hostile *h, const struct lane *l, const uint8_t *bytes, size_t len)
{
	if (send(l->fd, bytes, len, 0) != (ssize_t)len)
		world_fail(h->w, "a datagram of %zu octets cannot be sent", len);
	h->tally.datagrams++;
}

static size_t send_bad(struct hostile *h, const struct lane *l)
{
	uint8_t packet[WIRE_PROXY_ROOM + MUTATE_ROOM];
	size_t header = put_header(h, l, true, packet);
	size_t len = header +
	             mutate_message(&h->m, (uint16_t)mutate_below(&h->m, GOOD_ID), packet + header);

	send_datagram(h, l, packet, len);
	return SLOT_OCTETS + 2 * len;
}

/* Reads until the good query is answered; what comes before answers bad ones, and is well formed too. */
static void read_answers(struct hostile *h, const struct lane *l, unsigned which)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	uint64_t deadline = inside_now_ms() + ANSWER_MS;
	uint8_t reply[WIRE_ROOM];

	for (;;) {
		uint64_t now = inside_now_ms();
		struct probe_reply r;
		ssize_t len;

		if (now >= deadline || poll(&p, 1, (int)(deadline - now)) != 1)
			break;
		len = recv(l->fd, reply, sizeof reply, 0);
		if (len > 0 && is_its_answer(h, which, reply, (size_t)len)) {
			h->tally.good++;
			return;
		}
		if (len < PROBE_HEADER || len > UDP_MOST || (reply[2] & 0x80) == 0 ||
		    !probe_read(reply, (size_t)len, &r))
			world_fail(h->w, "a bad answer of %zd octets to a bad query", len);
		h->tally.replies++;
	}
	inside_demand_alive(h->w);
	world_fail(h->w, "'%s' is not answered as before, after %.0f datagrams", good[which],
	           h->tally.datagrams);
}

void hostile_packets(struct hostile *h, unsigned count)
{
	while (count > 0) {
		const struct lane *l = &h->lane[mutate_below(&h->m, LANES)];
		size_t octets = 0, header, len;
		uint8_t packet[WIRE_PROXY_ROOM + MUTATE_ROOM];
		unsigned which;

		for (unsigned i = 0; i < BATCH && count > 0 && octets < BATCH_OCTETS; i++, count--)
			octets += send_bad(h, l);
		header = put_header(h, l, false, packet);
		which = next_good(h, packet + header, &len);
		send_datagram(h, l, packet, header + len);
		read_answers(h, l, which);
	}
}

/* --- streams --- */

/* What comes of it is nighd's affair: it may have closed. */
static void push(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void push_noise(struct hostile *h, int fd)
{
	uint8_t noise[600];
	size_t len = mutate_below(&h->m, sizeof noise);

	for (size_t i = 0; i < len; i++)
		noise[i] = (uint8_t)mutate_below(&h->m, 256);
	push(fd, noise, len);
}

/* Having said that nothing more comes, nighd must end it, whatever came before. */
static void read_to_the_end(struct hostile *h, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t deadline = inside_now_ms() + END_MS;
	uint8_t bytes[4096];

	(void)shutdown(fd, SHUT_WR);
	for (;;) {
		uint64_t now = inside_now_ms();

		if (now >= deadline || poll(&p, 1, (int)(deadline - now)) != 1)
			world_fail(h->w, "a connection that is half closed does not end");
		if (recv(fd, bytes, sizeof bytes, 0) <= 0)
			return;
	}
}

/* With FIN, with RST, half closed, or after a look at what came. */
static void end_stream(struct hostile *h, int fd)
{
	static const struct linger at_once = {1, 0};
	uint8_t bytes[4096];

	switch (mutate_below(&h->m, 4)) {
	case 0:
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		break;
	case 1:
		read_to_the_end(h, fd);
		break;
	case 2:
		(void)recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
		break;
	default:
		break;
	}
}

/* Up to four messages with their lengths, of which some may lie, the last one cut now and then. */
static size_t gather(struct hostile *h, uint8_t out[STREAM_ROOM])
{
	size_t len = 0;

	for (unsigned i = 1 + mutate_below(&h->m, 4); i > 0; i--) {
		uint8_t message[MUTATE_ROOM];
		size_t message_len = mutate_below(&h->m, 3) == 0
		                             ? mutate_pick(&h->m, message)
		                             : mutate_message(&h->m, 7, message);

		len += world_wire_frame(message, message_len, out + len);
		if (mutate_below(&h->m, 4) == 0)
			bytes_put16(out + len - message_len - 2,
			            (uint16_t)mutate_below(&h->m, 0x10000));
	}
	return mutate_below(&h->m, 3) == 0 ? mutate_below(&h->m, (unsigned)len + 1) : len;
}

/* Left half done for a while, so that others come between; the one in its place goes on, and ends. */
static void leave(struct hostile *h, int fd)
{
	int *held = &h->held[mutate_below(&h->m, HELD)], before = *held;
	uint8_t bytes[STREAM_ROOM];

	*held = fd;
	if (before == 0)
		return;
	push(before, bytes, gather(h, bytes));
	end_stream(h, before);
	close(before);
}

void hostile_let_go(struct hostile *h)
{
	for (unsigned i = 0; i < HELD; i++) {
		if (h->held[i] != 0)
			close(h->held[i]);
		h->held[i] = 0;
	}
}

static int connect_to(struct hostile *h, const struct transport *t, bool behind_proxy)
{
	struct world_question where = {.from = behind_proxy ? PROBE_PROXY : NULL,
	                               .to = t->v6 ? "::1" : "127.0.0.1",
	                               .port = t->port};

	return world_wire_connect_to(h->w, &where);
}

static void push_header(struct hostile *h, int fd)
{
	uint8_t header[MUTATE_ROOM];
	size_t len = world_wire_proxy("127.0.0.1", true, header);

	if (mutate_below(&h->m, 2) == 0)
		len = mutate_change(&h->m, header, len);
	push(fd, header, len);
}

static void bad_tcp(struct hostile *h, const struct transport *t)
{
	bool behind_proxy = !t->v6 && mutate_below(&h->m, 4) == 0;
	int fd = connect_to(h, t, behind_proxy);
	uint8_t bytes[STREAM_ROOM];
	size_t len = gather(h, bytes);

	if (behind_proxy)
		push_header(h, fd);
	switch (mutate_below(&h->m, 4)) {
	case 0:
		push_noise(h, fd);
		break;
	case 1:
		for (size_t i = 0; i < len && i < 200; i++)
			push(fd, bytes + i, 1);
		break;
	default:
		push(fd, bytes, len);
		break;
	}
	if (mutate_below(&h->m, 3) == 0) {
		leave(h, fd);
		return;
	}
	end_stream(h, fd);
	close(fd);
}

/* A handshake with something wrong in it. */
static void bad_handshake(struct hostile *h, const struct transport *t)
{
	bool behind_proxy = !t->v6 && mutate_below(&h->m, 4) == 0;
	int fd = connect_to(h, t, behind_proxy);
	uint8_t hello[MUTATE_ROOM];
	size_t len = tls_client_hello(hello, sizeof hello);

	if (behind_proxy)
		push_header(h, fd);
	switch (mutate_below(&h->m, 4)) {
	case 0:
		push_noise(h, fd);
		break;
	case 1:
		push(fd, hello, mutate_below(&h->m, (unsigned)len));
		break;
	case 2:
		push(fd, hello, mutate_change(&h->m, hello, len));
		break;
	default:
		push(fd, hello, len);
		push_noise(h, fd);
		break;
	}
	end_stream(h, fd);
	close(fd);
}

static void open_session(struct hostile *h, const struct transport *t, int version,
                         struct probe_stream *s)
{
	int fd = connect_to(h, t, false);

	*s = (struct probe_stream){.is_tls = true, .tls.fd = fd};
	tls_client_begin(h->w, &s->tls, fd, version, mutate_below(&h->m, 2) == 0);
}

static void renegotiate(struct probe_stream *s)
{
	uint8_t bytes[512];

	(void)SSL_renegotiate(s->tls.ssl);
	(void)SSL_do_handshake(s->tls.ssl);
	(void)recv(s->tls.fd, bytes, sizeof bytes, MSG_DONTWAIT);
}

/* A good handshake, and then no good end. */
static void bad_session(struct hostile *h, const struct transport *t)
{
	unsigned kind = mutate_below(&h->m, 5);
	uint8_t bytes[STREAM_ROOM];
	size_t len = gather(h, bytes);
	struct probe_stream s;

	open_session(h, t, mutate_below(&h->m, 2) || kind == 0 ? TLS1_2_VERSION : TLS1_3_VERSION,
	             &s);
	if (kind == 0)
		renegotiate(&s);
	else if (kind == 1)
		push_noise(h, s.tls.fd);
	else if (kind == 2)
		for (size_t i = 0; i < len && i < 100; i++)
			(void)SSL_write(s.tls.ssl, bytes + i, 1);
	else if (len > 0)
		(void)SSL_write(s.tls.ssl, bytes, (int)len);
	if (kind == 4)
		(void)SSL_shutdown(s.tls.ssl);
	end_stream(h, s.tls.fd);
	probe_stream_close(&s);
}

static void good_stream(struct hostile *h, const struct transport *t)
{
	uint8_t query[512], reply[WIRE_ROOM];
	size_t len, got;
	unsigned which = next_good(h, query, &len);

	got = probe_exchange(h->w, t, NULL, query, len, reply);
	if (!is_its_answer(h, which, reply, got))
		world_fail(h->w, "'%s' is not answered as before over %s, after %.0f streams",
		           good[which], t->label, h->tally.streams);
	h->tally.good++;
}

void hostile_streams(struct hostile *h, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct transport *t = &h->transports[1 + i % 2 + 3 * (i / 2 % 2)];

		if (t->kind == PROBE_TCP)
			bad_tcp(h, t);
		else if (mutate_below(&h->m, 2) == 0)
			bad_handshake(h, t);
		else
			bad_session(h, t);
		ERR_clear_error();
		h->tally.streams++;
		if (i % 16 == 15)
			good_stream(h, &h->transports[1 + mutate_below(&h->m, 2) +
			                              3 * mutate_below(&h->m, 2)]);
	}
}

/* --- what nighd has --- */

/* How many there is room for: nighd is not dumpable, so only root may count them. */
static unsigned read_table_size(struct world *w)
{
	struct text status = {0};
	char path[64];
	const char *at;
	unsigned size;

	snprintf(path, sizeof path, "/proc/%d/status", world_pid(w));
	at = inside_read_file(path, &status) ? strstr(status.data, "FDSize:") : NULL;
	if (at == NULL)
		world_fail(w, "%s cannot be read", path);
	size = (unsigned)strtoul(at + strlen("FDSize:"), NULL, 10);
	text_fini(&status);
	return size;
}

static unsigned count_descriptors(struct world *w)
{
	char path[64];
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", world_pid(w));
	dir = opendir(path);
	if (dir == NULL)
		return read_table_size(w);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 2;
}

unsigned hostile_descriptors(struct world *w)
{
	enum { LOOKS = 50 };
	unsigned least = UINT32_MAX;

	for (unsigned i = 0; i < LOOKS; i++) {
		unsigned count = count_descriptors(w);

		least = count < least ? count : least;
		inside_rest();
	}
	return least;
}

double hostile_resident(struct world *w)
{
	return world_metric(w, "process_resident_memory_bytes");
}

double hostile_metric_sum(struct world *w, const char *name)
{
	const char *at = world_get(w, "/metrics", NULL);
	size_t len = strlen(name);
	double sum = 0;

	for (; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, name, len) == 0 && (at[len] == '{' || at[len] == ' '))
			sum += strtod(at + strcspn(at, " \n"), NULL);
		if (*at == '\0')
			break;
	}
	return sum;
}
