/* terms.h -- to whom this server answers, and how: what the config says of the wire, ready for use.
 *
 * Built on the control thread from one config, carried along by snapshots, read by any
 * worker.  Nothing in it changes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TERMS_H
#define DNSD_TERMS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "dnsd/config.h"
#include "dnsd/cookie.h"
#include "dnsd/tsig.h"
#include "zones/name.h"
#include "zones/rrset.h"

struct terms {
	struct arena *arena;                    /* holds all that it points to */
	struct bytes nsid;                      /* RFC 5001; none: not said */
	const struct rrset *hostname, *version; /* TXT in the class CHAOS; NULL: not said */
	enum config_cookies cookies;
	struct cookie_secrets secrets;
	const struct tsig_keys *keys; /* NULL: none */
};

/* Copies what it needs of the config, and the secrets of cookies; shares the keys, which may be NULL. */
const struct terms *terms_build(const struct config *c, const struct cookie_secrets *secrets,
                                const struct tsig_keys *keys);
void terms_free(const struct terms *t); /* NULL is fine */

/* The TXT of a name in the class CHAOS (RFC 4892 2); NULL: none. */
const struct rrset *terms_identity(const struct terms *t, const struct name *name);

#endif
