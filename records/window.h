/* window.h -- the names of a zone that lost their last address in the last minute, and are not back.
 *
 * A name counts once, however often it comes and goes.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_WINDOW_H
#define RECORDS_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "records/idmap.h"

enum { WINDOW_MS = 60 * 1000 };

struct window_loss {
	uint64_t at_ms;
	uint32_t hash;   /* owner_hash() */
	uint32_t number; /* what `lost` has for it while it is lost; others are of the past */
	size_t names;    /* names with addresses in the zone before */
};

struct window {                   /* zeroed: empty */
	struct window_loss *list; /* oldest first, from `begin` on */
	size_t begin, count, room;
	struct idmap lost;
	uint32_t last_number;
};

void window_fini(struct window *w);
void window_clear(struct window *w);
void window_lose(struct window *w, uint32_t hash, size_t names, uint64_t now_ms);
void window_regain(struct window *w, uint32_t hash); /* fine when it was not lost */
/* How many; *names: how many names the zone had before the first of them was lost, 0: none was. */
size_t window_count(struct window *w, uint64_t now_ms, size_t *names);

#endif
