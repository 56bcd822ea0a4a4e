/* decode_field.h -- the fields of a stranger's JSON object, asked for by type.
 *
 * For decode*.c alone.  A field knows how one got to it, so that an error can
 * name it ("spec.ports[0].port: ...").  The first error stays in the reading;
 * after it everything is absent: read all, then ask once.  Absent and null are
 * the same.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_DECODE_FIELD_H
#define WATCHER_DECODE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

struct json_object;

enum { FIELD_TEXT_MOST = 65535, FIELD_ITEMS_MOST = 65535 }; /* what a fact can hold */

/* One object being read. */
struct field_reading {
	struct arena *arena; /* results live here */
	struct reason *why;
	enum err err; /* of the first field that was wrong */
};

struct field {
	struct field_reading *reading;
	struct json_object *value; /* NULL: absent or null */
	const struct field *outer; /* must stay where it is; NULL: the whole object */
	const char *key;           /* in outer; NULL: its item `index` */
	size_t index;
};

struct field field_root(struct field_reading *r, struct json_object *object);
/* The member `key` of a mapping; an error when `outer` is there and is none. */
struct field field_get(const struct field *outer, const char *key);
/* Which of the words, which end with NULL, is the text; their count when none is. */
size_t field_word_number(const char *const *words, struct bytes text);
/* The keys of a mapping in byte order, from the arena; they live as long as the JSON does. */
const char **field_keys(const struct field *f, size_t *count);
/* An error that names it when there is a key that is not one of `known`, which ends with NULL. */
void field_only(const struct field *f, const char *const *known);
/* The items of a sequence, 0 when absent. */
size_t field_count(const struct field *f);
/* Item i < field_count(); a null item is an error. */
struct field field_item(const struct field *f, size_t i);

/* "" when absent.  The bytes live as long as the JSON does. */
struct bytes field_text(const struct field *f);
/* The same, but absent and empty are errors. */
struct bytes field_required(const struct field *f);
/* A whole number (also written 30.0) from min to max; `what` is what it is not otherwise ("a port"). */
int64_t field_int(const struct field *f, int64_t min, int64_t max, int64_t absent,
                  const char *what);
bool field_bool(const struct field *f, bool absent);
/* "10s", "5m", from min to max milliseconds; `what` is what it is not otherwise ("a time from 1s to 1h"). */
uint64_t field_duration(const struct field *f, uint64_t min, uint64_t max, uint64_t absent,
                        const char *what);
/* One of the words, which end with NULL: its number; `absent` without one. */
size_t field_word(const struct field *f, const char *const *words, size_t absent);
/* A sequence of texts; those that are empty are left out. */
struct bytes *field_texts(const struct field *f, size_t *count);

/* Says what is wrong with a field, as printf does; the first time counts. */
void field_fail(const struct field *f, enum err err, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "spec.ports[0].port: " before what `why` holds. */
void field_prefix(const struct field *f, struct reason *why);

#endif
