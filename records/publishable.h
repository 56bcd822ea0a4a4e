/* publishable.h -- which addresses may be given to strangers.
 *
 * Objects of a cluster can name any address; some must never leave: loopback,
 * link-local, multicast, "this network" (CVE-2021-25737, -25740).  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_PUBLISHABLE_H
#define RECORDS_PUBLISHABLE_H

#include <stdbool.h>

#include "base/addr.h"
#include "records/build.h"

/* `allow` makes exceptions from the built-in list and from `deny`.  An IPv4
 * address mapped into IPv6 counts as itself. */
bool publishable_allows(const struct records_settings *settings, const struct addr *a);

#endif
