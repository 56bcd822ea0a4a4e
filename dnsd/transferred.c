/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/transferred.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void transferred_renew_serials(struct zones *z, const struct snapshot *last,
                               const struct terms *fresh)
{
	const struct zone *zone;

	for (size_t i = 0; last != NULL && (zone = snapshot_zone(last, i)) != NULL; i++) {
		const uint8_t *apex = zone_apex(zone);

		if (!same_text(terms_transferred_as(snapshot_terms(last), apex),
		               terms_transferred_as(fresh, apex)))
			zones_raise_serial(z, (struct bytes){apex, names_wire_len(apex)},
			                   zone_serial(zone));
	}
}
