/* watch.h -- one kind of one API server: listed, then watched, for ever.
 *
 * What comes is handed on as parsed JSON, one object at a time, in the server's order.  Whatever goes wrong is tried
 * again; only what a watch or a complete list says is gone is told as gone.  On the loop's thread.
 *
 * How (spec/kubesphere.md 7.1): WatchList where the server offers it, else pages of 500; then a watch with bookmarks
 * that is renewed every five to ten minutes.  Silence is checked by a list of one object; when that fails the
 * connection is replaced, else the watch is begun again.  410, an event out of order and a server whose
 * resourceVersion has gone back (an etcd restored from a backup) mean a new list.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "kube/backoff.h"
#include "kube/path.h"
#include "kube/transport.h"

struct json_object;
struct kube_watch;

struct kube_watch_settings {
	struct kube_resource resource; /* the texts are borrowed */
	const char *namespace;         /* NULL: all */
	const char *name;              /* only this one (a field selector); NULL: all */
	const char *labels;            /* only these (a selector: "a.b/c=true"); NULL: all */
	bool metadata_only;            /* as PartialObjectMetadata */
	bool streaming_list;           /* the server offers WatchList */
	uint64_t silence_ms;           /* of a watch: 90 s */
	uint64_t reply_ms;             /* until an answer begins, and in it without a byte: 30 s */
	size_t object_most;            /* bytes of one object */
	size_t objects_most;           /* of one list */
};

enum kube_sight {
	KUBE_SEEN,      /* what was told is what there is */
	KUBE_LOST,      /* it may have changed since */
	KUBE_FORBIDDEN, /* 403: asked again from time to time */
	KUBE_ABSENT     /* 404: the kind is not installed; asked again, too */
};

struct kube_watch_events {
	/* A complete list begins (also in the middle of one that had to be begun again). */
	void (*on_list)(void *arg);
	/* There is such an object, as it is now.  kind and apiVersion are always set.  One whose labels fit no more is gone. */
	void (*on_put)(struct json_object *object, void *arg);
	void (*on_gone)(struct bytes namespace, struct bytes name, void *arg);
	/* There is one that cannot be taken (too long, of another kind); its name, as far as it is known, else "". */
	void (*on_skipped)(struct bytes namespace, struct bytes name, const char *why, void *arg);
	/* The list is complete: what it lacks is gone.  KUBE_SEEN follows. */
	void (*on_listed)(void *arg);
	/* `why` NULL with KUBE_SEEN. */
	void (*on_sight)(enum kube_sight sight, const char *why, void *arg);
	void *arg;
};

/* `client` and `backoff` are borrowed. */
struct kube_watch *kube_watch_start(uv_loop_t *loop, struct kube_client *client,
                                    struct kube_backoff *backoff,
                                    const struct kube_watch_settings *settings,
                                    const struct kube_watch_events *events);
/* To be called from outside of its callbacks, or as the last thing in one. */
void kube_watch_stop(struct kube_watch *w);
/* Something has changed (a credential, a CRD): do not wait any longer. */
void kube_watch_hurry(struct kube_watch *w);
/* A server looks at a right when a watch begins and not again: may it still be seen?  If not, it is listed anew, and refused. */
void kube_watch_check_right(struct kube_watch *w);
/* Something else has changed what was taken of it: it is listed anew. */
void kube_watch_relist(struct kube_watch *w);

/* Since the start. */
struct kube_watch_counts {
	uint64_t lists, watches, events, skipped, bad_events;
};
struct kube_watch_counts kube_watch_counts(const struct kube_watch *w);

#endif
