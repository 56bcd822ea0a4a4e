/* manifests_dirs.h -- the DIRs of the configuration, and which of them were ever read.
 *
 * A DIR is known once it could be looked into as a whole, by this process or,
 * as the store tells, before a reload or a restart.  One that is not could hold
 * anything.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_DIRS_H
#define WATCHER_MANIFESTS_DIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "watcher/manifests_roots.h"
#include "watcher/store.h"

struct manifests_dirs {
	struct store *store;
	size_t count;
	char **paths; /* without slashes at the end */
	bool *known;
	bool unkept; /* the store has not been told of all that are known */
};

struct manifests_dirs *manifests_dirs_new(struct store *store, const char *const *paths,
                                          size_t count); /* borrows the store */
void manifests_dirs_free(struct manifests_dirs *d);

/* Tells the store of clusters/ that are there and cannot be looked into, and those that can again. */
void manifests_dirs_check(const struct manifests_dirs *d, const struct manifests_roots *roots);
/* Which DIRs are known now, by a look and a scan of the host. */
void manifests_dirs_note(struct manifests_dirs *d, const struct manifests_roots *roots,
                         const struct manifests_tree *host);
/* Has the store keep that, once all members have been read too. */
void manifests_dirs_keep(struct manifests_dirs *d);

bool manifests_dirs_all_known(const struct manifests_dirs *d);
/* Adds why the first DIR that is not known could not be read; nothing when all are. */
void manifests_dirs_print_unknown(const struct manifests_dirs *d,
                                  const struct manifests_roots *roots, struct text *why);

#endif
