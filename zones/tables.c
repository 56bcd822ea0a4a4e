/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static const char *copy(struct arena *a, const char *s) { return s ? arena_strdup(a, s) : ""; }

static bool same_text(const char *a, const char *b) { return strcmp(a, b) == 0; }

static const char *const *copy_list(struct arena *a, const char *const *from)
{
	const char **to;
	size_t count = 0;

	while (from && from[count])
		count++;
	to = arena_calloc(a, count + 1, sizeof(*to));
	for (size_t i = 0; i < count; i++)
		to[i] = copy(a, from[i]);
	return to;
}

static bool same_list(const char *const *a, const char *const *b)
{
	for (; *a && *b; a++, b++)
		if (!same_text(*a, *b))
			return false;
	return *a == *b;
}

static int by_name(const void *a, const void *b)
{
	const struct snapshot_cluster *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct clusters *tables_clusters(const struct snapshot_cluster *cluster, size_t count)
{
	struct clusters *t = part_new(sizeof(*t));
	struct arena *a = t->part.arena;

	t->item = arena_calloc(a, count, sizeof(*t->item));
	t->count = count;
	for (size_t i = 0; i < count; i++) {
		struct snapshot_cluster *c = &t->item[i];

		*c = cluster[i];
		c->name = copy(a, c->name);
		c->name_hash = hash_fixed(bytes_of(c->name));
		c->source = copy(a, c->source);
		c->knowledge = copy(a, c->knowledge);
		c->region = copy(a, c->region);
		c->zones = copy_list(a, c->zones);
		c->place_from = copy(a, c->place_from);
		c->error = copy(a, c->error);
		c->shift = c->shift ? arena_memdup(a, c->shift, sizeof(*c->shift)) : NULL;
		if (c->id >= t->ids)
			t->ids = c->id + 1U;
		t->any_troubled |= c->drained || c->expired;
		t->any_shifted |= c->withheld > 0 || c->ttl_most > 0;
		c->unseen = same_text(c->knowledge, "unseen");
		t->any_unseen |= c->unseen;
	}
	if (count)
		qsort(t->item, count, sizeof(*t->item), by_name);
	t->by_id = arena_calloc(a, t->ids, sizeof(*t->by_id));
	for (size_t i = 0; i < count; i++)
		t->by_id[t->item[i].id] = &t->item[i];
	return t;
}

static bool same_place(const struct snapshot_cluster *a, const struct snapshot_cluster *b)
{
	if (a->has_place != b->has_place || !same_text(a->place_from, b->place_from))
		return false;
	return !a->has_place || place_equal(&a->place, &b->place);
}

static bool same_shift(const struct snapshot_cluster *a, const struct snapshot_cluster *b)
{
	const struct snapshot_shift *x = a->shift, *y = b->shift;

	if (a->withheld != b->withheld || a->ttl_most != b->ttl_most || !x != !y)
		return false;
	return !x || (x->from == y->from && x->to == y->to && x->ttl_from == y->ttl_from &&
	              x->start == y->start && x->end == y->end && x->ttl == y->ttl &&
	              same_text(x->curve, y->curve));
}

static bool same_cluster(const struct snapshot_cluster *a, const struct snapshot_cluster *b)
{
	return a->id == b->id && same_text(a->name, b->name) && same_text(a->source, b->source) &&
	       same_text(a->knowledge, b->knowledge) && a->since_ms == b->since_ms &&
	       same_text(a->region, b->region) && same_list(a->zones, b->zones) &&
	       same_place(a, b) && a->drained == b->drained && a->expired == b->expired &&
	       a->up == b->up && same_shift(a, b) && same_text(a->error, b->error);
}

bool tables_same_clusters(const struct clusters *a, const struct clusters *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (!same_cluster(&a->item[i], &b->item[i]))
			return false;
	return a->count == b->count;
}

struct probes *tables_probes(const struct zones_probe *probe, size_t count)
{
	struct probes *t = part_new(sizeof(*t));
	uint64_t *down = arena_calloc(t->part.arena, count / 64 + 1, sizeof(*down));
	uint64_t *at_ms = arena_calloc(t->part.arena, count, sizeof(*at_ms));

	for (size_t i = 0; i < count; i++) {
		down[i / 64] |= (uint64_t)probe[i].down << i % 64;
		at_ms[i] = probe[i].at_ms;
		t->any_down |= probe[i].down;
	}
	t->count = count;
	t->down = down;
	t->at_ms = at_ms;
	return t;
}

bool tables_same_probes(const struct probes *a, const struct probes *b)
{
	return a->count == b->count &&
	       memcmp(a->down, b->down, (a->count / 64 + 1) * sizeof(*a->down)) == 0 &&
	       (a->count == 0 || memcmp(a->at_ms, b->at_ms, a->count * sizeof(*a->at_ms)) == 0);
}

static struct snapshot_policy_report copy_policy_report(struct arena *a,
                                                        const struct snapshot_policy_report *from)
{
	struct snapshot_policy_report p = *from;

	p.namespace = copy(a, p.namespace);
	p.name = copy(a, p.name);
	for (size_t i = 0; i < SNAPSHOT_CONDITIONS; i++) {
		struct snapshot_condition *c = &p.condition[i];

		*c = (struct snapshot_condition){copy(a, c->type), c->is_true, copy(a, c->reason),
		                                 copy(a, c->message)};
	}
	return p;
}

struct votes *tables_votes(const struct snapshot_votes *from)
{
	struct votes *t = part_new(sizeof(*t));
	struct arena *a = t->part.arena;

	t->is = *from;
	for (size_t i = 0; i < SNAPSHOT_REPLICAS; i++)
		t->is.name[i] = copy(a, from->name[i]);
	t->is.vote = arena_memdup(a, from->vote, from->count * sizeof(*from->vote));
	return t;
}

bool tables_same_votes(const struct votes *x, const struct votes *y)
{
	const struct snapshot_votes *a = &x->is, *b = &y->is;

	if (a->voters != b->voters || a->count != b->count)
		return false;
	for (size_t i = 0; i < SNAPSHOT_REPLICAS; i++)
		if (!same_text(a->name[i], b->name[i]))
			return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->vote[i].probe != b->vote[i].probe || a->vote[i].down != b->vote[i].down ||
		    a->vote[i].up != b->vote[i].up)
			return false;
	return true;
}

