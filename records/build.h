/* build.h -- facts in, names out: the room's single entrance.
 *
 * Work follows change: only records whose inputs changed are rebuilt, and only
 * names whose endpoint differs are given out.  Pure: the time is a value, and
 * what records wants to know of the world (addresses to probe, host names to
 * resolve) is part of its result; the answers come back as facts of a build.
 * Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_BUILD_H
#define RECORDS_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "geo/place.h"
#include "records/endpoint.h"
#include "records/facts.h"
#include "records/policy.h"

struct ramp; /* ramp.h: how much of its clients a cluster may have, and when */
struct records;

struct records_settings {
	uint32_t default_ttl;             /* defaults.ttl */
	uint64_t guard_min_names;         /* guard.minNames */
	uint32_t guard_max_percent;       /* guard.maxWithdrawPercent; 100: off */
	uint64_t guard_hold_ms;           /* guard.holdFor; 0: until released */
	const struct addr_network *allow; /* publish.allow */
	size_t allow_count;
	const struct addr_network *deny; /* publish.deny */
	size_t deny_count;
	const struct bytes *zones; /* apexes of the config's zones, as text */
	size_t zone_count;
	const struct records_member *members; /* location, region and drain said in the config */
	size_t member_count;
};
struct records_member {
	struct bytes name;
	bool has_location;
	struct place location;
	struct bytes region;
	bool drained;
};

/* A zone to serve. */
struct records_zone {
	struct bytes apex; /* wire form, lower case */
	bool from_config;
};

/* What is known of a cluster, put together from its KubeFedCluster, nodes, config and state. */
struct records_cluster {
	uint16_t id;
	const char *name;
	bool has_place;
	struct place place;
	const char *place_from; /* "annotation", "config", "region us-west-2"; "" without a place */
	struct bytes region;    /* "" when unknown */
	const struct bytes *zones;
	size_t zone_count;
	bool drained;
	const struct ramp *shift;   /* nigh.dev/shift, the last that could be read; NULL: none */
	int64_t let_back_at;        /* nigh.dev/failback, Unix seconds; 0: nobody is let back */
	const struct bytes *labels; /* of its KubeFedCluster, "key=value", sorted */
	size_t label_count;
	const struct cluster_state
		*state; /* not registered: the host's, as published sites name it */
};

/* One address to probe; the same index as long as anything wants it, then reused. */
struct records_probe {
	struct addr addr; /* ADDR_NONE: the index is free */
	uint16_t port;
	uint16_t cluster;
	uint32_t
		check; /* how: an index into records_result.checks; 0: a connection, as the config's probe says */
};

/* A way to probe; the same index as long as a policy asks for it, then reused. */
struct records_check {
	const struct policy_check *is; /* NULL: the index is free, or 0 */
	struct bytes namespace;        /* of the policy, for its Secrets */
	struct bytes key;              /* equal for equal checks, on every replica */
};

/* A traffic policy in force, the same number as long as it is there; number 0 stands for `defaults`. */
struct records_policy {
	const struct policy_value *is; /* NULL: the number is free, or 0 */
	struct bytes namespace, name;
	int64_t created;
	size_t names; /* that it decides for */
};

/* A site that must prove itself when it comes back (failback): the same index, not 0, as long as it is
 * there. */
struct records_hold_back {
	struct bytes owner; /* wire form; empty: the index is free */
	uint16_t cluster;
	uint32_t policy;
};

struct records_change {
	struct bytes owner;              /* wire form */
	const struct endpoint *endpoint; /* NULL: the name is gone */
};

struct records_result {
	/* So much was there at the start that a part was left for a build that has to follow at once: what
	 * was changed until then is not worth publishing. */
	bool more;
	bool everything; /* settings or zones changed: all names are given again, those that went as gone */
	const struct records_change *changes;
	size_t change_count;
	bool zones_changed;
	const struct records_zone *zones; /* always all, longest name first */
	size_t zone_count;
	bool clusters_changed;
	const struct records_cluster *
		clusters; /* always all that are registered, or named by published sites, by name */
	size_t cluster_count;
	bool wants_changed;
	const struct records_probe *probes; /* always all, by index */
	size_t probe_count;
	const struct records_check *checks; /* always all, by index */
	size_t check_count;
	bool policies_changed; /* what one says, which there are, or their conflicts */
	const struct records_policy *policies; /* always all, by number */
	size_t policy_count;
	const struct records_hold_back *holds_back; /* always all, by index */
	size_t hold_back_count;
	const struct bytes *hosts; /* host names to resolve, lower case, sorted; always all */
	size_t host_count;
	bool report_changed; /* problems, conflicts or guard differ */
	uint64_t next_ms;    /* call again at this time though nothing changed; 0: no need */
};
/* How it is probed; NULL: by a connection, as the config's probe says. */
static inline const struct records_check *records_check_of(const struct records_result *r,
                                                           const struct records_probe *probe)
{
	const struct records_check *check = probe->check != 0 && probe->check < r->check_count
	                                            ? &r->checks[probe->check]
	                                            : NULL;

	return check != NULL && check->is != NULL ? check : NULL;
}

