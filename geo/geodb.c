/* geodb.c -- the sources side by side, a tree for each; put together when they are walked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/geodb.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "geo/geodb_file.h"
#include "geo/geodb_mmdb.h"
#include "geo/intern.h"
#include "geo/networks.h"
#include "geo/prefix_tree.h"

enum { MAX_PLACES = 1 << 24 };
#define MAX_NETWORKS_FILE ((size_t)512 << 20)

/* What the trees' leaves stand for. */
struct entry {
	uint32_t place;
	uint32_t label; /* where it begins in the labels */
	uint8_t len;    /* of the CSV's network; of a database the leaf tells */
};

struct geodb {
	struct prefix_tree **trees; /* the CSV's, then the databases' */
	char **names;               /* of the files, for each tree */
	size_t count;
	bool has_networks;
	struct entry *entries;
	size_t entry_count, entry_room;
	struct intern *places;
	struct buffer labels;           /* ending in NUL each; the first is "" */
	uint32_t country_label[26][26]; /* while reading; 0: none yet */
};

/* 0.0 and -0.0 are one place, though not the same bytes. */
static uint32_t put_place(struct geodb *g, const struct place *p)
{
	struct place fresh = {p->latitude + 0.0, p->longitude + 0.0};

	return intern_put(g->places, &fresh);
}

static uint32_t put_label(struct geodb *g, struct bytes label)
{
	size_t at = g->labels.len;

	if (label.len == 0)
		return 0;
	buffer_put(&g->labels, label.data, label.len);
	buffer_u8(&g->labels, 0);
	CHECK(g->labels.len < UINT32_MAX);
	return (uint32_t)at;
}

static uint32_t put_entry(struct geodb *g, const struct entry *e)
{
	if (g->entry_count == g->entry_room) {
		g->entry_room = g->entry_room * 3 / 2 + 64;
		g->entries = xreallocarray(g->entries, g->entry_room, sizeof(*g->entries));
	}
	g->entries[g->entry_count] = *e;
	CHECK(g->entry_count <= PREFIX_MAX_VALUE);
	return (uint32_t)g->entry_count++;
}

static uint32_t on_record(const struct geodb_record *record, void *arg)
{
	struct geodb *g = arg;
	struct entry e = {.place = put_place(g, &record->place)};
	uint32_t *label;

	if (record->country[0] != '\0') {
		label = &g->country_label[record->country[0] - 'A'][record->country[1] - 'A'];
		if (*label == 0)
			*label = put_label(g, bytes_of(record->country));
		e.label = *label;
	}
	return put_entry(g, &e);
}

static struct prefix_tree *tree_of(struct geodb *g, const struct networks *n)
{
	struct prefix_tree *t = prefix_tree_new();

	for (size_t i = 0; i < n->count; i++) {
		const struct network *from = &n->item[i];
		struct entry e = {
			.place = put_place(g, &from->place),
			.label = put_label(g, from->label),
			.len = from->network.len,
		};

		prefix_tree_put(t, &from->network, put_entry(g, &e));
	}
	prefix_tree_finish(t);
	return t;
}

static enum err read_networks(struct geodb *g, const char *path, struct prefix_tree **out,
                              struct reason *why)
{
	struct networks networks = {0};
	struct buffer text = {0};
	struct reason inner = {{0}};
	enum err err = geodb_file_read(path, MAX_NETWORKS_FILE, &text, &inner);

	if (err != ERR_OK) {
		reason_set(why, err, "%s: %s", path, inner.text);
	} else {
		err = networks_parse((struct bytes){text.data, text.len}, &networks, &inner);
		if (err == ERR_OK)
			*out = tree_of(g, &networks);
		else
			reason_set(why, err, "%s:%s", path, inner.text);
		networks_fini(&networks);
	}
	buffer_fini(&text);
	return err;
}

static enum err read_database(struct geodb *g, const char *path, struct prefix_tree **out,
                              struct reason *why)
{
	enum err err = geodb_mmdb_read(path, on_record, g, out, why);

	if (err != ERR_OK)
		reason_prefix(why, "%s: ", path);
	return err;
}

static void add_source(struct geodb *g, const char *path, struct prefix_tree *tree)
{
	const char *slash = strrchr(path, '/');

	g->trees[g->count] = tree;
	g->names[g->count++] = xstrdup(slash != NULL ? slash + 1 : path);
}

