/* store.h -- the one place through which everything seen enters: puts facts, tells what changed.
 *
 * Sources (manifests now, API servers later) say what they see; store puts it
 * into the facts, keeps the errors of /status, has changes saved, and pokes the
 * settling.  Control thread only.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_STORE_H
#define WATCHER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/facts.h"

struct probe_secrets;
struct saved;
struct settle;
struct store;

/* Borrows all; `saved` may be NULL (no state directory). */
struct store *store_new(struct facts *facts, struct settle *settle, struct saved *saved);
void store_free(struct store *s);

uint16_t store_cluster(struct store *s, struct bytes name); /* facts_cluster_id() */
const struct facts *store_facts(const struct store *s);
/* The name of a cluster as it is told to people: the host's is "(host)". */
const char *store_shown_name(const struct store *s, uint16_t cluster);
/* Takes the reference.  False: nothing that matters changed, and the story ends. */
bool store_put(struct store *s, uint16_t cluster, const struct fact *fact);
bool store_remove(struct store *s, uint16_t cluster, enum fact_kind kind, struct bytes namespace,
                  struct bytes name);
/* Removes the facts of a cluster (kind 0: of all kinds) of which `is_gone` says that they go; it is asked once for each,
 * before any is removed. */
typedef bool store_is_gone_fn(uint16_t cluster, const struct fact *fact, void *arg);
void store_remove_each(struct store *s, uint16_t cluster, int kind, store_is_gone_fn *is_gone,
                       void *arg);
/* Knowledge of a cluster; saved when it comes or goes. `why` may be NULL. */
void store_set_knowledge(struct store *s, uint16_t cluster, enum cluster_source source,
                         enum knowledge knowledge, const char *why);
/* Removed from the registry: all its facts are gone. */
void store_drop_cluster(struct store *s, uint16_t cluster);

/* Files and an API server may both tell of an object of the host: before it counts as gone for one, the other is asked. */
struct store_two_sources {
	/* Have files the fact now? */
	bool (*files_have)(uint16_t cluster, const struct fact *fact, void *arg);
	/* Has the API server tell anew what it has of that kind; false: it will not. */
	bool (*relist)(enum fact_kind kind, void *arg);
	void *arg;
};
/* Copied; zeroed: there are none. */
void store_set_two_sources(struct store *s, const struct store_two_sources *two);
/* The host is an API server, and manifests have only some objects of it: its knowledge is the API server's, and so is what
 * becomes of objects that no file has. */
void store_share_host(struct store *s, bool is_shared);
bool store_host_is_shared(const struct store *s);
/* Is the fact the config's, or a file's? */
bool store_is_elsewhere(const struct store *s, uint16_t cluster, const struct fact *fact);
/* No file has the fact any more.  True: it stays until the API server has told what becomes of it, which it will. */
bool store_leaves_to_host(const struct store *s, uint16_t cluster, enum fact_kind kind);

/* Where sources tell of Secrets that probes use: never facts, so never saved.  Borrowed; NULL: nobody wants any. */
void store_set_probe_secrets(struct store *s, struct probe_secrets *secrets);
struct probe_secrets *store_probe_secrets(const struct store *s);

/* Which manifest directories were ever read, in the words of manifests_dirs.c (copied); empty at
 * first.  Kept as long as the store and, with a state, over a restart. */
void store_set_known_dirs(struct store *s, struct bytes dirs);
struct bytes store_known_dirs(const struct store *s);

/* The errors that a source has at this moment, each a line of `message`; a later call for the same
 * `where` replaces them, NULL clears them.  Logged once per change. */
void store_set_error(struct store *s, const char *where, const char *message);
/* How often errors came, changed or went. */
uint64_t store_error_changes(const struct store *s);
typedef void store_on_error_fn(const char *where, const char *message, int64_t since, void *arg);
void store_each_error(const struct store *s, store_on_error_fn *fn,
                      void *arg); /* in order of where */

#endif
