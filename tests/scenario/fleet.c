/* fleet.c -- which clusters there are: of KubeFedClusters and of the config, joined, changed and left while nighd runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world_fleet.h"

#define LA      "198.18.3.10"
#define HOUSTON "198.18.2.10"

#define SERVICE_REQUEST "GET /api/v1/services"
#define MEMBER(name)    "{name: " name ", kubeconfig: " name ".kubeconfig}"

/* A member `name` of the config: la.kubeconfig. */
static void write_member(struct world_fleet *f, struct fakeapi *api, const char *name)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.kubeconfig", name);
	fakeapi_kubeconfig(api, f->world, file);
}

static void reload(struct world_fleet *f, const char *sources, const char *more)
{
	world_fleet_config(f, sources, more);
	world_signal(f->world, SIGHUP);
}

/* --- of KubeFedClusters --- */

static void test_members_come_from_kubefedclusters(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	fakeapi_put(la, FAKEAPI_NODES,
	            "{'metadata':{'name':'n1','labels':{'topology.kubernetes.io/region':'us-west-2'"
	            ",'topology.kubernetes.io/zone':'us-west-2a'}}}");
	world_fleet_join(f, "la", la, "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"synced\"");
	world_fleet_expect_status(f, "\"region\":\"us-west-2\"");
	world_fleet_expect_status(f, "\"version\":\"v1.31");
	world_fleet_expect_status(f, "!can write");
	assert_int_equal(fakeapi_requests(la, "HTTP/1"), 0);
	world_fleet_expect_metric(f, "watcher_api_watches_total{cluster=\"la\"}", 4);
	/* One connection carries all watches, and the Secret's beside the registry's. */
	assert_int_equal(fakeapi_connections_ever(la), 1);
	assert_int_equal(fakeapi_connections_ever(f->host), 1);
}

static void test_the_token_of_secretref_is_taken_with_a_warning(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_secret(f, "la-writer", fakeapi_token(la));
	fakeapi_put(f->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'la','namespace':'" WORLD_FLEET_NAMESPACE "'},'spec':{"
	            "'apiEndpoint':'%s','caBundle':'%s','secretRef':{'name':'la-writer'}}}",
	            fakeapi_url(la), fakeapi_ca_base64(la));
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f,
	                          "\"warnings\":[\"the credential of secretRef can write: give a "
	                          "read-only one by nigh.dev/reader-secret\"]");
	/* The reader's token, from then on. */
	world_fleet_join(f, "la", la, "");
	world_fleet_expect_status(f, "!can write");
	world_fleet_expect_stays(f, "la", LA, 300);
}

/* A KubeFedCluster whose credential may see that namespace alone. */
static void hold_to(struct world_fleet *f, struct fakeapi *la, const char *namespace)
{
	fakeapi_put(f->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'la','namespace':'" WORLD_FLEET_NAMESPACE
	            "','annotations':{'nigh.dev/reader-secret':'la',"
	            "'nigh.dev/reader-namespace':'%s'}},'spec':{'apiEndpoint':'%s',"
	            "'caBundle':'%s','secretRef':{'name':'writer'}}}",
	            namespace, fakeapi_url(la), fakeapi_ca_base64(la));
}

static void test_a_member_is_asked_about_the_one_namespace_that_it_shows(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_secret(f, "la", fakeapi_token(la));
	hold_to(f, la, "shop");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "\"knowledge\":\"synced\"");
	assert_true(fakeapi_requests(la, "GET /api/v1/namespaces/shop/services") > 0);
	assert_int_equal(fakeapi_requests(la, SERVICE_REQUEST), 0);
	/* What it had elsewhere is gone with the sight of it. */
	hold_to(f, la, "attic");
	world_fleet_expect(f, "la", "NXDOMAIN");
	hold_to(f, la, "Not a name");
	world_fleet_expect_status(f, "nigh.dev/reader-namespace that is not a name");
	world_fleet_join(f, "la", la, "");
	world_fleet_expect(f, "la", LA);
	assert_true(fakeapi_requests(la, SERVICE_REQUEST) > 0);
}

