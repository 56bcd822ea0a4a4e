/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "tests/e2e/support/cluster_inside.h"

enum { HEAD_MOST = 16384, PIECE = 16384 };

/* One connection of an asker. */
struct caller {
	struct gate *gate;
	struct caller *next;
	pthread_t thread;
	int fd;
	CURL *curl;
	struct text head, body, url; /* of the request */
	struct text answer;          /* the head of the answer */
	struct gate_request request;
	char method[16], type[128];
	bool is_lost; /* the answer */
};

struct gate {
	struct cluster *cluster;
	char url[64], ca[256];
	int listener;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	struct caller *callers;
	unsigned writes;
	gate_decide_fn *decide;
	void *decide_arg;
	gate_done_fn *done;
	void *done_arg;
};

bool gate_is_write(const struct gate_request *r)
{
	return strcmp(r->method, "GET") != 0 && !strstr(r->path, "/leases") &&
	       !strstr(r->path, "/events");
}

/* --- bytes --- */

static bool send_all(int fd, const char *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = send(fd, data + at, len - at, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* Up to the empty line; what comes behind it is left there. */
static bool read_head(struct caller *c)
{
	char byte[2] = "";

	text_reset(&c->head);
	text_add(&c->head, "");
	while (c->head.len < HEAD_MOST && recv(c->fd, byte, 1, 0) == 1) {
		text_add_bytes(&c->head, (struct bytes){(const uint8_t *)byte, 1});
		if (byte[0] == '\n' && c->head.len >= 4 &&
		    strcmp(c->head.data + c->head.len - 4, "\r\n\r\n") == 0)
			return true;
	}
	return false;
}

static bool read_body(struct caller *c, size_t len)
{
	char piece[PIECE];

	text_reset(&c->body);
	text_add(&c->body, "");
	while (c->body.len < len) {
		size_t want = len - c->body.len;
		ssize_t n = recv(c->fd, piece, want < PIECE ? want : PIECE, 0);

		if (n <= 0)
			return false;
		text_add_bytes(&c->body, (struct bytes){(const uint8_t *)piece, (size_t)n});
	}
	return true;
}

/* --- the answer of the server --- */

static bool is_named(const char *line, size_t len, const char *name)
{
	return len > strlen(name) && strncasecmp(line, name, strlen(name)) == 0 &&
	       line[strlen(name)] == ':';
}

/* Of this connection alone, not of what is passed on. */
static bool is_of_the_hop(const char *line, size_t len)
{
	static const char *const names[] = {"host",       "connection",        "content-length",
	                                    "keep-alive", "transfer-encoding", "expect"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (is_named(line, len, names[i]))
			return true;
	return false;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct caller *c = arg;
	struct gate *g = c->gate;
	size_t len = size * count;
	long status = 0;

	if (strncmp(line, "HTTP/", 5) == 0) {
		text_reset(&c->answer);
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
		text_printf(&c->answer, "HTTP/1.1 %ld Answer\r\n", status);
		return len;
	}
	if (len > 2) {
		if (!is_of_the_hop(line, len))
			text_add_bytes(&c->answer, (struct bytes){(const uint8_t *)line, len});
		return len;
	}
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return len;
	pthread_mutex_lock(&g->lock);
	if (g->done)
		g->done(&c->request, (unsigned)status, g->done_arg);
	pthread_mutex_unlock(&g->lock);
	if (c->is_lost)
		return 0;
	text_add(&c->answer, "Transfer-Encoding: chunked\r\n\r\n");
	return send_all(c->fd, c->answer.data, c->answer.len) ? len : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct caller *c = arg;
	size_t len = size * count;
	char chunk[24];

	if (len == 0)
		return 0;
	snprintf(chunk, sizeof(chunk), "%zx\r\n", len);
	return send_all(c->fd, chunk, strlen(chunk)) && send_all(c->fd, data, len) &&
	                       send_all(c->fd, "\r\n", 2)
	               ? len
	               : 0;
}

/* A watch says nothing for a long time: has its asker gone meanwhile? */
static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e)
{
	struct caller *c = arg;
	char byte;

	(void)a, (void)b, (void)d, (void)e;
	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static struct curl_slist *headers_of(struct caller *c)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

	for (char *line = strstr(c->head.data, "\r\n") + 2; *line != '\r';) {
		size_t len = strcspn(line, "\r");

		line[len] = '\0';
		if (!is_of_the_hop(line, len))
			headers = curl_slist_append(headers, line);
		line[len] = '\r';
		line += len + 2;
	}
	return headers;
}

static bool pass_on(struct caller *c)
{
	struct curl_slist *headers = headers_of(c);
	CURLcode code;

	text_reset(&c->url);
	text_printf(&c->url, "%s%s", cluster_url(c->gate->cluster), c->request.path);
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, c->url.data);
	curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->gate->ca);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	if (c->body.len > 0) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)c->body.len);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, c->body.data);
	}
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, c->request.method);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, c);
	code = curl_easy_perform(c->curl);
	curl_slist_free_all(headers);
	return code == CURLE_OK && send_all(c->fd, "0\r\n\r\n", 5);
}

/* --- its own answers --- */

