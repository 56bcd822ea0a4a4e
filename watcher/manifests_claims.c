/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "watcher/manifests_errors.h"

struct manifests_claims {
	struct store *store;
	uint16_t cluster;
	struct hash_key key;
	struct table *table; /* of struct manifests_object, of one key perhaps several */
	struct manifests_file **in_conflict; /* with an object that another claims too; each once */
	size_t conflict_count, conflict_room;
	bool conflicts_touched; /* since they were last looked over */
};

struct manifests_claims *manifests_claims_new(struct store *store, uint16_t cluster)
{
	struct manifests_claims *c = xcalloc(1, sizeof(*c));

	c->store = store;
	c->cluster = cluster;
	c->table = table_new();
	random_bytes(&c->key, sizeof(c->key));
	return c;
}

void manifests_claims_free(struct manifests_claims *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->conflict_count; i++)
		manifests_file_unref(c->in_conflict[i]);
	free(c->in_conflict);
	table_free(c->table);
	free(c);
}

/* --- the table --- */

static uint64_t hash_of(const struct manifests_claims *c, const struct fact *f)
{
	struct bytes namespace = fact_namespace(f), name = fact_name(f);

	return hash_mix(hash_siphash(&c->key, namespace.data, namespace.len) + fact_get_kind(f),
	                hash_siphash(&c->key, name.data, name.len));
}

static bool same_key(const struct fact *a, const struct fact *b)
{
	return fact_get_kind(a) == fact_get_kind(b) && bytes_equal(fact_name(a), fact_name(b)) &&
	       bytes_equal(fact_namespace(a), fact_namespace(b));
}

/* DIR, path in byte order, place in the file. */
static bool comes_first(const struct manifests_object *a, const struct manifests_object *b)
{
	const struct manifests_file *x = manifests_file_of(a), *y = manifests_file_of(b);
	int order;

	if (x->dir != y->dir)
		return x->dir < y->dir;
	order = strcmp(x->path, y->path);
	return order ? order < 0 : a->index < b->index;
}

static bool is_item(const void *item, const void *wanted) { return item == wanted; }

/* The claims of one key, looked at in a row. */
struct look {
	const struct fact *fact;              /* whose key */
	const struct manifests_object *first; /* the one that counts, or NULL */
	size_t count;
};

/* Never "found", so that the table shows all claims of a key. */
static bool look_at(const void *item, const void *looked)
{
	struct look *look = (struct look *)(uintptr_t)looked;
	const struct manifests_object *object = item;

	if (!same_key(object->fact, look->fact))
		return false;
	if (!look->first || comes_first(object, look->first))
		look->first = object;
	look->count++;
	return false;
}

static struct look look_for(const struct manifests_claims *c, const struct fact *fact)
{
	struct look look = {.fact = fact};

	(void)table_find(c->table, hash_of(c, fact), look_at, &look);
	return look;
}

const struct manifests_object *manifests_claims_find(const struct manifests_claims *c,
                                                     const struct fact *fact)
{
	return look_for(c, fact).first;
}

/* --- conflicts --- */

static void mark_conflict(struct manifests_claims *c, struct manifests_file *file)
{
	if (file->in_conflict)
		return;
	file->in_conflict = true;
	if (c->conflict_count == c->conflict_room) {
		c->conflict_room = c->conflict_room ? c->conflict_room * 2 : 16;
		c->in_conflict = xreallocarray(c->in_conflict, c->conflict_room,
		                               sizeof(struct manifests_file *));
	}
	c->in_conflict[c->conflict_count++] = manifests_file_ref(file);
}

struct marking {
	struct manifests_claims *claims;
	const struct fact *fact;
};

static bool mark_at(const void *item, const void *marked)
{
	const struct marking *m = marked;
	const struct manifests_object *object = item;

	if (same_key(object->fact, m->fact))
		mark_conflict(m->claims, (void *)(uintptr_t)manifests_file_of(object));
	return false;
}

