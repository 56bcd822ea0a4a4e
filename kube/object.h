/* object.h -- what every API object has: kind, metadata; and what an API server says instead of one, a Status.
 *
 * The bytes live as long as the JSON does.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_OBJECT_H
#define KUBE_OBJECT_H

#include <stdbool.h>

#include "base/bytes.h"

struct json_object;
struct json_tokener;

/* A whole JSON object, in UTF-8, which the caller puts; NULL: it is none, or one that takes hundreds of MiB. */
struct json_object *object_parse(struct json_tokener *tokener, struct bytes json);

/* The text at that path of members, which ends with NULL; none when anything on the way is missing or of another
 * type: object_text(o, "metadata", "name", NULL). */
struct bytes object_text(struct json_object *object, ...) __attribute__((sentinel));
/* A whole number there, else `absent`. */
long object_number(struct json_object *object, const char *member, long absent);
/* Gives it kind and apiVersion where they are missing (the items of a list have none), or, `always`, whatever they
 * are (PartialObjectMetadata). */
void object_complete(struct json_object *object, const char *kind, const char *api_version,
                     bool always);

/* resourceVersions of one resource are compared as numbers, where both are numbers (KEP-5504): does `a` come before
 * `b`?  False when that cannot be said. */
bool object_is_older(struct bytes a, struct bytes b);

/* gitVersion of what /version answers, as far as it can be printed and `room` (with its NUL) reaches; "": none. */
void object_read_version(struct bytes json, char *out, size_t room);

#endif
