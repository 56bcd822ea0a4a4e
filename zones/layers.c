/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/table.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/image.h"
#include "zones/rdata.h"

struct overlap {
	struct buffer file, endpoint; /* images */
	uint8_t len;
	uint8_t wire[]; /* lower case */
};

static struct slab *slab_of(const struct served *s) { return s->edit.tree->slab; }

static uint64_t hash_of(const struct served *s, const struct name *name)
{
	return fold_suffix(name, 0, s->edit.tree->key);
}

static bool is_of(const void *item, const void *key)
{
	const struct overlap *o = item;
	const struct name *name = key;

	return o->len == name->len && memcmp(o->wire, name->wire, o->len) == 0;
}

static struct overlap *find(const struct served *s, const struct name *name)
{
	if (!s->overlaps || table_count(s->overlaps) == 0)
		return NULL;
	return table_find(s->overlaps, hash_of(s, name), is_of, name);
}

static struct overlap *overlap_new(struct served *s, const struct name *name)
{
	struct overlap *o = xcalloc(1, sizeof(*o) + name->len);

	o->len = name->len;
	memcpy(o->wire, name->wire, name->len);
	if (!s->overlaps)
		s->overlaps = table_new();
	table_put(s->overlaps, hash_of(s, name), o);
	return o;
}

static void overlap_free(struct served *s, struct overlap *o)
{
	image_drop(slab_of(s), &o->file);
	image_drop(slab_of(s), &o->endpoint);
	buffer_fini(&o->file);
	buffer_fini(&o->endpoint);
	free(o);
}

/* --- both together --- */

struct merging {
	struct served *s;
	const struct draft *file;
	const char *endpoint; /* its source in words */
	struct text told;
	unsigned told_count;
};

static void tell_lost(struct merging *m, uint16_t type)
{
	char name[NAMES_TEXT_SIZE], text[16];

	/* One a type, though each site has lost it. */
	if (m->told_count++ < 100)
		text_printf(&m->told,
		            "%s %s: the zone file has this name's data; what %s has is left out\n",
		            names_to_text(m->file->owner, name), rdata_type_text(type, text),
		            m->endpoint);
}

/* May it stand beside what the file has?  RFC 1034 3.6.2, RFC 6672 2.4. */
static bool is_free(const struct draft *file, uint16_t type)
{
	if (draft_find(&file->fixed, type) || draft_find(&file->fixed, RR_CNAME))
		return false;
	if (type == RR_CNAME)
		return file->fixed.count == 0;
	if (file->flags & NODE_APEX)
		return type != RR_NS && type != RR_SOA;
	return !(type == RR_DNAME && draft_find(&file->fixed, RR_NS)) &&
	       !(type == RR_NS && draft_find(&file->fixed, RR_DNAME));
}

