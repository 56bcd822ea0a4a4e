/* problems.h -- what was refused, by the name it belongs to.
 *
 * Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_PROBLEMS_H
#define ZONES_PROBLEMS_H

#include <stdbool.h>

#include "base/text.h"
#include "zones/build.h"
#include "zones/name.h"

struct problems;

enum problems_kind {
	PROBLEMS_ENDPOINT, /* of the endpoint itself */
	PROBLEMS_BUILT_IN, /* it lost against the zone's own data */
	PROBLEMS_FILE,     /* it lost against the zone's file */
	PROBLEMS_HIDDEN,   /* it is below another's delegation or DNAME */
	PROBLEMS_KINDS
};

struct problems *problems_new(const struct name_key *key); /* borrowed */
void problems_free(struct problems *p);                    /* NULL is fine */

/* Replaces a name's problems of a kind: the lines of `messages`, each ended by a newline; none: forgotten. */
void problems_set(struct problems *p, enum problems_kind kind, const struct name *name,
                  const char *where, const struct text *messages);
bool problems_any(const struct problems *p, enum problems_kind kind);
void problems_clear(struct problems *p);
/* One line each, sorted by where, then message. */
void problems_each(const struct problems *p, zones_on_problem_fn *fn, void *arg);

#endif
