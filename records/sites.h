/* sites.h -- one application at one cluster: its addresses, what to probe, which layers are fine.
 *
 * Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_SITES_H
#define RECORDS_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/draft.h"
#include "records/world.h"

/* Addresses and host names as objects give them, made into RRsets. */
struct sites_targets {
	const struct fact *object; /* for notes */
	uint16_t cluster;          /* whose object it is */
	const struct bytes *texts;
	size_t count;
	uint32_t ttl; /* as the object has it, then at most that of the host names' addresses */
};

/* The addresses among the targets and behind the host names among them, those that may
 * be published, sorted and unique; *count of them, from the arena.  Host names are
 * wanted for `source` and added to the draft; with no draft nothing is counted.  Lowers t->ttl: nobody may keep an
 * address for longer than who has the host name says. */
struct addr *sites_addresses(const struct world *w, uint32_t source, struct draft *d,
                             struct sites_targets *t, size_t *count);

/* Is a target the name of a host of which no address is known (yet)? */
bool sites_is_awaited(const struct world *w, struct bytes text);

/* False, and a note of the object, when the address may not be published. */
bool sites_may_publish(const struct world *w, const struct fact *object, uint16_t cluster,
                       const struct addr *a);

/* An application at one cluster, for one name. */
struct sites_app {
	uint16_t cluster;
	const struct addr *addresses; /* sorted */
	size_t count;
	uint32_t ttl;
	uint16_t port;  /* to probe; 0: none */
	bool is_ready;  /* it has a ready endpoint, or needs none */
	bool has_count; /* whoever asks for ready endpoints may know them: */
	struct world_count endpoints;
	bool has_no_gateway;
	uint32_t policy;    /* number of the name's */
	struct bytes owner; /* the name, in wire form */
};

/* Does the policy of that number look at how many endpoints are ready? */
bool sites_count_endpoints(const struct world *w, uint32_t policy);
/* A site of it: RRsets A and AAAA, probes, layers, and what its policy wants to know. */
struct endpoint_site sites_make(const struct world *w, const struct sites_app *app);
/* Without RRsets and probes. */
struct endpoint_site sites_describe(const struct world *w, const struct sites_app *app);
/* Under a policy with a failback, what the sites of the name have to prove themselves with. */
void sites_hold(const struct world *w, struct draft *d, struct draft_name *name);

/* The ready endpoints that a share goes by: the nearest of 1 2 3 4 6 8 12 16 24 ..., half way the larger one.  So one that goes
 * of as many as are usual (8, 12, 16 ...) moves nobody, nor does one that comes to them. */
uint16_t sites_damp(uint64_t ready);

/* Sorted addresses as A and AAAA without TTLs; how many RRsets there are. */
size_t sites_split(const struct addr *addresses, size_t count, struct endpoint_rrset out[2]);
/* Sorts and leaves one of each; how many are left. */
size_t sites_sort(struct addr *addresses, size_t count);

#endif
