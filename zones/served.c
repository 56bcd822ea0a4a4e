/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/apex.h"
#include "zones/compile.h"
#include "zones/hidden.h"
#include "zones/image.h"
#include "zones/layers.h"
#include "zones/serial.h"

static struct slab *slab_of(const struct served *s) { return s->edit.tree->slab; }

static bool same_name(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

struct served *served_new(const struct served_tools *tools, const struct name *apex,
                          uint32_t serial)
{
	struct served *s = xcalloc(1, sizeof(*s));

	s->edit.tree = tools->tree;
	s->edit.apex = *apex;
	s->sources = tools->sources;
	s->problems = tools->problems;
	s->arena = tools->arena;
	s->serial = serial;
	s->stale = true;
	return s;
}

static void nameservers_free(struct served *s, struct served_nameserver *ns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		image_drop(slab_of(s), &ns[i].endpoint);
		buffer_fini(&ns[i].endpoint);
		image_drop(slab_of(s), &ns[i].file);
		buffer_fini(&ns[i].file);
		free(ns[i].wire);
		free(ns[i].addresses);
	}
	free(ns);
}

void served_free(struct served *s)
{
	if (!s)
		return;
	tree_discard(s->edit.tree, &s->edit.root);
	nameservers_free(s, s->nameserver, s->nameserver_count);
	image_drop(slab_of(s), &s->apex_endpoint);
	buffer_fini(&s->apex_endpoint);
	image_drop(slab_of(s), &s->apex_file);
	buffer_fini(&s->apex_file);
	layers_free(s);
	source_unref(slab_of(s), s->file_source);
	free(s->apex);
	free(s);
}

/* --- nameservers --- */

static bool same_addresses(const struct served_nameserver *ns,
                           const struct zones_nameserver *config, bool inside)
{
	size_t count = inside ? config->address_count : 0;

	return ns->address_count == count &&
	       (count == 0 ||
	        memcmp(ns->addresses, config->addresses, count * sizeof(struct addr)) == 0);
}

static bool same_config(const struct served *s, const struct zones_zone *c, served_owns_fn *owns,
                        void *arg)
{
	if (!s->apex || s->ttl != c->ttl || s->negative_ttl != c->negative_ttl ||
	    memcmp(s->apex, c->apex.data, c->apex.len) != 0 ||
	    s->nameserver_count != c->nameserver_count)
		return false;
	for (size_t i = 0; i < c->nameserver_count; i++) {
		const struct served_nameserver *ns = &s->nameserver[i];

		if (memcmp(ns->wire, c->nameservers[i].name.data, ns->name.len) != 0 ||
		    !same_addresses(ns, &c->nameservers[i], owns(s, &ns->name, arg)))
			return false;
	}
	return true;
}

/* The nameserver with addresses of its own that has this name, not the apex; NULL: none. */
static struct served_nameserver *find_builtin(struct served_nameserver *ns, size_t count,
                                              const struct served *s, const struct name *name)
{
	for (size_t i = 0; i < count; i++)
		if (ns[i].address_count && same_name(&ns[i].name, name) &&
		    !same_name(name, &s->edit.apex))
			return &ns[i];
	return NULL;
}

static void tell_shadowed(struct served *s, const struct served_nameserver *ns)
{
	struct text message = {NULL, 0, 0};
	char name[NAMES_TEXT_SIZE];
	const char *where = "";

	if (ns->endpoint.len) {
		text_printf(&message,
		            "%s: the zone's nameserver of this name has addresses of its own; left "
		            "out\n",
		            names_to_text(ns->wire, name));
		where = source_text(slab_base(slab_of(s)), image_source(&ns->endpoint));
	}
	problems_set(s->problems, PROBLEMS_BUILT_IN, &ns->name, where, &message);
	text_fini(&message);
}

static void put_builtin(struct served *s, const struct served_nameserver *ns)
{
	struct buffer image = {NULL, 0, 0};

	arena_reset(s->arena);
	apex_nameserver_image(s, ns, &image);
	edit_put(&s->edit, &ns->name, &image);
	hidden_tell(s, &ns->name);
	buffer_fini(&image);
}

/* Its addresses go; what an endpoint and the file have there shows again. */
static void uncover(struct served *s, struct served_nameserver *ns)
{
	problems_set(s->problems, PROBLEMS_BUILT_IN, &ns->name, NULL, NULL);
	edit_remove(&s->edit, &ns->name);
	if (ns->file.len)
		layers_put_file(s, &ns->name, &ns->file);
	if (ns->endpoint.len)
		layers_put_endpoint(s, &ns->name, &ns->endpoint);
	hidden_tell(s, &ns->name);
	buffer_reset(&ns->file);
	buffer_reset(&ns->endpoint);
}

