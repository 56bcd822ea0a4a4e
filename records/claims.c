/* SPDX-License-Identifier: Apache-2.0 */
#include "records/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/beside.h"
#include "records/names.h"
#include "records/owner.h"

enum { AHEAD = 8 }; /* touches: how far before its use a slot is asked for */

/* --- the index --- */

static bool is_claimed_by(const struct idmap *claims, uint32_t hash, uint32_t source)
{
	struct idmap_walk walk = idmap_find(claims, hash);
	const uint32_t *found;

	while ((found = idmap_next(claims, &walk)) != NULL)
		if (*found == source)
			return true;
	return false;
}

static bool has_twins(const struct work *w)
{
	return (w->was && w->was->has_twins) || (w->now && w->now->has_twins);
}

void claims_enter(struct records *r)
{
	size_t fresh = 0;

	for (size_t i = 0; i < r->touch_count; i++)
		fresh += !r->touches[i].was;
	if (fresh > r->claims.count / 4)
		idmap_reserve(&r->claims, fresh);
	for (size_t i = 0; i < r->touch_count; i++) {
		const struct touch *t = &r->touches[i];
		const struct work *work = works_get(r, t->work);

		if (i + AHEAD < r->touch_count)
			idmap_prefetch(&r->claims, r->touches[i + AHEAD].hash);
		/* Two names of one source and one hash share an entry. */
		if (!t->was && !((has_twins(work) || work->was) &&
		                 is_claimed_by(&r->claims, t->hash, work->source)))
			idmap_put(&r->claims, t->hash, work->source);
	}
}

void claims_end(struct records *r)
{
	for (size_t i = 0; i < r->touch_count; i++) {
		const struct touch *t = &r->touches[i];
		const struct work *work = works_get(r, t->work);

		if (t->now || (work->now && offer_has_hash(work->now, t->hash)))
			continue;
		/* A twin that went with it took the entry already. */
		if (!idmap_remove(&r->claims, t->hash, work->source))
			CHECK(has_twins(work));
	}
}

/* --- one name --- */

/* Who has the name, before and after this build. */
struct verdict {
	const struct endpoint *was, *now;
	const struct source *winner; /* NULL: nobody */
	uint32_t was_source, now_source;
	uint32_t beside; /* source that stands whole beside the winner, the config; 0: none */
	size_t was_claims, now_claims;
};

/* A source with what it offers, and its place in the order of sources. */
struct claim {
	const struct endpoint *endpoint; /* NULL: nobody's */
	const struct fact *place;
	uint32_t source;
};

/* Of all that claim the name: the first one, and the first one that is not the config. */
struct claimants {
	struct claim first, other;
	size_t count;
};

static bool is_config(const struct claim *c) { return fact_created(c->place) == FACT_CONFIG_TIME; }

static void enter(struct claimants *all, const struct claim *c)
{
	if (!c->endpoint)
		return;
	all->count++;
	if (!all->first.endpoint || world_compare(c->place, all->first.place) < 0)
		all->first = *c;
	if (!is_config(c) &&
	    (!all->other.endpoint || world_compare(c->place, all->other.place) < 0))
		all->other = *c;
}

/* What the name has: the config's records stand beside another's data. */
static const struct endpoint *join(const struct records *r, const struct claimants *all, bool *lost)
{
	*lost = true;
	if (!all->first.endpoint || !all->other.endpoint || !is_config(&all->first))
		return all->first.endpoint;
	return beside_join(r->arena, all->first.endpoint, all->other.endpoint, lost);
}

static const struct fact *place_was(const struct work *work, const struct source *s)
{
	return work->is_dirty && work->fact_was ? work->fact_was : s->fact;
}

static void consider(struct records *r, uint32_t source, uint32_t hash, const uint8_t *owner,
                     struct claimants *was, struct claimants *now)
{
	uint32_t number = works_of(r, source);
	const struct source *s = sources_get(&r->sources, source);
	const struct work *work;

	if (!works_get(r, number)->is_dirty)
		works_look(r, number);
	work = works_get(r, number);
	enter(was, &(struct claim){offer_find(work->was, hash, owner), place_was(work, s), source});
	enter(now, &(struct claim){offer_find(work->now, hash, owner), s->fact, source});
}

/* The sources that may have the name, by its hash; at most `room` of them into `out`. */
static size_t list_sources(const struct records *r, uint32_t hash, uint32_t *out, size_t room)
{
	struct idmap_walk walk = idmap_find(&r->claims, hash);
	const uint32_t *found;
	size_t count = 0;

	while ((found = idmap_next(&r->claims, &walk)) != NULL)
		if (count++ < room)
			out[count - 1] = *found;
	return count;
}

/* Whose object it is: an annotated one is a member's, all others are the host's. */
static uint16_t cluster_of(const struct records *r, struct bytes owner, const struct fact *fact)
{
	struct idmap_walk walk = links_find(r->world.annotated, owner_hash(&r->key, owner));
	const struct link *link;

	while ((link = links_next(r->world.annotated, &walk)) != NULL)
		if (link->fact == fact)
			return (uint16_t)link->cluster;
	return FACTS_HOST;
}

