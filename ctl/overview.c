/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/overview.h"

#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/print.h"
#include "ctl/replicas.h"

int overview_run(const struct command *c)
{
	if (replicas_are_meant(c))
		return replicas_show(c, "/status", &replicas_status);
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
static void age_cell(struct print_table *t, uint64_t seconds)
{
	char text[32];

	if (seconds < 120)
		snprintf(text, sizeof(text), "%" PRIu64 "s", seconds);
	else if (seconds < 7200)
		snprintf(text, sizeof(text), "%" PRIu64 "m", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(text, sizeof(text), "%" PRIu64 "h", seconds / 3600);
	else
		snprintf(text, sizeof(text), "%" PRIu64 "d", seconds / 86400);
	print_cell(t, text);
}

static void place_cell(struct print_table *t, struct json_object *cluster)
{
	struct text place = {0};

	fields_place(cluster, "location", &place);
	print_cell(t, place.data ? place.data : "");
	text_fini(&place);
}

static void print_head(struct json_object *status, struct text *out)
{
	struct json_object *counts = fields_find(status, "counts");
	struct text listen = {0}, line = {0};

	fields_join(status, "listen", ", ", &listen);
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
	static const char *const heads[] = {"CLUSTER", "STATE",        "KNOWLEDGE", "AGE",
	                                    "REGION",  "LOCATION",     "ERROR",     "SOURCE",
	                                    "ZONES",   "LOCATION FROM"};
	struct print_table *t = print_table_new(heads, wide ? 10 : 7);
	size_t count = fields_count(status, "clusters");

	for (size_t i = 0; i < count; i++) {
		struct json_object *cluster = fields_item(status, "clusters", i);

		print_cell(t, fields_text(cluster, "name"));
		print_cell(t, state_of(cluster));
		print_cell(t, fields_text(cluster, "knowledge"));
		age_cell(t, fields_u64(cluster, "ageSeconds"));
		print_cell(t, fields_text(cluster, "region"));
		place_cell(t, cluster);
		print_cell(t, fields_text(cluster, "error"));
		if (wide) {
			print_cell(t, fields_text(cluster, "source"));
			join_cell(t, cluster, "zones");
			print_cell(t, fields_text(fields_find(cluster, "location"), "from"));
		}
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
	static const char *const heads[] = {"GUARD HOLDS", "NAMES", "SINCE", "UNTIL"};
	struct print_table *t = print_table_new(heads, 4);
	size_t count = fields_count(status, "guard");

	for (size_t i = 0; i < count; i++) {
		struct json_object *hold = fields_item(status, "guard", i);
		const char *until = fields_text(hold, "until");

		print_cell(t, fields_text(hold, "zone"));
		number_cell(t, fields_u64(hold, "names"));
		print_cell(t, fields_text(hold, "since"));
		print_cell(t, *until ? until : "released");
	}
	print_table_end(t, out);
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

void overview_print(struct json_object *status, bool wide, struct text *out)
{
	struct text part = {0};

	print_head(status, out);
	print_clusters(status, wide, &part);
	add_part(out, &part);
	print_zones(status, &part);
	add_part(out, &part);
	print_holds(status, &part);
	add_part(out, &part);
	print_errors(status, &part);
	add_part(out, &part);
	print_conflicts(status, &part);
	add_part(out, &part);
	text_fini(&part);
}
