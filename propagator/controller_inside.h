/* controller_inside.h -- what the files of a controller share: controller.c has the caches and the queue, object.c decides,
 * object_wish.c what is asked for, object_step.c writes to members, object_end.c takes away from them, object_health.c tells
 * how the copies fare, object_host.c writes to the host, object_events.c tells Events.
 *
 * For controller*.c and object*.c alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_CONTROLLER_INSIDE_H
#define PROPAGATOR_CONTROLLER_INSIDE_H

#include "base/hash.h"
#include "base/table.h"
#include "propagator/cache.h"
#include "propagator/controller.h"
#include "propagator/copy.h"
#include "propagator/plan.h"
#include "propagator/render.h"
#include "propagator/service_statuses.h"
#include "propagator/status.h"
#include "propagator/turns.h"

/* A member as a controller sees it: its copies. */
struct site {
	struct controller *controller;
	struct member *member;
	struct budget budget; /* of the copies: a part of the member's */
	struct cache *copies;
	bool is_told_full;
	bool was_known;         /* all copies were, when their sight was told of last */
	uint64_t began_ms;      /* when they were asked for first */
	uint64_t asks_until_ms; /* questions about its copies are paid for until then */
};

/* What is done to a copy, for who looks at it in the member. */
enum deed {
	DEED_CREATED,
	DEED_UPDATED,
	DEED_REPAIRED,
	DEED_DRIFTED,
	DEED_ADOPTED,
	DEED_TOOK_OVER,
	DEED_RELEASED,
	DEED_DELETED,
	DEED_REFUSED, /* by the member's server */
};

/* One object in one cluster. */
struct part {
	struct object *object;
	char *cluster;
	enum state state;
	bool is_listed;
	bool is_verified;  /* of an object that is being deleted: it was asked for, and is gone */
	bool took_over;    /* KubeFed's fields, or found that there are none */
	bool by_replace;   /* the server does not apply it */
	bool is_to_be_new; /* what is being applied makes it, or conflicts */
	bool is_repair;    /* what is under way undoes what another did */
	bool retains;      /* spec.retainReplicas: what is adopted keeps its own */
	bool asks_whose;   /* what is being applied conflicts with who owns what it changes */
	unsigned repairs;  /* in a row */
	uint64_t repaired_ms;
	char *why;   /* of a state that is no success; NULL: nothing to say */
	char *rival; /* who changes it again and again, and what; NULL: that is not known */

	enum plan_step step; /* that is under way, or was the last */
	uint64_t asked;      /* for what (struct wish) */
	uint64_t made_of;    /* of which template and overrides: a hash */
	uint64_t under;      /* by which ceiling of the cluster */
	bool is_late;        /* something else is asked for since it is under way */
	struct dispatch_job *job;
	struct json_object *body; /* what is being applied */
	enum deed deed;           /* that is under way: what it is when it has ended well */
	uint64_t over;     /* the state of the copy that it changes: a hash; 0: there is none */
	uint64_t again_ms; /* that step for that is not taken before; 0: nothing is held back */
	unsigned failures;
	/* The cache may be behind what was done until then: the copy's version when the step began (0: there was none), and
	 * that of the answer as a number (0: it is none). */
	uint64_t behind_ms, before, written;
	uint64_t unwell_ms;            /* since when it is not Current; 0: it is */
	uint64_t unwell_of, unwell_so; /* what it was asked for then, and how it fares: hashes */
	struct dispatch_job *asking;   /* its pods or Events, why it is not */
	uint64_t asked_ms;
	unsigned asked_times; /* since it fares so */
	struct health *cause; /* its health as its pods explain it; NULL: they do not */
	/* What was found to be in order: of which federated object, of which copy. */
	uint64_t judged;
};

