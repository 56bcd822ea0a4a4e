/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/overview.h"

#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/overview_both.h"
#include "ctl/overview_federation.h"
#include "ctl/print.h"
#include "ctl/replicas.h"

static const char usual_propagator[] = "http://127.0.0.1:8054";

enum { DAY_S = 86400, CREDENTIAL_DAYS = 7 };

int overview_run(const struct command *c)
{
	if (replicas_are_meant(c))
		return replicas_show(c, "/status", &replicas_status);
	if (c->is_usual_server)
		return overview_both(c, usual_propagator);
	return command_show(c, "/status", overview_print);
}

static void number_cell(struct print_table *t, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	print_cell(t, text);
}

static void join_cell(struct print_table *t, struct json_object *object, const char *key)
{
	struct text joined = {0};

	fields_join(object, key, ",", &joined);
	print_cell(t, joined.data ? joined.data : "");
	text_fini(&joined);
}

/* "42s", "7m", "3h", "2d": the largest unit that says enough. */
static void add_age(struct text *out, uint64_t seconds)
{
	if (seconds < 120)
		text_printf(out, "%" PRIu64 "s", seconds);
	else if (seconds < 7200)
		text_printf(out, "%" PRIu64 "m", seconds / 60);
	else if (seconds < 2 * DAY_S)
		text_printf(out, "%" PRIu64 "h", seconds / 3600);
	else
		text_printf(out, "%" PRIu64 "d", seconds / DAY_S);
}

static void age_cell(struct print_table *t, uint64_t seconds)
{
	struct text age = {0};

	add_age(&age, seconds);
	print_cell(t, age.data);
	text_fini(&age);
}

/* CREDENTIAL ENDS, FORBIDDEN, ABSENT */
static void access_cells(struct print_table *t, struct json_object *server)
{
	print_cell(t, fields_text(server, "credentialExpires"));
	join_cell(t, server, "forbidden");
	join_cell(t, server, "absent");
}

static void place_cell(struct print_table *t, struct json_object *cluster)
{
	struct text place = {0};

	fields_place(cluster, "location", &place);
	print_cell(t, place.data ? place.data : "");
	text_fini(&place);
}

/* `tls` has those of `listen` that take TLS alone. */
static bool is_for_tls(struct json_object *status, struct json_object *address)
{
	for (size_t i = 0; i < fields_count(status, "tls"); i++)
		if (json_object_equal(fields_item(status, "tls", i), address))
			return true;
	return false;
}

static void add_listen(struct json_object *status, struct text *out)
{
	for (size_t i = 0; i < fields_count(status, "listen"); i++) {
		struct json_object *address = fields_item(status, "listen", i);

		if (json_object_is_type(address, json_type_string))
			text_printf(out, "%s%s%s", out->len > 0 ? ", " : "",
			            json_object_get_string(address),
			            is_for_tls(status, address) ? " (TLS)" : "");
	}
}

static void print_head(struct json_object *status, struct text *out)
{
	struct json_object *counts = fields_find(status, "counts");
	struct text listen = {0}, line = {0};

	add_listen(status, &listen);
	text_printf(&line, "nighd %s, %s, listening on %s", fields_text(status, "version"),
	            fields_bool(status, "ready") ? "ready" : "not ready",
	            listen.len ? listen.data : "nothing");
	print_safe(line.data, out);
	text_printf(out, "\n%" PRIu64 " names, %" PRIu64 " records, %" PRIu64 " answers given\n",
	            fields_u64(counts, "names"), fields_u64(counts, "records"),
	            fields_u64(counts, "answers"));
	text_fini(&line);
	text_fini(&listen);
}

static const char *state_of(struct json_object *cluster)
{
	if (fields_bool(cluster, "drained"))
		return fields_bool(cluster, "up") ? "drained" : "drained, down";
	return fields_bool(cluster, "up") ? "up" : "down";
}

