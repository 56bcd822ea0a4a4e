/* release.c -- nighctl guard release: lets a held zone go on. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/http.h"
#include "ctl/release_pods.h"
#include "ctl/replicas.h"

static int release_at_server(const struct command *c, struct json_object **root)
{
	struct text path = {0};
	int status;

	text_add(&path, "/guard/release");
	http_add_arg(&path, "zone", c->args[1]);
	status = command_post(c, path.data, root);
	text_fini(&path);
	return status;
}

int release_run(const struct command *c)
{
	struct json_object *root = NULL;
	struct text says = {0};
	int status;

	if (strcmp(c->args[0], "release") != 0) {
		fprintf(stderr, "usage: %s guard release ZONE\n", c->program);
		return COMMAND_USAGE;
	}
	status = replicas_are_meant(c) ? release_pods(c, c->args[1], &root)
	                               : release_at_server(c, &root);
	if (status == COMMAND_FINE) {
		text_printf(&says, "the guard of %s is released\n", c->args[1]);
		command_tell(c, root, says.data);
	}
	json_object_put(root);
	text_fini(&says);
	return status;
}
