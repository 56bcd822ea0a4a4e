/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rulebook.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dnsd/rulebook_inside.h"

/* A tag is a number and, above it, which rules these are. */
enum { NUMBER_BITS = 32 };

struct rulebook *rulebook_new(void)
{
	struct rulebook *b = xcalloc(1, sizeof *b);

	b->tags = 1;
	b->plain = ranking_build(NULL, 0, NULL, 0, NULL);
	return b;
}

static void drop_ranking(struct rulebook_entry *e)
{
	ranking_free(e->ranking);
	e->ranking = NULL;
}

static void drop_wanted(struct rulebook_entry *e)
{
	rulebook_policy_free(e->wanted);
	e->wanted = NULL;
	e->is_refused = false;
}

static void drop(struct rulebook_entry *e)
{
	drop_wanted(e);
	rulebook_policy_free(e->in_force);
	drop_ranking(e);
	*e = (struct rulebook_entry){0};
}

void rulebook_free(struct rulebook *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->count; i++)
		drop(&b->entry[i]);
	free(b->entry);
	ranking_free(b->plain);
	free(b);
}

/* --- what is wanted --- */

static bool same_key(const struct rulebook_policy *a, const struct rulebook_policy *b)
{
	return a->has_rules == b->has_rules && a->key.len == b->key.len &&
	       memcmp(a->key.data, b->key.data, a->key.len) == 0;
}

static bool same_name(const struct rulebook_policy *a, const struct records_policy *b)
{
	return bytes_equal_text(b->namespace, a->namespace) && bytes_equal_text(b->name, a->name);
}

/* A number is used again for others. */
static bool is_of(const struct rulebook_entry *e, const struct records_policy *p)
{
	const struct rulebook_policy *has = e->wanted != NULL ? e->wanted : e->in_force;

	return has != NULL && p->is != NULL && same_name(has, p);
}

static void put_in_force(struct rulebook_entry *e, struct rulebook_policy *take_policy)
{
	rulebook_policy_free(e->in_force);
	e->in_force = take_policy;
}

/* What needs no other ranking than it has is in force at once. */
static void want(struct rulebook *b, struct rulebook_entry *e, struct rulebook_policy *take_policy)
{
	if (!take_policy->has_rules) {
		drop_wanted(e);
		drop_ranking(e);
		e->tag = 0;
		put_in_force(e, take_policy);
	} else if (e->in_force != NULL && e->ranking != NULL &&
	           same_key(e->in_force, take_policy)) {
		drop_wanted(e);
		e->tag = e->tag_in_force;
		put_in_force(e, take_policy);
	} else {
		if (e->wanted == NULL || !same_key(e->wanted, take_policy))
			e->tag = b->tags++ << NUMBER_BITS | (uint64_t)(e - b->entry);
		drop_wanted(e);
		e->wanted = take_policy;
	}
}

static void make_room(struct rulebook *b, size_t count)
{
	if (count <= b->count)
		return;
	b->entry = xreallocarray(b->entry, count, sizeof *b->entry);
	memset(b->entry + b->count, 0, (count - b->count) * sizeof *b->entry);
	b->count = count;
}

/* Rules of all that want a ranking, also of those that have one: files change. */
static void ask(struct rulebook *b, struct geo_loader *g, size_t cluster_count)
{
	struct geo_loader_rules *list = xcalloc(b->count + 1, sizeof *list);
	size_t count = 0;

	for (size_t i = 0; i < b->count; i++) {
		const struct rulebook_entry *e = &b->entry[i];
		const struct rulebook_policy *p = e->wanted != NULL ? e->wanted : e->in_force;

		if (p != NULL && p->has_rules)
			list[count++] = (struct geo_loader_rules){p->rules, e->tag};
	}
	geo_loader_set_rules(g, list, count, cluster_count);
	free(list);
}

void rulebook_set(struct rulebook *b, const struct records_result *r, const struct config *c,
                  struct geo_loader *g)
{
	const struct rulebook_defaults defaults = rulebook_defaults_of(c);

