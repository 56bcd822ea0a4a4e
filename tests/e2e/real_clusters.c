/* real_clusters.c -- the main job on real API servers: clusters join, objects come, change and go, and answers follow. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/e2e/support/story.h"

#define CORE            "core.kubefed.io/v1beta1"
#define MULTICLUSTERDNS "multiclusterdns.kubefed.io/v1alpha1"

enum { CONTROLLERS_MS = 10000 }; /* until a cluster's own controllers have done their part */

/* Nobody asks yet: a name begins to be with its first cluster. */
static void test_clusters_join_one_after_the_other(void **state)
{
	struct story *s = *state;

	story_start(s);
	story_join(s, NEW_YORK);
	story_expect(s, BOSTON, NEW_YORK, BACK_MS);
	story_expect(s, SAN_FRANCISCO, NEW_YORK, 0);
	story_join(s, HOUSTON);
	story_expect(s, AUSTIN, HOUSTON, BACK_MS);
	story_expect(s, SAN_FRANCISCO, HOUSTON, 0);
	/* Its place is that of its nodes' region; who joined it knew nothing of us. */
	objects_join_as_kubefed(s->host, s->site[LOS_ANGELES].cluster, s->site[LOS_ANGELES].token);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, BACK_MS);
	story_expect_status(s, LOS_ANGELES, "\"region\":\"us-west-2\"", 0);
	story_expect_status(s, LOS_ANGELES, "reader-secret", CHANGED_MS);
	story_join(s, LOS_ANGELES);
	story_expect_status(s, LOS_ANGELES, "!reader-secret", CHANGED_MS);
	story_expect_nothing_changes(s, 1000);
	for (enum site i = 0; i < SITES; i++) {
		story_expect_knowledge(s, i, "synced", CHANGED_MS);
		story_expect_status(s, i, "\"source\":\"kubernetes\"", 0);
		story_expect_status(s, i, "\"up\":true", 0);
	}
	story_expect_status(s, HOUSTON, "\"region\":\"us-south\"", CHANGED_MS);
	story_expect_status(s, HOUSTON, "\"zones\":[\"us-south-a\"]", 0);
}

static void test_a_service_is_created_and_answered(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[HOUSTON].cluster;
	static const char name[] = "api.shop.fed.svc.example.com";

	world_expect(s->nighd, name, "A", BOSTON, "NXDOMAIN", 0);
	objects_service(c, "shop", "api", "127.10.2.11", s->port);
	objects_pods(c, "shop", "api", 1, true);
	objects_service_record(s->host, "shop", "api", "fed");
	world_expect(s->nighd, name, "A", BOSTON, "127.10.2.11", CONTROLLERS_MS);
	objects_service(c, "shop", "api", "127.10.2.12", s->port);
	world_expect(s->nighd, name, "A", BOSTON, "127.10.2.12", CHANGED_MS);
	cluster_delete(s->host, MULTICLUSTERDNS, "ServiceDNSRecord", "shop", "api");
	world_expect(s->nighd, name, "A", BOSTON, "NXDOMAIN", CHANGED_MS);
	cluster_delete(c, "v1", "Service", "shop", "api");
	objects_pods(c, "shop", "api", 0, true);
}

static void test_houston_answers_when_los_angeles_is_not_ready(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[LOS_ANGELES].cluster;

	objects_pods(c, "shop", "web", 2, false);
	objects_expect_endpoints(c, "shop", "web", 0, CONTROLLERS_MS);
	story_expect(s, SAN_FRANCISCO, HOUSTON, CHANGED_MS);
	story_expect(s, BOSTON, NEW_YORK, 0);
	world_expect_http(s->nighd, "/explain?name=" WEB "&client=" SAN_FRANCISCO,
	                  "\"layer\":\"endpoints\",\"ok\":false", CHANGED_MS);
	objects_pods(c, "shop", "web", 2, true);
	objects_expect_endpoints(c, "shop", "web", 2, CONTROLLERS_MS);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, CHANGED_MS);
}

