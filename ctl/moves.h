/* moves.h -- how a cluster's clients are moved: what its annotations say, and what a plan makes of them.
 *
 * Pure: the time is a value.  A plan is a ramp, which nighd reads from the annotation
 * nigh.dev/shift of the KubeFedCluster (records/ramp.h).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_MOVES_H
#define CTL_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "records/ramp.h"

struct json_object;

#define MOVES_DRAIN "nigh.dev/drain"
#define MOVES_SHIFT "nigh.dev/shift"

enum {
	MOVES_LEAD_S =
		5,      /* a plan begins so much later than now: until then every replica has it */
	MOVES_TTL_S = 5 /* what answers say at most while a cluster is drained */
};

/* What is in force. */
struct moves_now {
	int64_t at; /* Unix seconds */
	int64_t begins; /* a plan made of it: moves_read() says MOVES_LEAD_S later, and who wants may say otherwise */
	bool is_drained;  /* by MOVES_DRAIN */
	bool has_ramp;    /* by MOVES_SHIFT ... */
	struct ramp ramp; /* ... this one */
	uint32_t share;   /* of RAMP_WHOLE */
};
/* The annotations' values, NULL where there is none.  An error: nighd cannot read the shift either; is_drained
 * holds all the same. */
enum err moves_read(const char *drain, const char *shift, int64_t at, struct moves_now *out,
                    struct reason *why) MUST_CHECK;

/* From the present share, which stays until it begins, to `to`, along the curve of `out`, which the caller has set; `over_s` seconds
 * long. */
void moves_plan(const struct moves_now *now, uint32_t to, int64_t over_s, struct ramp *out);
/* To nothing; before it, caches are given `wait_s` seconds to let go of answers with the TTLs of before. */
void moves_plan_drain(const struct moves_now *now, int64_t wait_s, int64_t over_s,
                      struct ramp *out);

/* The plan as lines with times. */
void moves_print(const struct ramp *r, struct text *out);
/* The same into an object. */
void moves_add(const struct ramp *r, struct json_object *object);

#endif
