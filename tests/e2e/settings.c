/* settings.c -- nigh-propagator on real API servers: what becomes of members when the KubeFedConfig changes or goes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/e2e/support/federation.h"
#include "tests/support/world_inside.h"

enum { SOON_MS = 30000, REST_MS = 5000 };

#define HERE      "/api/v1/namespaces/" FEDERATION "/configmaps/own"
#define SHOP      "/api/v1/namespaces/shop/configmaps/shared"
#define FEDERATED "/apis/types.kubefed.io/v1beta1/namespaces/" FEDERATION "/federatedconfigmaps/own"

#define LEASE                                                                                      \
	"/apis/coordination.k8s.io/v1/namespaces/" FEDERATION "/leases/kubefed-controller-manager"

static void config_map(struct federation *f, const char *namespace, const char *name)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedConfigMap\n"
	              "metadata: {name: %s, namespace: %s}\n"
	              "spec: {placement: {clusterSelector: {}}, template: {data: {a: b}}}\n",
	              name, namespace);
}

static int setup(void **state)
{
	struct federation *f = federation_new(1);

	*state = f;
	federation_put_config(f, "Namespaced");
	federation_enable(f, "namespaces");
	federation_enable(f, "configmaps");
	objects_namespace(f->members[0], FEDERATION);
	federation_start(f);
	config_map(f, FEDERATION, "own");
	cluster_expect(f->members[0], HERE, "kubefed.io/managed", SOON_MS);
	return 0;
}

static void rest(void)
{
	const struct deadline deadline = inside_deadline(REST_MS);

	while (inside_has_time(deadline))
		inside_rest();
}

static void test_without_its_config_one_namespace_stays_as_it_is(void **state)
{
	struct federation *f = *state;

	cluster_delete(f->host, "core.kubefed.io/v1beta1", "KubeFedConfig", FEDERATION, "kubefed");
	rest();
	cluster_expect(f->members[0], HERE, "kubefed.io/managed", 0);
	cluster_expect(f->host, FEDERATED, "!NamespaceNotFederated", 0);
}

/* Whoever leads goes on doing so meanwhile. */
static void test_the_times_of_the_election_change_while_it_runs(void **state)
{
	struct federation *f = *state;

	cluster_expect(f->host, LEASE, "\"leaseDurationSeconds\":15", SOON_MS);
	cluster_patch(f->host, "core.kubefed.io/v1beta1", "KubeFedConfig", FEDERATION, "kubefed",
	              "{\"spec\":{\"leaderElect\":{\"leaseDuration\":\"30s\",\"renewDeadline\":"
	              "\"20s\",\"retryPeriod\":\"2s\"}}}");
	cluster_expect(f->host, LEASE, "\"leaseDurationSeconds\":30", SOON_MS);
	cluster_expect(f->host, LEASE, "\"leaseTransitions\":1", 0);
}

/* The scope never changes but by one that is made anew; then other objects are watched. */
static void test_a_config_of_another_scope_begins_the_work_anew(void **state)
{
	struct federation *f = *state;

	federation_namespace(f, "shop");
	config_map(f, "shop", "shared");
	federation_namespace(f, FEDERATION);
	federation_put_config(f, "Cluster");
	cluster_expect(f->members[0], SHOP, "kubefed.io/managed", SOON_MS);
	federation_stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_times_of_the_election_change_while_it_runs),
		cmocka_unit_test(test_without_its_config_one_namespace_stays_as_it_is),
		cmocka_unit_test(test_a_config_of_another_scope_begins_the_work_anew),
	};

	return cmocka_run_group_tests_name("e2e/settings", tests, setup, federation_teardown);
}
