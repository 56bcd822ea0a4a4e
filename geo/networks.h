/* networks.h -- the operator's own table of networks and places, as CSV.
 *
 * Lines `network,latitude,longitude[,label]`; blank lines and lines that begin
 * with # are passed over; the label is the rest of the line.  No header line.
 * Networks of mapped IPv4 addresses (::ffff:0:0/96) are IPv4 networks.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_NETWORKS_H
#define GEO_NETWORKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "geo/place.h"

enum { NETWORKS_MAX_COUNT = 1 << 24, NETWORKS_MAX_LABEL = 255 };

struct network {
	struct addr_network network;
	struct place place;
	struct bytes label; /* UTF-8; lies in the text */
	uint32_t line;      /* from 1 */
};

/* In order of address, then length: what lies inside a network comes after it.  No network twice. */
struct networks {
	struct network *item;
	size_t count;
};

/* Reads all of the text, which must outlive the result.  On an error *out is empty
 * and the reason is "LINE: text"; the same network twice with different places is one. */
enum err networks_parse(struct bytes text, struct networks *out, struct reason *why) MUST_CHECK;
/* All faults, each as a line "LINE: text", at most `most`; returns how many more there are. */
size_t networks_faults(struct bytes text, size_t most, struct text *out);
void networks_fini(struct networks *n);

#endif
