/* release.c -- nighctl guard release: lets a held zone go on. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/http.h"

int release_run(const struct command *c)
{
	struct text path = {0}, out = {0};
	struct json_object *root;
	int status;

	if (strcmp(c->args[0], "release") != 0) {
		fprintf(stderr, "usage: %s guard release ZONE\n", c->program);
		return COMMAND_USAGE;
	}
	text_add(&path, "/guard/release");
	http_add_arg(&path, "zone", c->args[1]);
	status = command_post(c, path.data, &root);
	if (status == COMMAND_FINE) {
		if (c->format == PRINT_JSON)
			print_json(root, &out);
		else if (c->format == PRINT_YAML)
			print_yaml(root, &out);
		else
			text_printf(&out, "the guard of %s is released\n", c->args[1]);
		fputs(out.data, stdout);
	}
	json_object_put(root);
	text_fini(&out);
	text_fini(&path);
	return status;
}
