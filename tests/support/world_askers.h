/* world_askers.h -- clients that ask all the time, in threads of their own, and see what is lost and what is wrong.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_ASKERS_H
#define TESTS_SUPPORT_WORLD_ASKERS_H

#include <stdint.h>

#include "tests/support/world.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_sign.h"

enum { ASKER_RIGHT_MOST = 4, ASKER_QUESTIONS_MOST = 16 };

/* A of `name`; NOERROR with a single address, one of these, is right (NULL behind the last). */
struct askers_question {
	const char *name;
	const char *right[ASKER_RIGHT_MOST];
};

struct askers_how {
	const struct transport *transport;
	unsigned
		per_second; /* over TCP and TLS one after the other, over UDP up to 256 at a time */
	const struct askers_question *questions;
	unsigned count;
	const struct signing *signing; /* NULL: not signed; else answers must be, too */
	const char *cookie;            /* "10=HEX"; NULL: none */
};

struct askers;

/* `how` is copied, what it names must stay. */
struct askers *askers_start(struct world *w, const struct askers_how *how);

struct askers_tally {
	uint64_t asked, lost, wrong; /* lost: no answer within 5 s, or the connection was ended */
	unsigned slowest_ms;         /* of those that were answered */
	unsigned sessions;           /* connections that were opened */
	char first_wrong[128];
};

struct askers_tally askers_tally(struct askers *l); /* until now */
/* Waits for the last answers; ends it. */
struct askers_tally askers_stop(struct askers *l);
/* The test fails when something was lost or wrong; prints the rest. */
void askers_expect_all_right(struct world *w, const char *label, const struct askers_tally *t);

#endif
