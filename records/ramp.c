/* SPDX-License-Identifier: Apache-2.0 */
#include "records/ramp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
	LONGEST_S = 366 * 86400, /* of `over` and `wait` */
	TTL_MOST = 86400,
	SHOWN = 40 /* bytes of a word that is wrong */
};
#define LAST_S INT64_C(253402300799) /* the end of the year 9999 */

/* --- words --- */

enum key {
	KEY_FROM,
	KEY_TO,
	KEY_START,
	KEY_OVER,
	KEY_END,
	KEY_CURVE,
	KEY_TTL,
	KEY_WAIT,
	KEY_TTL_FROM
};
enum { KEYS = KEY_TTL_FROM + 1 };

static const char *const key_text[KEYS] = {
	[KEY_FROM] = "from", [KEY_TO] = "to",     [KEY_START] = "start",
	[KEY_OVER] = "over", [KEY_END] = "end",   [KEY_CURVE] = "curve",
	[KEY_TTL] = "ttl",   [KEY_WAIT] = "wait", [KEY_TTL_FROM] = "ttlFrom"};

/* The value of each key as written; without data: it is not there. */
struct words {
	struct bytes value[KEYS];
};

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static enum err wrong(struct reason *why, enum err err, struct bytes word, const char *what)
{
	return reason_set(why, err, "'%.*s' %s", (int)(word.len > SHOWN ? SHOWN : word.len),
	                  (const char *)word.data, what);
}

static enum err take_word(struct bytes word, struct words *out, struct reason *why)
{
	const uint8_t *equals = memchr(word.data, '=', word.len);
	struct bytes key = {word.data, equals ? (size_t)(equals - word.data) : 0};

	for (size_t i = 0; i < KEYS; i++) {
		if (!equals || !bytes_equal_text(key, key_text[i]))
			continue;
		if (out->value[i].data)
			return wrong(why, ERR_PARSE, key, "is said twice");
		out->value[i] = (struct bytes){equals + 1, word.len - key.len - 1};
		return ERR_OK;
	}
	return wrong(why, ERR_PARSE, word,
	             "is none of from= to= start= over= end= curve= ttl= wait= ttlFrom=");
}

static enum err split(struct bytes text, struct words *out, struct reason *why)
{
	enum err err = ERR_OK;

	*out = (struct words){0};
	for (size_t at = 0, len; at < text.len && err == ERR_OK; at += len) {
		for (len = 0; at + len < text.len && !is_space(text.data[at + len]);)
			len++;
		if (len > 0)
			err = take_word((struct bytes){text.data + at, len}, out, why);
		else
			len = 1;
	}
	return err;
}

/* --- values --- */

bool ramp_parse_share(struct bytes text, uint32_t *out)
{
	double percent;

	if (text.len < 2 || text.data[text.len - 1] != '%' ||
	    !text_to_double((struct bytes){text.data, text.len - 1}, &percent) ||
	    !(percent >= 0 && percent <= 100))
		return false;
	*out = (uint32_t)(percent * RAMP_WHOLE / 100 + 0.5);
	return true;
}

/* Three decimals tell apart all shares that there are. */
void ramp_print_share(uint32_t share, struct text *out)
{
	text_printf(out, "%g%%", text_percent(share, RAMP_WHOLE));
}

bool ramp_parse_curve(struct bytes text, struct ramp *out)
{
	static const char steps[] = "steps:";
	uint64_t count;

	out->steps = 0;
	if (bytes_equal_text(text, "linear")) {
		out->curve = RAMP_LINEAR;
	} else if (bytes_equal_text(text, "smooth")) {
		out->curve = RAMP_SMOOTH;
	} else if (text.len >= sizeof(steps) && memcmp(text.data, steps, sizeof(steps) - 1) == 0 &&
	           text_to_u64((struct bytes){text.data + sizeof(steps) - 1,
	                                      text.len - (sizeof(steps) - 1)},
	                       RAMP_STEPS_MOST, &count) &&
	           count > 0) {
		out->curve = RAMP_STEPS;
		out->steps = (uint32_t)count;
	} else {
		return false;
	}
	return true;
}

