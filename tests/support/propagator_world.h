/* propagator_world.h -- a host cluster, members and what a leader does between them (work.h), all in one process: the servers
 * are fakeapi's, the loop is turned by the test.
 *
 * Members are "gondor", "rohan", "shire" ...; the types are namespaces, deployments.apps and configmaps; the namespace
 * "shop" is federated to all.  One test thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_PROPAGATOR_WORLD_H
#define TESTS_SUPPORT_PROPAGATOR_WORLD_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "propagator/work.h"
#include "tests/support/fakeapi.h"

#define WORLD_FEDERATION              "kube-federation-system"
#define WORLD_TYPES                   "/apis/core.kubefed.io/v1beta1/federatedtypeconfigs"
#define WORLD_VERSIONS                "/apis/core.kubefed.io/v1alpha1/propagatedversions"
#define WORLD_CLUSTER_VERSIONS        "/apis/core.kubefed.io/v1alpha1/clusterpropagatedversions"
#define WORLD_FEDERATED_NAMESPACES    "/apis/types.kubefed.io/v1beta1/federatednamespaces"
#define WORLD_FEDERATED_DEPLOYMENTS   "/apis/types.kubefed.io/v1beta1/federateddeployments"
#define WORLD_FEDERATED_CONFIG_MAPS   "/apis/types.kubefed.io/v1beta1/federatedconfigmaps"
#define WORLD_FEDERATED_CLUSTER_ROLES "/apis/types.kubefed.io/v1beta1/federatedclusterroles"
#define WORLD_EVENTS                  "/api/v1/events"
#define WORLD_NIGHDS                  "nigh-system" /* where its pods are */

enum { WORLD_MEMBERS_MOST = 6, WORLD_PATIENCE_MS = 60000, WORLD_CALM_MS = 1500 };

struct propagator_world {
	uv_loop_t loop;
	struct fakeapi *host, *members[WORLD_MEMBERS_MOST];
	unsigned count;
	struct kube_client *client;
	struct kube_backoff backoff;
	struct settings settings;
	struct options options; /* may be changed before a term begins */
	struct dispatch_term term;
	bool held;
	struct work *work;   /* NULL: nobody leads */
	char kubeconfig[64]; /* of the host; "": there is none, and nobody looks at DNS data */
};

/* Nothing runs yet. */
struct propagator_world *propagator_world_new(unsigned members);
void propagator_world_free(struct propagator_world *w);
const char *propagator_world_name(unsigned member);

/* The KubeFedCluster of a member and its Secret. */
void propagator_world_join(struct propagator_world *w, unsigned member);
/* A FederatedTypeConfig: "deployments.apps", "apps", "v1", "Deployment"; `propagation`: "Enabled". */
void propagator_world_type(struct propagator_world *w, const char *name, const char *group,
                           const char *version, const char *kind, const char *propagation);
/* The namespace on the host, federated to all. */
void propagator_world_namespace(struct propagator_world *w, const char *name);
/* A FederatedDeployment "shop/NAME" with so many replicas; `more`: what spec has beside the template, "'placement':{...}". */
void propagator_world_deployment(struct propagator_world *w, const char *name, int replicas,
                                 const char *more);
#define WORLD_EVERYWHERE "'placement':{'clusterSelector':{}}"

/* The host's kubeconfig, for who looks at DNS data; sites are published then. */
void propagator_world_kubeconfig(struct propagator_world *w);

/* A term begins; it ends. */
void propagator_world_begin(struct propagator_world *w);
void propagator_world_end(struct propagator_world *w);

/* The same in a process of its own, which is the same program with the arguments of propagator_world_lead(): whoever leads
 * there can be killed. */
pid_t propagator_world_spawn(struct propagator_world *w);
enum { WORLD_LEAD_ARGUMENTS = 5 };
/* For main() with so many arguments: leads for ever. */
int propagator_world_lead(char **argv);

void propagator_world_turn(struct propagator_world *w, unsigned ms);
/* Turns until the object has that text ("!TEXT": has it not, "": is there, "!": is not there). */
void propagator_world_expect(struct propagator_world *w, struct fakeapi *f, const char *resource,
                             const char *object, const char *text);
/* Turns until so many requests had that text, and no longer. */
void propagator_world_expect_requests(struct propagator_world *w, struct fakeapi *f,
                                      const char *text, unsigned count);
/* Turns until nothing was written anywhere for WORLD_CALM_MS, and forgets all requests. */
void propagator_world_calm(struct propagator_world *w);
/* Is it so now? */
bool propagator_world_is(struct fakeapi *f, const char *resource, const char *object,
                         const char *text);
/* POST, PUT, PATCH and DELETE so far, without the Events, the KubeFedClusters and Leases. */
unsigned propagator_world_writes(struct propagator_world *w, struct fakeapi *f);

#endif