static void print_clusters(struct json_object *status, bool wide, struct text *out)
{
	static const char *const heads[] = {
		"CLUSTER",       "STATE",           "KNOWLEDGE", "AGE",    "VERSION",
		"REGION",        "LOCATION",        "ERROR",     "SOURCE", "ZONES",
		"LOCATION FROM", "CREDENTIAL ENDS", "FORBIDDEN", "ABSENT"};
	struct print_table *t = print_table_new(heads, wide ? 14 : 8);
	size_t count = fields_count(status, "clusters");

	for (size_t i = 0; i < count; i++) {
		struct json_object *cluster = fields_item(status, "clusters", i);

		print_cell(t, fields_text(cluster, "name"));
		print_cell(t, state_of(cluster));
		print_cell(t, fields_text(cluster, "knowledge"));
		age_cell(t, fields_u64(cluster, "ageSeconds"));
		print_cell(t, fields_text(cluster, "version"));
		print_cell(t, fields_text(cluster, "region"));
		place_cell(t, cluster);
		print_cell(t, fields_text(cluster, "error"));
		if (wide) {
			print_cell(t, fields_text(cluster, "source"));
			join_cell(t, cluster, "zones");
			print_cell(t, fields_text(fields_find(cluster, "location"), "from"));
			access_cells(t, cluster);
		}
	}
	print_table_end(t, out);
}

static void share_cell(struct print_table *t, struct json_object *object, const char *key)
{
	char text[32];

	snprintf(text, sizeof(text), "%g%%", fields_double(object, key));
	print_cell(t, text);
}

/* Clusters whose share moves, will move, or stays other than whole. */
static void print_shifts(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"SHIFT", "SHARE", "FROM", "TO",
	                                    "STATE", "START", "END"};
	struct print_table *t = print_table_new(heads, 7);
	size_t count = fields_count(status, "clusters");

	for (size_t i = 0; i < count; i++) {
		struct json_object *cluster = fields_item(status, "clusters", i);
		struct json_object *shift = fields_find(cluster, "shift");
		const char *state = fields_text(shift, "state");

		if (!shift || (strcmp(state, "over") == 0 && fields_double(shift, "to") == 100))
			continue;
		print_cell(t, fields_text(cluster, "name"));
		share_cell(t, cluster, "share");
		share_cell(t, shift, "from");
		share_cell(t, shift, "to");
		print_cell(t, strcmp(state, "ttlLowered") == 0 ? "TTL lowered" : state);
		print_cell(t, fields_text(shift, "start"));
		print_cell(t, fields_text(shift, "end"));
	}
	print_table_end(t, out);
}

/* --- what an API server makes difficult --- */

static void print_trouble(const char *name, const char *what, const char *detail, struct text *out)
{
	struct text line = {0};

	text_printf(&line, "  %s: %s%s", name, what, detail);
	print_safe(line.data, out);
	text_add(out, "\n");
	text_fini(&line);
}

static void print_end(const char *name, const char *ends, const char *now, struct text *out)
{
	int64_t end_s, now_s;
	struct text when = {0};

	if (!text_to_time(bytes_of(ends), &end_s) || !text_to_time(bytes_of(now), &now_s) ||
	    end_s >= now_s + CREDENTIAL_DAYS * DAY_S)
		return;
	text_printf(&when, "%s", ends);
	if (end_s > now_s) {
		text_add(&when, ", in ");
		add_age(&when, (uint64_t)(end_s - now_s));
	}
	print_trouble(name,
	              end_s <= now_s ? "its credential has expired: " : "its credential ends ",
	              when.data, out);
	text_fini(&when);
}

static void print_troubles_of(const char *name, struct json_object *server, const char *now,
                              struct text *out)
{
	size_t warnings = fields_count(server, "warnings");
	struct text kinds = {0};

	fields_join(server, "forbidden", ", ", &kinds);
	if (kinds.len)
		print_trouble(name, "forbidden: ", kinds.data, out);
	print_end(name, fields_text(server, "credentialExpires"), now, out);
	for (size_t i = 0; i < warnings; i++) {
		struct json_object *warning = fields_item(server, "warnings", i);

		if (json_object_is_type(warning, json_type_string))
			print_trouble(name, "warning: ", json_object_get_string(warning), out);
	}
	text_fini(&kinds);
}

