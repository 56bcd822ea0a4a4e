/* geodb.c -- the sources side by side, a tree for each; put together when they are walked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/geodb.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "geo/geodb_source.h"
#include "geo/intern.h"

enum { MAX_PLACES = 1 << 24 };

/* A source, and the places of its entries by their numbers here. */
struct part {
	struct geodb_source *source;
	uint32_t *places;
};

struct geodb {
	struct part *parts; /* the CSV, then the databases */
	size_t count;
	struct intern *places;
};

/* Takes the source when all goes well. */
static enum err add_part(struct geodb *g, struct geodb_source *take_source, struct reason *why)
{
	struct part p = {take_source, xcalloc(take_source->entry_count + 1, sizeof(*p.places))};

	for (size_t i = 0; i < take_source->entry_count; i++) {
		p.places[i] = intern_put(g->places, &take_source->entries[i].place);
		if (p.places[i] >= MAX_PLACES) {
			free(p.places);
			return reason_set(why, ERR_RANGE, "%s: more than %d places",
			                  take_source->path, MAX_PLACES);
		}
	}
	g->parts[g->count++] = p;
	return ERR_OK;
}

/* What was read of this file the last time. */
static struct geodb_source *find_source(const struct geodb *before, const char *path,
                                        bool is_networks)
{
	for (size_t i = 0; before != NULL && i < before->count; i++) {
		struct geodb_source *s = before->parts[i].source;

		if (s->is_networks == is_networks && strcmp(s->path, path) == 0)
			return s;
	}
	return NULL;
}

/* The file as it is, or, when that cannot be read, as it was. */
static enum err find_or_read(const struct geodb *before, const char *path, bool is_networks,
                             struct geodb_source **out, struct reason *why)
{
	struct geodb_source *old = find_source(before, path, is_networks);
	struct geodb_file_stamp now = geodb_file_stamp(path);
	enum err err = ERR_OK;

	if (old == NULL || !geodb_file_same(&old->stamp, &now))
		err = geodb_source_read(path, is_networks, out, why);
	else
		*out = geodb_source_ref(old);
	if (err != ERR_OK && old != NULL)
		*out = geodb_source_ref(old);
	return err;
}

/* Adds one file; a failure is told in `lines` and the first one's code stays in *err. */
static void add_file(struct geodb *g, const struct geodb *before, const char *path,
                     bool is_networks, struct text *lines, enum err *err)
{
	struct geodb_source *source = NULL;
	struct reason why = {{0}};
	enum err this = find_or_read(before, path, is_networks, &source, &why), full = ERR_OK;

	if (source != NULL)
		full = add_part(g, source, &why);
	if (full != ERR_OK)
		geodb_source_unref(source);
	if (this == ERR_OK)
		this = full;
	if (this != ERR_OK)
		text_printf(lines, "%s\n", why.text);
	if (*err == ERR_OK)
		*err = this;
}

enum err geodb_open(const char *const *databases, size_t database_count, const char *networks_csv,
                    const struct geodb *before, struct geodb **out, char **errors)
{
	struct geodb *g = xcalloc(1, sizeof(*g));
	struct text lines = {0};
	enum err err = ERR_OK;

	g->parts = xcalloc(database_count + 1, sizeof(*g->parts));
	g->places = intern_new(sizeof(struct place));
	if (networks_csv != NULL)
		add_file(g, before, networks_csv, true, &lines, &err);
	for (size_t i = 0; i < database_count; i++)
		add_file(g, before, databases[i], false, &lines, &err);
	*out = g;
	if (errors != NULL)
		*errors = err != ERR_OK ? text_take(&lines) : NULL;
	text_fini(&lines);
	return err;
}

bool geodb_is_same(const struct geodb *a, const struct geodb *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->parts[i].source != b->parts[i].source)
			return false;
	return true;
}

void geodb_free(struct geodb *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++) {
		geodb_source_unref(g->parts[i].source);
		free(g->parts[i].places);
	}
	free(g->parts);
	intern_free(g->places);
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

static void on_leaf(const struct addr_network *network, size_t tree, uint32_t value, void *arg)
{
	struct walk *w = arg;

	spans_push(&w->spans, network,
	           value == PREFIX_NONE ? value : w->geodb->parts[tree].places[value]);
}

void geodb_each(const struct geodb *g, enum addr_family family, geodb_on_span_fn *on_span,
                void *arg)
{
	struct walk w = {.geodb = g, .on_span = on_span, .arg = arg};
	const struct prefix_tree **trees = xcalloc(g->count + 1, sizeof(struct prefix_tree *));

	w.spans.on_span = on_merged;
	w.spans.arg = &w;
	for (size_t i = 0; i < g->count; i++)
		trees[i] = g->parts[i].source->tree;
	prefix_tree_walk(trees, g->count, family, on_leaf, &w);
	free(trees);
}

const struct place *geodb_place(const struct geodb *g, int32_t index)
{
	CHECK(index >= 0 && (uint32_t)index < intern_count(g->places));
	return (const struct place *)intern_items(g->places) + index;
}

size_t geodb_place_count(const struct geodb *g) { return intern_count(g->places); }

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

struct geodb_match geodb_find(const struct geodb *g, const struct addr *a)
{
	struct addr client = addr_unmapped(a);

	for (size_t i = 0; i < g->count; i++) {
		const struct geodb_source *s = g->parts[i].source;
		struct prefix_match m = prefix_tree_find(s->tree, &client);
		uint8_t len;

		if (m.value == PREFIX_NONE)
			continue;
		len = s->is_networks ? s->entries[m.value].len : m.depth;
		return (struct geodb_match){
			.network = {addr_masked(&client, len), len},
			.place = geodb_place(g, (int32_t)g->parts[i].places[m.value]),
			.database = base_name(s->path),
			.label = (const char *)s->labels.data + s->entries[m.value].label,
		};
	}
	return (struct geodb_match){.label = ""};
}
