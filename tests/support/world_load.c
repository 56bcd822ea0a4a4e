/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_load.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/xalloc.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_wire.h"

enum {
	TARGETS_MOST = 4,
	SOCKETS = 8, /* of each target, so that every worker is asked */
	PATIENCE_S = 5,
	TCP_REST_MS = 10,
	BUFFER = 1 << 20,
	IDS = 65536
};

struct target {
	struct sockaddr_storage sa;
	socklen_t sa_len;
	int udp[SOCKETS];
	uint16_t next_id[SOCKETS];
	uint8_t *is_open[SOCKETS]; /* by ID: asked, not answered yet */
	int kept;                  /* -1: no connection */
};

struct world_load {
	pthread_t udp_thread, tcp_thread;
	struct target target[TARGETS_MOST];
	size_t count;
	unsigned per_second;
	uint8_t query[512], framed[514];
	size_t len;
	uint8_t address[4];
	unsigned open; /* over UDP, not answered yet */
	_Atomic bool ends;
	pthread_mutex_t lock; /* of the result */
	struct world_load_result result;
};

static void note(struct world_load *l, unsigned *counter, const char *what)
{
	pthread_mutex_lock(&l->lock);
	++*counter;
	if (what != NULL)
		snprintf(l->result.what, sizeof(l->result.what), "%s", what);
	pthread_mutex_unlock(&l->lock);
}

/* NULL, or what is wrong with it. */
static const char *fault_of(const struct world_load *l, const uint8_t *reply, size_t len)
{
	static _Thread_local char text[64];

	if (len < 12 + sizeof(l->address))
		return "short answer";
	if ((reply[2] & 0x80) == 0 || (reply[3] & 0x0f) != 0 || bytes_get16(reply + 6) != 1) {
		snprintf(text, sizeof(text), "rcode %u, %u records", reply[3] & 0x0fU,
		         (unsigned)bytes_get16(reply + 6));
		return text;
	}
	return memcmp(reply + len - 4, l->address, 4) == 0 ? NULL : "another address";
}

static void rest(unsigned ms)
{
	struct timespec t = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&t, NULL);
}

/* --- UDP --- */

static void ask_udp(struct world_load *l, struct target *t, unsigned socket)
{
	uint16_t id = t->next_id[socket]++;

	l->query[0] = (uint8_t)(id >> 8);
	l->query[1] = (uint8_t)id;
	t->is_open[socket][id] = 1;
	l->open++;
	note(l, &l->result.udp, NULL);
	/* A refusal of the one before is told here: then this one has not gone out. */
	if (send(t->udp[socket], l->query, l->len, 0) < 0)
		(void)send(t->udp[socket], l->query, l->len, 0);
}

static void hear_udp(struct world_load *l, struct target *t, unsigned socket)
{
	uint8_t reply[512];
	ssize_t got;

	while ((got = recv(t->udp[socket], reply, sizeof(reply), MSG_DONTWAIT)) >= 2) {
		uint16_t id = bytes_get16(reply);
		const char *fault = fault_of(l, reply, (size_t)got);

		if (!t->is_open[socket][id])
			fault = "answered twice";
		else
			l->open--;
		t->is_open[socket][id] = 0;
		if (fault != NULL)
			note(l, &l->result.wrong, fault);
	}
}

static void hear_all(struct world_load *l)
{
	for (size_t i = 0; i < l->count; i++)
		for (unsigned k = 0; k < SOCKETS; k++)
			hear_udp(l, &l->target[i], k);
}

static void *run_udp(void *arg)
{
	struct world_load *l = arg;
	uint64_t began = inside_now_ms(), until;
	unsigned asked = 0;

	while (!l->ends) {
		uint64_t due = (inside_now_ms() - began) * l->per_second / 1000;

		/* What was missed while this thread had no CPU is not made up for at once. */
		for (unsigned n = 0; asked < due && n < 50; n++, asked++)
			ask_udp(l, &l->target[asked % l->count], asked / l->count % SOCKETS);
		hear_all(l);
		rest(1);
	}
	until = inside_now_ms() + PATIENCE_S * 1000;
	while (l->open > 0 && inside_now_ms() < until) {
		hear_all(l);
		rest(1);
	}
	for (; l->open > 0; l->open--)
		note(l, &l->result.lost, "no answer over UDP");
	return NULL;
}

/* --- TCP --- */

