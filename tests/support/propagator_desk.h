/* propagator_desk.h -- a leader at work between scripted API servers: a host, and the members gondor and rohan.
 *
 * Used as a fixture: *state is a struct desk.  Namespaces and Deployments are federated; the namespace shop is, to all
 * members.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_PROPAGATOR_DESK_H
#define TESTS_SUPPORT_PROPAGATOR_DESK_H

#include "propagator/settings.h"
#include "propagator/work.h"
#include "tests/support/kube_server.h"

enum { DESK_MEMBERS = 2, DESK_SOON_MS = 30000 };

#define DESK_FEDERATED   "/apis/types.kubefed.io/v1beta1/federateddeployments"
#define DESK_PREFERENCES "/apis/scheduling.kubefed.io/v1alpha1/replicaschedulingpreferences"
#define DESK_EVENTS      "/api/v1/events"
#define DESK_TYPES       "/apis/core.kubefed.io/v1beta1/federatedtypeconfigs"

struct desk {
	struct kube_server *host;
	struct fakeapi *members[DESK_MEMBERS];
	struct kube_backoff backoff;
	struct dispatch_term term;
	struct settings settings; /* may be changed before work_on_settings() */
	struct work *work;
	bool is_stopped;
};

int desk_setup(void **state);
int desk_teardown(void **state);

/* The term ends, and another one begins. */
void desk_change_leader(struct desk *d);
/* The same with what happens between them: nobody leads. */
void desk_end(struct desk *d);
void desk_begin(struct desk *d);

/* The FederatedDeployment shop/web, in all members, with pods app=web and so many replicas. */
void desk_deployment(struct desk *d, int replicas);
/* Turns the loop until an object has `text` (or, with a leading '!', has not); fails the test after DESK_SOON_MS. */
void desk_expect(struct desk *d, struct fakeapi *f, const char *resource, const char *object,
                 const char *text);
/* Turns the loop until so many requests with that text have come. */
void desk_expect_requests(struct desk *d, struct fakeapi *f, const char *text, unsigned at_least);
void desk_turn(struct desk *d, unsigned ms);

#endif
