/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/quota.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/xalloc.h"

enum { NEWCOMERS = 64 }; /* beyond `most`, until another one has gone: one of each worker */

/* Places are numbered from 1; 0: none. */
struct place {
	struct addr network;
	unsigned count;
	uint32_t next; /* of the same cell, or of the free ones */
};

struct quota {
	unsigned most, most_of_network;
	atomic_uint count;
	pthread_mutex_t mutex; /* of all below */
	struct hash_key key;
	uint32_t free;
	uint32_t cells; /* a power of two */
	uint32_t *cell;
	struct place *place;
};

struct quota *quota_new(unsigned most, unsigned most_of_network)
{
	struct quota *q = xcalloc(1, sizeof *q);
	uint32_t places = most + NEWCOMERS;

	CHECK(most > 0 && most_of_network > 0 && most < UINT32_MAX / 4);
	q->most = most;
	q->most_of_network = most_of_network;
	CHECK(pthread_mutex_init(&q->mutex, NULL) == 0);
	/* Strangers choose their networks, so they must not know who shares a cell. */
	random_bytes(&q->key, sizeof q->key);
	for (q->cells = 1; q->cells < places;)
		q->cells *= 2;
	q->cell = xcalloc(q->cells, sizeof *q->cell);
	q->place = xcalloc((size_t)places + 1, sizeof *q->place);
	for (uint32_t i = places; i > 0; i--) {
		q->place[i].next = q->free;
		q->free = i;
	}
	return q;
}

void quota_free(struct quota *q)
{
	if (q == NULL)
		return;
	(void)pthread_mutex_destroy(&q->mutex);
	free(q->cell);
	free(q->place);
	free(q);
}

bool quota_enter(struct quota *q) { return atomic_fetch_add(&q->count, 1) < q->most; }

void quota_leave(struct quota *q)
{
	unsigned before = atomic_fetch_sub(&q->count, 1);

	CHECK(before > 0);
}

unsigned quota_count(const struct quota *q) { return atomic_load(&q->count); }

unsigned quota_most(const struct quota *q) { return q->most; }

/* What points to the network's place; to 0 when it has none. */
static uint32_t *find(struct quota *q, const struct addr *network)
{
	uint64_t hash = hash_siphash(&q->key, network, sizeof *network);
	uint32_t *at = &q->cell[hash & (q->cells - 1)];

	while (*at != 0 && !addr_equal(&q->place[*at].network, network))
		at = &q->place[*at].next;
	return at;
}

static void add(struct quota *q, uint32_t *at, const struct addr *network)
{
	uint32_t i = q->free;

	q->free = q->place[i].next;
	q->place[i] = (struct place){.network = *network, .count = 1};
	*at = i;
}

bool quota_enter_network(struct quota *q, const struct addr *network)
{
	uint32_t *at;
	bool good;

	CHECK(pthread_mutex_lock(&q->mutex) == 0);
	at = find(q, network);
	if (*at != 0) {
		good = q->place[*at].count < q->most_of_network;
		q->place[*at].count += good;
	} else {
		good = q->free != 0;
		if (good)
			add(q, at, network);
	}
	CHECK(pthread_mutex_unlock(&q->mutex) == 0);
	return good;
}

void quota_leave_network(struct quota *q, const struct addr *network)
{
	uint32_t *at, i;

	CHECK(pthread_mutex_lock(&q->mutex) == 0);
	at = find(q, network);
	i = *at;
	CHECK(i != 0);
	if (--q->place[i].count == 0) {
		*at = q->place[i].next;
		q->place[i].next = q->free;
		q->free = i;
	}
	CHECK(pthread_mutex_unlock(&q->mutex) == 0);
}
