/* apiserver_kind.h -- one kind of one API server: from what kube/watch tells to facts in the store.
 *
 * For apiserver.c, on the loop's thread.  What a complete list lacks is gone; what cannot be read keeps its last good
 * fact, and is an error of /status.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_APISERVER_KIND_H
#define WATCHER_APISERVER_KIND_H

#include <stdbool.h>

#include "kube/watch.h"
#include "watcher/decode.h"
#include "watcher/store.h"

struct apiserver_kind;

/* What kinds there are: of the host, of a member. */
struct apiserver_kind_type {
	struct kube_resource resource;
	enum fact_kind fact;
	bool in_namespace;  /* where the settings name one, only that is looked at */
	bool metadata_only; /* its labels are all that is wanted */
	bool optional;      /* that it cannot be seen says nothing about the rest */
};
extern const struct apiserver_kind_type apiserver_host_kinds[];
extern const struct apiserver_kind_type apiserver_member_kinds[];
enum { APISERVER_HOST_KINDS = 7, APISERVER_MEMBER_KINDS = 4 };
/* Bytes of facts of one kind that one cluster may have: some four million Services. */
enum { APISERVER_KEPT_MOST = 512 << 20 };

/* The objects themselves, for who needs more of them than their facts. */
struct apiserver_objects {
	/* A list of them begins, or is begun over. */
	void (*on_list)(const struct apiserver_kind_type *type, void *arg);
	void (*on_object)(const struct apiserver_kind_type *type, struct json_object *object,
	                  void *arg);
	void (*on_gone)(const struct apiserver_kind_type *type, struct bytes name, void *arg);
	/* There is one that cannot be taken. */
	void (*on_skipped)(const struct apiserver_kind_type *type, struct bytes name, void *arg);
	/* The list of them is complete. */
	void (*on_listed)(const struct apiserver_kind_type *type, void *arg);
	void *arg;
};

/* What all kinds of one API server have in common; borrowed. */
struct apiserver_kind_around {
	uv_loop_t *loop;
	struct kube_client *client;
	struct kube_backoff *backoff;
	struct store *store;
	uint16_t cluster;
	const struct apiserver_objects *objects; /* NULL: nobody wants them */
	void (*on_sight)(void *arg);             /* of a kind has changed */
	void *arg;
};

struct apiserver_kind *apiserver_kind_start(const struct apiserver_kind_around *around,
                                            const struct apiserver_kind_type *type,
                                            const struct kube_watch_settings *settings);
void apiserver_kind_stop(struct apiserver_kind *k);

const struct apiserver_kind_type *apiserver_kind_type(const struct apiserver_kind *k);
/* False: nothing has been heard of it yet. */
bool apiserver_kind_sight(const struct apiserver_kind *k, enum kube_sight *sight, const char **why);
/* Are facts of it known, from now or from before? */
bool apiserver_kind_has_facts(const struct apiserver_kind *k);
void apiserver_kind_hurry(struct apiserver_kind *k);
void apiserver_kind_check_right(struct apiserver_kind *k);
/* Lists it anew.  False: it was never seen, or is not to be seen, and no list would come. */
bool apiserver_kind_relist(struct apiserver_kind *k);
/* Begins with a list again, of a server that may be another one; what is known stays until it is complete. */
void apiserver_kind_restart(struct apiserver_kind *k);
/* The server has said that it is ready: it is asked again, and if it refuses the kind still, that is sure. */
void apiserver_kind_make_sure(struct apiserver_kind *k);
bool apiserver_kind_is_sure(const struct apiserver_kind *k);
/* Adds what it has done. */
void apiserver_kind_count(const struct apiserver_kind *k, struct kube_watch_counts *sum);

#endif
