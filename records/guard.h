/* guard.h -- the mass-change guard: holds a withdrawal that is too large to be meant.
 *
 * Per zone, over a sliding minute, it counts names that would lose their last
 * address.  What it holds keeps its endpoint until the name comes back, the
 * time is over, or somebody releases it.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_GUARD_H
#define RECORDS_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/apexes.h"
#include "records/build.h"
#include "records/endpoint.h"
#include "records/wants.h"

struct guard;

/* A name that is held: the endpoint is the guard's, and its probes stay wanted. */
struct guard_held {
	const struct endpoint *endpoint;
	uint32_t hash;    /* owner_hash() */
	bool is_released; /* ends with this build, whatever it has become */
};

struct guard *guard_new(struct wants *wants);
void guard_free(struct guard *g);

/* A build begins: these are the zones (zones that went take their holds with them), and
 * holds whose time is over, or which were released, end.  `key`: of owner_hash(). */
void guard_begin(struct guard *g, const struct apexes *apexes, const struct hash_key *key,
                 uint64_t now_ms);
/* The zone `zone` (number in apexes_list()) has more or fewer names with addresses. */
void guard_count(struct guard *g, int zone, int difference);
/* All counts are zero: every name will be counted again. */
void guard_count_anew(struct guard *g);

/* The held name, or NULL. */
struct guard_held *guard_find(const struct guard *g, uint32_t hash, const uint8_t *owner);
/* Every held name, in no order. */
struct guard_held *guard_next(const struct guard *g, size_t *at);
/* What begins to be held, and what is held no more, since the last call: NULL then. */
typedef void guard_on_change_fn(struct bytes owner, const struct endpoint *held,
                                const struct records_hold *hold, void *arg);
void guard_take_changes(struct guard *g, guard_on_change_fn *fn, void *arg);
/* A name that was held when the process ended last: held again from the next build on, when its zone is
 * there and the time is not over.  The endpoint is copied; its probes are kept. */
void guard_restore(struct guard *g, const struct records_hold *hold, const struct endpoint *held);

/* So many names of the zone would lose their last address: must they be held? */
bool guard_holds(struct guard *g, const struct records_settings *s, int zone, size_t losses,
                 uint64_t now_ms);
void guard_hold(struct guard *g, int zone, uint32_t hash, const struct endpoint *endpoint);
/* It loses its last address, as guard_holds() said no. */
void guard_pass(struct guard *g, int zone, uint32_t hash, uint64_t now_ms);
/* A name that had none has an address: it does not count as lost any more. */
void guard_regain(struct guard *g, int zone, uint32_t hash);
/* Would the zone take more names with it than may go? */
bool guard_keeps_zone(const struct guard *g, const struct records_settings *s, struct bytes apex,
                      uint64_t now_ms);
/* The zone is held as a whole: kept_zones has its Domain.  A hold without id gets one, and its times. */
void guard_hold_zone(struct guard *g, const struct records_settings *s, struct bytes apex,
                     struct records_hold *hold, uint64_t now_ms);
bool guard_is_released(const struct guard *g, struct bytes apex);

/* The name has addresses again, or passes: it is not held any more. */
void guard_forget(struct guard *g, uint32_t hash, const uint8_t *owner);
/* A build ends: holds without names end.  True: what guard_list() says differs from before. */
bool guard_end(struct guard *g, uint64_t *next_ms);

size_t guard_list(const struct guard *g, const struct records_hold **out);
bool guard_release(struct guard *g, const char *zone);
/* The same if the zone's hold has that id. */
void guard_release_hold(struct guard *g, struct bytes apex, uint64_t id);

#endif
