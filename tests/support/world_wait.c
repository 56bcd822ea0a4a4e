/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "tests/support/world_inside.h"

enum { REST_MS = 10, ALLOWANCE_MS = 50 /* for a look that began just before the deadline */ };

uint64_t inside_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void inside_rest(void)
{
	struct timespec rest = {.tv_nsec = REST_MS * 1000000L};

	nanosleep(&rest, NULL);
}

struct deadline inside_deadline(unsigned within_ms)
{
	return (struct deadline){within_ms ? inside_now_ms() + within_ms + ALLOWANCE_MS : 0};
}

bool inside_has_time(struct deadline d) { return inside_now_ms() < d.at_ms; }
