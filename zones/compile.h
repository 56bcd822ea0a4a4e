/* compile.h -- an endpoint becomes a draft: RDATA parsed, the rules of zones applied.
 *
 * What may not be served is left out and told, one line each, as "OWNER TYPE: why".
 * Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_COMPILE_H
#define ZONES_COMPILE_H

#include "base/arena.h"
#include "records/endpoint.h"
#include "zones/draft.h"

typedef void compile_on_problem_fn(const char *message, void *arg);

struct compile {
	struct arena *arena;   /* holds the draft; the caller resets it */
	struct buffer scratch; /* zeroed at first; buffer_fini() in the end */
	compile_on_problem_fn *on_problem;
	void *arg;
};

/* What a site went through; NULL: nothing. */
void compile_past(const struct endpoint_past *from, struct draft_site *to);
/* The draft borrows from the endpoint and the arena; its source is 0.  Without RRsets
 * and without NODE_SITES: nothing is left of it. */
struct draft compile_endpoint(struct compile *c, const struct endpoint *e, bool at_apex);

/* Is the endpoint no more than one good RRset of addresses, in order? Then it needs no draft. */
bool compile_is_plain(const struct endpoint *e);

/* Tells a problem of a name, in the same form. `type`: 0 for the name as a whole. */
void compile_problem(struct compile *c, const uint8_t *owner, uint16_t type, const char *message);

/* RRset of addresses: those of the type's family are added. */
void compile_addresses(struct arena *arena, struct draft_rrset *s, const struct addr *address,
                       size_t count);

#endif
