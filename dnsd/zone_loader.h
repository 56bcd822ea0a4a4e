/* zone_loader.h -- reads the files of zones when they change, each in the thread pool.
 *
 * Files and what they include are looked at ten times a second; one that has changed is read when it has
 * rested from one look to the next (after a second even so).  Of a file with errors the last good
 * reading stays in force, and one that has errors from the start is read as the state has it (zone_copy.h).  Control
 * thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ZONE_LOADER_H
#define DNSD_ZONE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "zones/snapshot.h"
#include "zones/zonefile.h"

struct zone_loader;

struct zone_loader_events {
	/* A good reading, to be in force from now on (borrowed until the next); NULL: the zone has no file any more. */
	void (*on_file)(struct bytes apex, const struct zonefile *file, void *arg);
	/* What zone_loader_print() says has changed. */
	void (*on_errors)(void *arg);
	void *arg;
};
struct zone_loader_zone {
	struct bytes apex; /* wire form, lower case */
	const char *path;
	unsigned line;        /* of the path in the config */
	uint32_t ttl;         /* seconds, where the file says none */
	bool has_nameservers; /* in the config */
};

/* `state`: a directory, which need not be there yet; NULL: nothing is kept. */
struct zone_loader *zone_loader_start(uv_loop_t *loop, const struct name_key *key,
                                      const char *state, const struct zone_loader_events *events);
/* May it write into the state?  It may at first; not while that is another process's. */
void zone_loader_keep(struct zone_loader *l, bool may);
/* The zones that have files (copied); what is new is read at once.  For those that have none any more
 * on_file is called before this returns. */
void zone_loader_set(struct zone_loader *l, const struct zone_loader_zone *zones, size_t count);
/* Reads the zone's file now, whatever its look.  *reading: as which one snapshot_zone_file.readings will count it.  ERR_NOTFOUND: the
 * zone (in presentation form) has no file. */
enum err zone_loader_read(struct zone_loader *l, const char *zone, uint64_t *reading,
                          struct reason *why) MUST_CHECK;
/* Was there a good reading of every file? */
bool zone_loader_is_read(const struct zone_loader *l);
/* Of a process that takes over: what the other one serves, and of which file it has a good reading; appended. */
void zone_loader_print_served(const struct zone_loader *l, struct buffer *out);
/* What that one has printed is to be had here too, as good.  False: it is malformed. */
bool zone_loader_expect(struct zone_loader *l, struct bytes served) MUST_CHECK;
/* The first file that less is in force of; NULL: none.  *is_reading: it is being read. */
const char *zone_loader_lacking(const struct zone_loader *l, bool *is_reading);
/* Lines "FILE:LINE: [warning: ]text" of all files; "FILE: text" of one that cannot be read. */
void zone_loader_print(const struct zone_loader *l, struct text *out);
/* The i-th zone with a file; its texts are good until the next call of any other function. */
bool zone_loader_file(const struct zone_loader *l, size_t i, struct snapshot_zone_file *out);
/* Frees.  No event follows; what is in force may be looked at until on_stopped. */
void zone_loader_stop(struct zone_loader *l, void (*on_stopped)(void *arg), void *arg);

/* Appends lines, each with "warning: " behind its place. */
void zone_loader_print_warnings(const char *lines, struct text *out);

#endif