void ramp_print_curve(const struct ramp *r, struct text *out)
{
	switch (r->curve) {
	case RAMP_LINEAR:
		text_add(out, "linear");
		break;
	case RAMP_SMOOTH:
		text_add(out, "smooth");
		break;
	case RAMP_STEPS:
		text_printf(out, "steps:%" PRIu32, r->steps);
		break;
	}
}

bool ramp_parse_seconds(struct bytes text, int64_t *out)
{
	uint64_t ms;

	if (!text_to_duration_ms(text, &ms) || ms % 1000 != 0 || ms / 1000 > LONGEST_S)
		return false;
	*out = (int64_t)(ms / 1000);
	return true;
}

/* So far from the ends of the type that sums cannot leave it. */
static bool parse_time(struct bytes text, int64_t *out)
{
	return text_to_time(text, out) && *out >= 0 && *out <= LAST_S;
}

static enum err take_shares(const struct words *w, struct ramp *out, struct reason *why)
{
	if (!w->value[KEY_TO].data || !w->value[KEY_START].data)
		return reason_set(why, ERR_PARSE, "%s is missing",
		                  w->value[KEY_TO].data ? "start=" : "to=");
	out->from = RAMP_WHOLE;
	if (w->value[KEY_FROM].data && !ramp_parse_share(w->value[KEY_FROM], &out->from))
		return wrong(why, ERR_RANGE, w->value[KEY_FROM], "is no share: from=0% to 100%");
	if (!ramp_parse_share(w->value[KEY_TO], &out->to))
		return wrong(why, ERR_RANGE, w->value[KEY_TO], "is no share: to=0% to 100%");
	if (w->value[KEY_CURVE].data && !ramp_parse_curve(w->value[KEY_CURVE], out))
		return wrong(why, ERR_RANGE, w->value[KEY_CURVE],
		             "is no curve: linear, smooth or steps:1 to steps:1000");
	return ERR_OK;
}

static enum err take_times(const struct words *w, struct ramp *out, struct reason *why)
{
	int64_t over = 0;

	if (!parse_time(w->value[KEY_START], &out->start))
		return wrong(why, ERR_PARSE, w->value[KEY_START],
		             "is no time: start=2026-11-28T10:00:00Z");
	if (w->value[KEY_OVER].data && w->value[KEY_END].data)
		return reason_set(why, ERR_PARSE, "over= and end= both say when it ends");
	if (w->value[KEY_OVER].data && !ramp_parse_seconds(w->value[KEY_OVER], &over))
		return wrong(why, ERR_RANGE, w->value[KEY_OVER],
		             "is no duration in whole seconds up to 8784h");
	out->end = out->start + over;
	if (!w->value[KEY_END].data)
		return ERR_OK;
	if (!parse_time(w->value[KEY_END], &out->end))
		return wrong(why, ERR_PARSE, w->value[KEY_END],
		             "is no time: end=2026-11-28T10:30:00Z");
	if (out->end < out->start || out->end - out->start > LONGEST_S)
		return wrong(why, ERR_RANGE, w->value[KEY_END],
		             "is not within 8784h after the start");
	return ERR_OK;
}

static enum err take_ttl(const struct words *w, struct ramp *out, struct reason *why)
{
	struct bytes before = w->value[KEY_WAIT].data ? w->value[KEY_WAIT] : w->value[KEY_TTL_FROM];
	int64_t wait;
	uint64_t ttl;