static void test_a_cluster_joins_changes_and_leaves_while_nighd_runs(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *other = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_start(f->world);
	world_fleet_expect(f, "la", "NXDOMAIN");
	world_fleet_join(f, "la", la, "");
	world_fleet_expect(f, "la", LA);
	/* It moves to another API server. */
	world_fleet_service(other, "la", HOUSTON);
	world_fleet_join(f, "la", other, "");
	world_fleet_expect(f, "la", HOUSTON);
	fakeapi_expect_connections(la, 0, WORLD_FLEET_PATIENCE_MS);
	fakeapi_delete(f->host, FAKEAPI_CLUSTERS, WORLD_FLEET_NAMESPACE "/la");
	world_fleet_expect(f, "la", "NXDOMAIN");
	world_fleet_expect_status(f, "!\"name\":\"la\"");
	fakeapi_expect_connections(other, 0, WORLD_FLEET_PATIENCE_MS);
	world_fleet_expect_log(f, "cluster is gone from the registry");
}

static void test_a_new_token_in_the_secret_is_taken_up(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_set_token(la, "rotated-token");
	world_fleet_secret(f, "la", "rotated-token");
	fakeapi_close_watches(la, "");
	world_fleet_service(la, "la", HOUSTON);
	world_fleet_expect(f, "la", HOUSTON);
	assert_string_equal(fakeapi_authorization(la), "Bearer rotated-token");
	world_fleet_expect_metric(f, "watcher_api_replaced_total{cluster=\"la\"}", 1);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"synced\"");
}

static void test_a_new_ca_in_the_kubefedcluster_is_taken_up(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *other = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_secret(f, "la", fakeapi_token(la));
	fakeapi_put(f->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'la','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'spec':{'apiEndpoint':'%s','caBundle':'%s','secretRef':{'name':'la'}}}",
	            fakeapi_url(la), fakeapi_ca_base64(other));
	world_start_unready(f->world);
	world_fleet_expect_status(f, "TLS: SSL certificate problem");
	assert_int_equal(fakeapi_requests(la, ""), 0);
	world_fleet_join(f, "la", la, "");
	world_fleet_expect(f, "la", LA);
}

static void test_a_secret_that_is_missing_is_named_and_waited_for(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join_with(f, "la", la, "late", "");
	world_start_unready(f->world);
	world_fleet_expect_status(f, "Secret late: does not exist");
	fakeapi_put(f->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'late','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'data':{'other':'eA=='}}");
	world_fleet_expect_status(f, "has no data key 'token'");
	assert_int_equal(fakeapi_connections_ever(la), 0);
	world_fleet_secret(f, "late", fakeapi_token(la));
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "!Secret");
	/* Gone again: the last one is good still. */
	fakeapi_delete(f->host, FAKEAPI_SECRETS, WORLD_FLEET_NAMESPACE "/late");
	world_fleet_expect_status(f, "does not exist");
	world_fleet_expect_stays(f, "la", LA, 300);
}

/* Endpoint and Secret change in one: the new endpoint must not be shown the old one's token. */
static void test_no_cluster_is_shown_the_token_of_another(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *other = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_set_token(other, "");
	world_fleet_service(other, "la", HOUSTON);
	world_fleet_join_with(f, "la", other, "late", "");
	world_fleet_expect_status(f, "late\",\"message\":\"does not exist");
	world_fleet_expect_stays(f, "la", LA, 500);
	assert_int_equal(fakeapi_requests(other, ""), 0);
	world_fleet_secret(f, "late", "of the other, at last");
	world_fleet_expect_status(f, "late");
	world_fleet_secret(f, "late", "of-the-other");
	world_fleet_expect(f, "la", HOUSTON);
	assert_string_equal(fakeapi_authorization(other), "Bearer of-the-other");
}

/* --- of the config --- */

static void test_config_members_come_change_and_go_with_sighup(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *houston = world_fleet_api(f, NULL);
	struct fakeapi *other = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_publish(f, houston, "houston", HOUSTON);
	world_fleet_service(other, "la", "198.18.3.99");
	write_member(f, la, "la");
	write_member(f, houston, "houston");
	write_member(f, other, "other");
	world_fleet_config(f, WORLD_FLEET_HOST ", members: [" MEMBER("la") "]", "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"member\"");
	world_fleet_expect(f, "houston", "NXDOMAIN");
	reload(f, WORLD_FLEET_HOST ", members: [" MEMBER("la") ", " MEMBER("houston") "]", "");
	world_fleet_expect(f, "houston", HOUSTON);
	world_fleet_expect(f, "la", LA);
	/* Another kubeconfig under the same name. */
	reload(f, WORLD_FLEET_HOST ", members: [{name: la, kubeconfig: other.kubeconfig}]", "");
	world_fleet_expect(f, "la", "198.18.3.99");
	world_fleet_expect(f, "houston", "NXDOMAIN");
	world_fleet_expect_status(f, "!\"name\":\"houston\"");
	reload(f, WORLD_FLEET_HOST, "");
	world_fleet_expect(f, "la", "NXDOMAIN");
	fakeapi_expect_connections(other, 0, WORLD_FLEET_PATIENCE_MS);
}

