/* drain.c -- nighctl drain and undrain: a cluster's clients go elsewhere, at once or by a plan, and come back. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/cluster.h"
#include "ctl/command.h"
#include "ctl/moves.h"
#include "ctl/ttls.h"

static void say_drained(struct cluster_change *out, bool drained, const char *says)
{
	text_add(&out->says, says);
	json_object_object_add(out->root, "drained", json_object_new_boolean(drained));
}

/* A shift to nothing drains as well (nigh-manifests(5)). */
static bool is_drained(const struct cluster_asked *asked)
{
	struct moves_now now;
	enum err err = moves_read(asked->drain, asked->shift, clock_unix_s(), &now, NULL);

	return now.is_drained || (err == ERR_OK && now.share == 0);
}

/* --- at once --- */

static int drain_now(const struct cluster_asked *asked, struct cluster_change *out)
{
	out->has_drain = !asked->is_kept || !is_drained(asked);
	out->drain = "true";
	say_drained(out, true, out->has_drain ? "is drained\n" : "was drained already\n");
	return COMMAND_FINE;
}

/* Is there, or is to come, a share of nothing? */
static bool has_drain_plan(const struct cluster_asked *asked)
{
	struct moves_now now;

	return moves_read(NULL, asked->shift, clock_unix_s(), &now, NULL) == ERR_OK &&
	       now.has_ramp && now.ramp.to == 0;
}

/* What is neither "true" nor "false" does not drain (nigh-manifests(5)), and undrain takes it away. */
static int undrain_now(const struct cluster_asked *asked, struct cluster_change *out)
{
	out->has_drain = !asked->is_kept || (asked->drain && strcmp(asked->drain, "false") != 0);
	out->has_shift = has_drain_plan(asked);
	say_drained(out, false,
	            out->has_drain || out->has_shift ? "is not drained any more\n"
	                                             : "was not drained\n");
	return COMMAND_FINE;
}

/* --- by a plan --- */

/* Where it is said alone when: all at once. */
static bool take_over(const struct command *c, int64_t *over)
{
	*over = 0;
	return !c->over || command_seconds(c, "--over", c->over, over);
}

static int drain_over(const struct cluster_asked *asked, struct cluster_change *out)
{
	struct moves_now now;
	struct ramp ramp = {0};
	int64_t over, wait;
	int status;

	if (!take_over(asked->c, &over))
		return COMMAND_USAGE;
	status = cluster_read_now(asked, &now);
	if (status != COMMAND_FINE)
		return status;
	if (now.share == 0) {
		say_drained(out, true, "was drained already\n");
		return COMMAND_FINE;
	}
	status = ttls_find(asked, &wait);
	if (status != COMMAND_FINE)
		return status;
	moves_plan_drain(&now, wait, over, &ramp);
	out->has_drain = asked->drain != NULL;
	cluster_take_plan(out, "is drained by a plan\n", &ramp);
	return COMMAND_FINE;
}

static int undrain_over(const struct cluster_asked *asked, struct cluster_change *out)
{
	struct moves_now now;
	struct ramp ramp = {0};
	int64_t over;
	int status;

	if (!take_over(asked->c, &over))
		return COMMAND_USAGE;
	status = cluster_read_now(asked, &now);
	if (status != COMMAND_FINE)
		return status;
	if ((asked->is_kept || now.has_ramp) && !now.is_drained && !has_drain_plan(asked)) {
		say_drained(out, false, "was not drained\n");
		return COMMAND_FINE;
	}
	/* Nobody says what it has now. */
	if (!asked->is_kept && !now.is_drained && !now.has_ramp)
		now.share = 0;
	moves_plan(&now, RAMP_WHOLE, over, &ramp);
	out->has_drain = asked->drain != NULL;
	cluster_take_plan(out, "gets its clients back\n", &ramp);
	return COMMAND_FINE;
}

int drain_run(const struct command *c)
{
	return cluster_change(c, c->args[0], c->over || c->start ? drain_over : drain_now);
}

int drain_undo_run(const struct command *c)
{
	return cluster_change(c, c->args[0], c->over || c->start ? undrain_over : undrain_now);
}
