/* world_example.h -- the traffic policy of docs/policies/example.yaml, and a world in which each of its words is seen.
 *
 * Five clusters, losangeles, houston, newyork (the backup), frankfurt, and denver without the application.  Nobody
 * reaches their addresses, so the test is in a network of its own (world_network.h): probes without a way there say nothing of
 * a site.  The host's objects are the caller's to put where its host is.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_EXAMPLE_H
#define TESTS_SUPPORT_WORLD_EXAMPLE_H

#include "tests/support/world.h"

#define EXAMPLE_POLICY "docs/policies/example.yaml"
/* What the config has besides its sources. */
#define EXAMPLE_CONFIG                                                                             \
	"geo: {networks: networks.csv, databases: [city.mmdb]}\n"                                  \
	"rateLimit: {mode: off}\n"

/* The host's objects, but for the policy: documents of YAML. */
const char *example_host(void);
/* The folders of the members, and the files that say where clients are. */
void example_write(struct world *w);
/* nighd runs, and takes up the policy within the time: clients are sent where it says, by one stage after the other, also when sites
 * are down at last. */
void example_expect(struct world *w, unsigned within_ms);

#endif
