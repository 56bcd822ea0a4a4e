/* wants.h -- what records wants to know of the world: addresses to probe and how, host names to resolve,
 * whether sites that come back are to be trusted.
 *
 * Each want is counted by its users (sources, and names held by the guard).  A
 * probe keeps its index while it has one; then the index is used again.  Private
 * to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_WANTS_H
#define RECORDS_WANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "records/build.h"

struct wants;

struct wants *wants_new(const struct hash_key *key);
void wants_free(struct wants *w);

/* The checks, and the sites with a failback, that probes and names use. */
struct checks *wants_checks(const struct wants *w);

/* One more use of the probe; its index.  Its check must be in use, and is as long as the probe is. */
uint32_t wants_probe(struct wants *w, const struct records_probe *probe);
const struct records_probe *wants_find_probe(const struct wants *w, uint32_t index); /* in use */
void wants_keep_probe(struct wants *w, uint32_t index);
void wants_release_probe(struct wants *w, uint32_t index);

/* `source` uses the host name (lower case); its number. */
uint32_t wants_host(struct wants *w, struct bytes host, uint32_t source);
void wants_release_host(struct wants *w, uint32_t id, uint32_t source);
/* The last known addresses of a host name, and their TTL (0: not known); none when nobody wants it. */
const struct addr *wants_addresses(const struct wants *w, struct bytes host, size_t *count,
                                   uint32_t *ttl_s);
/* Also before anybody wants the host: then they are kept until the next result.  A cache gives what is left of a TTL: so one that
 * is longer than before counts when it has doubled, and names do not change with every look-up.  `ttl_s` 0: not known. */
void wants_set_addresses(struct wants *w, struct bytes host, const struct addr *addresses,
                         size_t count, uint32_t ttl_s);

/* Sources whose hosts have other addresses than at the last call. */
typedef void wants_on_source_fn(uint32_t source, void *arg);
void wants_take_changed(struct wants *w, wants_on_source_fn *on_source, void *arg);

/* Fills the wants of a result with lists that are good until the next change of a want. */
void wants_result(struct wants *w, struct records_result *out);

#endif
