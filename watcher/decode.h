/* decode.h -- one API object, as JSON, to the fact it is; the door of the room.
 *
 * The only files that know json-c are decode*.c and manifests*.c's reader.  Everything that does not matter
 * is dropped here.  The objects are strangers': every field may be absent, of
 * another type, or huge; a field of a wrong type in an object we need is an
 * error that names the field, an unknown field is nothing.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_DECODE_H
#define WATCHER_DECODE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "records/fact.h"

struct json_object;

enum decode_role { DECODE_HOST, DECODE_MEMBER }; /* whose object it is */

/* ERR_OK with *out: a fact (the caller unrefs).  ERR_OK with NULL: a kind that does not matter to
 * this role.  Else what is wrong: "Service shop/web: spec.ports[0].port: 70000 is not a port".
 * With ERR_OK `why` is empty, or a warning: the fact is taken without the part that it names.
 * `a` is scratch.  `kind: List` is the caller's to unfold (decode_list_items). */
enum err decode_object(struct json_object *object, enum decode_role role, struct arena *a,
                       const struct fact **out, struct reason *why) MUST_CHECK;
/* Can it be the name of an object? */
bool decode_is_name(struct bytes name);
/* The items of a List (any kind that ends in "List" with an items array); NULL: it is not a list.
 * Items without a kind, as API servers give them, get that of the list (ServiceList: Service). */
struct json_object *decode_list_items(struct json_object *object);

#endif