/* Its addresses come, or change: what an endpoint and the file have is kept aside. */
static void cover(struct served *s, struct served_nameserver *ns, struct served_nameserver *before)
{
	if (before) {
		ns->endpoint = before->endpoint;
		ns->file = before->file;
		before->endpoint = before->file = (struct buffer){NULL, 0, 0};
	} else {
		layers_take(s, &ns->name, &ns->file, &ns->endpoint);
	}
	tell_shadowed(s, ns);
	put_builtin(s, ns);
}

static void nameserver_set(struct served *s, struct served_nameserver *ns,
                           const struct zones_nameserver *config, served_owns_fn *owns, void *arg)
{
	CHECK(name_parse(&ns->name, config->name.data, config->name.len));
	ns->wire = xmemdup(config->name.data, config->name.len);
	if (!owns(s, &ns->name, arg))
		return;
	ns->addresses = xmemdup(config->addresses, config->address_count * sizeof(struct addr));
	ns->address_count = config->address_count;
}

void served_configure(struct served *s, const struct zones_zone *config, served_owns_fn *owns,
                      void *arg)
{
	struct served_nameserver *before = s->nameserver;
	size_t count = s->nameserver_count;

	s->stale |= s->wants_file != config->has_file;
	s->wants_file = config->has_file;
	if (same_config(s, config, owns, arg))
		return;
	free(s->apex);
	s->apex = xmemdup(config->apex.data, config->apex.len);
	s->ttl = config->ttl;
	s->negative_ttl = config->negative_ttl;
	s->stale = true;
	s->nameserver = xcalloc(config->nameserver_count, sizeof(*s->nameserver));
	s->nameserver_count = config->nameserver_count;
	for (size_t i = 0; i < s->nameserver_count; i++)
		nameserver_set(s, &s->nameserver[i], &config->nameservers[i], owns, arg);
	for (size_t i = 0; i < count; i++)
		if (find_builtin(before, i + 1, s, &before[i].name) == &before[i] &&
		    !find_builtin(s->nameserver, s->nameserver_count, s, &before[i].name))
			uncover(s, &before[i]);
	for (size_t i = 0; i < s->nameserver_count; i++)
		if (find_builtin(s->nameserver, i + 1, s, &s->nameserver[i].name) ==
		    &s->nameserver[i])
			cover(s, &s->nameserver[i],
			      find_builtin(before, count, s, &s->nameserver[i].name));
	nameservers_free(s, before, count);
}

/* --- endpoints --- */

/* The nameserver with addresses of its own that has this name; NULL: none, or it is the apex. */
static struct served_nameserver *builtin_of(struct served *s, const struct name *name)
{
	return find_builtin(s->nameserver, s->nameserver_count, s, name);
}

void served_put(struct served *s, const struct name *name, const struct buffer *image)
{
	struct served_nameserver *ns = builtin_of(s, name);

	if (same_name(name, &s->edit.apex)) {
		s->stale |= image_set(slab_of(s), &s->apex_endpoint, image);
	} else if (ns) {
		image_set(slab_of(s), &ns->endpoint, image);
		tell_shadowed(s, ns);
	} else {
		layers_put_endpoint(s, name, image);
		hidden_tell(s, name);
	}
}

void served_remove(struct served *s, const struct name *name)
{
	struct served_nameserver *ns = builtin_of(s, name);

	if (same_name(name, &s->edit.apex)) {
		s->stale |= s->apex_endpoint.len > 0;
		image_drop(slab_of(s), &s->apex_endpoint);
	} else if (ns) {
		image_drop(slab_of(s), &ns->endpoint);
		tell_shadowed(s, ns);
	} else {
		layers_remove_endpoint(s, name);
		hidden_tell(s, name);
	}
}

/* False: the endpoint is nobody's, or hidden. */
static bool copy_endpoint(struct served *s, const struct name *name, struct buffer *image)
{
	if (!same_name(name, &s->edit.apex))
		return !builtin_of(s, name) && layers_endpoint_image(s, name, image);
	if (s->apex_endpoint.len == 0)
		return false;
	buffer_put(image, s->apex_endpoint.data, s->apex_endpoint.len);
	return true;
}

static bool amend(struct draft *d, uint16_t cluster, const struct zones_amendment *change)
{
	for (size_t i = 0; i < d->site_count; i++) {
		if (d->sites[i].cluster != cluster)
			continue;
		compile_past(&change->past, &d->sites[i]);
		if (change->capacity > 0)
			d->sites[i].more.capacity = change->capacity;
		return true;
	}
	return false;
}

