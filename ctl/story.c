/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/story.h"

#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/http.h"
#include "ctl/print.h"
#include "ctl/replicas.h"

int story_run(const struct command *c)
{
	struct text path = {0};
	int status;

	text_add(&path, "/explain");
	http_add_arg(&path, "name", c->args[0]);
	http_add_arg(&path, "type", c->type);
	http_add_arg(&path, "client", c->client);
	http_add_arg(&path, "resolver", c->resolver);
	status = replicas_are_meant(c) ? replicas_show(c, path.data, &replicas_story)
	                               : command_show(c, path.data, story_print);
	text_fini(&path);
	return status;
}

/* `before` and the value; nothing for an empty one. */
static void add_if(struct text *line, const char *before, const char *value)
{
	if (*value)
		text_printf(line, "%s%s", before, value);
}

static void end_line(struct text *line, struct text *out)
{
	print_safe(line->data ? line->data : "", out);
	text_add(out, "\n");
	text_reset(line);
}

static void print_question(struct json_object *explained, struct text *out)
{
	struct json_object *question = fields_find(explained, "question");
	const char *zone = fields_text(explained, "zone");
	struct text line = {0};

	if (json_object_is_type(question, json_type_string))
		text_add(&line, json_object_get_string(question));
	add_if(&line, "", fields_text(question, "name"));
	add_if(&line, " ", fields_text(question, "type"));
	if (*zone)
		text_printf(&line, ", of zone %s", zone);
	else
		text_add(&line, ", of no zone that is served here");
	end_line(&line, out);
	text_fini(&line);
}

/* ", in US-CA, NA, within 20 km" */
static void add_area(struct json_object *client, struct text *line)
{
	const char *country = fields_text(client, "country"),
		   *subdivision = fields_text(client, "subdivision");
	uint64_t km = fields_u64(client, "accuracyKm");

	add_if(line, ", in ", *subdivision ? subdivision : country);
	add_if(line, ", ", fields_text(client, "continent"));
	if (km)
		text_printf(line, ", within %" PRIu64 " km", km);
}

/* "of the policy shop/web"; nothing where `defaults` decide. */
static void print_policy(struct json_object *explained, struct text *out)
{
	struct json_object *policy = fields_find(explained, "policy");
	struct text line = {0};

	if (policy == NULL)
		return;
	text_printf(&line, "by the policy %s/%s", fields_text(policy, "namespace"),
	            fields_text(policy, "name"));
	end_line(&line, out);
	text_fini(&line);
}

static void print_client(struct json_object *explained, struct text *out)
{
	struct json_object *client = fields_find(explained, "client");
	struct text line = {0}, place = {0};

	text_printf(&line, "asked for %s", fields_text(client, "address"));
	add_if(&line, ", network ", fields_text(client, "network"));
	add_if(&line, ", known from ", fields_text(client, "from"));
	end_line(&line, out);
	fields_place(client, "place", &place);
	if (place.len)
		text_printf(&line, "standing at %s", place.data);
	else
		text_add(&line, "standing nobody knows where");
	add_area(client, &line);
	add_if(&line, ", says ", fields_text(client, "database"));
	end_line(&line, out);
	text_fini(&place);
	text_fini(&line);
}

/* "probe: refused (12 s ago); drain: drained" */
static void add_reasons(struct json_object *candidate, bool wide, struct text *out)
{
	size_t count = fields_count(candidate, "reasons");
	const char *between = "";

	for (size_t i = 0; i < count; i++) {
		struct json_object *reason = fields_item(candidate, "reasons", i);
		uint64_t age_s = fields_u64(reason, "ageSeconds");

		if (fields_bool(reason, "ok") && !wide)
			continue;
		text_printf(out, "%s%s", between, fields_text(reason, "layer"));
		add_if(out, ": ", fields_text(reason, "detail"));
		if (age_s)
			text_printf(out, " (%" PRIu64 " s ago)", age_s);
		between = "; ";
	}
}

/* It was tried, and says nothing of the address: what was meant as a check is none. */
static bool is_void(struct json_object *probe)
{
	return !fields_find(probe, "ok") && fields_find(probe, "ageSeconds");
}

