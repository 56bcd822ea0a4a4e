/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "geo/prefix_tree.h"

/* Many small networks close to each other, so that they nest and adjoin. */
enum { NETWORKS = 60, WORLDS = 200 };

struct rule {
	struct addr_network network;
	uint32_t value;
};

static struct addr_network network_of(const char *text)
{
	struct addr_network n = {0};

	assert_int_equal(addr_network_parse(bytes_of(text), &n, NULL), ERR_OK);
	return n;
}

static struct addr addr_of(const char *text)
{
	struct addr a = {0};

	assert_true(addr_parse(bytes_of(text), &a));
	return a;
}

static void assert_match(const struct prefix_tree *t, const char *address, uint32_t value,
                         unsigned depth)
{
	struct addr a = addr_of(address);
	struct prefix_match m = prefix_tree_find(t, &a);

	assert_int_equal(m.value, value);
	assert_int_equal(m.depth, depth);
}

static void put(struct prefix_tree *t, const char *network, uint32_t value)
{
	struct addr_network n = network_of(network);

	prefix_tree_put(t, &n, value);
}

static void test_an_empty_tree_knows_nothing(void **state)
{
	struct prefix_tree *t = prefix_tree_new();
	struct addr none = {0};

	(void)state;
	assert_match(t, "192.0.2.1", PREFIX_NONE, 0);
	assert_match(t, "2001:db8::1", PREFIX_NONE, 0);
	assert_int_equal(prefix_tree_find(t, &none).value, PREFIX_NONE);
	prefix_tree_free(t);
	prefix_tree_free(NULL);
}

static void test_the_longest_match_wins(void **state)
{
	struct prefix_tree *t = prefix_tree_new();

	(void)state;
	put(t, "0.0.0.0/0", 1);
	put(t, "192.0.2.0/24", 2);
	put(t, "192.0.2.128/25", 3);
	put(t, "192.0.2.129", 4);
	assert_match(t, "10.0.0.1", 1, 1);
	assert_match(t, "192.0.2.1", 2, 25);
	assert_match(t, "192.0.2.130", 3, 31);
	assert_match(t, "192.0.2.129", 4, 32);
	assert_match(t, "192.0.2.128", 3, 32);
	assert_match(t, "::1", PREFIX_NONE, 0);
	prefix_tree_free(t);
}

static void test_a_network_put_later_covers_what_was_inside(void **state)
{
	struct prefix_tree *t = prefix_tree_new();

	(void)state;
	put(t, "2001:db8:1::/48", 1);
	put(t, "2001:db8::/32", 2);
	assert_match(t, "2001:db8:1::1", 2, 32);
	prefix_tree_free(t);
}

static void test_ipv4_lies_in_its_mapped_network_too(void **state)
{
	struct prefix_tree *t = prefix_tree_new();

	(void)state;
	put(t, "::/16", 1);
	put(t, "0.0.0.0/1", 2);
	put(t, "192.0.2.0/24", 3);
	prefix_tree_finish(t);
	assert_match(t, "192.0.2.1", 3, 24);
	assert_match(t, "::ffff:10.0.0.1", 2, 97);
	assert_match(t, "::ffff:192.0.2.1", 3, 120);
	/* What lies around IPv4 does not count for it. */
	assert_match(t, "::ffff:192.0.3.1", PREFIX_NONE, 120);
	assert_match(t, "::fffe:192.0.2.1", 1, 96);
	assert_match(t, "::1:0:0:0", 1, 80);
	assert_match(t, "1::", PREFIX_NONE, 16);
	prefix_tree_free(t);
}

static void test_without_networks_there_is_nothing_to_map(void **state)
{
	struct prefix_tree *t = prefix_tree_new();

	(void)state;
	prefix_tree_finish(t);
	assert_match(t, "::ffff:192.0.2.1", PREFIX_NONE, 0);
	prefix_tree_free(t);
}

/* What the walk gives, looked at as it comes. */
struct heard {
	struct addr_network last;
	uint64_t last_value;
	size_t count;
	struct spans spans;
	const struct prefix_tree *const *trees;
	size_t tree_count;
	bool is_merged;
};