static void test_a_config_member_has_place_region_and_drain(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *houston = world_fleet_api(f, NULL);
	const char *const members =
		WORLD_FLEET_HOST ", members: [{name: la, kubeconfig: la.kubeconfig, location: "
				 "\"34.05,-118.24\", region: us-west, drain: %s}, {name: houston, "
				 "kubeconfig: houston.kubeconfig, location: \"29.76,-95.37\"}]";
	char sources[512];

	world_networks(f->world);
	world_fleet_publish(f, la, "web", LA);
	world_fleet_publish(f, houston, "web", HOUSTON);
	write_member(f, la, "la");
	write_member(f, houston, "houston");
	snprintf(sources, sizeof(sources), members, "false");
	world_fleet_config(f, sources, "");
	world_start(f->world);
	world_expect(f->world, "web.shop.fed.svc.example.com", "A", "203.0.113.0/24", LA, 10000);
	world_expect(f->world, "web.shop.fed.svc.example.com", "A", "198.51.100.0/24", HOUSTON,
	             10000);
	world_fleet_expect_status(f, "\"region\":\"us-west\"");
	world_expect(f->world, "web.shop.fed.svc.us-west.example.com", "A", NULL, LA, 10000);
	snprintf(sources, sizeof(sources), members, "true");
	reload(f, sources, "");
	world_expect(f->world, "web.shop.fed.svc.example.com", "A", "203.0.113.0/24", HOUSTON,
	             10000);
	world_fleet_expect_status(f, "\"drained\":true");
}

static void test_a_config_member_may_have_a_kubefedcluster_too(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *other = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_service(other, "la", HOUSTON);
	write_member(f, la, "la");
	world_fleet_secret(f, "la", fakeapi_token(other));
	fakeapi_put(f->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'la','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'spec':{'apiEndpoint':'%s','caBundle':'%s','secretRef':{'name':'la'}},"
	            "'status':{'region':'us-west','conditions':[]}}",
	            fakeapi_url(other), fakeapi_ca_base64(other));
	world_fleet_config(f, WORLD_FLEET_HOST ", members: [" MEMBER("la") "]", "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "\"region\":\"us-west\"");
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"member\"");
	assert_int_equal(fakeapi_connections_ever(other), 0);
	assert_int_equal(fakeapi_requests(f->host, "/secrets"), 0);
	/* The KubeFedCluster goes, the member stays. */
	fakeapi_delete(f->host, FAKEAPI_CLUSTERS, WORLD_FLEET_NAMESPACE "/la");
	world_fleet_expect_status(f, "!\"region\":\"us-west\"");
	world_fleet_expect_stays(f, "la", LA, 300);
}

/* It is in the registry still, only reached in another way: at no time is it gone. */
static void test_a_member_left_to_its_kubefedcluster_goes_on(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	write_member(f, la, "la");
	world_fleet_join(f, "la", la, "");
	world_fleet_config(f, WORLD_FLEET_HOST ", members: [" MEMBER("la") "]", "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_delay(la, "", 0, 500);
	reload(f, WORLD_FLEET_HOST, "");
	world_fleet_expect_stays(f, "la", LA, 2000);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"synced\"");
}

/* --- in the dark --- */

static void test_without_the_host_registry_and_records_go_on(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	world_fleet_config(f, NULL, "state: state");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_down(f->host);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"unseen\"");
	world_fleet_expect_stays(f, "la", LA, 500);
	/* The member is watched as before. */
	world_fleet_service(la, "la", "198.18.3.11");
	world_fleet_expect(f, "la", "198.18.3.11");
	world_fleet_expect_stays(f, "la", "198.18.3.11", 2000);
	world_kill(f->world);
	world_start(f->world);
	world_fleet_expect_stays(f, "la", "198.18.3.11", 1500);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"unseen\"");
	fakeapi_up(f->host);
	world_fleet_service(la, "la", LA);
	world_fleet_expect(f, "la", LA);
}

