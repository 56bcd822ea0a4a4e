/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/xalloc.h"

enum { TUNNELS = 32, REQUEST_MOST = 4096 };

struct tunnel {
	struct world_proxy *proxy;
	pthread_t thread;
	int client, server;
};

struct world_proxy {
	int listener;
	unsigned port;
	pthread_t thread;
	pthread_mutex_t lock;
	unsigned count;
	char request[REQUEST_MOST], shown[REQUEST_MOST];
	struct tunnel tunnels[TUNNELS];
	unsigned tunnel_count;
};

static struct sockaddr_in here(unsigned port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	                            .sin_port = htons((uint16_t)port),
	                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Up to the empty line; false when there is none. */
static bool read_request(int fd, char out[REQUEST_MOST])
{
	size_t len = 0;
	ssize_t n = 1;

	while (len + 1 < REQUEST_MOST && n > 0 && (len < 4 || !strstr(out, "\r\n\r\n"))) {
		n = read(fd, out + len, 1);
		len += n > 0 ? (size_t)n : 0;
		out[len] = '\0';
	}
	return strstr(out, "\r\n\r\n") != NULL;
}

static int dial(const char *request)
{
	const char *colon = strchr(request, ':');
	struct sockaddr_in to = here(colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0);
	int fd;

	if (strncmp(request, "CONNECT ", 8) != 0)
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool pass_on(int from, int to)
{
	char piece[16384];
	ssize_t n = read(from, piece, sizeof(piece));

	for (ssize_t at = 0; at < n;) {
		ssize_t sent = send(to, piece + at, (size_t)(n - at), MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
	}
	return n > 0;
}

static void relay(int a, int b)
{
	struct pollfd fds[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};

	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents && !pass_on(a, b))
			break;
		if (fds[1].revents && !pass_on(b, a))
			break;
	}
}

static void *run_tunnel(void *arg)
{
	static const char good[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	static const char bad[] = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
	struct tunnel *t = arg;
	char request[REQUEST_MOST] = "";

	if (!read_request(t->client, request))
		return NULL;
	pthread_mutex_lock(&t->proxy->lock);
	t->proxy->count++;
	memcpy(t->proxy->request, request, sizeof(request));
	pthread_mutex_unlock(&t->proxy->lock);
	t->server = dial(request);
	if (t->server < 0)
		(void)!send(t->client, bad, sizeof(bad) - 1, MSG_NOSIGNAL);
	else if (send(t->client, good, sizeof(good) - 1, MSG_NOSIGNAL) > 0)
		relay(t->client, t->server);
	shutdown(t->client, SHUT_RDWR);
	return NULL;
}

static void *run(void *arg)
{
	struct world_proxy *p = arg;
	int fd;

	while ((fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct tunnel *t = &p->tunnels[p->tunnel_count];

		if (p->tunnel_count == TUNNELS) {
			close(fd);
			continue;
		}
		*t = (struct tunnel){p, 0, fd, -1};
		CHECK(pthread_create(&t->thread, NULL, run_tunnel, t) == 0);
		p->tunnel_count++;
	}
	return NULL;
}

struct world_proxy *world_proxy_new(void)
{
	struct world_proxy *p = xcalloc(1, sizeof(*p));
	struct sockaddr_in at = here(0);
	socklen_t len = sizeof(at);

	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(p->listener, (struct sockaddr *)&at, len) == 0 && listen(p->listener, 16) == 0);
	CHECK(getsockname(p->listener, (struct sockaddr *)&at, &len) == 0);
	p->port = ntohs(at.sin_port);
	CHECK(pthread_mutex_init(&p->lock, NULL) == 0);
	CHECK(pthread_create(&p->thread, NULL, run, p) == 0);
	return p;
}

void world_proxy_free(struct world_proxy *p)
{
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->listener);
	for (unsigned i = 0; i < p->tunnel_count; i++) {
		struct tunnel *t = &p->tunnels[i];

		shutdown(t->client, SHUT_RDWR);
		pthread_join(t->thread, NULL);
		close(t->client);
		if (t->server >= 0)
			close(t->server);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

unsigned world_proxy_port(const struct world_proxy *p) { return p->port; }

unsigned world_proxy_count(struct world_proxy *p)
{
	unsigned count;

	pthread_mutex_lock(&p->lock);
	count = p->count;
	pthread_mutex_unlock(&p->lock);
	return count;
}

const char *world_proxy_request(struct world_proxy *p)
{
	pthread_mutex_lock(&p->lock);
	memcpy(p->shown, p->request, sizeof(p->shown));
	pthread_mutex_unlock(&p->lock);
	return p->shown;
}
