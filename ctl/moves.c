/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/moves.h"

#include <json-c/json_object.h>
#include <string.h>

#include "base/clock.h"

enum err moves_read(const char *drain, const char *shift, int64_t at, struct moves_now *out,
                    struct reason *why)
{
	enum err err = ERR_OK;

	*out = (struct moves_now){.at = at, .begins = at + MOVES_LEAD_S, .share = RAMP_WHOLE};
	out->is_drained = drain && strcmp(drain, "true") == 0;
	out->has_ramp = shift && *shift;
	if (out->has_ramp)
		err = ramp_parse(bytes_of(shift), &out->ramp, why);
	if (err) {
		reason_prefix(why, "its annotation %s: ", MOVES_SHIFT);
		return err;
	}
	if (out->has_ramp)
		out->share = ramp_share(&out->ramp, at);
	if (out->is_drained)
		out->share = 0;
	return ERR_OK;
}

void moves_plan(const struct moves_now *now, uint32_t to, int64_t over_s, struct ramp *out)
{
	out->from = now->share;
	out->to = to;
	out->start = out->ttl_from = now->begins;
	out->end = out->start + over_s;
	out->ttl = 0;
}

void moves_plan_drain(const struct moves_now *now, int64_t wait_s, int64_t over_s, struct ramp *out)
{
	moves_plan(now, 0, over_s, out);
	out->ttl = MOVES_TTL_S;
	out->start += wait_s;
	out->end += wait_s;
}

/* When every cache that honours TTLs has let go of a cluster that a plan drains.  In its last second it is still told
 * to somebody, with the TTL of then; and replicas look at the time a little apart. */
static int64_t let_go(const struct ramp *r) { return r->end + r->ttl + 1; }

static void print_line(int64_t at, struct text *out)
{
	char text[CLOCK_TEXT_SIZE];

	text_printf(out, "  %s  ", clock_print(at, text));
}

void moves_print(const struct ramp *r, struct text *out)
{
	char text[CLOCK_TEXT_SIZE];

	if (r->ttl) {
		print_line(r->ttl_from, out);
		text_printf(out, "answers with it say a TTL of at most %us\n", r->ttl);
	}
	print_line(r->start, out);
	text_add(out, r->end > r->start ? "its share leaves " : "its share jumps from ");
	ramp_print_share(r->from, out);
	text_add(out, "\n");
	print_line(r->end, out);
	if (r->to == 0)
		text_add(out, "it is drained\n");
	else {
		text_add(out, "its share is ");
		ramp_print_share(r->to, out);
		text_add(out, "\n");
	}
	if (r->to == 0 && r->ttl)
		text_printf(out, "every cache that honours TTLs has let go by %s\n",
		            clock_print(let_go(r), text));
}

static void add_time(struct json_object *object, const char *key, int64_t at)
{
	char text[CLOCK_TEXT_SIZE];

	json_object_object_add(object, key, json_object_new_string(clock_print(at, text)));
}

/* In percent, with the decimals that ramp_print_share() gives. */
static void add_share(struct json_object *object, const char *key, uint32_t share)
{
	struct text text = {0};
	double percent = 0;

	ramp_print_share(share, &text);
	(void)text_to_double((struct bytes){(const uint8_t *)text.data, text.len - 1}, &percent);
	json_object_object_add(object, key, json_object_new_double(percent));
	text_fini(&text);
}

void moves_add(const struct ramp *r, struct json_object *object)
{
	struct text value = {0};

	ramp_print(r, &value);
	json_object_object_add(object, "annotation", json_object_new_string(MOVES_SHIFT));
	json_object_object_add(object, "value", json_object_new_string(value.data));
	add_share(object, "from", r->from);
	add_share(object, "to", r->to);
	if (r->ttl) {
		json_object_object_add(object, "ttl", json_object_new_int64(r->ttl));
		add_time(object, "ttlFrom", r->ttl_from);
	}
	add_time(object, "start", r->start);
	add_time(object, "end", r->end);
	if (r->to == 0 && r->ttl)
		add_time(object, "letGoBy", let_go(r));
	text_fini(&value);
}