void served_amend(struct served *s, const struct name *name, uint16_t cluster,
                  const struct zones_amendment *change)
{
	struct buffer was = {NULL, 0, 0}, is = {NULL, 0, 0};
	struct draft d;

	if (copy_endpoint(s, name, &was)) {
		arena_reset(s->arena);
		d = draft_from_node(s->arena, image_node(&was));
		if (amend(&d, cluster, change)) {
			source_ref(slab_of(s), d.source);
			draft_write(&d, &is);
			served_put(s, name, &is);
		}
	}
	buffer_fini(&was);
	buffer_fini(&is);
}

uint32_t served_source(const struct served *s, const struct name *name)
{
	const struct node *n = edit_find(&s->edit, name);

	return n ? node_source(n) : 0;
}

/* --- the zone file --- */

/* Takes one use of the image's source. */
static void put_of_file(struct served *s, const struct name *name, const struct buffer *image)
{
	struct served_nameserver *ns = builtin_of(s, name);

	if (same_name(name, &s->edit.apex)) {
		s->stale |= image_set(slab_of(s), &s->apex_file, image);
	} else if (ns) {
		image_set(slab_of(s), &ns->file, image);
		put_builtin(s, ns);
	} else {
		layers_put_file(s, name, image);
	}
}

static void remove_of_file(struct served *s, const struct name *name)
{
	struct served_nameserver *ns = builtin_of(s, name);

	if (same_name(name, &s->edit.apex)) {
		s->stale |= s->apex_file.len > 0;
		image_drop(slab_of(s), &s->apex_file);
	} else if (ns) {
		image_drop(slab_of(s), &ns->file);
		put_builtin(s, ns);
	} else {
		layers_remove_file(s, name);
		hidden_forget(s, name);
	}
}

/* Names of the file, in wire form one behind the other. */
struct names {
	const struct served *s;
	const uint64_t *gone; /* hashes, ascending: only these; NULL: all */
	size_t gone_count;
	struct buffer wires;
};

