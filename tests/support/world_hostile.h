/* world_hostile.h -- bad packets and bad streams for a nighd, and good queries between them, each of which must be answered as
 * ever.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_HOSTILE_H
#define TESTS_SUPPORT_WORLD_HOSTILE_H

#include <stdint.h>

#include "tests/support/world.h"
#include "tests/support/world_probe.h"

/* The zone that the messages of world_mutate.h ask for; for probe_start(). */
#define HOSTILE_ZONE_RECORDS                                                                       \
	"\"www 300 IN A 192.0.2.1\", \"alias 300 IN CNAME www\", \"loop 300 IN CNAME loop2\", "    \
	"\"loop2 300 IN CNAME loop\", \"tree 300 IN DNAME wild\", \"*.wild 300 IN A 192.0.2.2\", " \
	"\"cut 300 IN NS ns.cut\", \"ns.cut 300 IN A 192.0.2.3\", "                                \
	"\"svc 300 IN SVCB 1 www alpn=dot\", \"svc 300 IN HTTPS 1 . alpn=h2\", "                   \
	"\"_sip._tcp 300 IN SRV 1 1 5060 www\", \"many 300 IN A 192.0.2.4\", "                     \
	"\"many 300 IN A 192.0.2.5\""

struct hostile;

/* Knows what good queries are answered now: they must stay so.  `transports` outlive it. */
struct hostile *hostile_new(struct world *w, uint64_t seed, const struct transport *transports);
void hostile_free(struct hostile *h);

/* So many mutated datagrams, from several clients, over IPv4 and IPv6, and from behind the proxy. */
void hostile_packets(struct hostile *h, unsigned count);
/* So many connections over TCP and TLS that end badly. */
void hostile_streams(struct hostile *h, unsigned count);
/* Some of these are left open for a while: no longer. */
void hostile_let_go(struct hostile *h);

struct hostile_tally {
	double datagrams; /* all that were sent, the good ones too */
	double good;      /* queries, all of them answered, and right */
	double replies;   /* to bad datagrams */
	double streams;
};
struct hostile_tally hostile_tally(const struct hostile *h);

/* Open descriptors of nighd, the least of half a second, and bytes of its memory that are resident. */
unsigned hostile_descriptors(struct world *w);
double hostile_resident(struct world *w);
/* The sum of all samples of that name in /metrics. */
double hostile_metric_sum(struct world *w, const char *name);

#endif
