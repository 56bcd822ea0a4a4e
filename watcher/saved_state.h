/* saved_state.h -- what is to be saved, as it is now, and how records of a file become it again.
 *
 * The facts belong to others and are only borrowed; the clusters that are known and the small
 * values are kept here.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SAVED_STATE_H
#define WATCHER_SAVED_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "records/facts.h"
#include "watcher/saved_file.h"

struct saved_state;

struct saved_state *saved_state_new(struct facts *facts);
void saved_state_free(struct saved_state *s); /* NULL is fine */
struct facts *saved_state_facts(const struct saved_state *s);

/* The name of a cluster; good as long as `s` is. */
struct bytes saved_state_cluster(struct saved_state *s, uint16_t cluster);
/* False: it was so already. */
bool saved_state_set_known(struct saved_state *s, uint16_t cluster, enum cluster_source source);
void saved_state_set_unknown(struct saved_state *s, uint16_t cluster);
bool saved_state_is_known(const struct saved_state *s, uint16_t cluster,
                          enum cluster_source *source);

/* An empty value removes.  False: it was so already. */
bool saved_state_put_value(struct saved_state *s, uint8_t class, struct bytes key,
                           struct bytes value);
bool saved_state_find_value(const struct saved_state *s, uint8_t class, struct bytes key,
                            struct bytes *value);
size_t saved_state_count_values(const struct saved_state *s, uint8_t class);
/* class 0: of all classes. */
typedef void saved_state_on_value_fn(uint8_t class, struct bytes key, struct bytes value,
                                     void *arg);
void saved_state_each_value(const struct saved_state *s, uint8_t class, saved_state_on_value_fn *fn,
                            void *arg);

/* Does to the facts, clusters and values what a record says.  Clusters come back unseen.  False: it
 * makes no sense to this version, nothing was done. */
bool saved_state_apply(struct saved_state *s, const struct saved_file_record *record);

#endif
