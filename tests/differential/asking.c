/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/asking.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
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
#include "tests/support/world_wire.h"

enum {
	IN_FLIGHT = 64, /* no socket's buffer is full with so many */
	TRIES = 4,
	ANSWER_MS = 5000,
	MARK_ID = 0xff00,
	ID_FROM = 1
};

/* One part of the questions, over UDP or TCP, on its way to one server. */
struct flight {
	struct servers *s;
	const struct peer *peer;
	enum server server;
	const struct question *q;
	struct said *said;
	const size_t *which; /* indexes into q and said */
	size_t count;
};

static bool is_answered(const struct flight *f, size_t i)
{
	return f->said[f->which[i]].by[f->server].data != NULL;
}

/* IDs are places in `which`.  False: it is an answer to something else, or a second one. */
static bool take(const struct flight *f, const uint8_t *data, size_t len)
{
	size_t i = len >= 2 ? (size_t)bytes_get16(data) - ID_FROM : f->count;
	struct message *m;

	if (i >= f->count || is_answered(f, i))
		return false;
	m = &f->said[f->which[i]].by[f->server];
	m->data = xcalloc(1, len);
	m->len = len;
	memcpy(m->data, data, len);
	return true;
}

static size_t with_id(const struct question *q, size_t i, uint8_t out[QUESTION_MOST])
{
	memcpy(out, q->bytes, q->len);
	if (q->len >= 2)
		bytes_put16(out, (uint16_t)(ID_FROM + i));
	return q->len;
}

/* --- UDP --- */

/* Its answer says that the server has seen all that was sent before: each has one thread, and reads in order.  Another mark
 * each time, as an answer may come late. */
static void send_mark(int fd, unsigned try)
{
	uint8_t mark[] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'z', 0, 0, TYPE_SOA, 0, 1};

	bytes_put16(mark, (uint16_t)(MARK_ID + try));
	(void)send(fd, mark, sizeof(mark), 0);
}

static int open_udp(const struct peer *p)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)p->port),
	                         .sin_addr.s_addr = inet_addr(p->address)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail_msg("cannot ask %s: %s", p->name, strerror(errno));
	return fd;
}

static void send_unanswered(const struct flight *f, int fd, unsigned try)
{
	uint8_t bytes[QUESTION_MOST];

	for (size_t i = 0; i < f->count; i++)
		if (!is_answered(f, i))
			(void)send(fd, bytes, with_id(&f->q[f->which[i]], i, bytes), 0);
	send_mark(fd, try);
}

/* Until the mark's answer, or nothing for long; true: all was seen. */
static bool receive_answers(const struct flight *f, int fd, unsigned try)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	static _Thread_local uint8_t reply[WIRE_ROOM];

	while (poll(&p, 1, ANSWER_MS) == 1) {
		ssize_t len = recv(fd, reply, sizeof(reply), 0);

		if (len >= 2 && bytes_get16(reply) == MARK_ID + try)
			return true;
		if (len < 0)
			break;
		(void)take(f, reply, (size_t)len);
	}
	return false;
}

static bool is_done(const struct flight *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (!is_answered(f, i))
			return false;
	return true;
}

/* A server that ended, or answers nothing more, does so because of one of these questions. */
static void give_up(const struct flight *f)
{
	struct peer *others = &f->s->peer[NSD];
	struct text asked = {0};

	for (size_t k = 0; k < f->count; k++)
		question_print(&f->q[f->which[k]], &asked);
	printf("--- asked last ---\n%s", asked.data);
	text_fini(&asked);
	inside_demand_alive(f->s->world);
	peers_demand_alive(f->s->world, others, SERVERS - NSD);
	peers_stop(others, SERVERS - NSD);
	world_fail(f->s->world, "%s answers nothing more", f->peer->name);
}

/* A datagram may be lost; who has seen all twice and says nothing is silent. */
static void ask_udp(struct flight *const flight[SERVERS])
{
	unsigned seen[SERVERS] = {0};
	bool all_done = false;
	int fd[SERVERS];

	for (unsigned i = 0; i < SERVERS; i++)
		fd[i] = open_udp(flight[i]->peer);
	for (unsigned try = 0; try < TRIES && !all_done; try++) {
		all_done = true;
		for (unsigned i = 0; i < SERVERS; i++)
			send_unanswered(flight[i], fd[i], try);
		for (unsigned i = 0; i < SERVERS; i++) {
			seen[i] += receive_answers(flight[i], fd[i], try);
			all_done &= is_done(flight[i]) || seen[i] == 2;
		}
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		close(fd[i]);
		if (seen[i] == 0)
			give_up(flight[i]);
	}
}

/* --- TCP --- */

static void send_all(const struct flight *f, int fd)
{
	uint8_t bytes[QUESTION_MOST], framed[QUESTION_MOST + 2];

	for (size_t i = 0; i < f->count; i++)
		if (!is_answered(f, i))
			world_wire_send(f->s->world, fd, framed,
			                world_wire_frame(bytes,
			                                 with_id(&f->q[f->which[i]], i, bytes),
			                                 framed));
}

/* One connection's answers; false: none came. */
static bool receive_stream(const struct flight *f, int fd)
{
	static _Thread_local uint8_t reply[WIRE_ROOM];
	bool any = false;
	size_t len = 1;

	while (len > 0 && !is_done(f)) {
		len = world_wire_receive(f->s->world, fd, reply, ANSWER_MS);
		any |= take(f, reply, len);
	}
	return any;
}

/* Some servers end a connection after what they refuse: then the rest is asked again. */
static void ask_tcp(const struct flight *f)
{
	unsigned in_vain = 0;

	while (!is_done(f) && in_vain < TRIES) {
		int fd = world_wire_connect_to(
			f->s->world,
			&(struct world_question){.to = f->peer->address, .port = f->peer->port});

		send_all(f, fd);
		in_vain = receive_stream(f, fd) ? 0 : in_vain + 1;
		close(fd);
	}
	if (!is_done(f))
		give_up(f);
}

/* --- all --- */

static void fly(struct servers *s, const struct question *q, struct said *said, const size_t *which,
                size_t count)
{
	struct flight f[SERVERS], *flight[SERVERS];

	for (unsigned i = 0; i < SERVERS; i++) {
		f[i] = (struct flight){s, &s->peer[i], (enum server)i, q, said, which, count};
		flight[i] = &f[i];
	}
	if (!q[which[0]].tcp)
		ask_udp(flight);
	else
		for (unsigned i = 0; i < SERVERS; i++)
			ask_tcp(flight[i]);
}

void asking_all(struct servers *s, const struct question *q, size_t count, struct said *said)
{
	memset(said, 0, count * sizeof(*said));
	for (int tcp = 0; tcp < 2; tcp++) {
		size_t which[IN_FLIGHT], many = 0;

		for (size_t i = 0; i < count; i++) {
			if (q[i].tcp == (tcp == 1))
				which[many++] = i;
			if (many > 0 && (many == IN_FLIGHT || i + 1 == count)) {
				fly(s, q, said, which, many);
				many = 0;
			}
		}
	}
}

void asking_drop(struct said *said, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (unsigned k = 0; k < SERVERS; k++)
			free(said[i].by[k].data);
}
