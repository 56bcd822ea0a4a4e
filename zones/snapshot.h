/* snapshot.h -- everything one query may look at, frozen.
 *
 * Made by zones_build() on the control thread, published through handover.h,
 * read by any worker until it rests.  Nothing here changes after publication.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_SNAPSHOT_H
#define ZONES_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "geo/ranking.h"
#include "zones/policy.h"
#include "zones/zone.h"
#include "zones/zone_index.h"

struct snapshot;
struct terms; /* dnsd's: to whom it answers, and how; carried along, never looked into here */

enum { SNAPSHOT_EVERYBODY = 0x10000 };

/* How a cluster's share of its clients moves, or has moved: for people. */
struct snapshot_shift {
	uint32_t from, to;  /* of SNAPSHOT_EVERYBODY */
	int64_t start, end; /* Unix seconds */
	int64_t ttl_from;   /* from then to the end the TTL is limited ... */
	uint32_t ttl;       /* ... to so many seconds; 0: it is not */
	char curve[16];     /* as written */
};

/* The table of clusters: state that changes without any record. */
struct snapshot_cluster {
	uint16_t id;
	const char *name;
	uint64_t name_hash;       /* hash_fixed(); set by zones */
	const char *source;       /* "kubernetes", "manifests", "member" */
	const char *knowledge;    /* "synced", "unseen", "never" */
	bool unseen;              /* knowledge is that: its data are the last known; set by zones */
	uint64_t since_ms;        /* monotonic, of knowledge */
	const char *region;       /* "" when unknown */
	const char *const *zones; /* NULL-terminated */
	bool has_place;
	struct place place;
	const char *place_from;
	bool drained;
	uint32_t
		withheld; /* of SNAPSHOT_EVERYBODY: the share of its clients' buckets that it must not have now */
	uint32_t
		ttl_most; /* seconds: no answer with it says more, a drain or shift is to come; 0: no limit */
	const struct snapshot_shift *shift; /* where these two come from; NULL: there is none */
	bool expired;                       /* unseen for longer than defaults.unseenAfter */
	bool up;                            /* false: every probed address of it is down */
	const char *error;                  /* "" when fine */
};
struct snapshot_conflict {
	const char *name, *winner, *loser;
};
struct snapshot_problem {
	const char *where, *message;
	int64_t since; /* Unix seconds */
};
struct snapshot_hold {
	const char *zone;
	uint64_t names, id;
	int64_t since, until; /* Unix seconds; until 0: until released */
};
/* A site that came back, is usable, and must still prove itself. */
struct snapshot_waiting {
	const char *name, *cluster;
	const char *policy; /* "NAMESPACE/NAME" */
	bool by_hand;       /* until somebody lets it back; else for needs_ms */
	uint64_t since_ms;  /* monotonic: usable without a break */
	uint64_t needs_ms;
};
struct snapshot_zone_file {
	const char *zone; /* as zone_apex() in text, with the last dot */
	const char *path;
	int64_t read_at;    /* Unix seconds, of the reading in force; 0: none was good yet */
	uint64_t names;     /* in it */
	uint32_t serial;    /* as written in it */
	uint64_t readings;  /* since the start, good or not */
	const char *errors; /* of the last one, lines "FILE:LINE: text"; "": it was good */
};
struct snapshot_condition {
	const char *type; /* "Accepted", "Conflicted", "Programmed" */
	bool is_true;
	const char *reason,
		*message; /* "TargetConflict"; in words, "" when there is nothing to say */
};
enum { SNAPSHOT_CONDITIONS = 3 };
struct snapshot_policy_report {
	const char *namespace, *name;
	uint64_t targets, names; /* that it is for, as written; that it decides for */
	int64_t generation;      /* of the object of which that is said; 0: it has none */
	struct snapshot_condition condition[SNAPSHOT_CONDITIONS];
};
/* What /status tells beside names: made by the wiring, carried along, freed with the last snapshot. */
struct snapshot_report {
	const struct snapshot_problem *problems;
	size_t problem_count;
	const struct snapshot_conflict *conflicts;
	size_t conflict_count;
	const struct snapshot_hold *holds;
	size_t hold_count;
	uint64_t fact_count;
	const struct snapshot_zone_file *files;
	size_t file_count;
	const struct snapshot_policy_report *policies;
	size_t policy_count;
	const struct snapshot_waiting *waiting;
	size_t waiting_count;
};

/* Who of the replicas sees what, for explain: of each probe that anybody sees down, in order. */
enum { SNAPSHOT_REPLICAS = 64 }; /* one bit each */
struct snapshot_vote {
	uint32_t probe;
	uint64_t down, up;
};
struct snapshot_votes {
	uint64_t voters;                     /* 0: nobody votes, and probes decide */
	const char *name[SNAPSHOT_REPLICAS]; /* of the voters */
	const struct snapshot_vote *vote;
	size_t count;
};

/* What holds for all zones. */
struct snapshot_settings {
	bool all; /* defaults.policy is all: every usable site in one answer */
	uint32_t degraded_ttl;
	uint16_t max_addresses; /* that an answer tells of a name and type; 0: all */
	bool ready;             /* false: SERVFAIL, "not ready" (RFC 8914 code 14) */
	bool incomplete; /* ready, but some source was never read: no NXDOMAIN, SERVFAIL instead */
	bool dark; /* every cluster unseen, no probe succeeded since: the tables of clusters and probes
	            * are held as last known */
	bool frozen; /* that, or no replica could say what is down: probes are as last known */
};

