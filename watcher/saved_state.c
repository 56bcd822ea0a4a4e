/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/saved_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "base/xalloc.h"

struct cluster {
	char *name; /* NULL: not asked for yet */
	bool known;
	enum cluster_source source;
};

struct value {
	uint8_t class;
	size_t key_len, value_len;
	uint8_t bytes[]; /* key, then value */
};

struct saved_state {
	struct facts *facts;
	struct cluster *cluster; /* by id */
	size_t cluster_count;
	uint16_t last_applied; /* facts come cluster by cluster */
	struct table *values;
	size_t value_count[UINT8_MAX + 1]; /* by class */
	struct hash_key hash_key;
};

struct saved_state *saved_state_new(struct facts *facts)
{
	struct saved_state *s = xcalloc(1, sizeof(*s));

	s->facts = facts;
	s->values = table_new();
	random_bytes(&s->hash_key, sizeof(s->hash_key));
	return s;
}

void saved_state_free(struct saved_state *s)
{
	struct value *value;

	if (!s)
		return;
	for (size_t i = 0; (value = table_next(s->values, &i)) != NULL;)
		free(value);
	table_free(s->values);
	for (size_t i = 0; i < s->cluster_count; i++)
		free(s->cluster[i].name);
	free(s->cluster);
	free(s);
}

struct facts *saved_state_facts(const struct saved_state *s) { return s->facts; }

/* --- clusters --- */

static struct cluster *cluster_at(struct saved_state *s, uint16_t id)
{
	if (id >= s->cluster_count) {
		size_t count = (size_t)id + 1;

		s->cluster = xreallocarray(s->cluster, count, sizeof(*s->cluster));
		memset(s->cluster + s->cluster_count, 0,
		       (count - s->cluster_count) * sizeof(*s->cluster));
		s->cluster_count = count;
	}
	return &s->cluster[id];
}

struct bytes saved_state_cluster(struct saved_state *s, uint16_t cluster)
{
	struct cluster *c = cluster_at(s, cluster);

	if (!c->name)
		c->name = xstrdup(facts_cluster_name(s->facts, cluster));
	return bytes_of(c->name);
}

bool saved_state_set_known(struct saved_state *s, uint16_t cluster, enum cluster_source source)
{
	struct cluster *c = cluster_at(s, cluster);

	if (c->known && c->source == source)
		return false;
	c->known = true;
	c->source = source;
	return true;
}

void saved_state_set_unknown(struct saved_state *s, uint16_t cluster)
{
	cluster_at(s, cluster)->known = false;
}

bool saved_state_is_known(const struct saved_state *s, uint16_t cluster,
                          enum cluster_source *source)
{
	if (cluster >= s->cluster_count || !s->cluster[cluster].known)
		return false;
	*source = s->cluster[cluster].source;
	return true;
}

/* --- values --- */

struct value_key {
	uint8_t class;
	struct bytes key;
};

static struct bytes key_of(const struct value *v) { return (struct bytes){v->bytes, v->key_len}; }

static struct bytes value_of(const struct value *v)
{
	return (struct bytes){v->bytes + v->key_len, v->value_len};
}

static bool has_key(const void *item, const void *key)
{
	const struct value *v = item;
	const struct value_key *k = key;

	return v->class == k->class && bytes_equal(key_of(v), k->key);
}

static uint64_t hash_value(const struct saved_state *s, const struct value_key *k)
{
	return hash_mix(hash_siphash(&s->hash_key, k->key.data, k->key.len), k->class);
}

static struct value *new_value(uint8_t class, struct bytes key, struct bytes value)
{
	struct value *v = xmalloc(sizeof(*v) + key.len + value.len);

	*v = (struct value){.class = class, .key_len = key.len, .value_len = value.len};
	if (key.len)
		memcpy(v->bytes, key.data, key.len);
	memcpy(v->bytes + key.len, value.data, value.len);
	return v;
}

bool saved_state_put_value(struct saved_state *s, uint8_t class, struct bytes key,
                           struct bytes value)
{
	struct value_key k = {class, key};
	uint64_t hash = hash_value(s, &k);
	const struct value *was = table_find(s->values, hash, has_key, &k);

