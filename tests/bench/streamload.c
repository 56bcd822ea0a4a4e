// streamload: closed-loop load over kept TCP or TLS connections to 127.0.0.1, beside udpload.
//
// Keeps C connections with D queries in flight on each, counts the answers, and reads the CPU clocks of the server's processes around
// the measured slice.  With -r no connection is kept: each asks one query and ends (with -T and -R sessions are resumed).  Prints one
// line of JSON.
//
// usage: streamload -p PORT -f QUERIES -P PID[,PID...] [-c CONNECTIONS] [-d DEPTH] [-t SECONDS] [-u WARMUP] [-T] [-r [-R]]
// QUERIES: as for udpload.
#define _GNU_SOURCE
#include "clocks.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 4096, ROOM = 1 << 17 };
static int port, depth = 1;
static uint8_t *queries;
static uint32_t query_len, query_count, next_query;
static SSL_CTX *context;
static SSL_SESSION *session;

struct connection {
	int fd;
	SSL *ssl;
	size_t in_flight, have;
	uint8_t in[ROOM];
};

static void die(const char *what)
{
	fprintf(stderr, "streamload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int on_session(SSL *ssl, SSL_SESSION *fresh)
{
	(void)ssl;
	SSL_SESSION_free(session);
	session = fresh;
	return 1;
}

static void dial(struct connection *c, int resumes)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (void *)&to, sizeof to))
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c->in_flight = c->have = 0;
	c->ssl = NULL;
	if (!context)
		return;
	c->ssl = SSL_new(context);
	SSL_set_fd(c->ssl, c->fd);
	if (resumes && session) {
		SSL_SESSION *copy = SSL_SESSION_dup(session);
		SSL_set_session(c->ssl, copy);
		SSL_SESSION_free(copy);
	}
	if (SSL_connect(c->ssl) != 1)
		die("TLS");
}

static void hang_up(struct connection *c)
{
	if (c->ssl) {
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	close(c->fd);
}

static void ask(struct connection *c, size_t count)
{
	static uint8_t out[ROOM];
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		out[len] = (uint8_t)(query_len >> 8);
		out[len + 1] = (uint8_t)query_len;
		memcpy(out + len + 2, queries + (size_t)query_len * (next_query++ % query_count), query_len);
		len += 2 + query_len;
	}
	ssize_t sent = c->ssl ? SSL_write(c->ssl, out, (int)len) : send(c->fd, out, len, MSG_NOSIGNAL);
	if (sent != (ssize_t)len)
		die("send");
	c->in_flight += count;
}

// Whole answers that came; waits for one.
static size_t take(struct connection *c)
{
	size_t answers = 0, at = 0;
	do {
		ssize_t got = c->ssl ? SSL_read(c->ssl, c->in + c->have, (int)(ROOM - c->have)) : recv(c->fd, c->in + c->have, ROOM - c->have, 0);
		if (got <= 0)
			die("the server ended a connection");
		c->have += (size_t)got;
	} while (c->ssl && c->have < ROOM - 16384 && (SSL_pending(c->ssl) > 0 || recv(c->fd, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) > 0));
	while (c->have - at >= 2 && c->have - at >= 2u + ((size_t)c->in[at] << 8 | c->in[at + 1])) {
		at += 2u + ((size_t)c->in[at] << 8 | c->in[at + 1]);
		answers++;
	}
	memmove(c->in, c->in + at, c->have - at);
	c->have -= at;
	c->in_flight -= answers;
	return answers;
}

static struct connection *connections;
static int count = 64;

static uint64_t run_kept(double until)
{
	static struct pollfd p[MAX_CONNECTIONS];
	uint64_t answers = 0;
	while (now() < until) {
		for (int i = 0; i < count; i++)
			p[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
		if (poll(p, (nfds_t)count, 1000) <= 0)
			die("no answer");
		for (int i = 0; i < count; i++) {
			if (!p[i].revents)
				continue;
			size_t got = take(&connections[i]);
			answers += got;
			if (got)
				ask(&connections[i], got);
		}
	}
	return answers;
}

static uint64_t run_anew(double until, int resumes)
{
	uint64_t answers = 0;
	while (now() < until) {
		dial(connections, resumes);
		ask(connections, 1);
		while (take(connections) == 0)
			;
		hang_up(connections);
		answers++;
	}
	return answers;
}

int main(int argc, char **argv)
{
	double seconds = 1, warmup = 0.3;
	int option, anew = 0, resumes = 0;
	uint32_t head[2];
	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt(argc, argv, "p:f:P:c:d:t:u:TrR")) != -1) {
		switch (option) {
		case 'p': port = atoi(optarg); break;
		case 'f': {
			FILE *f = fopen(optarg, "r");
			if (!f || fread(head, 4, 2, f) != 2)
				die(optarg);
			query_len = head[0];
			query_count = head[1];
			queries = malloc((size_t)query_len * query_count);
			if (!queries || fread(queries, query_len, query_count, f) != query_count)
				die(optarg);
			fclose(f);
			break;
		}
		case 'P': read_pids(optarg); break;
		case 'c': count = atoi(optarg); break;
		case 'd': depth = atoi(optarg); break;
		case 't': seconds = atof(optarg); break;
		case 'u': warmup = atof(optarg); break;
		case 'T':
			context = SSL_CTX_new(TLS_client_method());
			SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
			SSL_CTX_sess_set_new_cb(context, on_session);
			break;
		case 'r': anew = 1; break;
		case 'R': resumes = 1; break;
		default: return 2;
		}
	}
	if (!port || !queries || count < 1 || count > MAX_CONNECTIONS || depth < 1 || (size_t)depth * (2 + query_len) > ROOM / 2)
		return 2;
	connections = calloc((size_t)count, sizeof *connections);
	for (int i = 0; !anew && i < count; i++) {
		dial(&connections[i], 0);
		ask(&connections[i], (size_t)depth);
	}
	(void)(anew ? run_anew(now() + warmup, resumes) : run_kept(now() + warmup));
	double t0 = now();
	uint64_t cpu0 = server_cpu_ns(), answers = anew ? run_anew(t0 + seconds, resumes) : run_kept(t0 + seconds), cpu = server_cpu_ns() - cpu0;
	double t = now() - t0;
	printf("{\"answers\": %llu, \"qps\": %.0f, \"cpu_ns\": %.0f}\n", (unsigned long long)answers, (double)answers / t,
	       answers ? (double)cpu / (double)answers : 0.0);
	return 0;
}
