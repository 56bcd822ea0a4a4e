/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/wiring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "dnsd/verdicts.h"
#include "records/names.h"
#include "records/ramp.h"

enum { FEW_UNWANTED = 256 };

/* --- settings --- */

static void free_networks(const struct addr_network *list)
{
	free((struct addr_network *)(uintptr_t)list);
}

static const struct addr_network *networks_of(const struct conf_strings *texts)
{
	struct addr_network *list = xcalloc(texts->count + 1, sizeof *list);

	for (size_t i = 0; i < texts->count; i++)
		CHECK(addr_network_parse(bytes_of(texts->item[i]), &list[i], NULL) == ERR_OK);
	return list;
}

static struct records_settings settings_of(const struct config *c, struct bytes *zones,
                                           struct records_member *members)
{
	for (size_t i = 0; i < c->member_count; i++)
		members[i] = (struct records_member){
			.name = bytes_of(c->members[i].name),
			.has_location = c->members[i].has_location,
			.location = c->members[i].location,
			.region = bytes_of(c->members[i].region),
			.drained = c->members[i].drain,
		};
	for (size_t i = 0; i < c->zone_count; i++)
		zones[i] = bytes_of(c->zones[i].name);
	return (struct records_settings){
		.default_ttl = (uint32_t)c->defaults.ttl_s,
		.guard_min_names = c->guard.min_names,
		.guard_max_percent = (uint32_t)c->guard.max_withdraw_percent,
		.guard_hold_ms = c->guard.hold_for_ms,
		.allow = networks_of(&c->publish.allow),
		.allow_count = c->publish.allow.count,
		.deny = networks_of(&c->publish.deny),
		.deny_count = c->publish.deny.count,
		.zones = zones,
		.zone_count = c->zone_count,
		.members = members,
		.member_count = c->member_count,
	};
}

void wiring_configure_records(struct records **records, const struct config *c)
{
	struct bytes *zones = xcalloc(c->zone_count + 1, sizeof *zones);
	struct records_member *members = xcalloc(c->member_count + 1, sizeof *members);
	struct records_settings settings = settings_of(c, zones, members);

	if (*records == NULL)
		*records = records_new(&settings);
	else
		records_configure(*records, &settings);
	free_networks(settings.allow);
	free_networks(settings.deny);
	free(members);
	free(zones);
}

/* --- zones and their name servers --- */

const struct config_zone *wiring_find_zone(const struct config *c, const uint8_t *apex)
{
	for (size_t i = 0; i < c->zone_count; i++) {
		uint8_t wire[NAMES_WIRE_MAX];
		size_t len;

		if (names_from_text(bytes_of(c->zones[i].name), wire, &len, NULL) == ERR_OK &&
		    names_wire_equal(wire, apex))
			return &c->zones[i];
	}
	return NULL;
}

/* No name servers are said: ns.<zone> at the addresses that nighd listens on. */
static void preset_nameserver(struct arena *a, struct zones_zone *zone,
                              const struct server_address *listening, size_t listening_count)
{
	struct zones_nameserver *ns = arena_calloc(a, 1, sizeof *ns);
	struct addr *addresses = arena_calloc(a, listening_count + 1, sizeof *addresses);
	uint8_t *wire = arena_alloc(a, zone->apex.len + 3);
	size_t count = 0;

	for (size_t i = 0; i < listening_count; i++)
		if (!addr_is_any(&listening[i].addr))
			addresses[count++] = listening[i].addr;
	memcpy(wire, "\2ns", 3);
	memcpy(wire + 3, zone->apex.data, zone->apex.len);
	/* An apex of over 252 bytes has no room for the label: then the apex itself is named. */
	ns->name = zone->apex.len + 3 <= NAMES_WIRE_MAX ? (struct bytes){wire, zone->apex.len + 3}
	                                                : zone->apex;
	ns->addresses = addresses;
	ns->address_count = count;
	zone->nameservers = ns;
	zone->nameserver_count = 1;
}

static void config_nameservers(struct arena *a, struct zones_zone *zone,
                               const struct config_zone *from)
{
	struct zones_nameserver *ns = arena_calloc(a, from->nameserver_count, sizeof *ns);

	for (size_t i = 0; i < from->nameserver_count; i++) {
		uint8_t *wire = arena_alloc(a, NAMES_WIRE_MAX);

		CHECK(names_from_text(bytes_of(from->nameservers[i].name), wire, &ns[i].name.len,
		                      NULL) == ERR_OK);
		ns[i].name.data = wire;
		ns[i].addresses = from->nameservers[i].addresses;
		ns[i].address_count = from->nameservers[i].address_count;
	}
	zone->nameservers = ns;
	zone->nameserver_count = from->nameserver_count;
}

