/* SPDX-License-Identifier: Apache-2.0 */
#include "records/policy_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "records/idmap.h"
#include "records/names.h"
#include "records/owner.h"

enum { LABELS_MOST = 128 };

/* A target, and who has it. */
struct claim {
	enum policy_target_kind kind;
	struct bytes namespace; /* of an object; else none */
	struct bytes key;       /* the object's name; a name in wire form, lower case */
	uint32_t policy;
	struct bytes of; /* the policy's namespace */
};

struct policy_index {
	struct hash_key key;
	struct arena *arena;
	const struct apexes *apexes;
	struct claim *claims;
	size_t count;
	struct idmap by_target; /* hash_target(): number of the claim + 1 */
	bool has_kind[POLICY_DOMAIN + 1];
	bool has_labels[LABELS_MOST]; /* is there a pattern of so many labels behind its star? */
	bool is_cut;
	struct records_policy_conflict *conflicts;
	size_t conflict_count;
};

static uint32_t hash_target(const struct hash_key *key, enum policy_target_kind kind,
                            struct bytes namespace, struct bytes name)
{
	return (uint32_t)hash_mix(hash_siphash_pair(key, namespace, name), kind);
}

static const struct claim *find(const struct policy_index *x, enum policy_target_kind kind,
                                struct bytes namespace, struct bytes key)
{
	struct idmap_walk walk =
		idmap_find(&x->by_target, hash_target(&x->key, kind, namespace, key));
	const uint32_t *found;

	while ((found = idmap_next(&x->by_target, &walk)) != NULL) {
		const struct claim *c = &x->claims[*found - 1];

		if (c->kind == kind && bytes_equal(c->key, key) &&
		    bytes_equal(c->namespace, namespace))
			return c;
	}
	return NULL;
}

static size_t count_labels(const uint8_t *wire)
{
	size_t count = 0;

	for (; *wire; wire += 1 + *wire)
		count++;
	return count;
}

/* --- making --- */

/* In wire form, lower case; {0}: it is no name. */
static struct bytes wire_of(struct arena *a, struct bytes text)
{
	uint8_t wire[NAMES_WIRE_MAX], lower[NAMES_WIRE_MAX];
	size_t len;

	if (names_from_text(text, wire, &len, NULL))
		return (struct bytes){NULL, 0};
	owner_lower((struct bytes){wire, len}, lower);
	return (struct bytes){arena_memdup(a, lower, len), len};
}

/* A Domain is meant by its name, else by the zone that it stands for. */
static struct bytes apex_of(const struct policy_index *x, struct bytes text)
{
	struct bytes apex = apexes_domain(x->apexes, text), wire;
	size_t count;
	const struct records_zone *zones = apexes_list(x->apexes, &count);

	if (apex.len > 0)
		return apex;
	wire = wire_of(x->arena, text);
	for (size_t i = 0; i < count; i++)
		if (bytes_equal(zones[i].apex, wire))
			return wire;
	return (struct bytes){NULL, 0};
}

static struct claim claim_of(const struct policy_index *x, const struct policy_target *t,
                             const struct records_policy *policy, uint32_t number)
{
	struct claim c = {.kind = t->kind, .policy = number, .of = policy->namespace};

	if (t->kind == POLICY_HOSTNAME)
		c.key = wire_of(x->arena, t->name);
	else if (t->kind == POLICY_PATTERN && t->name.len > 2)
		c.key = wire_of(x->arena, (struct bytes){t->name.data + 2, t->name.len - 2});
	else if (t->kind == POLICY_DOMAIN)
		c.key = apex_of(x, t->name);
	else if (t->kind != POLICY_PATTERN) {
		c.namespace = policy->namespace;
		c.key = (struct bytes){arena_memdup(x->arena, t->name.data, t->name.len),
		                       t->name.len};
	}
	return c;
}

/* The index outlives what a policy says but for its targets. */
static void add_conflict(struct policy_index *x, uint32_t winner, uint32_t loser,
                         const struct policy_target *t)
{
	struct policy_target *copy = arena_memdup(x->arena, t, sizeof(*t));

	copy->name.data = arena_memdup(x->arena, t->name.data, t->name.len);
	x->conflicts[x->conflict_count++] = (struct records_policy_conflict){winner, loser, copy};
}

/* Of several for the same the first one. */
static void add_target(struct policy_index *x, const struct policy_target *t,
                       const struct records_policy *policy, uint32_t number)
{
	struct claim c = claim_of(x, t, policy, number);
	const struct claim *have = c.key.len > 0 ? find(x, c.kind, c.namespace, c.key) : NULL;

	if (c.key.len == 0)
		return;
	if (have) {
		if (have->policy != number)
			add_conflict(x, have->policy, number, t);
		return;
	}
	x->has_kind[c.kind] = true;
	if (c.kind == POLICY_PATTERN)
		x->has_labels[count_labels(c.key.data)] = true;
	x->claims[x->count++] = c;
	idmap_put(&x->by_target, hash_target(&x->key, c.kind, c.namespace, c.key),
	          (uint32_t)x->count);
}

struct ranked {
	const struct records_policy *policy;
	uint32_t number;
};

static int by_rank(const void *a, const void *b)
{
	return policies_compare(((const struct ranked *)a)->policy,
	                        ((const struct ranked *)b)->policy);
}

