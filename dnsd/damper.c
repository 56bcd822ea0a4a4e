/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/damper.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "base/table.h"
#include "base/xalloc.h"
#include "records/names.h"

/* How often what is remembered is looked through, for what needs no certain moment. */
enum { LOOK_MS = 1000, FLAPPING_MS = 5000, QUIET_MS = 60000 };
enum { TOLD_MS = 60000, TOLD_MOST = 64 };

/* What is remembered of a site that changed lately. */
struct damped {
	uint16_t cluster;
	bool is_down;
	bool is_held;      /* as zones have it */
	uint8_t down_by;   /* layers, since it is down */
	uint8_t flaps;     /* layers that took it down, while it flaps; as zones have it */
	uint16_t asked;    /* the share that it would have, while a rise waits */
	uint64_t rises_ms; /* since when it could rise; 0: it is not to */
	uint64_t down_ms;
	struct flap *flap; /* NULL: it has not come back yet */
};
struct damped_name {
	uint64_t hash;
	struct bytes owner; /* as written */
	struct damped *site;
	size_t count;
};

struct damper {
	struct damper_settings settings;
	struct hash_key key;
	struct arena *arena; /* scratch of one name */
	struct table *names;
	size_t sites, flapping, held; /* of all names; that flap; of them, that are held */
	uint64_t not_watched;
	uint64_t told_ms; /* since when so many were told */
	unsigned told;
	uint64_t next_ms; /* something may be to do; 0: nothing is */
};

struct damper *damper_new(void)
{
	struct damper *d = xcalloc(1, sizeof *d);

	random_bytes(&d->key, sizeof d->key);
	d->arena = arena_new();
	d->names = table_new();
	return d;
}

static void name_free(struct damped_name *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->site[i].flap);
	free(n->site);
	free((void *)(uintptr_t)n->owner.data);
	free(n);
}

void damper_free(struct damper *d)
{
	struct damped_name *n;

	if (d == NULL)
		return;
	for (size_t at = 0; (n = table_next(d->names, &at)) != NULL;)
		name_free(n);
	table_free(d->names);
	arena_free(d->arena);
	free(d);
}

void damper_configure(struct damper *d, const struct damper_settings *settings)
{
	d->settings = *settings;
}

struct damper_counts damper_counts(const struct damper *d)
{
	return (struct damper_counts){d->sites, d->flapping, d->held, d->not_watched};
}

/* --- names --- */

static bool is_owner(const void *item, const void *key)
{
	const struct damped_name *n = item;

	return bytes_equal(n->owner, *(const struct bytes *)key);
}

static uint64_t hash_of(const struct damper *d, struct bytes owner)
{
	return hash_siphash(&d->key, owner.data, owner.len);
}

static struct damped_name *find(const struct damper *d, struct bytes owner)
{
	if (table_count(d->names) == 0)
		return NULL;
	return table_find(d->names, hash_of(d, owner), is_owner, &owner);
}

static struct damped *find_site(const struct damped_name *n, uint16_t cluster)
{
	for (size_t i = 0; n != NULL && i < n->count; i++)
		if (n->site[i].cluster == cluster)
			return &n->site[i];
	return NULL;
}

/* NULL: there is no room. */
static struct damped *get_site(struct damper *d, struct damped_name **n, struct bytes owner,
                               uint16_t cluster)
{
	struct damped *site = find_site(*n, cluster);

	if (site != NULL)
		return site;
	if (d->sites >= DAMPER_MOST) {
		d->not_watched++;
		return NULL;
	}
	if (*n == NULL) {
		*n = xcalloc(1, sizeof **n);
		(*n)->hash = hash_of(d, owner);
		(*n)->owner = (struct bytes){xmemdup(owner.data, owner.len), owner.len};
		table_put(d->names, (*n)->hash, *n);
	}
	(*n)->site = xreallocarray((*n)->site, (*n)->count + 1, sizeof *site);
	site = &(*n)->site[(*n)->count++];
	*site = (struct damped){.cluster = cluster};
	d->sites++;
	return site;
}

