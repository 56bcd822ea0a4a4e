/* fact.h -- one object of one cluster, stripped to what matters, frozen.
 *
 * A fact is a flat string of bytes behind a counted reference: equal objects
 * have equal bytes, so "did anything that matters change?" is a memcmp, saving
 * one is writing it, and a million of them cost little.  Decoders make facts
 * from API objects with fact_encode(); records reads them with fact_decode(),
 * which gives a struct of views into the fact (valid while the fact is held).
 * The bytes may come from a damaged file: fact_decode() checks everything.
 * References are counted atomically; otherwise any thread may read.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_FACT_H
#define RECORDS_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "geo/place.h"
#include "records/policy.h"

enum fact_kind {                              /* values are kept in saved state: never renumber */
	         FACT_KUBEFED_CLUSTER = 1,    /* host: core.kubefed.io KubeFedCluster */
	         FACT_DOMAIN = 2,             /* host: multiclusterdns.kubefed.io Domain */
	         FACT_SERVICE_DNS_RECORD = 3, /* host */
	         FACT_INGRESS_DNS_RECORD = 4, /* host */
	         FACT_DNS_ENDPOINT = 5,       /* host: multiclusterdns.kubefed.io DNSEndpoint */
	         FACT_SERVICE = 6,            /* member: v1 Service */
	         FACT_ENDPOINT_SLICE = 7,     /* member: discovery.k8s.io/v1 */
	         FACT_INGRESS = 8,            /* member: networking.k8s.io/v1 */
	         FACT_NODE = 9,               /* member: v1 Node (labels only) */
	         /* host: externaldns.k8s.io DNSEndpoint, another object than KubeFed's of its name */
	         FACT_EXTERNAL_DNS_ENDPOINT = 10,
	         FACT_TRAFFIC_POLICY = 11 /* host: nigh.dev TrafficPolicy */
};
enum { FACT_KINDS = 12 };

/* Of either group. */
static inline bool fact_kind_is_dns_endpoint(unsigned kind)
{
	return kind == FACT_DNS_ENDPOINT || kind == FACT_EXTERNAL_DNS_ENDPOINT;
}

#define FACT_NO_TIME     INT64_MAX /* creationTimestamp is absent: counts as newest */
#define FACT_CONFIG_TIME INT64_MIN /* from nighd's own config: older than every object */

struct fact_annotations {      /* of external-dns, either prefix; empty: absent */
	struct bytes hostname; /* comma list as written */
	struct bytes target;   /* comma list as written */
	struct bytes ttl;      /* as written */
};

struct fact_rule {                    /* of an Ingress */
	struct bytes host;            /* empty: every host */
	const struct bytes *services; /* names of backend Services, unique */
	size_t service_count;
};

/* What a published site says besides its addresses; all zeros: nothing. */
struct fact_site {
	uint16_t port;         /* to probe; 0: none */
	bool is_unready;       /* none of its endpoints is ready */
	bool has_no_gateway;   /* the controller of its Ingress has no ready endpoint */
	bool has_ready;        /* `ready` counts */
	bool has_total;        /* so does `total`; only with `ready` */
	uint32_t ready, total; /* endpoints */
};

struct fact_endpoint {               /* of a DNSEndpoint */
	struct bytes name;           /* dnsName as written */
	struct bytes type;           /* recordType as written, e.g. "A" */
	struct bytes set_identifier; /* in published sites: the cluster */
	int64_t ttl;                 /* recordTTL; <= 0: not set */
	const struct bytes *targets; /* as written */
	size_t target_count;
	struct fact_site site; /* in published sites only */
};

/* The value of a fact: which fields count depends on the kind. */
struct fact_value {
	enum fact_kind kind;
	struct bytes namespace; /* "" for cluster-wide kinds */
	struct bytes name;
	int64_t created; /* Unix seconds, or FACT_NO_TIME */
	union {
		struct {
			bool has_location;
			struct place location; /* nigh.dev/location */
			struct bytes
				region; /* status.region, else a label (both generations); may be "" */
			const struct bytes
				*zones; /* status.zones, else the zone label; sorted, unique */
			size_t zone_count;
			bool drain;                 /* nigh.dev/drain: "true" */
			struct bytes shift;         /* nigh.dev/shift as written; "": none */
			const struct bytes *labels; /* "key=value", sorted */
			size_t label_count;
			int64_t let_back_at; /* nigh.dev/failback, Unix seconds; 0: none */
		} cluster;
		struct policy_value policy;
		struct {
			struct bytes domain;
			uint64_t release_guard; /* nigh.dev/release-guard: id of a hold; 0: none */
		} domain;
		struct {
			struct bytes domain_ref, dns_prefix, external_name;
			int64_t ttl; /* recordTTL as written, 0 when absent */
			bool allow_without_endpoints;
		} service_record;
		struct {
			const struct bytes *hosts;
			size_t host_count;
			int64_t ttl;
		} ingress_record;
		struct {
			bool is_sites; /* labelled nigh.dev/sites */
			const struct fact_endpoint *endpoints;
			size_t endpoint_count;
		} dns_endpoint;
		struct {
			const struct bytes *
				targets; /* status.loadBalancer.ingress: ip, then hostname, of each */
			size_t target_count;
			uint16_t port; /* the first port, 0: none */
			struct fact_annotations annotations;
		} service;
		struct {
			struct bytes service; /* label kubernetes.io/service-name */
			uint32_t
				ready; /* endpoints whose condition ready is true or absent and which have an address */
			uint32_t total;
		} slice;
		struct {
			const struct bytes *targets; /* as service.targets */
			size_t target_count;
			const struct fact_rule *rules;
			size_t rule_count;
			struct bytes default_service; /* of defaultBackend; "": none */
			const struct bytes *tls_hosts;
			size_t tls_host_count;
			struct fact_annotations annotations;
		} ingress;
		struct {
			struct bytes region, zone; /* labels, newer generation first */
		} node;
	};
};

struct fact;

/* Strings are at most 65535 bytes, lists at most 65535 items: longer ones are
 * ERR_RANGE, named in `why`.  The result belongs to the caller (fact_unref). */
enum err fact_encode(const struct fact_value *value, const struct fact **out,
                     struct reason *why) MUST_CHECK;
/* The views point into `f` and into `a`.  False: the bytes are not a fact (nothing usable in out). */
bool fact_decode(const struct fact *f, struct arena *a, struct fact_value *out);

/* A fact around a copy of bytes that fact_bytes() once gave; its key must be readable, else NULL. */
const struct fact *fact_from_bytes(struct bytes bytes);
struct bytes fact_bytes(const struct fact *f);

const struct fact *fact_ref(const struct fact *f);
void fact_unref(const struct fact *f); /* NULL is fine */
bool fact_equal(const struct fact *a, const struct fact *b);

/* The key, without decoding the rest. */
enum fact_kind fact_get_kind(const struct fact *f);
struct bytes fact_namespace(const struct fact *f);
struct bytes fact_name(const struct fact *f);
int64_t fact_created(const struct fact *f);
/* Is it a DNSEndpoint of published sites?  As cheap. */
bool fact_is_sites(const struct fact *f);
/* "Service", "EndpointSlice", ... */
const char *fact_kind_text(enum fact_kind kind);

#endif
