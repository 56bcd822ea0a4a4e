/* SPDX-License-Identifier: Apache-2.0 */
#include "records/checks.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/xalloc.h"
#include "records/idmap.h"
#include "records/owner.h"
#include "records/policy_code.h"

/* Uses by index, and which indexes nobody uses; 0 is nobody's. */
struct uses {
	uint32_t *count;
	size_t room, length;
	uint32_t *free_now, *free_next; /* those of this build come after it */
	size_t now_count, next_count;
};

struct checks {
	struct hash_key key;
	struct records_check *checks;
	struct arena **arenas; /* by check: what it points to */
	struct uses check_uses;
	struct idmap by_check;
	struct records_hold_back *sites;
	struct uses site_uses;
	struct idmap by_site;
	bool changed;
};

static void uses_grow(struct uses *u)
{
	u->room = u->room ? u->room * 2 : 8;
	u->count = xreallocarray(u->count, u->room, sizeof(*u->count));
	u->free_now = xreallocarray(u->free_now, u->room, sizeof(*u->free_now));
	u->free_next = xreallocarray(u->free_next, u->room, sizeof(*u->free_next));
}

/* An index with one use. */
static uint32_t uses_new(struct uses *u)
{
	uint32_t index = u->now_count > 0 ? u->free_now[--u->now_count] : (uint32_t)u->length++;

	u->count[index] = 1;
	return index;
}

/* True: that was the last one. */
static bool uses_drop(struct uses *u, uint32_t index)
{
	CHECK(index > 0 && index < u->length && u->count[index] > 0);
	if (--u->count[index] > 0)
		return false;
	u->free_next[u->next_count++] = index;
	return true;
}

static void uses_keep(struct uses *u, uint32_t index)
{
	CHECK(index > 0 && index < u->length && u->count[index] > 0);
	u->count[index]++;
}

static void uses_settle(struct uses *u)
{
	while (u->next_count > 0)
		u->free_now[u->now_count++] = u->free_next[--u->next_count];
}

static void uses_fini(struct uses *u)
{
	free(u->count);
	free(u->free_now);
	free(u->free_next);
}

static void make_room(struct checks *c)
{
	if (c->check_uses.length == c->check_uses.room) {
		uses_grow(&c->check_uses);
		c->checks = xreallocarray(c->checks, c->check_uses.room, sizeof(*c->checks));
		c->arenas = xreallocarray(c->arenas, c->check_uses.room, sizeof(struct arena *));
	}
	if (c->site_uses.length == c->site_uses.room) {
		uses_grow(&c->site_uses);
		c->sites = xreallocarray(c->sites, c->site_uses.room, sizeof(*c->sites));
	}
}

struct checks *checks_new(const struct hash_key *key)
{
	struct checks *c = xcalloc(1, sizeof(*c));

	c->key = *key;
	make_room(c);
	c->checks[0] = (struct records_check){.is = NULL};
	c->arenas[0] = NULL;
	c->sites[0] = (struct records_hold_back){.cluster = 0};
	c->check_uses.length = c->site_uses.length = 1;
	return c;
}

void checks_free(struct checks *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->check_uses.length; i++)
		arena_free(c->arenas[i]);
	for (size_t i = 1; i < c->site_uses.length; i++)
		free((void *)(uintptr_t)c->sites[i].owner.data);
	idmap_fini(&c->by_check);
	idmap_fini(&c->by_site);
	uses_fini(&c->check_uses);
	uses_fini(&c->site_uses);
	free(c->checks);
	free(c->arenas);
	free(c->sites);
	free(c);
}

/* --- ways to probe --- */

static uint32_t hash_bytes(const struct checks *c, struct bytes b)
{
	return (uint32_t)hash_siphash(&c->key, b.data, b.len);
}

static bool has_secrets(const struct policy_check *k)
{
	return k->ca_secret.len > 0 || k->client_secret.len > 0;
}

/* The check and, where it has Secrets, whose they are. */
static void write_key(struct buffer *out, struct bytes namespace, const struct policy_check *k)
{
	buffer_str16(out, has_secrets(k) ? namespace : (struct bytes){NULL, 0});
	policy_code_write_check(out, k);
}

