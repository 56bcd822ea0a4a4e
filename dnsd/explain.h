/* explain.h -- why a client gets its answer, as JSON.
 *
 * Runs the same decision as a query does, with a recorder; it cannot disagree
 * with the answer.  For the HTTP thread: it allocates.  Shapes: design.md 5.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_EXPLAIN_H
#define DNSD_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/text.h"
#include "dnsd/probe_notes.h"
#include "geo/area.h"
#include "geo/place.h"
#include "zones/snapshot.h"

/* What the geo database knows of the client; the snapshot holds only orders of clusters. */
struct explain_place {
	struct addr_network network; /* the database's own */
	bool has_place;
	struct place place;
	const char *database; /* file name; "" when unknown */
	struct area area;
	uint16_t accuracy_km; /* 0: unknown */
};

/* Texts as they came; NULL or "": not given. */
struct explain_request {
	const char *name;     /* presentation form */
	const char *type;     /* default "A" */
	const char *client;   /* ADDR or ADDR/LEN: asked as with ECS; bits behind LEN are ignored */
	const char *resolver; /* ADDR: the query's source; default 127.0.0.1 */
	const struct explain_place *place; /* of the deciding address; NULL: not looked up */
	struct probe_notes *probes;        /* what they found out; NULL: it is not told */
	uint64_t now_ms;                   /* monotonic, for ages */
};

/* The address that decides (the client's when it is believed, else the resolver's), for looking its place up.
 * ERR_PARSE. */
enum err explain_address(const struct snapshot *s, const struct explain_request *r,
                         struct addr *out, struct reason *why) MUST_CHECK;

/* The whole object of /explain.  ERR_PARSE with a reason for a bad name, type, client or
 * resolver. */
enum err explain_print(const struct snapshot *s, const struct explain_request *r, struct text *out,
                       struct reason *why) MUST_CHECK;

/* {"namespace", "name"}, or null for what `defaults` say; NULL: nothing was chosen by a policy. */
void explain_print_policy(const struct policy *p, struct text *out);

/* One site of /status/names, of a name with that policy: {"cluster", "addresses", "usable", "reasons"}. */
void explain_print_site(const struct snapshot *s, const struct policy *p, const struct site *site,
                        uint64_t now_ms, struct text *out);

#endif
