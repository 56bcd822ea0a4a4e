/* failback.c -- nighctl failback: sites that wait to come back get their clients. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/failback_pods.h"
#include "ctl/fields.h"
#include "ctl/http.h"
#include "ctl/replicas.h"

void failback_describe(const struct command *c, struct text *out)
{
	if (c->arg_count > 0)
		text_add(out, c->args[0]);
	else if (c->policy)
		text_printf(out, "policy %s", c->policy);
	if (c->cluster && out->len > 0)
		text_printf(out, " at %s", c->cluster);
	else if (c->cluster)
		text_printf(out, "cluster %s", c->cluster);
}

void failback_tell(const struct command *c, struct json_object *root)
{
	struct text says = {0};
	uint64_t sites = fields_u64(root, "sites");

	if (c->arg_count > 0) {
		text_printf(&says, "%s has its clients back at %" PRIu64 " cluster%s\n", c->args[0],
		            sites, sites == 1 ? "" : "s");
	} else {
		failback_describe(c, &says);
		text_printf(&says, " has its clients back: %" PRIu64 " site%s\n", sites,
		            sites == 1 ? "" : "s");
	}
	command_tell(c, root, says.data);
	text_fini(&says);
}

static void add_arg(struct text *path, const char *key, const char *value)
{
	if (value)
		http_add_arg(path, key, value);
}

static int ask_server(const struct command *c)
{
	struct json_object *root = NULL;
	struct text path = {0};
	int status;

	text_add(&path, "/failback");
	add_arg(&path, "name", c->arg_count > 0 ? c->args[0] : NULL);
	add_arg(&path, "cluster", c->cluster);
	add_arg(&path, "policy", c->policy);
	status = command_post(c, path.data, &root);
	if (status == COMMAND_FINE)
		failback_tell(c, root);
	json_object_put(root);
	text_fini(&path);
	return status;
}

int failback_run(const struct command *c)
{
	return replicas_are_meant(c) ? failback_pods(c) : ask_server(c);
}
