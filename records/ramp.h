/* ramp.h -- how a cluster's share of its clients moves: a start, an end and a curve.
 *
 * Written by people and by nighctl as the annotation nigh.dev/shift of a KubeFedCluster:
 * `from=100% to=20% start=2026-11-28T10:00:00Z over=30m curve=linear ttl=5 wait=180s`.
 * Pure, in integers and whole seconds: every replica works out the same at the same instant,
 * whenever it was started.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_RAMP_H
#define RECORDS_RAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

enum ramp_curve {
	RAMP_LINEAR,
	RAMP_SMOOTH, /* slow at both ends */
	RAMP_STEPS   /* in so many equal steps, the first one step's time after the start */
};
enum { RAMP_WHOLE = 0x10000, RAMP_STEPS_MOST = 1000 };

/* Times are Unix seconds. */
struct ramp {
	uint32_t from, to; /* of RAMP_WHOLE: the share before the start, and from the end on */
	int64_t start, end;
	enum ramp_curve curve;
	uint32_t steps;   /* of RAMP_STEPS */
	uint32_t ttl;     /* seconds that an answer says at most until the end; 0: no limit */
	int64_t ttl_from; /* since when; not after the start, which it is without a limit */
};

/* `to` and `start` must be there, `from` is 100% unless it is said, and `over` or `end` says until when (neither: all at
 * once).  `ttl` goes with `wait`, for how long it comes before the start, or with `ttlFrom`, since when.  ERR_PARSE,
 * ERR_RANGE: `why` names the word; nothing usable in `out`. */
enum err ramp_parse(struct bytes text, struct ramp *out, struct reason *why) MUST_CHECK;
/* Appends what ramp_parse() reads back to the same. */
void ramp_print(const struct ramp *r, struct text *out);
/* "20%", "12.5%": of RAMP_WHOLE. */
bool ramp_parse_share(struct bytes text, uint32_t *out);
void ramp_print_share(uint32_t share, struct text *out);
/* "30m", "0": whole seconds, at most a year. */
bool ramp_parse_seconds(struct bytes text, int64_t *out);
/* "linear", "smooth", "steps:N". */
bool ramp_parse_curve(struct bytes text, struct ramp *out);
void ramp_print_curve(const struct ramp *r, struct text *out);

bool ramp_equal(const struct ramp *a, const struct ramp *b);

/* The share at that time, of RAMP_WHOLE. */
uint32_t ramp_share(const struct ramp *r, int64_t unix_s);
/* Seconds that an answer may say at that time; 0: no limit. */
uint32_t ramp_ttl_most(const struct ramp *r, int64_t unix_s);

#endif
