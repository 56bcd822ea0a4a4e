/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "zones/fold.h"
#include "zones/frozen.h"

static inline const struct node *find_suffix(const struct zone *z, const struct name *name,
                                             unsigned label)
{
	const uint8_t *wire = name->wire + name->at[label];
	size_t len = (size_t)name->len - name->at[label];

	return tree_find(z->base, z->root, fold_name(wire, len, z->key), wire, len);
}

/* RFC 4592 2.2.1: only the "*" directly below the closest encloser may cover the name. */
static struct zone_hit find_wildcard(const struct zone *z, const struct name *name,
                                     unsigned encloser_label, const struct node *encloser)
{
	unsigned labels = name->labels - encloser_label, at = name->at[encloser_label];
	size_t len = (size_t)name->len - at;
	const struct node *n = NULL;

	if (node_flags(encloser) & NODE_WILDCARD_BELOW) {
		uint8_t wire[2 + NAME_MAX_LEN + NAME_PADDING] = {1, '*'};

		memcpy(wire + 2, name->wire + at, len);
		n = tree_find(z->base, z->root, fold_name(wire, len + 2, z->key), wire, len + 2);
	}
	if (n)
		return (struct zone_hit){ZONE_WILDCARD, labels, n};
	return (struct zone_hit){ZONE_ABSENT, labels, encloser};
}

/* Down from the apex, label by label: RFC 1034 4.3.2 step 3. */
struct zone_hit zone_walk_down(const struct zone *z, const struct name *name,
                               const struct node *found)
{
	const struct node *n = z->apex;
	unsigned label = (unsigned)name->labels - z->apex_labels;

	for (;;) {
		const struct node *next;

		if (node_flags(n) & NODE_CUT)
			return (struct zone_hit){ZONE_CUT, name->labels - label, n};
		if (label == 0)
			return (struct zone_hit){ZONE_EXACT, name->labels, n};
		if (node_flags(n) & NODE_DNAME)
			return (struct zone_hit){ZONE_DNAME, name->labels - label, n};
		next = label == 1 ? found : find_suffix(z, name, label - 1);
		if (!next)
			return find_wildcard(z, name, label, n);
		n = next;
		label--;
	}
}

/* --- in order --- */

struct gathered {
	const struct node **node;
	size_t count;
	const uint8_t *from;
};

static void gather(const struct node *n, void *arg)
{
	struct gathered *g = arg;

	if (!g->from || name_wire_compare(node_owner(n), g->from) >= 0)
		g->node[g->count++] = n;
}

static void count_node(const struct node *n, void *arg)
{
	(void)n;
	++*(size_t *)arg;
}

static int by_owner(const void *a, const void *b)
{
	return name_wire_compare(node_owner(*(const struct node *const *)a),
	                         node_owner(*(const struct node *const *)b));
}

void zone_each(const struct zone *z, const uint8_t *from, zone_on_node_fn *on_node, void *arg)
{
	struct gathered g = {NULL, 0, from};
	size_t nodes = 0;

	tree_each(z->base, z->root, count_node, &nodes);
	g.node = xcalloc(nodes, sizeof(const struct node *));
	tree_each(z->base, z->root, gather, &g);
	qsort(g.node, g.count, sizeof(const struct node *), by_owner);
	for (size_t i = 0; i < g.count && on_node(g.node[i], arg); i++)
		;
	free(g.node);
}
