/* resolve.h -- addresses of load balancers' host names, looked up again when their TTL ends.
 *
 * A and AAAA of each host by the system's resolvers, as it is written (no search list).  A failed
 * look-up says nothing: the last addresses stay, of a family too whose own question failed, or of
 * a host that has none any more; and it is tried again, 5 s to 5 min apart.  TTLs count as 5 s at
 * least, 1 h at most.  At most 100 look-ups are under way at once.  On the loop's thread; what it
 * calls back does not call it in turn.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_RESOLVE_H
#define WATCHER_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"

struct resolver;

enum { RESOLVE_MOST_ADDRESSES = 64 }; /* of a host and family; the first ones count */

/* A look-up succeeded: the addresses (sorted, unique, never none), and how many seconds they hold: the least TTL that came with
 * them, within the bounds. */
typedef void resolve_on_addresses_fn(struct bytes host, const struct addr *addresses, size_t count,
                                     uint32_t ttl_s, void *arg);
/* It failed, wholly or for one family: "la-lb.example.net: timed out" for the status; NULL message:
 * fine again, or not asked for any more. */
typedef void resolve_on_trouble_fn(struct bytes host, const char *message, void *arg);

/* `servers`: "127.0.0.1:5353,..." for tests, NULL: the system's (resolv.conf, hosts file). */
enum err resolver_new(uv_loop_t *loop, const char *servers, resolve_on_addresses_fn *on_addresses,
                      resolve_on_trouble_fn *on_trouble, void *arg, struct resolver **out,
                      struct reason *why) MUST_CHECK;
/* The whole list, sorted; hosts that stay keep their times, new ones are looked up at once. */
void resolver_set_hosts(struct resolver *r, const struct bytes *hosts, size_t count);
/* What was known of a host before this start, as resolve_on_addresses_fn told it; a family that
 * cannot be looked up keeps it.  For a host that is not wanted yet (10,000 at most, further ones are
 * not taken) it is kept until the host is wanted; once looked up, a host's own addresses count. */
void resolver_seed(struct resolver *r, struct bytes host, const struct addr *addresses,
                   size_t count);
/* Other bounds than those above, for tests; from the next look-up on. */
struct resolver_limits {
	uint64_t ttl_least_ms, ttl_most_ms;     /* 5000, 3600000 */
	uint64_t retry_first_ms, retry_last_ms; /* 5000, 300000; doubling */
	uint64_t timeout_ms; /* of one query to one server, before two more: 2000 */
};
void resolver_set_limits(struct resolver *r, const struct resolver_limits *limits);
void resolver_stop(struct resolver *r, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