static void test_a_service_that_is_scaled_to_zero_is_left_out(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[NEW_YORK].cluster;

	objects_pods(c, "shop", "web", 0, true);
	objects_expect_endpoints(c, "shop", "web", 0, CONTROLLERS_MS);
	story_expect(s, BOSTON, HOUSTON, CHANGED_MS);
	objects_pods(c, "shop", "web", 3, true);
	objects_expect_endpoints(c, "shop", "web", 3, CONTROLLERS_MS);
	story_expect(s, BOSTON, NEW_YORK, CHANGED_MS);
}

static void test_a_service_that_loses_its_load_balancer_is_left_out(void **state)
{
	struct story *s = *state;

	cluster_patch_status(s->site[LOS_ANGELES].cluster, "v1", "Service", "shop", "web",
	                     "{\"status\":{\"loadBalancer\":null}}");
	story_expect(s, SAN_FRANCISCO, HOUSTON, CHANGED_MS);
	cluster_patch_status(s->site[LOS_ANGELES].cluster, "v1", "Service", "shop", "web",
	                     "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"%s\"}]}}}",
	                     s->site[LOS_ANGELES].web);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, CHANGED_MS);
}

/* In two cities, and published. */
static void put_ingresses(struct story *s)
{
	static const enum site places[] = {NEW_YORK, HOUSTON};

	for (size_t i = 0; i < 2; i++)
		cluster_apply(s->site[places[i]].cluster,
		              "apiVersion: networking.k8s.io/v1\n"
		              "kind: Ingress\n"
		              "metadata: {name: front, namespace: shop}\n"
		              "spec:\n"
		              "  defaultBackend: {service: {name: web, port: {name: http}}}\n"
		              "status: {loadBalancer: {ingress: [{ip: 127.10.%zu.14}]}}\n",
		              i + 1);
	cluster_apply(s->host, "apiVersion: " MULTICLUSTERDNS "\n"
	                       "kind: IngressDNSRecord\n"
	                       "metadata: {name: front, namespace: shop}\n"
	                       "spec: {hosts: [www.example.com]}\n");
}

/* Usable where the Service behind it has something ready. */
static void test_an_ingress_is_answered_where_its_service_is_ready(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[HOUSTON].cluster;

	put_ingresses(s);
	world_expect(s->nighd, "www.example.com", "A", AUSTIN, "127.10.2.14", CHANGED_MS);
	world_expect(s->nighd, "www.example.com", "A", BOSTON, "127.10.1.14", CHANGED_MS);
	objects_pods(c, "shop", "web", 2, false);
	objects_expect_endpoints(c, "shop", "web", 0, CONTROLLERS_MS);
	world_expect(s->nighd, "www.example.com", "A", AUSTIN, "127.10.1.14", CHANGED_MS);
	cluster_delete(s->host, MULTICLUSTERDNS, "IngressDNSRecord", "shop", "front");
	world_expect(s->nighd, "www.example.com", "A", AUSTIN, "NXDOMAIN", CHANGED_MS);
}

/* The controller's Service has the Ingress' address, its pods are in a namespace of their own. */
static void test_an_ingress_whose_controller_is_not_ready_is_avoided_and_explained(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[HOUSTON].cluster;

	put_ingresses(s);
	objects_namespace(c, "ingress");
	objects_service(c, "ingress", "controller", "127.10.2.14", s->port);
	objects_pods(c, "ingress", "controller", 1, true);
	objects_expect_endpoints(c, "ingress", "controller", 1, CONTROLLERS_MS);
	world_expect(s->nighd, "www.example.com", "A", AUSTIN, "127.10.2.14", CHANGED_MS);
	objects_pods(c, "ingress", "controller", 1, false);
	objects_expect_endpoints(c, "ingress", "controller", 0, CONTROLLERS_MS);
	world_expect(s->nighd, "www.example.com", "A", AUSTIN, "127.10.1.14", CHANGED_MS);
	world_expect_http(s->nighd, "/explain?name=www.example.com&client=" AUSTIN,
	                  "\"layer\":\"gateway\",\"ok\":false", 0);
	story_expect(s, AUSTIN, HOUSTON, 0);
	objects_pods(c, "ingress", "controller", 1, true);
	world_expect(s->nighd, "www.example.com", "A", AUSTIN, "127.10.2.14", CONTROLLERS_MS);
	cluster_delete(s->host, MULTICLUSTERDNS, "IngressDNSRecord", "shop", "front");
	cluster_delete(c, "v1", "Namespace", "", "ingress");
}

