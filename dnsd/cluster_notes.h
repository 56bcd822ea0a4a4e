/* cluster_notes.h -- what is known of API servers beside the snapshot, for /status and /metrics.
 *
 * The control thread gives a whole new table each second, the HTTP thread takes the current one.  Nothing here has to
 * do with answers.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CLUSTER_NOTES_H
#define DNSD_CLUSTER_NOTES_H

#include <stddef.h>
#include <stdint.h>

/* Of one API server; the texts are never NULL. */
struct cluster_note {
	const char *name;               /* "": the host */
	const char *knowledge, *error;  /* of the host only */
	uint64_t age_ms;                /* of the host only: since it is unseen */
	const char *version;            /* as the server says it */
	const char *forbidden, *absent; /* kinds, "services, nodes" */
	const char *warning;
	int64_t expires; /* of the credential, Unix seconds; 0: unknown */
	uint64_t requests, bytes, connections, replaced, throttled, lists, watches, events, skipped,
		bad_events;
};

struct cluster_notes; /* shared by the two threads */

struct cluster_notes *cluster_notes_new(void);
void cluster_notes_free(struct cluster_notes *n);
/* Replaces the table by a copy of the list. */
void cluster_notes_set(struct cluster_notes *n, const struct cluster_note *list, size_t count);

/* The table of now; it stays as it is until it is released. */
struct cluster_notes_table;
const struct cluster_notes_table *cluster_notes_take(struct cluster_notes *n);
void cluster_notes_release(struct cluster_notes *n, const struct cluster_notes_table *t);
/* NULL: not of an API server. `t` may be NULL. */
const struct cluster_note *cluster_notes_find(const struct cluster_notes_table *t,
                                              const char *name);

#endif