/* All policies that are there, the first in order first. */
static struct ranked *rank(const struct policies *p, struct arena *a, size_t *count)
{
	struct ranked *list = arena_alloc(a, policies_count(p) * sizeof(*list));

	*count = 0;
	for (uint32_t i = 1; i < policies_count(p); i++)
		if (policies_get(p, i)->is)
			list[(*count)++] = (struct ranked){policies_get(p, i), i};
	qsort(list, *count, sizeof(*list), by_rank);
	return list;
}

static void note_rest(struct notes *notes, const struct records_policy *p)
{
	char where[600];

	snprintf(where, sizeof(where), "TrafficPolicy %.*s/%.*s", (int)p->namespace.len,
	         (const char *)p->namespace.data, (int)p->name.len, (const char *)p->name.data);
	notes_problem(notes, where, "there are over %d targets: its own decide nothing",
	              POLICY_INDEX_TARGETS_MOST);
}

struct policy_index *policy_index_new(const struct hash_key *key, const struct policies *p,
                                      const struct apexes *apexes, struct notes *notes)
{
	struct policy_index *x;
	struct ranked *ranked;
	size_t count, targets = 0, used = 0;

	notes_begin(notes, NOTES_OF_POLICIES, 0);
	if (!policies_any(p))
		return NULL;
	x = xcalloc(1, sizeof(*x));
	*x = (struct policy_index){.key = *key, .arena = arena_new(), .apexes = apexes};
	ranked = rank(p, x->arena, &count);
	while (used < count &&
	       targets + ranked[used].policy->is->target_count <= POLICY_INDEX_TARGETS_MOST)
		targets += ranked[used++].policy->is->target_count;
	x->claims = arena_alloc(x->arena, targets * sizeof(*x->claims));
	x->conflicts = arena_alloc(x->arena, targets * sizeof(*x->conflicts));
	for (size_t i = 0; i < used; i++)
		for (size_t k = 0; k < ranked[i].policy->is->target_count; k++)
			add_target(x, &ranked[i].policy->is->targets[k], ranked[i].policy,
			           ranked[i].number);
	x->is_cut = used < count;
	for (size_t i = used; i < count; i++)
		note_rest(notes, ranked[i].policy);
	return x;
}

void policy_index_free(struct policy_index *x)
{
	if (!x)
		return;
	idmap_fini(&x->by_target);
	arena_free(x->arena);
	free(x);
}

bool policy_index_is_cut(const struct policy_index *x) { return x && x->is_cut; }

/* --- looking --- */

/* The most exact target, and the next one of another namespace. */
struct search {
	const struct policy_index *x;
	const struct policy_subject *subject;
	struct bytes wire; /* in lower case */
	const struct claim *first, *other;
};

static void take(struct search *s, const struct claim *c)
{
	if (!c)
		return;
	if (!s->first)
		s->first = c;
	else if (!s->other && !bytes_equal(c->of, s->first->of))
		s->other = c;
}

static void look_for_object(struct search *s, enum policy_target_kind kind)
{
	if (kind && s->x->has_kind[kind])
		take(s, find(s->x, kind, s->subject->namespace, s->subject->name));
}

static void look_for_name(struct search *s, enum policy_target_kind kind, struct bytes wire)
{
	take(s, find(s->x, kind, (struct bytes){NULL, 0}, wire));
}

/* Those that the name is below, the longest first. */
static void look_for_patterns(struct search *s)
{
	struct bytes wire = s->wire;
	size_t labels = count_labels(wire.data);

	while (labels > 0 && !s->other) {
		wire.len -= 1 + (size_t)wire.data[0];
		wire.data += 1 + wire.data[0];
		labels--;
		if (s->x->has_labels[labels])
			look_for_name(s, POLICY_PATTERN, wire);
	}
}

static void look_for_zone(struct search *s)
{
	int zone = apexes_find(s->x->apexes, s->wire);
	size_t count;

	if (zone >= 0)
		look_for_name(s, POLICY_DOMAIN, apexes_list(s->x->apexes, &count)[zone].apex);
}

uint32_t policy_index_find(const struct policy_index *x, const struct policy_subject *subject,
                           struct bytes owner, uint32_t *passed_over)
{
	uint8_t lower[NAMES_WIRE_MAX];
	struct search s = {.x = x, .subject = subject, .wire = {lower, owner.len}};

	*passed_over = 0;
	if (!x)
		return 0;
	owner_lower(owner, lower);
	if (x->has_kind[POLICY_HOSTNAME])
		look_for_name(&s, POLICY_HOSTNAME, s.wire);
	look_for_object(&s, subject->record);
	look_for_object(&s, subject->app);
	if (x->has_kind[POLICY_PATTERN])
		look_for_patterns(&s);
	if (x->has_kind[POLICY_DOMAIN] && !s.other)
		look_for_zone(&s);
	if (s.other)
		*passed_over = s.other->policy;
	return s.first ? s.first->policy : 0;
}

const struct records_policy_conflict *policy_index_conflicts(const struct policy_index *x,
                                                             size_t *count)
{
	*count = x ? x->conflict_count : 0;
	return x ? x->conflicts : NULL;
}
