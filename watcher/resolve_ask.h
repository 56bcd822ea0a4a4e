/* resolve_ask.h -- one question to the name servers, without blocking: c-ares on a libuv loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_RESOLVE_ASK_H
#define WATCHER_RESOLVE_ASK_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/err.h"

struct resolve_ask;

enum resolve_outcome {
	RESOLVE_FOUND, /* count > 0 */
	RESOLVE_NONE,  /* the name has none of this family, or does not exist */
	RESOLVE_FAILED /* nobody knows */
};
struct resolve_answer {
	enum resolve_outcome outcome;
	const char *message; /* unless found: "timed out" */
	struct addr *addr;   /* sorted, unique; the receiver frees it */
	size_t count;
	uint64_t ttl_ms; /* the shortest, of a CNAME on the way too */
};
typedef void resolve_on_answer_fn(struct resolve_answer *answer, void *arg);

/* `servers`: "127.0.0.1:5353,...", NULL: the system's.  `timeout_ms`: of a query to a server, the
 * first time. */
enum err resolve_ask_new(uv_loop_t *loop, const char *servers, uint64_t timeout_ms,
                         struct resolve_ask **out, struct reason *why) MUST_CHECK;
/* Asks as the name is written, without a search list; may answer before it returns. */
void resolve_ask(struct resolve_ask *a, const char *name, enum addr_family family,
                 resolve_on_answer_fn *on_answer, void *arg);
/* Reads the system's settings again.  Only while no question is open. */
void resolve_ask_renew(struct resolve_ask *a, uint64_t timeout_ms);
/* Open questions fail at once; frees, later. */
void resolve_ask_stop(struct resolve_ask *a, void (*on_stopped)(void *arg), void *arg);

#endif
