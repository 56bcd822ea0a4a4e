/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/asker.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/xalloc.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_wire.h"

enum {
	SLOTS = 65536, /* an ID each */
	TURN_MS = 2,
	RECEIVE_ROOM = 4096,
	SOCKET_ROOM = 4 << 20,
	STORY_MOST = 1000
};

struct query {
	uint8_t bytes[512];
	size_t len;
};

struct slot {
	uint64_t asked_ms; /* 0: nothing is waited for */
	unsigned question;
};

struct asker {
	struct asker_question question[ASKER_QUESTIONS];
	struct query query[ASKER_QUESTIONS];
	unsigned count, per_second;
	int fd;
	pthread_t thread;
	atomic_uint port[ASKER_SERVERS];
	atomic_bool is_stopping;

	/* Of the thread alone.  Slots from oldest to next are waited for; those before `again` have been asked twice. */
	struct slot *slot;
	uint64_t oldest, again, next, began_ms, now_ms;

	pthread_mutex_t lock; /* for what follows */
	struct asker_result result;
	struct text story;
};

/* --- what is told --- */

static void tell(struct asker *a, unsigned question, const char *what)
{
	const struct asker_question *q = &a->question[question];

	if (a->story.len < STORY_MOST)
		text_printf(&a->story, "%.3f s: %s %s for %s: %s\n",
		            (double)(a->now_ms - a->began_ms) / 1000, q->name, q->type,
		            q->client ? q->client : "nobody", what);
}

/* Is it a whole word of that text? */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		if ((at == text || at[-1] == ' ') && (at[len] == ' ' || at[len] == 0))
			return true;
	return false;
}

static bool addresses_are_allowed(const ldns_pkt *reply, const char *allowed, char got[256])
{
	const ldns_rr_list *answer = ldns_pkt_answer(reply);
	unsigned found = 0, foreign = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);
		char *text;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_A)
			continue;
		text = ldns_rdf2str(ldns_rr_rdf(rr, 0));
		foreign += !has_word(allowed, text);
		found++;
		snprintf(got + strlen(got), 256 - strlen(got), " %s", text);
		free(text);
	}
	return found > 0 && foreign == 0;
}

static bool is_allowed(const struct asker_question *q, const ldns_pkt *reply, char got[256])
{
	ldns_pkt_rcode rcode = ldns_pkt_get_rcode(reply);

	snprintf(got, 256, "rcode %d", (int)rcode);
	if (!q->allowed)
		return rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN;
	if (strcmp(q->allowed, "NXDOMAIN") == 0)
		return rcode == LDNS_RCODE_NXDOMAIN;
	return rcode == LDNS_RCODE_NOERROR && addresses_are_allowed(reply, q->allowed, got);
}

/* --- the thread --- */

static void send_to(struct asker *a, uint64_t number, unsigned server)
{
	struct query *q = &a->query[a->slot[number % SLOTS].question];
	unsigned port = atomic_load(&a->port[server]);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bytes_put16(q->bytes, (uint16_t)(number % SLOTS));
	if (port)
		(void)sendto(a->fd, q->bytes, q->len, 0, (void *)&to, sizeof(to));
}

/* The first that is there, from number `from` on. */
static unsigned server_from(const struct asker *a, unsigned from)
{
	for (unsigned i = 0; i < ASKER_SERVERS; i++)
		if (atomic_load(&a->port[(from + i) % ASKER_SERVERS]))
			return (from + i) % ASKER_SERVERS;
	return 0;
}

static void ask_next(struct asker *a)
{
	struct slot *s = &a->slot[a->next % SLOTS];

	*s = (struct slot){.asked_ms = a->now_ms, .question = (unsigned)(a->next % a->count)};
	send_to(a, a->next, server_from(a, 0));
	a->next++;
	a->result.asked++;
}

static void ask_again(struct asker *a)
{
	for (; a->again < a->next; a->again++) {
		const struct slot *s = &a->slot[a->again % SLOTS];

		if (s->asked_ms && s->asked_ms + ASKER_RETRY_MS > a->now_ms)
			return;
		if (s->asked_ms) {
			send_to(a, a->again, server_from(a, 1));
			a->result.again++;
		}
	}
}

