/* world_load.h -- questions without a pause, over UDP and TCP, while a test does something to nighd.
 *
 * In threads of its own.  Each question has one right answer; what becomes of every one of them is counted.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_LOAD_H
#define TESTS_SUPPORT_WORLD_LOAD_H

#include "tests/support/world.h"

struct world_load;

struct world_load_target {
	const char *address;
	unsigned port;
};

struct world_load_result {
	unsigned udp, tcp; /* questions asked */
	unsigned kept;     /* of those over TCP, on connections that are used again and again */
	unsigned
		again; /* of these, asked again on a new connection since the old one had been closed */
	unsigned lost; /* not answered within five seconds */
	unsigned wrong;
	char what[256]; /* of the last one that was lost or wrong */
};

/* Asks for the one A record of `name`, which is `address`, so often over UDP and some 100 times a second over TCP. */
struct world_load *world_load_start(struct world *w, const char *name, const char *address,
                                    const struct world_load_target *targets, size_t count,
                                    unsigned per_second);
/* Waits for the last answers. */
struct world_load_result world_load_stop(struct world_load *load);

#endif
