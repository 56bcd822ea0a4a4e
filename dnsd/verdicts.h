/* verdicts.h -- what probes say of the addresses that records wants probed.
 *
 * Wiring: part of pipeline.  Decides which addresses are probed (probe.mode), keeps the
 * table that the snapshot takes, and remembers verdicts over a restart.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_VERDICTS_H
#define DNSD_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "dnsd/config.h"
#include "dnsd/probe_notes.h"
#include "dnsd/replicas.h"
#include "records/build.h"
#include "watcher/flap.h"
#include "watcher/saved.h"
#include "watcher/store.h"
#include "zones/build.h"

struct verdicts;

/* Under what the state keeps the verdict of a probe: its address and port, and how it is probed. */
enum { VERDICTS_KEY_SIZE = ADDR_PORT_TEXT_SIZE + 20 };
void verdicts_print_key(const struct records_result *r, const struct records_probe *probe,
                        char out[VERDICTS_KEY_SIZE]);

/* `saved` and `store` may be NULL; the latter has the errors of probe.imports, and the Secrets of policies' probes (store_probe_secrets).  `notes` get what each probe found out, in words.  `on_change`: an address went up or down. */
struct verdicts *verdicts_start(uv_loop_t *loop, const struct config *config,
                                const struct facts *facts, struct saved *saved, struct store *store,
                                struct probe_notes *notes, void (*on_change)(void *arg), void *arg);
/* Who decides with the others what is down (borrowed); before the first targets. */
void verdicts_set_replicas(struct verdicts *v, struct replicas *replicas);
/* Others see something else now. */
void verdicts_count_votes(struct verdicts *v);
/* What the config says of flapping, here and of sites (damper.h). */
struct flap_settings verdicts_flap_settings(const struct config *config);
/* Borrowed until the next one. verdicts_set_targets() must follow. */
void verdicts_configure(struct verdicts *v, const struct config *config);
/* The addresses as of this result, probed where mode and knowledge of the cluster ask for it, as their
 * checks say. */
void verdicts_set_targets(struct verdicts *v, const struct records_result *result);
/* By index of the last result's probes, up to the last one that is to be probed: *count may be less
 * than there are, and 0. */
const struct zones_probe *verdicts_table(const struct verdicts *v, size_t *count);
/* While no cluster can be seen and no probe succeeds, the table stays as it was: it is our own network
 * that broke.  When the dark ends, it says again what the probes say. */
void verdicts_set_dark(struct verdicts *v, bool dark);
/* Monotonic: when any probe last reached something; 0: none has. */
uint64_t verdicts_last_success_ms(const struct verdicts *v);
/* Now and then: how many connections were made. */
void verdicts_give_counts(struct verdicts *v);
/* From now on no command of probe.imports is run. */
void verdicts_forbid_commands(struct verdicts *v);
void verdicts_stop(struct verdicts *v, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
