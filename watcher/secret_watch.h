/* secret_watch.h -- one Secret of the host, watched by its name alone: never a namespace of them.
 *
 * So the right to these Secrets is all it takes.  For fleet*.c, on the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SECRET_WATCH_H
#define WATCHER_SECRET_WATCH_H

#include "kube/watch.h"

struct secret_watch;

/* Whom to ask, and how; all borrowed.  Of the settings, silence_ms and reply_ms count. */
struct secret_watch_host {
	uv_loop_t *loop;
	struct kube_client *client;
	struct kube_backoff *backoff;
	struct kube_watch_settings pace;
};

struct secret_watch_events {
	void (*on_secret)(struct json_object *secret, void *arg); /* as it is now */
	/* There is none, or it may not be seen, or it cannot be taken: `why`, for a person. */
	void (*on_trouble)(const char *why, void *arg);
	void *arg;
};

/* Names and host are copied. */
struct secret_watch *secret_watch_start(const struct secret_watch_host *host, const char *namespace,
                                        const char *name, const struct secret_watch_events *events);
/* The host may be another one. */
void secret_watch_restart(struct secret_watch *w);
void secret_watch_stop(struct secret_watch *w);

#endif