static void test_a_deleted_service_is_gone(void **state)
{
	struct story *s = *state;

	cluster_delete(s->site[LOS_ANGELES].cluster, "v1", "Service", "shop", "web");
	story_expect(s, SAN_FRANCISCO, HOUSTON, CHANGED_MS);
	/* Its zone goes on, by way of the next level. */
	world_expect(s->nighd, "web.shop.fed.svc.us-west-2a.us-west-2.example.com", "A", BOSTON,
	             "web.shop.fed.svc.us-west-2.example.com. " WEB ". 127.10.1.10", CHANGED_MS);
	story_furnish(s, LOS_ANGELES);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, CHANGED_MS);
}

static void test_a_deleted_namespace_takes_its_services_along(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[HOUSTON].cluster;

	cluster_delete(c, "v1", "Namespace", "", "shop");
	story_expect(s, AUSTIN, LOS_ANGELES, CONTROLLERS_MS);
	cluster_expect(c, "/api/v1/namespaces", "!\"shop\"", 2 * CONTROLLERS_MS);
	story_furnish(s, HOUSTON);
	story_expect(s, AUSTIN, HOUSTON, CHANGED_MS);
}

static void test_a_deleted_record_is_a_name_that_is_not(void **state)
{
	struct story *s = *state;

	cluster_delete(s->host, MULTICLUSTERDNS, "ServiceDNSRecord", "shop", "web");
	world_expect(s->nighd, WEB, "A", BOSTON, "NXDOMAIN", CHANGED_MS);
	world_expect(s->nighd, "web.shop.fed.svc.us-east.example.com", "A", BOSTON, "NXDOMAIN", 0);
	assert_string_equal(world_ask_tcp(s->nighd, WEB, "A", BOSTON), "NXDOMAIN");
	world_expect_http(s->nighd, "/explain?name=" WEB "&client=" BOSTON,
	                  "\"rcode\":\"NXDOMAIN\"", 0);
	objects_service_record(s->host, "shop", "web", "fed");
	story_expect(s, BOSTON, NEW_YORK, CHANGED_MS);
}

static void test_a_changed_domain_moves_its_names(void **state)
{
	struct story *s = *state;

	objects_domain(s->host, "second", "example.net");
	objects_service_record(s->host, "calm", "web", "second");
	objects_service(s->site[HOUSTON].cluster, "calm", "web", "127.10.2.13", s->port);
	objects_pods(s->site[HOUSTON].cluster, "calm", "web", 1, true);
	world_expect(s->nighd, "web.calm.second.svc.example.net", "A", BOSTON, "127.10.2.13",
	             CONTROLLERS_MS);
	objects_domain(s->host, "second", "example.org");
	world_expect(s->nighd, "web.calm.second.svc.example.org", "A", BOSTON, "127.10.2.13",
	             CHANGED_MS);
	world_expect(s->nighd, "web.calm.second.svc.example.net", "A", BOSTON, "REFUSED",
	             CHANGED_MS);
	world_expect_http(s->nighd, "/status", "!example.net", CHANGED_MS);
	cluster_delete(s->host, MULTICLUSTERDNS, "Domain", FEDERATION, "second");
	world_expect(s->nighd, "web.calm.second.svc.example.org", "A", BOSTON, "REFUSED",
	             CHANGED_MS);
	cluster_delete(s->host, MULTICLUSTERDNS, "ServiceDNSRecord", "calm", "web");
	cluster_delete(s->site[HOUSTON].cluster, "v1", "Service", "calm", "web");
	objects_pods(s->site[HOUSTON].cluster, "calm", "web", 0, true);
}

static void test_a_removed_cluster_is_gone_and_comes_back(void **state)
{
	struct story *s = *state;

	objects_unjoin(s->host, s->site[LOS_ANGELES].cluster);
	story_expect(s, SAN_FRANCISCO, HOUSTON, CHANGED_MS);
	story_expect_status(s, LOS_ANGELES, "!losangeles", CHANGED_MS);
	story_join(s, LOS_ANGELES);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, BACK_MS);
}

