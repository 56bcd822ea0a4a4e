/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/zones_world.h"
#include "zones/draft.h"
#include "zones/fold.h"
#include "zones/tree.h"

enum { NAMES = 3000, PUBLICATIONS = 60, HELD = 5 };

static const struct name_key key = {
	{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 1}};

/* What a tree should hold: for each number the version of its node, 0: none. */
struct model {
	uint32_t version[NAMES];
};

struct held {
	uint32_t root;
	struct model model;
	struct tree_garbage garbage; /* what the next publication does not have */
};

static struct name name_of(unsigned number)
{
	struct name n;
	char text[64];
	struct bytes wire;

	snprintf(text, sizeof(text), "n%u.example", number);
	wire = zworld_wire(text);
	assert_true(name_parse(&n, wire.data, wire.len) > 0);
	return n;
}

/* A node whose source is its version. */
static uint32_t node_of(struct tree_writer *w, const struct name *name, uint32_t version)
{
	struct buffer image = {NULL, 0, 0};
	struct draft d = {.owner = name->wire, .source = version};
	uint32_t place;

	draft_write(&d, &image);
	place = slab_alloc(w->slab, image.len);
	memcpy(slab_at(slab_base(w->slab), place), image.data, image.len);
	buffer_fini(&image);
	return place;
}

static const struct node *find(const struct tree_writer *w, uint32_t root, const struct name *n)
{
	return tree_find(slab_base(w->slab), root, fold_suffix(n, 0, &key), n->wire, n->len);
}

static void count(const struct node *n, void *arg)
{
	(void)n;
	++*(size_t *)arg;
}

static void assert_holds(const struct tree_writer *w, uint32_t root, const struct model *m)
{
	size_t expected = 0, found = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		struct name n = name_of(i);
		const struct node *node = find(w, root, &n);

		assert_int_equal(node != NULL, m->version[i] != 0);
		if (node)
			assert_int_equal(node_source(node), m->version[i]);
		expected += m->version[i] != 0;
	}
	tree_each(slab_base(w->slab), root, count, &found);
	assert_int_equal(found, expected);
}

static void change(struct tree_writer *w, uint32_t *root, struct model *m, uint64_t *seed,
                   uint32_t version)
{
	/* Few names at first, so that collisions in the same branch are common later. */
	unsigned number = (unsigned)(zworld_random(seed) % NAMES);
	struct name n = name_of(number);
	const struct node *old = find(w, *root, &n);

	if (old && zworld_random(seed) % 2) {
		tree_remove(w, root, fold_suffix(&n, 0, &key), old);
		m->version[number] = 0;
	} else {
		assert_true(
			tree_put(w, root, fold_suffix(&n, 0, &key), old, node_of(w, &n, version)));
		m->version[number] = version;
	}
}

static void ignore(const struct node *n, void *arg)
{
	(void)n;
	(void)arg;
}

static void test_old_trees_stay_as_they_were(void **state)
{
	struct tree_writer w = {.slab = slab_new(), .key = &key, .generation = 1};
	static struct held held[HELD];
	static struct model now;
	uint32_t root = 0, version = 0;
	uint64_t seed = 42;

	(void)state;
	for (int p = 0; p < PUBLICATIONS; p++) {
		struct held *h = &held[p % HELD], *before = &held[(p + HELD - 1) % HELD];
		uint64_t changes = zworld_random(&seed) % (p % 3 ? 20 : 1000);
		struct tree_garbage garbage;

		while (changes-- > 0)
			change(&w, &root, &now, &seed, ++version);
		garbage = tree_publish(&w, &root, 1);
		if (p > 0)
			before->garbage = garbage;
		else
			free(garbage.link);
		if (p >= HELD) {
			/* The oldest is still whole, though much of it was replaced since. */
			assert_holds(&w, h->root, &h->model);
			tree_free_garbage(w.slab, &h->garbage, ignore, NULL);
		}
		h->root = root;
		h->model = now;
		if (p % 10 == 0)
			assert_holds(&w, root, &now);
	}
	for (int i = 0; i < HELD; i++)
		assert_holds(&w, held[i].root, &held[i].model);
	for (int i = 0; i < HELD; i++)
		free(held[i].garbage.link);
	free(w.garbage.link);
	slab_free(w.slab);
}

