/* turns.h -- whose turn it is, of many.  What was asked for comes before what is only to be looked at again (for all have to be,
 * or something was heard of it), but for every fourth turn: so neither waits for the other.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_TURNS_H
#define PROPAGATOR_TURNS_H

#include <stdbool.h>
#include <stddef.h>

struct turns_lane;

/* In what waits.  Zeroed: it does not wait. */
struct turn {
	struct turn *next, *before;
	struct turns_lane *lane; /* NULL: it does not wait */
};

struct turns_lane {
	struct turn *first, *last;
	size_t count;
};

/* Zeroed: nothing waits.  It may not move. */
struct turns {
	struct turns_lane asked, again;
	unsigned since_again; /* so many turns in a row that were asked for while others waited */
};

/* In the order of their coming, each once: who is asked for leaves the others. */
void turns_add_asked(struct turns *t, struct turn *turn);
void turns_add_again(struct turns *t, struct turn *turn);
/* It waits no more then; NULL: nothing waits. */
struct turn *turns_take(struct turns *t);
size_t turns_count(const struct turns *t);

#endif
