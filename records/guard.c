/* SPDX-License-Identifier: Apache-2.0 */
#include "records/guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/random.h"
#include "base/table.h"
#include "base/xalloc.h"
#include "records/checks.h"
#include "records/names.h"
#include "records/offer.h"
#include "records/owner.h"
#include "records/window.h"

enum { FEW = 1024 };

struct zone {
	struct bytes apex;
	char *text;
	size_t count;        /* names with addresses, those held among them */
	size_t count_before; /* when the build began */
	struct window passed;
	uint64_t hold_id; /* 0: nothing is held */
	uint64_t since_ms, until_ms;
	size_t held;
	struct arena *arena; /* of the held endpoints; NULL while there are none */
	size_t copies;       /* in it, also of names that are held no more */
	bool is_released;
	bool is_kept; /* in this build: its Domain is gone, and the zone is held as a whole */
};

struct held {
	struct guard_held name; /* first: guard_find() gives its address */
	struct zone *zone;
	bool is_told; /* by guard_take_changes() */
};

/* A name that waits for its zone. */
struct restored {
	struct records_hold hold;
	const struct endpoint *endpoint;
};

struct guard {
	struct wants *wants;
	struct zone **zones; /* in the order of apexes_list() */
	size_t zone_count;
	struct table *held;
	uint64_t last_id;
	struct records_hold *list;
	size_t list_count;
	bool changed, has_untold;
	struct buffer forgotten; /* owners that were told and are held no more, as str16 */
	struct restored *restored;
	size_t restored_count, restored_room;
	struct arena *restored_arena; /* NULL when there are none */
};

struct guard *guard_new(struct wants *wants)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	g->wants = wants;
	g->held = table_new();
	/* An annotation that released a hold once may stand there still: no hold of a later process is to have its id. */
	g->last_id = random_u64() >> 16;
	return g;
}

/* What an endpoint uses is used by its copy, too. */
static void keep_wants(const struct endpoint *e, struct wants *w)
{
	for (size_t i = 0; i < e->site_count; i++) {
		for (size_t k = 0; k < e->sites[i].probe_count; k++)
			wants_keep_probe(w, e->sites[i].probes[k]);
		checks_keep_site(wants_checks(w), e->sites[i].hold);
	}
}

static void release_wants(const struct endpoint *e, struct wants *w)
{
	for (size_t i = 0; i < e->site_count; i++) {
		for (size_t k = 0; k < e->sites[i].probe_count; k++)
			wants_release_probe(w, e->sites[i].probes[k]);
		checks_release_site(wants_checks(w), e->sites[i].hold);
	}
}

static void free_held(struct guard *g, struct held *h)
{
	release_wants(h->name.endpoint, g->wants);
	if (h->is_told)
		buffer_str16(&g->forgotten, h->name.endpoint->owner);
	g->changed = true;
	if (--h->zone->held == 0) {
		arena_free(h->zone->arena);
		h->zone->arena = NULL;
		h->zone->copies = 0;
	}
	free(h);
}

static void free_zone(struct zone *z)
{
	free((void *)(uintptr_t)z->apex.data);
	free(z->text);
	window_fini(&z->passed);
	free(z);
}

void guard_free(struct guard *g)
{
	struct held *h;

	if (!g)
		return;
	for (size_t at = 0; (h = table_next(g->held, &at)) != NULL;)
		free_held(g, h);
	table_free(g->held);
	for (size_t i = 0; i < g->zone_count; i++)
		free_zone(g->zones[i]);
	free(g->zones);
	free(g->list);
	buffer_fini(&g->forgotten);
	free(g->restored);
	arena_free(g->restored_arena);
	free(g);
}

/* --- zones --- */

static struct zone *find_zone(const struct guard *g, struct bytes apex)
{
	for (size_t i = 0; i < g->zone_count; i++)
		if (g->zones[i] && bytes_equal(g->zones[i]->apex, apex))
			return g->zones[i];
	return NULL;
}

static struct zone *new_zone(struct bytes apex)
{
	struct zone *z = xcalloc(1, sizeof(*z));
	char text[NAMES_TEXT_SIZE];

	z->apex = (struct bytes){xmemdup(apex.data, apex.len), apex.len};
	z->text = xstrdup(names_to_text(apex.data, text));
	return z;
}

