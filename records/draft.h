/* draft.h -- the names of a source with sites, being put together, and their kept form.
 *
 * Every site is there once and names point at it, so the kept bytes stay small
 * (about forty bytes a name): they are what a source is compared by from build
 * to build, and what an offer is read from.  Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_DRAFT_H
#define RECORDS_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "records/offer.h"
#include "records/wants.h"

enum { DRAFT_NO_NAME = UINT32_MAX };

struct draft_name {
	struct bytes owner;
	bool is_offered; /* false: only there to be pointed at */
	bool fail_open;
	uint32_t policy, passed_over; /* numbers, as an endpoint has them */
	uint32_t target;              /* number of the name above, or DRAFT_NO_NAME */
	uint32_t *sites; /* numbers of sites, by name of cluster; none: a fixed CNAME to `target` */
	size_t site_count;
	uint32_t *holds; /* of each site; NULL: none */
};

struct draft {
	struct arena *arena;
	uint32_t ttl; /* of CNAMEs */
	struct endpoint_site *sites;
	size_t site_count, site_room;
	struct draft_name *names;
	size_t name_count, name_room;
	uint32_t *hosts; /* wants_host() of each use */
	size_t host_count, host_room;
	uint32_t *holds; /* each use of one */
	size_t hold_count, hold_room;
};

struct draft *draft_new(struct arena *a);
/* Its number. The site's lists are borrowed until the draft is encoded. */
uint32_t draft_add_site(struct draft *d, const struct endpoint_site *site);
/* A name with no sites yet, offered, without a target; the owner is copied.  Good until the next one. */
struct draft_name *draft_add_name(struct draft *d, struct bytes owner);
/* Is the name there already? */
bool draft_has_name(const struct draft *d, const uint8_t *owner);
void draft_add_host(struct draft *d, uint32_t host);
void draft_add_hold(struct draft *d, uint32_t hold);

void draft_encode(const struct draft *d, struct buffer *out);
/* Back from bytes that draft_encode() gave; `source` is what every endpoint says it comes from. */
struct offer *draft_decode(struct bytes kept, const struct hash_key *key, const char *source,
                           struct arena *a);
/* Gives back every want that the bytes hold for the source. */
void draft_release(struct bytes kept, struct wants *w, uint32_t source);

#endif
