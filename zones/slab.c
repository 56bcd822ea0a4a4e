/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/slab.h"

#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/xalloc.h"

/* Places have 31 bits (the tree keeps one for itself). */
#define MOST_BYTES  ((size_t)1 << 33)
#define LEAST_BYTES ((size_t)1 << 26)
#define STEP_BYTES  ((size_t)1 << 21) /* also a huge page, to which the base is aligned */

enum {
	EXACT = 256,    /* units: up to here every size has its own list */
	COARSE = 64,    /* lists for larger sizes: two for each power of two */
	SPLIT_LEAST = 3 /* units: a smaller rest would never be asked for */
};

struct slab {
	uint8_t *mapping;
	size_t mapped;
	uint8_t *base;
	size_t limit;              /* bytes reserved from base */
	size_t open;               /* bytes readable and writable */
	size_t end;                /* units handed out so far */
	size_t used;               /* units */
	uint32_t exact[EXACT + 1]; /* first free block of a size, 0: none */
	uint64_t has_exact[EXACT / 64 + 1];
	uint32_t coarse[COARSE];
};

static void reserve(struct slab *s)
{
	size_t size = MOST_BYTES;
	void *p = MAP_FAILED;

	/* Under a limit of address space (ulimit -v) less must do. */
	for (; size >= LEAST_BYTES && p == MAP_FAILED; size /= 2)
		p = mmap(NULL, size + STEP_BYTES, PROT_NONE,
		         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	s->limit = size * 2;
	s->mapping = p;
	s->mapped = s->limit + STEP_BYTES;
	s->base = s->mapping + (STEP_BYTES - (uintptr_t)p % STEP_BYTES) % STEP_BYTES;
	/* Fewer TLB misses when lookups jump about; where it is not possible, nothing is lost. */
	(void)madvise(s->base, s->limit, MADV_HUGEPAGE);
}

struct slab *slab_new(void)
{
	struct slab *s = xcalloc(1, sizeof(*s));

	reserve(s);
	(void)slab_alloc(s, 2 * SLAB_UNIT);
	return s;
}

void slab_free(struct slab *s)
{
	if (!s)
		return;
	ASAN_UNPOISON_MEMORY_REGION(s->base, s->open);
	CHECK(munmap(s->mapping, s->mapped) == 0);
	free(s);
}

/* The list of a size over EXACT; *units becomes the size all its blocks have. */
static unsigned coarse_list(size_t *units)
{
	size_t size = EXACT;
	unsigned list = 0;

	while (size < *units) {
		size = list % 2 ? size / 3 * 4 : size / 2 * 3;
		list++;
	}
	CHECK(list < COARSE);
	*units = size;
	return list;
}

static uint32_t take_new(struct slab *s, size_t units)
{
	size_t place = s->end, want = (place + units) * SLAB_UNIT;

	if (want > s->open) {
		size_t grow = (want - s->open + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;

		CHECK(grow <= s->limit - s->open);
		CHECK(mprotect(s->base + s->open, grow, PROT_READ | PROT_WRITE) == 0);
		s->open += grow;
	}
	s->end += units;
	return (uint32_t)place;
}

static uint32_t pop(struct slab *s, uint32_t *list, size_t units)
{
	uint32_t place = *list;
	uint8_t *block = slab_at(s->base, place);

	ASAN_UNPOISON_MEMORY_REGION(block, units * SLAB_UNIT);
	memcpy(list, block, sizeof(*list));
	return place;
}

static void push(struct slab *s, uint32_t *list, uint32_t place, size_t units)
{
	uint8_t *block = slab_at(s->base, place);

	memcpy(block, list, sizeof(*list));
	*list = place;
	ASAN_POISON_MEMORY_REGION(block, units * SLAB_UNIT);
}

static void put_exact(struct slab *s, uint32_t place, size_t units)
{
	push(s, &s->exact[units], place, units);
	s->has_exact[units / 64] |= (uint64_t)1 << units % 64;
}

static uint32_t pop_exact(struct slab *s, size_t units)
{
	uint32_t place = pop(s, &s->exact[units], units);

	if (s->exact[units] == 0)
		s->has_exact[units / 64] &= ~((uint64_t)1 << units % 64);
	return place;
}

/* The smallest size >= least with a free block, 0: none. */
static size_t next_exact(const struct slab *s, size_t least)
{
	for (size_t word = least / 64; word < sizeof(s->has_exact) / sizeof(s->has_exact[0]);
	     word++) {
		uint64_t sizes = s->has_exact[word];

		if (word == least / 64)
			sizes &= ~(uint64_t)0 << least % 64;
		if (sizes)
			return word * 64 + (size_t)__builtin_ctzll(sizes);
	}
	return 0;
}

static uint32_t take_exact(struct slab *s, size_t units)
{
	size_t from;
	uint32_t place;

	if (s->exact[units])
		return pop_exact(s, units);
	from = next_exact(s, units + SPLIT_LEAST);
	if (from == 0)
		return take_new(s, units);
	place = pop_exact(s, from);
	put_exact(s, (uint32_t)(place + units), from - units);
	return place;
}

uint32_t slab_alloc(struct slab *s, size_t bytes)
{
	size_t units = (bytes + SLAB_UNIT - 1) / SLAB_UNIT;
	unsigned list;

	CHECK(units > 0 && bytes < MOST_BYTES);
	if (units <= EXACT) {
		s->used += units;
		return take_exact(s, units);
	}
	list = coarse_list(&units);
	s->used += units;
	return s->coarse[list] ? pop(s, &s->coarse[list], units) : take_new(s, units);
}

void slab_give_back(struct slab *s, uint32_t place, size_t bytes)
{
	size_t units = (bytes + SLAB_UNIT - 1) / SLAB_UNIT;

	CHECK(place != 0);
	if (units <= EXACT) {
		put_exact(s, place, units);
	} else {
		unsigned list = coarse_list(&units);

		push(s, &s->coarse[list], place, units);
	}
	s->used -= units;
}

const uint8_t *slab_base(const struct slab *s) { return s->base; }

size_t slab_used(const struct slab *s) { return s->used * SLAB_UNIT; }

size_t slab_held(const struct slab *s) { return s->end * SLAB_UNIT; }
