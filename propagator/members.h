/* members.h -- the member clusters: each KubeFedCluster of the host with its client, its health and its writes.
 *
 * A member whose object, Secret or endpoint is wrong has a reason and is not ready; no other notices.  On the loop's
 * thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_MEMBERS_H
#define PROPAGATOR_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "kube/backoff.h"
#include "kube/transport.h"
#include "propagator/budget.h"
#include "propagator/dispatch.h"
#include "propagator/placement.h"

struct events;
struct json_object;
struct member_ceiling;
struct members;

struct member {
	const char *name;
	struct json_object *labels;     /* of the KubeFedCluster; NULL: none */
	bool is_known;                  /* it has answered, or not; or cannot be asked */
	bool is_ready;                  /* by its health, with thresholds */
	struct kube_client *client;     /* NULL: it cannot be dialled, see `trouble` */
	struct kube_backoff *backoff;   /* with `client` */
	struct dispatch *dispatch;      /* with `client` */
	struct events *events;          /* with `client`: about what is there */
	struct member_ceiling *ceiling; /* what it lets be pushed; never NULL */
	struct budget budget;           /* of what is kept of its objects */
	char version[64];               /* "v1.34.4"; "": not known */
	const char *trouble;            /* "": none */
};

struct members_events {
	/* It has a client from now on; or it will have none when the call returns: whatever uses it must end. */
	void (*on_client)(struct member *m, void *arg);
	void (*on_no_client)(struct member *m, void *arg);
	/* It came, or its readiness, its labels or its ceiling changed. */
	void (*on_change)(struct member *m, void *arg);
	/* Its KubeFedCluster is gone; it is freed when the call returns. */
	void (*on_gone)(struct member *m, void *arg);
	/* All KubeFedClusters have been told. */
	void (*on_listed)(void *arg);
	void *arg;
};

/* How often and how members are asked for their health (KubeFedConfig). */
struct members_health {
	uint64_t period_ms, timeout_ms;
	int64_t failures, successes; /* so many in a row turn it */
};

struct members_settings {
	uv_loop_t *loop;
	struct kube_client *host; /* borrowed, with `backoff` */
	struct kube_backoff *backoff;
	struct dispatch *host_dispatch;   /* for the status of KubeFedClusters */
	const char *namespace;            /* KubeFed's; borrowed */
	const struct dispatch_term *term; /* borrowed */
	struct members_health health;
	size_t keep_most; /* bytes of the objects of one member; 0: no limit */
	bool allow_loopback;
};

struct members *members_start(const struct members_settings *settings,
                              const struct members_events *events);
/* No event is told any more.  on_stopped when all clients are gone. */
void members_stop(struct members *m, void (*on_stopped)(void *arg), void *arg);
void members_set_health(struct members *m, const struct members_health *health);

bool members_are_listed(const struct members *m);
/* In the order of their names. */
size_t members_count(const struct members *m);
struct member *members_at(const struct members *m, size_t i);
struct member *members_find(const struct members *m, const char *name);
/* placement_of() the clusters there are. */
enum err members_place(const struct members *m, struct json_object *federated,
                       struct placement *out, struct reason *why) MUST_CHECK;

#endif
