/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/quota.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "propagator/sorted.h"

enum { FILL_EVERY_MS = 100, MINUTE_MS = 60000 };

/* What one costs; so fine that the smallest part of a rate is something in the shortest time. */
#define COST (MINUTE_MS * UINT64_C(1000))

struct quota {
	unsigned a_minute;
	uint64_t lent; /* what anyone may take who has nothing left */
	uint64_t filled_ms;
	struct quota_share **list; /* in the order of their names: "" is the first */
	size_t count;
};

static const char *name_at(const void *list, size_t i)
{
	return ((struct quota_share *const *)list)[i]->name;
}

/* Of all, of what comes in a minute. */
static uint64_t half(const struct quota *q) { return q->a_minute * COST / 2; }

static uint64_t most_of_one(const struct quota *q)
{
	uint64_t most = half(q) / q->count;

	return most < COST ? COST : most;
}

static struct quota_share *add(struct quota *q, size_t at, const char *name)
{
	struct quota_share *share = xcalloc(1, sizeof(*share));

	q->list = xreallocarray(q->list, q->count + 1, sizeof(struct quota_share *));
	memmove(&q->list[at + 1], &q->list[at], (q->count - at) * sizeof(struct quota_share *));
	q->list[at] = share;
	q->count++;
	share->name = xstrdup(name);
	share->left = most_of_one(q);
	return share;
}

static void free_share(struct quota_share *share)
{
	free(share->name);
	free(share);
}

struct quota *quota_new(unsigned a_minute)
{
	struct quota *q = xcalloc(1, sizeof(*q));

	q->a_minute = a_minute;
	q->lent = half(q);
	add(q, 0, "");
	return q;
}

void quota_free(struct quota *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->count; i++)
		free_share(q->list[i]);
	free(q->list);
	free(q);
}

struct quota_share *quota_share(struct quota *q, const char *name)
{
	bool found;
	size_t at = sorted_place(q->list, q->count, name_at, name, &found);

	if (found)
		return q->list[at];
	return q->count < QUOTA_SHARES_MOST ? add(q, at, name) : q->list[0];
}

void quota_drop(struct quota *q, const char *name)
{
	bool found;
	size_t at = sorted_place(q->list, q->count, name_at, name, &found);

	if (!found || at == 0)
		return;
	free_share(q->list[at]);
	memmove(&q->list[at], &q->list[at + 1], (q->count - at - 1) * sizeof(struct quota_share *));
	q->count--;
}

/* What one cannot hold is lent. */
static void fill(struct quota *q, uint64_t now_ms)
{
	uint64_t most = most_of_one(q), passed = now_ms - q->filled_ms, each;

	if (passed < FILL_EVERY_MS)
		return;
	q->filled_ms = now_ms;
	each = (passed < MINUTE_MS ? passed : MINUTE_MS) * q->a_minute * (COST / MINUTE_MS) /
	       q->count;
	for (size_t i = 0; i < q->count; i++) {
		struct quota_share *share = q->list[i];

		share->left += each;
		if (share->left <= most)
			continue;
		q->lent += share->left - most;
		share->left = most;
	}
	if (q->lent > half(q))
		q->lent = half(q);
}

bool quota_take(struct quota *q, struct quota_share *share, uint64_t now_ms)
{
	uint64_t own;

	fill(q, now_ms);
	own = share->left < COST ? share->left : COST;
	if (q->lent < COST - own)
		return false;
	share->left -= own;
	q->lent -= COST - own;
	return true;
}

size_t quota_count(const struct quota *q) { return q->count; }
const struct quota_share *quota_at(const struct quota *q, size_t i) { return q->list[i]; }
