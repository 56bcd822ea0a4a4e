/* world_network.h -- a network of its own for a test: nodes in namespaces, and a wire between them that can be bad.
 *
 * Every node has one interface, and a frame from one to another goes through the test: there it is lost, late, doubled or
 * cut off, each direction of each pair by itself.  A thread is at one node at a time; what it opens and starts is there, and
 * stays there.  Needs root, or user namespaces and a /dev/net/tun that may be opened.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_NETWORK_H
#define TESTS_SUPPORT_WORLD_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETWORK_MOST_NODES = 16, NETWORK_ALL = -1, NETWORK_OUTSIDE = -2 };

struct network;

/* Nodes 0 .. nodes-1.  Fails the test where it is not allowed to. */
struct network *network_new(int nodes);
void network_free(struct network *n);

/* "10.77.0.1" of node 0 and so on; good as long as the network. */
const char *network_address(const struct network *n, int node);

/* One more in 10.77.0.0/16, as "10.77.8.1".  The calling thread is outside afterwards. */
void network_add_address(struct network *n, int node, const char *address);

/* The calling thread is there from now on; NETWORK_OUTSIDE: where it came from. */
void network_enter(struct network *n, int node);

/* A socket that listens at the node's own address, and that nobody accepts from: the kernel answers.  The calling thread is
 * outside afterwards. */
int network_listen(struct network *n, int node, uint16_t port);

/* What happens to frames. */
struct network_fault {
	bool cut;               /* all are lost */
	unsigned lost_permille; /* so many are lost ... */
	unsigned doubled_permille;
	unsigned late_ms; /* each; they may overtake each other when this is changed */
};
/* Frames of one node to another; NETWORK_ALL: of all, to all.  Until it is set again. */
void network_set(struct network *n, int from, int to, const struct network_fault *fault);
/* The same in both directions. */
void network_set_pair(struct network *n, int a, int b, const struct network_fault *fault);

/* Frames that were carried and lost since the beginning. */
struct network_counts {
	unsigned long carried, lost, doubled;
};
struct network_counts network_counts(struct network *n);

#endif
