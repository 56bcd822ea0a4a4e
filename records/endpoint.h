/* endpoint.h -- what one owner name has, at which clusters: the product of records.
 *
 * Frozen values, borrowed from records until the next records_build().
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_ENDPOINT_H
#define RECORDS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

/* Layers of a site that come from objects (the others, probe, cluster and
 * drain, are tables of the snapshot).  A site whose layers are the first two and no other is whole. */
enum site_layer {
	SITE_ENDPOINTS = 1,     /* a ready endpoint, or none is asked for */
	SITE_LOAD_BALANCER = 2, /* there is an address or a host name */
	SITE_FEW_READY =
		4, /* fewer endpoints are ready than its policy asks for (minReadyPercent) */
	SITE_NO_GATEWAY = 8 /* of an Ingress: its controller has no ready endpoint */
};

struct endpoint_rrset {
	struct bytes type; /* "A", "AAAA", "CNAME", "TXT", "TYPE65280", ... upper case */
	uint32_t ttl;      /* seconds */
	size_t count;
	const struct addr
		*addresses;        /* for A and AAAA: count addresses, sorted, unique; else NULL */
	const struct bytes *texts; /* else: count RDATA in presentation form, as written */
};

/* The name's data at one cluster.  A and AAAA are separate RRsets. */
struct endpoint_site {
	uint16_t cluster;       /* facts' id; sites are sorted by cluster name */
	uint8_t layers;         /* of enum site_layer */
	const uint32_t *probes; /* indexes into records_result.probes; none: never probed */
	size_t probe_count;
	const struct endpoint_rrset *rrsets; /* may be none: an application without an address */
	size_t rrset_count;
	uint32_t hold;     /* index into records_result.holds_back, never 0; 0: it has none */
	uint16_t capacity; /* ready endpoints, damped, of a policy with that stage; else 0 */
	uint16_t ready,
		endpoints; /* of how many endpoints, for people; 0 of 0 where no policy asks */
	const struct endpoint_past
		*past; /* NULL in what records gives out: whoever publishes remembers it */
};

/* What a site went through while it was published. */
enum { ENDPOINT_LAYERS = 4 };
struct endpoint_past {
	/* Monotonic seconds: since when each layer is as it is, in the order of enum site_layer; 0: always. */
	uint32_t since_s[ENDPOINT_LAYERS];
	uint32_t held_until_s; /* monotonic, of is_held */
	uint8_t flaps;         /* layers that take it down again and again; 0: it does not flap */
	bool is_held;          /* though it is up: used when no other usable site is left */
};

struct endpoint {
	struct bytes owner; /* wire form, case as written */
	const char *source; /* "ServiceDNSRecord shop/web", "annotation www.example.com", ... */
	bool has_sites; /* true: `sites`, a choice by client, beside `fixed`; false: `fixed` alone, the same for all */
	bool fail_open; /* no usable site: answer as if all were; else the fallback */
	const struct endpoint_site *sites;
	size_t site_count;
	const struct endpoint_rrset *fixed;
	size_t fixed_count;
	struct bytes
		fallback; /* wire name: CNAME when no site is usable or none has an address; {0}: none */
	uint32_t fallback_ttl;
	uint32_t policy; /* number of its traffic policy in records_result.policies; 0: defaults */
	uint32_t
		passed_over; /* of one of another namespace that has a less exact target for it; 0: there is none */
};

#endif
