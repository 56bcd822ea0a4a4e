/* manifests_scan.h -- reads the folders of one cluster into a tree of files, in steps.
 *
 * List, read what has changed since the tree before, list again: only what was
 * the same at both ends is a tree.  Steps run in the thread pool, one scan of a
 * cluster at a time; trees never change afterwards.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_SCAN_H
#define WATCHER_MANIFESTS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watcher/manifests_list.h"

enum manifests_slot {
	MANIFESTS_NONE, /* no folder, and none was there */
	MANIFESTS_READ,
	MANIFESTS_LOST /* cannot be seen now; its files are those of before */
};

/* The folder of the cluster in one DIR. */
struct manifests_folder {
	enum manifests_slot slot;
	bool was_read;                /* now or before, by this process */
	struct manifests_stamp stamp; /* of the folder, as far as it can be had, and an error */
};

/* What all folders of one cluster held at one moment. */
struct manifests_tree {
	unsigned refs;       /* counted on the loop's thread alone */
	size_t folder_count; /* as many as there are DIRs */
	struct manifests_folder *folders;
	char *why;                     /* why the first lost folder is lost, or NULL */
	struct manifests_file **files; /* in order: DIR, then path */
	size_t file_count;
	struct manifests_list list; /* links, troubles and watches; no files */
	bool restless;              /* some file must be read again soon */
	bool is_whole;              /* every folder and file was read, now or before */
};

void manifests_tree_unref(struct manifests_tree *tree); /* NULL is fine */

struct manifests_scan;

/* Where to look for a folder, and what is known of it. */
struct manifests_wanted {
	const char *path; /* DIR/clusters/la */
	bool is_known;    /* was there before: when it is missing it is lost */
	bool is_removed;  /* it is gone for good, its files too */
};

/* With folders that keep changing under the scan. */
enum manifests_patience {
	MANIFESTS_WAIT_FOR_ALL,   /* what has changed is no tree */
	MANIFESTS_WAIT_FOR_LINKS, /* take what can be had, but nothing torn by a swap of links */
	MANIFESTS_TAKE_ANY
};

struct manifests_scan_settings {
	enum decode_role role;
	int inotify; /* where directories are watched; -1: nowhere */
	enum manifests_patience patience;
};

/* `before` (may be NULL) and the wanted paths are borrowed until the scan is freed. */
struct manifests_scan *manifests_scan_new(const struct manifests_scan_settings *settings,
                                          const struct manifests_wanted *wanted, size_t count,
                                          const struct manifests_tree *before);
/* Works for about 20 ms; true when it is at its end.  In the pool. */
bool manifests_scan_step(struct manifests_scan *scan);
/* The tree, which becomes the caller's.  Not settled: the folders changed meanwhile, it shows
 * no moment and is good for nothing but its list of watches; scan again. */
struct manifests_tree *manifests_scan_take(struct manifests_scan *scan, bool *settled);
void manifests_scan_free(struct manifests_scan *scan); /* NULL is fine */

#endif