/* Reads one file; a failure is told in `lines` and the first one's code stays in *err. */
static void read_source(struct geodb *g, const char *path, bool is_networks, struct text *lines,
                        enum err *err)
{
	struct prefix_tree *tree = NULL;
	struct reason why = {{0}};
	enum err this = is_networks ? read_networks(g, path, &tree, &why)
	                            : read_database(g, path, &tree, &why);

	if (tree != NULL)
		add_source(g, path, tree);
	if (this == ERR_OK && intern_count(g->places) > MAX_PLACES)
		this = reason_set(&why, ERR_RANGE, "%s: more than %d places", path, MAX_PLACES);
	if (this != ERR_OK)
		text_printf(lines, "%s\n", why.text);
	if (*err == ERR_OK)
		*err = this;
}

enum err geodb_open(const char *const *databases, size_t database_count, const char *networks_csv,
                    struct geodb **out, char **errors)
{
	struct geodb *g = xcalloc(1, sizeof(*g));
	struct text lines = {0};
	enum err err = ERR_OK;

	g->trees = xcalloc(database_count + 1, sizeof(*g->trees));
	g->names = xcalloc(database_count + 1, sizeof(*g->names));
	g->places = intern_new(sizeof(struct place));
	g->has_networks = networks_csv != NULL;
	buffer_u8(&g->labels, 0);
	if (networks_csv != NULL)
		read_source(g, networks_csv, true, &lines, &err);
	for (size_t i = 0; i < database_count; i++)
		read_source(g, databases[i], false, &lines, &err);
	if (g->entry_count > 0)
		g->entries = xreallocarray(g->entries, g->entry_count, sizeof(*g->entries));
	if (err != ERR_OK) {
		geodb_free(g);
		g = NULL;
	}
	*out = g;
	if (errors != NULL)
		*errors = err != ERR_OK ? text_take(&lines) : NULL;
	text_fini(&lines);
	return err;
}

void geodb_free(struct geodb *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++) {
		prefix_tree_free(g->trees[i]);
		free(g->names[i]);
	}
	free(g->trees);
	free(g->names);
	free(g->entries);
	intern_free(g->places);
	buffer_fini(&g->labels);
	free(g);
}

struct walk {
	const struct geodb *geodb;
	struct spans spans;
	geodb_on_span_fn *on_span;
	void *arg;
};

static void on_merged(const struct addr_network *network, uint32_t value, void *arg)
{
	const struct walk *w = arg;
	struct geodb_span span = {*network, value == PREFIX_NONE ? -1 : (int32_t)value};

	w->on_span(&span, w->arg);
}

static void on_leaf(const struct addr_network *network, uint32_t value, void *arg)
{
	struct walk *w = arg;

	spans_push(&w->spans, network,
	           value == PREFIX_NONE ? value : w->geodb->entries[value].place);
}

void geodb_each(const struct geodb *g, enum addr_family family, geodb_on_span_fn *on_span,
                void *arg)
{
	struct walk w = {.geodb = g, .on_span = on_span, .arg = arg};

	w.spans.on_span = on_merged;
	w.spans.arg = &w;
	prefix_tree_walk((const struct prefix_tree *const *)g->trees, g->count, family, on_leaf,
	                 &w);
}

const struct place *geodb_place(const struct geodb *g, int32_t index)
{
	CHECK(index >= 0 && (uint32_t)index < intern_count(g->places));
	return (const struct place *)intern_items(g->places) + index;
}

size_t geodb_place_count(const struct geodb *g) { return intern_count(g->places); }

struct geodb_match geodb_find(const struct geodb *g, const struct addr *a)
{
	struct addr client = addr_unmapped(a);

	for (size_t i = 0; i < g->count; i++) {
		struct prefix_match m = prefix_tree_find(g->trees[i], &client);
		const struct entry *e = m.value != PREFIX_NONE ? &g->entries[m.value] : NULL;
		uint8_t len;

		if (e == NULL)
			continue;
		len = i == 0 && g->has_networks ? e->len : m.depth;
		return (struct geodb_match){
			.network = {addr_masked(&client, len), len},
			.place = geodb_place(g, (int32_t)e->place),
			.database = g->names[i],
			.label = (const char *)g->labels.data + e->label,
		};
	}
	return (struct geodb_match){.label = ""};
}