/* The address right behind a network; all zero when it is the last. */
static struct addr behind(const struct addr_network *n)
{
	struct addr a = n->addr;

	for (int at = n->len - 1; at >= 0; at--) {
		a.bytes[at / 8] ^= (uint8_t)(0x80 >> at % 8);
		if ((a.bytes[at / 8] & 0x80 >> at % 8) != 0)
			break;
	}
	return a;
}

static uint32_t expected_at(const struct heard *h, const struct addr *a)
{
	uint32_t value = PREFIX_NONE;

	for (size_t i = 0; i < h->tree_count && value == PREFIX_NONE; i++)
		value = prefix_tree_find(h->trees[i], a).value;
	return value;
}

static void on_span(const struct addr_network *n, uint64_t value, void *arg)
{
	struct heard *h = arg;
	struct addr expected = {.family = n->addr.family};

	if (h->count > 0)
		expected = behind(&h->last);
	assert_true(addr_equal(&n->addr, &expected));
	assert_int_equal(value, expected_at(h, &n->addr));
	if (h->is_merged && h->count > 0 && h->last.len == n->len &&
	    spans_bit(&n->addr, n->len - 1u) == 1)
		assert_int_not_equal(value, h->last_value);
	h->last = *n;
	h->last_value = value;
	h->count++;
}

/* Once as it is, and once merged. */
static void on_leaf(const struct addr_network *n, size_t tree, uint32_t value, void *arg)
{
	struct heard *h = arg;

	assert_int_equal(tree < h->tree_count, value != PREFIX_NONE);
	if (value != PREFIX_NONE)
		assert_int_equal(prefix_tree_find(h->trees[tree], &n->addr).value, value);
	if (h->is_merged)
		spans_push(&h->spans, n, value);
	else
		on_span(n, value, h);
}

static void assert_walk_is_right(const struct prefix_tree *const *trees, size_t count,
                                 enum addr_family family)
{
	struct heard plain = {.trees = trees, .tree_count = count}, merged = plain;
	struct addr zero = {.family = (uint8_t)family}, end;

	prefix_tree_walk(trees, count, family, on_leaf, &plain);
	end = behind(&plain.last);
	assert_true(addr_equal(&end, &zero));
	merged.is_merged = true;
	merged.spans.on_span = on_span;
	merged.spans.arg = &merged;
	prefix_tree_walk(trees, count, family, on_leaf, &merged);
	end = behind(&merged.last);
	assert_true(addr_equal(&end, &zero));
	assert_true(merged.count <= plain.count);
}

static struct rule random_rule(uint64_t seed)
{
	uint64_t r = hash_mix(seed, 1);
	struct rule rule = {.value = (uint32_t)(r % 4)};

	rule.network.addr.family = r >> 8 & 1 ? ADDR_IPV4 : ADDR_IPV6;
	rule.network.len =
		(uint8_t)(r >> 16 & 1 ? r >> 24 & 15
	                              : (r >> 24) % (addr_bits(&rule.network.addr) + 1u));
	rule.network.addr.bytes[0] = (uint8_t)(r >> 40 & 0x83);
	rule.network.addr.bytes[1] = (uint8_t)(r >> 48 & 0xc1);
	rule.network.addr.bytes[3] = (uint8_t)(r >> 56);
	rule.network.addr = addr_masked(&rule.network.addr, rule.network.len);
	return rule;
}

static void fill(struct prefix_tree *t, uint64_t seed, struct rule rules[NETWORKS])
{
	for (uint64_t i = 0; i < NETWORKS; i++) {
		rules[i] = random_rule(hash_mix(seed, i));
		prefix_tree_put(t, &rules[i].network, rules[i].value);
	}
	prefix_tree_finish(t);
}

