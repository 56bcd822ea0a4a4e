/* shift.c -- nighctl shift: more or fewer of a cluster's clients, at a time and along a curve, and back. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/check.h"
#include "ctl/cluster.h"
#include "ctl/command.h"
#include "ctl/moves.h"

/* A share of those who are drained is none. */
static int read_now(const struct cluster_asked *asked, struct moves_now *now)
{
	int status = cluster_read_now(asked, now);

	if (status == COMMAND_FINE && now->is_drained)
		status = command_fail(asked->c, "%s is drained: %s undrain %s --over 30m",
		                      asked->name, asked->c->program, asked->name);
	return status;
}

/* How long, and along which curve, where the command line says it. */
static bool take_way(const struct command *c, int64_t *over, struct ramp *ramp)
{
	if (c->curve && !ramp_parse_curve(bytes_of(c->curve), ramp)) {
		command_fail(c, "--curve is linear, smooth or steps:N, not %s", c->curve);
		return false;
	}
	return !c->over || command_seconds(c, "--over", c->over, over);
}

static int shift(const struct cluster_asked *asked, struct cluster_change *out)
{
	struct moves_now now;
	struct ramp ramp = {0};
	int64_t over = 0;
	uint32_t to;
	int status;

	CHECK(ramp_parse_share(bytes_of(asked->c->to), &to)); /* shift_run() has tried it */
	if (!take_way(asked->c, &over, &ramp))
		return COMMAND_USAGE;
	status = read_now(asked, &now);
	if (status != COMMAND_FINE)
		return status;
	moves_plan(&now, to, over, &ramp);
	cluster_take_plan(out, "is shifted\n", &ramp);
	return COMMAND_FINE;
}

/* Back the way it came: as long, along the same curve. */
static int undo(const struct cluster_asked *asked, struct cluster_change *out)
{
	struct moves_now now;
	struct ramp ramp = {0};
	int64_t over;
	int status = read_now(asked, &now);

	if (status != COMMAND_FINE)
		return status;
	if (!now.has_ramp)
		return command_fail(asked->c, "%s is not shifted", asked->name);
	ramp.curve = now.ramp.curve;
	ramp.steps = now.ramp.steps;
	over = now.ramp.end - now.ramp.start;
	if (!take_way(asked->c, &over, &ramp))
		return COMMAND_USAGE;
	if (now.share == RAMP_WHOLE) {
		out->has_shift = true;
		text_add(&out->says, "is not shifted any more\n");
		return COMMAND_FINE;
	}
	moves_plan(&now, RAMP_WHOLE, over, &ramp);
	cluster_take_plan(out, "gets its clients back\n", &ramp);
	return COMMAND_FINE;
}

/* What is wrong with the words is said before anybody is asked. */
int shift_run(const struct command *c)
{
	uint32_t to;

	if (!c->cluster || !c->to == !c->undo) {
		fprintf(stderr, "usage: %s shift --cluster CLUSTER --to SHARE | --undo ...\n",
		        c->program);
		return COMMAND_USAGE;
	}
	if (c->to && !ramp_parse_share(bytes_of(c->to), &to)) {
		command_fail(c, "--to is 0%% to 100%%, not %s", c->to);
		return COMMAND_USAGE;
	}
	return cluster_change(c, c->cluster, c->undo ? undo : shift);
}
