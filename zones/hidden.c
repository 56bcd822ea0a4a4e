/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/hidden.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "records/names.h"
#include "zones/image.h"
#include "zones/layers.h"

static const uint8_t *base_of(const struct served *s) { return slab_base(s->edit.tree->slab); }

static void parse_owner(const struct node *n, struct name *out)
{
	size_t len = name_wire_len(node_owner(n));

	CHECK(name_parse(out, node_owner(n), len) == len);
}

static bool is_barrier(const struct node *n)
{
	return n != NULL && (node_flags(n) & (NODE_CUT | NODE_DNAME)) != 0;
}

/* The uppermost, where every search ends. */
static const struct node *find_barrier(const struct edit *e, const struct name *name)
{
	const struct node *found = NULL;

	for (unsigned label = 1; (unsigned)(name->labels - label) >= e->apex.labels; label++) {
		struct name above;
		const struct node *n;

		CHECK(name_parse(&above, name->wire + name->at[label],
		                 (size_t)name->len - name->at[label]) > 0);
		n = edit_find(e, &above);
		if (is_barrier(n))
			found = n;
		if (above.labels == 0)
			break;
	}
	return found;
}

/* Does the delegation name it, with an address that is the same for all? */
static bool is_glue(const struct node *n, const struct node *cut, const struct name *name)
{
	const struct rrset *ns = node_rrset(cut, RR_NS);
	struct bytes rdata;

	if (ns == NULL || ns->type != RR_NS || (node_flags(n) & NODE_SITES) != 0)
		return false;
	for (size_t at = 0; rrset_next(ns, &at, &rdata);)
		if (names_wire_equal(rdata.data, name->wire))
			return true;
	return false;
}

/* Of a name that both have the node has the endpoint's source. */
static uint32_t barrier_source(const struct served *s, const struct node *barrier)
{
	const struct buffer *file = &s->apex_file;
	struct name name;

	parse_owner(barrier, &name);
	if (name.labels != s->edit.apex.labels)
		file = layers_file_image(s, &name);
	return file != NULL && file->len > 0 && is_barrier(image_node(file)) ? s->file_source
	                                                                     : node_source(barrier);
}

static void tell(struct served *s, const struct name *name, const struct node *n,
                 const struct node *barrier)
{
	bool is_cut = (node_flags(barrier) & NODE_CUT) != 0;
	uint32_t source = barrier_source(s, barrier);
	char text[NAMES_TEXT_SIZE], above_text[NAMES_TEXT_SIZE], where[1200];
	struct text told = {NULL, 0, 0};
	struct name above;

	if (source == node_source(n) || (is_cut && is_glue(n, barrier, name)))
		return;
	parse_owner(barrier, &above);
	if (source != s->file_source || s->file == NULL ||
	    !zonefile_find(s->file, fold_suffix(&above, 0, s->edit.tree->key), where,
	                   sizeof(where)))
		snprintf(where, sizeof(where), "%s", source_text(base_of(s), source));
	text_printf(&told, "%s: the %s %s of %s is above; what %s has is not answered\n",
	            names_to_text(node_owner(n), text), is_cut ? "delegation" : "DNAME",
	            names_to_text(node_owner(barrier), above_text), source_text(base_of(s), source),
	            source_text(base_of(s), node_source(n)));
	problems_set(s->problems, PROBLEMS_HIDDEN, name, where, &told);
	text_fini(&told);
}

void hidden_forget(struct served *s, const struct name *name)
{
	problems_set(s->problems, PROBLEMS_HIDDEN, name, NULL, NULL);
}

void hidden_tell(struct served *s, const struct name *name)
{
	const struct node *n = s->edit.barriers > 0 ? edit_find(&s->edit, name) : NULL;
	const struct node *barrier = NULL;

	hidden_forget(s, name);
	/* What the zone has by itself, its name servers' addresses, has no source. */
	if (n != NULL && (node_flags(n) & NODE_OCCLUDED) != 0 &&
	    (node_flags(n) & NODE_EMPTY) == 0 && node_source(n) != 0)
		barrier = find_barrier(&s->edit, name);
	if (barrier != NULL)
		tell(s, name, n, barrier);
}

static void tell_of(const struct node *n, void *arg)
{
	struct served *s = arg;
	struct name name;

	if ((node_flags(n) & NODE_OCCLUDED) == 0 && !problems_any(s->problems, PROBLEMS_HIDDEN))
		return;
	parse_owner(n, &name);
	hidden_tell(s, &name);
}

void hidden_tell_all(struct served *s)
{
	if (s->edit.barriers > 0 || problems_any(s->problems, PROBLEMS_HIDDEN))
		tree_each(base_of(s), s->edit.root, tell_of, s);
}
