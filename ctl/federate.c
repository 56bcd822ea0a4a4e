/* federate.c -- nighctl federate: which of its forms is meant. */
/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/federate.h"

#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

int federate_run(const struct command *c)
{
	if (c->file && c->arg_count == 0)
		return federate_file(c);
	if (c->arg_count == 2 && !c->file) {
		if (strcmp(c->args[0], "enable") == 0)
			return federate_enable(c, c->args[1]);
		if (strcmp(c->args[0], "disable") == 0)
			return federate_disable(c, c->args[1]);
		return federate_named(c);
	}
	fprintf(stderr,
	        "usage: %s federate enable|disable TYPE | federate TYPE [NAMESPACE/]NAME | "
	        "federate -f FILE\n",
	        c->program);
	return COMMAND_USAGE;
}
