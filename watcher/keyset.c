/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/keyset.h"

#include <stdlib.h>

#include "base/random.h"
#include "base/xalloc.h"

enum { ROOM_FIRST = 64 };

void keyset_reset(struct keyset *s)
{
	free(s->slot);
	*s = (struct keyset){0};
	random_bytes(&s->key, sizeof(s->key));
}

static uint64_t hash_of(const struct keyset *s, struct bytes namespace, struct bytes name)
{
	uint64_t hash = hash_siphash(&s->key, namespace.data, namespace.len);

	hash = hash_mix(hash, hash_siphash(&s->key, name.data, name.len));
	return hash ? hash : 1;
}

/* Where it is, or would be. */
static size_t find(const struct keyset *s, uint64_t hash)
{
	size_t at = hash & (s->room - 1);

	while (s->slot[at] != 0 && s->slot[at] != hash)
		at = (at + 1) & (s->room - 1);
	return at;
}

static void grow(struct keyset *s)
{
	struct keyset old = *s;

	s->room = s->room ? s->room * 2 : ROOM_FIRST;
	s->slot = xcalloc(s->room, sizeof(*s->slot));
	for (size_t i = 0; i < old.room; i++)
		if (old.slot[i] != 0)
			s->slot[find(s, old.slot[i])] = old.slot[i];
	free(old.slot);
}

void keyset_add(struct keyset *s, struct bytes namespace, struct bytes name)
{
	uint64_t hash = hash_of(s, namespace, name);
	size_t at;

	if (s->count * 4 >= s->room * 3)
		grow(s);
	at = find(s, hash);
	s->count += s->slot[at] == 0;
	s->slot[at] = hash;
}

bool keyset_has(const struct keyset *s, struct bytes namespace, struct bytes name)
{
	return s->room > 0 && s->slot[find(s, hash_of(s, namespace, name))] != 0;
}
