/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/snapshot.h"

#include "records/endpoint.h"
#include "zones/frozen.h"
#include "zones/source.h"

const struct snapshot_report *snapshot_report(const struct snapshot *s) { return &s->report->is; }

const char *snapshot_source(const struct snapshot *s, uint32_t source)
{
	return source_text(s->base, source);
}

const struct zone *snapshot_find_apex(const struct snapshot *s, const struct name *name)
{
	const struct zone *zone = snapshot_find_zone(s, name);

	return zone != NULL && zone_apex_labels(zone) == name->labels ? zone : NULL;
}

const struct zone *snapshot_zone(const struct snapshot *s, size_t i)
{
	return i < s->zone_count ? s->head.zone[i] : NULL;
}

const struct snapshot_cluster *snapshot_cluster(const struct snapshot *s, uint16_t id)
{
	return id < s->clusters->ids ? s->clusters->by_id[id] : NULL;
}

const struct snapshot_cluster *snapshot_cluster_at(const struct snapshot *s, size_t i)
{
	return i < s->clusters->count ? &s->clusters->item[i] : NULL;
}

const struct snapshot_votes *snapshot_votes(const struct snapshot *s) { return &s->votes->is; }

bool snapshot_probe_is_down(const struct snapshot *s, uint32_t probe)
{
	return probe < s->probes->count && s->probes->down[probe / 64] >> probe % 64 & 1;
}

uint64_t snapshot_probe_at_ms(const struct snapshot *s, uint32_t probe)
{
	return probe < s->probes->count ? s->probes->at_ms[probe] : 0;
}

/* A site without probes is not judged by them; else one address that answers is enough. */
static bool probes_are_down(const struct snapshot *s, const struct site *site)
{
	size_t count;
	const uint32_t *probe = site_probes(site, &count);

	if (count == 0 || !s->probes->any_down)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!snapshot_probe_is_down(s, probe[i]))
			return false;
	return true;
}

static bool is_judged(const struct snapshot *s, const struct site *site)
{
	size_t count;
	const uint32_t *probe = site_probes(site, &count);

	for (size_t i = 0; i < count; i++)
		if (snapshot_probe_at_ms(s, probe[i]) != 0)
			return true;
	return false;
}

bool snapshot_site_waits(const struct snapshot *s, const struct site *site)
{
	uint32_t hold = site_hold(site);

	return hold > 0 && hold < s->waiting->count && s->waiting->waits[hold];
}

bool snapshot_site_is_expired(const struct snapshot *s, const struct policy *p,
                              const struct site *site)
{
	const struct snapshot_cluster *c = snapshot_cluster(s, site_cluster(site));
	bool expired = c && c->expired;

	if (c && p->expired)
		expired = c->id < p->cluster_count && p->expired[c->id];
	return expired && !is_judged(s, site);
}

_Static_assert(SITE_WHOLE == (SITE_ENDPOINTS | SITE_LOAD_BALANCER), "all layers of a site");

bool snapshot_site_is_usable(const struct snapshot *s, const struct policy *p,
                             const struct site *site, bool *troubled)
{
	const struct snapshot_cluster *c = snapshot_cluster(s, site_cluster(site));
	bool trouble = false;

	if (!s->head.is_calm)
		trouble = probes_are_down(s, site) || (c && c->drained) ||
		          snapshot_site_is_expired(s, p, site);
	if (troubled)
		*troubled = trouble;
	return c && !trouble && site_layers(site) == SITE_WHOLE;
}
