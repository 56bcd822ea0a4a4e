/* SPDX-License-Identifier: Apache-2.0 */
#include "records/policies.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/xalloc.h"
#include "records/idmap.h"
#include "records/overrides.h"
#include "records/policy_code.h"

/* What stands behind a number. */
struct entry {
	const struct fact *fact; /* NULL: the policy is not there */
	struct arena *arena;     /* holds its value */
	uint8_t *key;            /* namespace and name; NULL: the number is free */
	size_t passed_over;      /* names that say so of it */
};

struct policies {
	struct hash_key key;
	struct entry *entries;
	struct records_policy *list; /* what is told of each */
	size_t count, room;
	struct idmap index; /* by hash_name(): numbers */
	struct overrides *overrides;
	uint32_t free_from; /* no number below is free */
	size_t there;       /* how many are there, */
	size_t looking;     /* and look at endpoints */
	bool changed, any_gone;
};

struct policies *policies_new(const struct hash_key *key)
{
	struct policies *p = xcalloc(1, sizeof(*p));

	p->key = *key;
	p->room = 8;
	p->entries = xcalloc(p->room, sizeof(*p->entries));
	p->list = xcalloc(p->room, sizeof(*p->list));
	p->overrides = overrides_new(key);
	p->count = p->free_from = 1; /* 0 is the one of `defaults` */
	return p;
}

static void drop_value(struct policies *p, uint32_t number)
{
	struct entry *e = &p->entries[number];

	arena_free(e->arena);
	fact_unref(e->fact);
	e->arena = NULL;
	e->fact = NULL;
	p->list[number].is = NULL;
}

void policies_free(struct policies *p)
{
	if (!p)
		return;
	for (uint32_t i = 1; i < p->count; i++) {
		drop_value(p, i);
		free(p->entries[i].key);
	}
	idmap_fini(&p->index);
	overrides_free(p->overrides);
	free(p->entries);
	free(p->list);
	free(p);
}

/* --- numbers --- */

static uint32_t hash_name(const struct policies *p, struct bytes namespace, struct bytes name)
{
	return (uint32_t)hash_siphash_pair(&p->key, namespace, name);
}

static uint32_t find(const struct policies *p, struct bytes namespace, struct bytes name)
{
	struct idmap_walk walk = idmap_find(&p->index, hash_name(p, namespace, name));
	const uint32_t *found;

	while ((found = idmap_next(&p->index, &walk)) != NULL)
		if (bytes_equal(p->list[*found].namespace, namespace) &&
		    bytes_equal(p->list[*found].name, name))
			return *found;
	return 0;
}

static uint32_t take_number(struct policies *p)
{
	uint32_t number = p->free_from;

	while (number < p->count && p->entries[number].key)
		number++;
	p->free_from = number + 1;
	if (number < p->count)
		return number;
	if (p->count == p->room) {
		p->room *= 2;
		p->entries = xreallocarray(p->entries, p->room, sizeof(*p->entries));
		p->list = xreallocarray(p->list, p->room, sizeof(*p->list));
	}
	p->entries[p->count] = (struct entry){.fact = NULL};
	return (uint32_t)p->count++;
}

uint32_t policies_reserve(struct policies *p, struct bytes namespace, struct bytes name)
{
	uint32_t number = find(p, namespace, name);
	uint8_t *key;

	if (number)
		return number;
	number = take_number(p);
	key = xmalloc(namespace.len + name.len + 1);
	if (namespace.len > 0)
		memcpy(key, namespace.data, namespace.len);
	if (name.len > 0)
		memcpy(key + namespace.len, name.data, name.len);
	p->entries[number].key = key;
	p->list[number] = (struct records_policy){.namespace = {key, namespace.len},
	                                          .name = {key + namespace.len, name.len}};
	idmap_put(&p->index, hash_name(p, namespace, name), number);
	p->any_gone = true; /* it is not there yet */
	return number;
}

static void give_back(struct policies *p, uint32_t number)
{
	const struct records_policy *is = &p->list[number];

	CHECK(idmap_remove(&p->index, hash_name(p, is->namespace, is->name), number));
	free(p->entries[number].key);
	p->entries[number].key = NULL;
	p->list[number] = (struct records_policy){.is = NULL};
	if (number < p->free_from)
		p->free_from = number;
}

/* --- changes --- */

static bool same_targets(const struct policy_value *a, const struct policy_value *b)
{
	bool same = a->target_count == b->target_count;

	for (size_t i = 0; i < a->target_count && same; i++)
		same = a->targets[i].kind == b->targets[i].kind &&
		       bytes_equal(a->targets[i].name, b->targets[i].name);
	return same;
}

static bool same_check(const struct policy_check *a, const struct policy_check *b)
{
	struct buffer x = {0}, y = {0};
	bool same;

	policy_code_write_check(&x, a);
	policy_code_write_check(&y, b);
	same = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
	buffer_fini(&x);
	buffer_fini(&y);
	return same;
}

