/* pipeline_ready.c -- when there is enough to answer from, and when nothing can be seen at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "dnsd/pipeline_inside.h"
#include "dnsd/zone_loader.h"

enum { MEMBER_COUNTS_MS = 5 * 60 * 1000, UNREADY_BUILD_MS = 3000, MANY_FACTS = 10000 };

static bool source_is_known(const struct pipeline *p, uint16_t id)
{
	const struct cluster_state *state = facts_cluster(p->facts, id);

	return state == NULL || !state->registered || state->knowledge != KNOWLEDGE_NEVER;
}

static bool was_restored(const struct pipeline *p)
{
	return p->saved != NULL && saved_was_restored(p->saved);
}

static bool all_sources_known(const struct pipeline *p)
{
	/* Until they have begun, nobody knows what was restored of which. */
	if (p->sources == NULL || !sources_manifests_are_read(p->sources, was_restored(p)))
		return false;
	for (uint16_t id = 0; id < facts_cluster_count(p->facts); id++)
		if (!source_is_known(p, id))
			return false;
	return true;
}

/* Some source of which nothing was ever read could hold any name, so that none can be denied. */
bool pipeline_is_incomplete(const struct pipeline *p, uint64_t now_ms)
{
	for (uint16_t id = 0; id < facts_cluster_count(p->facts); id++) {
		bool counts = id == FACTS_HOST ||
		              now_ms - facts_cluster(p->facts, id)->since_ms < MEMBER_COUNTS_MS;

		if (counts && !source_is_known(p, id))
			return true;
	}
	return false;
}

/* Design: ready once every source was read, restored, or waited for. */
bool pipeline_is_ready(struct pipeline *p, uint64_t now_ms)
{
	if (!p->ready) {
		bool patient = now_ms - p->started_ms < p->config->patience_ms;

		/* What was read must be in force, and clients placed by it. */
		p->ready = (all_sources_known(p) && !facts_has_changes(p->facts) &&
		            geo_loader_is_current(p->geo) && zone_loader_is_read(p->zone_files)) ||
		           !patient;
		if (p->ready)
			log_info("dnsd", "ready");
		p->memory.quiet = !p->ready;
		p->report_stale |= p->ready;
	}
	return p->ready;
}

/* Before it is ready nobody is answered, and names of several clusters would be built once for each
 * cluster that has been read: where there are many, mostly when all have been. */
bool pipeline_may_wait(const struct pipeline *p, uint64_t now_ms)
{
	/* What was restored may be lost meanwhile, and the guard must hear of it before the state does. */
	return !p->ready && !was_restored(p) && facts_count(p->facts) > MANY_FACTS &&
	       !all_sources_known(p) && now_ms - p->built_ms < UNREADY_BUILD_MS &&
	       now_ms - p->started_ms < p->config->patience_ms;
}

/* Every cluster unseen and no probe succeeded since: it is our own network that broke. */
bool pipeline_is_dark(const struct pipeline *p, uint64_t *since_ms)
{
	return wiring_all_unseen(p->result, since_ms) &&
	       verdicts_last_success_ms(p->verdicts) <= *since_ms;
}