static bool is_wanted(const struct names *n, uint64_t hash)
{
	size_t low = 0, high = n->gone_count;

	while (n->gone && low < high) {
		size_t middle = low + (high - low) / 2;

		if (n->gone[middle] == hash)
			return true;
		if (n->gone[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return !n->gone;
}

static void note_name(const struct name *name, const struct buffer *image, void *arg)
{
	struct names *n = arg;

	(void)image;
	if (is_wanted(n, fold_suffix(name, 0, n->s->edit.tree->key)))
		buffer_put(&n->wires, name->wire, name->len);
}

static void note_node(const struct node *n, void *arg)
{
	struct names *names = arg;
	const uint8_t *wire = node_owner(n);
	struct name name;

	if (node_source(n) == names->s->file_source && !(node_flags(n) & NODE_EMPTY) &&
	    name_parse(&name, wire, name_wire_len(wire)) > 0)
		note_name(&name, NULL, names);
}

static void remove_names(struct served *s, const uint64_t *gone, size_t count)
{
	struct names n = {.s = s, .gone = gone, .gone_count = count};
	struct name name;

	if (!s->file_source)
		return;
	tree_each(slab_base(slab_of(s)), s->edit.root, note_node, &n);
	layers_each(s, note_name, &n);
	for (size_t i = 0; i < s->nameserver_count; i++)
		if (s->nameserver[i].file.len)
			note_name(&s->nameserver[i].name, NULL, &n);
	if (s->apex_file.len)
		note_name(&s->edit.apex, NULL, &n);
	for (size_t at = 0; at < n.wires.len; at += name.len) {
		CHECK(name_parse(&name, n.wires.data + at, n.wires.len - at) > 0);
		remove_of_file(s, &name);
	}
	buffer_fini(&n.wires);
}

static void need_source(struct served *s)
{
	char name[NAMES_TEXT_SIZE], text[NAMES_TEXT_SIZE + 16];

	if (s->file_source)
		return;
	names_to_text(s->edit.apex.wire, name);
	snprintf(text, sizeof(text), "zone file of %.*s", (int)(strlen(name) - (strlen(name) > 1)),
	         name);
	s->file_source = source_take(s->sources, text);
	s->stale = true;
}

void served_set_file(struct served *s, const struct zonefile *file)
{
	struct buffer image = {NULL, 0, 0};
	struct bytes from;
	size_t gone_count;
	const uint64_t *gone;

	s->file = file;
	s->must_tell = true;
	if (!file) {
		remove_names(s, NULL, 0);
		source_unref(slab_of(s), s->file_source);
		s->file_source = 0;
		s->stale = true;
		return;
	}
	need_source(s);
	gone = zonefile_gone(file, &gone_count);
	if (gone_count)
		remove_names(s, gone, gone_count);
	for (size_t at = 0; zonefile_next(file, &at, &from);) {
		struct name name;

		buffer_reset(&image);
		buffer_put(&image, from.data, from.len);
		((struct node *)(void *)image.data)->source =
			source_ref(slab_of(s), s->file_source);
		CHECK(name_parse(&name, node_owner(image_node(&image)), NAME_MAX_LEN) > 0);
		put_of_file(s, &name, &image);
	}
	layers_tell_again(s);
	buffer_fini(&image);
}

static void carry(struct served *s, const struct name *name, const struct buffer *image)
{
	struct buffer copy = {NULL, 0, 0};

	if (image->len == 0)
		return;
	buffer_put(&copy, image->data, image->len);
	((struct node *)(void *)copy.data)->source = source_ref(slab_of(s), s->file_source);
	put_of_file(s, name, &copy);
	buffer_fini(&copy);
}

static void carry_overlap(const struct name *name, const struct buffer *image, void *arg)
{
	carry(arg, name, image);
}

struct carrying {
	struct served *to;
	const struct served *from;
	struct buffer image;
};

static void carry_node(const struct node *n, void *arg)
{
	struct carrying *c = arg;
	const uint8_t *wire = node_owner(n);
	struct name name;

	if (node_source(n) != c->from->file_source || node_flags(n) & NODE_EMPTY)
		return;
	CHECK(name_parse(&name, wire, name_wire_len(wire)) > 0);
	if (same_name(&name, &c->from->edit.apex))
		return;
	edit_image(n, &c->image);
	carry(c->to, &name, &c->image);
}

void served_carry_file(struct served *s, const struct served *from)
{
	struct carrying c = {s, from, {NULL, 0, 0}};

	if (!from->file_source)
		return;
	s->file = from->file;
	s->must_tell = true;
	need_source(s);
	tree_each(slab_base(slab_of(s)), from->edit.root, carry_node, &c);
	layers_each(from, carry_overlap, s);
	for (size_t i = 0; i < from->nameserver_count; i++)
		carry(s, &from->nameserver[i].name, &from->nameserver[i].file);
	carry(s, &s->edit.apex, &from->apex_file);
	buffer_fini(&c.image);
}

/* --- freezing --- */

/* The last field of the SOA. */
static uint32_t minimum_of(const struct rrset *soa)
{
	return bytes_get32(soa->data + soa->bytes - sizeof(uint32_t));
}

static struct zone *zone_new(const struct served *s)
{
	const struct edit *e = &s->edit;
	struct zone *z = xcalloc(1, sizeof(*z));

	z->root = e->root;
	z->base = slab_base(slab_of(s));
	z->key = e->tree->key;
	z->apex = edit_find(e, &e->apex);
	CHECK(z->apex);
	z->soa = node_rrset(z->apex, RR_SOA);
	CHECK(z->soa);
	z->serial = s->serial;
	z->negative_ttl = z->soa->ttl < minimum_of(z->soa) ? z->soa->ttl : minimum_of(z->soa);
	z->incomplete = s->wants_file && !s->file_source;
	z->names = e->names;
	z->apex_labels = e->apex.labels;
	z->apex_hash = fold_suffix(&e->apex, 0, e->tree->key);
	memcpy(z->apex_wire, e->apex.wire, e->apex.len);
	denial_make(z->soa, z->negative_ttl, z->apex_wire, &z->denial);
	return z;
}

void served_raise_serial(struct served *s, uint32_t serial)
{
	if (serial_is_after(s->serial, serial))
		return;
	s->serial = serial;
	s->stale = true;
}

static void settle_marks(struct served *s)
{
	bool must_tell = s->must_tell || s->edit.must_reocclude;

	edit_settle(&s->edit);
	s->must_tell = false;
	if (must_tell)
		hidden_tell_all(s);
}

void served_settle(struct served *s, int64_t unix_s)
{
	struct edit *e = &s->edit;

	if (e->changed || s->stale) {
		struct buffer image = {NULL, 0, 0};

		s->serial = serial_next_of_file(s->serial, s->file ? zonefile_serial(s->file) : 0,
		                                unix_s);
		arena_reset(s->arena);
		apex_image(s, &image);
		edit_put(e, &e->apex, &image);
		buffer_fini(&image);
	}
	settle_marks(s);
	/* What is new since the last zone was frozen is in this. */
	e->touched |= e->changed || s->stale;
	e->changed = s->stale = false;
}

struct zone *served_freeze(struct served *s, int64_t unix_s)
{
	served_settle(s, unix_s);
	if (s->frozen && !s->edit.touched)
		return s->frozen;
	s->edit.touched = false;
	s->frozen = zone_new(s);
	return s->frozen;
}