static bool answer(struct caller *c, const struct gate_answer *a)
{
	struct text body = {0};
	bool sent;

	if (a->reason)
		text_printf(&body,
		            "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
		            "\"status\":\"Failure\",\"message\":\"%s\",\"reason\":\"%s\","
		            "\"code\":%u}",
		            a->body, a->reason, a->status);
	else
		text_add(&body, a->body);
	text_reset(&c->answer);
	text_printf(&c->answer,
	            "HTTP/1.1 %u Answer\r\nContent-Type: application/json\r\n"
	            "Content-Length: %zu\r\n",
	            a->status, body.len);
	if (a->retry_after_s > 0)
		text_printf(&c->answer, "Retry-After: %u\r\n", a->retry_after_s);
	text_printf(&c->answer, "\r\n%s", body.data);
	sent = send_all(c->fd, c->answer.data, c->answer.len);
	text_fini(&body);
	return sent;
}

/* --- connections --- */

static size_t read_headers(struct caller *c)
{
	size_t body = 0;

	c->type[0] = '\0';
	for (const char *line = strstr(c->head.data, "\r\n") + 2; *line != '\r';
	     line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, "\r");

		if (is_named(line, len, "content-length"))
			body = strtoul(line + sizeof("content-length"), NULL, 10);
		if (is_named(line, len, "content-type"))
			snprintf(c->type, sizeof(c->type), "%.*s",
			         (int)(len - sizeof("content-type:")),
			         line + sizeof("content-type:"));
	}
	return body;
}

/* False: there is none, or none that is understood. */
static bool read_request(struct caller *c, char *path)
{
	if (!read_head(c) || sscanf(c->head.data, "%15s %4095s", c->method, path) != 2)
		return false;
	if (!read_body(c, read_headers(c)))
		return false;
	c->request = (struct gate_request){c->method, path, c->type, c->body.data};
	return true;
}

static void *run_caller(void *arg)
{
	struct caller *c = arg;
	struct gate *g = c->gate;
	char path[4096];
	bool goes_on = true;

	while (goes_on && read_request(c, path)) {
		struct gate_answer a = {0};

		pthread_mutex_lock(&g->lock);
		g->writes += gate_is_write(&c->request);
		if (g->decide)
			g->decide(&c->request, &a, g->decide_arg);
		pthread_mutex_unlock(&g->lock);
		c->is_lost = a.status == GATE_LOST;
		goes_on = a.status == 0 || c->is_lost ? pass_on(c) : answer(c, &a);
	}
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static void begin(struct gate *g, int fd)
{
	struct caller *c = xcalloc(1, sizeof(*c));
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->gate = g;
	c->fd = fd;
	c->curl = curl_easy_init();
	pthread_mutex_lock(&g->lock);
	c->next = g->callers;
	g->callers = c;
	pthread_mutex_unlock(&g->lock);
	CHECK(pthread_create(&c->thread, NULL, run_caller, c) == 0);
}

static void *run(void *arg)
{
	struct gate *g = arg;
	int fd;

	while ((fd = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		begin(g, fd);
	return NULL;
}

struct gate *gate_new(struct cluster *c)
{
	struct gate *g = xcalloc(1, sizeof(*g));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	g->cluster = c;
	snprintf(g->ca, sizeof(g->ca), "%s/ca.crt", c->cloud->dir);
	g->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(g->listener, (struct sockaddr *)&at, len) == 0 && listen(g->listener, 64) == 0);
	CHECK(getsockname(g->listener, (struct sockaddr *)&at, &len) == 0);
	snprintf(g->url, sizeof(g->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
	CHECK(pthread_mutex_init(&g->lock, NULL) == 0);
	CHECK(pthread_create(&g->thread, NULL, run, g) == 0);
	return g;
}

static void caller_free(struct caller *c)
{
	shutdown(c->fd, SHUT_RDWR);
	pthread_join(c->thread, NULL);
	close(c->fd);
	curl_easy_cleanup(c->curl);
	text_fini(&c->head);
	text_fini(&c->body);
	text_fini(&c->url);
	text_fini(&c->answer);
	free(c);
}

void gate_free(struct gate *g)
{
	shutdown(g->listener, SHUT_RDWR);
	pthread_join(g->thread, NULL);
	close(g->listener);
	for (struct caller *c = g->callers, *next; c; c = next) {
		next = c->next;
		caller_free(c);
	}
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* --- what a test says and asks --- */

const char *gate_url(const struct gate *g) { return g->url; }

void gate_decide(struct gate *g, gate_decide_fn *decide, void *arg)
{
	pthread_mutex_lock(&g->lock);
	g->decide = decide;
	g->decide_arg = arg;
	pthread_mutex_unlock(&g->lock);
}

void gate_done(struct gate *g, gate_done_fn *done, void *arg)
{
	pthread_mutex_lock(&g->lock);
	g->done = done;
	g->done_arg = arg;
	pthread_mutex_unlock(&g->lock);
}

unsigned gate_writes(struct gate *g)
{
	unsigned writes;

	pthread_mutex_lock(&g->lock);
	writes = g->writes;
	pthread_mutex_unlock(&g->lock);
	return writes;
}
