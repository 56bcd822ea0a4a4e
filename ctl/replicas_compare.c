/* SPDX-License-Identifier: Apache-2.0 */
/* In what the answers of several pods differ. */
#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ctl/fields.h"
#include "ctl/replicas.h"

/* One line, "WHAT: VALUE at POD, POD; VALUE at POD", unless all values are one; `values[i]` is what pod i says, NULL:
 * it says nothing at all. */
static void compare(const struct pods *p, const char *what, char *const *values,
                    struct json_object *lines)
{
	struct text line = {0};
	size_t kinds = 0;

	text_add(&line, what);
	for (size_t i = 0; i < p->count; i++) {
		bool is_first = values[i] != NULL;

		for (size_t n = 0; n < i && is_first; n++)
			is_first = !values[n] || strcmp(values[n], values[i]) != 0;
		if (!is_first)
			continue;
		text_printf(&line, "%s%s at %s", kinds++ ? "; " : ": ", values[i], p->list[i].name);
		for (size_t n = i + 1; n < p->count; n++)
			if (values[n] && strcmp(values[n], values[i]) == 0)
				text_printf(&line, ", %s", p->list[n].name);
	}
	if (kinds > 1)
		json_object_array_add(lines, json_object_new_string(line.data));
	text_fini(&line);
}

typedef void describe_fn(struct json_object *said, const char *name, struct text *out);

static void compare_by(const struct pods *p, const char *what, const char *name,
                       describe_fn *describe, struct json_object *lines)
{
	char **values = xcalloc(p->count, sizeof(*values));
	struct text title = {0};

	for (size_t i = 0; i < p->count; i++) {
		struct text value = {0};

		if (!p->list[i].said)
			continue;
		describe(p->list[i].said, name, &value);
		values[i] = text_take(&value);
	}
	text_printf(&title, "%s%s", what, name);
	compare(p, title.data, values, lines);
	for (size_t i = 0; i < p->count; i++)
		free(values[i]);
	free(values);
	text_fini(&title);
}

/* --- status --- */

static void describe_version(struct json_object *said, const char *name, struct text *out)
{
	(void)name;
	text_add(out, fields_text(said, "version"));
}

static void describe_host(struct json_object *said, const char *name, struct text *out)
{
	struct json_object *host = fields_find(said, "host");

	(void)name;
	text_add(out, host ? fields_text(host, "knowledge") : "none");
}

static void describe_cluster(struct json_object *said, const char *name, struct text *out)
{
	struct json_object *cluster = fields_named(said, "clusters", name);

	if (!cluster) {
		text_add(out, "not known");
		return;
	}
	text_printf(out, "%s, %s%s", fields_text(cluster, "knowledge"),
	            fields_bool(cluster, "up") ? "up" : "down",
	            fields_bool(cluster, "drained") ? ", drained" : "");
}

static void describe_zone(struct json_object *said, const char *name, struct text *out)
{
	struct json_object *zone = fields_named(said, "zones", name);

	if (!zone)
		text_add(out, "not served");
	else
		text_printf(out, "%" PRIu64 " names, %" PRIu64 " held", fields_u64(zone, "names"),
		            fields_u64(zone, "held"));
}

static void describe_serial(struct json_object *said, const char *name, struct text *out)
{
	struct json_object *zone = fields_named(said, "zones", name);

	text_printf(out, "%" PRIu64, fields_u64(zone, "serial"));
}

/* Every name that one of the pods has in `list`, once. */
static void compare_all(const struct pods *p, const char *list, const char *what,
                        describe_fn *describe, struct json_object *lines)
{
	for (size_t i = 0; i < p->count; i++) {
		size_t count = fields_count(p->list[i].said, list);

		for (size_t n = 0; n < count; n++) {
			const char *name =
				fields_text(fields_item(p->list[i].said, list, n), "name");
			bool is_new = true;

			for (size_t before = 0; before < i; before++)
				is_new &= !fields_named(p->list[before].said, list, name);
			if (is_new)
				compare_by(p, what, name, describe, lines);
		}
	}
}

void replicas_compare_status(const struct pods *p, struct json_object *lines)
{
	compare_by(p, "version", "", describe_version, lines);
	compare_by(p, "host", "", describe_host, lines);
	compare_all(p, "clusters", "cluster ", describe_cluster, lines);
	compare_all(p, "zones", "zone ", describe_zone, lines);
	compare_all(p, "zones", "each replica's own serial of ", describe_serial, lines);
}

/* --- explain --- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Records in byte order: a replica may turn them round. */
static void describe_answer(struct json_object *said, const char *name, struct text *out)
{
	struct json_object *answer = fields_find(said, "answer");
	size_t count = fields_count(answer, "records");
	const char **records = xcalloc(count + 1, sizeof(*records));
	const char *site = fields_text(answer, "site");

	(void)name;
	for (size_t i = 0; i < count; i++) {
		struct json_object *record = fields_item(answer, "records", i);

		records[i] = json_object_is_type(record, json_type_string)
		                     ? json_object_get_string(record)
		                     : "";
	}
	qsort(records, count, sizeof(*records), by_text);
	text_printf(out, "%s%s%s", fields_text(answer, "rcode"), *site ? " from " : "", site);
	for (size_t i = 0; i < count; i++)
		text_printf(out, "%s%s", i ? ", " : ": ", records[i]);
	free(records);
}

void replicas_compare_story(const struct pods *p, struct json_object *lines)
{
	compare_by(p, "answer", "", describe_answer, lines);
}
