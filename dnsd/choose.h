/* choose.h -- which of a name's sites answers a client (design.md 4).
 *
 * Pure and without allocation: a name's sites, the tables of the snapshot and the client
 * in, an RRset out.  Any worker.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CHOOSE_H
#define DNSD_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "dnsd/stats.h"
#include "zones/snapshot.h"

/* Hears how a decision is made; the answering path has none. */
struct recorder {
	/* Sites are about to be chosen from; called before the steps of that choice. */
	void (*on_choice)(void *arg, const struct node *node);
	/* One step ... */
	void (*on_step)(void *arg, const char *stage, const char *detail);
	/* ... and each site that it left. */
	void (*on_left)(void *arg, const struct site *site);
	void *arg;
};

/* Who asks.  Prepared once per query; what follows is_placed is worked out when first needed. */
struct client {
	const struct addr *source; /* of ECS the first address of the prefix, else the resolver's */
	bool has_scope;            /* ECS with source > 0: an answer may say how far it holds */
	bool is_placed;
	struct addr addr; /* decides: the source, unmapped when it is the resolver's */
	struct ranking_leaf leaf;
};

/* The recorder's detail when the client's order of clusters alone decided. */
#define CHOICE_BY_ORDER "the nearest site that has this type"

enum {
	CHOICE_UNION_MAX = 256,
	/* Of a union's records: a message of 65535 bytes has room for them, the question, OPT and a
	 * short chain before. */
	CHOICE_UNION_BYTES = 64000,
	CHOICE_NO_CLUSTER = 0xffff
};

struct choice {
	const struct rrset *rrset; /* NULL: no data of that type, for anybody */
	uint32_t ttl;
	uint16_t cluster; /* the site that answers; CHOICE_NO_CLUSTER: several or none */
	uint16_t more;    /* RRsets written to `more` beside rrset (policy all): those that fit */
	uint8_t scope;    /* bits of the client's address that decided; 0: none */
	enum stats_reason reason;
};

struct choosing {
	const struct snapshot *s;
	const struct node *node;  /* has sites */
	const struct name *asked; /* the name that was asked: ties of place are hashed with it */
	uint16_t type;
	struct client *client;
	/* Takes further RRsets of the same type, whose records belong to the same answer. */
	const struct rrset **more;  /* room for CHOICE_UNION_MAX */
	const struct recorder *rec; /* or NULL */
};

/* A number that all addresses of the client's bucket (design.md 4) share; *bits: the bucket's length, in bits of the
 * source. */
uint64_t client_bucket(const struct client *c, unsigned *bits);

/* On a calm day the first site on the way down the client's order answers, and the others need
 * not be looked at.  False: it is not that simple. */
bool choose_at_once(const struct choosing *how, struct choice *out);
/* The same decision with all its steps, which the recorder hears. */
void choose_step_by_step(const struct choosing *how, struct choice *out);

/* The answer of a name with sites to a type. */
static inline void choose(const struct choosing *how, struct choice *out)
{
	if (how->rec != NULL || !choose_at_once(how, out))
		choose_step_by_step(how, out);
}

#endif