static uint32_t saved_serial(const struct saved *saved, struct bytes apex)
{
	struct bytes value = {0};

	if (!saved_find_value(saved, SAVED_SERIAL, apex, &value) || value.len != 4)
		return 0;
	return bytes_get32(value.data);
}

/* RFC 1982 3.2; 0 is none. */
static uint32_t later(uint32_t a, uint32_t b)
{
	return a == 0 || (b != 0 && b - a < UINT32_C(0x80000000)) ? b : a;
}

static void put_serial(struct saved *saved, struct bytes apex, uint32_t serial)
{
	uint8_t value[4];

	bytes_put32(value, serial);
	saved_put_value(saved, SAVED_SERIAL, apex, (struct bytes){value, sizeof value});
}

static void reserve_serials(struct saved *saved, struct bytes apex, uint32_t serial)
{
	uint32_t held = saved_serial(saved, apex);

	if (held == 0 || later(held, serial + WIRING_SERIALS_AHEAD / 2) != held)
		put_serial(saved, apex, serial + WIRING_SERIALS_AHEAD);
}

size_t wiring_zone_files(struct arena *a, const struct config *c,
                         const struct zone_loader_zone **out)
{
	struct zone_loader_zone *list = arena_calloc(a, c->zone_count + 1, sizeof *list);
	size_t count = 0;

	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *zone = &c->zones[i];
		uint8_t wire[NAMES_WIRE_MAX];
		struct name name;
		size_t len;

		if (zone->file == NULL ||
		    names_from_text(bytes_of(zone->name), wire, &len, NULL) != ERR_OK ||
		    name_parse(&name, wire, len) != len)
			continue;
		list[count++] = (struct zone_loader_zone){
			.apex = {arena_memdup(a, name.wire, len), len},
			.path = zone->file,
			.line = zone->file_line,
			.ttl = (uint32_t)(zone->ttl_s != 0 ? zone->ttl_s : c->defaults.ttl_s),
			.has_nameservers = zone->nameserver_count > 0,
		};
	}
	*out = list;
	return count;
}

void wiring_set_zones(struct zones *z, const struct records_result *r, const struct config *c,
                      const struct server_address *listening, size_t listening_count,
                      struct saved *saved)
{
	struct arena *a = arena_new();
	struct zones_zone *zones = arena_calloc(a, r->zone_count + 1, sizeof *zones);

	for (size_t i = 0; i < r->zone_count; i++) {
		struct zones_zone *zone = &zones[i];
		const struct config_zone *from = wiring_find_zone(c, r->zones[i].apex.data);
		char text[NAMES_TEXT_SIZE];

		zone->apex = r->zones[i].apex;
		zone->ttl = (uint32_t)(from != NULL && from->ttl_s != 0 ? from->ttl_s
		                                                        : c->defaults.ttl_s);
		zone->negative_ttl = (uint32_t)c->defaults.negative_ttl_s;
		zone->has_file = from != NULL && from->file != NULL;
		if (from != NULL && from->nameserver_count > 0) {
			config_nameservers(a, zone, from);
		} else if (!zone->has_file) {
			preset_nameserver(a, zone, listening, listening_count);
			log_warn(
				"dnsd",
				"zone has no nameservers in the config, ns.<zone> at the listening "
				"addresses is published zone=%s",
				names_to_text(zone->apex.data, text));
		}
		if (saved != NULL) {
			zone->serial = saved_serial(saved, zone->apex);
			reserve_serials(saved, zone->apex,
			                later(zone->serial, (uint32_t)clock_unix_s()));
		}
	}
	if (saved != NULL)
		saved_flush(saved);
	zones_set_zones(z, zones, r->zone_count);
	arena_free(a);
}

void wiring_save_serials(const struct snapshot *s, struct saved *saved)
{
	const struct zone *zone;

	for (size_t i = 0; (zone = snapshot_zone(s, i)) != NULL; i++)
		reserve_serials(saved,
		                (struct bytes){zone_apex(zone), names_wire_len(zone_apex(zone))},
		                zone_serial(zone));
}

