/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_askers.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/xalloc.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_wire.h"

enum { LOST_MS = 5000, TICK_MS = 1, PENDING_MOST = 256, QUERY_ROOM = 512 + SIGN_ROOM };

struct pending {
	uint64_t at_ms; /* 0: none */
	unsigned question;
};

struct askers {
	struct askers_how how;
	struct world_question where;
	uint32_t right[ASKER_QUESTIONS_MOST][ASKER_RIGHT_MOST];
	size_t len[ASKER_QUESTIONS_MOST];
	uint8_t query[ASKER_QUESTIONS_MOST][512];
	pthread_t thread;
	_Atomic bool ended;
	pthread_mutex_t lock; /* of the tally */
	struct askers_tally tally;

	/* the thread's own */
	uint64_t begun_ms, asked;
	uint16_t id;
	unsigned pending_count;
	struct pending pending[UINT16_MAX + 1];
	int fd;
	SSL_CTX *context;
	SSL *ssl;
};

/* --- counting --- */

static void count_asked(struct askers *l, unsigned sessions)
{
	pthread_mutex_lock(&l->lock);
	l->tally.asked += sessions == 0;
	l->tally.sessions += sessions;
	pthread_mutex_unlock(&l->lock);
}

static void count_lost(struct askers *l)
{
	pthread_mutex_lock(&l->lock);
	l->tally.lost++;
	pthread_mutex_unlock(&l->lock);
}

static void count_answer(struct askers *l, const char *wrong, unsigned question, uint64_t took_ms)
{
	pthread_mutex_lock(&l->lock);
	if (wrong != NULL && l->tally.wrong++ == 0)
		snprintf(l->tally.first_wrong, sizeof l->tally.first_wrong, "%s: %s",
		         l->how.questions[question].name, wrong);
	if (took_ms > l->tally.slowest_ms)
		l->tally.slowest_ms = (unsigned)took_ms;
	pthread_mutex_unlock(&l->lock);
}

/* --- what is right --- */

/* The address behind the question and one owner of two octets, a pointer; 0: none there. */
static uint32_t read_address(const struct askers *l, unsigned question, const uint8_t *reply,
                             size_t len)
{
	size_t name = strlen((const char *)l->query[question] + PROBE_HEADER) + 1;
	size_t at = PROBE_HEADER + name + 4 + 2 + 10;

	return at + 4 <= len && bytes_get16(reply + at - 2) == 4 ? bytes_get32(reply + at) : 0;
}

/* NULL: it is right; else what is not, in `out`. */
static const char *judge(const struct askers *l, unsigned question, const uint8_t *reply,
                         size_t len, char out[64])
{
	struct probe_reply r;
	uint32_t address;
	bool is_whole = probe_read(reply, len, &r);

	snprintf(out, 64, "rcode %u, flags %04x, %u records, error %u of TSIG", r.rcode, r.flags,
	         r.counts[1], r.tsig_error);
	if (!is_whole)
		return "no message";
	if (r.rcode != NOERROR || r.counts[1] != 1 || (r.flags & (QR | AA | TC)) != (QR | AA))
		return out;
	if (l->how.signing != NULL && r.counts[3] < 1)
		return "no signature";
	address = read_address(l, question, reply, len);
	for (unsigned i = 0; i < ASKER_RIGHT_MOST && l->right[question][i] != 0; i++)
		if (l->right[question][i] == address)
			return NULL;
	return "another address";
}

/* --- asking --- */

static size_t next_query(struct askers *l, unsigned *question, uint8_t out[QUERY_ROOM])
{
	size_t len;

	*question = (unsigned)(l->asked++ % l->how.count);
	l->id++;
	len = l->len[*question];
	memcpy(out, l->query[*question], len);
	bytes_put16(out, l->id);
	count_asked(l, 0);
	return l->how.signing != NULL ? sign_message(out, len, l->how.signing) : len;
}

static bool is_due(const struct askers *l)
{
	return l->asked * 1000 < (inside_now_ms() - l->begun_ms) * l->how.per_second;
}

