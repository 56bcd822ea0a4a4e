/* propagator_murder.h -- a story between scripted API servers, told once undisturbed, and then once for each write in it: whoever
 * leads is killed with -9 when a server has done it and has not answered yet, and another goes on.
 *
 * Whatever the write, the story ends as without it, each object that it names has changed as often, and none has become again
 * what it was before.  A telling has a process of its own, several are told at once, and the leader is yet another one.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_PROPAGATOR_MURDER_H
#define TESTS_SUPPORT_PROPAGATOR_MURDER_H

#include <stdatomic.h>

#include "tests/support/propagator_world.h"

enum { MURDER_CHANGES_MOST = 12, MURDER_MEMBERS = 2 };

struct murder {
	struct propagator_world *w;
	const struct murder_story *story;
	unsigned kill_at; /* 0: nobody is */
	_Atomic unsigned writes;
	_Atomic pid_t leader; /* 0: it is dead */
};

/* Server 0 is the host, the others are members. */
struct murder_changes {
	unsigned server;
	const char *resource, *object;
	unsigned count; /* it came, changed and went, in all */
};

struct murder_story {
	const char *name; /* a sentence */
	/* What is there before anybody leads; NULL: nothing. */
	void (*prepare)(struct propagator_world *w);
	void (*live)(struct murder *m);
	/* A write counts when one of these is in its line, "PATCH /path?query"; none: each does. */
	const char *about[8];
	unsigned least; /* so many there are in it */
	struct murder_changes changes[MURDER_CHANGES_MOST];
};

struct murder_fact {
	unsigned server;
	const char *resource, *object, *text; /* as propagator_world_is() */
};

/* Until they are so, one after the other; whoever is dead has a successor. */
void murder_expect(struct murder *m, const struct murder_fact *facts, size_t count);
#define MURDER_EXPECT(m, ...)                                                                      \
	do {                                                                                       \
		static const struct murder_fact facts[] = {__VA_ARGS__};                           \
		murder_expect(m, facts, sizeof(facts) / sizeof(*facts));                           \
	} while (0)

/* For who waits for something else: a moment, and whoever is dead has a successor. */
void murder_rest(struct murder *m);

/* The whole main() of a test program. */
int murder_main(int argc, char **argv, const char *group, const struct murder_story *stories,
                size_t count);

#endif