static void lose(struct asker *a)
{
	for (; a->oldest < a->again; a->oldest++) {
		struct slot *s = &a->slot[a->oldest % SLOTS];

		if (s->asked_ms && s->asked_ms + ASKER_LOST_MS > a->now_ms)
			return;
		if (s->asked_ms) {
			a->result.lost++;
			tell(a, s->question, "lost");
		}
		s->asked_ms = 0;
	}
}

static void take(struct asker *a, const uint8_t *reply, size_t len)
{
	struct slot *s = &a->slot[len >= 2 ? bytes_get16(reply) : 0];
	unsigned took_ms = (unsigned)(a->now_ms - s->asked_ms);
	ldns_pkt *pkt = NULL;
	char got[256] = "not a DNS message";

	if (len < 2 || !s->asked_ms)
		return; /* the other answer to what was asked twice */
	s->asked_ms = 0;
	a->result.answered++;
	if (took_ms > a->result.slowest_ms)
		a->result.slowest_ms = took_ms;
	if (ldns_wire2pkt(&pkt, reply, len) != LDNS_STATUS_OK ||
	    !is_allowed(&a->question[s->question], pkt, got)) {
		a->result.wrong++;
		tell(a, s->question, got);
	}
	ldns_pkt_free(pkt);
}

static void receive_all(struct asker *a)
{
	uint8_t reply[RECEIVE_ROOM];
	ssize_t n;

	while ((n = recv(a->fd, reply, sizeof(reply), MSG_DONTWAIT)) > 0)
		take(a, reply, (size_t)n);
}

/* What has come is taken before anything is given up: a thread that had to wait for its processor loses nothing. */
static void *run(void *arg)
{
	struct asker *a = arg;
	struct pollfd p = {.fd = a->fd, .events = POLLIN};
	uint64_t owed_ms = inside_now_ms(); /* everything before this instant has been asked */

	while (!atomic_load(&a->is_stopping) || a->oldest < a->next) {
		(void)poll(&p, 1, TURN_MS);
		pthread_mutex_lock(&a->lock);
		a->now_ms = inside_now_ms();
		receive_all(a);
		lose(a);
		ask_again(a);
		for (; owed_ms < a->now_ms; owed_ms++)
			for (unsigned i = 0; i < a->per_second / 1000; i++)
				if (!atomic_load(&a->is_stopping) &&
				    atomic_load(&a->port[server_from(a, 0)]))
					ask_next(a);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

/* --- life --- */

struct asker *asker_start(unsigned per_second, const struct asker_question *questions,
                          unsigned count)
{
	struct asker *a = xcalloc(1, sizeof(*a));
	int room = SOCKET_ROOM;

	assert_true(count > 0 && count <= ASKER_QUESTIONS && per_second % 1000 == 0);
	memcpy(a->question, questions, count * sizeof(*questions));
	a->count = count;
	a->per_second = per_second;
	for (unsigned i = 0; i < count; i++)
		a->query[i].len =
			world_wire_build(&(struct world_question){.name = questions[i].name,
		                                                  .type = questions[i].type,
		                                                  .client = questions[i].client},
		                         0, a->query[i].bytes);
	a->slot = xcalloc(SLOTS, sizeof(*a->slot));
	a->began_ms = inside_now_ms();
	a->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(a->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	pthread_mutex_init(&a->lock, NULL);
	if (a->fd < 0 || pthread_create(&a->thread, NULL, run, a) != 0)
		fail_msg("the asker cannot start");
	return a;
}

void asker_server(struct asker *a, unsigned index, unsigned port)
{
	assert_true(index < ASKER_SERVERS);
	atomic_store(&a->port[index], port);
}

struct asker_result asker_result(struct asker *a, struct text *story)
{
	struct asker_result result;

	pthread_mutex_lock(&a->lock);
	result = a->result;
	if (story && a->story.len)
		text_add(story, a->story.data);
	pthread_mutex_unlock(&a->lock);
	return result;
}

void asker_stop(struct asker *a)
{
	if (!a)
		return;
	atomic_store(&a->is_stopping, true);
	pthread_join(a->thread, NULL);
	pthread_mutex_destroy(&a->lock);
	close(a->fd);
	text_fini(&a->story);
	free(a->slot);
	free(a);
}
