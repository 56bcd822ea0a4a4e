/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/zone_orders.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/xalloc.h"
#include "ctl/fields.h"
#include "ctl/http.h"

enum { POLL_MS = 100, POLLS = 600 };

struct json_object *zone_find(struct json_object *status, const char *name)
{
	for (size_t i = 0; i < fields_count(status, "zones"); i++) {
		struct json_object *zone = fields_item(status, "zones", i);

		if (fields_is_domain(zone, "name", name))
			return zone;
	}
	return NULL;
}

static int give_order(const struct command *c, const char *order, const char *zone,
                      struct json_object **said)
{
	struct text path = {0};
	int status;

	text_add(&path, order);
	http_add_arg(&path, "zone", zone);
	status = command_post(c, path.data, said);
	text_fini(&path);
	return status;
}

/* --- reload --- */

/* A zone whose file is being read. */
struct reading {
	char *zone;
	uint64_t number; /* file.readings of /status, when it is done */
};

struct reload {
	const struct command *c;
	struct reading *list;
	size_t count;
	struct json_object *status; /* as last seen */
};

static int begin(struct reload *r, const char *zone)
{
	struct json_object *said;
	int status = give_order(r->c, "/zone/reload", zone, &said);

	if (status != COMMAND_FINE)
		return status;
	r->list = xreallocarray(r->list, r->count + 1, sizeof(*r->list));
	r->list[r->count++] = (struct reading){xstrdup(zone), fields_u64(said, "reading")};
	json_object_put(said);
	return COMMAND_FINE;
}

static int begin_all(struct reload *r)
{
	struct json_object *root;
	int status = command_get(r->c, "/status", &root);

	for (size_t i = 0; status == COMMAND_FINE && i < fields_count(root, "zones"); i++) {
		struct json_object *zone = fields_item(root, "zones", i);

		if (fields_find(zone, "file"))
			status = begin(r, fields_text(zone, "name"));
	}
	if (status == COMMAND_FINE && r->count == 0)
		status = command_fail(r->c, "%s: no zone has a file", r->c->server);
	json_object_put(root);
	return status;
}

static bool are_done(const struct reload *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct json_object *zone = zone_find(r->status, r->list[i].zone);

		if (fields_u64(fields_find(zone, "file"), "readings") < r->list[i].number)
			return false;
	}
	return true;
}

/* A large file takes its time, and the server answers others meanwhile. */
static int wait_until_done(struct reload *r)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

	for (unsigned i = 0; i < POLLS; i++) {
		int status;

		json_object_put(r->status);
		status = command_get(r->c, "/status", &r->status);
		if (status != COMMAND_FINE || are_done(r))
			return status;
		nanosleep(&pause, NULL);
	}
	return command_fail(r->c, "%s: still being read: see zone status", r->c->server);
}

void zone_print_errors(struct json_object *file, struct text *out)
{
	for (size_t i = 0; i < fields_count(file, "errors"); i++) {
		struct json_object *line = fields_item(file, "errors", i);

		if (json_object_is_type(line, json_type_string))
			print_safe(json_object_get_string(line), out);
		text_add(out, "\n");
	}
}

static void print_good(struct json_object *zone, struct json_object *file, struct text *out)
{
	print_safe(fields_text(zone, "name"), out);
	text_add(out, ": read ");
	print_safe(fields_text(file, "path"), out);
	text_printf(out, ": %llu names, serial %llu; the zone's is %llu\n",
	            (unsigned long long)fields_u64(file, "names"),
	            (unsigned long long)fields_u64(file, "serial"),
	            (unsigned long long)fields_u64(zone, "serial"));
}

/* What came of it, and COMMAND_FAILED when some file has errors. */
static int tell(const struct reload *r, struct text *out)
{
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();
	int status = COMMAND_FINE;

	json_object_object_add(root, "zones", list);
	for (size_t i = 0; i < r->count; i++) {
		struct json_object *zone = zone_find(r->status, r->list[i].zone);
		struct json_object *file = fields_find(zone, "file");

		json_object_array_add(list, json_object_get(zone));
		if (fields_bool(file, "good") && command_is_table(r->c))
			print_good(zone, file, out);
		else if (command_is_table(r->c))
			zone_print_errors(file, out);
		if (!fields_bool(file, "good"))
			status = command_fail(r->c, "%s: the file has errors; %s", r->list[i].zone,
			                      *fields_text(file, "readAt")
			                              ? "the last good one stays in force"
			                              : "none was good yet");
	}
	if (!command_is_table(r->c))
		command_add(r->c, root, out);
	json_object_put(root);
	return status;
}

int zone_reload_run(const struct command *c)
{
	struct reload r = {.c = c};
	struct text out = {0};
	int status = c->arg_count > 1 ? begin(&r, c->args[1]) : begin_all(&r);

	if (status == COMMAND_FINE)
		status = wait_until_done(&r);
	if (status == COMMAND_FINE)
		status = tell(&r, &out);
	if (out.data)
		fputs(out.data, stdout);
	text_fini(&out);
	json_object_put(r.status);
	for (size_t i = 0; i < r.count; i++)
		free(r.list[i].zone);
	free(r.list);
	return status;
}

/* --- notify --- */

int zone_notify_run(const struct command *c)
{
	struct json_object *said;
	struct text says = {0};
	const char *zone = c->arg_count > 1 ? c->args[1] : NULL;
	int status = give_order(c, "/zone/notify", zone, &said);
	uint64_t count;

	if (status != COMMAND_FINE)
		return status;
	count = fields_u64(said, "secondaries");
	text_printf(&says, "%s: NOTIFY is sent to %llu %s\n", zone ? zone : "all zones",
	            (unsigned long long)count, count == 1 ? "secondary" : "secondaries");
	command_tell(c, said, says.data);
	text_fini(&says);
	json_object_put(said);
	return COMMAND_FINE;
}