static void test_a_new_config_without_the_host_in_sight_marks_what_is_not_seen(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *houston = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_down(f->host);
	world_fleet_expect_status(f, "\"knowledge\":\"unseen\"");
	write_member(f, houston, "houston");
	reload(f, WORLD_FLEET_HOST ", members: [" MEMBER("houston") "]", "");
	world_fleet_expect_status(f, "\"name\":\"houston\",\"source\":\"member\",\"knowledge\":"
	                             "\"synced\"");
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"unseen\"");
	world_fleet_expect_stays(f, "la", LA, 300);
	fakeapi_up(f->host);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"synced\"");
}

static void test_a_cluster_removed_from_the_registry_is_gone_also_while_unseen(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *houston = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_publish(f, houston, "houston", HOUSTON);
	world_fleet_join(f, "la", la, "");
	world_fleet_join(f, "houston", houston, "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect(f, "houston", HOUSTON);
	fakeapi_down(la);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"unseen\"");
	world_fleet_expect_stays(f, "la", LA, 300);
	fakeapi_delete(f->host, FAKEAPI_CLUSTERS, WORLD_FLEET_NAMESPACE "/la");
	world_fleet_expect(f, "la", "NXDOMAIN");
	world_fleet_expect_status(f, "!\"name\":\"la\"");
	/* While the host cannot be seen, either: the next list lacks it. */
	fakeapi_down(houston);
	fakeapi_down(f->host);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"unseen\"");
	fakeapi_delete(f->host, FAKEAPI_CLUSTERS, WORLD_FLEET_NAMESPACE "/houston");
	fakeapi_compact(f->host);
	world_fleet_expect_stays(f, "houston", HOUSTON, 300);
	fakeapi_up(f->host);
	world_fleet_expect(f, "houston", "NXDOMAIN");
}

/* Known by a watch's event, not by the list: the next list counts all the same. */
static void test_a_cluster_that_changed_and_went_unseen_is_gone_by_the_next_list(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_start(f->world);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"synced\"");
	world_fleet_join(f, "la", la, "");
	world_fleet_expect(f, "la", LA);
	fakeapi_down(f->host);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"unseen\"");
	fakeapi_delete(f->host, FAKEAPI_CLUSTERS, WORLD_FLEET_NAMESPACE "/la");
	fakeapi_compact(f->host);
	fakeapi_up(f->host);
	world_fleet_expect(f, "la", "NXDOMAIN");
	world_fleet_expect_status(f, "!\"name\":\"la\"");
}

/* --- files and an API server at the same time --- */

static void write_filed(struct world_fleet *f, const char *address)
{
	world_write(f->world, "dir/host/filed.yaml",
	            "apiVersion: externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\n"
	            "metadata: {name: filed, namespace: shop}\nspec:\n  endpoints:\n"
	            "  - {dnsName: filed.shop.fed.svc.example.com, recordType: A, "
	            "targets: [%s]}\n",
	            address);
}

/* What files of the host told is not the API server's to take back: not while they cannot be read. */
static void test_what_a_directory_told_of_the_host_stays_while_it_cannot_be_read(void **state)
{
	struct world_fleet *f = *state;
	char from[512], to[512];

	write_filed(f, "198.18.5.5");
	world_fleet_config(f, WORLD_FLEET_HOST ", manifests: [dir]", "state: state");
	world_start(f->world);
	world_fleet_expect(f, "filed", "198.18.5.5");
	world_kill(f->world);
	snprintf(from, sizeof(from), "%s", world_path(f->world, "dir"));
	snprintf(to, sizeof(to), "%s", world_path(f->world, "away"));
	assert_int_equal(rename(from, to), 0);
	world_start(f->world);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"synced\"");
	world_fleet_expect_stays(f, "filed", "198.18.5.5", 1500);
	assert_int_equal(rename(to, from), 0);
	world_fleet_expect_stays(f, "filed", "198.18.5.5", 1500);
}

