/* notify_target.h -- a secondary that is told of a zone's changes: where it is, and how it knows who tells.
 *
 * A value, made from the config; it borrows its key.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_NOTIFY_TARGET_H
#define DNSD_NOTIFY_TARGET_H

#include <stdint.h>

#include "base/addr.h"
#include "dnsd/config.h"
#include "dnsd/tsig.h"

struct notify_target {
	struct addr addr;
	uint16_t port;
	struct addr from;           /* what NOTIFY is sent from; ADDR_NONE: the kernel chooses */
	const struct tsig_key *key; /* what it is signed with; NULL: nothing */
};

/* Into `out`, which has room for as many as the zone's config names.  A secondary believes the address that it has of its primary:
 * where nighd listens on addresses of its own, the first one that can reach the secondary is taken.  The key is that of the first rule
 * of `allow` that holds for the secondary's address. */
void notify_target_fill(const struct config *c, const struct config_zone *zone,
                        const struct tsig_keys *keys, struct notify_target *out);

#endif
