/* apiserver.h -- one API server as a source of facts: the host's, or a member's.
 *
 * Watches the kinds of its role over one connection, and says what is known of the cluster: *synced* when every kind
 * has been seen (or is not installed, or not permitted, and never was), *unseen* when something that was known cannot
 * be seen now.  Nothing is withdrawn for that.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_APISERVER_H
#define WATCHER_APISERVER_H

#include <stdbool.h>
#include <uv.h>

#include "base/text.h"
#include "kube/access.h"
#include "watcher/apiserver_kind.h"
#include "watcher/store.h"

struct apiserver;

/* How patient one is with API servers; the config's `watch`. */
struct apiserver_pace {
	uint64_t silence_ms;  /* 90 s */
	uint64_t reply_ms;    /* 30 s */
	uint64_t backoff_ms;  /* 10 s */
	uint64_t object_most; /* bytes: 16 MiB */
};

struct apiserver_settings {
	uint16_t cluster; /* FACTS_HOST: it is the host */
	enum cluster_source source;
	const struct kube_access *access; /* copied */
	const char
		*namespace; /* copied; KubeFed's of the host; of a member the only one, NULL: all */
	bool only_sites;    /* of the host no records, as what is published of them is there */
	struct apiserver_pace pace;
	struct apiserver_objects objects; /* zeroed: nobody wants them */
};

struct apiserver *apiserver_start(uv_loop_t *loop, struct store *store,
                                  const struct apiserver_settings *settings);
/* Facts and knowledge stay as they are. */
void apiserver_stop(struct apiserver *a, void (*on_stopped)(void *arg), void *arg);

/* Other credentials, or another address, of the same cluster. */
void apiserver_set_access(struct apiserver *a, const struct kube_access *access);
/* Do they lead to what may be another server? */
bool apiserver_is_elsewhere(const struct kube_access *a, const struct kube_access *b);
struct kube_client *apiserver_client(struct apiserver *a);
struct kube_backoff *apiserver_backoff(struct apiserver *a);
/* Has it tell anew what there is of that kind; false: it will not. */
bool apiserver_relist(struct apiserver *a, enum fact_kind kind);

/* For /status and /metrics; borrowed until the loop turns. */
struct apiserver_report {
	const char *version; /* gitVersion as the server says it; "": unknown */
	int64_t expires;     /* of the credential, Unix seconds; 0: unknown */
	struct kube_counts wire;
	struct kube_watch_counts watch; /* of all kinds */
};
void apiserver_report(const struct apiserver *a, struct apiserver_report *out);
/* The kinds that are in this state, as "services, ingresses". */
void apiserver_print_kinds(const struct apiserver *a, enum kube_sight sight, struct text *out);

#endif
