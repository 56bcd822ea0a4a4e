/* pipeline_orders.c -- what the HTTP thread has the pipeline do (orders.h). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dnsd/pipeline_inside.h"
#include "dnsd/transfers.h"
#include "dnsd/zone_loader.h"
#include "records/names.h"

static enum err release(struct pipeline *p, const char *zone, struct reason *why)
{
	enum err err = records_release(p->records, zone);

	pipeline_poke(p);
	return err == ERR_OK ? ERR_OK : reason_set(why, err, "nothing is held in zone %s", zone);
}

/* Returns how many are told. */
static uint64_t tell_of(struct pipeline *p, const struct config_zone *zone)
{
	uint8_t apex[NAMES_WIRE_MAX];
	size_t len;

	if (zone->transfer.notify_count == 0 || p->transfers == NULL ||
	    names_from_text(bytes_of(zone->name), apex, &len, NULL) != ERR_OK)
		return 0;
	transfers_notify(p->transfers, (struct bytes){apex, len});
	return zone->transfer.notify_count;
}

static enum err notify(struct pipeline *p, const char *zone, uint64_t *count, struct reason *why)
{
	uint8_t apex[NAMES_WIRE_MAX];
	size_t len;
	const struct config_zone *one;
	bool all = strcmp(zone, ORDERS_ALL_ZONES) == 0;
	enum err err = all ? ERR_OK : names_from_text(bytes_of(zone), apex, &len, why);

	*count = 0;
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; all && i < p->config->zone_count; i++)
		*count += tell_of(p, &p->config->zones[i]);
	one = all ? NULL : wiring_find_zone(p->config, apex);
	if (!all && one == NULL)
		return reason_set(why, ERR_NOTFOUND, "the config has no zone %s", zone);
	if (one != NULL)
		*count = tell_of(p, one);
	return *count > 0 ? ERR_OK
	                  : reason_set(why, ERR_CONFLICT,
	                               "there is nobody to tell: zones.transfer.notify is empty");
}

/* What has no file may be no zone at all. */
static enum err reload(struct pipeline *p, const char *zone, uint64_t *reading, struct reason *why)
{
	enum err err = zone_loader_read(p->zone_files, zone, reading, why);
	struct name name;

	if (err == ERR_NOTFOUND && name_from_text(&name, bytes_of(zone), NULL) == ERR_OK &&
	    (p->last == NULL || snapshot_find_apex(p->last, &name) == NULL))
		return reason_set(why, err, "there is no zone %s", zone);
	return err;
}

static enum err let_back(struct pipeline *p, const struct order_about *about, uint64_t *count,
                         struct reason *why)
{
	enum err err = failback_release(p->failback, about, p->zones, count, why);

	p->report_stale = true;
	pipeline_poke(p);
	return err;
}

enum err pipeline_obey(enum order order, const struct order_about *about, void *arg,
                       uint64_t *result, struct reason *why)
{
	struct pipeline *p = arg;

	switch (order) {
	case ORDER_RELEASE:
		*result = 0;
		return release(p, about->name, why);
	case ORDER_RELOAD:
		return reload(p, about->name, result, why);
	case ORDER_NOTIFY:
		return notify(p, about->name, result, why);
	case ORDER_FAILBACK:
		return let_back(p, about, result, why);
	}
	return ERR_NOTFOUND;
}

enum err pipeline_order(struct pipeline *p, enum order order, const struct order_about *about,
                        uint64_t *result, struct reason *why)
{
	return orders_give(p->orders, order, about, result, why);
}
