/* transferred.h -- what follows from `zones.transfer.as`, the cluster whose sites of a zone secondaries get.
 *
 * Wiring: part of pipeline and trial.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TRANSFERRED_H
#define DNSD_TRANSFERRED_H

#include "dnsd/terms.h"
#include "zones/build.h"

/* Zones of which the fresh terms have other sites transferred than those of the snapshot (NULL: none yet) get another serial, which
 * is to be published with these terms: one serial is one zone (RFC 1995 1). */
void transferred_renew_serials(struct zones *z, const struct snapshot *last,
                               const struct terms *fresh);

#endif