static void rest(void)
{
	struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};

	nanosleep(&tick, NULL);
}

/* --- over UDP --- */

static void ask_udp(struct askers *l)
{
	while (!l->ended && l->pending_count < PENDING_MOST && is_due(l)) {
		uint8_t query[QUERY_ROOM];
		unsigned question;
		size_t len = next_query(l, &question, query);

		l->pending[l->id] = (struct pending){inside_now_ms(), question};
		l->pending_count++;
		if (send(l->fd, query, len, 0) != (ssize_t)len)
			return; /* it will be lost */
	}
}

static void hear_udp(struct askers *l)
{
	uint8_t reply[2048];
	ssize_t len;

	while ((len = recv(l->fd, reply, sizeof reply, MSG_DONTWAIT)) >= PROBE_HEADER) {
		struct pending *p = &l->pending[bytes_get16(reply)];
		char wrong[64];

		if (p->at_ms == 0)
			continue; /* too late, and lost before */
		count_answer(l, judge(l, p->question, reply, (size_t)len, wrong), p->question,
		             inside_now_ms() - p->at_ms);
		p->at_ms = 0;
		l->pending_count--;
	}
}

/* All older than that. */
static void give_up(struct askers *l, uint64_t most_ms)
{
	uint64_t now = inside_now_ms();

	for (unsigned i = 0; l->pending_count > 0 && i <= UINT16_MAX; i++)
		if (l->pending[i].at_ms != 0 && now - l->pending[i].at_ms >= most_ms) {
			l->pending[i].at_ms = 0;
			l->pending_count--;
			count_lost(l);
		}
}

static void *run_udp(void *arg)
{
	struct askers *l = arg;
	uint64_t looked_ms = inside_now_ms(), until;

	while (!l->ended) {
		ask_udp(l);
		hear_udp(l);
		if (inside_now_ms() - looked_ms > LOST_MS / 5) {
			give_up(l, LOST_MS);
			looked_ms = inside_now_ms();
		}
		rest();
	}
	for (until = inside_now_ms() + LOST_MS; l->pending_count > 0 && inside_now_ms() < until;) {
		hear_udp(l);
		rest();
	}
	give_up(l, 0);
	return NULL;
}

/* --- over TCP and TLS --- */

static void close_stream(struct askers *l)
{
	SSL_free(l->ssl);
	if (l->fd >= 0)
		close(l->fd);
	l->ssl = NULL;
	l->fd = -1;
	ERR_clear_error();
}

static bool open_stream(struct askers *l)
{
	static const struct timeval wait = {LOST_MS / 1000, 0};
	struct sockaddr_storage to = {0};
	struct addr addr;
	socklen_t len;

	if (!addr_parse(bytes_of(l->where.to), &addr))
		return false;
	len = addr_to_sockaddr(&addr, (uint16_t)l->where.port, &to);
	l->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || connect(l->fd, (void *)&to, len) != 0 ||
	    setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0)
		return false;
	count_asked(l, 1);
	if (l->how.transport->kind != PROBE_TLS)
		return true;
	l->ssl = SSL_new(l->context);
	return SSL_set_fd(l->ssl, l->fd) == 1 && SSL_connect(l->ssl) == 1;
}