static void mark_all(struct manifests_claims *c, const struct fact *fact)
{
	struct marking m = {c, fact};

	c->conflicts_touched = true;
	(void)table_find(c->table, hash_of(c, fact), mark_at, &m);
}

static void add_conflict(struct manifests_errors *e, const struct manifests_file *file,
                         const struct manifests_object *object,
                         const struct manifests_object *first)
{
	struct bytes namespace = fact_namespace(object->fact), name = fact_name(object->fact);
	struct text t = {0};

	text_printf(&t, "%s %.*s%s%.*s is already in ", fact_kind_text(fact_get_kind(object->fact)),
	            (int)namespace.len, namespace.data, namespace.len > 0 ? "/" : "", (int)name.len,
	            name.data);
	if (manifests_file_of(first) == file)
		text_printf(&t, "line %u", first->line);
	else
		text_add(&t, manifests_file_of(first)->path);
	manifests_errors_add(e, file->path, object->line, t.data);
	text_fini(&t);
}

/* What other files, or earlier objects, have of this one. False: no other claims any object of it. */
static bool describe_conflicts(const struct manifests_claims *c, const struct manifests_file *file,
                               struct manifests_errors *e)
{
	bool shared = false;

	for (size_t i = 0; i < file->count; i++) {
		const struct manifests_object *object = &file->objects[i];
		struct look look = look_for(c, object->fact);

		shared = shared || look.count > 1;
		if (look.first != NULL && look.first != object)
			add_conflict(e, file, object, look.first);
	}
	return shared;
}

/* --- errors --- */

/* Why it is broken; else its conflicts and warnings. */
static void tell_errors(struct manifests_claims *c, struct manifests_file *file)
{
	struct manifests_errors conflicts = {0};
	struct text all = {0};
	char *lines;

	if (file->in_conflict)
		file->in_conflict = describe_conflicts(c, file, &conflicts);
	lines = manifests_errors_take(&conflicts, file->path);
	if (lines)
		text_add(&all, lines);
	if (lines && file->warning)
		text_add(&all, "\n");
	if (file->warning)
		text_add(&all, file->warning);
	store_set_error(c->store, file->path, file->error ? file->error : all.data);
	free(lines);
	text_fini(&all);
}

static void look_over_conflicts(struct manifests_claims *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->conflict_count; i++) {
		struct manifests_file *file = c->in_conflict[i];

		if (c->conflicts_touched && file->in_conflict)
			tell_errors(c, file);
		if (file->in_conflict)
			c->in_conflict[kept++] = file;
		else
			manifests_file_unref(file);
	}
	c->conflict_count = kept;
	c->conflicts_touched = false;
}

static int trouble_by_path(const void *path, const void *trouble)
{
	return strcmp(path, ((const struct manifests_trouble *)trouble)->path);
}

/* The troubles of trees are in order of path. */
static void tell_troubles(struct manifests_claims *c, const struct manifests_tree *before,
                          const struct manifests_tree *now)
{
	size_t count = now ? now->list.trouble_count : 0;

	for (size_t i = 0; before && i < before->list.trouble_count; i++) {
		const char *path = before->list.troubles[i].path;

		if (count == 0 || !bsearch(path, now->list.troubles, count,
		                           sizeof(*now->list.troubles), trouble_by_path))
			store_set_error(c->store, path, NULL);
	}
	for (size_t i = 0; i < count; i++) {
		const struct manifests_trouble *trouble = &now->list.troubles[i];
		struct text message = {0};

		text_printf(&message, "%s: %s", trouble->path, trouble->text);
		store_set_error(c->store, trouble->path, message.data);
		text_fini(&message);
	}
}

/* --- the differences of two trees, file by file --- */

/* Either is NULL where the other tree has no such file. */
typedef void on_pair_fn(struct manifests_claims *c, struct manifests_file *before,
                        struct manifests_file *now);

