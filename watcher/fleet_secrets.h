/* fleet_secrets.h -- the tokens of Secrets, each watched by its name.
 *
 * For fleet.c, on the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_FLEET_SECRETS_H
#define WATCHER_FLEET_SECRETS_H

#include "kube/secret.h"
#include "watcher/secret_watch.h"
#include "watcher/store.h"

struct fleet_secrets;

/* Borrows all.  `on_change`: the token of the Secret `name` is known, or another one now; or it is in trouble. */
struct fleet_secrets *fleet_secrets_start(const struct secret_watch_host *host,
                                          const char *namespace, struct store *store,
                                          void (*on_change)(const char *name, void *arg),
                                          void *arg);
void fleet_secrets_stop(struct fleet_secrets *s);

/* The host may be another one. */
void fleet_secrets_restart(struct fleet_secrets *s);
/* Wants it watched, or no longer. */
void fleet_secrets_want(struct fleet_secrets *s, const char *name);
void fleet_secrets_leave(struct fleet_secrets *s, const char *name);
/* NULL: not known (yet).  One that is deleted or broken stays what it was. */
const struct kube_secret *fleet_secrets_find(const struct fleet_secrets *s, const char *name);
/* What is wrong with it; NULL: nothing, or nothing is known yet. */
const char *fleet_secrets_trouble(const struct fleet_secrets *s, const char *name);

#endif
