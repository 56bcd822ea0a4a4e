/* scheduler_inside.h -- what the files of the scheduler share: scheduler.c has the preferences and their turns,
 * scheduler_plan.c makes and writes a plan, scheduler_pods.c counts pods.
 *
 * For scheduler*.c alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_SCHEDULER_INSIDE_H
#define PROPAGATOR_SCHEDULER_INSIDE_H

#include "base/hash.h"
#include "base/table.h"
#include "propagator/cache.h"
#include "propagator/copy.h"
#include "propagator/podcount.h"
#include "propagator/schedule.h"
#include "propagator/scheduler.h"
#include "propagator/standing.h"

enum { SCHEDULER_KINDS = 2 }; /* Deployments and ReplicaSets */

/* The pods of one preference in one cluster. */
struct pods {
	struct preference *preference;
	char *cluster;
	struct dispatch_job *job; /* they are being listed */
	uint64_t asked_ms, again_ms;
	char *version; /* resourceVersion of the copy that they were listed for last; NULL: never */
	bool is_known;
	struct podcount_measure measure; /* if is_known */
	int64_t room;                    /* replicas that it had room for when some found none */
	uint64_t full_until_ms;
	struct pods *next;
};

/* What came of planning a preference. */
struct sums {
	bool is_known;                /* false: nothing was planned yet, or can be now */
	unsigned kind;                /* of what it governs; SCHEDULER_KINDS: not read yet */
	int64_t total, planned, held; /* replicas */
};

struct preference {
	struct scheduler *scheduler;
	char *key;
	uint64_t due_ms; /* it is planned then; 0: not */
	struct pods *pods;
	struct dispatch_job *write;
	bool has_recalled; /* what a last leader knew of its clusters */
	char *said;        /* what there is to say of it; NULL: nothing */
	struct sums sums;
};

struct scheduler {
	struct scheduler_settings settings;
	struct cache *cache; /* of the preferences' JSON; NULL: the gate is off */
	bool is_settled;     /* it was, once */
	struct table *preferences;
	struct hash_key hash_key;
	struct standing_list standings[SCHEDULER_KINDS];
	uv_timer_t *tick;
	uint64_t plans, writes;
};

/* --- scheduler.c --- */
/* Plan it again in so many milliseconds at the latest. */
void scheduler_hurry(struct preference *p, uint64_t in_ms);
/* `sums` came of planning it now; its federated object is looked at if they are others. */
void scheduler_sum_up(struct preference *p, struct sums sums);
/* NULL: not seen yet. */
const struct standing *scheduler_standing(const struct scheduler *s, unsigned kind,
                                          const char *cluster);
/* Which kind "FederatedDeployment" or "FederatedReplicaSet", no other word, is; the controller that runs for a kind, NULL: none. */
unsigned scheduler_kind(const char *federated_kind);
struct controller *scheduler_controller(const struct scheduler *s, unsigned kind);

/* --- scheduler_plan.c --- */
void scheduler_plan(struct preference *p, struct json_object *object);

/* --- scheduler_pods.c --- */
/* Fills in what the cluster has; false: the pods are being asked for, wait.  Never waits for long. */
bool scheduler_measure(struct preference *p, const struct member *m, const struct copy *copy,
                       struct schedule_cluster *out);
/* Which clusters count as full, and until when, goes with a plan into the annotation of its federated object: who leads next knows
 * it.  NULL: none does; the caller frees it. */
#define SCHEDULER_FULL "nigh.dev/full-clusters"
char *scheduler_print_full(const struct preference *p);
/* Once for each preference; what cannot be read says nothing. */
void scheduler_recall_full(struct preference *p, struct json_object *federated);
/* Forgets the pods of that cluster, and what is asked about them; NULL: of all. */
void scheduler_end_pods(struct preference *p, const char *cluster);

#endif
