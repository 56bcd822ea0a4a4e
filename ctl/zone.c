/* zone.c -- nighctl zone: one zone of /status, and all its records as a master file. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/http.h"
#include "ctl/zone_orders.h"

/* --- status --- */

static void add_line(struct text *out, const char *what, const char *value)
{
	text_printf(out, "%-12s", what);
	print_safe(*value ? value : "-", out);
	text_add(out, "\n");
}

static void add_number(struct text *out, const char *what, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	add_line(out, what, text);
}

static void print_status(struct json_object *zone, struct text *out)
{
	struct json_object *file = fields_find(zone, "file");

	add_line(out, "zone", fields_text(zone, "name"));
	add_number(out, "serial", fields_u64(zone, "serial"));
	add_number(out, "names", fields_u64(zone, "names"));
	add_number(out, "held", fields_u64(zone, "held"));
	if (!file)
		return;
	add_line(out, "file", fields_text(file, "path"));
	add_line(out, "read", fields_text(file, "readAt"));
	add_number(out, "names in it", fields_u64(file, "names"));
	if (fields_bool(file, "good"))
		return;
	add_line(out, "errors",
	         *fields_text(file, "readAt") ? "it has errors now: the last good one is in force"
	                                      : "it has errors, and none was good yet");
	zone_print_errors(file, out);
}

static int status_run(const struct command *c)
{
	struct json_object *root, *zone;
	struct text out = {0};
	int status = command_get(c, "/status", &root);

	if (status != COMMAND_FINE)
		return status;
	zone = zone_find(root, c->args[1]);
	if (!zone)
		status = command_fail(c, "%s: there is no zone %s", c->server, c->args[1]);
	else if (command_is_table(c))
		print_status(zone, &out);
	else
		command_add(c, zone, &out);
	if (out.data)
		fputs(out.data, stdout);
	text_fini(&out);
	json_object_put(root);
	return status;
}

/* --- export --- */

static void print_page(struct json_object *page, struct text *out)
{
	for (size_t i = 0; i < fields_count(page, "items"); i++) {
		struct json_object *item = fields_item(page, "items", i);
		const char *line = json_object_is_type(item, json_type_string)
		                           ? json_object_get_string(item)
		                           : "";

		print_safe(line, out);
		text_add(out, "\n");
	}
}

/* Page after page: a zone may be larger than any answer. */
static int export_run(const struct command *c)
{
	struct text from = {0}, path = {0}, out = {0};
	int status = COMMAND_FINE;

	do {
		struct json_object *page;

		text_reset(&path);
		text_add(&path, "/status/records");
		http_add_arg(&path, "zone", c->args[1]);
		http_add_arg(&path, "limit", "100000");
		http_add_arg(&path, "continue", from.data);
		status = command_get(c, path.data, &page);
		if (status != COMMAND_FINE)
			break;
		text_reset(&out);
		print_page(page, &out);
		fputs(out.data ? out.data : "", stdout);
		text_reset(&from);
		text_add(&from, fields_text(page, "continue"));
		json_object_put(page);
	} while (from.len > 0);
	text_fini(&from);
	text_fini(&path);
	text_fini(&out);
	return status;
}

int zone_run(const struct command *c)
{
	static const struct {
		const char *word;
		int (*run)(const struct command *c);
		bool of_all; /* without ZONE */
	} words[] = {{"status", status_run, false},
	             {"export", export_run, false},
	             {"reload", zone_reload_run, true},
	             {"notify", zone_notify_run, true}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(c->args[0], words[i].word) == 0 &&
		    (c->arg_count == 2 || words[i].of_all))
			return words[i].run(c);
	fprintf(stderr, "usage: %s zone status|export ZONE\n       %s zone reload|notify [ZONE]\n",
	        c->program, c->program);
	return COMMAND_USAGE;
}
