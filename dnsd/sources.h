/* sources.h -- where facts come from: manifest directories and API servers, as the config names them, through reloads.
 *
 * Wiring: part of pipeline.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_SOURCES_H
#define DNSD_SOURCES_H

#include <stdbool.h>
#include <uv.h>

#include "dnsd/cluster_notes.h"
#include "dnsd/config.h"
#include "records/facts.h"
#include "watcher/store.h"

struct sources;

/* Begins to watch.  All but the config is borrowed until the end; the config until sources_reload() gives another.  What
 * sources told that the config does not name any more goes at once. */
struct sources *sources_start(uv_loop_t *loop, const struct config *config, struct facts *facts,
                              struct store *store);
/* `config` counts from now on: sources that it changes begin anew, the others go on. */
void sources_reload(struct sources *s, const struct config *config);
/* Probes want other Secrets (store_probe_secrets) than before. */
void sources_want_secrets(struct sources *s);
/* Nothing is put any more; `on_stopped` when all have ended. */
void sources_stop(struct sources *s, void (*on_stopped)(void *arg), void *arg);

/* Has every directory been looked into, or may what was `restored` stand for it? */
bool sources_manifests_are_read(const struct sources *s, bool restored);
/* Does a kubeconfig have a credential plugin run? */
bool sources_run_plugins(const struct sources *s);
/* From now on none can be: system calls are restricted. */
void sources_forbid_plugins(struct sources *s);
void sources_give_notes(const struct sources *s, struct cluster_notes *notes);

#endif