/* Do both have the same names, with the same sites? */
static bool decide_alike(const struct policy_value *a, const struct policy_value *b)
{
	return same_targets(a, b) && same_check(&a->check, &b->check) &&
	       a->min_ready_percent == b->min_ready_percent &&
	       (a->failback == POLICY_IMMEDIATE) == (b->failback == POLICY_IMMEDIATE) &&
	       policy_has_stage(a, POLICY_CAPACITY) == policy_has_stage(b, POLICY_CAPACITY);
}

static void put(struct policies *p, uint32_t number, const struct fact *fact)
{
	struct entry *e = &p->entries[number];
	struct fact_value v;

	e->arena = arena_new();
	/* A damaged one, of a state, is none. */
	if (!fact_decode(fact, e->arena, &v)) {
		arena_free(e->arena);
		e->arena = NULL;
		p->any_gone = true;
		return;
	}
	e->fact = fact_ref(fact);
	p->list[number].is = arena_memdup(e->arena, &v.policy, sizeof(v.policy));
	p->list[number].created = v.created;
	p->there++;
	p->looking += policies_look_at_endpoints(&v.policy);
}

bool policies_apply(struct policies *p, const struct fact *before, const struct fact *after)
{
	const struct fact *any = after ? after : before;
	uint32_t number = policies_reserve(p, fact_namespace(any), fact_name(any));
	struct entry was = p->entries[number];
	const struct policy_value *was_value = p->list[number].is, *is_value;
	int64_t was_created = p->list[number].created;
	bool differs;

	p->changed = true;
	p->there -= was_value != NULL;
	p->looking -= was_value && policies_look_at_endpoints(was_value);
	p->entries[number].fact = NULL;
	p->entries[number].arena = NULL;
	p->list[number].is = NULL;
	if (after)
		put(p, number, after);
	else
		p->any_gone = true;
	is_value = p->list[number].is;
	differs = !was_value || !is_value || was_created != p->list[number].created ||
	          !decide_alike(was_value, is_value);
	arena_free(was.arena);
	fact_unref(was.fact);
	return differs && (was_value || is_value);
}

/* --- looking --- */

size_t policies_count(const struct policies *p) { return p->count; }

const struct records_policy *policies_get(const struct policies *p, uint32_t number)
{
	CHECK(number < p->count);
	return &p->list[number];
}

bool policies_any(const struct policies *p) { return p->there > 0; }

bool policies_look_at_endpoints(const struct policy_value *policy)
{
	return policy->min_ready_percent > 0 || policy_has_stage(policy, POLICY_CAPACITY);
}

bool policies_any_looks_at_endpoints(const struct policies *p) { return p->looking > 0; }

int policies_compare(const struct records_policy *a, const struct records_policy *b)
{
	int order = (a->created > b->created) - (a->created < b->created);

	if (order == 0)
		order = bytes_compare(a->namespace, b->namespace);
	return order ? order : bytes_compare(a->name, b->name);
}

/* --- names --- */

void policies_move_name(struct policies *p, uint32_t from, uint32_t to)
{
	if (from == to)
		return;
	CHECK(from < p->count && to < p->count && (from == 0 || p->list[from].names > 0));
	p->list[from].names -= from != 0;
	p->list[to].names += to != 0;
}

void policies_move_passed(struct policies *p, const struct endpoint *from,
                          const struct endpoint *to)
{
	bool was = from && from->passed_over, is = to && to->passed_over;

	if (was && is && from->policy == to->policy && from->passed_over == to->passed_over)
		return;
	if (was) {
		CHECK(from->passed_over < p->count &&
		      p->entries[from->passed_over].passed_over > 0);
		p->entries[from->passed_over].passed_over--;
		overrides_remove(p->overrides, from->policy, from->passed_over, from->owner);
	}
	if (is) {
		CHECK(to->passed_over < p->count);
		p->entries[to->passed_over].passed_over++;
		overrides_add(p->overrides, to->policy, to->passed_over, to->owner);
	}
}

void policies_each_override(const struct policies *p, records_on_policy_override_fn *fn, void *arg)
{
	overrides_each(p->overrides, fn, arg);
}

void policies_count_anew(struct policies *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->list[i].names = p->entries[i].passed_over = 0;
	overrides_clear(p->overrides);
}

void policies_result(struct policies *p, struct records_result *out)
{
	bool left = false;

	for (uint32_t i = 1; p->any_gone && i < p->count; i++) {
		bool is_gone = p->entries[i].key && !p->list[i].is;

		if (is_gone && p->list[i].names == 0 && p->entries[i].passed_over == 0)
			give_back(p, i);
		else
			left |= is_gone;
	}
	p->any_gone = left;
	out->policies = p->list;
	out->policy_count = p->count;
	out->policies_changed = p->changed;
	p->changed = false;
}
