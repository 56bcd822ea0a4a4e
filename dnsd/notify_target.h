/* notify_target.h -- a secondary that is told of a zone's changes: where it is, and how it knows who tells.
 *
 * A value, made from the config.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_NOTIFY_TARGET_H
#define DNSD_NOTIFY_TARGET_H

#include <stdint.h>

#include "base/addr.h"
#include "dnsd/config.h"

struct notify_target {
	struct addr addr;
	uint16_t port;
	struct addr from; /* what NOTIFY is sent from; ADDR_NONE: the kernel chooses */
};

/* Into `out`, which has room for as many as the zone's config names.  A secondary believes the address that it has of its primary:
 * where nighd listens on addresses of its own, the first one that can reach the secondary is taken. */
void notify_target_fill(const struct config *c, const struct config_zone *zone,
                        struct notify_target *out);

#endif
