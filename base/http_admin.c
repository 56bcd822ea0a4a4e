/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_admin.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

enum {
	CONNECTIONS = 64,
	CLIENT_CONNECTIONS = 32, /* of one address: never all */
	HEADER_MOST = 8192,
	/* What one connection may use: the header, what is parsed of it, the answer's header. */
	CONNECTION_MEMORY = 16384,
	BODY_MOST = 16384,
	BODY_DROPPED_MOST = 1 << 20, /* so much of a longer body is read, to answer 413 */
	SILENCE_S = 10,
	BACKLOG = 64
};

struct http_admin {
	struct MHD_Daemon *daemon;
	const struct http_route *routes;
	void *arg;
	uint16_t port;
	int listener; /* -1: given up */
	struct http_more more;
	size_t bodies_len; /* of those that are kept */
};

/* One request, from its first header line to the end of its answer. */
struct exchange {
	size_t header_len;
	size_t body_len;
	struct text body; /* what is kept of it */
	bool begun;       /* the first call, before any body, has been */
	bool crowded;     /* there was no room for its body */
};

unsigned http_error(struct text *body, unsigned status, const char *fmt, ...)
{
	struct reason said;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said.text, sizeof(said.text), fmt, ap);
	va_end(ap);
	text_reset(body);
	text_add(body, "{\"error\":");
	text_add_json(body, bytes_of(said.text));
	text_add(body, "}\n");
	return status;
}

const char *http_request_arg(const struct http_request *r, const char *key)
{
	const char *value = NULL;
	size_t len = 0;

	if (MHD_lookup_connection_value_n(r->connection, MHD_GET_ARGUMENT_KIND, key, strlen(key),
	                                  &value, &len) != MHD_YES)
		return NULL;
	return value ? value : "";
}

/* --- routes --- */

static bool covers(const struct http_route *route, const char *path)
{
	size_t len = strlen(route->path);

	if (len && route->path[len - 1] == '/')
		return strncmp(route->path, path, len) == 0;
	return strcmp(route->path, path) == 0;
}

/* The most exact path that covers this one: its length, or 0. */
static size_t find_path(const struct http_route *routes, const char *path)
{
	size_t best = 0;

	for (const struct http_route *r = routes; r->path; r++)
		if (covers(r, path) && strlen(r->path) > best)
			best = strlen(r->path);
	return best;
}

static const struct http_route *find_route(const struct http_admin *h, const char *method,
                                           const char *path, struct text *allow)
{
	size_t len = find_path(h->routes, path);

	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (const struct http_route *r = h->routes; len && r->path; r++) {
		if (!covers(r, path) || strlen(r->path) != len)
			continue;
		if (strcmp(r->method, method) == 0)
			return r;
		text_printf(allow, "%s%s", allow->len ? ", " : "",
		            strcmp(r->method, "GET") == 0 ? "GET, HEAD" : r->method);
	}
	return NULL;
}

/* --- one request --- */

static struct addr client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct addr client = {.family = ADDR_NONE};

	if (info && info->client_addr)
		client = addr_from_sockaddr(info->client_addr, NULL);
	return addr_unmapped(&client);
}

/* Takes the body; `allow` is empty but for a wrong method. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, unsigned status,
                                   const char *content_type, struct text *body,
                                   const struct text *allow)
{
	size_t len = body->len;
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, text_take(body), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result sent;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", content_type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (allow && allow->len)
		MHD_add_response_header(response, "Allow", allow->data);
	sent = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return sent;
}

static const char json_type[] = "application/json; charset=utf-8";

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct text body = {0};

	http_error(&body, status, "%s", text);
	return send_answer(connection, status, json_type, &body, NULL);
}

static enum MHD_Result answer(struct http_admin *h, struct MHD_Connection *connection,
                              const char *path, const char *method, const struct text *sent_body)
{
	struct text body = {0}, allow = {0};
	struct http_request request = {
		.path = path,
		.connection = connection,
		.body = {(const uint8_t *)sent_body->data, sent_body->len},
	};
	const struct http_route *route = find_route(h, method, path, &allow);
	const char *content_type = json_type;
	enum MHD_Result sent;
	unsigned status;

	request.client = client_of(connection);
	request.loopback = addr_is_loopback(&request.client);
	if (route)
		status = route->handler(&request, h->arg, &body, &content_type);
	else if (allow.len)
		status = http_error(&body, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed here");
	else
		status = http_error(&body, MHD_HTTP_NOT_FOUND, "no such path");
	sent = send_answer(connection, status, content_type, &body, &allow);
	text_fini(&allow);
	return sent;
}

static enum MHD_Result count_header(void *arg, enum MHD_ValueKind kind, const char *key,
                                    size_t key_len, const char *value, size_t value_len)
{
	struct exchange *x = arg;

	(void)kind;
	(void)key;
	(void)value;
	x->header_len += key_len + value_len + 4; /* ": " and the line's end */
	return MHD_YES;
}

static size_t body_most(const struct http_admin *h)
{
	return h->more.body_most ? h->more.body_most : BODY_MOST;
}

static enum MHD_Result begin(const struct http_admin *h, struct MHD_Connection *connection,
                             struct exchange *x)
{
	const char *length =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
	uint64_t announced;

	x->begun = true;
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, count_header, x);
	if (x->header_len > HEADER_MOST)
		return refuse(connection, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
		              "header too large");
	if (length && !text_to_u64(bytes_of(length), body_most(h), &announced))
		return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE, "body too large");
	return MHD_YES;
}

