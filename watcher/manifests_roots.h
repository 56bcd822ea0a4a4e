/* manifests_roots.h -- a look at the top of every DIR: host/, clusters/, and which members there are.
 *
 * Cheap, and often: it sees what inotify cannot, above all links that are swapped
 * above the directories that are watched.  In the thread pool.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_ROOTS_H
#define WATCHER_MANIFESTS_ROOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "watcher/manifests_scan.h"

/* One DIR; a stamp has an error where there is no directory that can be read. */
struct manifests_root {
	struct manifests_stamp dir, host, clusters;
	size_t member_count;
	char **members;                 /* names of the directories in clusters/, in byte order */
	struct manifests_stamp *stamps; /* theirs */
	int members_error; /* errno, EOVERFLOW: too many; members may be missing in the list */
};

struct manifests_roots {
	size_t count; /* of DIRs */
	struct manifests_root *roots;
};

/* Without members when only the tops are wanted. */
struct manifests_roots *manifests_roots_read(char *const *dirs, size_t count, bool with_members);
void manifests_roots_free(struct manifests_roots *roots); /* NULL is fine */

/* Whether DIRs, host/ and clusters/ are all the same directories (their content may differ).
 * False after a swap of links: everything below may be another world. */
bool manifests_roots_same_tops(const struct manifests_roots *a, const struct manifests_roots *b);
/* Whether the members have the same names. */
bool manifests_roots_same_members(const struct manifests_roots *a, const struct manifests_roots *b);
/* The stamp of a member in DIR number `dir` ("": of the host); NULL: it is not there. */
const struct manifests_stamp *manifests_roots_find(const struct manifests_roots *r, size_t dir,
                                                   const char *member);
/* Whether what the links of a tree lead to has changed. */
bool manifests_roots_links_moved(const struct manifests_tree *tree);

#endif
