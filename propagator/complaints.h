/* complaints.h -- all that is wrong with an object, in the words of Kubernetes' validation.
 *
 * For admission, where a person wants to read all of it at once.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_COMPLAINTS_H
#define PROPAGATOR_COMPLAINTS_H

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

struct json_object;

enum { COMPLAINTS_MOST = 100 }; /* those after it are counted only */

/* Zeroed: nothing is wrong. */
struct complaints {
	struct text text;
	size_t count;
};

void complaints_fini(struct complaints *c);
/* `path` of each: "spec.targetType.version". */
void complain_required(struct complaints *c, const char *path);
void complain_invalid(struct complaints *c, const char *path, struct json_object *value,
                      const char *detail);
void complain_duplicate(struct complaints *c, const char *path, struct json_object *value);
/* `accepted` ends with NULL. */
void complain_unsupported(struct complaints *c, const char *path, struct json_object *value,
                          const char *const *accepted);
/* When `text` is no such name; `value` is what is shown of it. */
void complain_unless_label(struct complaints *c, const char *path, const char *text,
                           struct json_object *value); /* of RFC 1035, in small letters */
void complain_unless_subdomain(struct complaints *c, const char *path, const char *text,
                               struct json_object *value); /* of RFC 1123, as Kubernetes reads it */
/* "a" of one, "[a, b]" of more; adds it. */
void complaints_print(const struct complaints *c, struct text *out);
/* ERR_OK when there are none, else ERR_PARSE with as much of it as `why` holds. */
enum err complaints_end(struct complaints *c, struct reason *why) MUST_CHECK;

#endif