static bool write_all(struct askers *l, const uint8_t *bytes, size_t len)
{
	return l->ssl != NULL ? SSL_write(l->ssl, bytes, (int)len) == (int)len
	                      : send(l->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool read_all(struct askers *l, uint8_t *out, size_t len)
{
	for (size_t have = 0; have < len;) {
		ssize_t n = l->ssl != NULL ? SSL_read(l->ssl, out + have, (int)(len - have))
		                           : recv(l->fd, out + have, len - have, 0);

		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

/* The length of the answer; 0: lost. */
static size_t exchange(struct askers *l, const uint8_t *query, size_t len, uint8_t *reply)
{
	uint8_t framed[2 + QUERY_ROOM], prefix[2];

	if (l->fd < 0 && !open_stream(l))
		return 0;
	if (!write_all(l, framed, world_wire_frame(query, len, framed)) ||
	    !read_all(l, prefix, sizeof prefix))
		return 0;
	return read_all(l, reply, bytes_get16(prefix)) ? bytes_get16(prefix) : 0;
}

/* One after the other; each connection for a hundred. */
static void *run_stream(void *arg)
{
	struct askers *l = arg;
	uint8_t *reply = malloc(WIRE_ROOM);

	l->fd = -1;
	while (!l->ended) {
		uint8_t query[QUERY_ROOM];
		unsigned question;
		uint64_t begun = inside_now_ms();
		size_t len, got;
		char wrong[64];

		if (!is_due(l)) {
			rest();
			continue;
		}
		len = next_query(l, &question, query);
		got = exchange(l, query, len, reply);
		if (got == 0)
			count_lost(l);
		else
			count_answer(l, judge(l, question, reply, got, wrong), question,
			             inside_now_ms() - begun);
		if (got == 0 || l->asked % 100 == 0)
			close_stream(l);
	}
	close_stream(l);
	free(reply);
	return NULL;
}

/* --- beginning and end --- */

static void prepare(struct askers *l)
{
	for (unsigned i = 0; i < l->how.count; i++) {
		const struct askers_question *q = &l->how.questions[i];
		struct world_question asked = {.name = q->name,
		                               .type = "A",
		                               .options = l->how.cookie,
		                               .no_edns = l->how.cookie == NULL};

		l->len[i] = world_wire_build(&asked, 0, l->query[i]);
		for (unsigned k = 0; k < ASKER_RIGHT_MOST && q->right[k] != NULL; k++) {
			struct in_addr a;

			assert_int_equal(inet_pton(AF_INET, q->right[k], &a), 1);
			l->right[i][k] = ntohl(a.s_addr);
		}
	}
}

struct askers *askers_start(struct world *w, const struct askers_how *how)
{
	struct askers *l = xcalloc(1, sizeof *l);
	const struct transport *t = how->transport;
	bool is_udp = t->kind == PROBE_UDP;

	assert_in_range(how->count, 1, ASKER_QUESTIONS_MOST);
	signal(SIGPIPE, SIG_IGN);
	l->how = *how;
	l->where = (struct world_question){.to = t->v6 ? "::1" : "127.0.0.1", .port = t->port};
	prepare(l);
	pthread_mutex_init(&l->lock, NULL);
	l->context = SSL_CTX_new(TLS_client_method());
	l->fd = is_udp ? world_wire_open(w, &l->where) : -1;
	l->begun_ms = inside_now_ms();
	assert_int_equal(pthread_create(&l->thread, NULL, is_udp ? run_udp : run_stream, l), 0);
	return l;
}

struct askers_tally askers_tally(struct askers *l)
{
	struct askers_tally t;

	pthread_mutex_lock(&l->lock);
	t = l->tally;
	pthread_mutex_unlock(&l->lock);
	return t;
}

struct askers_tally askers_stop(struct askers *l)
{
	struct askers_tally t;

	l->ended = true;
	pthread_join(l->thread, NULL);
	close_stream(l);
	SSL_CTX_free(l->context);
	pthread_mutex_destroy(&l->lock);
	t = l->tally;
	free(l);
	return t;
}

void askers_expect_all_right(struct world *w, const char *label, const struct askers_tally *t)
{
	print_message("%s: %llu asked, %llu lost, %llu wrong, the slowest after %u ms, %u "
	              "connections\n",
	              label, (unsigned long long)t->asked, (unsigned long long)t->lost,
	              (unsigned long long)t->wrong, t->slowest_ms, t->sessions);
	if (t->lost > 0 || t->wrong > 0)
		world_fail(w, "%s: %llu lost, %llu wrong, of these %s", label,
		           (unsigned long long)t->lost, (unsigned long long)t->wrong,
		           t->first_wrong);
}
