/* netset.h -- a list of networks that addresses are looked up in: who is believed, who is exempt.
 *
 * Made from settings on the control thread, then frozen; any thread may look.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_NETSET_H
#define DNSD_NETSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/conf.h"

struct netset;

/* Of networks as CONF_NETWORKS has checked them; NULL when there are none. */
struct netset *netset_new(const struct conf_strings *networks);
/* Of these; with none it is one that has nobody in it. */
struct netset *netset_of(const struct addr_network *networks, size_t count);
void netset_free(struct netset *n); /* NULL is fine */
/* Is the address in one of them?  In NULL is none.  An IPv4-mapped address is in the networks of its IPv4 address. */
bool netset_has(const struct netset *n, const struct addr *a);

#endif
