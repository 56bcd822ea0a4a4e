/* watcher_folders.h -- a manifest directory on disk, and the manifests, store and facts that follow it.
 *
 * Waits turn the loop until something is so, three seconds at most, and fail the test otherwise.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_WATCHER_FOLDERS_H
#define SUPPORT_WATCHER_FOLDERS_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "records/facts.h"
#include "watcher/manifests.h"
#include "watcher/settle.h"
#include "watcher/store.h"

struct folders {
	char root[64]; /* a new directory in /tmp, removed at the end */
	uv_loop_t loop;
	struct facts *facts;
	struct settle *settle;
	struct store *store;
	struct manifests *manifests;
	unsigned settled;                      /* how often */
	void (*on_settled)(struct folders *f); /* may be NULL */
	char torn[160];                        /* for on_settled: what it saw that must not be */
};

int folders_setup(void **state);
int folders_teardown(void **state);

/* Files and directories below root; parents are made. */
void folders_write(struct folders *f, const char *path, const char *text);
void folders_mkdir(struct folders *f, const char *path);
void folders_link(struct folders *f, const char *target, const char *path); /* replaces, at once */
void folders_rename(struct folders *f, const char *from, const char *to);
void folders_remove(struct folders *f, const char *path); /* whatever it is */
/* From the first call on as somebody who is not root, whom no permission stops. */
void folders_mode(struct folders *f, const char *path, mode_t mode);
/* A Service with one address, as a file. */
void folders_service(struct folders *f, const char *path, const char *name, const char *address);

/* Watches root/DIR for each name, NULL ends; and waits until all is read. */
void folders_start(struct folders *f, const char *dir, ...);
void folders_stop(struct folders *f);
/* A member and a Service as a saved state would bring them. */
void folders_restore(struct folders *f, const char *cluster, const char *service,
                     const char *address);

typedef bool folders_is_so_fn(struct folders *f, const void *arg);
void folders_wait(struct folders *f, folders_is_so_fn *is_so, const void *arg, const char *what);
void folders_turn(struct folders *f, unsigned ms); /* the loop, for that long */

/* The address of Service default/NAME in a member; "": without, NULL: no such Service. */
const char *folders_address(struct folders *f, const char *cluster, const char *service);
void folders_wait_address(struct folders *f, const char *cluster, const char *service,
                          const char *address);
const struct cluster_state *folders_cluster(struct folders *f, const char *cluster);
void folders_wait_knowledge(struct folders *f, const char *cluster, enum knowledge knowledge);
void folders_wait_gone(struct folders *f, const char *cluster);
/* The messages about root/PATH, a line each, without the root; NULL: none. */
const char *folders_error(struct folders *f, const char *path);
void folders_wait_error(struct folders *f, const char *path, const char *message);
unsigned folders_errors(struct folders *f);

#endif