struct report *tables_report(const struct snapshot_report *from)
{
	struct report *t = part_new(sizeof(*t));
	struct arena *a = t->part.arena;
	struct snapshot_problem *problem = arena_calloc(a, from->problem_count, sizeof(*problem));
	struct snapshot_conflict *conflict =
		arena_calloc(a, from->conflict_count, sizeof(*conflict));
	struct snapshot_hold *hold = arena_calloc(a, from->hold_count, sizeof(*hold));
	struct snapshot_zone_file *file = arena_calloc(a, from->file_count, sizeof(*file));
	struct snapshot_policy_report *policy =
		arena_calloc(a, from->policy_count, sizeof(*policy));
	struct snapshot_waiting *waiting = arena_calloc(a, from->waiting_count, sizeof(*waiting));

	for (size_t i = 0; i < from->problem_count; i++)
		problem[i] = (struct snapshot_problem){copy(a, from->problems[i].where),
		                                       copy(a, from->problems[i].message),
		                                       from->problems[i].since};
	for (size_t i = 0; i < from->conflict_count; i++)
		conflict[i] = (struct snapshot_conflict){copy(a, from->conflicts[i].name),
		                                         copy(a, from->conflicts[i].winner),
		                                         copy(a, from->conflicts[i].loser)};
	for (size_t i = 0; i < from->hold_count; i++) {
		hold[i] = from->holds[i];
		hold[i].zone = copy(a, hold[i].zone);
	}
	for (size_t i = 0; i < from->file_count; i++) {
		file[i] = from->files[i];
		file[i].zone = copy(a, file[i].zone);
		file[i].path = copy(a, file[i].path);
		file[i].errors = copy(a, file[i].errors);
	}
	for (size_t i = 0; i < from->policy_count; i++)
		policy[i] = copy_policy_report(a, &from->policies[i]);
	for (size_t i = 0; i < from->waiting_count; i++) {
		waiting[i] = from->waiting[i];
		waiting[i].name = copy(a, waiting[i].name);
		waiting[i].cluster = copy(a, waiting[i].cluster);
		waiting[i].policy = copy(a, waiting[i].policy);
	}
	t->is = *from;
	t->is.waiting = waiting;
	t->is.policies = policy;
	t->is.files = file;
	t->is.problems = problem;
	t->is.conflicts = conflict;
	t->is.holds = hold;
	return t;
}