/* A zone that is gone was allowed to go (see kept_zones.h): what was held of it goes with it. */
static void drop_held_of(struct guard *g, const struct zone *z)
{
	struct held **list = xcalloc(z->held + 1, sizeof(struct held *));
	size_t count = 0;
	struct held *h;

	for (size_t at = 0; z->held > 0 && (h = table_next(g->held, &at)) != NULL;)
		if (h->zone == z)
			list[count++] = h;
	while (count-- > 0)
		guard_forget(g, list[count]->name.hash, list[count]->name.endpoint->owner.data);
	free(list);
}

static void set_zones(struct guard *g, const struct apexes *apexes)
{
	size_t count;
	const struct records_zone *list = apexes_list(apexes, &count);
	struct zone **zones = xcalloc(count + 1, sizeof(struct zone *));

	for (size_t i = 0; i < count; i++) {
		zones[i] = find_zone(g, list[i].apex);
		if (!zones[i])
			zones[i] = new_zone(list[i].apex);
	}
	for (size_t i = 0; i < g->zone_count; i++) {
		bool stays = false;

		for (size_t k = 0; k < count && !stays; k++)
			stays = zones[k] == g->zones[i];
		if (!stays) {
			g->changed |= g->zones[i]->hold_id != 0;
			drop_held_of(g, g->zones[i]);
			free_zone(g->zones[i]);
		}
	}
	free(g->zones);
	g->zones = zones;
	g->zone_count = count;
}

static bool same_zones(const struct guard *g, const struct apexes *apexes)
{
	size_t count;
	const struct records_zone *list = apexes_list(apexes, &count);

	if (count != g->zone_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!bytes_equal(g->zones[i]->apex, list[i].apex))
			return false;
	return true;
}

/* Ends the hold: all it holds passes in this build, and counting begins anew. */
static void end_hold(struct guard *g, struct zone *z)
{
	struct held *h;

	for (size_t at = 0; (h = table_next(g->held, &at)) != NULL;)
		if (h->zone == z)
			h->name.is_released = true;
	z->hold_id = 0;
	z->is_released = false;
	window_clear(&z->passed);
	g->changed = true;
}

void guard_count(struct guard *g, int zone, int difference)
{
	if (zone < 0)
		return;
	CHECK((size_t)zone < g->zone_count);
	if (difference < 0 && g->zones[zone]->count < (size_t)-difference)
		g->zones[zone]->count = 0;
	else
		g->zones[zone]->count += (size_t)difference;
}

void guard_count_anew(struct guard *g)
{
	for (size_t i = 0; i < g->zone_count; i++)
		g->zones[i]->count = g->zones[i]->held;
}

/* --- held names --- */

struct key {
	uint32_t hash;
	const uint8_t *owner;
};

static bool is_name(const void *item, const void *wanted)
{
	const struct held *h = item;
	const struct key *key = wanted;

	return h->name.hash == key->hash &&
	       names_wire_equal(h->name.endpoint->owner.data, key->owner);
}

static struct held *find_held(const struct guard *g, uint32_t hash, const uint8_t *owner)
{
	struct key key = {hash, owner};

	return table_count(g->held) > 0 ? table_find(g->held, hash, is_name, &key) : NULL;
}

struct guard_held *guard_find(const struct guard *g, uint32_t hash, const uint8_t *owner)
{
	struct held *h = find_held(g, hash, owner);

	return h ? &h->name : NULL;
}

struct guard_held *guard_next(const struct guard *g, size_t *at)
{
	struct held *h = table_count(g->held) > 0 ? table_next(g->held, at) : NULL;

	return h ? &h->name : NULL;
}

void guard_forget(struct guard *g, uint32_t hash, const uint8_t *owner)
{
	struct key key = {hash, owner};
	struct held *h = table_remove(g->held, hash, is_name, &key);

	if (h)
		free_held(g, h);
}

/* Names that come and go while a zone is held must not fill its arena. */
static void copy_again(struct guard *g, struct zone *z)
{
	struct arena *a = z->held > 0 ? arena_new() : NULL;
	struct held *h;

	for (size_t at = 0; (h = table_next(g->held, &at)) != NULL;)
		if (h->zone == z)
			h->name.endpoint = endpoint_copy(a, h->name.endpoint);
	arena_free(z->arena);
	z->arena = a;
	z->copies = z->held;
}

