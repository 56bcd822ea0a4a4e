/* asker.h -- somebody who never stops asking, and counts what is lost and what is wrong.
 *
 * A thread of its own asks one question after the other over UDP, so many a second, as resolvers do: what is not answered
 * within RETRY_MS is asked again, of the next server when there is one, and what is not answered within LOST_MS is lost.
 * Each answer is held to what its question allows.  The functions are for one thread at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_ASKER_H
#define TESTS_E2E_SUPPORT_ASKER_H

#include <stdint.h>

#include "base/text.h"

enum { ASKER_RETRY_MS = 300, ASKER_LOST_MS = 1000, ASKER_SERVERS = 2, ASKER_QUESTIONS = 32 };

struct asker_question {
	const char *name, *type, *client; /* as world_ask() */
	/* Addresses with spaces between: an answer has one of them or more, and no other.  "NXDOMAIN": there is no such
	 * name.  NULL: whatever it says, but not SERVFAIL or REFUSED. */
	const char *allowed;
};
struct asker_result {
	uint64_t asked, answered, again, lost, wrong;
	unsigned slowest_ms; /* of what was answered */
};

struct asker;

/* Asks nothing before it has a server. */
struct asker *asker_start(unsigned per_second, const struct asker_question *questions,
                          unsigned count);
/* Server number `index` listens on that port of 127.0.0.1; 0: it is away. */
void asker_server(struct asker *a, unsigned index, unsigned port);
/* So far; what was lost or wrong first, a line each, is appended to `story`, unless that is NULL. */
struct asker_result asker_result(struct asker *a, struct text *story);
/* What is asked is still waited for. */
void asker_stop(struct asker *a);

#endif