	if (bytes_equal(was ? value_of(was) : (struct bytes){0}, value))
		return false;
	s->value_count[class] += (value.len > 0) - (size_t)(was != NULL);
	if (value.len)
		free(table_replace(s->values, hash, has_key, &k, new_value(class, key, value)));
	else
		free(table_remove(s->values, hash, has_key, &k));
	return true;
}

size_t saved_state_count_values(const struct saved_state *s, uint8_t class)
{
	return s->value_count[class];
}

bool saved_state_find_value(const struct saved_state *s, uint8_t class, struct bytes key,
                            struct bytes *value)
{
	struct value_key k = {class, key};
	const struct value *v = table_find(s->values, hash_value(s, &k), has_key, &k);

	if (v)
		*value = value_of(v);
	return v != NULL;
}

void saved_state_each_value(const struct saved_state *s, uint8_t class, saved_state_on_value_fn *fn,
                            void *arg)
{
	const struct value *v;

	for (size_t i = 0; (v = table_next(s->values, &i)) != NULL;)
		if (class == 0 || v->class == class)
			fn(v->class, key_of(v), value_of(v), arg);
}

/* --- from records --- */

static void restore_cluster(struct saved_state *s, uint16_t id, enum knowledge knowledge,
                            enum cluster_source source)
{
	struct cluster_state state = {
		.registered = true,
		.source = source,
		.knowledge = knowledge,
		.since_ms = clock_monotonic_ms(),
	};

	if (knowledge == KNOWLEDGE_UNSEEN)
		snprintf(state.error, sizeof(state.error),
		         "not seen since the start; as it was saved");
	facts_set_cluster(s->facts, id, &state);
}

static bool apply_fact(struct saved_state *s, uint16_t id, struct bytes body)
{
	const struct fact *fact = fact_from_bytes(body);

	if (!fact)
		return false;
	/* Older versions kept what the config said. */
	if (fact_created(fact) == FACT_CONFIG_TIME) {
		fact_unref(fact);
		return true;
	}
	/* A cluster whose first list was still under way: what is here is good, what is not
	 * here is not known. */
	if (!facts_cluster(s->facts, id)->registered)
		restore_cluster(s, id, KNOWLEDGE_NEVER, CLUSTER_MANIFESTS);
	facts_put(s->facts, id, fact);
	return true;
}

static void drop_cluster(struct saved_state *s, uint16_t id)
{
	struct cluster_state state = {.registered = false, .since_ms = clock_monotonic_ms()};

	facts_set_cluster(s->facts, id, &state);
	saved_state_set_unknown(s, id);
}

static bool apply_to_cluster(struct saved_state *s, uint16_t id, const struct saved_file_record *r)
{
	switch (r->type) {
	case SAVED_FILE_CLUSTER:
		if (r->kind > CLUSTER_MEMBER)
			return false;
		restore_cluster(s, id, KNOWLEDGE_UNSEEN, (enum cluster_source)r->kind);
		saved_state_set_known(s, id, (enum cluster_source)r->kind);
		return true;
	case SAVED_FILE_CLUSTER_GONE:
		drop_cluster(s, id);
		return true;
	case SAVED_FILE_FACT:
		return apply_fact(s, id, r->body);
	case SAVED_FILE_FACT_GONE:
		if (r->kind == 0 || r->kind >= FACT_KINDS)
			return false;
		facts_remove(s->facts, id, (enum fact_kind)r->kind, r->namespace, r->name);
		return true;
	case SAVED_FILE_VALUE:
		break;
	}
	return false;
}

bool saved_state_apply(struct saved_state *s, const struct saved_file_record *record)
{
	uint16_t id = s->last_applied;

	if (record->type == SAVED_FILE_VALUE) {
		if (record->kind == 0)
			return false;
		saved_state_put_value(s, record->kind, record->name, record->body);
		return true;
	}
	if (!bytes_equal(record->cluster, saved_state_cluster(s, id))) {
		id = facts_cluster_id(s->facts, record->cluster);
		if (id == UINT16_MAX)
			return false;
		s->last_applied = id;
	}
	return apply_to_cluster(s, id, record);
}
