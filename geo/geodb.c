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
#include "geo/prefix_cut.h"

enum { MAX_PLACES = 1 << 24, MAX_AREAS = 1 << 22 };

/* A source, and the places of its entries, and its areas, by their numbers here. */
struct part {
	struct geodb_source *source;
	uint32_t *places, *areas;
};

struct geodb {
	struct part *parts; /* the CSV, then the databases */
	size_t count;
	struct intern *places, *areas;
};

static void part_fini(struct part *p)
{
	free(p->places);
	free(p->areas);
}

/* Gives the source's places and areas their numbers here; false: there are too many. */
static bool number(struct geodb *g, struct part *p)
{
	const struct geodb_source *s = p->source;
	const struct area *areas = intern_items(s->areas);

	for (size_t i = 0; i < s->entry_count; i++)
		p->places[i] = intern_put(g->places, &s->entries[i].place);
	for (size_t i = 0; i < intern_count(s->areas); i++)
		p->areas[i] = intern_put(g->areas, &areas[i]);
	return intern_count(g->places) <= MAX_PLACES && intern_count(g->areas) <= MAX_AREAS;
}

/* Takes the source when all goes well. */
static enum err add_part(struct geodb *g, struct geodb_source *take_source, struct reason *why)
{
	struct part p = {.source = take_source};

	p.places = xcalloc(take_source->entry_count + 1, sizeof(*p.places));
	p.areas = xcalloc(intern_count(take_source->areas), sizeof(*p.areas));
	if (!number(g, &p)) {
		part_fini(&p);
		return reason_set(why, ERR_RANGE, "%s: more than %d places, or %d areas",
		                  take_source->path, MAX_PLACES, MAX_AREAS);
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
	g->areas = intern_new(sizeof(struct area));
	(void)intern_put(g->areas, &(struct area){0});
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

size_t geodb_file_count(const struct geodb *g) { return g->count; }

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
		part_fini(&g->parts[i]);
	}
	free(g->parts);
	intern_free(g->places);
	intern_free(g->areas);
	free(g);
}

/* --- the walk --- */

/* The databases are walked side by side, and what they have is cut by the CSV. */
struct walk {
	const struct part *networks; /* NULL: there is no CSV */
	const struct part *databases;
	struct prefix_cut cut;
	struct geodb_span below; /* what the databases have where the walk is */
	struct spans spans;
	geodb_on_span_fn *on_span;
	void *arg;
};

/* What a span says, as one number, for merging. */
static uint64_t pack(const struct geodb_span *s)
{
	return (uint64_t)(s->place + 1) << 38 | (uint64_t)s->area << 16 | s->accuracy_km;
}

static void on_merged(const struct addr_network *network, uint64_t value, void *arg)
{
	const struct walk *w = arg;
	struct geodb_span span = {*network, (int32_t)(value >> 38) - 1,
	                          (uint32_t)(value >> 16) & (MAX_AREAS - 1), (uint16_t)value};

	w->on_span(&span, w->arg);
}

/* What an entry says; nothing when it is none. */
static struct geodb_span span_of(const struct part *p, uint32_t entry)
{
	const struct geodb_entry *e;

	if (entry == PREFIX_NONE)
		return (struct geodb_span){.place = -1};
	e = &p->source->entries[entry];
	return (struct geodb_span){.place = (int32_t)p->places[entry],
	                           .area = p->areas[e->area],
	                           .accuracy_km = e->accuracy_km};
}

static void on_piece(const struct addr_network *network, uint32_t value, void *arg)
{
	struct walk *w = arg;
	struct geodb_span span = w->below;

	if (value != PREFIX_NONE) {
		span = span_of(w->networks, value);
		if (span.area == 0)
			span.area = w->below.area;
	}
	spans_push(&w->spans, network, pack(&span));
}

static void on_leaf(const struct addr_network *network, size_t tree, uint32_t value, void *arg)
{
	struct walk *w = arg;

	w->below = span_of(&w->databases[tree], value);
	if (w->networks != NULL)
		prefix_cut(&w->cut, network);
	else
		on_piece(network, PREFIX_NONE, w);
}

/* The CSV comes first. */
static bool has_networks(const struct geodb *g)
{
	return g->count > 0 && g->parts[0].source->is_networks;
}

void geodb_each(const struct geodb *g, enum addr_family family, geodb_on_span_fn *on_span,
                void *arg)
{
	size_t from = has_networks(g) ? 1 : 0;
	struct walk w = {.databases = g->parts + from, .on_span = on_span, .arg = arg};
	const struct prefix_tree **trees = xcalloc(g->count + 1, sizeof(struct prefix_tree *));

	w.spans.on_span = on_merged;
	w.spans.arg = w.cut.arg = &w;
	w.cut.on_piece = on_piece;
	if (has_networks(g)) {
		w.networks = &g->parts[0];
		w.cut.tree = g->parts[0].source->tree;
	}
	for (size_t i = from; i < g->count; i++)
		trees[i - from] = g->parts[i].source->tree;
	prefix_tree_walk(trees, g->count - from, family, on_leaf, &w);
	free(trees);
}

const struct place *geodb_place(const struct geodb *g, int32_t index)
{
	CHECK(index >= 0 && (uint32_t)index < intern_count(g->places));
	return (const struct place *)intern_items(g->places) + index;
}

size_t geodb_place_count(const struct geodb *g) { return intern_count(g->places); }

const struct area *geodb_area(const struct geodb *g, uint32_t number)
{
	CHECK(number < intern_count(g->areas));
	return (const struct area *)intern_items(g->areas) + number;
}

size_t geodb_area_count(const struct geodb *g) { return intern_count(g->areas); }

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

struct geodb_match geodb_find(const struct geodb *g, const struct addr *a)
{
	struct geodb_match match = {.label = "", .area = geodb_area(g, 0)};
	struct addr client = addr_unmapped(a);

	for (size_t i = 0; i < g->count && match.area == geodb_area(g, 0); i++) {
		const struct geodb_source *s = g->parts[i].source;
		struct prefix_match m = prefix_tree_find(s->tree, &client);
		struct geodb_span span;
		uint8_t len;

		if (m.value == PREFIX_NONE)
			continue;
		span = span_of(&g->parts[i], m.value);
		match.area = geodb_area(g, span.area);
		if (match.place != NULL)
			break;
		len = s->is_networks ? s->entries[m.value].len : m.depth;
		match.network = (struct addr_network){addr_masked(&client, len), len};
		match.place = geodb_place(g, span.place);
		match.accuracy_km = span.accuracy_km;
		match.database = base_name(s->path);
		match.label = (const char *)s->labels.data + s->entries[m.value].label;
		if (!s->is_networks)
			break;
	}
	return match;
}