static bool same_problem(const struct snapshot_problem *a, const struct snapshot_problem *b)
{
	return a->since == b->since && same_text(a->where, b->where) &&
	       same_text(a->message, b->message);
}

static bool same_conflict(const struct snapshot_conflict *a, const struct snapshot_conflict *b)
{
	return same_text(a->name, b->name) && same_text(a->winner, b->winner) &&
	       same_text(a->loser, b->loser);
}

static bool same_hold(const struct snapshot_hold *a, const struct snapshot_hold *b)
{
	return same_text(a->zone, b->zone) && a->names == b->names && a->id == b->id &&
	       a->since == b->since && a->until == b->until;
}

static bool same_file(const struct snapshot_zone_file *a, const struct snapshot_zone_file *b)
{
	return same_text(a->zone, b->zone) && same_text(a->path, b->path) &&
	       a->read_at == b->read_at && a->names == b->names && a->serial == b->serial &&
	       a->readings == b->readings && same_text(a->errors, b->errors);
}

static bool same_policy_report(const struct snapshot_policy_report *a,
                               const struct snapshot_policy_report *b)
{
	for (size_t i = 0; i < SNAPSHOT_CONDITIONS; i++) {
		const struct snapshot_condition *x = &a->condition[i], *y = &b->condition[i];

		if (x->is_true != y->is_true || !same_text(x->type, y->type) ||
		    !same_text(x->reason, y->reason) || !same_text(x->message, y->message))
			return false;
	}
	return a->targets == b->targets && a->names == b->names &&
	       same_text(a->namespace, b->namespace) && same_text(a->name, b->name);
}

static bool same_wait(const struct snapshot_waiting *a, const struct snapshot_waiting *b)
{
	return same_text(a->name, b->name) && same_text(a->cluster, b->cluster) &&
	       a->by_hand == b->by_hand && a->since_ms == b->since_ms && a->needs_ms == b->needs_ms;
}

bool tables_same_report(const struct report *x, const struct report *y)
{
	const struct snapshot_report *a = &x->is, *b = &y->is;

	if (a->problem_count != b->problem_count || a->conflict_count != b->conflict_count ||
	    a->hold_count != b->hold_count || a->file_count != b->file_count ||
	    a->fact_count != b->fact_count || a->policy_count != b->policy_count ||
	    a->waiting_count != b->waiting_count)
		return false;
	for (size_t i = 0; i < a->waiting_count; i++)
		if (!same_wait(&a->waiting[i], &b->waiting[i]))
			return false;
	for (size_t i = 0; i < a->problem_count; i++)
		if (!same_problem(&a->problems[i], &b->problems[i]))
			return false;
	for (size_t i = 0; i < a->conflict_count; i++)
		if (!same_conflict(&a->conflicts[i], &b->conflicts[i]))
			return false;
	for (size_t i = 0; i < a->hold_count; i++)
		if (!same_hold(&a->holds[i], &b->holds[i]))
			return false;
	for (size_t i = 0; i < a->file_count; i++)
		if (!same_file(&a->files[i], &b->files[i]))
			return false;
	for (size_t i = 0; i < a->policy_count; i++)
		if (!same_policy_report(&a->policies[i], &b->policies[i]))
			return false;
	return true;
}

static void free_ranking(struct part *p) { ranking_free(((struct ranked *)p)->ranking); }

struct ranked *tables_ranked(const struct ranking *take_ranking)
{
	struct ranked *t = part_new(sizeof(*t));

	t->ranking = take_ranking ? take_ranking : ranking_build(NULL, 0, NULL, 0, NULL);
	t->part.on_free = free_ranking;
	return t;
}

/* --- policies --- */

static void free_policies(struct part *p)
{
	const struct policies *t = (const struct policies *)p;

	for (size_t i = 0; i < t->count; i++)
		ranking_free(t->item[i].ranking);
}

/* With zeros behind it up to `room` bytes. */
static const void *copy_array(struct arena *a, const void *from, size_t size, size_t room)
{
	return from && size ? memcpy(arena_calloc(a, 1, room), from, size) : NULL;
}

