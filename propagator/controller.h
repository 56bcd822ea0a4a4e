/* controller.h -- one federated type: its objects of the host brought to the members, and kept as they should be there.
 *
 * For each object and cluster it is decided anew what is to be done (plan.h) whenever something of it changes; what is to be
 * done waits for nothing but its own cluster.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_CONTROLLER_H
#define PROPAGATOR_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "propagator/dispatch.h"
#include "propagator/events.h"
#include "propagator/members.h"
#include "propagator/placement.h"
#include "propagator/settings.h"
#include "propagator/type.h"
#include "propagator/versions.h"

struct controller;
struct copy;
struct json_object;
struct schedule_excess;

/* What all controllers share; borrowed. */
struct controller_around {
	uv_loop_t *loop;
	struct kube_client *host;
	struct kube_backoff *backoff;
	struct dispatch *dispatch; /* of the host */
	const char *namespace;     /* KubeFed's */
	const struct settings *settings;
	struct members *members;
	struct versions *versions;
	struct events *events;
	/* The placement of a namespace: false: that is not known yet; *federated: is there a FederatedNamespace? */
	bool (*namespace_placement)(struct bytes namespace, struct placement *out, bool *federated,
	                            void *arg);
	/* A FederatedNamespace has changed; empty: all of them may have. */
	void (*on_namespace)(struct bytes namespace, void *arg);
	void *namespaces_arg;
	/* A federated object has changed, or a copy of it; NULL: nobody asks. */
	void (*on_object)(const struct controller *c, const char *key, void *arg);
	/* Is its placement about to be planned, so that what it says now may not last?  NULL: none ever is. */
	bool (*is_to_be_planned)(const struct controller *c, const char *key, void *arg);
	/* Are more replicas planned for it than are asked for?  False: that is not known yet.  NULL: they never are. */
	bool (*excess)(const struct controller *c, const char *key, struct schedule_excess *out,
	               void *arg);
	/* Is `uid` that of a namespace of the host itself?  To be asked when those are known. */
	bool (*are_hosts_namespaces_known)(void *arg);
	bool (*is_hosts_namespace)(struct bytes name, const char *uid, void *arg);
	void *arg;
};

/* `type` is copied.  `is_passive`: nothing is propagated, but its objects are known: where they are placed (the type
 * `namespaces` where it is disabled), or what their copies say (service_statuses.h). */
struct controller *controller_start(const struct controller_around *around, const struct type *type,
                                    bool is_passive);
void controller_stop(struct controller *c);
const struct type *controller_type(const struct controller *c);
/* Are FederatedServiceStatuses written for it?  By its type and the settings: not while statuses are collected raw. */
bool controller_keeps_statuses(const struct type *type, const struct settings *settings);

/* What members tell (members.h). */
void controller_on_client(struct controller *c, struct member *m);
void controller_on_no_client(struct controller *c, struct member *m);
/* The FederatedNamespace of that name has changed; empty: all of them may have. */
void controller_on_namespace(struct controller *c, struct bytes namespace);
/* What is planned for the replicas of that object is other than before. */
void controller_on_plan(struct controller *c, const char *key);
/* The settings are others now. */
void controller_on_settings(struct controller *c);
/* A member came, went or changed, or something else that concerns all objects has. */
void controller_on_all(struct controller *c);

/* Of the FederatedNamespaces' controller: as controller_around.namespace_placement says. */
bool controller_namespace_placement(struct controller *c, struct bytes namespace,
                                    struct placement *out, bool *federated);

/* For who looks at what it knows.  The federated object of that key, which the caller puts; NULL: there is none. */
struct json_object *controller_federated(const struct controller *c, const char *key);
bool controller_is_listed(const struct controller *c); /* all federated objects are known */
/* Its copy in a cluster, borrowed until the loop turns; NULL: there is none, or that is not known. */
const struct copy *controller_copy(const struct controller *c, const char *cluster,
                                   const char *key);
bool controller_sees(const struct controller *c, const char *cluster); /* its copies are known */
/* The resource of its federated objects; its texts are borrowed from the controller. */
struct kube_resource controller_resource(const struct controller *c);

/* The FederatedServiceStatuses of the one type that has them (service_statuses.h). */
struct service_statuses_counts {
	bool runs;
	size_t objects, failing; /* those that exist; those that could not be written */
	uint64_t writes;
	const char *
		why; /* they are not as they should be; "": they are.  Borrowed until the loop turns */
};

struct controller_counts {
	size_t objects, copies; /* federated ones; managed objects in members */
	size_t waiting;         /* objects to be looked at */
	size_t failing; /* places (object x cluster) that are not as they should be, and nothing is under way there */
	size_t overfull; /* members that have more managed objects than are kept */
	uint64_t passes, applied, deleted, status_writes;
	struct service_statuses_counts statuses;
};
struct controller_counts controller_counts(const struct controller *c);

#endif