static void print_troubles(struct json_object *status, struct text *out)
{
	const char *now = fields_text(status, "now");
	size_t count = fields_count(status, "clusters");

	print_troubles_of("host", fields_find(status, "host"), now, out);
	for (size_t i = 0; i < count; i++) {
		struct json_object *cluster = fields_item(status, "clusters", i);

		print_troubles_of(fields_text(cluster, "name"), cluster, now, out);
	}
}

/* The API server whose objects say which clusters and records there are. */
static void print_host(struct json_object *status, bool wide, struct text *out)
{
	static const char *const heads[] = {"HOST",  "KNOWLEDGE",       "AGE",       "VERSION",
	                                    "ERROR", "CREDENTIAL ENDS", "FORBIDDEN", "ABSENT"};
	struct json_object *host = fields_find(status, "host");
	struct print_table *t = print_table_new(heads, wide ? 8 : 5);

	if (host) {
		print_cell(t, fields_text(host, "source"));
		print_cell(t, fields_text(host, "knowledge"));
		age_cell(t, fields_u64(host, "ageSeconds"));
		print_cell(t, fields_text(host, "version"));
		print_cell(t, fields_text(host, "error"));
		if (wide)
			access_cells(t, host);
	}
	print_table_end(t, out);
}

static void print_zones(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"ZONE", "SERIAL", "NAMES", "HELD"};
	struct print_table *t = print_table_new(heads, 4);
	size_t count = fields_count(status, "zones");

	for (size_t i = 0; i < count; i++) {
		struct json_object *zone = fields_item(status, "zones", i);

		print_cell(t, fields_text(zone, "name"));
		number_cell(t, fields_u64(zone, "serial"));
		number_cell(t, fields_u64(zone, "names"));
		number_cell(t, fields_u64(zone, "held"));
	}
	print_table_end(t, out);
}

static void print_holds(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"GUARD HOLDS", "NAMES", "SINCE", "UNTIL", "ID"};
	struct print_table *t = print_table_new(heads, 5);
	size_t count = fields_count(status, "guard");

	for (size_t i = 0; i < count; i++) {
		struct json_object *hold = fields_item(status, "guard", i);
		const char *until = fields_text(hold, "until");

		print_cell(t, fields_text(hold, "zone"));
		number_cell(t, fields_u64(hold, "names"));
		print_cell(t, fields_text(hold, "since"));
		print_cell(t, *until ? until : "released");
		print_cell(t, fields_text(hold, "id"));
	}
	print_table_end(t, out);
}

/* Sites that are usable and wait to come back. */
static void print_pending(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"WAITS TO COME BACK", "CLUSTER", "USABLE FOR", "NEEDS"};
	struct print_table *t = print_table_new(heads, 4);
	size_t count = fields_count(status, "pending");

	for (size_t i = 0; i < count; i++) {
		struct json_object *site = fields_item(status, "pending", i);

		print_cell(t, fields_text(site, "name"));
		print_cell(t, fields_text(site, "cluster"));
		age_cell(t, fields_u64(site, "usableForSeconds"));
		if (fields_find(site, "needsSeconds"))
			age_cell(t, fields_u64(site, "needsSeconds"));
		else
			print_cell(t, "nighctl failback");
	}
	print_table_end(t, out);
}

/* Who votes, and on what each of them looks. */
static void print_voters(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"REPLICA", "VOTES", "HEARD",
	                                    "SEES UP", "DOWN",  "UNKNOWN"};
	struct print_table *t = print_table_new(heads, 6);
	size_t count = fields_count(status, "replicas");

	for (size_t i = 0; i < count; i++) {
		struct json_object *replica = fields_item(status, "replicas", i);
		struct json_object *sees = fields_find(replica, "sees");

		print_cell(t, fields_text(replica, "name"));
		print_cell(t, fields_bool(replica, "double")  ? "no, its name is there twice"
		              : fields_bool(replica, "voter") ? "yes"
		                                              : "no");
		if (fields_bool(replica, "self"))
			print_cell(t, "this one");
		else
			age_cell(t, fields_u64(replica, "heardSecondsAgo"));
		number_cell(t, fields_u64(sees, "up"));
		number_cell(t, fields_u64(sees, "down"));
		number_cell(t, fields_u64(sees, "unknown"));
	}
	print_table_end(t, out);
	if (fields_bool(status, "frozen"))
		text_add(out, "frozen: this replica reaches no site and hears nobody who does; "
		              "what is down stays as it was last\n");
}

