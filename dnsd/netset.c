/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/netset.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "geo/prefix_tree.h"

struct netset {
	struct prefix_tree *tree;
};

struct netset *netset_new(const struct conf_strings *networks)
{
	struct netset *n;

	if (networks->count == 0)
		return NULL;
	n = xcalloc(1, sizeof *n);
	n->tree = prefix_tree_new();
	for (size_t i = 0; i < networks->count; i++) {
		struct addr_network network;
		struct reason why;

		CHECK(addr_network_parse(bytes_of(networks->item[i]), &network, &why) == ERR_OK);
		prefix_tree_put(n->tree, &network, 0);
	}
	prefix_tree_finish(n->tree);
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
