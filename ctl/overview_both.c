/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/overview_both.h"

#include <json-c/json_object.h>

#include "ctl/command.h"
#include "ctl/overview.h"

struct program {
	const char *name, *server;
	struct json_object *status; /* NULL: `err` and `why` */
	enum err err;
	struct reason why;
};

static void look(struct program *p, const struct command *c)
{
	struct command its = *c;

	its.server = p->server;
	p->err = command_ask(&its, "/status", &p->status, &p->why);
}

/* Where nobody listens none is meant to run; who is there, and does not answer as it should, is in trouble. */
static bool is_in_trouble(const struct program *p)
{
	return !p->status && p->err != ERR_UNREACHABLE;
}

static void print(const struct program *p, bool wide, struct text *out)
{
	if (out->len)
		text_add(out, "\n");
	if (p->status)
		overview_print(p->status, wide, out);
	else if (is_in_trouble(p))
		text_printf(out, "%s at %s is in trouble\n", p->name, p->server);
	else
		text_printf(out, "%s: none answers at %s (one elsewhere: --server URL)\n", p->name,
		            p->server);
}

static void show(const struct command *c, const struct program *nighd,
                 const struct program *propagator)
{
	struct json_object *root =
		nighd->status ? json_object_get(nighd->status) : json_object_new_object();
	struct text out = {0};

	json_object_object_add(root, "propagator", json_object_get(propagator->status));
	print(nighd, c->format == PRINT_WIDE, &out);
	print(propagator, c->format == PRINT_WIDE, &out);
	command_tell(c, root, out.data);
	text_fini(&out);
	json_object_put(root);
}

static int tell(const struct command *c, const struct program *p)
{
	return command_fail(c, "%s: %s", p->server, p->why.text);
}

int overview_both(const struct command *c, const char *propagator)
{
	struct program nighd = {.name = "nighd", .server = c->server};
	struct program other = {.name = "nigh-propagator", .server = propagator};
	bool none;
	int status = COMMAND_FINE;

	look(&nighd, c);
	look(&other, c);
	none = !nighd.status && !other.status;
	if (!none)
		show(c, &nighd, &other);
	if (none || is_in_trouble(&nighd))
		status = tell(c, &nighd);
	if (none || is_in_trouble(&other))
		status = tell(c, &other);
	json_object_put(nighd.status);
	json_object_put(other.status);
	return status;
}
