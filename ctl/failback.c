/* failback.c -- nighctl failback: sites that wait to come back get their clients. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/http.h"
#include "ctl/login.h"
#include "ctl/pods.h"
#include "ctl/replicas.h"

static void add_path(const struct command *c, struct text *path)
{
	text_add(path, "/failback");
	http_add_arg(path, "name", c->args[0]);
	if (c->cluster)
		http_add_arg(path, "cluster", c->cluster);
}

static int ask_server(const struct command *c)
{
	struct json_object *root = NULL;
	struct text path = {0}, says = {0};
	int status;

	add_path(c, &path);
	status = command_post(c, path.data, &root);
	if (status == COMMAND_FINE) {
		text_printf(&says, "%s has its clients back at %" PRIu64 " cluster%s\n", c->args[0],
		            fields_u64(root, "sites"), fields_u64(root, "sites") == 1 ? "" : "s");
		command_tell(c, root, says.data);
	}
	json_object_put(root);
	text_fini(&path);
	text_fini(&says);
	return status;
}

static bool waits(const struct command *c, const struct pod *pod)
{
	size_t count = fields_count(pod->said, "pending");

	for (size_t i = 0; i < count; i++) {
		struct json_object *one = fields_item(pod->said, "pending", i);

		if (fields_is_domain(one, "name", c->args[0]) &&
		    (!c->cluster || strcmp(fields_text(one, "cluster"), c->cluster) == 0))
			return true;
	}
	return false;
}

/* A pod takes orders only from its own machine, and no object says this one. */
static int tell_by_hand(const struct command *c, const struct pods *pods)
{
	size_t count = 0;

	for (size_t i = 0; i < pods->count; i++) {
		const struct pod *pod = &pods->list[i];

		if (!waits(c, pod))
			continue;
		if (count++ == 0)
			command_fail(c, "each pod in which %s waits is told by hand:", c->args[0]);
		fprintf(stderr, "  kubectl -n %s port-forward pod/%s 8053:%u\n", pod->namespace,
		        pod->name, pod->port);
	}
	if (count == 0)
		return command_fail(c, "%s waits in no pod that answers", c->args[0]);
	fprintf(stderr, "and beside it\n  %s --server http://127.0.0.1:8053 failback %s%s%s\n",
	        c->program, c->args[0], c->cluster ? " --cluster " : "",
	        c->cluster ? c->cluster : "");
	return COMMAND_FAILED;
}

static int ask_pods(const struct command *c)
{
	struct kube_access access = {0};
	struct pods pods = {0};
	struct reason why = {0};
	int status;

	if (login_read(c, &access, &why) != ERR_OK)
		return command_fail(c, "%s", why.text);
	if (pods_find(&access, c->pods_namespace, &pods, &why) != ERR_OK) {
		status = command_fail(c, "%s: %s", access.server, why.text);
	} else {
		pods_ask_all(&access, &pods, "/status", false);
		status = tell_by_hand(c, &pods);
	}
	pods_fini(&pods);
	kube_access_fini(&access);
	return status;
}

int failback_run(const struct command *c)
{
	return replicas_are_meant(c) ? ask_pods(c) : ask_server(c);
}