static void set_flags(struct damper *d, struct damped *site, uint8_t flaps, bool is_held)
{
	d->flapping += (flaps != 0);
	d->flapping -= (site->flaps != 0);
	d->held += is_held;
	d->held -= site->is_held;
	site->flaps = flaps;
	site->is_held = is_held;
}

static void drop_site(struct damper *d, struct damped_name *n, size_t i)
{
	set_flags(d, &n->site[i], 0, false);
	free(n->site[i].flap);
	n->site[i] = n->site[--n->count];
	d->sites--;
}

static void forget(struct damper *d, struct damped_name *n)
{
	while (n->count > 0)
		drop_site(d, n, 0);
	table_remove(d->names, n->hash, is_owner, &n->owner);
	name_free(n);
}

static void come_back_at(struct damper *d, uint64_t ms)
{
	if (d->next_ms == 0 || ms < d->next_ms)
		d->next_ms = ms;
}

/* --- one site --- */

/* Some of many: the metrics count them all. */
static void tell(struct damper *d, const struct damped *site, struct bytes owner,
                 const struct damper_times *at)
{
	const struct snapshot_cluster *c = snapshot_cluster(at->last, site->cluster);
	char text[NAMES_TEXT_SIZE];

	if (at->now_ms - d->told_ms >= TOLD_MS) {
		d->told_ms = at->now_ms;
		d->told = 0;
	}
	if (d->told++ >= TOLD_MOST)
		return;

	log_info("dnsd",
	         "a site goes up and down again and again name=%s cluster=%s held_s=%" PRIu64,
	         names_to_text(owner.data, text), c != NULL ? c->name : "",
	         site->flap->next_hold_ms / 1000);
}

/* Layers that are in the way of its being usable. */
static uint8_t bad_layers(unsigned layers)
{
	return (uint8_t)(layers ^ (SITE_ENDPOINTS | SITE_LOAD_BALANCER));
}

/* A time that it was down counts when it is back. */
static void note_return(struct damper *d, struct damped *site, uint64_t now_ms)
{
	if (site->flap == NULL)
		site->flap = xcalloc(1, sizeof *site->flap);
	flap_went_down(site->flap, &d->settings.flap, site->down_ms);
	flap_came_up(site->flap, &d->settings.flap, now_ms);
	site->is_down = false;
}

static void judge(struct damper *d, struct damped *site, struct bytes owner,
                  const struct damper_times *at)
{
	uint64_t now_ms = at->now_ms;
	bool flaps = site->flap != NULL && flap_is_flapping(site->flap, &d->settings.flap, now_ms);
	bool is_held = flaps && !site->is_down && flap_is_held(site->flap, now_ms);

	if (flaps && site->flaps == 0)
		tell(d, site, owner, at);
	set_flags(d, site, flaps ? site->down_by : 0, is_held);
	if (is_held)
		come_back_at(d, site->flap->held_until_ms);
	come_back_at(d, now_ms + (flaps ? FLAPPING_MS : QUIET_MS));
}

static bool is_over(const struct damper *d, const struct damped *site, uint64_t now_ms)
{
	if (site->flaps != 0 || site->rises_ms != 0)
		return false;
	/* What stays down does not flap. */
	if (site->is_down)
		return now_ms - site->down_ms > d->settings.flap.window_ms;
	return site->flap == NULL || flap_is_over(site->flap, &d->settings.flap, now_ms);
}

/* The share that counts now, of one that has `was` and would have `wish`. */
static uint16_t settle_share(struct damper *d, struct damped *site, uint16_t was, uint16_t wish,
                             uint64_t now_ms)
{
	if (site->rises_ms == 0 || wish < site->asked)
		site->rises_ms = now_ms;
	site->asked = wish;
	if (now_ms - site->rises_ms >= d->settings.rise_ms) {
		site->rises_ms = 0;
		return wish;
	}
	come_back_at(d, site->rises_ms + d->settings.rise_ms);
	return was;
}

