/* fleet.h -- which API servers there are, and how each is to be reached.
 *
 * The host's, from the config.  Members from the config; and one for each KubeFedCluster of the host, with the token
 * of its Secret, each Secret watched by its name alone; so are those that probes of policies name.  They come, change and go while nighd runs.  A cluster that a
 * manifest folder stands in for is not dialled.  When the host cannot be seen, the members that it told of go on, also
 * those of which only the saved state knows.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_FLEET_H
#define WATCHER_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "watcher/apiserver.h"
#include "watcher/store.h"

struct fleet;

/* A kubeconfig and which of its contexts; NULL context: the current one. */
struct fleet_kubeconfig {
	const char *file;
	const char *context;
};

struct fleet_settings {
	bool has_host;
	bool in_cluster;              /* the host is where this process runs as a pod */
	struct fleet_kubeconfig host; /* else this says where it is */
	const char *namespace;        /* KubeFed's */
	bool no_plugins;              /* see fleet_forbid_plugins() */
	bool allow_loopback;          /* for what KubeFedClusters say */
	bool only_sites; /* of the host what is published of records; KubeFedClusters are not dialled */
	const struct fleet_member {
		const char *name;
		struct fleet_kubeconfig at;
	} * members;
	size_t member_count;
	struct apiserver_pace pace;
};

/* `settings` is copied.  What the store knows of clusters that nobody tells of
 * any more goes at once. */
struct fleet *fleet_start(uv_loop_t *loop, const struct fleet_settings *settings,
                          struct store *store);
void fleet_stop(struct fleet *f, void (*on_stopped)(void *arg), void *arg);

/* System calls are restricted from now on: no plugin could run.  A kubeconfig that comes to want one is told as an error. */
void fleet_forbid_plugins(struct fleet *f);
/* Does the kubeconfig of one of them have a credential plugin run? */
bool fleet_runs_plugins(const struct fleet *f);

/* Probes want other Secrets of the host (store_probe_secrets) than before. */
void fleet_want_secrets(struct fleet *f);
/* Has the host tell anew what it has of that kind; false: it will not. */
bool fleet_relist_host(struct fleet *f, enum fact_kind kind);

/* Every API server that is known, for /status and /metrics; `name` "" is the host. */
struct fleet_note {
	const char *name;
	const char *version, *forbidden, *absent; /* "": none */
	const char *warning;                      /* about its credential; "": none */
	struct apiserver_report report;
};
typedef void fleet_on_note_fn(const struct fleet_note *note, void *arg);
void fleet_each(const struct fleet *f, fleet_on_note_fn *on_note, void *arg);

#endif
