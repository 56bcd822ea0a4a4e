/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/served.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/apex.h"
#include "zones/serial.h"

static struct slab *slab_of(const struct served *s) { return s->edit.tree->slab; }

static bool same_name(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

static uint32_t image_source(const struct buffer *image)
{
	return image->len ? node_source((const struct node *)(const void *)image->data) : 0;
}

static void image_drop(struct served *s, struct buffer *image)
{
	source_unref(slab_of(s), image_source(image));
	buffer_reset(image);
}

/* Takes one use of the source.  False: it was there already. */
static bool image_set(struct served *s, struct buffer *image, const struct buffer *from)
{
	bool same = image->len == from->len && memcmp(image->data, from->data, from->len) == 0;

	image_drop(s, image);
	buffer_put(image, from->data, from->len);
	return !same;
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
		image_drop(s, &ns[i].endpoint);
		buffer_fini(&ns[i].endpoint);
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
	image_drop(s, &s->apex_endpoint);
	buffer_fini(&s->apex_endpoint);
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
	buffer_fini(&image);
}

/* Its addresses go; what an endpoint has there shows again. */
static void uncover(struct served *s, struct served_nameserver *ns)
{
	problems_set(s->problems, PROBLEMS_BUILT_IN, &ns->name, NULL, NULL);
	if (ns->endpoint.len)
		edit_put(&s->edit, &ns->name, &ns->endpoint);
	else
		edit_remove(&s->edit, &ns->name);
	buffer_reset(&ns->endpoint);
}

/* Its addresses come, or change: the endpoint's node is kept aside. */
static void cover(struct served *s, struct served_nameserver *ns, struct served_nameserver *before)
{
	const struct node *n = before ? NULL : edit_find(&s->edit, &ns->name);

	if (before) {
		ns->endpoint = before->endpoint;
		before->endpoint = (struct buffer){NULL, 0, 0};
	} else if (n && !(node_flags(n) & NODE_EMPTY)) {
		edit_image(n, &ns->endpoint);
		source_ref(slab_of(s), node_source(n));
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

/* Where the endpoint's node of a name is kept aside; NULL: it is in the tree. */
static struct buffer *aside(struct served *s, const struct name *name,
                            struct served_nameserver **ns)
{
	*ns = NULL;
	if (same_name(name, &s->edit.apex))
		return &s->apex_endpoint;
	*ns = find_builtin(s->nameserver, s->nameserver_count, s, name);
	return *ns ? &(*ns)->endpoint : NULL;
}

void served_put(struct served *s, const struct name *name, const struct buffer *image)
{
	struct served_nameserver *ns;
	struct buffer *kept = aside(s, name, &ns);

	if (!kept) {
		edit_put(&s->edit, name, image);
		return;
	}
	if (image_set(s, kept, image) && !ns)
		s->stale = true;
	if (ns)
		tell_shadowed(s, ns);
}

void served_remove(struct served *s, const struct name *name)
{
	struct served_nameserver *ns;
	struct buffer *kept = aside(s, name, &ns);

	if (!kept) {
		edit_remove(&s->edit, name);
		return;
	}
	if (kept->len && !ns)
		s->stale = true;
	image_drop(s, kept);
	if (ns)
		tell_shadowed(s, ns);
}

uint32_t served_source(const struct served *s, const struct name *name)
{
	const struct node *n = edit_find(&s->edit, name);

	return n ? node_source(n) : 0;
}

/* --- freezing --- */

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
	z->serial = s->serial;
	z->negative_ttl = s->ttl < s->negative_ttl ? s->ttl : s->negative_ttl;
	z->names = e->names;
	z->apex_labels = e->apex.labels;
	z->apex_hash = fold_suffix(&e->apex, 0, e->tree->key);
	memcpy(z->apex_wire, e->apex.wire, e->apex.len);
	return z;
}

struct zone *served_freeze(struct served *s, int64_t unix_s)
{
	struct edit *e = &s->edit;

	if (s->frozen && !e->changed && !e->touched && !s->stale)
		return s->frozen;
	if (e->changed || s->stale) {
		struct buffer image = {NULL, 0, 0};

		s->serial = serial_next(s->serial, unix_s);
		arena_reset(s->arena);
		apex_image(s, &image);
		edit_put(e, &e->apex, &image);
		buffer_fini(&image);
	}
	edit_settle(e);
	e->changed = e->touched = s->stale = false;
	s->frozen = zone_new(s);
	return s->frozen;
}