static void forget_body(struct http_admin *h, struct exchange *x)
{
	h->bodies_len -= x->body.len;
	text_fini(&x->body);
}

/* What is too much, of this request or of all, is dropped, and the rest of it, too. */
static enum MHD_Result take_body(struct http_admin *h, struct exchange *x, struct bytes piece)
{
	bool keeps = h->more.body_most > 0 && !x->crowded;

	x->body_len += piece.len;
	if (keeps &&
	    (x->body_len > h->more.body_most || piece.len > h->more.bodies_most - h->bodies_len)) {
		x->crowded = true;
		forget_body(h, x);
	} else if (keeps) {
		text_add_bytes(&x->body, piece);
		h->bodies_len += piece.len;
	}
	return x->body_len <= body_most(h) + BODY_DROPPED_MOST ? MHD_YES : MHD_NO;
}

/* Called once for the header, then for pieces of the body, then with none left. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **state)
{
	struct http_admin *h = arg;
	struct exchange *x = *state;

	(void)version;
	if (!x->begun)
		return begin(h, connection, x);
	if (*data_len > 0) {
		struct bytes piece = {(const uint8_t *)data, *data_len};

		*data_len = 0;
		return take_body(h, x, piece);
	}
	if (x->body_len > body_most(h))
		return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE, "body too large");
	if (x->crowded)
		return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too much at once");
	return answer(h, connection, path, method, &x->body);
}

/* The request line counts as header, arguments and all. */
static void *on_request_line(void *arg, const char *line, struct MHD_Connection *connection)
{
	struct exchange *x = xcalloc(1, sizeof(*x));

	(void)arg;
	(void)connection;
	x->header_len = strlen(line);
	return x;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
	struct http_admin *h = arg;

	(void)connection;
	(void)how;
	if (*state)
		forget_body(h, *state);
	free(*state);
	*state = NULL;
}

/* --- the server --- */

static const char tls_versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

enum err http_admin_open(const struct addr *addr, uint16_t port, int *out, struct reason *why)
{
	struct sockaddr_storage sa;
	socklen_t sa_len = addr_to_sockaddr(addr, port, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	char text[ADDR_PORT_TEXT_SIZE];

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&sa, sa_len) != 0 || listen(fd, BACKLOG) != 0) {
		int cause = errno;

		if (fd >= 0)
			close(fd);
		return reason_set(why,
		                  cause == EACCES       ? ERR_DENIED
		                  : cause == EADDRINUSE ? ERR_CONFLICT
		                                        : ERR_IO,
		                  "cannot listen on %s: %s", addr_port_print(addr, port, text),
		                  strerror(cause));
	}
	*out = fd;
	return ERR_OK;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	uint16_t port = 0;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		(void)addr_from_sockaddr((struct sockaddr *)&sa, &port);
	return port;
}

enum err http_admin_start_on(int take_fd, const struct http_route *routes, void *arg,
                             struct http_admin **out, struct reason *why)
{
	const struct http_more none = {0};

	return http_admin_start_more(take_fd, &none, routes, arg, out, why);
}

static char *writable(const char *text)
{
	union {
		const char *in;
		char *out;
	} pointer = {text};

	return pointer.out;
}

enum err http_admin_start_more(int take_fd, const struct http_more *more,
                               const struct http_route *routes, void *arg, struct http_admin **out,
                               struct reason *why)
{
	struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	/* The library takes pointers to what it does not change. */
	struct MHD_OptionItem secure[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, writable(more->certificate)},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, writable(more->key)},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, writable(tls_versions)},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem *tls = more->certificate ? secure : plain;
	struct http_admin *h = xcalloc(1, sizeof(*h));

	h->more = *more;
	h->routes = routes;
	h->arg = arg;
	h->listener = take_fd;
	h->port = port_of(take_fd);
	/* Handlers may run, and ask for the port, before the daemon is returned. */
	*out = h;
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | (more->certificate ? MHD_USE_TLS : 0),
		0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, take_fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CLIENT_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S, MHD_OPTION_URI_LOG_CALLBACK,
		on_request_line, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
		MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!h->daemon) {
		close(take_fd);
		free(h);
		*out = NULL;
		if (more->certificate)
			return reason_set(why, ERR_PARSE,
			                  "certificate and key cannot be used together");
		return reason_set(why, ERR_IO, "cannot start the HTTP thread");
	}
	return ERR_OK;
}

/* A socket of our own, so that the reason of a failure can be told. */
enum err http_admin_start(const struct addr *addr, uint16_t port, const struct http_route *routes,
                          void *arg, struct http_admin **out, struct reason *why)
{
	int fd = -1;
	enum err err = http_admin_open(addr, port, &fd, why);

	return err ? err : http_admin_start_on(fd, routes, arg, out, why);
}

uint16_t http_admin_port(const struct http_admin *h) { return h->port; }

int http_admin_listener(const struct http_admin *h) { return h->listener; }

void http_admin_retire(struct http_admin *h)
{
	if (h->listener < 0)
		return;
	(void)MHD_quiesce_daemon(h->daemon);
	close(h->listener);
	h->listener = -1;
}

bool http_admin_is_idle(const struct http_admin *h)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info && info->num_connections == 0;
}

void http_admin_stop(struct http_admin *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	free(h);
}