/* --- what zones are to know --- */

static void fill_past(struct endpoint_past *past, const struct site *was)
{
	const struct site_past *from = site_past(was);

	*past = (struct endpoint_past){.is_held = false};
	if (from != NULL)
		memcpy(past->since_s, from->since_s, sizeof past->since_s);
}

static void add_flapping(struct endpoint_past *past, const struct damped *site)
{
	if (site == NULL || site->flaps == 0)
		return;
	past->flaps = site->flaps;
	past->is_held = site->is_held;
	if (site->is_held)
		past->held_until_s = (uint32_t)((site->flap->held_until_ms + 999) / 1000);
}

static bool is_rising(const struct damper *d, const struct endpoint_site *site,
                      const struct site *was)
{
	return d->settings.rise_ms > 0 && site_capacity(was) > 0 &&
	       site->capacity > site_capacity(was);
}

/* What the layers of the site do. */
static void see_layers(struct damper *d, struct damped_name **n, struct bytes owner,
                       const struct endpoint_site *site, const struct site *was,
                       const struct damper_times *at)
{
	uint8_t bad = bad_layers(site->layers), bad_before = bad_layers(site_layers(was));
	struct damped *known = find_site(*n, site->cluster);

	if (bad != 0 && bad_before == 0 && (known == NULL || !known->is_down)) {
		known = get_site(d, n, owner, site->cluster);
		if (known != NULL) {
			known->is_down = true;
			known->down_ms = at->now_ms;
			known->down_by = bad;
		}
	} else if (bad == 0 && known != NULL && known->is_down) {
		note_return(d, known, at->now_ms);
	}
	if (known != NULL)
		judge(d, known, owner, at);
}

static void see_share(struct damper *d, struct damped_name **n, struct bytes owner,
                      struct endpoint_site *site, const struct site *was, uint64_t now_ms)
{
	bool rises = is_rising(d, site, was);
	struct damped *known =
		rises ? get_site(d, n, owner, site->cluster) : find_site(*n, site->cluster);

	if (known == NULL)
		return;
	if (rises)
		site->capacity = settle_share(d, known, site_capacity(was), site->capacity, now_ms);
	else
		known->rises_ms = 0;
}

static void see_site(struct damper *d, struct damped_name **n, struct bytes owner,
                     struct endpoint_site *site, const struct site *was,
                     const struct damper_times *at)
{
	unsigned differs = site->layers ^ site_layers(was);
	struct endpoint_past *past = arena_alloc(d->arena, sizeof *past);

	fill_past(past, was);
	for (unsigned i = 0; i < ENDPOINT_LAYERS; i++)
		if ((differs >> i & 1) != 0)
			past->since_s[i] = (uint32_t)(at->now_ms / 1000);
	see_layers(d, n, owner, site, was, at);
	see_share(d, n, owner, site, was, at->now_ms);
	add_flapping(past, find_site(*n, site->cluster));
	site->past = past;
}

static const struct node *find_node(const struct damper_times *at, struct bytes owner)
{
	struct name name;
	const struct zone *zone;

	if (at->last == NULL || name_parse(&name, owner.data, owner.len) == 0)
		return NULL;
	zone = snapshot_find_zone(at->last, &name);
	return zone != NULL ? zone_find_node(zone, &name) : NULL;
}

/* Is there anything to say of the site that it does not say itself? */
static bool is_news(const struct damper *d, const struct endpoint_site *site,
                    const struct site *was)
{
	return was != NULL && (site->layers != site_layers(was) || site_past(was) != NULL ||
	                       is_rising(d, site, was));
}

/* Sites that are gone are gone. */
static void drop_others(struct damper *d, struct damped_name *n, const struct endpoint *e)
{
	for (size_t i = n->count; i-- > 0;) {
		bool is_there = false;

		for (size_t k = 0; k < e->site_count; k++)
			is_there |= e->sites[k].cluster == n->site[i].cluster;
		if (!is_there)
			drop_site(d, n, i);
	}
	if (n->count == 0)
		forget(d, n);
}

