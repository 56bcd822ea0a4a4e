/* SPDX-License-Identifier: Apache-2.0 */
#include "records/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "records/idmap.h"

struct cluster {
	char *name;
	struct cluster_state state;
	struct table *by_kind[FACT_KINDS]; /* of const struct fact; NULL before the first */
};

struct facts {
	struct hash_key key;
	struct cluster **clusters;
	size_t cluster_count;
	struct idmap ids; /* by name: id + 1 */
	size_t count;
	bool clusters_changed;
	struct fact_change *log; /* every step since the last take, oldest first */
	size_t log_count, log_room;
	size_t taken; /* how many of the log are lent out */
};

struct key {
	struct bytes namespace, name;
};

static uint32_t hash_name(const struct facts *f, struct bytes name)
{
	return (uint32_t)hash_siphash(&f->key, name.data, name.len);
}

static void add_cluster(struct facts *f, struct bytes name)
{
	struct cluster *c = xcalloc(1, sizeof(*c));

	c->name = text_copy(name);
	f->clusters = xreallocarray(f->clusters, f->cluster_count + 1, sizeof(struct cluster *));
	f->clusters[f->cluster_count++] = c;
	idmap_put(&f->ids, hash_name(f, name), (uint32_t)f->cluster_count);
}

struct facts *facts_new(void)
{
	struct facts *f = xcalloc(1, sizeof(*f));

	random_bytes(&f->key, sizeof(f->key));
	add_cluster(f, bytes_of(""));
	return f;
}

static void unref_log(struct facts *f)
{
	for (size_t i = 0; i < f->log_count; i++) {
		fact_unref(f->log[i].before);
		fact_unref(f->log[i].after);
	}
	f->log_count = f->taken = 0;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	unref_log(f);
	free(f->log);
	for (size_t i = 0; i < f->cluster_count; i++) {
		for (int kind = 0; kind < FACT_KINDS; kind++) {
			struct table *t = f->clusters[i]->by_kind[kind];
			const struct fact *fact;

			for (size_t at = 0; t && (fact = table_next(t, &at)) != NULL;)
				fact_unref(fact);
			table_free(t);
		}
		free(f->clusters[i]->name);
		free(f->clusters[i]);
	}
	free(f->clusters);
	idmap_fini(&f->ids);
	free(f);
}

/* --- clusters --- */

uint16_t facts_find_cluster(const struct facts *f, struct bytes name)
{
	struct idmap_walk walk = idmap_find(&f->ids, hash_name(f, name));
	const uint32_t *found;

	while ((found = idmap_next(&f->ids, &walk)) != NULL)
		if (bytes_equal_text(name, f->clusters[*found - 1]->name))
			return (uint16_t)(*found - 1);
	return UINT16_MAX;
}

uint16_t facts_cluster_id(struct facts *f, struct bytes name)
{
	uint16_t id = facts_find_cluster(f, name);

	if (id != UINT16_MAX || f->cluster_count == FACTS_MAX_CLUSTERS)
		return id;
	add_cluster(f, name);
	return (uint16_t)(f->cluster_count - 1);
}

static struct cluster *get_cluster(const struct facts *f, uint16_t id)
{
	CHECK(id < f->cluster_count);
	return f->clusters[id];
}

const char *facts_cluster_name(const struct facts *f, uint16_t id)
{
	return get_cluster(f, id)->name;
}

uint16_t facts_cluster_count(const struct facts *f) { return (uint16_t)f->cluster_count; }

const struct cluster_state *facts_cluster(const struct facts *f, uint16_t id)
{
	return &get_cluster(f, id)->state;
}

const struct cluster_state *facts_cluster_behind(const struct facts *f, uint16_t id)
{
	const struct cluster_state *own = facts_cluster(f, id);

	return own->registered ? own : facts_cluster(f, FACTS_HOST);
}

