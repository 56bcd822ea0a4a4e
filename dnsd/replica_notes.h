/* replica_notes.h -- what is known of the other replicas, for /status and /metrics.
 *
 * The control thread gives it anew each second, the HTTP thread takes a copy.  Nothing here has to do with answers.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_REPLICA_NOTES_H
#define DNSD_REPLICA_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct replica_counts {
	uint64_t heard; /* the others that vote */
	uint64_t frozen;
	uint64_t doubles,
		certificates; /* as peers_counts(); how many are different, of all that are connected and oneself */
	uint64_t claims;
	uint64_t received, sent, dropped, refused, untaken; /* as peers_counts() */
};

struct replica_notes; /* shared by the two threads */

struct replica_notes *replica_notes_new(void);
void replica_notes_free(struct replica_notes *n);
/* `json`: the list of replicas for /status. */
void replica_notes_set(struct replica_notes *n, const char *json,
                       const struct replica_counts *counts);
/* Appends the list: "[]" before the first. */
void replica_notes_print(struct replica_notes *n, struct text *out);
struct replica_counts replica_notes_counts(struct replica_notes *n);

#endif
