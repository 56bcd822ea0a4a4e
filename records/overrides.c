/* SPDX-License-Identifier: Apache-2.0 */
#include "records/overrides.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/table.h"
#include "base/xalloc.h"

struct overrides {
	struct hash_key key;
	struct table *pairs; /* of struct records_policy_override, whose examples are their own */
};

struct overrides *overrides_new(const struct hash_key *key)
{
	struct overrides *o = xcalloc(1, sizeof(*o));

	o->key = *key;
	o->pairs = table_new();
	return o;
}

static bool is_pair(const void *item, const void *key)
{
	const struct records_policy_override *a = item, *b = key;

	return a->winner == b->winner && a->loser == b->loser;
}

static uint64_t hash_of(const struct overrides *o, const struct records_policy_override *pair)
{
	return hash_siphash_two(&o->key, pair->winner, pair->loser);
}

static void drop_example(struct records_policy_override *pair)
{
	free((void *)(uintptr_t)pair->example.data);
	pair->example = (struct bytes){NULL, 0};
}

static void free_all(struct overrides *o)
{
	struct records_policy_override *pair;

	for (size_t i = 0; (pair = table_next(o->pairs, &i)) != NULL;) {
		drop_example(pair);
		free(pair);
	}
	table_free(o->pairs);
}

void overrides_free(struct overrides *o)
{
	if (!o)
		return;
	free_all(o);
	free(o);
}

void overrides_clear(struct overrides *o)
{
	free_all(o);
	o->pairs = table_new();
}

void overrides_add(struct overrides *o, uint32_t winner, uint32_t loser, struct bytes owner)
{
	struct records_policy_override key = {.winner = winner, .loser = loser};
	struct records_policy_override *pair =
		table_find(o->pairs, hash_of(o, &key), is_pair, &key);

	if (!pair) {
		pair = xmemdup(&key, sizeof(key));
		table_put(o->pairs, hash_of(o, &key), pair);
	}
	pair->names++;
	if (!pair->example.data)
		pair->example = (struct bytes){xmemdup(owner.data, owner.len), owner.len};
}

/* Until the next name comes there is no example, when it was this one. */
void overrides_remove(struct overrides *o, uint32_t winner, uint32_t loser, struct bytes owner)
{
	struct records_policy_override key = {.winner = winner, .loser = loser};
	struct records_policy_override *pair =
		table_find(o->pairs, hash_of(o, &key), is_pair, &key);

	CHECK(pair);
	if (bytes_equal(pair->example, owner) || pair->names == 1)
		drop_example(pair);
	if (--pair->names > 0)
		return;
	(void)table_remove(o->pairs, hash_of(o, &key), is_pair, &key);
	free(pair);
}

void overrides_each(const struct overrides *o, records_on_policy_override_fn *fn, void *arg)
{
	const struct records_policy_override *pair;

	for (size_t i = 0; (pair = table_next(o->pairs, &i)) != NULL;)
		fn(pair, arg);
}