static void add_change(struct facts *f, uint16_t cluster, const struct fact *before,
                       const struct fact *after)
{
	CHECK(f->taken == 0);
	if (f->log_count == f->log_room) {
		f->log_room = f->log_room ? f->log_room * 2 : 64;
		f->log = xreallocarray(f->log, f->log_room, sizeof(*f->log));
	}
	f->log[f->log_count++] = (struct fact_change){cluster, before, after};
}

static void remove_all(struct facts *f, uint16_t id)
{
	struct cluster *c = f->clusters[id];

	for (int kind = 0; kind < FACT_KINDS; kind++) {
		const struct fact *fact;

		if (!c->by_kind[kind])
			continue;
		for (size_t at = 0; (fact = table_next(c->by_kind[kind], &at)) != NULL;) {
			add_change(f, id, fact, NULL);
			f->count--;
		}
		table_free(c->by_kind[kind]);
		c->by_kind[kind] = NULL;
	}
}

void facts_set_cluster(struct facts *f, uint16_t id, const struct cluster_state *state)
{
	struct cluster_state *have = &get_cluster(f, id)->state;

	if (have->registered != state->registered || have->source != state->source ||
	    have->knowledge != state->knowledge)
		f->clusters_changed = true;
	*have = *state;
	if (!state->registered)
		remove_all(f, id);
}

/* --- facts --- */

static uint64_t hash_of(const struct facts *f, struct bytes namespace, struct bytes name)
{
	return hash_siphash_pair(&f->key, namespace, name);
}

static bool has_key(const void *item, const void *wanted)
{
	const struct key *key = wanted;

	return bytes_equal(fact_name(item), key->name) &&
	       bytes_equal(fact_namespace(item), key->namespace);
}

/* The table holds facts that it never changes. */
static void *as_item(const struct fact *fact) { return (void *)(uintptr_t)fact; }

bool facts_put(struct facts *f, uint16_t cluster, const struct fact *fact)
{
	struct table **t = &get_cluster(f, cluster)->by_kind[fact_get_kind(fact)];
	struct key key = {fact_namespace(fact), fact_name(fact)};
	uint64_t hash = hash_of(f, key.namespace, key.name);
	const struct fact *before;

	if (!*t)
		*t = table_new();
	before = table_find(*t, hash, has_key, &key);
	if (before && fact_equal(before, fact)) {
		fact_unref(fact);
		return false;
	}
	table_replace(*t, hash, has_key, &key, as_item(fact));
	f->count += before == NULL;
	add_change(f, cluster, before, fact_ref(fact));
	return true;
}

bool facts_remove(struct facts *f, uint16_t cluster, enum fact_kind kind, struct bytes namespace,
                  struct bytes name)
{
	struct table *t = get_cluster(f, cluster)->by_kind[kind];
	struct key key = {namespace, name};
	const struct fact *before;

	before = t ? table_remove(t, hash_of(f, namespace, name), has_key, &key) : NULL;
	if (!before)
		return false;
	f->count--;
	add_change(f, cluster, before, NULL);
	return true;
}

const struct fact *facts_find(const struct facts *f, uint16_t cluster, enum fact_kind kind,
                              struct bytes namespace, struct bytes name)
{
	const struct table *t = get_cluster(f, cluster)->by_kind[kind];
	struct key key = {namespace, name};

	return t ? table_find(t, hash_of(f, namespace, name), has_key, &key) : NULL;
}

void facts_each(const struct facts *f, uint16_t cluster, int kind, facts_on_fact_fn *on_fact,
                void *arg)
{
	const struct cluster *c = get_cluster(f, cluster);

	for (int k = 0; k < FACT_KINDS; k++) {
		const struct fact *fact;

		if (!c->by_kind[k] || (kind != 0 && kind != k))
			continue;
		for (size_t at = 0; (fact = table_next(c->by_kind[k], &at)) != NULL;)
			on_fact(cluster, fact, arg);
	}
}

size_t facts_count(const struct facts *f) { return f->count; }

