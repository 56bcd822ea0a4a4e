/* held_code.h -- a name or a zone that the guard holds as bytes, for the state, and back.
 *
 * The objects it was made of are gone, so its endpoint is all there is.  Clusters stand there by
 * name and probes by address, as numbers are of one process only.  Pure; private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_HELD_CODE_H
#define RECORDS_HELD_CODE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "records/endpoint.h"
#include "records/facts.h"
#include "records/wants.h"

/* The hold that a name belongs to. */
struct held_code_hold {
	uint64_t id;
	int64_t since_unix_ms, until_unix_ms;       /* until 0: until released */
	struct bytes policy_namespace, policy_name; /* that decides for the name; "": none */
};

/* Adds to `out`.  `probes`: as in the result, by index. */
void held_encode(const struct held_code_hold *hold, const struct endpoint *e, const struct facts *f,
                 const struct wants *w, struct buffer *out);
/* Into `a`, without the number of a policy; clusters get their ids, and each probe one use in `w`.  False: not what held_encode()
 * wrote; nothing was wanted. */
bool held_decode(struct bytes value, struct bytes owner, struct facts *f, struct wants *w,
                 struct arena *a, struct held_code_hold *hold, struct endpoint *out);

/* A zone is held by its Domain, as it was last.  The caller unrefs *domain. */
void held_encode_zone(const struct held_code_hold *hold, const struct fact *domain,
                      struct buffer *out);
bool held_decode_zone(struct bytes value, struct held_code_hold *hold, const struct fact **domain);

#endif