/* The last rule that covers an address counts. */
static void assert_finds_like_a_list(const struct prefix_tree *t, const struct rule rules[NETWORKS],
                                     uint64_t seed)
{
	for (uint64_t i = 0; i < 300; i++) {
		struct addr a = random_rule(hash_mix(seed, 1000 + i)).network.addr;
		uint32_t expected = PREFIX_NONE;

		for (size_t k = 0; k < NETWORKS; k++)
			if (addr_network_has(&rules[k].network, &a))
				expected = rules[k].value;
		assert_int_equal(prefix_tree_find(t, &a).value, expected);
	}
}

static void test_random_trees_find_like_a_list_and_walk_without_gaps(void **state)
{
	struct rule rules[NETWORKS];

	(void)state;
	for (uint64_t seed = 0; seed < WORLDS; seed++) {
		struct prefix_tree *one = prefix_tree_new(), *two = prefix_tree_new(),
				   *three = prefix_tree_new();
		const struct prefix_tree *trees[3] = {one, two, three};

		fill(one, seed, rules);
		assert_finds_like_a_list(one, rules, seed);
		fill(two, hash_mix(seed, 2), rules);
		assert_finds_like_a_list(two, rules, seed);
		for (size_t count = 0; count <= 3; count++) {
			assert_walk_is_right(trees, count, ADDR_IPV4);
			assert_walk_is_right(trees, count, ADDR_IPV6);
		}
		prefix_tree_free(one);
		prefix_tree_free(two);
		prefix_tree_free(three);
	}
}

static enum err adopt(const struct prefix_node *nodes, size_t count, bool has_ipv6,
                      struct prefix_tree **out, struct reason *why)
{
	struct prefix_node *copy = malloc((count + 1) * sizeof(*copy));

	assert_non_null(copy);
	for (size_t i = 0; i < count; i++)
		copy[i] = nodes[i];
	return prefix_tree_adopt(copy, count, has_ipv6, out, why);
}

static void test_a_foreign_tree_is_used_as_it_is(void **state)
{
	const struct prefix_node nodes[] = {{{1, PREFIX_LEAF | 7}},
	                                    {{PREFIX_NONE, PREFIX_LEAF | 8}}};
	struct prefix_tree *t = NULL;

	(void)state;
	assert_int_equal(adopt(nodes, 2, false, &t, NULL), ERR_OK);
	assert_match(t, "0.0.0.1", PREFIX_NONE, 2);
	assert_match(t, "64.0.0.1", 8, 2);
	assert_match(t, "128.0.0.1", 7, 1);
	assert_match(t, "8000::", PREFIX_NONE, 1);
	assert_match(t, "::ffff:128.0.0.1", 7, 97);
	prefix_tree_free(t);
	assert_int_equal(adopt(nodes, 0, true, &t, NULL), ERR_OK);
	assert_match(t, "8000::", PREFIX_NONE, 0);
	prefix_tree_free(t);
}

static void test_ipv4_lies_behind_96_zeros(void **state)
{
	struct prefix_node nodes[97];
	struct prefix_tree *t = NULL;

	(void)state;
	for (uint32_t i = 0; i < 96; i++)
		nodes[i] = (struct prefix_node){{i + 1, PREFIX_LEAF | 1}};
	nodes[96] = (struct prefix_node){{PREFIX_LEAF | 2, PREFIX_LEAF | 3}};
	assert_int_equal(adopt(nodes, 97, true, &t, NULL), ERR_OK);
	assert_match(t, "127.0.0.1", 2, 1);
	assert_match(t, "128.0.0.1", 3, 1);
	assert_match(t, "::128.0.0.1", PREFIX_NONE, 96);
	assert_match(t, "::ffff:127.0.0.1", 2, 97);
	assert_match(t, "::1:0:0", 1, 96);
	assert_match(t, "8000::", 1, 1);
	prefix_tree_free(t);
}