void damper_put(struct damper *d, struct zones *z, const struct endpoint *e,
                const struct damper_times *at)
{
	const struct node *node = e->has_sites ? find_node(at, e->owner) : NULL;
	struct damped_name *n = find(d, e->owner);
	struct endpoint amended = *e;
	struct endpoint_site *sites;
	bool any = n != NULL;

	for (size_t i = 0; node != NULL && !any && i < e->site_count; i++)
		any = is_news(d, &e->sites[i], node_find_site(node, e->sites[i].cluster));
	if (n != NULL && !e->has_sites)
		forget(d, n);
	if (!any || !e->has_sites) {
		zones_put(z, e);
		return;
	}
	arena_reset(d->arena);
	amended.sites = sites = arena_memdup(d->arena, e->sites, e->site_count * sizeof *sites);
	for (size_t i = 0; node != NULL && i < e->site_count; i++) {
		const struct site *was = node_find_site(node, sites[i].cluster);

		if (was != NULL)
			see_site(d, &n, e->owner, &sites[i], was, at);
	}
	zones_put(z, &amended);
	if (n != NULL)
		drop_others(d, n, e);
}

void damper_remove(struct damper *d, struct zones *z, struct bytes owner)
{
	struct damped_name *n = find(d, owner);

	if (n != NULL)
		forget(d, n);
	zones_remove(z, owner);
}

/* --- as time goes by --- */

/* True: the share rises now. */
static bool rise(struct damper *d, struct damped *site, uint64_t now_ms)
{
	if (site->rises_ms == 0)
		return false;
	if (now_ms - site->rises_ms < d->settings.rise_ms) {
		come_back_at(d, site->rises_ms + d->settings.rise_ms);
		return false;
	}
	site->rises_ms = 0;
	return true;
}

static void look_at(struct damper *d, struct zones *z, const struct damped_name *n,
                    struct damped *known, const struct damper_times *at)
{
	struct zones_amendment change = {.capacity = 0};
	uint8_t flaps = known->flaps;
	bool is_held = known->is_held, rises = rise(d, known, at->now_ms);
	const struct node *node;
	const struct site *was;

	judge(d, known, n->owner, at);
	if (flaps == known->flaps && is_held == known->is_held && !rises)
		return;
	node = find_node(at, n->owner);
	was = node != NULL ? node_find_site(node, known->cluster) : NULL;
	if (was == NULL)
		return;
	if (rises)
		change.capacity = known->asked;
	fill_past(&change.past, was);
	add_flapping(&change.past, known);
	zones_amend(z, n->owner, known->cluster, &change);
}

/* False: nothing is left to remember. */
static bool look_at_name(struct damper *d, struct zones *z, struct damped_name *n,
                         const struct damper_times *at)
{
	for (size_t i = n->count; i-- > 0;) {
		look_at(d, z, n, &n->site[i], at);
		if (is_over(d, &n->site[i], at->now_ms))
			drop_site(d, n, i);
	}
	return n->count > 0;
}

void damper_look(struct damper *d, struct zones *z, const struct damper_times *at)
{
	struct damped_name *n, **gone;
	size_t count = 0;

	if (d->next_ms == 0 || at->now_ms < d->next_ms || at->last == NULL)
		return;
	d->next_ms = 0;
	gone = xcalloc(table_count(d->names) + 1, sizeof(struct damped_name *));
	for (size_t i = 0; (n = table_next(d->names, &i)) != NULL;)
		if (!look_at_name(d, z, n, at))
			gone[count++] = n;
	for (size_t i = 0; i < count; i++)
		forget(d, gone[i]);
	free(gone);
	if (d->next_ms != 0 && d->next_ms < at->now_ms + LOOK_MS)
		d->next_ms = at->now_ms + LOOK_MS;
}
