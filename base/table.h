/* table.h -- a hash table of pointers, eight bytes a slot and little more.
 *
 * For tables with millions of small things, where a handle inside each thing
 * (uthash) would outweigh it.  The owner hashes and compares; the table keeps
 * the upper half of the hash beside each pointer, so that comparing is rare.
 * One thread.  Order of iteration is not defined.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* True when `item`, an item of the table, is the one that `key` asks for. */
typedef bool table_match_fn(const void *item, const void *key);

struct table *table_new(void);
void table_free(struct table *t); /* not the items; NULL is fine */
size_t table_count(const struct table *t);

/* NULL when absent. */
void *table_find(const struct table *t, uint64_t hash, table_match_fn *match, const void *key);
/* Puts an item whose key is not there yet (put does not look). */
void table_put(struct table *t, uint64_t hash, void *item);
/* Puts `item` in the place of the one that `key` finds, or as a new one;
 * returns the replaced item or NULL. */
void *table_replace(struct table *t, uint64_t hash, table_match_fn *match, const void *key,
                    void *item);
/* Takes the found item out and returns it, or NULL. */
void *table_remove(struct table *t, uint64_t hash, table_match_fn *match, const void *key);

/* for (size_t i = 0; (item = table_next(t, &i)) != NULL;)  -- no put or remove meanwhile. */
void *table_next(const struct table *t, size_t *at);

#endif
