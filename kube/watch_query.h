/* watch_query.h -- what an API server is asked for by who lists and watches: the paths and their Accept.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_WATCH_QUERY_H
#define KUBE_WATCH_QUERY_H

#include <stdbool.h>

#include "base/text.h"
#include "kube/watch.h"

enum { WATCH_QUERY_PAGE = 500, WATCH_QUERY_LEAST_S = 300, WATCH_QUERY_MOST_S = 600 };

/* Each appends a path with its query.  The first page of a list of now, or, where `token` is not empty, the page that it
 * stands for. */
void watch_query_page(struct text *path, const struct kube_watch_settings *s, const char *token);
/* A list of one object. */
void watch_query_one(struct text *path, const struct kube_watch_settings *s);
/* A WatchList, and a watch from `version` on; the server ends either after `timeout_s`. */
void watch_query_stream(struct text *path, const struct kube_watch_settings *s, unsigned timeout_s);
void watch_query_watch(struct text *path, const struct kube_watch_settings *s, const char *version,
                       unsigned timeout_s);

/* The Accept of a list or a watch; NULL: plain JSON. */
const char *watch_query_accept(const struct kube_watch_settings *s, bool watches);

#endif