struct object {
	struct turn turn; /* comes first */
	struct controller *controller;
	char *key;
	struct part **parts; /* in the order of their clusters */
	size_t part_count;
	struct version version; /* what is recorded */
	bool version_known, version_dirty;
	bool version_stored;       /* the host has an object for it, as far as is known */
	uint64_t version_again_ms; /* it is not written before */
	unsigned version_failures;
	uint64_t uid;    /* of the federated object: a hash; 0: not seen yet */
	uint64_t warned; /* for what was asked then (struct wish) */
	bool updated;    /* something was written to a member since the last status */
	bool placement_failed, namespace_missing;
	struct dispatch_job *host_job; /* one write to the host at a time */
	struct json_object *host_body;
	/* Nothing is written over the state of it that was written over last, before: that has failed, or is about to show. */
	uint64_t host_over, host_again_ms;
	unsigned host_failures;
	/* The status that was written last, but for its times, and what the server made of it: hashes, 0: none. */
	uint64_t wrote_status, stored_status;
	uint64_t
		terse_ms; /* the server does not store as much: no remote statuses until then; 0: it does */
	uint64_t told_ms;   /* when that was */
	uint64_t alarm_ms;  /* it is to be looked at again then; 0: no */
	uint64_t heard_ms;  /* the same, for what a member tells of a copy */
	uint64_t unsaid_ms; /* since when there may be something to tell the host; 0: not */
	bool is_unsure;     /* of a cluster that it is placed in nothing is known yet */
	uint64_t unsure_ms; /* since when; 0: never */
	uint64_t shares; /* placement and overrides that were followed last: a hash; 0: none yet */
	uint64_t unplanned_ms; /* since when others wait for a plan; 0: they do not */
};

struct controller {
	struct controller_around around;
	struct type type;
	char *component; /* "federateddeployment-controller" */
	struct kube_resource target, federated;
	bool collected; /* the federated objects show the statuses of their copies */
	struct service_statuses *statuses; /* NULL: they are not written for this type */
	struct cache *objects_on_host;
	bool is_passive;     /* it only knows the objects (types.c) */
	struct site **sites; /* in the order of their clusters */
	size_t site_count;
	struct table *objects;
	struct hash_key hash_key;
	struct turns turns;
	uv_idle_t *turn; /* runs while one of them waits, and lets others have the loop between */
	uv_timer_t *tick;
	uint64_t alarm_ms; /* the first of its objects' alarms, or before it; 0: there is none */
	struct controller_counts counts;
};

/* What a federated object asks for, made once for all clusters. */
struct wish {
	struct json_object *federated;
	uint64_t revision; /* of it: a hash of its resourceVersion */
	uint64_t asked;    /* what it asks for: a hash that a written status does not change */
	bool reports_drift;
	bool is_deleting;
	enum plan_end end;
	struct placement placement;
	struct render render;
	bool can_render;
	struct reason why; /* not */
};

/* --- controller.c --- */
/* It is looked at soon: before all that is only to be looked at again. */
void controller_enqueue(struct object *o);
/* To be looked at again in so many milliseconds at the latest. */
void controller_alarm(struct object *o, uint64_t in_ms);
/* The same for what comes from many clusters one after the other, and is looked at together. */
void controller_alarm_soon(struct object *o);
/* What was just written there. */
void controller_saw(struct controller *c, const char *cluster, const char *key,
                    struct json_object *object);
struct site *controller_site(const struct controller *c, const char *cluster);
/* It is of no interest any more. */
void controller_forget(struct object *o);

/* --- object.c --- */
struct object *object_new(struct controller *c, const char *key);
void object_free(struct object *o);
/* Looks at all of it, and does what is to be done. */
void object_look(struct object *o);
/* NULL: nothing was ever done about it there. */
struct part *object_part(const struct object *o, const char *cluster);
/* The same, or a new one. */
struct part *object_need_part(struct object *o, const char *cluster);
/* Looks at one cluster. */
void object_look_at_part(struct part *p, const struct wish *w);
/* Is it a namespace that is every cluster's own? */
bool object_is_ignored(const struct object *o);
/* Ends what is under way there. */
void object_end_part(struct part *p);
/* Reads the federated object as it is now; NULL: there is none.  The caller puts it. */
struct json_object *object_federated(const struct object *o);

