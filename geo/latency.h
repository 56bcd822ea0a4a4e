/* latency.h -- how long it takes from networks to clusters: the operator's table, as CSV.
 *
 * Lines `network,cluster,milliseconds`; blank lines and lines that begin with # are passed over.  No header
 * line.  Networks of mapped IPv4 addresses (::ffff:0:0/96) are IPv4 networks.  Frozen once parsed.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_LATENCY_H
#define GEO_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

enum { LATENCY_MAX_ROWS = 1 << 22, LATENCY_MAX_MS = 60000, LATENCY_MAX_NAME = 253 };

struct latency_row {
	struct addr_network network;
	uint32_t line; /* from 1 */
	double ms;     /* 0..LATENCY_MAX_MS */
	uint32_t name; /* where the cluster's name begins in the table's names; ends in NUL */
};

/* In order of network, then of the cluster's name; no network and cluster twice. */
struct latency_table {
	struct latency_row *rows;
	size_t count;
	struct buffer names;
};

/* On an error *out is empty and the reason is "LINE: text"; the same network and cluster twice with different
 * milliseconds is one. */
enum err latency_parse(struct bytes text, struct latency_table *out, struct reason *why) MUST_CHECK;
/* All faults, each as a line "LINE: text", at most `most`; returns how many more there are. */
size_t latency_faults(struct bytes text, size_t most, struct text *out);
void latency_fini(struct latency_table *t);

static inline const char *latency_cluster(const struct latency_table *t,
                                          const struct latency_row *row)
{
	return (const char *)t->names.data + row->name;
}

#endif
