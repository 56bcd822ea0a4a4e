/* objects.h -- the objects of the story in real clusters: namespaces, Services, pods, readers, and how a cluster joins.
 *
 * As world.h writes them into files, so they are applied here; what a cloud's controllers would write (EndpointSlices,
 * tokens) the cluster's own controllers do write.  One thread at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_OBJECTS_H
#define TESTS_E2E_SUPPORT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/e2e/support/cluster.h"

#define FEDERATION       "kube-federation-system" /* the host's */
#define READER_NAMESPACE "nigh-system"            /* a member's */

void objects_namespace(struct cluster *c, const char *name);
/* The one node, where every pod runs; "" takes the label away. */
void objects_node(struct cluster *c, const char *region, const char *zone);
/* A Service of type LoadBalancer that selects the pods app=NAME, with that address. */
void objects_service(struct cluster *c, const char *namespace, const char *name,
                     const char *address, unsigned port);
/* There are `count` pods app=NAME (64 at most), `ready` or not, and no other; the controllers make an EndpointSlice of them. */
void objects_pods(struct cluster *c, const char *namespace, const char *name, unsigned count,
                  bool ready);
/* Waits until the EndpointSlices of a Service have so many ready endpoints. */
void objects_expect_endpoints(struct cluster *c, const char *namespace, const char *name,
                              unsigned ready, unsigned within_ms);

/* The host's part, as deploy/ has it: KubeFed's kinds, the namespace FEDERATION, and what nighd (here the user "nigh")
 * may read. */
void objects_host(struct cluster *host);
/* KubeFed's kinds alone: they are known when this returns, also when they were just being deleted. */
void objects_definitions(struct cluster *host);
/* A member's part, as deploy/ has it: a service account that may read what nighd reads. */
void objects_reader(struct cluster *member);
/* The reader may list and watch "services", "endpointslices", "ingresses" and "nodes", but for `without` (NULL: all). */
void objects_reader_may(struct cluster *member, const char *without);
/* Makes a token for the reader, in a Secret of that name; the caller frees it. */
char *objects_reader_token(struct cluster *member, const char *name);
/* The KubeFedCluster, as the guide has it, and the Secret with that token. */
void objects_join(struct cluster *host, struct cluster *member, const char *token,
                  const char *location);
/* The same as kubefedctl join writes it, which knows nothing of nigh. */
void objects_join_as_kubefed(struct cluster *host, struct cluster *member, const char *token);
/* The same, under another name than its own. */
void objects_join_as(struct cluster *host, struct cluster *member, const char *name,
                     const char *token);
void objects_unjoin(struct cluster *host, struct cluster *member);

void objects_domain(struct cluster *host, const char *name, const char *zone);
void objects_service_record(struct cluster *host, const char *namespace, const char *name,
                            const char *domain);

#endif
