/* http_admin.h -- a small HTTP server for people and monitors (libmicrohttpd).
 *
 * Runs its own thread; handlers are called on it, one at a time, and must not
 * wait long.  Limits: GET and POST, 64 connections, 8 KiB of header, 16 KiB of
 * body (others for who asks for them), 10 s of silence.  The client's text is never echoed unescaped.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HTTP_ADMIN_H
#define BASE_HTTP_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/text.h"

struct http_admin;

struct http_request {
	const char *path;
	struct addr client;
	bool loopback;     /* client is on 127.0.0.0/8 or ::1 */
	void *connection;  /* for http_request_arg() */
	struct bytes body; /* where http_more asks for it, else none */
};

/* The decoded query argument, "" for "?key" without a value, or NULL when absent. */
const char *http_request_arg(const struct http_request *r, const char *key);

/* Writes the body into `body`, sets *content_type (preset to JSON) and returns
 * the status.  For an error: http_error(). */
typedef unsigned http_handler_fn(const struct http_request *r, void *arg, struct text *body,
                                 const char **content_type);

struct http_route {
	const char *method; /* "GET" (HEAD comes with it) or "POST" */
	const char *path;   /* whole path, or ending in "/" for all below */
	http_handler_fn *handler;
};

/* `routes` ends with a NULL path and outlives the server.  Port 0: the kernel chooses.
 * *out is set before a handler is called, which may be before this returns; NULL on failure. */
enum err http_admin_start(const struct addr *addr, uint16_t port, const struct http_route *routes,
                          void *arg, struct http_admin **out, struct reason *why) MUST_CHECK;
uint16_t http_admin_port(const struct http_admin *h);

/* The same in two steps: the socket, which may also be another process's, and the server on it.  ERR_CONFLICT: the address is in
 * use. */
enum err http_admin_open(const struct addr *addr, uint16_t port, int *out,
                         struct reason *why) MUST_CHECK;
enum err http_admin_start_on(int take_fd, const struct http_route *routes, void *arg,
                             struct http_admin **out, struct reason *why) MUST_CHECK;
/* What a server may have besides.  Zeroed: HTTP, and bodies are read and dropped. */
struct http_more {
	size_t body_most;              /* handlers get bodies of up to so many bytes */
	size_t bodies_most;            /* of all connections together; who comes then is told 503 */
	const char *certificate, *key; /* PEM: HTTPS; borrowed until the server has stopped */
};
/* ERR_PARSE: certificate and key cannot be used, or not together. */
enum err http_admin_start_more(int take_fd, const struct http_more *more,
                               const struct http_route *routes, void *arg, struct http_admin **out,
                               struct reason *why) MUST_CHECK;
/* The socket, for another process, or another server, to have as well. */
int http_admin_listener(const struct http_admin *h);
/* Another process has the socket now: no connection is accepted any more, those that are there go on. */
void http_admin_retire(struct http_admin *h);
/* Is there no connection? */
bool http_admin_is_idle(const struct http_admin *h);

/* Waits for the handler that runs, then ends.  NULL is fine. */
void http_admin_stop(struct http_admin *h);

/* Body {"error": text}; returns status. */
unsigned http_error(struct text *body, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
