/* get.c -- nighctl get: a federated object, as it is in each cluster. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "ctl/by_cluster.h"
#include "ctl/command.h"
#include "ctl/crew.h"
#include "ctl/fields.h"
#include "ctl/outlook.h"
#include "ctl/progress.h"
#include "propagator/jsontree.h"
#include "propagator/schedule.h"
#include "propagator/version.h"

struct shown {
	struct outlook o;
	const struct type *type;
	const char *namespace, *name; /* NULL: a kind without */
	struct json_object *federated, *version;
	struct placement placement;
};

/* NULL: there is none. */
static struct json_object *find_version(const struct shown *s)
{
	const struct kube_resource namespaced = {"core.kubefed.io", "v1alpha1",
	                                         "propagatedversions", "PropagatedVersion"};
	const struct kube_resource cluster = {"core.kubefed.io", "v1alpha1",
	                                      "clusterpropagatedversions",
	                                      "ClusterPropagatedVersion"};
	char *name = version_name(s->type, s->name);
	struct json_object *out = NULL;
	struct reason why;

	if (apiserver_get(&s->o.host, s->namespace ? &namespaced : &cluster, s->namespace, name,
	                  &out, &why) != ERR_OK)
		out = NULL;
	free(name);
	return out;
}

struct answer {
	struct shown *shown;
	struct json_object *object; /* NULL: there is none, or it is not known */
	struct reason why;          /* what is not known; "": all is */
};

static void ask(size_t i, void *arg)
{
	struct answer *a = (struct answer *)arg + i;
	const struct shown *s = a->shown;
	const struct kube_resource r = apiserver_resource(&s->type->target);
	const struct apiserver *server = outlook_reach(&a->shown->o, i);
	struct reason why = {0};
	enum err err;

	if (!server) {
		a->why = s->o.members[i].why;
		return;
	}
	err = apiserver_get(server, &r, s->type->target.namespaced ? s->namespace : NULL, s->name,
	                    &a->object, &why);
	if (err && err != ERR_NOTFOUND)
		a->why = why;
}

static struct json_object *row_of(const struct answer *a, size_t i)
{
	const struct shown *s = a->shown;
	const struct by_cluster_copy copy = {
		.object = a->object, .is_asked = true, .trouble = a->why.text};
	const char *cluster = s->o.members[i].name;

	return by_cluster_make(cluster, placement_has(&s->placement, cluster), s->federated,
	                       s->version, &copy, clock_unix_s());
}

static bool concerns(struct json_object *row)
{
	return fields_bool(row, "placed") || fields_bool(row, "exists") ||
	       *fields_text(row, "state") || *fields_text(row, "recorded");
}

static void print(struct json_object *rows, struct text *out)
{
	static const char *const heads[] = {"CLUSTER", "STATE",   "HEALTH",
	                                    "VERSION", "MANAGED", "MESSAGE"};
	struct print_table *table = print_table_new(heads, 6);

	for (size_t i = 0; i < jsontree_count(rows); i++) {
		struct json_object *row = jsontree_item(rows, i);
		const char *state = fields_text(row, "state"), *health = fields_text(row, "health");
		/* What is well says nothing of what its state complains of. */
		bool explains = !*state || strcmp(health, "Current") != 0;
		const char *texts[] = {fields_text(row, "unreachable"), fields_text(row, "message"),
		                       explains ? fields_text(row, "healthMessage") : ""};

		print_cell(table, fields_text(row, "cluster"));
		print_cell(table, *state ? state : fields_bool(row, "placed") ? "" : "NotPlaced");
		print_cell(table, health);
		print_cell(table, *fields_text(row, "version") ? fields_text(row, "version")
		                                               : fields_text(row, "recorded"));
		print_cell(table, !fields_find(row, "exists")   ? "?"
		                  : fields_bool(row, "managed") ? "yes"
		                                                : "no");
		print_cell(table, *texts[0] ? texts[0] : *texts[1] ? texts[1] : texts[2]);
	}
	if (jsontree_count(rows) == 0)
		text_add(out, "it is in no cluster\n");
	print_table_end(table, out);
}

