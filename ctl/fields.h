/* fields.h -- a server's JSON, read without trust: what is absent or of another type is empty.
 *
 * Borrowed from the value; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_FIELDS_H
#define CTL_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct json_object;

/* NULL when `object` is none, has no such key, or the value is null. */
struct json_object *fields_find(struct json_object *object, const char *key);
/* A text, or "" */
const char *fields_text(struct json_object *object, const char *key);
/* A number without sign, or 0. */
uint64_t fields_u64(struct json_object *object, const char *key);
/* A number, or 0. */
double fields_double(struct json_object *object, const char *key);
bool fields_bool(struct json_object *object, const char *key);
/* The items of a list, or 0; and one of them (NULL past the last). */
size_t fields_count(struct json_object *object, const char *key);
struct json_object *fields_item(struct json_object *object, const char *key, size_t i);
/* The item of a list with that "name"; NULL: there is none. */
struct json_object *fields_named(struct json_object *object, const char *key, const char *name);
/* Is the text that domain name, with or without the dot at its end, in whatever case? */
bool fields_is_domain(struct json_object *object, const char *key, const char *name);
/* The texts of a list, joined by `between`. */
void fields_join(struct json_object *object, const char *key, const char *between,
                 struct text *out);
/* "34.05,-118.24" of {latitude, longitude}; a text as it is; else nothing. */
void fields_place(struct json_object *object, const char *key, struct text *out);

#endif