	out->ttl_from = out->start;
	if (!w->value[KEY_TTL].data)
		return before.data ? reason_set(why, ERR_PARSE, "wait= and ttlFrom= go with ttl=")
		                   : ERR_OK;
	if (!text_to_u64(w->value[KEY_TTL], TTL_MOST, &ttl) || ttl == 0)
		return wrong(why, ERR_RANGE, w->value[KEY_TTL], "is no TTL: ttl=1 to 86400");
	out->ttl = (uint32_t)ttl;
	if (w->value[KEY_WAIT].data && w->value[KEY_TTL_FROM].data)
		return reason_set(why, ERR_PARSE, "wait= and ttlFrom= both say since when");
	if (w->value[KEY_WAIT].data) {
		if (!ramp_parse_seconds(before, &wait))
			return wrong(why, ERR_RANGE, before,
			             "is no duration in whole seconds up to 8784h");
		out->ttl_from = out->start - wait;
	} else if (before.data &&
	           (!parse_time(before, &out->ttl_from) || out->ttl_from > out->start)) {
		return wrong(why, ERR_RANGE, before, "is no time up to the start");
	}
	return ERR_OK;
}

enum err ramp_parse(struct bytes text, struct ramp *out, struct reason *why)
{
	struct words w;
	enum err err = split(text, &w, why);

	*out = (struct ramp){.curve = RAMP_LINEAR};
	if (err == ERR_OK)
		err = take_shares(&w, out, why);
	if (err == ERR_OK)
		err = take_times(&w, out, why);
	return err == ERR_OK ? take_ttl(&w, out, why) : err;
}

static void print_seconds(const char *key, int64_t seconds, struct text *out)
{
	bool whole = seconds % 60 == 0 && seconds > 0;

	text_printf(out, " %s=%" PRId64 "%s", key, whole ? seconds / 60 : seconds,
	            whole ? "m" : "s");
}

void ramp_print(const struct ramp *r, struct text *out)
{
	char start[CLOCK_TEXT_SIZE];

	text_add(out, "from=");
	ramp_print_share(r->from, out);
	text_add(out, " to=");
	ramp_print_share(r->to, out);
	text_printf(out, " start=%s", clock_print(r->start, start));
	print_seconds("over", r->end - r->start, out);
	if (r->curve != RAMP_LINEAR) {
		text_add(out, " curve=");
		ramp_print_curve(r, out);
	}
	if (r->ttl != 0) {
		text_printf(out, " ttl=%" PRIu32, r->ttl);
		print_seconds("wait", r->start - r->ttl_from, out);
	}
}

bool ramp_equal(const struct ramp *a, const struct ramp *b)
{
	return a->from == b->from && a->to == b->to && a->start == b->start && a->end == b->end &&
	       a->curve == b->curve && a->steps == b->steps && a->ttl == b->ttl &&
	       a->ttl_from == b->ttl_from;
}

/* --- at a time --- */

/* How far the curve has come, of RAMP_WHOLE; 0 < elapsed < all. */
static uint32_t progress(const struct ramp *r, uint64_t elapsed, uint64_t all)
{
	uint64_t p = elapsed * RAMP_WHOLE / all;

	switch (r->curve) {
	case RAMP_LINEAR:
		break;
	case RAMP_SMOOTH: /* 3p^2 - 2p^3 */
		p = (p * p * (3 * (uint64_t)RAMP_WHOLE - 2 * p)) >> 32;
		break;
	case RAMP_STEPS:
		p = elapsed * r->steps / all * RAMP_WHOLE / r->steps;
		break;
	}
	return (uint32_t)p;
}

uint32_t ramp_share(const struct ramp *r, int64_t unix_s)
{
	uint64_t come;

	if (unix_s >= r->end)
		return r->to;
	if (unix_s <= r->start)
		return r->from;
	come = progress(r, (uint64_t)(unix_s - r->start), (uint64_t)(r->end - r->start));
	if (r->to >= r->from)
		return r->from + (uint32_t)((r->to - r->from) * come / RAMP_WHOLE);
	return r->from - (uint32_t)((r->from - r->to) * come / RAMP_WHOLE);
}

uint32_t ramp_ttl_most(const struct ramp *r, int64_t unix_s)
{
	return unix_s >= r->ttl_from && unix_s < r->end ? r->ttl : 0;
}