/* "; 192.0.2.1:443 https: status 503, held for 30 s", of what is down, flaps or is void. */
static void add_probes(struct json_object *candidate, bool wide, struct text *out)
{
	size_t count = fields_count(candidate, "probes");

	for (size_t i = 0; i < count; i++) {
		struct json_object *probe = fields_item(candidate, "probes", i);
		uint64_t held_s = fields_u64(probe, "heldForSeconds");

		if (!fields_bool(probe, "down") && !fields_bool(probe, "flapping") &&
		    !is_void(probe) && !wide)
			continue;
		text_printf(out, "%s%s %s: %s%s", out->len ? "; " : "",
		            fields_text(probe, "target"), fields_text(probe, "check"),
		            is_void(probe) ? "not judged, " : "", fields_text(probe, "detail"));
		if (held_s)
			text_printf(out, ", held for %" PRIu64 " s", held_s);
		else if (fields_bool(probe, "flapping"))
			text_add(out, ", flapping");
	}
}

static void print_candidates(struct json_object *explained, bool wide, struct text *out)
{
	static const char *const heads[] = {"CLUSTER", "DISTANCE", "USABLE", "WHY"};
	struct print_table *t = print_table_new(heads, 4);
	size_t count = fields_count(explained, "candidates");

	for (size_t i = 0; i < count; i++) {
		struct json_object *candidate = fields_item(explained, "candidates", i);
		struct json_object *km = fields_find(candidate, "distanceKm");
		struct text why = {0};
		char distance[32] = "";

		if (km)
			snprintf(distance, sizeof(distance), "%.0f km", json_object_get_double(km));
		add_reasons(candidate, wide, &why);
		add_probes(candidate, wide, &why);
		print_cell(t, fields_text(candidate, "cluster"));
		print_cell(t, distance);
		print_cell(t, fields_bool(candidate, "usable") ? "yes" : "no");
		print_cell(t, why.data ? why.data : "");
		text_fini(&why);
	}
	if (count)
		text_add(out, "\n");
	print_table_end(t, out);
}

static void print_steps(struct json_object *explained, struct text *out)
{
	size_t count = fields_count(explained, "steps");
	struct text line = {0};

	if (count)
		text_add(out, "\n");
	for (size_t i = 0; i < count; i++) {
		struct json_object *step = fields_item(explained, "steps", i);
		struct text left = {0};

		text_printf(&line, "%zu. %s", i + 1, fields_text(step, "stage"));
		add_if(&line, ": ", fields_text(step, "detail"));
		fields_join(step, "left", ", ", &left);
		add_if(&line, " -> ", left.data ? left.data : "");
		end_line(&line, out);
		text_fini(&left);
	}
	text_fini(&line);
}

static void print_answer(struct json_object *explained, struct text *out)
{
	struct json_object *answer = fields_find(explained, "answer");
	size_t count = fields_count(answer, "records");
	struct text line = {0};

	text_add(out, "\n");
	text_printf(&line, "answer: %s", fields_text(answer, "rcode"));
	add_if(&line, ", from ", fields_text(answer, "site"));
	if (count || fields_u64(answer, "ttl"))
		text_printf(&line, ", for %" PRIu64 " s", fields_u64(answer, "ttl"));
	if (fields_u64(answer, "scope"))
		text_printf(&line, ", for the client's first %" PRIu64 " bits",
		            fields_u64(answer, "scope"));
	end_line(&line, out);
	for (size_t i = 0; i < count; i++) {
		struct json_object *record = fields_item(answer, "records", i);

		text_add(&line, "  ");
		if (json_object_is_type(record, json_type_string))
			text_add(&line, json_object_get_string(record));
		end_line(&line, out);
	}
	text_fini(&line);
}

void story_print(struct json_object *explained, bool wide, struct text *out)
{
	print_question(explained, out);
	print_policy(explained, out);
	print_client(explained, out);
	print_candidates(explained, wide, out);
	print_steps(explained, out);
	print_answer(explained, out);
}
