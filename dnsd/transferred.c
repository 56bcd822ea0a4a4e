/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/transferred.h"

#include <string.h>

#include "base/text.h"

void transferred_renew_serials(struct zones *z, const struct snapshot *last,
                               const struct terms *fresh)
{
	const struct zone *zone;

	for (size_t i = 0; last != NULL && (zone = snapshot_zone(last, i)) != NULL; i++) {
		const uint8_t *apex = zone_apex(zone);
		const char *before = terms_transferred_as(snapshot_terms(last), apex);

		if (!bytes_equal_text(bytes_of(before), terms_transferred_as(fresh, apex)))
			zones_raise_serial(z, (struct bytes){apex, names_wire_len(apex)},
			                   zone_serial(zone));
	}
}

static bool is_there(const struct records_result *r, const char *cluster)
{
	for (size_t i = 0; i < r->cluster_count; i++)
		if (strcmp(r->clusters[i].name, cluster) == 0)
			return true;
	return false;
}

void transferred_each_zone(const struct config *c, const struct records_result *r,
                           transferred_on_zone_fn *fn, void *arg)
{
	struct text where = {0}, message = {0};

	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *zone = &c->zones[i];
		const char *cluster = zone->transfer.as;

		if (cluster == NULL)
			continue;
		text_reset(&where);
		text_printf(&where, "config zone %s", zone->name);
		text_reset(&message);
		text_printf(&message,
		            "transfer.as: there is no cluster %s, so every cluster's sites are "
		            "transferred",
		            cluster);
		fn(zone, where.data, r == NULL || is_there(r, cluster) ? NULL : message.data, arg);
	}
	text_fini(&where);
	text_fini(&message);
}
