/* watch_parse.h -- the objects of a long list, parsed in the thread pool, given back on the loop in their order.
 *
 * Half of what a list costs is parsing.  Texts are gathered to batches; while one is parsed, the next is gathered.  When
 * more than a few are under way the loop's thread parses as well, so that what waits is bounded by what it reads in one
 * turn.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_WATCH_PARSE_H
#define KUBE_WATCH_PARSE_H

#include <stdbool.h>
#include <uv.h>

#include "base/bytes.h"

struct json_object;
struct watch_parse;

struct watch_parse_events {
	/* The next one, borrowed; NULL: its text was not JSON. */
	void (*on_parsed)(struct json_object *object, void *arg);
	/* All that was added has been given. */
	void (*on_idle)(void *arg);
	void *arg;
};

struct watch_parse *watch_parse_new(uv_loop_t *loop, int depth,
                                    const struct watch_parse_events *events);
/* Nothing is given any more; memory goes when the pool lets go of it (the loop must turn until then).  Also from within
 * its callbacks.  NULL is fine. */
void watch_parse_free(struct watch_parse *p);

/* One object's text (copied). */
void watch_parse_add(struct watch_parse *p, struct bytes json);
/* Nothing more comes for now: what was added is not to wait for company. */
void watch_parse_flush(struct watch_parse *p);
/* Has all been given? */
bool watch_parse_is_idle(const struct watch_parse *p);

#endif
