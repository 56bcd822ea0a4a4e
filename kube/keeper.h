/* keeper.h -- keeps the credentials of one API server good while a program runs.
 *
 * What comes from files is read again each minute; a plugin (kube/exec.h) is run at the start and a minute before what it gave
 * ends.  A 401 has either done at once, five seconds apart.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_KEEPER_H
#define KUBE_KEEPER_H

#include <stdint.h>
#include <uv.h>

#include "kube/access.h"

struct kube_keeper;

struct kube_keeper_events {
	/* There are other credentials than before: kube_keeper_access(). */
	void (*on_access)(void *arg);
	/* They cannot be renewed, and what there was stays; NULL: nothing is wrong with them (said also when nothing was). */
	void (*on_trouble)(const char *why, void *arg);
	void *arg;
};

/* `access` is copied. */
struct kube_keeper *kube_keeper_new(uv_loop_t *loop, const struct kube_access *access,
                                    const struct kube_keeper_events *events);
/* A plugin that runs is ended, for which the loop must turn. */
void kube_keeper_free(struct kube_keeper *k);

/* To be called each second; `unauthorized`: 401s so far (kube_client_counts()). */
void kube_keeper_tick(struct kube_keeper *k, uint64_t unauthorized);
/* Another way in, from now on (copied); no event. */
void kube_keeper_set_access(struct kube_keeper *k, const struct kube_access *access);

/* With what files and plugins have given.  Borrowed until the loop turns. */
const struct kube_access *kube_keeper_access(const struct kube_keeper *k);
/* When what a plugin gave ends, Unix seconds; 0: not known. */
int64_t kube_keeper_expires_at(const struct kube_keeper *k);

#endif
