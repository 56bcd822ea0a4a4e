/* saved_pending.h -- changes that are not in the journal yet; of one key only the last counts.
 *
 * Filled on the loop's thread, then printed and freed by the pool.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SAVED_PENDING_H
#define WATCHER_SAVED_PENDING_H

#include <stddef.h>

#include "records/fact.h"
#include "watcher/saved_file.h"

struct saved_pending;

struct saved_pending *saved_pending_new(void);
void saved_pending_free(struct saved_pending *p); /* NULL is fine */

/* Borrows the cluster's name until it is freed; the rest is copied. */
void saved_pending_put(struct saved_pending *p, const struct saved_file_record *record);
/* References the fact. */
void saved_pending_put_fact(struct saved_pending *p, struct bytes cluster, const struct fact *fact);
/* The cluster is gone, and with it all that is pending for it. */
void saved_pending_drop_cluster(struct saved_pending *p, struct bytes cluster);

/* Clusters that went, clusters that came, then the rest.  Returns how many were too long to be
 * printed. */
size_t saved_pending_print(const struct saved_pending *p, struct saved_file_writer *w);

#endif
