/* SPDX-License-Identifier: Apache-2.0 */
#include "records/settings.h"

static struct bytes copy_bytes(struct arena *a, struct bytes s)
{
	return (struct bytes){arena_memdup(a, s.data, s.len), s.len};
}

struct records_settings settings_copy(struct arena *a, const struct records_settings *s)
{
	struct records_settings copy = *s;
	struct bytes *zones = arena_calloc(a, s->zone_count, sizeof(*zones));
	struct records_member *members = arena_calloc(a, s->member_count, sizeof(*members));

	copy.allow = arena_memdup(a, s->allow, s->allow_count * sizeof(*s->allow));
	copy.deny = arena_memdup(a, s->deny, s->deny_count * sizeof(*s->deny));
	for (size_t i = 0; i < s->zone_count; i++)
		zones[i] = copy_bytes(a, s->zones[i]);
	for (size_t i = 0; i < s->member_count; i++) {
		members[i] = s->members[i];
		members[i].name = copy_bytes(a, s->members[i].name);
		members[i].region = copy_bytes(a, s->members[i].region);
	}
	copy.zones = zones;
	copy.members = members;
	return copy;
}