static struct held *hold(struct guard *g, struct zone *z, uint32_t hash,
                         const struct endpoint *endpoint)
{
	struct held *h = xcalloc(1, sizeof(*h));

	if (z->copies > 2 * z->held + FEW)
		copy_again(g, z);
	h->zone = z;
	if (!z->arena)
		z->arena = arena_new();
	z->copies++;
	h->name.hash = hash;
	h->name.endpoint = endpoint_copy(z->arena, endpoint);
	keep_wants(h->name.endpoint, g->wants);
	z->held++;
	table_put(g->held, hash, h);
	g->changed = g->has_untold = true;
	return h;
}

void guard_hold(struct guard *g, int zone, uint32_t hash, const struct endpoint *endpoint)
{
	CHECK(zone >= 0 && (size_t)zone < g->zone_count);
	(void)hold(g, g->zones[zone], hash, endpoint);
}

/* --- holds --- */

static void begin_hold(struct guard *g, const struct records_settings *s, struct zone *z,
                       uint64_t now_ms)
{
	z->hold_id = ++g->last_id;
	z->since_ms = now_ms;
	z->until_ms = s->guard_hold_ms ? now_ms + s->guard_hold_ms : 0;
	g->changed = true;
}

static void resume_hold(struct guard *g, struct zone *z, const struct records_hold *hold)
{
	z->hold_id = hold->id;
	z->since_ms = hold->since_ms;
	z->until_ms = hold->until_ms;
	g->last_id = hold->id > g->last_id ? hold->id : g->last_id;
	g->changed = true;
}

/* --- over a restart --- */

static struct records_hold describe(const struct zone *z)
{
	return (struct records_hold){z->text, z->is_kept ? z->count : z->held, z->since_ms,
	                             z->until_ms, z->hold_id};
}

void guard_take_changes(struct guard *g, guard_on_change_fn *fn, void *arg)
{
	struct cursor c = cursor_over(g->forgotten.data, g->forgotten.len);
	struct held *h;

	/* First: a name may be held again. */
	while (cursor_left(&c) > 0)
		fn(cursor_str16(&c), NULL, NULL, arg);
	buffer_reset(&g->forgotten);
	if (!g->has_untold)
		return;
	g->has_untold = false;
	for (size_t at = 0; (h = table_next(g->held, &at)) != NULL;) {
		struct records_hold hold = describe(h->zone);

		if (!h->is_told)
			fn(h->name.endpoint->owner, h->name.endpoint, &hold, arg);
		h->is_told = true;
	}
}

void guard_restore(struct guard *g, const struct records_hold *hold, const struct endpoint *held)
{
	if (!g->restored_arena)
		g->restored_arena = arena_new();
	if (g->restored_count == g->restored_room) {
		g->restored_room = g->restored_room ? g->restored_room * 2 : 64;
		g->restored = xreallocarray(g->restored, g->restored_room, sizeof(*g->restored));
	}
	g->restored[g->restored_count++] =
		(struct restored){*hold, endpoint_copy(g->restored_arena, held)};
}

/* All of a zone belong to the hold that is said first. */
static void hold_again(struct guard *g, const struct restored *r, struct zone *z, uint32_t hash)
{
	if (z->hold_id == 0)
		resume_hold(g, z, &r->hold);
	hold(g, z, hash, r->endpoint)->is_told = true;
}

static void hold_restored(struct guard *g, const struct apexes *apexes, const struct hash_key *key)
{
	for (size_t i = 0; i < g->restored_count; i++) {
		const struct restored *r = &g->restored[i];
		int zone = apexes_find(apexes, r->endpoint->owner);
		uint32_t hash = owner_hash(key, r->endpoint->owner);

		if (zone >= 0 && !find_held(g, hash, r->endpoint->owner.data))
			hold_again(g, r, g->zones[zone], hash);
		else
			buffer_str16(&g->forgotten, r->endpoint->owner);
		release_wants(r->endpoint, g->wants);
	}
	arena_free(g->restored_arena);
	g->restored_arena = NULL;
	g->restored_count = 0;
}

