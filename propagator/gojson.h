/* gojson.h -- JSON as Go writes it: compact, keys in byte order, <, > and & escaped.  KubeFed hashed such bytes.
 *
 * Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_GOJSON_H
#define PROPAGATOR_GOJSON_H

struct json_object;
struct text;

/* Adds it.  NULL is null. */
void gojson_print(struct json_object *value, struct text *out);
/* The same of a value that Go read without knowing its type: every number is a double. */
void gojson_print_untyped(struct json_object *value, struct text *out);

#endif
