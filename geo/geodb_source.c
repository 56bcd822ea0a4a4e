/* geodb_source.c -- a tree, and an entry for each record of a database or line of a CSV. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/geodb_source.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "geo/geodb_mmdb.h"
#include "geo/networks.h"

#define MAX_NETWORKS_FILE ((size_t)512 << 20)

struct reading {
	struct geodb_source *source;
	size_t entry_room;
	uint32_t country_label[26][26]; /* 0: none yet */
};

/* 0.0 and -0.0 are one place, though not the same bytes. */
static struct place canonical(const struct place *p)
{
	return (struct place){p->latitude + 0.0, p->longitude + 0.0};
}

static uint32_t put_label(struct geodb_source *s, struct bytes label)
{
	size_t at = s->labels.len;

	if (label.len == 0)
		return 0;
	buffer_put(&s->labels, label.data, label.len);
	buffer_u8(&s->labels, 0);
	CHECK(s->labels.len < UINT32_MAX);
	return (uint32_t)at;
}

static uint32_t put_entry(struct reading *r, const struct geodb_entry *e)
{
	struct geodb_source *s = r->source;

	if (s->entry_count == r->entry_room) {
		r->entry_room = r->entry_room * 3 / 2 + 64;
		s->entries = xreallocarray(s->entries, r->entry_room, sizeof(*s->entries));
	}
	s->entries[s->entry_count] = *e;
	CHECK(s->entry_count <= PREFIX_MAX_VALUE);
	return (uint32_t)s->entry_count++;
}

static uint32_t on_record(const struct geodb_record *record, void *arg)
{
	struct reading *r = arg;
	struct geodb_entry e = {
		.place = canonical(&record->place),
		.area = intern_put(r->source->areas, &record->area),
		.accuracy_km = record->accuracy_km,
	};
	const char *country = record->area.country;
	uint32_t *label;

	if (country[0] != '\0') {
		label = &r->country_label[country[0] - 'A'][country[1] - 'A'];
		if (*label == 0)
			*label = put_label(r->source, bytes_of(country));
		e.label = *label;
	}
	return put_entry(r, &e);
}

static enum err read_database(struct reading *r, struct reason *why)
{
	enum err err = geodb_mmdb_read(r->source->path, on_record, r, &r->source->tree, why);

	if (err != ERR_OK)
		reason_prefix(why, "%s: ", r->source->path);
	return err;
}

static void put_networks(struct reading *r, const struct networks *n)
{
	struct geodb_source *s = r->source;

	s->tree = prefix_tree_new();
	for (size_t i = 0; i < n->count; i++) {
		const struct network *from = &n->item[i];
		struct area area;
		struct geodb_entry e = {
			.place = canonical(&from->place),
			.label = put_label(s, from->label),
			.len = from->network.len,
		};

		if (area_of_label(from->label, &area))
			e.area = intern_put(s->areas, &area);
		prefix_tree_put(s->tree, &from->network, put_entry(r, &e));
	}
	prefix_tree_finish(s->tree);
}

static enum err read_networks(struct reading *r, struct reason *why)
{
	const char *path = r->source->path;
	struct networks networks = {0};
	struct buffer text = {0};
	struct reason inner = {{0}};
	enum err err = geodb_file_read(path, MAX_NETWORKS_FILE, &text, &inner);

	if (err != ERR_OK) {
		reason_set(why, err, "%s: %s", path, inner.text);
	} else {
		err = networks_parse((struct bytes){text.data, text.len}, &networks, &inner);
		if (err == ERR_OK)
			put_networks(r, &networks);
		else
			reason_set(why, err, "%s:%s", path, inner.text);
		networks_fini(&networks);
	}
	buffer_fini(&text);
	return err;
}

enum err geodb_source_read(const char *path, bool is_networks, struct geodb_source **out,
                           struct reason *why)
{
	struct geodb_source *s = xcalloc(1, sizeof(*s));
	struct reading r = {.source = s};
	enum err err;

	s->users = 1;
	s->is_networks = is_networks;
	s->path = xstrdup(path);
	/* Before reading: what is written meanwhile is another version. */
	s->stamp = geodb_file_stamp(path);
	buffer_u8(&s->labels, 0);
	s->areas = intern_new(sizeof(struct area));
	(void)intern_put(s->areas, &(struct area){0});
	err = is_networks ? read_networks(&r, why) : read_database(&r, why);
	if (s->entry_count > 0)
		s->entries = xreallocarray(s->entries, s->entry_count, sizeof(*s->entries));
	if (err != ERR_OK) {
		geodb_source_unref(s);
		s = NULL;
	}
	*out = s;
	return err;
}

struct geodb_source *geodb_source_ref(struct geodb_source *s)
{
	s->users++;
	return s;
}

void geodb_source_unref(struct geodb_source *s)
{
	if (s == NULL || --s->users > 0)
		return;
	prefix_tree_free(s->tree);
	free(s->path);
	free(s->entries);
	intern_free(s->areas);
	buffer_fini(&s->labels);
	free(s);
}
