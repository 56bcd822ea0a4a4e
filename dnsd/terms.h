/* terms.h -- to whom this server answers, and how: what the config says of the wire, ready for use.
 *
 * Built on the control thread from one config, carried along by snapshots, read by any
 * worker.  Nothing in it changes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TERMS_H
#define DNSD_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "dnsd/config.h"
#include "dnsd/cookie.h"
#include "dnsd/netset.h"
#include "dnsd/tsig.h"
#include "zones/name.h"
#include "zones/rrset.h"

/* A rule for who may have a zone transferred: all that it names must be so. */
struct terms_rule {
	bool has_network;
	struct addr_network network;
	const uint8_t *key; /* wire form, lower case; NULL: none is asked for */
	int transport;      /* enum config_transport */
};

/* A zone that not everybody may ask for, or that somebody may have. */
struct terms_zone {
	struct bytes apex;       /* wire form, lower case */
	struct netset *admitted; /* who may ask; NULL: everybody */
	const struct terms_rule *rules;
	size_t rule_count;
	const char *as; /* the cluster whose sites are transferred; NULL: all of them */
};

struct terms {
	struct arena *arena;                    /* holds all that it points to */
	struct bytes nsid;                      /* RFC 5001; none: not said */
	const struct rrset *hostname, *version; /* TXT in the class CHAOS; NULL: not said */
	enum config_cookies cookies;
	struct cookie_secrets secrets;
	const struct tsig_keys *keys; /* NULL: none */
	struct netset *ecs_from;      /* NULL: any */
	struct terms_zone *zone;      /* by apex */
	size_t zone_count;
	bool any_closed; /* some zone is not for everybody */
};

/* Copies what it needs of the config, and the secrets of cookies; shares the keys, which may be NULL. */
const struct terms *terms_build(const struct config *c, const struct cookie_secrets *secrets,
                                const struct tsig_keys *keys);
void terms_free(const struct terms *t); /* NULL is fine */

/* Is every key that a transfer asks for there?  ERR_NOTFOUND names the first that is not. */
enum err terms_check_keys(const struct config *c, const struct tsig_keys *keys,
                          struct reason *why) MUST_CHECK;

/* Are client subnets that come from this address believed?  `t` NULL: they are. */
static inline bool terms_believe(const struct terms *t, const struct addr *resolver)
{
	return t == NULL || t->ecs_from == NULL || netset_has(t->ecs_from, resolver);
}

/* May this address ask for names of the zone (its apex in wire form, lower case)?  `t` NULL: it may. */
bool terms_admit_to(const struct terms *t, const uint8_t *apex, const struct addr *client);
static inline bool terms_admit(const struct terms *t, const uint8_t *apex,
                               const struct addr *client)
{
	return t == NULL || !t->any_closed || terms_admit_to(t, apex, client);
}

/* May the zone be transferred to this address, which has signed with that key (NULL: with none that is good), over TLS or not?
 * `t` NULL: nothing may. */
bool terms_may_transfer(const struct terms *t, const uint8_t *apex, const struct addr *client,
                        const struct tsig_key *key, bool over_tls);

/* The cluster whose sites of the zone are transferred; NULL: every cluster's.  Good as long as `t`, which may be NULL. */
const char *terms_transferred_as(const struct terms *t, const uint8_t *apex);

/* The TXT of a name in the class CHAOS (RFC 4892 2); NULL: none. */
const struct rrset *terms_identity(const struct terms *t, const struct name *name);

#endif
