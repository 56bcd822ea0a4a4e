/* beside.h -- the config's records of a name and what another source has of it, as one endpoint.
 *
 * Type by type, as a zone's file stands beside clusters: of a type that both have the config's counts, and beside a CNAME nothing
 * stands.  Pure; private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_BESIDE_H
#define RECORDS_BESIDE_H

#include <stdbool.h>

#include "base/arena.h"
#include "records/endpoint.h"

/* Borrows from both.  *lost: not all that the other has is in it; `config` itself, when nothing is. */
const struct endpoint *beside_join(struct arena *a, const struct endpoint *config,
                                   const struct endpoint *other, bool *lost);

#endif