struct records *records_new(const struct records_settings *settings);
void records_free(struct records *r);
/* New settings (strings are copied): everything is built again at the next build. */
void records_configure(struct records *r, const struct records_settings *settings);

/* The addresses of a host name that records wants, or may want in the next build (those of a saved
 * state, before the first); sorted by the callee.  A failed look-up is not told: the last addresses stay.
 * `ttl_s`: how long they hold, which no name with them exceeds; 0: it is not known. */
void records_set_host(struct records *r, struct bytes host, const struct addr *addresses,
                      size_t count, uint32_t ttl_s);

/* Brings everything up to date with the facts.  The result is good until the next call. */
const struct records_result *records_build(struct records *r, struct facts *f, uint64_t now_ms);

/* Gives back the memory of the last result's changes, which are not looked at any more:
 * after a first build that is far more than all that stays. */
void records_drop_changes(struct records *r);

/* For /status: one line each, in byte order, at most 1000 (then one that counts the rest). */
struct records_problem {
	const char *where; /* "Kind namespace/name", "cluster NAME" */
	const char *message;
	uint16_t cluster; /* whose object it is */
	bool is_warning;  /* all that was written is served */
};
typedef void records_on_problem_fn(const struct records_problem *problem, void *arg);
void records_each_problem(const struct records *r, records_on_problem_fn *fn, void *arg);
struct records_conflict {
	const char *name;                       /* with the last dot */
	const char *winner, *loser;             /* "Kind namespace/name" */
	uint16_t winner_cluster, loser_cluster; /* whose objects they are */
};
typedef void records_on_conflict_fn(const struct records_conflict *conflict, void *arg);
void records_each_conflict(const struct records *r, records_on_conflict_fn *fn, void *arg);

/* A target of a policy that an older one has: it decides nothing there. */
struct records_policy_conflict {
	uint32_t winner, loser;             /* numbers */
	const struct policy_target *target; /* of the loser */
};
typedef void records_on_policy_conflict_fn(const struct records_policy_conflict *conflict,
                                           void *arg);
void records_each_policy_conflict(const struct records *r, records_on_policy_conflict_fn *fn,
                                  void *arg);

/* Names that a policy has, though one of another namespace has a target for them too, a less exact one. */
struct records_policy_override {
	uint32_t winner, loser; /* numbers */
	uint64_t names;
	struct bytes example; /* one of them, in wire form; {0}: none is known */
};
typedef void records_on_policy_override_fn(const struct records_policy_override *override,
                                           void *arg);
/* In no order. */
void records_each_policy_override(const struct records *r, records_on_policy_override_fn *fn,
                                  void *arg);

/* Names held back by the mass-change guard, by zone. */
struct records_hold {
	const char *zone; /* "example.com." */
	size_t names;
	uint64_t since_ms, until_ms; /* monotonic; until 0: until released */
	uint64_t id;                 /* of this hold */
};
size_t records_holds(const struct records *r, const struct records_hold **out);
/* What the guard holds, names and whole zones, outlives the process as values by keys (an owner in wire
 * form, or one of a zone), an empty one for what is held no more. */
typedef void records_on_held_fn(struct bytes owner, struct bytes value, void *arg);
struct records_times {
	uint64_t now_ms;      /* as for records_build() */
	int64_t unix_ms_at_0; /* Unix time when that clock was 0 */
};
/* Those that differ since the last call.  After a build. */
void records_take_held(struct records *r, const struct facts *f, const struct records_times *now,
                       records_on_held_fn *fn, void *arg);
/* Before the first build.  False: not a value of records_take_held(). */
bool records_restore_held(struct records *r, struct facts *f, const struct records_times *now,
                          struct bytes owner, struct bytes value);

/* The shift that was in force at a cluster before a restart (ramp_print()): it is again when the one that is written cannot
 * be read.  Before the first build.  False: it is none. */
bool records_restore_shift(struct records *r, struct facts *f, struct bytes cluster,
                           struct bytes shift);

/* Lets the zone's held changes pass at the next build.  ERR_NOTFOUND: nothing is held there. */
enum err records_release(struct records *r, const char *zone) MUST_CHECK;

#endif
