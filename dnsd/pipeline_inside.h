/* pipeline_inside.h -- what pipeline*.c share.
 *
 * Wiring.  pipeline.c is the way itself; pipeline_ready.c when there is enough to answer from; pipeline_heard.c what
 * its neighbours say; pipeline_estate.c what of it goes over to a process that takes over; pipeline_orders.c what
 * people have it do.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_PIPELINE_INSIDE_H
#define DNSD_PIPELINE_INSIDE_H

#include "dnsd/damper.h"
#include "dnsd/failback.h"
#include "dnsd/geo_loader.h"
#include "dnsd/orders.h"
#include "dnsd/pipeline.h"
#include "dnsd/secrets.h"
#include "dnsd/sources.h"
#include "dnsd/verdicts.h"
#include "dnsd/wiring.h"
#include "watcher/resolve.h"
#include "watcher/saved.h"
#include "watcher/settle.h"

struct pipeline {
	uv_loop_t *loop;
	const struct config *config;
	struct server_address *listening;
	size_t listening_count;
	struct admin_pulse *pulse;

	struct facts *facts;
	struct saved *
		saved; /* NULL: not started; without a state directory it is kept in memory alone */
	struct settle *settle;
	struct store *store;
	struct sources *sources; /* NULL: not begun */
	struct cluster_notes *notes;
	struct probe_notes *probe_notes;
	struct probe_secrets *probe_secrets;
	struct replicas *replicas;
	struct replica_notes *replica_notes;
	uint64_t notes_ms; /* when they were last given */
	struct verdicts *verdicts;
	struct damper *damper;
	struct failback *failback;
	uint64_t failback_told; /* failback_changes() */
	struct resolver *resolver;
	struct transfers *transfers; /* NULL: none */
	struct geo_loader *geo;
	struct rulebook *rulebook;
	struct secrets secrets;
	struct zone_loader *zone_files;
	struct records *records;
	struct zones *zones;
	const struct records_result *result; /* of the last build */

	uv_timer_t tick;
	uv_timer_t again; /* records wants to be called at a certain time */
	struct orders *orders;

	uint64_t evidence_ms; /* when the probes' times were last published */

	uint64_t started_ms;
	int64_t unix_ms_at_0; /* Unix time when the monotonic clock was 0, as it was at the start */
	size_t untrimmed;     /* names built since memory was last given back */
	bool busy;            /* something was built since the last tick */
	bool waits;           /* something is to be built: see pipeline_may_wait() */
	bool is_frozen;       /* another process is taking over: nothing is published */
	uint64_t built_ms;
	struct wiring_errors errors; /* ours */
	const struct snapshot *last; /* published, good until the next */
	bool incomplete;             /* some source of which nothing was read could hold any name */
	uint64_t errors_told;
	size_t facts_told;
	struct wiring_memory memory;
	struct geo_loader_match match; /* the HTTP thread's, for its last question */
	bool ready, tables_stale, probes_stale, report_stale, targets_stale, ranks_stale,
		wants_stale, transferred_stale;
	const struct config *fresh; /* while its files are tried */
	pipeline_on_reloaded_fn *on_reloaded;
	void *reloaded_arg;
	unsigned still_open; /* of what pipeline_stop() waits for */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* Something is to be built. */
static inline void pipeline_poke(struct pipeline *p) { settle_poke(p->settle); }
/* An order_fn of pipeline_orders.c; `arg` is the pipeline. */
enum err pipeline_obey(enum order order, const struct order_about *about, void *arg,
                       uint64_t *result, struct reason *why);
/* Publishes what differs, unless it is frozen. */
void pipeline_publish(struct pipeline *p);

/* pipeline_ready.c */
bool pipeline_is_ready(struct pipeline *p, uint64_t now_ms);
/* May a build be put off, as more is to be read first?  pipeline.waits says whether one was. */
bool pipeline_may_wait(const struct pipeline *p, uint64_t now_ms);
/* Of some source nothing was ever read, so that it could hold any name. */
bool pipeline_is_incomplete(const struct pipeline *p, uint64_t now_ms);
/* Every cluster is unseen, and no probe succeeded since *since_ms. */
bool pipeline_is_dark(const struct pipeline *p, uint64_t *since_ms);

/* pipeline_heard.c; `arg` is the pipeline */
void pipeline_on_addresses(struct bytes host, const struct addr *addresses, size_t count,
                           uint32_t ttl_s, void *arg);
void pipeline_on_trouble(struct bytes host, const char *message, void *arg);
void pipeline_on_verdict(void *arg);
void pipeline_on_rankings(const struct ranking *plain, const struct geo_loader_ranked *ranked,
                          size_t count, void *arg);
void pipeline_on_geo_errors(const char *errors, void *arg);
void pipeline_on_zone_file(struct bytes apex, const struct zonefile *file, void *arg);
void pipeline_on_zone_errors(void *arg);
/* Host names' addresses, names that the guard holds, and shifts, as they were saved. */
void pipeline_restore(struct pipeline *p);

#endif
