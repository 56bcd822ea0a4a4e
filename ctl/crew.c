/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/crew.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/check.h"

enum { AT_ONCE = 32 };

struct crew {
	atomic_size_t next;
	size_t count;
	crew_fn *fn;
	void *arg;
};

static void *work(void *arg)
{
	struct crew *c = arg;

	for (size_t i; (i = atomic_fetch_add(&c->next, 1)) < c->count;)
		c->fn(i, c->arg);
	return NULL;
}

void crew_run(size_t count, crew_fn *fn, void *arg)
{
	struct crew crew = {.count = count, .fn = fn, .arg = arg};
	pthread_t hands[AT_ONCE - 1];
	size_t hired = 0;

	/* Where there are no more threads it takes longer. */
	while (hired < AT_ONCE - 1 && hired + 1 < count &&
	       pthread_create(&hands[hired], NULL, work, &crew) == 0)
		hired++;
	(void)work(&crew);
	for (size_t i = 0; i < hired; i++)
		CHECK(pthread_join(hands[i], NULL) == 0);
}