static uint32_t find_check(const struct checks *c, struct bytes key)
{
	struct idmap_walk walk = idmap_find(&c->by_check, hash_bytes(c, key));
	const uint32_t *found;

	while ((found = idmap_next(&c->by_check, &walk)) != NULL)
		if (bytes_equal(c->checks[*found].key, key))
			return *found;
	return 0;
}

static uint32_t add_check(struct checks *c, const struct buffer *key)
{
	struct arena *a = arena_new();
	struct bytes kept = {arena_memdup(a, key->data, key->len), key->len};
	struct cursor cursor = cursor_over(kept.data, kept.len);
	struct policy_check *is = arena_alloc(a, sizeof(*is));
	struct bytes namespace = cursor_str16(&cursor);
	uint32_t index;

	CHECK(policy_code_read_check(&cursor, a, is));
	make_room(c);
	index = uses_new(&c->check_uses);
	c->arenas[index] = a;
	c->checks[index] = (struct records_check){is, namespace, kept};
	idmap_put(&c->by_check, hash_bytes(c, kept), index);
	c->changed = true;
	return index;
}

uint32_t checks_take(struct checks *c, struct bytes namespace, const struct policy_check *check)
{
	static const struct policy_check none = {.kind = POLICY_CHECK_NONE};
	struct buffer key = {0}, plain = {0};
	uint32_t index;

	write_key(&key, namespace, check);
	write_key(&plain, namespace, &none);
	if (key.len == plain.len && memcmp(key.data, plain.data, key.len) == 0) {
		index = 0;
	} else {
		index = find_check(c, (struct bytes){key.data, key.len});
		if (index)
			uses_keep(&c->check_uses, index);
		else
			index = add_check(c, &key);
	}
	buffer_fini(&plain);
	buffer_fini(&key);
	return index;
}

void checks_keep(struct checks *c, uint32_t index)
{
	if (index > 0)
		uses_keep(&c->check_uses, index);
}

void checks_release(struct checks *c, uint32_t index)
{
	if (index == 0 || !uses_drop(&c->check_uses, index))
		return;
	CHECK(idmap_remove(&c->by_check, hash_bytes(c, c->checks[index].key), index));
	arena_free(c->arenas[index]);
	c->arenas[index] = NULL;
	c->checks[index] = (struct records_check){.is = NULL};
	c->changed = true;
}

/* --- sites --- */

static uint32_t hash_site(const struct checks *c, struct bytes owner, uint16_t cluster,
                          uint32_t policy)
{
	return (uint32_t)hash_mix(hash_mix(owner_hash(&c->key, owner), cluster), policy);
}

uint32_t checks_take_site(struct checks *c, struct bytes owner, uint16_t cluster, uint32_t policy)
{
	uint32_t hash = hash_site(c, owner, cluster, policy);
	struct idmap_walk walk = idmap_find(&c->by_site, hash);
	const uint32_t *found;
	uint32_t index;

	while ((found = idmap_next(&c->by_site, &walk)) != NULL) {
		const struct records_hold_back *have = &c->sites[*found];

		if (have->cluster == cluster && have->policy == policy &&
		    bytes_equal(have->owner, owner)) {
			uses_keep(&c->site_uses, *found);
			return *found;
		}
	}
	make_room(c);
	index = uses_new(&c->site_uses);
	c->sites[index] = (struct records_hold_back){
		{xmemdup(owner.data, owner.len), owner.len}, cluster, policy};
	idmap_put(&c->by_site, hash, index);
	c->changed = true;
	return index;
}

void checks_keep_site(struct checks *c, uint32_t index)
{
	if (index > 0)
		uses_keep(&c->site_uses, index);
}

void checks_release_site(struct checks *c, uint32_t index)
{
	const struct records_hold_back *is = &c->sites[index];

	if (index == 0 || !uses_drop(&c->site_uses, index))
		return;
	CHECK(idmap_remove(&c->by_site, hash_site(c, is->owner, is->cluster, is->policy), index));
	free((void *)(uintptr_t)is->owner.data);
	c->sites[index] = (struct records_hold_back){.cluster = 0};
	c->changed = true;
}

bool checks_result(struct checks *c, struct records_result *out)
{
	bool changed = c->changed;

	uses_settle(&c->check_uses);
	uses_settle(&c->site_uses);
	out->checks = c->checks;
	out->check_count = c->check_uses.length;
	out->holds_back = c->sites;
	out->hold_back_count = c->site_uses.length;
	c->changed = false;
	return changed;
}
