/* jsontree.h -- steps into JSON that somebody else wrote, and out of it.  Any thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_JSONTREE_H
#define PROPAGATOR_JSONTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct json_object;

/* The value at that path of members, which ends with NULL; borrowed.  NULL: it is null, or something on the way is
 * missing or no object. */
struct json_object *jsontree_get(struct json_object *value, ...) __attribute__((sentinel));
/* The same, as a text; NULL: it is none.  As long as the JSON. */
const char *jsontree_text(struct json_object *value, ...) __attribute__((sentinel));
/* The same, "" when it is none; a number, `absent` when it is not whole; is it true? */
const char *jsontree_word(struct json_object *value, ...) __attribute__((sentinel));
int64_t jsontree_int(struct json_object *value, int64_t absent, ...) __attribute__((sentinel));
bool jsontree_is_true(struct json_object *value, ...) __attribute__((sentinel));
/* How many items a list has, 0 of what is none; one of them, NULL when there is none. */
size_t jsontree_count(struct json_object *list);
struct json_object *jsontree_item(struct json_object *list, size_t i);
/* A copy of all of it, which the caller puts; of NULL, NULL. */
struct json_object *jsontree_copy(struct json_object *value);
/* Puts it there (takes it); on the way what is missing, or no object, becomes one.  The path ends with NULL. */
void jsontree_set(struct json_object *object, struct json_object *take_value, ...)
	__attribute__((sentinel));
/* Levels of containers in it: 0 of a number. */
int jsontree_depth(struct json_object *value);
/* Is every number in it what was written?  json-c makes whole numbers that 64 bits do not hold the largest, or the
 * smallest, that they do; Kubernetes writes doubles of up to 1e21 so. */
bool jsontree_is_exact(struct json_object *value);

/* For messages: "a number", "a list". */
const char *jsontree_kind(struct json_object *value);

#endif
