/* gate.h -- stands before the API server of a cluster: passes on what is asked, or answers itself, as a server in trouble would.
 *
 * HTTP/1.1 without TLS on 127.0.0.1; each connection has a thread of its own.  What it decides by is called on those
 * threads, one at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_GATE_H
#define TESTS_E2E_SUPPORT_GATE_H

#include <stdbool.h>

#include "tests/e2e/support/cluster.h"

struct gate;

struct gate_request {
	const char *method, *path; /* with its query */
	const char *type;          /* of the body; "": it has none */
	const char *body;
};

enum { GATE_LOST = 1 };
struct gate_answer {
	unsigned status; /* 0: passed on; GATE_LOST: the same, but the asker hears no answer */
	unsigned retry_after_s; /* 0: not said */
	const char *reason;     /* of the Status, "Conflict"; NULL: `body` is the whole answer */
	const char *body;
};

/* Is it a request that changes something: no GET, and about no Lease and no Event? */
bool gate_is_write(const struct gate_request *r);

/* What to answer; `out` passes it on at first. */
typedef void gate_decide_fn(const struct gate_request *r, struct gate_answer *out, void *arg);
/* The server has done it; the asker is not told yet. */
typedef void gate_done_fn(const struct gate_request *r, unsigned status, void *arg);

struct gate *gate_new(struct cluster *c);
/* Ends all connections. */
void gate_free(struct gate *g);
const char *gate_url(const struct gate *g); /* "http://127.0.0.1:PORT" */
/* From the next request on; NULL: all are passed on. */
void gate_decide(struct gate *g, gate_decide_fn *decide, void *arg);
void gate_done(struct gate *g, gate_done_fn *done, void *arg);
/* Writes that came until now, passed on or not. */
unsigned gate_writes(struct gate *g);

#endif