/* What every query looks at: the beginning of each snapshot, open so that looking costs no call. */
struct snapshot_head {
	struct snapshot_settings settings;
	struct zone_index *apexes;
	struct zone **zone;      /* by name */
	const struct zone *only; /* when there is one; else NULL */
	const struct ranking *ranking;
	const struct terms *terms;
	uint16_t most_addresses;
	bool is_calm;
	bool any_unseen;
	bool any_shifted; /* some cluster must not have all of its clients, or answers with it not their TTL */
	bool any_waiting;        /* some site has come back and must still prove itself */
	bool is_quiet;           /* calm, nothing is shifted, nobody waits */
	bool first_site_answers; /* calm, nothing is shifted, and the policy of `defaults` is nearest */
	const struct policy *
		policies; /* by number; of number 0, and of those that are not there, `preset` holds */
	uint32_t policy_count;
	struct policy preset; /* what `defaults` say */
};
static inline const struct snapshot_head *snapshot_head(const struct snapshot *s)
{
	return (const struct snapshot_head *)(const void *)s;
}

static inline const struct snapshot_settings *snapshot_settings(const struct snapshot *s)
{
	return &snapshot_head(s)->settings;
}
static inline const struct ranking *snapshot_ranking(const struct snapshot *s) /* never NULL */
{
	return snapshot_head(s)->ranking;
}
static inline const struct terms *snapshot_terms(const struct snapshot *s) /* NULL: none were set */
{
	return snapshot_head(s)->terms;
}
/* That an answer tells of a name and type: settings.max_addresses, or more than there are. */
static inline uint16_t snapshot_most_addresses(const struct snapshot *s)
{
	return snapshot_head(s)->most_addresses;
}
/* True: no cluster is drained or expired (for any policy) and no probed address is down, so that
 * snapshot_site_is_usable() would call no site troubled. */
static inline bool snapshot_is_calm(const struct snapshot *s) { return snapshot_head(s)->is_calm; }

/* False: of no cluster are the data only the last known, nor what is up and down. */
static inline bool snapshot_any_unseen(const struct snapshot *s)
{
	return snapshot_head(s)->any_unseen;
}

const struct snapshot_report *snapshot_report(const struct snapshot *s); /* never NULL */
const struct snapshot_votes *snapshot_votes(const struct snapshot *s);   /* never NULL */

/* The zone to answer `name` from: the longest apex that `name` ends in, or NULL
 * (say REFUSED).  RFC 1034 4.3.2 step 2. */
static inline const struct zone *snapshot_find_zone(const struct snapshot *s,
                                                    const struct name *name)
{
	const struct snapshot_head *head = snapshot_head(s);
	uint32_t i = zone_index_find(head->apexes, name);

	return i == ZONE_INDEX_NONE ? NULL : head->zone[i];
}
/* The same, and what zone_find_node() says of the name in it.  Many servers have one zone, and what is found there lies below
 * its apex, so that most names need not be compared with that. */
__attribute__((always_inline)) static inline const struct zone *snapshot_find_node(
	const struct snapshot *s, const struct name *name, const struct node **node)
{
	const struct zone *only = snapshot_head(s)->only;
	const struct zone *zone = only != NULL ? only : snapshot_find_zone(s, name);

	*node = zone != NULL ? zone_find_node(zone, name) : NULL;
	return *node == NULL && only != NULL ? snapshot_find_zone(s, name) : zone;
}
/* The zone whose apex is that very name, or NULL. */
const struct zone *snapshot_find_apex(const struct snapshot *s, const struct name *name);
/* The i-th zone by name; NULL past the last. */
const struct zone *snapshot_zone(const struct snapshot *s, size_t i);

/* NULL when there is no such cluster. O(1). */
const struct snapshot_cluster *snapshot_cluster(const struct snapshot *s, uint16_t id);
/* The i-th by name; NULL past the last. */
const struct snapshot_cluster *snapshot_cluster_at(const struct snapshot *s, size_t i);

/* The policy of that number; that of `defaults` for a number that is not there. */
static inline const struct policy *snapshot_policy(const struct snapshot *s, uint32_t number)
{
	const struct snapshot_head *head = snapshot_head(s);

	if (number >= head->policy_count || head->policies[number].ranking == NULL)
		return &head->preset;
	return &head->policies[number];
}
static inline const struct policy *snapshot_node_policy(const struct snapshot *s,
                                                        const struct node *n)
{
	return snapshot_policy(s, node_policy(n));
}
/* Has it come back, and must still prove itself (failback)? */
bool snapshot_site_waits(const struct snapshot *s, const struct site *site);

bool snapshot_probe_is_down(const struct snapshot *s, uint32_t probe);
/* Milliseconds (monotonic) of the last verdict of a probe; 0: none yet. */
uint64_t snapshot_probe_at_ms(const struct snapshot *s, uint32_t probe);
const char *snapshot_source(const struct snapshot *s, uint32_t source);

/* Has its cluster been unseen for too long, as the name's policy says, and is there no probe that could
 * tell better? */
bool snapshot_site_is_expired(const struct snapshot *s, const struct policy *p,
                              const struct site *site);

/* May clients be sent to this site of a name with that policy?  All layers: endpoints, loadBalancer, readyShare, gateway, probe, cluster, drain.
 * *troubled (may be NULL): the site's cluster is down or draining, so the TTL degrades. */
bool snapshot_site_is_usable(const struct snapshot *s, const struct policy *p,
                             const struct site *site, bool *troubled);

/* Are the site's endpoints, load balancer and cluster there, and is it not held?  On a calm day nothing else is in the way. */
static inline bool snapshot_site_is_whole(const struct snapshot *s, const struct site *site)
{
	return site_is_at_peace(site) && snapshot_cluster(s, site_cluster(site)) != NULL;
}

/* Canonical text: names in DNSSEC order, RRsets by site, tables; without serials, signatures, ages and held
 * changes.  The same, byte for byte, for the same inputs however they came. */
void snapshot_print(const struct snapshot *s, struct text *out);

#endif
