/* fuzz_networks.c -- any bytes as a networks CSV: refused with a line, or networks in order that can be found. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "geo/networks.h"
#include "geo/prefix_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_order(const struct networks *n)
{
	for (size_t i = 0; i < n->count; i++) {
		const struct network *fresh = &n->item[i], *last = i > 0 ? fresh - 1 : NULL;
		struct addr masked = addr_masked(&fresh->network.addr, fresh->network.len);
		int order =
			last != NULL ? addr_compare(&last->network.addr, &fresh->network.addr) : -1;

		CHECK(order < 0 || (order == 0 && last->network.len < fresh->network.len));
		CHECK(addr_equal(&masked, &fresh->network.addr));
		CHECK(place_is_valid(&fresh->place));
		CHECK(fresh->line > 0 && fresh->label.len <= NETWORKS_MAX_LABEL);
	}
}

/* The longest of the networks that begin at an address is what is found there. */
static void check_finding(const struct networks *n)
{
	struct prefix_tree *t = prefix_tree_new();

	for (size_t i = 0; i < n->count; i++)
		prefix_tree_put(t, &n->item[i].network, (uint32_t)i);
	for (size_t i = 0; i < n->count; i++) {
		const struct addr *a = &n->item[i].network.addr;
		bool is_longest = i + 1 == n->count || !addr_equal(a, &n->item[i + 1].network.addr);
		struct prefix_match m = prefix_tree_find(t, a);

		CHECK(!is_longest || m.value == i);
		CHECK(m.depth >= n->item[i].network.len);
	}
	prefix_tree_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reason why = {{0}};
	struct networks n;

	if (networks_parse((struct bytes){data, size}, &n, &why) != ERR_OK) {
		CHECK(n.item == NULL && n.count == 0);
		CHECK(strtoul(why.text, NULL, 10) > 0);
		return 0;
	}
	check_order(&n);
	check_finding(&n);
	networks_fini(&n);
	return 0;
}
