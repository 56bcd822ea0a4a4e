/* dig.h -- what stands deep in a JSON tree that others wrote.
 *
 * A path is members' names and ends with NULL: dig(o, "status", "phase", NULL).  What is missing, null, or of another
 * type than asked for is absent.  Everything is borrowed from the tree.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DIG_H
#define PROPAGATOR_DIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* NULL: absent. */
struct json_object *dig(struct json_object *object, ...) __attribute__((sentinel));
/* "" when absent. */
const char *dig_text(struct json_object *object, ...) __attribute__((sentinel));
bool dig_is_true(struct json_object *object, ...) __attribute__((sentinel));
int64_t dig_int(struct json_object *object, int64_t absent, ...) __attribute__((sentinel));
/* How many items the list has; 0 when absent, and when it is no list. */
size_t dig_count(struct json_object *list);
/* The item of a list; NULL: there is none. */
struct json_object *dig_item(struct json_object *list, size_t i);
/* Of status.conditions the one of that type; NULL: there is none. */
struct json_object *dig_condition(struct json_object *object, const char *type);
/* The status of that condition, "True", "False", "Unknown"; "": there is none. */
const char *dig_condition_status(struct json_object *object, const char *type);

#endif
