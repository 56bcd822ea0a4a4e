/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/source.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

struct source {
	uint32_t users;
	char text[];
};

static struct source *source_at(const uint8_t *base, uint32_t place)
{
	return slab_at(base, place);
}

const char *source_text(const uint8_t *base, uint32_t place)
{
	return source_at(base, place)->text;
}

uint32_t source_ref(struct slab *slab, uint32_t place)
{
	if (place)
		source_at(slab_base(slab), place)->users++;
	return place;
}

void source_unref(struct slab *slab, uint32_t place)
{
	struct source *s = source_at(slab_base(slab), place);

	if (place && --s->users == 0)
		slab_give_back(slab, place, sizeof(*s) + strlen(s->text) + 1);
}

uint32_t source_take(struct sources *s, const char *text)
{
	struct bytes b = bytes_of(text);
	struct source *made;
	uint32_t *recent;

	if (b.len == 0)
		return 0;
	/* Mostly it is the one from just before. */
	if (strcmp(source_text(slab_base(s->slab), s->latest), text) == 0)
		return source_ref(s->slab, s->latest);
	recent = &s->recent[hash_fixed(b) % SOURCE_RECENT];
	if (*recent && strcmp(source_text(slab_base(s->slab), *recent), text) == 0) {
		s->latest = *recent;
		return source_ref(s->slab, *recent);
	}
	source_unref(s->slab, *recent);
	*recent = slab_alloc(s->slab, sizeof(*made) + b.len + 1);
	made = source_at(slab_base(s->slab), *recent);
	made->users = 1;
	s->latest = *recent;
	memcpy(made->text, text, b.len + 1);
	return source_ref(s->slab, *recent);
}