static void note_conflict(struct records *r, struct bytes owner, const struct fact *winner,
                          const struct fact *loser)
{
	char text[NAMES_TEXT_SIZE];

	notes_conflict(r->notes, &(struct records_conflict){names_to_text(owner.data, text),
	                                                    world_title(&r->world, winner),
	                                                    world_title(&r->world, loser),
	                                                    cluster_of(r, owner, winner),
	                                                    cluster_of(r, owner, loser)});
}

static void note_conflicts(struct records *r, uint32_t hash, const uint8_t *owner,
                           const struct verdict *v, const uint32_t *sources, size_t count)
{
	uint8_t lower[NAMES_WIRE_MAX];
	struct bytes wire = {lower, names_wire_len(owner)};

	owner_lower((struct bytes){owner, wire.len}, lower);
	notes_begin(r->notes, NOTES_OF_NAME, hash_siphash(&r->key, wire.data, wire.len));
	if (v->now_claims < 2)
		return;
	CHECK(v->winner != NULL);
	for (size_t i = 0; i < count; i++) {
		const struct source *s = sources_get(&r->sources, sources[i]);

		if (sources[i] != v->now_source && sources[i] != v->beside &&
		    offer_find(works_get(r, s->work)->now, hash, owner))
			note_conflict(r, wire, v->winner->fact, s->fact);
	}
}

static struct verdict judge(struct records *r, uint32_t hash, const uint8_t *owner,
                            const uint32_t *sources, size_t count)
{
	struct claimants was = {.count = 0}, now = {.count = 0};
	struct verdict v;
	bool lost;

	for (size_t i = 0; i < count; i++)
		consider(r, sources[i], hash, owner, &was, &now);
	v = (struct verdict){
		.was = join(r, &was, &lost),
		.was_source = was.first.source,
		.now_source = now.first.source,
		.was_claims = was.count,
		.now_claims = now.count,
	};
	v.now = join(r, &now, &lost);
	v.beside = lost ? 0 : now.other.source;
	if (v.now)
		v.winner = sources_get(&r->sources, v.now_source);
	if (v.was_claims > 1 || v.now_claims > 1)
		note_conflicts(r, hash, owner, &v, sources, count);
	return v;
}

/* --- what changes --- */

/* `before`: what it has been given out with; NULL: nothing. */
static void emit(struct records *r, struct bytes owner, const struct endpoint *before,
                 const struct endpoint *endpoint)
{
	policies_move_name(r->policies, before && !r->is_everything ? before->policy : 0,
	                   endpoint ? endpoint->policy : 0);
	policies_move_passed(r->policies, before && !r->is_everything ? before : NULL, endpoint);
	if (r->change_count == r->change_room) {
		r->change_room = r->change_room ? r->change_room * 2 : 64;
		r->changes = xreallocarray(r->changes, r->change_room, sizeof(*r->changes));
	}
	r->changes[r->change_count++] = (struct records_change){owner, endpoint};
}

static void add_loss(struct records *r, const struct loss *loss)
{
	if (r->loss_count == r->loss_room) {
		r->loss_room = r->loss_room ? r->loss_room * 2 : 64;
		r->losses = xreallocarray(r->losses, r->loss_room, sizeof(*r->losses));
	}
	r->losses[r->loss_count++] = *loss;
}

static bool is_different(const struct records *r, const struct verdict *v)
{
	if (r->is_everything || v->was_source != v->now_source)
		return true;
	return v->was != v->now && !endpoint_equal(v->was, v->now);
}

/* Decides on a name that is held, which shows its old endpoint. */
static void settle_held(struct records *r, uint32_t hash, const struct guard_held *held,
                        const struct verdict *v)
{
	if (held->is_released || !v->now || !endpoint_has_address(v->now))
		return;
	if (r->is_everything || !endpoint_equal(held->endpoint, v->now))
		emit(r, v->now->owner, held->endpoint, v->now);
	guard_forget(r->guard, hash, v->now->owner.data);
}

static void settle(struct records *r, uint32_t hash, const struct verdict *v)
{
	const struct endpoint *any = v->now ? v->now : v->was;
	const struct guard_held *held = guard_find(r->guard, hash, any->owner.data);
	bool had = v->was && endpoint_has_address(v->was);
	bool has = v->now && endpoint_has_address(v->now);
	int zone;

	if (held) {
		settle_held(r, hash, held, v);
		return;
	}
	if (!is_different(r, v))
		return;
	zone = apexes_find(r->apexes, any->owner);
	if (had && !has && zone >= 0) {
		add_loss(r, &(struct loss){hash, zone, v->was, v->now});
		return;
	}
	if (has && !had)
		guard_regain(r->guard, zone, hash);
	guard_count(r->guard, zone, has - (had && !r->is_everything));
	emit(r, any->owner, v->was, v->now);
}

