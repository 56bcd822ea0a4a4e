/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/admin_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/version.h"
#include "base/xalloc.h"
#include "zones/zone.h"

/* --- names --- */

/* RFC 1035 5.1: special characters behind a backslash, what cannot be printed as \DDD. */
static void add_label_byte(struct text *out, uint8_t byte)
{
	if (byte <= ' ' || byte >= 0x7f)
		text_printf(out, "\\%03u", byte);
	else if (strchr(".\\\"();@$", byte))
		text_printf(out, "\\%c", byte);
	else
		text_printf(out, "%c", byte);
}

void admin_add_name(struct text *out, const uint8_t *wire)
{
	if (!*wire)
		text_add(out, ".");
	while (*wire) {
		for (unsigned i = 1; i <= *wire; i++)
			add_label_byte(out, wire[i]);
		wire += 1 + *wire;
		if (*wire)
			text_add(out, ".");
	}
}

void admin_add_json_name(struct text *out, const uint8_t *wire)
{
	struct text name = {0};

	admin_add_name(&name, wire);
	text_add_json(out, bytes_of(name.data));
	text_fini(&name);
}

bool admin_same_name(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	a_len -= a_len > 1 && a[a_len - 1] == '.';
	b_len -= b_len > 1 && b[b_len - 1] == '.';
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* --- pieces --- */

static void add_member(struct text *out, const char *key, const char *value)
{
	text_printf(out, ",\"%s\":", key);
	text_add_json(out, bytes_of(value ? value : ""));
}

/* `,"key":"2026-01-02T03:04:05Z"`; 0 is null. */
static void add_time(struct text *out, const char *key, int64_t unix_s)
{
	char text[CLOCK_TEXT_SIZE];

	if (unix_s)
		text_printf(out, ",\"%s\":\"%s\"", key, clock_print(unix_s, text));
	else
		text_printf(out, ",\"%s\":null", key);
}

static void add_addresses(const struct server_address *list, size_t count, struct text *out)
{
	char text[ADDR_PORT_TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		text_printf(out, "%s\"%s\"", i ? "," : "",
		            addr_port_print(&list[i].addr, list[i].port, text));
}

/* `listen` has all on which DNS is answered, `tls` those of them that take TLS alone. */
static void add_listen(const struct admin_view *view, struct text *out)
{
	const struct server *server = view->server;
	size_t count = 0, tls_count = 0;
	const struct server_address *list = server ? server_addresses(server, &count) : NULL;
	const struct server_address *tls = server ? server_tls_addresses(server, &tls_count) : NULL;
	char text[ADDR_PORT_TEXT_SIZE];

	text_add(out, ",\"listen\":[");
	add_addresses(list, count, out);
	text_add(out, tls_count ? "," : "");
	add_addresses(tls, tls_count, out);
	text_add(out, "],\"tls\":[");
	add_addresses(tls, tls_count, out);
	text_printf(out, "],\"http\":\"%s\"", addr_port_print(&view->http, view->http_port, text));
}

static void add_location(const struct snapshot_cluster *c, struct text *out)
{
	if (!c->has_place) {
		text_add(out, ",\"location\":null");
		return;
	}
	text_printf(out, ",\"location\":{\"latitude\":%.10g,\"longitude\":%.10g", c->place.latitude,
	            c->place.longitude);
	add_member(out, "from", c->place_from);
	text_add(out, "}");
}

/* `,"key":["services","nodes"]` of "services, nodes". */
static void add_kinds(struct text *out, const char *key, const char *kinds)
{
	text_printf(out, ",\"%s\":[", key);
	while (*kinds) {
		size_t len = strcspn(kinds, ",");

		text_add_json(out, (struct bytes){(const uint8_t *)kinds, len});
		kinds += len;
		if (*kinds) {
			text_add(out, ",");
			kinds += strspn(kinds, ", ");
		}
	}
	text_add(out, "]");
}

/* What only an API server has. */
static void add_note(const struct cluster_note *note, struct text *out)
{
	if (!note)
		return;
	add_member(out, "version", note->version);
	add_kinds(out, "forbidden", note->forbidden);
	add_kinds(out, "absent", note->absent);
	add_time(out, "credentialExpires", note->expires);
	text_add(out, ",\"warnings\":[");
	if (*note->warning)
		text_add_json(out, bytes_of(note->warning));
	text_add(out, "]");
}

/* The host's API server; null when none is configured. */
static void add_host(const struct admin_view *view, struct text *out)
{
	const struct cluster_note *note = cluster_notes_find(view->notes, "");

	if (!note) {
		text_add(out, ",\"host\":null");
		return;
	}
	text_add(out, ",\"host\":{\"source\":\"kubernetes\"");
	add_member(out, "knowledge", note->knowledge);
	text_printf(out, ",\"ageSeconds\":%" PRIu64, note->age_ms / 1000);
	add_member(out, "error", note->error);
	add_note(note, out);
	text_add(out, "}");
}

static double percent(uint32_t share) { return text_percent(share, SNAPSHOT_EVERYBODY); }

static const char *shift_state(const struct snapshot_shift *shift, int64_t now_s)
{
	if (now_s >= shift->end)
		return "over";
	if (now_s >= shift->start)
		return "moving";
	return shift->ttl && now_s >= shift->ttl_from ? "ttlLowered" : "waiting";
}

/* Percent of its clients that it may have now, and where that comes from. */
static void add_share(const struct snapshot_cluster *c, int64_t now_s, struct text *out)
{
	const struct snapshot_shift *shift = c->shift;

	text_printf(out, ",\"share\":%g",
	            c->drained ? 0 : percent(SNAPSHOT_EVERYBODY - c->withheld));
	if (!shift) {
		text_add(out, ",\"shift\":null");
		return;
	}
	text_printf(out, ",\"shift\":{\"state\":\"%s\",\"from\":%g,\"to\":%g",
	            shift_state(shift, now_s), percent(shift->from), percent(shift->to));
	add_time(out, "start", shift->start);
	add_time(out, "end", shift->end);
	add_member(out, "curve", shift->curve);
	if (shift->ttl) {
		text_printf(out, ",\"ttl\":%" PRIu32, shift->ttl);
		add_time(out, "ttlFrom", shift->ttl_from);
	}
	text_add(out, "}");
}

static void add_cluster(const struct snapshot_cluster *c, const struct admin_view *view,
                        struct text *out)
{
	uint64_t now_ms = view->now_ms;
	bool synced = strcmp(c->knowledge, "synced") == 0;
	uint64_t age_s = synced || now_ms < c->since_ms ? 0 : (now_ms - c->since_ms) / 1000;

	text_add(out, "{\"name\":");
	text_add_json(out, bytes_of(c->name));
	add_member(out, "source", c->source);
	add_member(out, "knowledge", c->knowledge);
	text_printf(out, ",\"ageSeconds\":%" PRIu64, age_s);
	add_member(out, "region", c->region);
	text_add(out, ",\"zones\":[");
	for (size_t i = 0; c->zones && c->zones[i]; i++) {
		text_add(out, i ? "," : "");
		text_add_json(out, bytes_of(c->zones[i]));
	}
	text_add(out, "]");
	add_location(c, out);
	text_printf(out, ",\"drained\":%s,\"up\":%s", c->drained ? "true" : "false",
	            c->up ? "true" : "false");
	add_share(c, view->now_s, out);
	text_printf(out, ",\"largestTTL\":%" PRIu32,
	            c->id < view->count->cluster_count ? view->count->largest_ttl[c->id] : 0);
	add_member(out, "error", c->error);
	add_note(cluster_notes_find(view->notes, c->name), out);
	text_add(out, "}");
}

static uint64_t held_in(const struct snapshot_report *report, const char *zone)
{
	uint64_t held = 0;

	for (size_t i = 0; i < report->hold_count; i++)
		if (admin_same_name(report->holds[i].zone, zone))
			held += report->holds[i].names;
	return held;
}

/* As the items of a list. */
static void add_lines(const char *lines, struct text *out)
{
	const char *comma = "";

	for (size_t len; *lines; lines += len + (lines[len] == '\n'), comma = ",") {
		len = strcspn(lines, "\n");
		text_add(out, comma);
		text_add_json(out, (struct bytes){(const uint8_t *)lines, len});
	}
}

/* The zone's file, when it has one. */
static void add_zone_file(const struct snapshot_report *report, const char *zone, struct text *out)
{
	for (size_t i = 0; i < report->file_count; i++) {
		const struct snapshot_zone_file *file = &report->files[i];

		if (!admin_same_name(file->zone, zone))
			continue;
		text_add(out, ",\"file\":{\"path\":");
		text_add_json(out, bytes_of(file->path));
		add_time(out, "readAt", file->read_at);
		text_printf(out,
		            ",\"serial\":%" PRIu32 ",\"names\":%" PRIu64
		            ",\"good\":%s,\"readings\":%" PRIu64 ",\"errors\":[",
		            file->serial, file->names, *file->errors ? "false" : "true",
		            file->readings);
		add_lines(file->errors, out);
		text_add(out, "]}");
	}
}

static void add_zones(const struct snapshot *s, struct text *out)
{
	const struct zone *zone;

	text_add(out, ",\"zones\":[");
	for (size_t i = 0; (zone = snapshot_zone(s, i)) != NULL; i++) {
		struct text name = {0};

		admin_add_name(&name, zone_apex(zone));
		text_add(out, i ? ",{\"name\":" : "{\"name\":");
		text_add_json(out, bytes_of(name.data));
		text_printf(out, ",\"serial\":%" PRIu32 ",\"names\":%zu,\"held\":%" PRIu64,
		            zone_serial(zone), zone_name_count(zone),
		            held_in(snapshot_report(s), name.data));
		add_zone_file(snapshot_report(s), name.data, out);
		text_add(out, "}");
		text_fini(&name);
	}
	text_add(out, "]");
}

static void add_guard(const struct snapshot_report *report, struct text *out)
{
	text_add(out, ",\"guard\":[");
	for (size_t i = 0; i < report->hold_count; i++) {
		const struct snapshot_hold *hold = &report->holds[i];

		text_add(out, i ? ",{\"zone\":" : "{\"zone\":");
		text_add_json(out, bytes_of(hold->zone));
		text_printf(out, ",\"names\":%" PRIu64, hold->names);
		add_time(out, "since", hold->since);
		add_time(out, "until", hold->until);
		/* A text: 64 bits are more than a JSON number can be trusted with. */
		text_printf(out, ",\"id\":\"%" PRIu64 "\"}", hold->id);
	}
	text_add(out, "]");
}

static void add_condition(const struct snapshot_condition *c, bool is_first, struct text *out)
{
	text_add(out, is_first ? "{\"type\":" : ",{\"type\":");
	text_add_json(out, bytes_of(c->type));
	add_member(out, "status", c->is_true ? "True" : "False");
	add_member(out, "reason", c->reason);
	add_member(out, "message", c->message);
	text_add(out, "}");
}

static void add_policy(const struct snapshot_policy_report *p, bool is_first, struct text *out)
{
	text_add(out, is_first ? "{\"namespace\":" : ",{\"namespace\":");
	text_add_json(out, bytes_of(p->namespace));
	add_member(out, "name", p->name);
	text_printf(out,
	            ",\"targets\":%" PRIu64 ",\"names\":%" PRIu64 ",\"generation\":%" PRId64
	            ",\"conditions\":[",
	            p->targets, p->names, p->generation);
	for (size_t i = 0; i < SNAPSHOT_CONDITIONS; i++)
		add_condition(&p->condition[i], i == 0, out);
	text_add(out, "]}");
}

/* Sites that are usable and wait to come back. */
static void add_pending(const struct snapshot_report *report, uint64_t now_ms, struct text *out)
{
	text_add(out, ",\"pending\":[");
	for (size_t i = 0; i < report->waiting_count; i++) {
		const struct snapshot_waiting *w = &report->waiting[i];
		uint64_t usable_ms = now_ms > w->since_ms ? now_ms - w->since_ms : 0;

		text_add(out, i ? ",{\"name\":" : "{\"name\":");
		text_add_json(out, bytes_of(w->name));
		add_member(out, "cluster", w->cluster);
		add_member(out, "mode", w->by_hand ? "Manual" : "After");
		text_printf(out, ",\"usableForSeconds\":%" PRIu64 ",\"needsSeconds\":",
		            usable_ms / 1000);
		if (w->by_hand)
			text_add(out, "null");
		else
			text_printf(out, "%" PRIu64, w->needs_ms / 1000);
		add_member(out, "policy", w->policy);
		text_add(out, "}");
	}
	text_add(out, "]");
}

static void add_errors(const struct snapshot_report *report, struct text *out)
{
	text_add(out, ",\"errors\":[");
	for (size_t i = 0; i < report->problem_count; i++) {
		const struct snapshot_problem *problem = &report->problems[i];

		text_add(out, i ? ",{\"where\":" : "{\"where\":");
		text_add_json(out, bytes_of(problem->where));
		add_member(out, "message", problem->message);
		add_time(out, "since", problem->since);
		text_add(out, "}");
	}
	text_add(out, "],\"conflicts\":[");
	for (size_t i = 0; i < report->conflict_count; i++) {
		const struct snapshot_conflict *conflict = &report->conflicts[i];

		text_add(out, i ? ",{\"name\":" : "{\"name\":");
		text_add_json(out, bytes_of(conflict->name));
		add_member(out, "winner", conflict->winner);
		add_member(out, "loser", conflict->loser);
		text_add(out, "}");
	}
	text_add(out, "],\"policies\":[");
	for (size_t i = 0; i < report->policy_count; i++)
		add_policy(&report->policies[i], i == 0, out);
	text_add(out, "]");
}

/* How many answers went over the rate limit, and what became of them. */
static void add_limits(const struct stats *stats, struct text *out)
{
	for (int i = 0; i < STATS_LIMITS; i++) {
		enum stats_limit limit = (enum stats_limit)i;

		text_printf(out, "%s\"%s\":%" PRIu64, i ? "," : ",\"rateLimit\":{",
		            stats_limit_label(limit), stats_limits(stats, limit));
	}
	text_add(out, "}");
}

static void add_counts(const struct admin_view *view, struct text *out)
{
	const struct zone *zone;
	uint64_t names = 0;

	for (size_t i = 0; (zone = snapshot_zone(view->snapshot, i)) != NULL; i++)
		names += zone_name_count(zone);
	text_printf(out,
	            ",\"counts\":{\"names\":%" PRIu64 ",\"records\":%" PRIu64
	            ",\"answers\":%" PRIu64 ",\"objects\":%" PRIu64 "}",
	            names, view->count->records, stats_answers(view->stats),
	            snapshot_report(view->snapshot)->fact_count);
}

void admin_print_status(const struct admin_view *view, struct text *out)
{
	const struct snapshot_report *report = snapshot_report(view->snapshot);
	const struct snapshot_settings *settings = snapshot_settings(view->snapshot);
	const struct snapshot_cluster *cluster;

	text_printf(out, "{\"version\":\"%s\",\"ready\":%s", NIGH_VERSION,
	            settings->ready ? "true" : "false");
	add_time(out, "now", view->now_s);
	add_time(out, "started", view->started_s);
	add_listen(view, out);
	text_add(out, ",\"clusters\":[");
	for (size_t i = 0; (cluster = snapshot_cluster_at(view->snapshot, i)) != NULL; i++) {
		text_add(out, i ? "," : "");
		add_cluster(cluster, view, out);
	}
	text_add(out, "]");
	add_host(view, out);
	add_zones(view->snapshot, out);
	add_guard(report, out);
	add_pending(report, view->now_ms, out);
	add_errors(report, out);
	add_limits(view->stats, out);
	add_counts(view, out);
	admin_add_probes(view, out);
	admin_add_replicas(view, out);
	text_add(out, "}\n");
}

/* --- counting --- */

struct counting {
	const struct snapshot *s;
	struct admin_count *out;
};

/* `ttl`: what a policy says instead of the records; 0: nothing. */
static void count_site(struct admin_count *c, const struct site *site, uint32_t ttl)
{
	uint32_t unknown = 0;
	uint32_t *largest = site_cluster(site) < c->cluster_count
	                            ? &c->largest_ttl[site_cluster(site)]
	                            : &unknown;
	const struct rrset *set;

	for (size_t i = 0; (set = site_rrset_at(site, i)) != NULL; i++) {
		uint32_t says = ttl ? ttl : set->ttl;

		c->records += set->count;
		*largest = says > *largest ? says : *largest;
	}
}

static bool count_node(const struct node *n, void *arg)
{
	const struct counting *c = arg;
	const struct rrset *set;

	for (size_t i = 0; (set = node_rrset_at(n, i)) != NULL; i++)
		c->out->records += set->count;
	for (size_t k = 0; k < node_site_count(n); k++)
		count_site(c->out, node_site(n, k), snapshot_node_policy(c->s, n)->ttl);
	return true;
}

void admin_count_fini(struct admin_count *c)
{
	free(c->largest_ttl);
	*c = (struct admin_count){0};
}

void admin_count(const struct snapshot *s, struct admin_count *out)
{
	struct counting counting = {s, out};
	const struct snapshot_cluster *cluster;
	const struct zone *zone;

	admin_count_fini(out);
	for (size_t i = 0; (cluster = snapshot_cluster_at(s, i)) != NULL; i++)
		if (cluster->id >= out->cluster_count)
			out->cluster_count = cluster->id + 1U;
	out->largest_ttl = xcalloc(out->cluster_count + 1, sizeof(*out->largest_ttl));
	for (size_t i = 0; (zone = snapshot_zone(s, i)) != NULL; i++)
		zone_each(zone, NULL, count_node, &counting);
}
