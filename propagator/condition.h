/* condition.h -- the conditions of an object's status.  Borrowed from it; pure, any thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_CONDITION_H
#define PROPAGATOR_CONDITION_H

struct json_object;

/* Of status.conditions the first of that type; NULL: there is none. */
struct json_object *condition_find(struct json_object *object, const char *type);
/* The same of a status by itself, or NULL. */
struct json_object *condition_in(struct json_object *status, const char *type);
/* What it says, "True", "False", "Unknown"; "": there is none. */
const char *condition_status(struct json_object *object, const char *type);

#endif
