/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/splitter_sink.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { ROOM_LEAST = 4096 };

static void give_back(struct splitter_sink *k)
{
	free(k->data);
	k->data = NULL;
	k->room = 0;
}

/* At most doubled: struct buffer would go to twice the limit. */
static void grow(struct splitter_sink *k, size_t need)
{
	size_t room = k->room < ROOM_LEAST ? ROOM_LEAST : k->room * 2;

	if (room > k->most + SPLITTER_SINK_SLACK)
		room = k->most + SPLITTER_SINK_SLACK;
	k->room = room > need ? room : need;
	k->data = xrealloc(k->data, k->room);
}

void splitter_sink_add(struct splitter_sink *k, const void *data, size_t len)
{
	uint64_t before = k->len;

	k->len += len;
	if (k->full || len == 0)
		return;
	if (k->len > (uint64_t)k->most + SPLITTER_SINK_SLACK) {
		give_back(k);
		k->full = true;
		return;
	}
	if (k->len > k->room)
		grow(k, (size_t)k->len);
	memcpy(k->data + before, data, len);
}

bool splitter_sink_fits(const struct splitter_sink *k) { return !k->deep && k->len <= k->most; }

struct bytes splitter_sink_bytes(const struct splitter_sink *k)
{
	return (struct bytes){k->data, (size_t)k->len};
}

void splitter_sink_clear(struct splitter_sink *k, size_t left)
{
	if (k->room > left)
		give_back(k);
	k->len = 0;
	k->full = k->deep = false;
}
