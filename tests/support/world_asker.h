/* world_asker.h -- clients that ask all the time, in threads of their own, and see what is lost and what is wrong.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_ASKER_H
#define TESTS_SUPPORT_WORLD_ASKER_H

#include <stdint.h>

#include "tests/support/world.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_sign.h"

enum { ASKER_RIGHT_MOST = 4, ASKER_QUESTIONS_MOST = 16 };

/* A of `name`; NOERROR with a single address, one of these, is right (NULL behind the last). */
struct asker_question {
	const char *name;
	const char *right[ASKER_RIGHT_MOST];
};

struct asker_how {
	const struct transport *transport;
	unsigned
		per_second; /* over TCP and TLS one after the other, over UDP up to 256 at a time */
	const struct asker_question *questions;
	unsigned count;
	const struct signing *signing; /* NULL: not signed; else answers must be, too */
	const char *cookie;            /* "10=HEX"; NULL: none */
};

struct asker;

/* `how` is copied, what it names must stay. */
struct asker *asker_start(struct world *w, const struct asker_how *how);

struct asker_tally {
	uint64_t asked, lost, wrong; /* lost: no answer within 5 s, or the connection was ended */
	unsigned slowest_ms;         /* of those that were answered */
	unsigned sessions;           /* connections that were opened */
	char first_wrong[128];
};

struct asker_tally asker_tally(struct asker *l); /* until now */
/* Waits for the last answers; ends it. */
struct asker_tally asker_stop(struct asker *l);
/* The test fails when something was lost or wrong; prints the rest. */
void asker_expect_all_right(struct world *w, const char *label, const struct asker_tally *t);

#endif