void guard_begin(struct guard *g, const struct apexes *apexes, const struct hash_key *key,
                 uint64_t now_ms)
{
	if (!same_zones(g, apexes))
		set_zones(g, apexes);
	if (g->restored_count > 0)
		hold_restored(g, apexes, key);
	for (size_t i = 0; i < g->zone_count; i++) {
		struct zone *z = g->zones[i];

		z->count_before = z->count;
		z->is_kept = false;
		if (z->hold_id && (z->is_released || (z->until_ms && z->until_ms <= now_ms)))
			end_hold(g, z);
	}
}

/* --- the decision --- */

bool guard_holds(struct guard *g, const struct records_settings *s, int zone, size_t losses,
                 uint64_t now_ms)
{
	struct zone *z = g->zones[zone];
	size_t names, all;

	if (z->hold_id)
		return true;
	all = window_count(&z->passed, now_ms, &names) + losses;
	names = z->count_before > names ? z->count_before : names;
	if (s->guard_max_percent >= 100 || all <= s->guard_min_names ||
	    (double)all * 100 <= (double)names * s->guard_max_percent)
		return false;
	begin_hold(g, s, z, now_ms);
	return true;
}

void guard_pass(struct guard *g, int zone, uint32_t hash, uint64_t now_ms)
{
	window_lose(&g->zones[zone]->passed, hash, g->zones[zone]->count_before, now_ms);
}

void guard_regain(struct guard *g, int zone, uint32_t hash)
{
	if (zone >= 0)
		window_regain(&g->zones[zone]->passed, hash);
}

/* --- zones as a whole --- */

bool guard_keeps_zone(const struct guard *g, const struct records_settings *s, struct bytes apex,
                      uint64_t now_ms)
{
	struct zone *z = find_zone(g, apex);
	size_t names;

	/* All its names are more than any share of them. */
	return z && z->count > 0 && s->guard_max_percent < 100 &&
	       window_count(&z->passed, now_ms, &names) + z->count > s->guard_min_names;
}

void guard_hold_zone(struct guard *g, const struct records_settings *s, struct bytes apex,
                     struct records_hold *hold, uint64_t now_ms)
{
	struct zone *z = find_zone(g, apex);

	if (!z)
		return;
	z->is_kept = true;
	g->changed |= hold->id == 0;
	if (z->hold_id == 0 && hold->id)
		resume_hold(g, z, hold);
	else if (z->hold_id == 0)
		begin_hold(g, s, z, now_ms);
	*hold = describe(z);
}

bool guard_is_released(const struct guard *g, struct bytes apex)
{
	const struct zone *z = find_zone(g, apex);

	return z && z->is_released;
}

bool guard_end(struct guard *g, uint64_t *next_ms)
{
	bool changed;

	*next_ms = 0;
	for (size_t i = 0; i < g->zone_count; i++) {
		struct zone *z = g->zones[i];

		if (z->hold_id == 0 || z->held > 0 || z->is_kept)
			continue;
		z->hold_id = 0;
		g->changed = true;
	}
	changed = g->changed;
	g->changed = false;
	if (changed)
		g->list = xreallocarray(g->list, g->zone_count, sizeof(*g->list));
	g->list_count = changed ? 0 : g->list_count;
	for (size_t i = 0; i < g->zone_count; i++) {
		struct zone *z = g->zones[i];

		if (z->hold_id == 0)
			continue;
		if (changed)
			g->list[g->list_count++] = describe(z);
		if (z->until_ms && (*next_ms == 0 || z->until_ms < *next_ms))
			*next_ms = z->until_ms;
	}
	return changed;
}

size_t guard_list(const struct guard *g, const struct records_hold **out)
{
	*out = g->list;
	return g->list_count;
}

bool guard_release(struct guard *g, const char *zone)
{
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;

	if (names_from_text(bytes_of(zone), wire, &len, NULL))
		return false;
	for (size_t i = 0; i < g->zone_count; i++) {
		if (g->zones[i]->hold_id && names_wire_equal(g->zones[i]->apex.data, wire)) {
			g->zones[i]->is_released = true;
			return true;
		}
	}
	return false;
}

void guard_release_hold(struct guard *g, struct bytes apex, uint64_t id)
{
	struct zone *z = find_zone(g, apex);

	if (z && z->hold_id == id)
		z->is_released = true;
}