void wiring_save_last_serials(const struct snapshot *s, struct saved *saved)
{
	const struct zone *zone;

	for (size_t i = 0; (zone = snapshot_zone(s, i)) != NULL; i++)
		put_serial(saved, (struct bytes){zone_apex(zone), names_wire_len(zone_apex(zone))},
		           zone_serial(zone));
}

/* --- what is not wanted any more --- */

/* Keys in byte order, and those of the state that are not among them. */
struct unwanted {
	const struct bytes *wanted;
	size_t wanted_count;
	struct buffer keys;
};

static void on_saved(struct bytes key, struct bytes value, void *arg)
{
	struct unwanted *u = arg;

	(void)value;
	if (u->wanted_count == 0 ||
	    bsearch(&key, u->wanted, u->wanted_count, sizeof key, bytes_by_order) == NULL)
		buffer_str16(&u->keys, key);
}

void wiring_forget(struct saved *saved, enum saved_class class, const struct bytes *wanted,
                   size_t count)
{
	struct unwanted u = {wanted, count, {NULL, 0, 0}};
	struct cursor c;

	saved_each_value(saved, class, on_saved, &u);
	c = cursor_over(u.keys.data, u.keys.len);
	while (cursor_left(&c) > 0)
		saved_put_value(saved, class, cursor_str16(&c), (struct bytes){NULL, 0});
	buffer_fini(&u.keys);
}

static void forget_probes(const struct records_result *r, struct saved *saved)
{
	struct arena *a = arena_new();
	struct bytes *wanted = arena_calloc(a, r->probe_count + 1, sizeof *wanted);
	size_t count = 0;

	for (size_t i = 0; i < r->probe_count; i++) {
		char text[VERDICTS_KEY_SIZE];

		if (r->probes[i].addr.family == ADDR_NONE)
			continue;
		verdicts_print_key(r, &r->probes[i], text);
		wanted[count++] = bytes_of(arena_strdup(a, text));
	}
	qsort(wanted, count, sizeof *wanted, bytes_by_order);
	wiring_forget(saved, SAVED_PROBE, wanted, count);
	arena_free(a);
}

/* More than twice what is wanted, so that the work is in proportion to what came and went. */
static bool is_much(const struct saved *saved, enum saved_class class, size_t wanted)
{
	return saved_count_values(saved, class) > 2 * wanted + FEW_UNWANTED;
}

void wiring_forget_unwanted(const struct records_result *r, struct saved *saved)
{
	if (is_much(saved, SAVED_HOST, r->host_count))
		wiring_forget(saved, SAVED_HOST, r->hosts, r->host_count);
	if (is_much(saved, SAVED_PROBE, r->probe_count))
		forget_probes(r, saved);
}

/* --- clusters --- */

static bool is_expired(const struct cluster_state *state, const struct wiring_times *times)
{
	return times->unseen_after_ms != 0 && state->knowledge == KNOWLEDGE_UNSEEN &&
	       times->at_ms - state->since_ms > times->unseen_after_ms;
}

/* down[id]: the cluster has addresses that are probed, and none of them answers. */
static bool *down_clusters(struct arena *a, const struct records_result *r,
                           const struct zones_probe *probes, size_t count)
{
	bool *down = arena_calloc(a, FACTS_MAX_CLUSTERS, sizeof *down);
	bool *up = arena_calloc(a, FACTS_MAX_CLUSTERS, sizeof *up);

	for (size_t i = 0; i < r->probe_count; i++)
		if (r->probes[i].addr.family != ADDR_NONE)
			(i < count && probes[i].down ? down : up)[r->probes[i].cluster] = true;
	for (size_t id = 0; id < FACTS_MAX_CLUSTERS; id++)
		down[id] = down[id] && !up[id];
	return down;
}

static const char *const *zones_text(struct arena *a, const struct records_cluster *c)
{
	const char **list = arena_calloc(a, c->zone_count + 1, sizeof *list);

	for (size_t i = 0; i < c->zone_count; i++)
		list[i] = arena_strndup(a, (const char *)c->zones[i].data, c->zones[i].len);
	return list;
}

static const char *source_text(enum cluster_source source)
{
	static const char *const text[] = {[CLUSTER_MANIFESTS] = "manifests",
	                                   [CLUSTER_KUBERNETES] = "kubernetes",
	                                   [CLUSTER_MEMBER] = "member",
	                                   [CLUSTER_SITES] = "sites"};

	return text[source];
}

