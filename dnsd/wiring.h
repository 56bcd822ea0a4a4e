/* wiring.h -- the small tables of the snapshot, made from what records, watcher and config say.
 *
 * Wiring: part of pipeline.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_WIRING_H
#define DNSD_WIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "dnsd/config.h"
#include "dnsd/failback.h"
#include "dnsd/rulebook.h"
#include "dnsd/server.h"
#include "dnsd/zone_loader.h"
#include "records/build.h"
#include "watcher/probe_secrets.h"
#include "watcher/saved.h"
#include "watcher/store.h"
#include "zones/build.h"

/* The state holds a serial so far ahead, which no publication has reached: appending waits up to a second, publications do not. */
enum { WIRING_SERIALS_AHEAD = 1000 };

/* Makes *records (NULL: a new one) as the config wants it. */
void wiring_configure_records(struct records **records, const struct config *c);

/* Gives zones the zones that records found, with name servers and serials. */
void wiring_set_zones(struct zones *z, const struct records_result *r, const struct config *c,
                      const struct server_address *listening, size_t listening_count,
                      struct saved *saved);

/* The zone of the config with that apex (wire form); NULL: there is none. */
const struct config_zone *wiring_find_zone(const struct config *c, const uint8_t *apex);

/* The zones of the config that have files, in the arena; returns how many. */
size_t wiring_zone_files(struct arena *a, const struct config *c,
                         const struct zone_loader_zone **out);

/* Gives zones the table of clusters.  `probes`: to say whether a cluster is up; the table of verdicts,
 * which may be shorter than the result's list. */
struct wiring_times {
	/* When clusters are as old as they are to be: now, or since when all is dark, so that none
	 * expires while nothing can be seen, and none that has expired comes back. */
	uint64_t at_ms;
	uint64_t unseen_after_ms;
	int64_t unix_s; /* for what the clusters' shifts say */
};
void wiring_set_clusters(struct zones *z, const struct records_result *r,
                         const struct zones_probe *probes, size_t probe_count,
                         const struct wiring_times *times);

/* "never", "synced", "unseen". */
const char *wiring_knowledge_text(enum knowledge knowledge);

/* Since when each problem and conflict has been there; what is new is logged. */
struct wiring_memory {
	struct wiring_since *known; /* sorted */
	size_t count;
	bool quiet; /* not every source is read yet: what is wrong now may come right by itself */
	struct wiring_hold *holds; /* of the guard, as they were told */
	size_t hold_count;
};
void wiring_memory_fini(struct wiring_memory *m);

/* Errors that are no store's: lines, or NULL. */
struct wiring_errors {
	char *geo;
	char *zone_files;
	const struct zone_loader *files; /* not lines: which there are */
	char *config;                    /* why the config last asked for is not in force */
	int64_t config_since;            /* Unix seconds */
	char *tls;         /* why certificate and key as they are now are not in force */
	int64_t tls_since; /* Unix seconds */
	const struct failback *waiting; /* not lines: who waits */
};

/* Where the report's policies come from. */
struct wiring_policies {
	const struct rulebook *book;
	const struct records_result *result;
	const struct probe_secrets *secrets;
};

/* Wants the Secrets that probes of the policies name; true: others than before. */
bool wiring_want_secrets(struct probe_secrets *secrets, const struct records_result *r);

/* What /status lists. `unix_ms_at_0`: Unix time when the monotonic clock
 * was 0, always the same, so that a hold's times do not waver. */
void wiring_set_report(struct zones *z, const struct records *records, const struct store *store,
                       const struct wiring_errors *errors, const struct wiring_policies *policies,
                       int64_t unix_ms_at_0, struct wiring_memory *memory);

/* Does every registered cluster go unseen (and is there one)? *since_ms: since when. */
bool wiring_all_unseen(const struct records_result *r, uint64_t *since_ms);

/* What the state has of hosts and probes that nobody wants any more goes, once it is much. */
void wiring_forget_unwanted(const struct records_result *r, struct saved *saved);

/* What the state has of a class under other keys than these, which are in byte order, goes. */
void wiring_forget(struct saved *saved, enum saved_class class, const struct bytes *wanted,
                   size_t count);

/* Remembers which shifts are in force. */
void wiring_save_shifts(const struct records_result *r, struct saved *saved);
/* Remembers the serials that changed. */
void wiring_save_serials(const struct snapshot *s, struct saved *saved);
/* At the end: what was really published, so that the next start goes on from there. */
void wiring_save_last_serials(const struct snapshot *s, struct saved *saved);

#endif
