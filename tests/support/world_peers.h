/* world_peers.h -- other name servers beside nighd: real ones, on loopback ports, in the world's folder.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_PEERS_H
#define TESTS_SUPPORT_WORLD_PEERS_H

#include <stddef.h>
#include <sys/types.h>

#include "tests/support/world.h"

enum { PEERS_MOST = 3 };

struct peer {
	const char *name; /* also of its folder, which has its log */
	const char *address;
	unsigned port;
	pid_t pid; /* 0: not running */
};

/* A port free for UDP and TCP, below those that the kernel gives to clients; another for each `which` of PEERS_MOST. */
unsigned peers_free_port(unsigned which);
/* Runs the program, its words to NAME/log; the folder must be there. */
void peers_run(struct world *w, struct peer *p, const char *const *argv);
/* Ends the test when one that was run has ended by itself. */
void peers_demand_alive(struct world *w, struct peer *p, size_t count);
/* SIGTERM to all that run, and waits for their end; with SIGKILL when that takes long. */
void peers_stop(struct peer *p, size_t count);
/* The ends of their logs, to stderr. */
void peers_print_logs(struct world *w, const struct peer *p, size_t count);

#endif