static void test_a_tree_that_is_emptied_gives_everything_back(void **state)
{
	struct tree_writer w = {.slab = slab_new(), .key = &key, .generation = 1};
	static struct model m;
	size_t before = slab_used(w.slab);
	uint32_t root = 0;
	struct tree_garbage g;

	(void)state;
	for (unsigned i = 0; i < NAMES; i++) {
		struct name n = name_of(i);

		assert_true(tree_put(&w, &root, fold_suffix(&n, 0, &key), NULL,
		                     node_of(&w, &n, i + 1)));
		m.version[i] = i + 1;
	}
	assert_holds(&w, root, &m);
	g = tree_publish(&w, &root, 1);
	assert_int_equal(g.count, 0);
	for (unsigned i = 0; i < NAMES; i++) {
		struct name n = name_of((i * 1009) % NAMES);

		tree_remove(&w, &root, fold_suffix(&n, 0, &key), find(&w, root, &n));
	}
	assert_int_equal(root, 0);
	g = tree_publish(&w, &root, 1);
	tree_free_garbage(w.slab, &g, ignore, NULL);
	assert_int_equal(slab_used(w.slab), before);
	slab_free(w.slab);
}

static void test_one_change_copies_only_its_path(void **state)
{
	struct tree_writer w = {.slab = slab_new(), .key = &key, .generation = 1};
	uint32_t root = 0;
	struct name n;
	struct tree_garbage g;

	(void)state;
	for (unsigned i = 0; i < NAMES; i++) {
		n = name_of(i);
		assert_true(
			tree_put(&w, &root, fold_suffix(&n, 0, &key), NULL, node_of(&w, &n, 1)));
	}
	g = tree_publish(&w, &root, 1);
	free(g.link);
	assert_true(tree_put(&w, &root, fold_suffix(&n, 0, &key), find(&w, root, &n),
	                     node_of(&w, &n, 2)));
	g = tree_publish(&w, &root, 1);
	/* The node, and one branch for each level. */
	assert_in_range(g.count, 2, 6);
	free(g.link);
	slab_free(w.slab);
}

static void test_names_whose_hashes_are_equal_are_refused(void **state)
{
	struct tree_writer w = {.slab = slab_new(), .key = &key, .generation = 1};
	struct name a = name_of(1), b = name_of(2);
	uint32_t root = 0;

	(void)state;
	assert_true(tree_put(&w, &root, fold_suffix(&a, 0, &key), NULL, node_of(&w, &a, 1)));
	assert_false(tree_put(&w, &root, fold_suffix(&a, 0, &key), NULL, node_of(&w, &b, 1)));
	assert_non_null(find(&w, root, &a));
	slab_free(w.slab);
}

static void test_generations_may_wrap(void **state)
{
	struct tree_writer w = {.slab = slab_new(), .key = &key, .generation = 1};
	static struct model old, now;
	uint32_t root = 0, before;
	uint64_t seed = 3;

	(void)state;
	for (uint32_t i = 1; i < 500; i++)
		change(&w, &root, &now, &seed, i);
	w.generation = UINT32_MAX;
	free(tree_publish(&w, &root, 1).link);
	assert_int_equal(w.generation, 1);
	before = root;
	old = now;
	for (uint32_t i = 501; i < 1000; i++)
		change(&w, &root, &now, &seed, i);
	assert_holds(&w, before, &old);
	assert_holds(&w, root, &now);
	free(w.garbage.link);
	slab_free(w.slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old_trees_stay_as_they_were),
		cmocka_unit_test(test_a_tree_that_is_emptied_gives_everything_back),
		cmocka_unit_test(test_one_change_copies_only_its_path),
		cmocka_unit_test(test_names_whose_hashes_are_equal_are_refused),
		cmocka_unit_test(test_generations_may_wrap),
	};

	return cmocka_run_group_tests_name("zones/tree", tests, NULL, NULL);
}
