/* world_fleet.h -- a world whose clusters are scripted API servers: a host, and what a test makes members.
 *
 * The host has the Domain fed of example.com; its kubeconfig is host.kubeconfig.  All times of watching are short.
 * A member serves what world_fleet_publish() gives it under a name of its own, so that a test sees which
 * cluster it is that is known, or not.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_FLEET_H
#define TESTS_SUPPORT_WORLD_FLEET_H

#include "base/text.h"
#include "tests/support/fakeapi.h"
#include "tests/support/world.h"

#define WORLD_FLEET_NAMESPACE "kube-federation-system"
/* Where the host is asked for them. */
#define WORLD_FLEET_CLUSTERS                                                                       \
	"/apis/core.kubefed.io/v1beta1/namespaces/" WORLD_FLEET_NAMESPACE "/kubefedclusters"
#define WORLD_FLEET_SECRETS "/api/v1/namespaces/" WORLD_FLEET_NAMESPACE "/secrets"
#define WORLD_FLEET_HOST    "kubernetes: {kubeconfig: host.kubeconfig, allowLoopback: true}"

enum { WORLD_FLEET_PATIENCE_MS = 15000 };

struct world_fleet {
	struct world *world;
	struct fakeapi *host;
	struct fakeapi *api[16]; /* all, to be freed */
	size_t count;
};

int world_fleet_setup(void **state);
int world_fleet_teardown(void **state);
#define world_fleet_test(function)                                                                 \
	cmocka_unit_test_setup_teardown(function, world_fleet_setup, world_fleet_teardown)

/* Another API server; NULL: zeroed options. */
struct fakeapi *world_fleet_api(struct world_fleet *f, const struct fakeapi_options *options);
/* The config: `sources` is what stands inside its braces (NULL: the host alone), `more` further lines. */
void world_fleet_config(struct world_fleet *f, const char *sources, const char *more);
/* "NAME.shop.fed.svc.example.com" becomes that address, if nighd sees both API servers. */
void world_fleet_publish(struct world_fleet *f, struct fakeapi *api, const char *name,
                         const char *address);
/* The Service and its EndpointSlice alone. */
void world_fleet_service(struct fakeapi *api, const char *name, const char *address);
/* The Secret `name` with that token. */
void world_fleet_secret(struct world_fleet *f, const char *name, const char *token);
/* The KubeFedCluster `name` of that API server: caBundle, its Secret `name` as nigh.dev/reader-secret, and in `spec` what
 * else is wanted (",'proxyURL':'...'"), or "". */
void world_fleet_join(struct world_fleet *f, const char *name, struct fakeapi *api,
                      const char *spec);
/* The Secret, too. */
void world_fleet_join_with(struct world_fleet *f, const char *name, struct fakeapi *api,
                           const char *secret, const char *spec);
/* A file: a kubeconfig with that user, and in `cluster` what else stands in the braces of its cluster. */
void world_fleet_kubeconfig(struct world_fleet *f, const char *file, const char *server,
                            const char *cluster, const char *user);

/* What "NAME.shop.fed.svc.example.com" is, within the patience. */
void world_fleet_expect(struct world_fleet *f, const char *name, const char *answer);
/* It is so now, and stays so for a while. */
void world_fleet_expect_stays(struct world_fleet *f, const char *name, const char *answer,
                              unsigned for_ms);
/* /status holds the text within the patience; with a leading '!' it does not. */
void world_fleet_expect_status(struct world_fleet *f, const char *text);
/* Polls a sample of /metrics until it is at least that much. */
void world_fleet_expect_metric(struct world_fleet *f, const char *sample, double at_least);
void world_fleet_expect_log(struct world_fleet *f, const char *text);
/* Polls what has no waiting of its own. */
void world_fleet_until(struct world_fleet *f, bool (*is_so)(struct world_fleet *f, void *arg),
                       void *arg, const char *what);
/* Kilobytes of nighd that are resident. */
long world_fleet_memory_kb(const struct world_fleet *f);

#endif
