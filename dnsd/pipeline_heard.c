/* pipeline_heard.c -- what the neighbours say, and what of it was kept from before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "dnsd/pipeline_inside.h"
#include "dnsd/zone_loader.h"
#include "records/build.h"
#include "watcher/store.h"
#include "zones/build.h"

void pipeline_on_addresses(struct bytes host, const struct addr *addresses, size_t count,
                           uint32_t ttl_s, void *arg)
{
	struct pipeline *p = arg;
	struct buffer value = {0};

	records_set_host(p->records, host, addresses, count, ttl_s);
	for (size_t i = 0; i < count; i++) {
		buffer_u8(&value, addresses[i].family);
		buffer_put(&value, addresses[i].bytes, sizeof addresses[i].bytes);
	}
	saved_put_value(p->saved, SAVED_HOST, host, (struct bytes){value.data, value.len});
	buffer_fini(&value);
	pipeline_poke(p);
}

void pipeline_on_trouble(struct bytes host, const char *message, void *arg)
{
	struct pipeline *p = arg;
	char where[512];

	snprintf(where, sizeof where, "host name %.*s", (int)host.len, (const char *)host.data);
	store_set_error(p->store, where, message);
	p->report_stale = true;
	pipeline_poke(p);
}

static void restore_host(struct bytes host, struct bytes value, void *arg)
{
	enum { EACH = 1 + sizeof((struct addr *)0)->bytes };
	struct pipeline *p = arg;
	size_t count = value.len / EACH;
	struct addr *addresses = xcalloc(count + 1, sizeof *addresses);

	for (size_t i = 0; i < count; i++) {
		addresses[i].family = value.data[i * EACH];
		memcpy(addresses[i].bytes, value.data + i * EACH + 1, EACH - 1);
	}
	records_set_host(p->records, host, addresses, count, 0);
	if (p->resolver != NULL)
		resolver_seed(p->resolver, host, addresses, count);
	free(addresses);
}

static void restore_held(struct bytes owner, struct bytes value, void *arg)
{
	struct pipeline *p = arg;
	struct records_times now = {p->started_ms, p->unix_ms_at_0};

	if (!records_restore_held(p->records, p->facts, &now, owner, value))
		log_warn("dnsd", "a name that was held is not as it was saved, and is left out");
}

static void restore_shift(struct bytes cluster, struct bytes shift, void *arg)
{
	struct pipeline *p = arg;

	if (!records_restore_shift(p->records, p->facts, cluster, shift))
		log_warn("dnsd", "a shift is not as it was saved, and is left out");
}

void pipeline_on_verdict(void *arg)
{
	struct pipeline *p = arg;

	p->probes_stale = true;
	pipeline_poke(p);
}

void pipeline_on_rankings(const struct ranking *plain, const struct geo_loader_ranked *ranked,
                          size_t count, void *arg)
{
	struct pipeline *p = arg;

	atomic_store_explicit(&p->pulse->memory_ranking, ranking_memory(plain),
	                      memory_order_relaxed);
	zones_set_ranking(p->zones, ranking_ref(plain));
	rulebook_rank(p->rulebook, plain, ranked, count, p->geo);
	pipeline_poke(p);
}

void pipeline_on_geo_errors(const char *errors, void *arg)
{
	struct pipeline *p = arg;

	free(p->errors.geo);
	p->errors.geo = errors != NULL ? xstrdup(errors) : NULL;
	p->report_stale = true;
	pipeline_poke(p);
}

void pipeline_on_zone_file(struct bytes apex, const struct zonefile *file, void *arg)
{
	struct pipeline *p = arg;

	zones_set_file(p->zones, apex, file);
	/* Whatever has changed, all of it was read. */
	p->untrimmed += file != NULL ? zonefile_name_count(file) : 0;
	p->report_stale = true;
	pipeline_poke(p);
}

void pipeline_on_zone_errors(void *arg)
{
	struct pipeline *p = arg;
	struct text lines = {0};

	zone_loader_print(p->zone_files, &lines);
	free(p->errors.zone_files);
	p->errors.zone_files = lines.len > 0 ? text_take(&lines) : NULL;
	text_fini(&lines);
	p->report_stale = true;
	pipeline_poke(p);
}

void pipeline_restore(struct pipeline *p)
{
	saved_each_value(p->saved, SAVED_HOST, restore_host, p);
	saved_each_value(p->saved, SAVED_HELD, restore_held, p);
	saved_each_value(p->saved, SAVED_SHIFT, restore_shift, p);
}
