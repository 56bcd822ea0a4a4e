/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/saved_image.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/xalloc.h"

enum { PRINT_AT_ONCE = 256 << 10 };

struct held_fact {
	struct bytes cluster;
	const struct fact *fact;
};

struct saved_image {
	struct arena *strings;           /* of the small records */
	struct saved_file_record *small; /* clusters, then values */
	size_t small_count, small_room;
	struct held_fact *fact;
	size_t fact_count, fact_room;
	size_t next; /* to print: small ones, then facts */
	size_t skipped;
	struct bytes cluster; /* while it is taken: whose facts are coming */
};

static void add_small(struct saved_image *i, const struct saved_file_record *record)
{
	if (i->small_count == i->small_room) {
		i->small_room = i->small_room ? i->small_room * 2 : 64;
		i->small = xreallocarray(i->small, i->small_room, sizeof(*i->small));
	}
	i->small[i->small_count++] = *record;
}

static struct bytes copy(struct arena *a, struct bytes b)
{
	return (struct bytes){arena_memdup(a, b.data, b.len), b.len};
}

static void add_value(uint8_t class, struct bytes key, struct bytes value, void *arg)
{
	struct saved_image *i = arg;
	struct saved_file_record record = {
		.type = SAVED_FILE_VALUE,
		.kind = class,
		.name = copy(i->strings, key),
		.body = copy(i->strings, value),
	};

	add_small(i, &record);
}

static void add_fact(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct saved_image *i = arg;

	(void)cluster;
	/* The config says these at each start, as it is then. */
	if (fact_created(fact) == FACT_CONFIG_TIME)
		return;
	if (i->fact_count == i->fact_room) {
		i->fact_room = i->fact_room ? i->fact_room * 2 : 64;
		i->fact = xreallocarray(i->fact, i->fact_room, sizeof(*i->fact));
	}
	i->fact[i->fact_count++] = (struct held_fact){i->cluster, fact_ref(fact)};
}

struct saved_image *saved_image_take(struct saved_state *s)
{
	struct saved_image *i = xcalloc(1, sizeof(*i));
	const struct facts *facts = saved_state_facts(s);
	enum cluster_source source;

	i->strings = arena_new();
	for (uint16_t id = 0; id < facts_cluster_count(facts); id++) {
		i->cluster = saved_state_cluster(s, id);
		if (saved_state_is_known(s, id, &source)) {
			struct saved_file_record record = {
				.type = SAVED_FILE_CLUSTER,
				.kind = (uint8_t)source,
				.cluster = i->cluster,
			};

			add_small(i, &record);
		}
		facts_each(facts, id, 0, add_fact, i);
	}
	saved_state_each_value(s, 0, add_value, i);
	return i;
}

void saved_image_free(struct saved_image *i)
{
	if (!i)
		return;
	for (size_t n = 0; n < i->fact_count; n++)
		fact_unref(i->fact[n].fact);
	free(i->fact);
	free(i->small);
	arena_free(i->strings);
	free(i);
}

static void print_one(struct saved_image *i, size_t at, struct saved_file_writer *w)
{
	struct saved_file_record record;

	if (at < i->small_count) {
		record = i->small[at];
	} else {
		const struct held_fact *held = &i->fact[at - i->small_count];

		record = (struct saved_file_record){
			.type = SAVED_FILE_FACT,
			.cluster = held->cluster,
			.body = fact_bytes(held->fact),
		};
	}
	if (!saved_file_add(w, &record))
		i->skipped++;
}

bool saved_image_print_some(struct saved_image *i, struct saved_file_writer *w)
{
	size_t all = i->small_count + i->fact_count;

	while (i->next < all && w->out.len < PRINT_AT_ONCE)
		print_one(i, i->next++, w);
	return i->next < all;
}

size_t saved_image_skipped(const struct saved_image *i) { return i->skipped; }