static bool was_told(const uint16_t *types, size_t count, uint16_t type)
{
	for (size_t i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

/* Drops what may not stand; `types`: those told already. */
static void keep_free(struct merging *m, struct draft_rrsets *set, uint16_t *types, size_t *count)
{
	for (size_t i = set->count; i-- > 0;) {
		uint16_t type = set->item[i].type;

		if (is_free(m->file, type))
			continue;
		if (!was_told(types, *count, type) && *count < 100) {
			types[(*count)++] = type;
			tell_lost(m, type);
		}
		draft_drop(set, type);
	}
}

static void add_sets(struct arena *a, struct draft_rrsets *to, const struct draft_rrsets *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct draft_rrset *one = &from->item[i];
		struct draft_rrset *s = draft_rrset(a, to, one->type, one->ttl, one->count);

		memcpy(s->rdata + s->count, one->rdata, one->count * sizeof(*one->rdata));
		s->count += one->count;
	}
}

static void take_sites(struct merging *m, struct draft *to, const struct draft *from)
{
	uint16_t types[100];
	size_t count = 0, left = 0;

	for (size_t i = 0; i < from->site_count; i++) {
		keep_free(m, &from->sites[i].rrsets, types, &count);
		left += from->sites[i].rrsets.count;
	}
	if (left == 0 && count > 0)
		return;
	to->flags |= from->flags & (NODE_SITES | NODE_FAIL_OPEN);
	to->sites = from->sites;
	to->site_count = from->site_count;
	to->policy = from->policy;
	/* A CNAME cannot stand beside the file's data: then all sites count, as for a global name. */
	if (from->fallback.count && to->fixed.count)
		to->flags |= NODE_FAIL_OPEN;
	else
		to->fallback = from->fallback;
}

static void tell(struct merging *m, const struct name *name)
{
	char where[1200];

	if (!m->s->file || !zonefile_find(m->s->file, hash_of(m->s, name), where, sizeof(where)))
		snprintf(where, sizeof(where), "zone file");
	problems_set(m->s->problems, PROBLEMS_FILE, name, where, &m->told);
	text_fini(&m->told);
}

struct draft layers_merge(struct served *s, const struct name *name, const struct buffer *file,
                          const struct buffer *endpoint)
{
	struct draft d = draft_from_node(s->arena, image_node(file));
	struct draft is = d, other = draft_from_node(s->arena, image_node(endpoint));
	struct merging m = {
		.s = s, .file = &is, .endpoint = source_text(slab_base(slab_of(s)), other.source)};
	uint16_t types[100];
	size_t count = 0;

	keep_free(&m, &other.fixed, types, &count);
	add_sets(s->arena, &d.fixed, &other.fixed);
	if (other.flags & NODE_SITES)
		take_sites(&m, &d, &other);
	d.source = other.source;
	draft_sort(&d.fixed);
	tell(&m, name);
	return d;
}

static void show(struct served *s, const struct name *name, const struct overlap *o)
{
	struct buffer image = {NULL, 0, 0};
	struct draft d;

	arena_reset(s->arena);
	d = layers_merge(s, name, &o->file, &o->endpoint);
	source_ref(slab_of(s), d.source);
	draft_write(&d, &image);
	edit_put(&s->edit, name, &image);
	buffer_fini(&image);
}

/* --- one of them --- */

/* NULL: the tree has nothing of this name. */
static const struct node *find_data(const struct served *s, const struct name *name)
{
	const struct node *n = edit_find(&s->edit, name);

	return n && !(node_flags(n) & NODE_EMPTY) ? n : NULL;
}

static bool is_of_file(const struct served *s, const struct node *n)
{
	return s->file_source != 0 && node_source(n) == s->file_source;
}

void layers_put_endpoint(struct served *s, const struct name *name, const struct buffer *image)
{
	struct overlap *o = find(s, name);
	const struct node *n = o || !s->file_source ? NULL : find_data(s, name);

	if (!o && (!n || !is_of_file(s, n))) {
		edit_put(&s->edit, name, image);
		return;
	}
	if (!o) {
		o = overlap_new(s, name);
		image_of_node(slab_of(s), n, &o->file);
	}
	image_set(slab_of(s), &o->endpoint, image);
	show(s, name, o);
}

void layers_put_file(struct served *s, const struct name *name, const struct buffer *image)
{
	struct overlap *o = find(s, name);
	const struct node *n = o ? NULL : find_data(s, name);

	if (!o && (!n || is_of_file(s, n))) {
		edit_put(&s->edit, name, image);
		return;
	}
	if (!o) {
		o = overlap_new(s, name);
		image_of_node(slab_of(s), n, &o->endpoint);
	}
	image_set(slab_of(s), &o->file, image);
	show(s, name, o);
}

/* The other one stands alone from now on. */
static void part(struct served *s, const struct name *name, struct overlap *o,
                 struct buffer *staying)
{
	table_remove(s->overlaps, hash_of(s, name), is_of, name);
	edit_put(&s->edit, name, staying);
	/* Its use of the source is the tree's now. */
	buffer_reset(staying);
	overlap_free(s, o);
	problems_set(s->problems, PROBLEMS_FILE, name, NULL, NULL);
}

void layers_remove_endpoint(struct served *s, const struct name *name)
{
	struct overlap *o = find(s, name);
	const struct node *n = o || !s->file_source ? NULL : find_data(s, name);

	if (o)
		part(s, name, o, &o->file);
	else if (!n || !is_of_file(s, n))
		edit_remove(&s->edit, name);
}

void layers_remove_file(struct served *s, const struct name *name)
{
	struct overlap *o = find(s, name);
	const struct node *n = o ? NULL : find_data(s, name);

	if (o)
		part(s, name, o, &o->endpoint);
	else if (n && is_of_file(s, n))
		edit_remove(&s->edit, name);
}

bool layers_endpoint_image(const struct served *s, const struct name *name, struct buffer *image)
{
	const struct overlap *o = find(s, name);
	const struct node *n = o ? image_node(&o->endpoint) : edit_find(&s->edit, name);

	if (!n || node_flags(n) & NODE_EMPTY || (!o && is_of_file(s, n)))
		return false;
	buffer_reset(image);
	if (o)
		buffer_put(image, o->endpoint.data, o->endpoint.len);
	else
		edit_image(n, image);
	return true;
}

const struct buffer *layers_file_image(const struct served *s, const struct name *name)
{
	const struct overlap *o = find(s, name);

	return o ? &o->file : NULL;
}

/* --- all --- */

void layers_each(const struct served *s, layers_on_name_fn *fn, void *arg)
{
	const struct overlap *o;

	for (size_t at = 0; s->overlaps && (o = table_next(s->overlaps, &at)) != NULL;) {
		struct name name;

		CHECK(name_parse(&name, o->wire, o->len) == o->len);
		fn(&name, &o->file, arg);
	}
}

void layers_tell_again(struct served *s)
{
	const struct overlap *o;

	for (size_t at = 0; s->overlaps && (o = table_next(s->overlaps, &at)) != NULL;) {
		struct name name;

		CHECK(name_parse(&name, o->wire, o->len) == o->len);
		show(s, &name, o);
	}
}

void layers_take(struct served *s, const struct name *name, struct buffer *file,
                 struct buffer *endpoint)
{
	struct overlap *o = find(s, name);
	const struct node *n = find_data(s, name);

	if (o) {
		*file = o->file;
		*endpoint = o->endpoint;
		o->file = o->endpoint = (struct buffer){NULL, 0, 0};
		table_remove(s->overlaps, hash_of(s, name), is_of, name);
		overlap_free(s, o);
		problems_set(s->problems, PROBLEMS_FILE, name, NULL, NULL);
	} else if (n) {
		image_of_node(slab_of(s), n, is_of_file(s, n) ? file : endpoint);
	}
}

void layers_free(struct served *s)
{
	struct overlap *o;

	for (size_t at = 0; s->overlaps && (o = table_next(s->overlaps, &at)) != NULL;)
		overlap_free(s, o);
	table_free(s->overlaps);
	s->overlaps = NULL;
}