static void test_an_object_of_a_file_and_of_the_host_is_gone_when_both_are(void **state)
{
	struct world_fleet *f = *state;

	fakeapi_put(f->host, FAKEAPI_ENDPOINTS,
	            "{'metadata':{'name':'filed','namespace':'shop'},'spec':{'endpoints':["
	            "{'dnsName':'filed.shop.fed.svc.example.com','recordType':'A',"
	            "'targets':['198.18.5.6']}]}}");
	world_folder(f->world, "dir/host");
	world_fleet_config(f, WORLD_FLEET_HOST ", manifests: [dir]", "");
	world_start(f->world);
	world_fleet_expect(f, "filed", "198.18.5.6");
	/* The file's came last, and goes first. */
	write_filed(f, "198.18.5.7");
	world_fleet_expect(f, "filed", "198.18.5.7");
	world_remove(f->world, "dir/host/filed.yaml");
	world_fleet_expect(f, "filed", "198.18.5.6");
	/* The server's goes first. */
	write_filed(f, "198.18.5.7");
	world_fleet_expect(f, "filed", "198.18.5.7");
	fakeapi_delete(f->host, FAKEAPI_ENDPOINTS, "shop/filed");
	world_fleet_expect_stays(f, "filed", "198.18.5.7", 500);
	world_remove(f->world, "dir/host/filed.yaml");
	world_fleet_expect(f, "filed", "NXDOMAIN");
}

/* Never dialled while the folder is there, and as soon as it is not; nothing is withdrawn meanwhile. */
static void test_a_cluster_whose_folder_goes_is_dialled(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	world_write(f->world, "dir/clusters/la/web.yaml",
	            "apiVersion: v1\nkind: Service\nmetadata: {name: la, namespace: shop}\n"
	            "spec: {type: LoadBalancer, ports: [{port: 80}]}\n"
	            "status: {loadBalancer: {ingress: [{ip: 198.18.3.77}]}}\n"
	            "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	            "metadata: {name: la-1, namespace: shop, labels: "
	            "{kubernetes.io/service-name: la}}\naddressType: IPv4\n"
	            "endpoints: [{addresses: [10.1.0.4], conditions: {ready: true}}]\n");
	world_fleet_config(f, WORLD_FLEET_HOST ", manifests: [dir]", "");
	world_start(f->world);
	world_fleet_expect(f, "la", "198.18.3.77");
	world_fleet_expect_stays(f, "la", "198.18.3.77", 1500);
	fakeapi_forget_requests(la);
	world_fleet_expect_stays(f, "la", "198.18.3.77", 1500);
	assert_int_equal(fakeapi_requests(la, ""), 0);
	fakeapi_stall(la, FAKEAPI_SERVICES, 0);
	world_remove(f->world, "dir/clusters/la");
	world_fleet_expect_stays(f, "la", "198.18.3.77", 1500);
	fakeapi_no_rule(la, NULL);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_fleet_test(test_members_come_from_kubefedclusters),
		world_fleet_test(test_the_token_of_secretref_is_taken_with_a_warning),
		world_fleet_test(test_a_member_is_asked_about_the_one_namespace_that_it_shows),
		world_fleet_test(test_a_cluster_joins_changes_and_leaves_while_nighd_runs),
		world_fleet_test(test_a_new_token_in_the_secret_is_taken_up),
		world_fleet_test(test_a_new_ca_in_the_kubefedcluster_is_taken_up),
		world_fleet_test(test_a_secret_that_is_missing_is_named_and_waited_for),
		world_fleet_test(test_no_cluster_is_shown_the_token_of_another),
		world_fleet_test(test_config_members_come_change_and_go_with_sighup),
		world_fleet_test(test_a_config_member_has_place_region_and_drain),
		world_fleet_test(test_a_config_member_may_have_a_kubefedcluster_too),
		world_fleet_test(test_a_member_left_to_its_kubefedcluster_goes_on),
		world_fleet_test(test_without_the_host_registry_and_records_go_on),
		world_fleet_test(
			test_a_new_config_without_the_host_in_sight_marks_what_is_not_seen),
		world_fleet_test(
			test_a_cluster_removed_from_the_registry_is_gone_also_while_unseen),
		world_fleet_test(
			test_a_cluster_that_changed_and_went_unseen_is_gone_by_the_next_list),
		world_fleet_test(
			test_what_a_directory_told_of_the_host_stays_while_it_cannot_be_read),
		world_fleet_test(test_an_object_of_a_file_and_of_the_host_is_gone_when_both_are),
		world_fleet_test(test_a_cluster_whose_folder_goes_is_dialled),
	};

	return cmocka_run_group_tests_name("scenario/fleet", tests, NULL, NULL);
}
