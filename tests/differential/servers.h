/* servers.h -- nighd, NSD and Knot side by side with the same zone files.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_SERVERS_H
#define TESTS_DIFFERENTIAL_SERVERS_H

#include "tests/differential/made.h"
#include "tests/support/world_peers.h"

enum server { NIGHD, NSD, KNOT, SERVERS };

struct servers {
	struct world *world;
	struct peer peer[SERVERS]; /* nighd's has its port alone */
};

/* All three answer when this returns; a zone that one of them does not take ends the test. */
void servers_start(struct servers *s, const struct made *m);
/* And the folder is gone. */
void servers_stop(struct servers *s);

#endif
