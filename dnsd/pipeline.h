/* pipeline.h -- the wiring of the one way: watcher -> records -> zones -> published snapshot.
 *
 * Only this file's sources (and main.c) know more than one stage.  Control
 * thread, except where said.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_PIPELINE_H
#define DNSD_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "dnsd/admin.h"
#include "dnsd/config.h"
#include "dnsd/explain.h"
#include "dnsd/orders.h"
#include "dnsd/server.h"
#include "zones/handover.h"

struct pipeline;
struct transfers;

/* Makes what others hold on to before anything is read: the handover with an empty, not-ready snapshot.
 * `config` is borrowed until pipeline_reload() gives another or pipeline_stop() is done; `listening`:
 * for the default name server's addresses (copied). */
struct pipeline *pipeline_new(uv_loop_t *loop, const struct config *config,
                              const struct server_address *listening, size_t listening_count,
                              struct admin_pulse *pulse);
/* What a process leaves to the one that takes over from it (takeover.h). */
struct pipeline_estate {
	struct hash_key cookies; /* the random secret */
	uid_t user;              /* whose that process is */
	struct bytes files;      /* as zone_loader_print_served() has them */
	struct bytes facts;      /* as saved_print() has them */
	int take_lock;           /* of the state directory; -1: none, or taken */
};
/* Restores the saved state, or what the estate (NULL: none) has, publishes the first snapshot, begins to watch.  Fails
 * when the state directory cannot be used; the process is to end then. */
enum err pipeline_start(struct pipeline *p, struct pipeline_estate *estate,
                        struct reason *why) MUST_CHECK;
struct handover *pipeline_handover(struct pipeline *p);
/* To be told of publications and of configs (borrowed). */
void pipeline_set_transfers(struct pipeline *p, struct transfers *t);
/* What is known of API servers; any thread (cluster_notes.h). */
struct cluster_notes *pipeline_notes(struct pipeline *p);
/* What is known of other replicas; any thread (replica_notes.h). */
struct replica_notes *pipeline_replica_notes(struct pipeline *p);
/* What probes found out; any thread (probe_notes.h). */
struct probe_notes *pipeline_probe_notes(struct pipeline *p);
/* Does a kubeconfig have a credential plugin run? */
bool pipeline_runs_plugins(const struct pipeline *p);
void pipeline_forbid_plugins(struct pipeline *p);
/* Takes up a new config as a whole once its geographic files, those of replicas, the secrets of cookies and the keys of signatures
 * are read, or not at all when one of them cannot be: `errors` then says why, one line each; NULL: it is in force.  `config` is borrowed from now on.  One at a time;
 * on_reloaded may begin the next, and is not called any more after pipeline_stop(). */
typedef void pipeline_on_reloaded_fn(const char *errors, void *arg);
void pipeline_reload(struct pipeline *p, const struct config *config,
                     pipeline_on_reloaded_fn *on_reloaded, void *arg);
/* For /status: why the config last asked for is not in force; NULL: it is. */
void pipeline_set_config_error(struct pipeline *p, const char *error);
/* The same of the files of listen.tls. */
void pipeline_set_tls_error(struct pipeline *p, const char *error);
/* Any thread but the control thread, one at a time (orders.h). */
enum err pipeline_order(struct pipeline *p, enum order order, const struct order_about *about,
                        uint64_t *result, struct reason *why) MUST_CHECK;
/* What the geographic files say of an address; false: nothing.  `database` of out is good until the next
 * call.  The HTTP thread alone. */
bool pipeline_find_place(struct pipeline *p, const struct addr *addr, struct explain_place *out);

/* --- one process after the other (pipeline_estate.c) --- */

/* The estate as it is now, but for the lock, into `out`: it holds a secret.  Files and facts of `estate` point there. */
void pipeline_print_estate(struct pipeline *p, struct buffer *out);
/* False: it is malformed. */
bool pipeline_parse_estate(struct bytes printed, struct pipeline_estate *out);
/* The state directory's lock (borrowed); -1: none. */
int pipeline_lock(const struct pipeline *p);
/* Nothing is published or written any more, until pipeline_thaw(); the serials as they are then into `out`.  After
 * pipeline_thaw() they are later than any that the other process can have published meanwhile. */
void pipeline_freeze(struct pipeline *p, struct buffer *serials);
void pipeline_thaw(struct pipeline *p);
/* Is everything that is watched as it is now, or was it waited for long enough? */
bool pipeline_is_current(struct pipeline *p);
/* The zone file that is missing or has errors, and of which the other process has a good reading; NULL: none. */
const char *pipeline_lacks_file(const struct pipeline *p);
/* What that waits for, ", " between.  Returns for how many milliseconds it may. */
uint64_t pipeline_print_awaited(const struct pipeline *p, struct text *out);
/* Publishes with serials after those that pipeline_freeze() has printed; false: they are malformed. */
bool pipeline_take_serials(struct pipeline *p, struct bytes serials);
/* Another process has published meanwhile, and nobody knows what: its serials are stepped over. */
void pipeline_skip_serials(struct pipeline *p);
/* From now on the state directory, if there is one, is this process's to write. */
void pipeline_begin_saving(struct pipeline *p);

/* Ends all activity and writes the state.  All readers of the handover must have left.  `on_stopped` may
 * free the config. */
void pipeline_stop(struct pipeline *p, void (*on_stopped)(void *arg), void *arg);

#endif