/* Does the work concern the name, so that it is judged on behalf of it? */
static bool concerns(const struct records *r, const struct work *work, uint32_t hash,
                     const uint8_t *owner)
{
	const struct endpoint *was = offer_find(work->was, hash, owner);
	const struct endpoint *now = offer_find(work->now, hash, owner);

	if (!was || !now)
		return was || now;
	return work->is_moved || r->is_everything || !endpoint_equal(was, now);
}

/* Several works may touch a name; it is judged for the first of them. */
static bool is_first(const struct records *r, const struct touch *t, const uint8_t *owner,
                     const uint32_t *sources, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t work = sources_get(&r->sources, sources[i])->work;

		if (work && work < t->work && works_get(r, work)->is_dirty &&
		    concerns(r, works_get(r, work), t->hash, owner))
			return false;
	}
	return true;
}

static void judge_touch(struct records *r, const struct touch *t)
{
	const uint8_t *owner = (t->now ? t->now : t->was)->owner.data;
	uint32_t own = works_get(r, t->work)->source;
	uint32_t few[8], *sources = few;
	size_t count = list_sources(r, t->hash, few, 8);
	struct verdict v = {.winner = NULL};

	if (count == 1 && few[0] == own) {
		v.was = t->was;
		v.now = t->now;
		v.was_source = t->was ? own : 0;
		v.now_source = t->now ? own : 0;
		settle(r, t->hash, &v);
		return;
	}
	if (count > 8) {
		sources = arena_alloc(r->arena, count * sizeof(*sources));
		(void)list_sources(r, t->hash, sources, count);
	}
	if (!is_first(r, t, owner, sources, count))
		return;
	v = judge(r, t->hash, owner, sources, count);
	if (v.was || v.now)
		settle(r, t->hash, &v);
}

/* --- the guard --- */

static int by_zone(const void *a, const void *b)
{
	int x = ((const struct loss *)a)->zone;
	int y = ((const struct loss *)b)->zone;

	return (x > y) - (x < y);
}

static void settle_loss(struct records *r, const struct loss *loss, bool is_held)
{
	if (is_held) {
		guard_hold(r->guard, loss->zone, loss->hash, loss->was);
		guard_count(r->guard, loss->zone, r->is_everything);
	} else {
		emit(r, (loss->now ? loss->now : loss->was)->owner, loss->was, loss->now);
		guard_pass(r->guard, loss->zone, loss->hash, r->now_ms);
		guard_count(r->guard, loss->zone, r->is_everything ? 0 : -1);
	}
}

static void settle_losses(struct records *r, uint64_t now_ms)
{
	if (r->loss_count > 0)
		qsort(r->losses, r->loss_count, sizeof(*r->losses), by_zone);
	for (size_t i = 0, end; i < r->loss_count; i = end) {
		int zone = r->losses[i].zone;
		bool is_held;

		end = i;
		while (end < r->loss_count && r->losses[end].zone == zone)
			end++;
		is_held = guard_holds(r->guard, &r->settings, zone, end - i, now_ms);
		for (size_t k = i; k < end; k++)
			settle_loss(r, &r->losses[k], is_held);
	}
}

/* A name whose hold ended shows what it has become meanwhile. */
static void settle_released(struct records *r, const struct guard_held *held)
{
	struct bytes owner = {
		arena_memdup(r->arena, held->endpoint->owner.data, held->endpoint->owner.len),
		held->endpoint->owner.len};
	size_t count = list_sources(r, held->hash, NULL, 0);
	uint32_t *sources = arena_alloc(r->arena, count * sizeof(*sources));
	struct verdict v;
	bool has;

	(void)list_sources(r, held->hash, sources, count);
	v = judge(r, held->hash, owner.data, sources, count);
	has = v.now && endpoint_has_address(v.now);
	emit(r, v.now ? v.now->owner : owner, held->endpoint, v.now);
	guard_count(r->guard, apexes_find(r->apexes, owner), has - 1);
	guard_forget(r->guard, held->hash, owner.data);
}

static void settle_all_released(struct records *r)
{
	const struct guard_held **list = NULL;
	struct guard_held *held;
	size_t count = 0;

	for (size_t at = 0; (held = guard_next(r->guard, &at)) != NULL;)
		count += held->is_released;
	if (count == 0)
		return;
	list = arena_alloc(r->arena, count * sizeof(struct guard_held *));
	count = 0;
	for (size_t at = 0; (held = guard_next(r->guard, &at)) != NULL;)
		if (held->is_released)
			list[count++] = held;
	for (size_t i = 0; i < count; i++)
		settle_released(r, list[i]);
}

void claims_judge(struct records *r)
{
	struct guard_held *held;

	for (size_t i = 0; i < r->touch_count; i++) {
		if (i + AHEAD < r->touch_count)
			idmap_prefetch(&r->claims, r->touches[i + AHEAD].hash);
		judge_touch(r, &r->touches[i]);
	}
	settle_losses(r, r->now_ms);
	settle_all_released(r);
	/* Who forgets all names must hear of the held ones again. */
	for (size_t at = 0; r->is_everything && (held = guard_next(r->guard, &at)) != NULL;)
		emit(r, held->endpoint->owner, NULL, held->endpoint);
}