static int compare_files(const struct manifests_file *a, const struct manifests_file *b)
{
	if (a->dir != b->dir)
		return a->dir < b->dir ? -1 : 1;
	return strcmp(a->path, b->path);
}

static void each_difference(struct manifests_claims *c, const struct manifests_tree *before,
                            const struct manifests_tree *now, on_pair_fn *on_pair)
{
	size_t before_count = before ? before->file_count : 0,
	       now_count = now ? now->file_count : 0;

	for (size_t i = 0, k = 0; i < before_count || k < now_count;) {
		struct manifests_file *b = i < before_count ? before->files[i] : NULL;
		struct manifests_file *n = k < now_count ? now->files[k] : NULL;
		int order = !b ? 1 : !n ? -1 : compare_files(b, n);

		if (b != n)
			on_pair(c, order <= 0 ? b : NULL, order >= 0 ? n : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

static void claim_pair(struct manifests_claims *c, struct manifests_file *before,
                       struct manifests_file *now)
{
	for (size_t i = 0; before && i < before->count; i++)
		(void)table_remove(c->table, hash_of(c, before->objects[i].fact), is_item,
		                   &before->objects[i]);
	for (size_t i = 0; now && i < now->count; i++)
		table_put(c->table, hash_of(c, now->objects[i].fact), &now->objects[i]);
	if (before && before->in_conflict) {
		before->in_conflict = false;
		c->conflicts_touched = true;
	}
}

/* The first claim of a key counts.  True: that was news to the store. */
static bool settle_key(struct manifests_claims *c, const struct fact *fact)
{
	struct look look = look_for(c, fact);

	if (look.count > 1)
		mark_all(c, fact);
	if (look.first)
		return store_put(c->store, c->cluster, fact_ref(look.first->fact));
	if (store_leaves_to_host(c->store, c->cluster, fact_get_kind(fact)))
		return true;
	return store_remove(c->store, c->cluster, fact_get_kind(fact), fact_namespace(fact),
	                    fact_name(fact));
}

/* Two equal facts take the room of one: the one that is kept in the facts anyway. */
static void share_fact(struct manifests_claims *c, struct manifests_object *object)
{
	const struct fact *mine = object->fact;
	const struct fact *kept = facts_find(store_facts(c->store), c->cluster, fact_get_kind(mine),
	                                     fact_namespace(mine), fact_name(mine));

	if (!kept || kept == mine || !fact_equal(kept, mine))
		return;
	object->fact = fact_ref(kept);
	fact_unref(mine);
}

static void settle_pair(struct manifests_claims *c, struct manifests_file *before,
                        struct manifests_file *now)
{
	for (size_t i = 0; before && i < before->count; i++)
		(void)settle_key(c, before->objects[i].fact);
	for (size_t i = 0; now && i < now->count; i++)
		if (!settle_key(c, now->objects[i].fact))
			share_fact(c, &now->objects[i]);
}

static void tell_pair(struct manifests_claims *c, struct manifests_file *before,
                      struct manifests_file *now)
{
	if (now)
		tell_errors(c, now);
	else
		store_set_error(c->store, before->path, NULL);
}

void manifests_claims_apply(struct manifests_claims *c, const struct manifests_tree *before,
                            const struct manifests_tree *now)
{
	each_difference(c, before, now, claim_pair);
	each_difference(c, before, now, settle_pair);
	each_difference(c, before, now, tell_pair);
	look_over_conflicts(c);
	tell_troubles(c, before, now);
}

/* --- facts that no file claims --- */

static bool is_unclaimed(uint16_t cluster, const struct fact *fact, void *arg)
{
	(void)cluster;
	/* What the configuration says is not a file's to take back. */
	return fact_created(fact) != FACT_CONFIG_TIME && look_for(arg, fact).count == 0;
}

void manifests_claims_sweep(struct manifests_claims *c)
{
	store_remove_each(c->store, c->cluster, 0, is_unclaimed, c);
}