/* --- changes --- */

bool facts_has_changes(const struct facts *f) { return f->log_count > 0 || f->clusters_changed; }

static const struct fact *either(const struct fact_change *c)
{
	return c->after ? c->after : c->before;
}

static bool same_key(const struct fact_change *a, const struct fact_change *b)
{
	const struct fact *x = either(a);
	const struct fact *y = either(b);

	return a->cluster == b->cluster && fact_get_kind(x) == fact_get_kind(y) &&
	       bytes_equal(fact_name(x), fact_name(y)) &&
	       bytes_equal(fact_namespace(x), fact_namespace(y));
}

/* For each step the first step of its key, and for each first step the last one. */
struct steps {
	uint32_t *first, *last;
};

static struct steps group_by_key(const struct facts *f)
{
	size_t room = 16;
	struct steps s;
	uint32_t *slots;

	while (room < f->log_count * 2)
		room *= 2;
	CHECK(f->log_count < UINT32_MAX);
	slots = xcalloc(room, sizeof(*slots));
	s.first = xreallocarray(NULL, f->log_count, sizeof(*s.first));
	s.last = xreallocarray(NULL, f->log_count, sizeof(*s.last));
	for (size_t i = 0; i < f->log_count; i++) {
		const struct fact *fact = either(&f->log[i]);
		uint64_t hash = hash_of(f, fact_namespace(fact), fact_name(fact));
		size_t at = (hash ^ f->log[i].cluster) & (room - 1);

		while (slots[at] && !same_key(&f->log[slots[at] - 1], &f->log[i]))
			at = (at + 1) & (room - 1);
		if (!slots[at])
			slots[at] = (uint32_t)i + 1;
		s.first[i] = slots[at] - 1;
		s.last[s.first[i]] = (uint32_t)i;
	}
	free(slots);
	return s;
}

/* Away and back: whoever still holds `before` may go on, so it returns to its place. */
static void put_back(struct facts *f, const struct fact_change *c)
{
	struct table *t = f->clusters[c->cluster]->by_kind[fact_get_kind(c->before)];
	struct key key = {fact_namespace(c->before), fact_name(c->before)};

	fact_unref(table_replace(t, hash_of(f, key.namespace, key.name), has_key, &key,
	                         as_item(c->before)));
	fact_unref(c->after);
}

/* The steps of one key become one change from the first state to the last, or none. */
static void merge_steps(struct facts *f)
{
	struct steps s = group_by_key(f);
	size_t kept = 0;

	for (size_t i = 0; i < f->log_count; i++) {
		uint32_t last = s.last[s.first[i]];
		struct fact_change whole = {f->log[i].cluster, f->log[i].before,
		                            f->log[last].after};

		if (i != last)
			fact_unref(f->log[i].after);
		if (i != s.first[i])
			fact_unref(f->log[i].before);
		else if (whole.before && whole.after && fact_equal(whole.before, whole.after))
			put_back(f, &whole);
		else if (whole.before || whole.after)
			f->log[kept++] = whole;
	}
	free(s.first);
	free(s.last);
	f->log_count = kept;
}

/* A second step of a key has something before it: where none has, each key is there once. */
static bool is_all_new(const struct facts *f)
{
	for (size_t i = 0; i < f->log_count; i++)
		if (f->log[i].before)
			return f->log_count == 1;
	return true;
}

const struct fact_change *facts_take_changes(struct facts *f, size_t *count, bool *clusters_changed)
{
	if (f->taken == 0 && !is_all_new(f))
		merge_steps(f);
	*count = f->taken = f->log_count;
	*clusters_changed = f->clusters_changed;
	f->clusters_changed = false;
	return f->log;
}

void facts_drop_changes(struct facts *f)
{
	unref_log(f);
	/* The first lists are long, and nothing like them comes again. */
	if (f->log_room > 4096) {
		free(f->log);
		f->log = NULL;
		f->log_room = 0;
	}
}
