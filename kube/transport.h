/* transport.h -- requests to one API server, many at once over one connection; libcurl on the loop.
 *
 * The connection is HTTP/2 where the server offers it (each request its own, at 1.1, where not).  Redirects are not
 * followed; nothing but HTTPS and HTTP is spoken; what a server may send is bounded by who reads it, and the time it
 * may take of the loop by a budget (struct kube_pace).  All callbacks run on the loop's thread, never inside the call that
 * caused them; any function here may be called from within them.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_TRANSPORT_H
#define KUBE_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"
#include "kube/access.h"

struct kube_client;
struct kube_request;

/* Once per process, before any thread. */
void kube_transport_setup(void);

/* `access` is copied. */
struct kube_client *kube_client_new(uv_loop_t *loop, const struct kube_access *access);
/* Drops all requests without a word; `on_stopped` is called when it has been freed. */
void kube_client_stop(struct kube_client *c, void (*on_stopped)(void *arg), void *arg);

/* The credentials with which it asks from now on (copied).  Where they differ, the connection is replaced: a server
 * looks at a credential when a watch begins and not again. */
void kube_client_set_access(struct kube_client *c, const struct kube_access *access);
const struct kube_access *kube_client_access(const struct kube_client *c);
/* Ends the connection: what is under way fails with ERR_GONE and `why`, soon; what is asked then goes over a new
 * one. */
void kube_client_replace(struct kube_client *c, const char *why);

struct kube_ask {
	const char *method; /* NULL: GET */
	const char *path;   /* "/api/v1/services?limit=500"; escaped already (kube/path.h) */
	const char *accept; /* NULL: application/json */
	const char *content_type;
	struct bytes body;   /* none with GET; copied */
	uint64_t reply_ms;   /* until the status line; 0: 30 s */
	uint64_t silence_ms; /* between two pieces of the body; 0: as long as it likes */
	uint64_t whole_ms;   /* from now to its end, ERR_TIMEOUT then; 0: no such limit */
	bool compressed;     /* gzip is welcome */
};

struct kube_events {
	/* The status line and the headers; `retry_after_ms` 0: the server did not say. */
	void (*on_status)(int status, uint64_t retry_after_ms, void *arg); /* may be NULL */
	void (*on_body)(struct bytes piece, void *arg);                    /* may be NULL */
	/* It has ended and is freed.  ERR_OK: the answer is whole, whatever its status.  ERR_UNREACHABLE,
	 * ERR_TIMEOUT, ERR_DENIED (an address that may not be dialled; TLS), ERR_GONE (the connection was
	 * replaced): `why` says it. */
	void (*on_done)(enum err err, const char *why, void *arg);
	void *arg;
};

struct kube_request *kube_client_ask(struct kube_client *c, const struct kube_ask *ask,
                                     const struct kube_events *events);
/* Nothing is called for it any more. NULL is fine. */
void kube_request_cancel(struct kube_request *r);

/* Since the start. */
struct kube_counts {
	uint64_t requests, bytes, connections, replaced, unauthorized;
	uint64_t throttled; /* how often it had used up its time */
};
struct kube_counts kube_client_counts(const struct kube_client *c);

/* One request, waited for: for a program that does one thing.  The body's bytes are appended to `out` (at most
 * KUBE_CALL_MOST); *status is the answer's. */
enum { KUBE_CALL_MOST = 64 << 20 };
enum err kube_call(const struct kube_access *access, const struct kube_ask *ask, int *status,
                   struct buffer *out, struct reason *why) MUST_CHECK;

/* The same one after the other, over a connection that stays between them.  It has a loop of its own, which turns only
 * within kube_caller_ask(). */
struct kube_caller;
struct kube_caller *kube_caller_new(const struct kube_access *access); /* which is copied */
void kube_caller_free(struct kube_caller *c);
enum err kube_caller_ask(struct kube_caller *c, const struct kube_ask *ask, int *status,
                         struct buffer *out, struct reason *why) MUST_CHECK;

#endif
