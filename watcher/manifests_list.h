/* manifests_list.h -- what lies in one folder, at any depth: names and stamps, no content.
 *
 * In the thread pool.  Dot names are left out, symbolic links are followed (not
 * in circles), files count when they end in .yaml, .yml or .json.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_LIST_H
#define WATCHER_MANIFESTS_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "watcher/manifests_file.h"

/* A file or, among links, whatever a symbolic link leads to. */
struct manifests_entry {
	const char *path;             /* FOLDER/a/b.yaml */
	const char *name;             /* a/b.yaml, its tail */
	struct manifests_stamp stamp; /* behind the link; error: it cannot be reached */
};

/* A directory below the folder that cannot be read, and why. */
struct manifests_trouble {
	const char *path;
	const char *text;
};

struct manifests_list {
	struct arena *arena;           /* holds all that is listed */
	struct manifests_entry *files; /* in byte order of path */
	struct manifests_entry *links;
	struct manifests_trouble *troubles;
	int *watches; /* of inotify, as they came */
	size_t file_count, link_count, trouble_count, watch_count;
	size_t file_room, link_room, trouble_room, watch_room;
	size_t seen;    /* entries of any sort */
	bool unsettled; /* something vanished meanwhile: list again */
	bool unwatched; /* some directory could not be watched */
};

/* Adds the folder that `fd` is open on to a list (zeroed at first, with an arena).  Its
 * directories are watched through `inotify` unless that is -1. */
void manifests_list_add(struct manifests_list *l, int fd, const char *folder, int inotify);
/* What to say of an entry whose stamp has this error. */
const char *manifests_list_why(int error);
void manifests_list_fini(struct manifests_list *l); /* and the arena */
/* Whether two lists saw the same. */
bool manifests_list_equal(const struct manifests_list *a, const struct manifests_list *b);
/* Whether at least their links lead to the same files and directories. */
bool manifests_list_same_links(const struct manifests_list *a, const struct manifests_list *b);

#endif