static void test_a_changed_location_moves_the_clients(void **state)
{
	struct story *s = *state;

	cluster_patch(s->host, CORE, "KubeFedCluster", FEDERATION, "houston",
	              "{\"metadata\":{\"annotations\":{\"nigh.dev/location\":\"37.77,-122.42\"}}}");
	story_expect(s, SAN_FRANCISCO, HOUSTON, CHANGED_MS);
	story_expect(s, AUSTIN, LOS_ANGELES, 0);
	story_expect_status(s, HOUSTON, "\"latitude\":37.77", 0);
	story_join(s, HOUSTON);
	story_expect(s, AUSTIN, HOUSTON, CHANGED_MS);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, 0);
}

static void test_a_drained_cluster_gets_nobody(void **state)
{
	struct story *s = *state;

	cluster_patch(s->host, CORE, "KubeFedCluster", FEDERATION, "newyork",
	              "{\"metadata\":{\"annotations\":{\"nigh.dev/drain\":\"true\"}}}");
	story_expect(s, BOSTON, HOUSTON, CHANGED_MS);
	story_expect_status(s, NEW_YORK, "\"drained\":true", 0);
	cluster_patch(s->host, CORE, "KubeFedCluster", FEDERATION, "newyork",
	              "{\"metadata\":{\"annotations\":{\"nigh.dev/drain\":null}}}");
	story_expect(s, BOSTON, NEW_YORK, CHANGED_MS);
}

static void test_changed_labels_of_the_node_rename_region_and_zone(void **state)
{
	struct story *s = *state;

	world_expect(s->nighd, "web.shop.fed.svc.us-south.example.com", "A", BOSTON, "127.10.2.10",
	             0);
	objects_node(s->site[HOUSTON].cluster, "us-mid", "us-mid-b");
	world_expect(s->nighd, "web.shop.fed.svc.us-mid.example.com", "A", BOSTON, "127.10.2.10",
	             CHANGED_MS);
	world_expect(s->nighd, "web.shop.fed.svc.us-mid-b.us-mid.example.com", "A", BOSTON,
	             "127.10.2.10", 0);
	world_expect(s->nighd, "web.shop.fed.svc.us-south.example.com", "A", BOSTON, "NXDOMAIN",
	             CHANGED_MS);
	story_expect_status(s, HOUSTON, "\"region\":\"us-mid\"", 0);
	objects_node(s->site[HOUSTON].cluster, "us-south", "us-south-a");
	world_expect(s->nighd, "web.shop.fed.svc.us-south.example.com", "A", BOSTON, "127.10.2.10",
	             CHANGED_MS);
}

static void test_no_question_was_lost(void **state) { story_expect_no_loss(*state); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clusters_join_one_after_the_other),
		story_test(test_a_service_is_created_and_answered),
		story_test(test_houston_answers_when_los_angeles_is_not_ready),
		story_test(test_a_service_that_is_scaled_to_zero_is_left_out),
		story_test(test_a_service_that_loses_its_load_balancer_is_left_out),
		story_test(test_an_ingress_is_answered_where_its_service_is_ready),
		story_test(test_an_ingress_whose_controller_is_not_ready_is_avoided_and_explained),
		story_test(test_a_deleted_service_is_gone),
		story_test(test_a_deleted_namespace_takes_its_services_along),
		story_test(test_a_deleted_record_is_a_name_that_is_not),
		story_test(test_a_changed_domain_moves_its_names),
		story_test(test_a_removed_cluster_is_gone_and_comes_back),
		story_test(test_a_changed_location_moves_the_clients),
		story_test(test_a_drained_cluster_gets_nobody),
		story_test(test_changed_labels_of_the_node_rename_region_and_zone),
		cmocka_unit_test(test_no_question_was_lost),
	};

	return cmocka_run_group_tests_name("e2e/real_clusters", tests, story_setup_unjoined,
	                                   story_teardown);
}
