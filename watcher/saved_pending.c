/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/saved_pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "base/xalloc.h"

/* One key.  A fact that is there and a fact that is gone are the same key; a cluster that went and
 * came again within one write is two. */
struct entry {
	struct saved_file_record record; /* of a fact: namespace and name are views into it */
	const struct fact *fact;         /* held; NULL for the others */
	uint8_t copies[];
};

struct saved_pending {
	struct table *entries;
	struct hash_key hash_key;
};

struct saved_pending *saved_pending_new(void)
{
	struct saved_pending *p = xcalloc(1, sizeof(*p));

	p->entries = table_new();
	random_bytes(&p->hash_key, sizeof(p->hash_key));
	return p;
}

static void free_entry(struct entry *e)
{
	if (!e)
		return;
	fact_unref(e->fact);
	free(e);
}

void saved_pending_free(struct saved_pending *p)
{
	struct entry *e;

	if (!p)
		return;
	for (size_t i = 0; (e = table_next(p->entries, &i)) != NULL;)
		free_entry(e);
	table_free(p->entries);
	free(p);
}

static enum saved_file_type key_type(const struct saved_file_record *r)
{
	return r->type == SAVED_FILE_FACT_GONE ? SAVED_FILE_FACT : r->type;
}

/* What a cluster's source is does not make it another cluster. */
static uint8_t key_kind(const struct saved_file_record *r)
{
	return r->type == SAVED_FILE_CLUSTER ? 0 : r->kind;
}

static bool same_key(const void *item, const void *key)
{
	const struct saved_file_record *a = &((const struct entry *)item)->record;
	const struct saved_file_record *b = key;

	return key_type(a) == key_type(b) && key_kind(a) == key_kind(b) &&
	       bytes_equal(a->name, b->name) && bytes_equal(a->namespace, b->namespace) &&
	       bytes_equal(a->cluster, b->cluster);
}

static uint64_t hash_key(const struct saved_pending *p, const struct saved_file_record *r)
{
	uint64_t hash = hash_siphash(&p->hash_key, r->name.data, r->name.len);

	hash = hash_mix(hash, hash_siphash(&p->hash_key, r->namespace.data, r->namespace.len));
	hash = hash_mix(hash, hash_siphash(&p->hash_key, r->cluster.data, r->cluster.len));
	return hash_mix(hash, (uint64_t)key_type(r) << 8 | key_kind(r));
}

static void put_entry(struct saved_pending *p, struct entry *e)
{
	free_entry(table_replace(p->entries, hash_key(p, &e->record), same_key, &e->record, e));
}

static struct bytes copy_to(uint8_t **at, struct bytes b)
{
	struct bytes copy = {*at, b.len};

	if (b.len)
		memcpy(*at, b.data, b.len);
	*at += b.len;
	return copy;
}

void saved_pending_put(struct saved_pending *p, const struct saved_file_record *record)
{
	struct entry *e =
		xmalloc(sizeof(*e) + record->namespace.len + record->name.len + record->body.len);
	uint8_t *at = e->copies;

	e->record = *record;
	e->fact = NULL;
	e->record.namespace = copy_to(&at, record->namespace);
	e->record.name = copy_to(&at, record->name);
	e->record.body = copy_to(&at, record->body);
	put_entry(p, e);
}

void saved_pending_put_fact(struct saved_pending *p, struct bytes cluster, const struct fact *fact)
{
	struct entry *e = xmalloc(sizeof(*e));

	e->fact = fact_ref(fact);
	e->record = (struct saved_file_record){
		.type = SAVED_FILE_FACT,
		.kind = (uint8_t)fact_get_kind(fact),
		.cluster = cluster,
		.namespace = fact_namespace(fact),
		.name = fact_name(fact),
		.body = fact_bytes(fact),
	};
	put_entry(p, e);
}

static bool is_of_cluster(const struct entry *e, struct bytes cluster)
{
	return e->record.type != SAVED_FILE_VALUE && bytes_equal(e->record.cluster, cluster);
}

void saved_pending_drop_cluster(struct saved_pending *p, struct bytes cluster)
{
	struct saved_file_record gone = {.type = SAVED_FILE_CLUSTER_GONE, .cluster = cluster};
	struct table *kept = table_new();
	struct entry *e;

	for (size_t i = 0; (e = table_next(p->entries, &i)) != NULL;) {
		if (is_of_cluster(e, cluster))
			free_entry(e);
		else
			table_put(kept, hash_key(p, &e->record), e);
	}
	table_free(p->entries);
	p->entries = kept;
	saved_pending_put(p, &gone);
}

static int rank_of(const struct entry *e)
{
	if (e->record.type == SAVED_FILE_CLUSTER_GONE)
		return 0;
	return e->record.type == SAVED_FILE_CLUSTER ? 1 : 2;
}

size_t saved_pending_print(const struct saved_pending *p, struct saved_file_writer *w)
{
	const struct entry *e;
	size_t skipped = 0;

	for (int rank = 0; rank <= 2; rank++)
		for (size_t i = 0; (e = table_next(p->entries, &i)) != NULL;)
			if (rank_of(e) == rank && !saved_file_add(w, &e->record))
				skipped++;
	return skipped;
}