const char *wiring_knowledge_text(enum knowledge knowledge)
{
	static const char *const text[] = {[KNOWLEDGE_NEVER] = "never",
	                                   [KNOWLEDGE_SYNCED] = "synced",
	                                   [KNOWLEDGE_UNSEEN] = "unseen"};

	return text[knowledge];
}

_Static_assert((int)RAMP_WHOLE == (int)SNAPSHOT_EVERYBODY, "shares are of the same whole");

/* A cluster that may have nobody any more, or not yet, is drained. */
static void apply_shift(struct arena *a, const struct ramp *r, int64_t unix_s,
                        struct snapshot_cluster *out)
{
	struct snapshot_shift *shift = arena_calloc(a, 1, sizeof *shift);
	uint32_t share = ramp_share(r, unix_s);
	struct text curve = {0};

	*shift = (struct snapshot_shift){.from = r->from,
	                                 .to = r->to,
	                                 .ttl_from = r->ttl_from,
	                                 .start = r->start,
	                                 .end = r->end,
	                                 .ttl = r->ttl};
	ramp_print_curve(r, &curve);
	snprintf(shift->curve, sizeof shift->curve, "%s", curve.data);
	text_fini(&curve);
	out->shift = shift;
	out->withheld = RAMP_WHOLE - share;
	out->ttl_most = ramp_ttl_most(r, unix_s);
	out->drained |= share == 0;
}

void wiring_save_shifts(const struct records_result *r, struct saved *saved)
{
	struct bytes *names = xcalloc(r->cluster_count + 1, sizeof *names);
	struct text text = {0};

	for (size_t i = 0; i < r->cluster_count; i++) {
		text_reset(&text);
		if (r->clusters[i].shift != NULL)
			ramp_print(r->clusters[i].shift, &text);
		names[i] = bytes_of(r->clusters[i].name);
		saved_put_value(saved, SAVED_SHIFT, names[i],
		                (struct bytes){(const uint8_t *)text.data, text.len});
	}
	/* Some cluster is gone. */
	if (saved_count_values(saved, SAVED_SHIFT) > r->cluster_count)
		wiring_forget(saved, SAVED_SHIFT, names, r->cluster_count);
	text_fini(&text);
	free(names);
}

void wiring_set_clusters(struct zones *z, const struct records_result *r,
                         const struct zones_probe *probes, size_t probe_count,
                         const struct wiring_times *times)
{
	struct arena *a = arena_new();
	struct snapshot_cluster *list = arena_calloc(a, r->cluster_count + 1, sizeof *list);
	const bool *down = down_clusters(a, r, probes, probe_count);

	for (size_t i = 0; i < r->cluster_count; i++) {
		const struct records_cluster *c = &r->clusters[i];

		list[i] = (struct snapshot_cluster){
			.id = c->id,
			.name = c->name,
			.source = source_text(c->state->source),
			.knowledge = wiring_knowledge_text(c->state->knowledge),
			.since_ms = c->state->since_ms,
			.region = arena_strndup(a, (const char *)c->region.data, c->region.len),
			.zones = zones_text(a, c),
			.has_place = c->has_place,
			.place = c->place,
			.place_from = c->place_from,
			.drained = c->drained,
			.expired = is_expired(c->state, times),
			.up = !down[c->id],
			.error = c->state->error,
		};
		if (c->shift != NULL)
			apply_shift(a, c->shift, times->unix_s, &list[i]);
	}
	zones_set_clusters(z, list, r->cluster_count);
	arena_free(a);
}

bool wiring_all_unseen(const struct records_result *r, uint64_t *since_ms)
{
	bool any = false;

	*since_ms = 0;
	for (size_t i = 0; i < r->cluster_count; i++) {
		const struct cluster_state *state = r->clusters[i].state;

		if (state->knowledge == KNOWLEDGE_SYNCED)
			return false;
		if (state->knowledge == KNOWLEDGE_UNSEEN) {
			any = true;
			*since_ms = state->since_ms > *since_ms ? state->since_ms : *since_ms;
		}
	}
	return any;
}

bool wiring_want_secrets(struct probe_secrets *secrets, const struct records_result *r)
{
	probe_secrets_begin(secrets);
	for (size_t i = 1; i < r->policy_count; i++)
		if (r->policies[i].is != NULL)
			probe_secrets_want(secrets, r->policies[i].namespace,
			                   &r->policies[i].is->check);
	return probe_secrets_end(secrets);
}
