/* transferred.h -- what follows from `zones.transfer.as`, the cluster whose sites of a zone secondaries get.
 *
 * Wiring: part of pipeline and trial.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TRANSFERRED_H
#define DNSD_TRANSFERRED_H

#include "dnsd/config.h"
#include "dnsd/terms.h"
#include "records/build.h"
#include "zones/build.h"

/* Zones of which the fresh terms have other sites transferred than those of the snapshot (NULL: none yet) get another serial, which
 * is to be published with these terms: one serial is one zone (RFC 1995 1). */
void transferred_renew_serials(struct zones *z, const struct snapshot *last,
                               const struct terms *fresh);

/* Each zone of the config with a cluster whose sites are transferred; `where` is "config zone NAME", `message` what is wrong when there
 * is no such cluster, else NULL.  `r` NULL: nothing is wrong. */
typedef void transferred_on_zone_fn(const struct config_zone *zone, const char *where,
                                    const char *message, void *arg);
void transferred_each_zone(const struct config *c, const struct records_result *r,
                           transferred_on_zone_fn *fn, void *arg);

#endif