static int dial(const struct target *t)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(t->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    connect(fd, (const struct sockaddr *)&t->sa, t->sa_len) != 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* False: no answer has come. */
static bool ask_tcp(struct world_load *l, int fd)
{
	uint8_t reply[514];
	const char *fault;
	size_t have = 0;

	if (send(fd, l->framed, l->len + 2, MSG_NOSIGNAL) < 0)
		return false;
	while (have < 2 || have < 2U + bytes_get16(reply)) {
		ssize_t n = recv(fd, reply + have, sizeof(reply) - have, 0);

		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	fault = fault_of(l, reply + 2, have - 2);
	if (fault != NULL)
		note(l, &l->result.wrong, fault);
	return true;
}

static void ask_on_a_new_one(struct world_load *l, const struct target *t)
{
	int fd = dial(t);

	note(l, &l->result.tcp, NULL);
	if (fd < 0)
		note(l, &l->result.lost, "no connection");
	else if (!ask_tcp(l, fd))
		note(l, &l->result.lost, "no answer on a new connection");
	if (fd >= 0)
		close(fd);
}

/* A server may close a connection at any time; who had asked asks again (RFC 7766 6.2.4). */
static void ask_on_the_kept_one(struct world_load *l, struct target *t)
{
	note(l, &l->result.tcp, NULL);
	note(l, &l->result.kept, NULL);
	if (t->kept >= 0 && ask_tcp(l, t->kept))
		return;
	if (t->kept >= 0) {
		close(t->kept);
		note(l, &l->result.again, NULL);
	}
	t->kept = dial(t);
	if (t->kept < 0 || !ask_tcp(l, t->kept))
		note(l, &l->result.lost, "no answer on a connection that was opened anew");
}

static void *run_tcp(void *arg)
{
	struct world_load *l = arg;

	while (!l->ends) {
		for (size_t i = 0; i < l->count; i++) {
			ask_on_a_new_one(l, &l->target[i]);
			ask_on_the_kept_one(l, &l->target[i]);
		}
		rest(TCP_REST_MS * (unsigned)l->count);
	}
	return NULL;
}

/* --- life --- */

static void open_target(struct target *t, const struct world_load_target *from)
{
	int room = BUFFER;
	struct addr addr;

	if (!addr_parse(bytes_of(from->address), &addr))
		fail_msg("%s is not an address", from->address);
	t->sa_len = addr_to_sockaddr(&addr, (uint16_t)from->port, &t->sa);
	t->kept = -1;
	for (unsigned i = 0; i < SOCKETS; i++) {
		t->udp[i] = socket(t->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (t->udp[i] < 0 || connect(t->udp[i], (struct sockaddr *)&t->sa, t->sa_len) != 0)
			fail_msg("cannot ask %s: %s", from->address, strerror(errno));
		(void)setsockopt(t->udp[i], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
		t->is_open[i] = xcalloc(IDS, 1);
	}
}

struct world_load *world_load_start(struct world *w, const char *name, const char *address,
                                    const struct world_load_target *targets, size_t count,
                                    unsigned per_second)
{
	struct world_question q = {.name = name, .type = "A", .no_edns = true};
	struct world_load *l = xcalloc(1, sizeof(*l));
	struct addr addr;

	assert_true(count <= TARGETS_MOST && addr_parse(bytes_of(address), &addr));
	memcpy(l->address, addr.bytes, sizeof(l->address));
	l->count = count;
	l->per_second = per_second;
	l->len = world_wire_build(&q, 1, l->query);
	assert_int_equal(world_wire_frame(l->query, l->len, l->framed), l->len + 2);
	for (size_t i = 0; i < count; i++)
		open_target(&l->target[i], &targets[i]);
	assert_int_equal(pthread_mutex_init(&l->lock, NULL), 0);
	if (pthread_create(&l->udp_thread, NULL, run_udp, l) != 0 ||
	    pthread_create(&l->tcp_thread, NULL, run_tcp, l) != 0)
		world_fail(w, "cannot start threads that ask");
	return l;
}

struct world_load_result world_load_stop(struct world_load *l)
{
	struct world_load_result result;

	l->ends = true;
	pthread_join(l->udp_thread, NULL);
	pthread_join(l->tcp_thread, NULL);
	result = l->result;
	for (size_t i = 0; i < l->count; i++) {
		struct target *t = &l->target[i];

		if (t->kept >= 0)
			close(t->kept);
		for (unsigned k = 0; k < SOCKETS; k++) {
			close(t->udp[k]);
			free(t->is_open[k]);
		}
	}
	pthread_mutex_destroy(&l->lock);
	free(l);
	return result;
}