	make_room(b, r->policy_count);
	for (size_t i = 0; i < b->count; i++) {
		struct rulebook_entry *e = &b->entry[i];

		if (i >= r->policy_count || !is_of(e, &r->policies[i]))
			drop(e);
		if (i > 0 && i < r->policy_count && r->policies[i].is != NULL)
			want(b, e,
			     rulebook_compile(&r->policies[i], r->clusters, r->cluster_count,
			                      &defaults));
	}
	ask(b, g, r->cluster_count);
	b->is_stale = b->is_news = true;
}

/* --- what has come --- */

static void take_ranking(struct rulebook_entry *e, const struct geo_loader_ranked *ranked)
{
	const struct ranking *before = e->ranking;

	if (ranked->ranking == NULL) {
		e->is_refused = e->wanted != NULL;
		return;
	}
	if (e->wanted != NULL) {
		put_in_force(e, e->wanted);
		e->wanted = NULL;
		e->is_refused = false;
	}
	e->tag_in_force = ranked->tag;
	e->ranking = ranking_ref(ranked->ranking);
	ranking_free(before);
}

void rulebook_rank(struct rulebook *b, const struct ranking *plain,
                   const struct geo_loader_ranked *ranked, size_t count, const struct geo_loader *g)
{
	const struct ranking *before = b->plain;

	b->is_whole = geo_loader_is_whole(g);
	b->has_areas = geo_loader_tells_areas(g);
	b->plain = ranking_ref(plain);
	ranking_free(before);
	for (size_t i = 0; i < count; i++) {
		size_t number = (uint32_t)ranked[i].tag;

		/* Others may be asked for by now. */
		if (number < b->count && b->entry[number].tag == ranked[i].tag)
			take_ranking(&b->entry[number], &ranked[i]);
	}
	b->is_stale = b->is_news = true;
}

/* --- what is given --- */

static uint64_t age_of(const struct cluster_state *state, uint64_t at_ms)
{
	if (state->knowledge != KNOWLEDGE_UNSEEN || at_ms <= state->since_ms)
		return 0;
	return at_ms - state->since_ms;
}

/* Clusters that are unseen for longer than the policy says; NULL: it says nothing. */
static const bool *expired_of(struct arena *a, const struct rulebook_policy *p,
                              const struct records_result *r, uint64_t at_ms)
{
	bool *expired;

	if (!p->has_unseen_after)
		return NULL;
	expired = arena_calloc(a, p->policy.cluster_count + 1, sizeof *expired);
	for (size_t i = 0; i < r->cluster_count && p->unseen_after_ms > 0; i++)
		if (r->clusters[i].id < p->policy.cluster_count)
			expired[r->clusters[i].id] =
				age_of(r->clusters[i].state, at_ms) > p->unseen_after_ms;
	return expired;
}

static struct policy entry_of(struct rulebook *b, struct arena *a, const struct rulebook_entry *e,
                              const struct records_result *r, uint64_t at_ms)
{
	struct policy p = {.name = ""};

	if (e->in_force != NULL) {
		p = e->in_force->policy;
		p.ranking = e->in_force->has_rules ? e->ranking : b->plain;
		p.expired = expired_of(a, e->in_force, r, at_ms);
		p.must_wait = e->in_force->fences_areas && !(b->is_whole && b->has_areas);
	} else if (e->wanted != NULL && e->wanted->policy.has_fence) {
		p = e->wanted->policy;
		p.ranking = b->plain;
		p.must_wait = true;
	}
	return p;
}

/* Time alone changes it where a policy says how long clusters may go unseen. */
static bool any_ages(const struct rulebook *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->entry[i].in_force != NULL && b->entry[i].in_force->has_unseen_after)
			return true;
	return false;
}

void rulebook_give(struct rulebook *b, struct zones *z, const struct records_result *r,
                   uint64_t at_ms)
{
	struct arena *a;
	struct policy *list;

	if (!b->is_stale && !any_ages(b))
		return;
	a = arena_new();
	list = arena_calloc(a, b->count + 1, sizeof *list);
	for (size_t i = 1; i < b->count; i++)
		list[i] = entry_of(b, a, &b->entry[i], r, at_ms);
	zones_set_policies(z, list, b->count);
	arena_free(a);
	b->is_stale = false;
}

bool rulebook_is_news(struct rulebook *b)
{
	bool is_news = b->is_news;

	b->is_news = false;
	return is_news;
}
