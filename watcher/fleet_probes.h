/* fleet_probes.h -- the Secrets of the host that probes of policies name: each is watched as long as it is wanted.
 *
 * For fleet.c, on the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_FLEET_PROBES_H
#define WATCHER_FLEET_PROBES_H

#include "watcher/probe_secrets.h"
#include "watcher/secret_watch.h"

struct fleet_probes;

/* Watches what `secrets` (borrowed) wants, and tells it what there is. */
struct fleet_probes *fleet_probes_start(const struct secret_watch_host *host,
                                        struct probe_secrets *secrets);
/* Others are wanted now. */
void fleet_probes_sync(struct fleet_probes *p);
/* The host may be another one. */
void fleet_probes_restart(struct fleet_probes *p);
void fleet_probes_stop(struct fleet_probes *p);

#endif