/* The IPv4 tree leads to the node above ::ffff:0:0/96. */
static void test_a_node_that_ipv4_shares_with_the_way_to_its_mapped_network_makes_no_circle(
	void **state)
{
	enum { FORK = 80, IPV4 = 96, ABOVE_MAPPED = 111 };
	struct prefix_node nodes[ABOVE_MAPPED + 1];
	const struct prefix_tree *trees[1];
	struct prefix_tree *t = NULL;

	(void)state;
	for (uint32_t i = 0; i < IPV4; i++)
		nodes[i] = (struct prefix_node){{i + 1, PREFIX_LEAF | 1}};
	nodes[FORK].record[1] = IPV4 + 1;
	for (uint32_t i = IPV4 + 1; i < ABOVE_MAPPED; i++)
		nodes[i] = (struct prefix_node){{PREFIX_LEAF | 1, i + 1}};
	nodes[ABOVE_MAPPED] = (struct prefix_node){{PREFIX_LEAF | 2, PREFIX_LEAF | 3}};
	nodes[IPV4] = (struct prefix_node){{ABOVE_MAPPED, PREFIX_LEAF | 4}};
	assert_int_equal(adopt(nodes, ABOVE_MAPPED + 1, true, &t, NULL), ERR_OK);
	assert_match(t, "64.0.0.1", 3, 2);
	assert_match(t, "128.0.0.1", 4, 1);
	assert_match(t, "::ffff:64.0.0.1", 3, 98);
	assert_match(t, "::fffe:0:1", 2, 96);
	trees[0] = t;
	assert_walk_is_right(trees, 1, ADDR_IPV6);
	prefix_tree_free(t);
}

static void assert_refused(const struct prefix_node *nodes, size_t count, bool has_ipv6,
                           const char *why)
{
	struct prefix_tree *t = NULL;
	struct reason reason = {{0}};

	assert_int_equal(adopt(nodes, count, has_ipv6, &t, &reason), ERR_PARSE);
	assert_null(t);
	assert_string_equal(reason.text, why);
}

static void test_circles_and_wild_records_are_refused(void **state)
{
	const struct prefix_node self[] = {{{0, PREFIX_NONE}}};
	const struct prefix_node circle[] = {
		{{1, PREFIX_NONE}}, {{PREFIX_NONE, 2}}, {{1, PREFIX_NONE}}};
	const struct prefix_node wild[] = {{{PREFIX_NONE, 1}}};
	struct prefix_node deep[33];

	(void)state;
	assert_refused(self, 1, true, "the search tree is not a tree");
	assert_refused(circle, 3, true, "the search tree is not a tree");
	assert_refused(wild, 1, true, "the search tree is not a tree");
	for (uint32_t i = 0; i < 33; i++)
		deep[i] = (struct prefix_node){{i + 1, PREFIX_NONE}};
	deep[32] = (struct prefix_node){{PREFIX_NONE, PREFIX_NONE}};
	assert_refused(deep, 33, false, "the search tree is not a tree");
}

static void test_a_tree_that_doubles_with_each_bit_is_refused(void **state)
{
	struct prefix_node nodes[128];

	(void)state;
	for (uint32_t i = 0; i < 127; i++)
		nodes[i] = (struct prefix_node){{i + 1, i + 1}};
	nodes[127] = (struct prefix_node){{PREFIX_LEAF | 1, PREFIX_LEAF | 2}};
	assert_refused(nodes, 128, true, "the search tree has more than 134217728 leaves");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_tree_knows_nothing),
		cmocka_unit_test(test_the_longest_match_wins),
		cmocka_unit_test(test_a_network_put_later_covers_what_was_inside),
		cmocka_unit_test(test_ipv4_lies_in_its_mapped_network_too),
		cmocka_unit_test(test_without_networks_there_is_nothing_to_map),
		cmocka_unit_test(test_random_trees_find_like_a_list_and_walk_without_gaps),
		cmocka_unit_test(test_a_foreign_tree_is_used_as_it_is),
		cmocka_unit_test(test_ipv4_lies_behind_96_zeros),
		cmocka_unit_test(
			test_a_node_that_ipv4_shares_with_the_way_to_its_mapped_network_makes_no_circle),
		cmocka_unit_test(test_circles_and_wild_records_are_refused),
		cmocka_unit_test(test_a_tree_that_doubles_with_each_bit_is_refused),
	};

	return cmocka_run_group_tests_name("geo/prefix_tree", tests, NULL, NULL);
}