/* The arrays get room for every cluster of the ranking, so that whoever comes from there need not look where they end. */
static struct policy copy_policy(struct arena *a, const struct policy *from)
{
	struct policy p = *from;
	size_t said = p.cluster_count, ids = ranking_id_count(p.ranking);
	size_t count = said > ids ? said : ids;

	p.cluster_count = count;
	p.name = copy(a, p.name);
	p.stages = copy_list(a, p.stages);
	p.weight = copy_array(a, p.weight, said * sizeof(*p.weight), count * sizeof(*p.weight));
	p.unknown_weight = copy_array(a, p.unknown_weight, said * sizeof(*p.unknown_weight),
	                              count * sizeof(*p.unknown_weight));
	p.expired = copy_array(a, p.expired, said * sizeof(*p.expired), count * sizeof(*p.expired));
	ranking_ref(p.ranking);
	return p;
}

struct policies *tables_policies(const struct policy *policy, size_t count)
{
	struct policies *t = part_new(sizeof(*t));

	t->item = arena_calloc(t->part.arena, count, sizeof(*t->item));
	t->count = count;
	t->part.on_free = free_policies;
	for (size_t i = 1; i < count; i++) {
		if (!policy[i].ranking)
			continue;
		t->item[i] = copy_policy(t->part.arena, &policy[i]);
		for (size_t id = 0; t->item[i].expired && id < t->item[i].cluster_count; id++)
			t->any_expired |= t->item[i].expired[id];
	}
	return t;
}

static bool same_array(const void *a, const void *b, size_t size)
{
	if (!a || !b || size == 0)
		return (!a || size == 0) == (!b || size == 0);
	return memcmp(a, b, size) == 0;
}

static bool same_words(const struct policy *a, const struct policy *b)
{
	return a->must_wait == b->must_wait && a->has_fence == b->has_fence && a->all == b->all &&
	       a->is_capacity == b->is_capacity &&
	       a->no_data_when_all_down == b->no_data_when_all_down &&
	       a->resolver_when_unknown == b->resolver_when_unknown &&
	       a->has_failback == b->has_failback && a->bucket_ipv4 == b->bucket_ipv4 &&
	       a->bucket_ipv6 == b->bucket_ipv6 && a->min_ready_percent == b->min_ready_percent &&
	       a->narrowing == b->narrowing && a->max_addresses == b->max_addresses &&
	       a->ttl == b->ttl && a->degraded_ttl == b->degraded_ttl;
}

static bool same_policy(const struct policy *a, const struct policy *b)
{
	size_t count = a->cluster_count;

	if (a->ranking != b->ranking || !a->ranking)
		return a->ranking == b->ranking;
	return same_words(a, b) && same_text(a->name, b->name) && same_list(a->stages, b->stages) &&
	       count == b->cluster_count &&
	       same_array(a->weight, b->weight, count * sizeof(*a->weight)) &&
	       same_array(a->unknown_weight, b->unknown_weight,
	                  count * sizeof(*a->unknown_weight)) &&
	       same_array(a->expired, b->expired, count * sizeof(*a->expired));
}

bool tables_same_policies(const struct policies *a, const struct policies *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (!same_policy(&a->item[i], &b->item[i]))
			return false;
	return a->count == b->count;
}

struct waiting *tables_waiting(const bool *waits, size_t count)
{
	struct waiting *t = part_new(sizeof(*t));

	t->waits = arena_calloc(t->part.arena, count, sizeof(*t->waits));
	t->count = count;
	for (size_t i = 0; i < count; i++) {
		t->waits[i] = waits[i];
		t->any |= waits[i];
	}
	return t;
}

bool tables_same_waiting(const struct waiting *a, const struct waiting *b)
{
	return a->count == b->count && same_array(a->waits, b->waits, a->count);
}

static void free_terms(struct part *p)
{
	const struct carried *c = (const struct carried *)p;

	if (c->terms)
		c->on_free(c->terms);
}

struct carried *tables_carried(const struct terms *take_terms,
                               void (*on_free)(const struct terms *terms))
{
	struct carried *t = part_new(sizeof(*t));

	t->terms = take_terms;
	t->on_free = on_free;
	t->part.on_free = free_terms;
	return t;
}
