/* budget.h -- how many bytes may be kept of something, as a part of what may be kept of all.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_BUDGET_H
#define PROPAGATOR_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: no limit. */
struct budget {
	size_t most; /* 0: no limit of its own */
	size_t used;
	struct budget *whole; /* what it is a part of; NULL: of nothing */
};

/* False: there is no room in it, or in the whole; nothing is taken then. */
bool budget_take(struct budget *b, size_t bytes);
/* What was taken. */
void budget_give(struct budget *b, size_t bytes);

#endif