/* --- object_wish.c --- */
bool object_is_deleted(struct json_object *federated);
/* False: it cannot be said yet.  To be ended with object_wish_fini() in any case. */
bool object_wish(struct object *o, struct json_object *federated, struct wish *w);
/* Whoever applies a manifest over a plan takes replicas and clusters away until it is planned again: that is not followed, for a
 * moment.  It is looked at again by itself. */
bool object_waits_for_plan(struct object *o, struct json_object *federated);
void object_wish_fini(struct wish *w);

/* --- object_step.c --- */
/* Begins a step; `desired` is what is to be there (taken; NULL with the steps that take something away); `state`: until it has
 * ended. */
void object_step(struct part *p, const struct wish *wish, enum plan_step step, enum state state,
                 struct json_object *desired);
void object_set_state(struct part *p, enum state state, const char *why);
/* What steps are made of.  A request about the object there; `write` has its verb, and what is sent. */
void object_submit(struct part *p, struct kube_write *write, kube_on_answer_fn *on_answer);
void object_send_json(struct part *p, struct kube_write *write, struct json_object *body,
                      kube_on_answer_fn *on_answer);
/* It was done: how often it failed is forgotten, and the cache may be behind it for a while. */
void object_note_done(struct part *p);
/* There is no request under way any more; another look follows.  The next three end it, too. */
void object_end_step(struct part *p);
/* It is tried again after a pause; `timed_out` when no answer came. */
void object_fail(struct part *p, const struct kube_answer *answer, enum state failed,
                 enum state timed_out, const char *event, const char *what);
/* Somebody else writes it, too: it is tried again over what will soon be seen of it. */
void object_meet_conflict(struct part *p, const struct kube_answer *answer, enum state failed);
/* Until it is asked for something else, or a pause is over. */
void object_hold_back(struct part *p);

/* --- object_end.c --- */
/* Steps that take it away: an answer is another look. */
void object_delete(struct part *p, const struct wish *w);
void object_unlabel(struct part *p);
/* Nothing is recorded of a cluster where it is not, and is not to be. */
void object_drop_record(struct object *o, const char *cluster);
/* Is a federated object that is being deleted gone from all members?  It is waited for wherever it is placed, or ever was and was
 * not seen to go; where its server was not asked yet, that is done. */
bool object_is_all_gone(struct object *o, const struct wish *w);
/* Managed objects without a federated one: they stay, and are nobody's. */
void object_look_at_orphans(struct object *o);

/* --- object_health.c --- */
/* How the object fares in that cluster; false: nothing is known of it. */
bool object_health(const struct part *p, struct health *out);
/* Asks its pods, and where those are missing its Events, why it is not Current, when that has lasted. */
void object_ask_why(struct part *p);

/* --- object_events.c --- */
/* On the host, about the federated object: `what` it does to the copy, as KubeFed says it. */
void object_tell_host(const struct part *p, bool warning, const char *reason, const char *what,
                      const char *why);
/* In the member, about the copy; `uid` of it: empty where there is none. */
void object_tell_member(const struct part *p, enum deed deed, struct bytes uid, const char *why);
/* The member's ceiling forbids it: its state, and an Event of the ceiling when that is news. */
void object_refuse(struct part *p, const char *why);

/* --- object_host.c --- */
bool object_has_finalizer(struct json_object *federated);
void object_add_finalizer(struct object *o, struct json_object *federated);
void object_drop_finalizer(struct object *o, struct json_object *federated);
/* Writes what it has to say of itself, if that is another than is stored. */
void object_tell(struct object *o, struct json_object *federated, const struct wish *wish);

#endif
