/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/overview_federation.h"

#include <inttypes.h>
#include <stdio.h>

#include "ctl/fields.h"
#include "ctl/print.h"

static void number_cell(struct print_table *t, struct json_object *object, const char *key)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, fields_u64(object, key));
	print_cell(t, text);
}

bool overview_federation_is(struct json_object *status)
{
	return fields_find(status, "leading") != NULL;
}

static void print_head(struct json_object *status, struct text *out)
{
	struct text line = {0};

	text_printf(&line, "nigh-propagator %s, ", fields_text(status, "version"));
	if (fields_bool(status, "leading"))
		text_add(&line, "leading");
	else if (*fields_text(status, "leader"))
		text_printf(&line, "waiting for %s, which leads", fields_text(status, "leader"));
	else
		text_add(&line, "no leader is seen");
	print_safe(line.data, out);
	text_add(out, "\n");
	text_fini(&line);
}

static void print_members(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"CLUSTER", "READY",     "VERSION", "CEILING",
	                                    "WAITING", "UNDER WAY", "TROUBLE"};
	struct print_table *t = print_table_new(heads, 7);

	for (size_t i = 0; i < fields_count(status, "clusters"); i++) {
		struct json_object *one = fields_item(status, "clusters", i);

		print_cell(t, fields_text(one, "name"));
		print_cell(t, fields_bool(one, "ready") ? "yes" : "no");
		print_cell(t, fields_text(one, "version"));
		print_cell(t, fields_text(one, "ceiling"));
		number_cell(t, one, "waiting");
		number_cell(t, one, "underWay");
		print_cell(t, fields_text(one, "trouble"));
	}
	print_table_end(t, out);
}

static void print_types(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"TYPE",    "RUNNING", "OBJECTS", "COPIES",
	                                    "WAITING", "FAILING", "WHY"};
	struct print_table *t = print_table_new(heads, 7);

	for (size_t i = 0; i < fields_count(status, "types"); i++) {
		struct json_object *one = fields_item(status, "types", i);

		print_cell(t, fields_text(one, "name"));
		print_cell(t, fields_bool(one, "running") ? "yes" : "no");
		number_cell(t, one, "objects");
		number_cell(t, one, "copies");
		number_cell(t, one, "waiting");
		number_cell(t, one, "failing");
		print_cell(t, fields_text(one, "why"));
	}
	print_table_end(t, out);
}

/* Those that have something to say. */
static void print_preferences(struct json_object *status, struct text *out)
{
	static const char *const heads[] = {"PREFERENCE", "TOTAL", "PLANNED", "HELD", "MESSAGE"};
	struct print_table *t = print_table_new(heads, 5);

	for (size_t i = 0; i < fields_count(status, "preferences"); i++) {
		struct json_object *one = fields_item(status, "preferences", i);

		print_cell(t, fields_text(one, "name"));
		number_cell(t, one, "total");
		number_cell(t, one, "planned");
		number_cell(t, one, "held");
		print_cell(t, fields_text(one, "message"));
	}
	print_table_end(t, out);
}

void overview_federation_print(struct json_object *status, struct text *out)
{
	print_head(status, out);
	if (fields_count(status, "clusters") + fields_count(status, "types") == 0)
		return; /* a replica that waits knows none */
	text_add(out, "\n");
	print_members(status, out);
	text_add(out, "\n");
	print_types(status, out);
	if (fields_count(status, "preferences") > 0) {
		text_add(out, "\n");
		print_preferences(status, out);
	}
}
