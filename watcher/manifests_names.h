/* manifests_names.h -- which folders of clusters/ and which KubeFedClusters can be members, and the errors
 * about folders that cannot.
 *
 * On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_NAMES_H
#define WATCHER_MANIFESTS_NAMES_H

#include "watcher/manifests_roots.h"
#include "watcher/store.h"

struct manifests_names;

struct manifests_names *manifests_names_new(struct store *store,
                                            char *const *dirs); /* borrows both */
void manifests_names_free(struct manifests_names *n);

typedef void manifests_on_name_fn(const char *name, void *arg);
/* Calls for the name of every folder that can be a member (twice when two DIRs have it), and tells
 * the store of the others. */
void manifests_names_check(struct manifests_names *n, const struct manifests_roots *roots,
                           manifests_on_name_fn *on_name, void *arg);
/* Calls for the name of every KubeFedCluster that could have a folder. */
void manifests_names_each_registered(struct manifests_names *n, manifests_on_name_fn *on_name,
                                     void *arg);

#endif
