/* geo_loader.h -- reads the geographic files when they change and makes rankings, in the thread pool.
 *
 * Files are looked at once a second, and those that changed are read.  Of a file that cannot be read the
 * last good data stays in force, or it counts for nothing until it can; that is told, and the other
 * files count as they are.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_GEO_LOADER_H
#define DNSD_GEO_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/conf.h"
#include "geo/area.h"
#include "geo/ranking.h"
#include "geo/rules.h"

struct geo_loader;

/* Rules that a ranking is wanted for.  `rules.latency` is left alone: the file geo.latency counts. */
struct geo_loader_rules {
	struct rules rules;
	uint64_t tag; /* the caller's, given back with the ranking */
};

enum { GEO_LOADER_MAX_RULES = 64 };

struct geo_loader_ranked {
	uint64_t tag;
	const struct ranking
		*ranking; /* NULL: refused, more than GEO_LOADER_MAX_RULES are different */
};

struct geo_loader_events {
	/* New rankings, all at once: the plain one, and those of the rules that were set, in their order; equal rules
	 * have one.  Borrowed: whoever keeps one says ranking_ref(). */
	void (*on_rankings)(const struct ranking *plain, const struct geo_loader_ranked *ranked,
	                    size_t count, void *arg);
	/* What is wrong with the files, one line each; NULL: nothing any more. */
	void (*on_errors)(const char *errors, void *arg);
	void *arg;
};

struct geo_loader *geo_loader_start(uv_loop_t *loop, const struct geo_loader_events *events);
/* Borrowed for a call. */
struct geo_loader_files {
	const struct conf_strings *databases;
	const char *networks; /* NULL: none */
	const char *latency;  /* NULL: none */
};
/* The files to begin with; read at once. */
void geo_loader_set_files(struct geo_loader *g, const struct geo_loader_files *files);
/* Tries other files and another order for clients without a place (copied).  When all files can be read
 * they are in force, and the events have told so, before on_tried is called without errors; else
 * nothing has changed, and on_tried gets what is wrong, one line each.  One trial at a time; on_tried may
 * begin the next, and is not called any more after geo_loader_stop(). */
typedef void geo_loader_on_tried_fn(const char *errors, void *arg);
void geo_loader_try(struct geo_loader *g, const struct geo_loader_files *files,
                    const struct conf_strings *unknown_order, geo_loader_on_tried_fn *on_tried,
                    void *arg);
/* The rules that rankings are wanted for beside the plain one (copied whole).  They come into force with the next
 * geo_loader_set_clusters(), whose list it is that they name clusters of, by index; it has `cluster_count`.  Once there are
 * rules, lists of another length need rules anew. */
void geo_loader_set_rules(struct geo_loader *g, const struct geo_loader_rules *list, size_t count,
                          size_t cluster_count);
/* The clusters and the order for clients without a place (copied); rankings follow when these or the rules, or
 * their tags, are not as before.  Only what is new is built. */
void geo_loader_set_clusters(struct geo_loader *g, const struct ranking_cluster *clusters,
                             size_t count, const struct conf_strings *unknown_order);
/* Are the last rankings made from the files, clusters and rules that were set last? */
bool geo_loader_is_current(const struct geo_loader *g);
/* Is something known of every file, of those with places?  Else nobody can say of an address that it is in no place. */
bool geo_loader_is_whole(const struct geo_loader *g);
/* Does any file say of any address what continent, country or subdivision it is in?  Else no rule by these can match. */
bool geo_loader_tells_areas(const struct geo_loader *g);
/* What the files say of an address.  Any thread. */
struct geo_loader_match {
	struct addr_network network;
	bool has_place;
	struct place place;
	char database[256]; /* file name; "" when no file has it */
	struct area area;
	uint16_t accuracy_km; /* 0: nothing is known of that */
};
void geo_loader_find(struct geo_loader *g, const struct addr *addr, struct geo_loader_match *out);

void geo_loader_stop(struct geo_loader *g, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
