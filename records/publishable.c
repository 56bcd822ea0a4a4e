/* SPDX-License-Identifier: Apache-2.0 */
#include "records/publishable.h"

#include <string.h>

/* 0/8, 127/8, 169.254/16, 224/4, 255.255.255.255; written out, as a million addresses pass here. */
static bool is_never_ipv4(const uint8_t *b)
{
	return b[0] == 0 || b[0] == 127 || (b[0] == 169 && b[1] == 254) || (b[0] & 0xf0) == 224 ||
	       (b[0] == 255 && b[1] == 255 && b[2] == 255 && b[3] == 255);
}

/* ::, ::1, fe80::/10, ff00::/8 */
static bool is_never_ipv6(const uint8_t *b)
{
	static const uint8_t zeros[15];

	return (memcmp(b, zeros, sizeof(zeros)) == 0 && b[15] <= 1) ||
	       (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || b[0] == 0xff;
}

static bool any_has(const struct addr_network *list, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (addr_network_has(&list[i], a))
			return true;
	return false;
}

bool publishable_allows(const struct records_settings *settings, const struct addr *a)
{
	struct addr plain = addr_unmapped(a);
	bool never =
		plain.family == ADDR_IPV4 ? is_never_ipv4(plain.bytes) : is_never_ipv6(plain.bytes);

	if (any_has(settings->allow, settings->allow_count, &plain))
		return true;
	return !never && !any_has(settings->deny, settings->deny_count, &plain);
}
