/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/netset.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "geo/prefix_tree.h"

struct netset {
	struct prefix_tree *tree;
};

struct netset *netset_of(const struct addr_network *networks, size_t count)
{
	struct netset *n = xcalloc(1, sizeof *n);

	n->tree = prefix_tree_new();
	for (size_t i = 0; i < count; i++)
		prefix_tree_put(n->tree, &networks[i], 0);
	prefix_tree_finish(n->tree);
	return n;
}

struct netset *netset_new(const struct conf_strings *networks)
{
	struct addr_network *list = xcalloc(networks->count + 1, sizeof *list);
	struct netset *n = NULL;

	for (size_t i = 0; i < networks->count; i++)
		CHECK(addr_network_parse(bytes_of(networks->item[i]), &list[i], NULL) == ERR_OK);
	if (networks->count > 0)
		n = netset_of(list, networks->count);
	free(list);
	return n;
}

void netset_free(struct netset *n)
{
	if (n == NULL)
		return;
	prefix_tree_free(n->tree);
	free(n);
}

bool netset_has(const struct netset *n, const struct addr *a)
{
	return n != NULL && prefix_tree_find(n->tree, a).value != PREFIX_NONE;
}