/* Of the whole, not of a cluster. */
static void print_excess(struct json_object *excess, struct text *out)
{
	const char *message = fields_text(excess, "message");

	text_add(out, "\n" SCHEDULE_EXCESS_CONDITION ": ");
	print_safe(fields_text(excess, "reason"), out);
	text_add(out, *message ? ": " : "");
	print_safe(message, out);
	text_add(out, "\n");
}

/* Takes the rows. */
static void tell(const struct shown *s, struct json_object *rows)
{
	struct json_object *root = json_object_new_object();
	struct json_object *excess = by_cluster_excess(s->federated);
	struct text out = {0};

	json_object_object_add(root, "kind", json_object_new_string(s->type->federated.kind));
	json_object_object_add(root, "name", json_object_new_string(s->name));
	if (s->namespace)
		json_object_object_add(root, "namespace", json_object_new_string(s->namespace));
	json_object_object_add(root, "clusters", rows);
	print(rows, &out);
	if (excess) {
		json_object_object_add(root, "overTotalReplicas", excess);
		print_excess(excess, &out);
	}
	command_tell(s->o.c, root, out.data);
	text_fini(&out);
	json_object_put(root);
}

/* Of the clusters that have to do with it. */
static struct json_object *ask_all(struct shown *s)
{
	struct json_object *rows = json_object_new_array();
	struct answer *answers = xcalloc(s->o.count, sizeof(*answers));
	struct progress progress;

	progress_begin(&progress, "asking");
	progress_show(&progress, 0, s->o.count);
	for (size_t i = 0; i < s->o.count; i++)
		answers[i].shown = s;
	crew_run(s->o.count, ask, answers);
	progress_show(&progress, s->o.count, s->o.count);
	for (size_t i = 0; i < s->o.count; i++) {
		struct json_object *row = row_of(&answers[i], i);

		if (concerns(row))
			json_object_array_add(rows, row);
		else
			json_object_put(row);
		json_object_put(answers[i].object);
	}
	free(answers);
	return rows;
}

static int show(struct shown *s)
{
	struct json_object *own =
		s->type->target.namespaced ? outlook_namespace(&s->o, s->namespace) : NULL;
	struct reason why = {0};

	/* An object that is wrong goes nowhere, and is somewhere maybe. */
	if (outlook_place(&s->o, s->type, s->federated, own, &s->placement, &why) != ERR_OK)
		command_fail(s->o.c, "%s: %s", s->name, why.text);
	s->version = find_version(s);
	tell(s, ask_all(s));
	json_object_put(own);
	json_object_put(s->version);
	placement_fini(&s->placement);
	return COMMAND_FINE;
}

static int get(struct shown *s)
{
	const struct command *c = s->o.c;
	const struct kube_resource r = apiserver_resource(&s->type->federated);
	struct text namespace = {0};
	struct reason why = {0};
	int status;

	if (!outlook_split(&s->o, s->type, &s->type->federated, c->args[1], &namespace, &s->name)) {
		status = command_fail(c, "%s is named %s", r.kind,
		                      s->type->federated.namespaced ? "[NAMESPACE/]NAME" : "NAME");
	} else {
		s->namespace = namespace.data;
		if (apiserver_get(&s->o.host, &r, s->namespace, s->name, &s->federated, &why) !=
		    ERR_OK)
			status = command_fail(c, "%s %s%s%s: %s", r.kind,
			                      s->namespace ? s->namespace : "",
			                      s->namespace ? "/" : "", s->name, why.text);
		else
			status = show(s);
	}
	json_object_put(s->federated);
	text_fini(&namespace);
	return status;
}

int get_run(const struct command *c)
{
	struct shown s = {0};
	struct type type;
	int status;

	if (!c->by_cluster) {
		fprintf(stderr, "usage: %s get TYPE [NAMESPACE/]NAME --by-cluster\n", c->program);
		return COMMAND_USAGE;
	}
	status = outlook_open(&s.o, c);
	if (status != COMMAND_FINE)
		return status;
	if (outlook_type_named(&s.o, c->args[0], &type)) {
		s.type = &type;
		status = get(&s);
		type_fini(&type);
	} else {
		status = command_fail(c, "no FederatedTypeConfig is about %s", c->args[0]);
	}
	outlook_close(&s.o);
	return status;
}
