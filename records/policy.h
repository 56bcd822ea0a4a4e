/* policy.h -- a TrafficPolicy (nigh.dev/v1alpha1) as a value: which sites of a name serve which clients.
 *
 * Decoded from an object by watcher, kept in a fact, matched to names by records,
 * compiled for the answering path by the wiring (zones/policy.h).  Names of clusters are texts here: a
 * policy may name one that is not there yet.  Pure; views borrow from the fact or its arena.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_POLICY_H
#define RECORDS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "records/let_back.h"

/* What a policy is for: an object, or host names.  Of several that match a name the first of these kinds
 * counts, of one kind the longer host name, then the older policy, then namespace and name. */
enum policy_target_kind {
	POLICY_HOSTNAME = 1,       /* that very name */
	POLICY_SERVICE_DNS_RECORD, /* every name of that record */
	POLICY_INGRESS_DNS_RECORD,
	POLICY_DNS_ENDPOINT,
	POLICY_SERVICE, /* names of records of that Service, and of its annotation */
	POLICY_INGRESS,
	POLICY_PATTERN, /* "*.shop.example.com": everything below */
	POLICY_DOMAIN   /* every name of the zone */
};
struct policy_target {
	enum policy_target_kind kind;
	struct bytes
		name; /* of the object (its namespace is the policy's); the host name or pattern, lower case, no last dot */
};

enum policy_stage { /* values are kept in saved state: never renumber */
	            POLICY_GEOFENCE = 1,
	            POLICY_FAILOVER = 2,
	            POLICY_NEAREST = 3,
	            POLICY_LATENCY = 4,
	            POLICY_WEIGHTED = 5,
	            POLICY_STICKY = 6,
	            POLICY_CAPACITY = 7,
	            POLICY_ALL = 8
};
enum { POLICY_STAGES_MOST = 8 }; /* each kind at most once */

/* Clients of any of these places or networks ... */
struct policy_fence {
	const struct bytes *continents; /* "EU": ISO-like codes of MaxMind, upper case */
	size_t continent_count;
	const struct bytes *countries; /* ISO 3166-1 alpha-2, upper case */
	size_t country_count;
	const struct bytes *subdivisions; /* ISO 3166-2, upper case: "US-CA" */
	size_t subdivision_count;
	const struct addr_network *networks;
	size_t network_count;
	/* ... are for these clusters. */
	const struct bytes *clusters;
	size_t cluster_count;
	bool required; /* mode Required: for no other ever; Allowed: for others only while none of these is usable */
};

/* Which clusters, by name or by the labels of their KubeFedCluster. */
struct policy_requirement { /* of a label selector */
	struct bytes key;
	enum policy_operator {
		POLICY_IN = 1,
		POLICY_NOT_IN,
		POLICY_EXISTS,
		POLICY_DOES_NOT_EXIST
	}
	operator;
	const struct bytes *values;
	size_t value_count;
};
struct policy_tier {
	const struct bytes *clusters;
	size_t cluster_count;
	bool has_selector;
	const struct policy_requirement *selector; /* all must hold */
	size_t selector_count;
};

struct policy_number { /* of a cluster: a bias in km, a weight */
	struct bytes cluster;
	int32_t value;
};

enum policy_failback { POLICY_IMMEDIATE = 0, POLICY_AFTER = 1, POLICY_MANUAL = 2 };

/* How to find out whether an address serves. */
enum policy_check_kind {
	POLICY_CHECK_NONE = 0, /* as the config's probe: a TCP connection */
	POLICY_CHECK_TCP = 1,
	POLICY_CHECK_HTTP = 2,
	POLICY_CHECK_HTTPS = 3,
	POLICY_CHECK_GRPC = 4,  /* grpc.health.v1.Health/Check */
	POLICY_CHECK_IMPORT = 5 /* said by a file or command of nighd's config, by its name */
};
enum { POLICY_MODE_OFF = 3 };
struct policy_header {
	struct bytes name, value;
};
struct policy_range { /* of HTTP status codes, both included */
	uint16_t from, to;
};
struct policy_check {
	enum policy_check_kind kind;
	uint16_t port;       /* 0: the Service's first, an Ingress' 443 or 80 */
	struct bytes host;   /* Host, :authority and SNI; "": the name that is served */
	struct bytes path;   /* "/healthz"; of gRPC the service's name */
	struct bytes import; /* name of the import */
	struct bytes body;   /* a part of the body; "": whatever it is */
	struct bytes ca_file, certificate_file, key_file; /* paths from nighd's config; "": none */
	struct bytes ca_secret, client_secret; /* Secrets of the policy's namespace; "": none */
	bool tls;                              /* of gRPC */
	bool insecure;                         /* the server's certificate is not verified */
	const struct policy_header *headers;
	size_t header_count;
	const struct policy_range *status; /* none: 200 to 399 */
	size_t status_count;
	/* 0: as the config's probe */
	uint32_t interval_ms, timeout_ms, down, up;
	uint8_t mode; /* 0: as the config's; 1 unseen, 2 always, 3 (POLICY_MODE_OFF) off.  A policy's check is `always` unless it says otherwise. */
};

struct policy_value {
	const struct policy_target *targets;
	size_t target_count;
	enum policy_stage stages[POLICY_STAGES_MOST];
	size_t stage_count; /* 0: the default's */

	const struct policy_fence *fences;
	size_t fence_count;
	const struct policy_tier *tiers;
	size_t tier_count;
	const struct policy_number *biases; /* km; less is more attractive */
	size_t bias_count;
	bool same_region_first;
	const struct policy_number *weights; /* 0..1000000; a cluster without one has 0 */
	size_t weight_count;
	uint8_t sticky_ipv4, sticky_ipv6; /* bits of a bucket; 0: 24 and 48 */

	/* clients without a place */
	const struct bytes *unknown_order;
	size_t unknown_order_count;
	bool unknown_by_resolver; /* where the resolver is decides */
	const struct policy_number *unknown_weights;
	size_t unknown_weight_count;

	uint32_t ttl;           /* seconds; 0: the records' own */
	uint32_t degraded_ttl;  /* 0: defaults.degradedTTL */
	uint16_t max_addresses; /* 0: defaults.maxAddresses */
	bool no_data_when_all_down;
	bool has_unseen_after;
	uint64_t unseen_after_ms; /* 0: for ever */
	uint8_t min_ready_percent;
	enum policy_failback failback;
	uint64_t stable_for_ms;   /* of POLICY_AFTER */
	struct let_back let_back; /* nigh.dev/failback */
	int64_t generation;       /* metadata.generation; 0: it has none, as in most files */
	struct policy_check check;
};

/* Does the policy decide with the stage? */
static inline bool policy_has_stage(const struct policy_value *p, enum policy_stage stage)
{
	for (size_t i = 0; i < p->stage_count; i++)
		if (p->stages[i] == stage)
			return true;
	return false;
}

#endif
