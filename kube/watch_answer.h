/* watch_answer.h -- what an answer says as a whole: a list's envelope, or a refusal in the server's words.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_WATCH_ANSWER_H
#define KUBE_WATCH_ANSWER_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/text.h"
#include "kube/access.h"
#include "kube/watch.h"

struct json_object;
struct json_tokener;

/* Is it a list of what is asked for?  Then its resourceVersion and the continue token of its next page, "" where it
 * has none; borrowed from `list`, which may be NULL. */
bool watch_answer_is_list(struct json_object *list, const struct kube_watch_settings *settings,
                          struct bytes *version, struct bytes *more);
/* "403 pods is forbidden ...": the status, and the message of a Status when the body is one, on one line, cut, and without it
 * when a credential stands in it that was sent there.  The caller ends it with text_fini(). */
struct text watch_answer_words(struct json_tokener *tokener, struct bytes body, int status,
                               const struct kube_access *access);

#endif
