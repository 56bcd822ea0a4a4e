/* watch_event.h -- what one event of a watch says.  Whatever a server sends, it is one of these.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_WATCH_EVENT_H
#define KUBE_WATCH_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct json_object;

enum watch_event_type {
	WATCH_EVENT_ADDED,
	WATCH_EVENT_MODIFIED,
	WATCH_EVENT_DELETED,
	WATCH_EVENT_BOOKMARK,
	WATCH_EVENT_LISTED,  /* the bookmark that ends the initial events of a WatchList */
	WATCH_EVENT_ERROR,   /* the watch is over */
	WATCH_EVENT_STRANGE, /* of an object of another kind */
	WATCH_EVENT_BAD      /* of an unknown type, or without an object */
};

struct watch_event {
	enum watch_event_type type;
	struct json_object *object; /* borrowed; never NULL but with ERROR and BAD */
	struct bytes version;       /* its resourceVersion; none with ERROR, STRANGE and BAD */
	long code;                  /* ERROR: a status, 0 when it has none */
	uint64_t retry_after_ms;    /* ERROR: as the server wants it; 0: it did not say */
};

/* `kind` is what is watched; an object without a kind is taken for one.  With `metadata_only` it may be
 * PartialObjectMetadata, too. */
void watch_event_read(struct json_object *json, const char *kind, bool metadata_only,
                      struct watch_event *out);

#endif
