/* manifests_claims.h -- which file each object of a cluster comes from, and what that means to the store.
 *
 * An object may stand in several files: the first in order of DIR, path and
 * place in the file counts, the others are errors.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_CLAIMS_H
#define WATCHER_MANIFESTS_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "watcher/manifests_scan.h"
#include "watcher/store.h"

struct manifests_claims;

struct manifests_claims *manifests_claims_new(struct store *store, uint16_t cluster);
void manifests_claims_free(struct manifests_claims *c); /* says nothing to the store */

/* Puts the differences of two trees into the store, facts and errors, at once.  Either may
 * be NULL (nothing); `before` is the tree of the last call and may be freed after this one. */
void manifests_claims_apply(struct manifests_claims *c, const struct manifests_tree *before,
                            const struct manifests_tree *now);
/* The object that counts of those with the fact's key; NULL: no file has it. */
const struct manifests_object *manifests_claims_find(const struct manifests_claims *c,
                                                     const struct fact *fact);
/* Removes the cluster's facts that no file claims (from the saved state, files that are gone). */
void manifests_claims_sweep(struct manifests_claims *c);

#endif
