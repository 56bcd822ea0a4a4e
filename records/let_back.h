/* let_back.h -- who need not wait any more when it has come back: the annotation nigh.dev/failback.
 *
 * `2026-11-28T10:00:00Z` of a KubeFedCluster or TrafficPolicy: its sites that went down by then.  Of a policy those of one name or
 * cluster by `2026-11-28T10:00:00Z name=www.example.com cluster=la`.  Every replica reads it, whenever it starts.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_LET_BACK_H
#define RECORDS_LET_BACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct let_back {
	int64_t at;           /* Unix seconds; 0: nobody is let back */
	struct bytes name;    /* presentation form; "": all of the policy's */
	struct bytes cluster; /* "": all */
};

/* The texts are borrowed.  False: it is none, and `out` lets nobody back. */
bool let_back_parse(struct bytes text, struct let_back *out);

#endif