static void print_errors(struct json_object *status, struct text *out)
{
	size_t count = fields_count(status, "errors");

	if (count)
		text_printf(out, "%zu error%s\n", count, count == 1 ? "" : "s");
	for (size_t i = 0; i < count; i++) {
		struct json_object *error = fields_item(status, "errors", i);

		const char *where = fields_text(error, "where");
		const char *message = fields_text(error, "message");
		const char *since = fields_text(error, "since");

		text_add(out, "  ");
		/* A file's message names file and line by itself. */
		if (strncmp(message, where, strlen(where)) != 0) {
			print_safe(where, out);
			text_add(out, ": ");
		}
		print_safe(message, out);
		if (*since) {
			text_add(out, " (since ");
			print_safe(since, out);
			text_add(out, ")");
		}
		text_add(out, "\n");
	}
}

static void print_conflicts(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"TWO SOURCES OF", "ANSWERED", "PASSED OVER"};
	struct print_table *t = print_table_new(heads, 3);
	size_t count = fields_count(status, "conflicts");

	for (size_t i = 0; i < count; i++) {
		struct json_object *conflict = fields_item(status, "conflicts", i);

		print_cell(t, fields_text(conflict, "name"));
		print_cell(t, fields_text(conflict, "winner"));
		print_cell(t, fields_text(conflict, "loser"));
	}
	print_table_end(t, out);
}

/* An empty line between this part and what stands before it. */
static void add_part(struct text *out, struct text *part)
{
	if (part->len) {
		text_add(out, "\n");
		text_add(out, part->data);
	}
	text_reset(part);
}

static bool is_bad(struct json_object *condition)
{
	const char *bad =
		strcmp(fields_text(condition, "type"), "Conflicted") == 0 ? "True" : "False";

	return strcmp(fields_text(condition, "status"), bad) == 0;
}

/* The condition that somebody should read: what is not in force, else what is not as it was written. */
static struct json_object *find_trouble(struct json_object *policy)
{
	size_t count = fields_count(policy, "conditions");
	struct json_object *remark = NULL;

	for (size_t i = 0; i < count; i++) {
		struct json_object *condition = fields_item(policy, "conditions", i);

		if (!*fields_text(condition, "message"))
			continue;
		if (is_bad(condition))
			return condition;
		remark = remark ? remark : condition;
	}
	return remark;
}

static void print_policies(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"POLICY", "NAMES", "STATE", "WHY"};
	struct print_table *t = print_table_new(heads, 4);
	size_t count = fields_count(status, "policies");

	for (size_t i = 0; i < count; i++) {
		struct json_object *policy = fields_item(status, "policies", i);
		struct json_object *trouble = find_trouble(policy);
		struct text name = {0};

		text_printf(&name, "%s/%s", fields_text(policy, "namespace"),
		            fields_text(policy, "name"));
		print_cell(t, name.data);
		number_cell(t, fields_u64(policy, "names"));
		print_cell(t, trouble ? fields_text(trouble, "reason") : "in force");
		print_cell(t, trouble ? fields_text(trouble, "message") : "");
		text_fini(&name);
	}
	print_table_end(t, out);
}

void overview_print(struct json_object *status, bool wide, struct text *out)
{
	struct text part = {0};

	if (overview_federation_is(status)) {
		overview_federation_print(status, out);
		print_errors(status, &part);
		add_part(out, &part);
		text_fini(&part);
		return;
	}
	print_head(status, out);
	print_host(status, wide, &part);
	add_part(out, &part);
	print_clusters(status, wide, &part);
	print_troubles(status, &part);
	add_part(out, &part);
	print_shifts(status, &part);
	add_part(out, &part);
	print_zones(status, &part);
	add_part(out, &part);
	print_holds(status, &part);
	add_part(out, &part);
	print_pending(status, &part);
	add_part(out, &part);
	print_voters(status, &part);
	add_part(out, &part);
	print_errors(status, &part);
	add_part(out, &part);
	print_conflicts(status, &part);
	add_part(out, &part);
	print_policies(status, &part);
	add_part(out, &part);
	text_fini(&part);
}
