/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnsd/pipeline_inside.h"
#include "dnsd/zone_loader.h"
#include "records/names.h"
#include "zones/build.h"

enum { NAME_MOST = 255, HEAD_LEN = 2 * sizeof(uint64_t) + 2 * sizeof(uint32_t) };

/* --- the estate: the secret of cookies, the user, the length of what is said of zone files, that, a base of the saved state --- */

void pipeline_print_estate(struct pipeline *p, struct buffer *out)
{
	const struct hash_key *key = &p->secrets.cookies.random.key[0];
	struct buffer files = {0}, facts = {0};

	/* The last serials themselves, not what the state holds in reserve. */
	wiring_save_last_serials(p->last, p->saved);
	saved_print(p->saved, &facts);
	wiring_save_serials(p->last, p->saved);
	zone_loader_print_served(p->zone_files, &files);
	/* At once, so that no part of the secret stays behind when the buffer grows. */
	(void)buffer_extend(out, HEAD_LEN + files.len + facts.len);
	buffer_reset(out);
	buffer_u64(out, key->k0);
	buffer_u64(out, key->k1);
	buffer_u32(out, geteuid());
	buffer_u32(out, (uint32_t)files.len);
	buffer_put(out, files.data, files.len);
	buffer_put(out, facts.data, facts.len);
	buffer_fini(&files);
	buffer_fini(&facts);
}

bool pipeline_parse_estate(struct bytes printed, struct pipeline_estate *out)
{
	struct cursor c = cursor_over(printed.data, printed.len);

	size_t files_len;

	if (printed.len < HEAD_LEN)
		return false;
	out->cookies.k0 = cursor_u64(&c);
	out->cookies.k1 = cursor_u64(&c);
	out->user = cursor_u32(&c);
	files_len = cursor_u32(&c);
	if (cursor_left(&c) <= files_len)
		return false;
	out->files = cursor_bytes(&c, files_len);
	out->facts = cursor_bytes(&c, cursor_left(&c));
	return true;
}

int pipeline_lock(const struct pipeline *p) { return saved_lock(p->saved); }

void pipeline_begin_saving(struct pipeline *p)
{
	saved_resume(p->saved);
	zone_loader_keep(p->zone_files, true);
}

/* --- serials: for each zone the length of its apex, the apex, the serial --- */

void pipeline_freeze(struct pipeline *p, struct buffer *serials)
{
	const struct zone *zone;

	p->is_frozen = true;
	saved_suspend(p->saved);
	zone_loader_keep(p->zone_files, false);
	for (size_t i = 0; (zone = snapshot_zone(p->last, i)) != NULL; i++) {
		size_t len = names_wire_len(zone_apex(zone));

		buffer_u8(serials, (uint8_t)len);
		buffer_put(serials, zone_apex(zone), len);
		buffer_u32(serials, zone_serial(zone));
	}
}

void pipeline_thaw(struct pipeline *p)
{
	p->is_frozen = false;
	pipeline_begin_saving(p);
	pipeline_skip_serials(p);
	pipeline_poke(p);
}

bool pipeline_take_serials(struct pipeline *p, struct bytes serials)
{
	struct cursor c = cursor_over(serials.data, serials.len);

	while (cursor_left(&c) > 0) {
		size_t len = cursor_u8(&c);
		struct bytes apex;

		if (len == 0 || len > NAME_MOST || cursor_left(&c) < len + sizeof(uint32_t))
			return false;
		apex = cursor_bytes(&c, len);
		zones_raise_serial(p->zones, apex, cursor_u32(&c));
	}
	pipeline_publish(p);
	return true;
}

/* The other one's were the next ones, or the time. */
void pipeline_skip_serials(struct pipeline *p)
{
	uint32_t now_s = (uint32_t)clock_unix_s();
	const struct zone *zone;

	for (size_t i = 0; (zone = snapshot_zone(p->last, i)) != NULL; i++) {
		struct bytes apex = {zone_apex(zone), names_wire_len(zone_apex(zone))};

		zones_raise_serial(p->zones, apex, zone_serial(zone) + WIRING_SERIALS_AHEAD);
		zones_raise_serial(p->zones, apex, now_s + WIRING_SERIALS_AHEAD);
	}
	pipeline_publish(p);
}

/* --- when --- */

/* What was only handed over, and not seen since, may have changed meanwhile. */
static bool is_unseen(const struct cluster_state *state)
{
	/* A folder that is not there has been looked for. */
	return state != NULL && state->registered && state->source != CLUSTER_MANIFESTS &&
	       state->knowledge != KNOWLEDGE_SYNCED;
}

static bool sources_are_seen(const struct pipeline *p)
{
	if (p->sources == NULL || !sources_manifests_are_read(p->sources, false))
		return false;
	for (uint16_t id = 0; id < facts_cluster_count(p->facts); id++)
		if (is_unseen(facts_cluster(p->facts, id)))
			return false;
	return true;
}

bool pipeline_is_current(struct pipeline *p)
{
	bool is_reading = false, lacks = zone_loader_lacking(p->zone_files, &is_reading) != NULL;

	if (!p->ready)
		return false;
	if (clock_monotonic_ms() - p->started_ms >= p->config->patience_ms)
		return !lacks || !is_reading;
	return !lacks && sources_are_seen(p) && !facts_has_changes(p->facts) &&
	       geo_loader_is_current(p->geo) && zone_loader_is_read(p->zone_files);
}

const char *pipeline_lacks_file(const struct pipeline *p)
{
	bool is_reading;

	return zone_loader_lacking(p->zone_files, &is_reading);
}

static void add_awaited(struct text *out, const char *what, const char *name)
{
	text_printf(out, "%s%s%s", out->len > 0 ? ", " : "", what, name);
}

uint64_t pipeline_print_awaited(const struct pipeline *p, struct text *out)
{
	uint64_t for_ms = clock_monotonic_ms() - p->started_ms;
	struct snapshot_zone_file file;

	if (p->sources != NULL && !sources_manifests_are_read(p->sources, false))
		add_awaited(out, "manifests", "");
	for (uint16_t id = 0; id < facts_cluster_count(p->facts); id++)
		if (is_unseen(facts_cluster(p->facts, id)))
			add_awaited(out, "cluster ",
			            id == FACTS_HOST ? "(host)" : facts_cluster_name(p->facts, id));
	if (!geo_loader_is_current(p->geo))
		add_awaited(out, "geographic files", "");
	for (size_t i = 0; zone_loader_file(p->zone_files, i, &file); i++)
		if (file.read_at == 0)
			add_awaited(out, "", file.path);
	if (out->len == 0)
		add_awaited(out, "what has changed", "");
	return for_ms < p->config->patience_ms ? p->config->patience_ms - for_ms : 0;
}
