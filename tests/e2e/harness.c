/* harness.c -- the clusters of the end-to-end tests themselves: what the other programs take for granted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/support/story.h"
#include "tests/support/world_inside.h"

enum { SOON_MS = 20000, MANY = 300 };

static void test_pods_become_endpoints_and_go_with_them(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[NEW_YORK].cluster;

	objects_expect_endpoints(c, "shop", "web", 2, 0);
	objects_pods(c, "shop", "web", 2, false);
	objects_expect_endpoints(c, "shop", "web", 0, SOON_MS);
	objects_pods(c, "shop", "web", 1, true);
	objects_expect_endpoints(c, "shop", "web", 1, SOON_MS);
	objects_pods(c, "shop", "web", 0, true);
	objects_expect_endpoints(c, "shop", "web", 0, SOON_MS);
	cluster_expect(c, "/api/v1/namespaces/shop/services/web", "\"ip\":\"127.10.1.10\"", 0);
	cluster_delete(c, "v1", "Namespace", "", "shop");
	cluster_expect(c, "/api/v1/namespaces", "!\"shop\"", SOON_MS);
	story_furnish(s, NEW_YORK);
}

static void fill_service(struct cluster_request *r, unsigned i, void *arg)
{
	(void)arg;
	r->method = "POST";
	r->type = "application/json";
	snprintf(r->path, sizeof(r->path), "/api/v1/namespaces/many/services");
	snprintf(r->body, sizeof(r->body),
	         "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s%u\"},"
	         "\"spec\":{\"selector\":{\"app\":\"all\"},\"ports\":[{\"port\":80}]}}",
	         i);
}

static void test_many_requests_are_made_at_a_time(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[NEW_YORK].cluster;

	objects_namespace(c, "many");
	objects_pods(c, "many", "all", 1, true);
	cluster_send_many(c, MANY, fill_service, NULL);
	for (unsigned i = 0; i < MANY; i += MANY / 10) {
		char name[32];

		snprintf(name, sizeof(name), "s%u", i);
		objects_expect_endpoints(c, "many", name, 1, SOON_MS);
	}
	cluster_delete(c, "v1", "Namespace", "", "many");
}

static void test_clusters_share_etcd_and_nothing_else(void **state)
{
	struct story *s = *state;

	objects_namespace(s->site[NEW_YORK].cluster, "mine");
	cluster_expect(s->site[NEW_YORK].cluster, "/api/v1/namespaces", "\"mine\"", 0);
	cluster_expect(s->site[HOUSTON].cluster, "/api/v1/namespaces", "!\"mine\"", 0);
}

/* What kubectl is told with that kubeconfig. */
static void kubectl(struct story *s, struct cluster *c, const char *token, const char *words,
                    char *out, size_t room)
{
	char command[1024], path[256];
	FILE *from;
	size_t len;

	snprintf(path, sizeof(path), "%s", cloud_path(s->cloud, "kubectl.kubeconfig"));
	cluster_kubeconfig(c, token, path);
	snprintf(command, sizeof(command),
	         "\"$KUBEBUILDER_ASSETS\"/kubectl --kubeconfig %s %s 2>&1", path, words);
	from = popen(command, "re");
	assert_non_null(from);
	len = fread(out, 1, room - 1, from);
	out[len] = 0;
	pclose(from);
}

static void expect_kubectl(struct story *s, struct cluster *c, const char *token, const char *words,
                           const char *expected)
{
	struct deadline deadline = inside_deadline(SOON_MS);
	char out[4096];

	while (kubectl(s, c, token, words, out, sizeof(out)), !strstr(out, expected)) {
		if (!inside_has_time(deadline))
			cluster_fail(c, "kubectl %s: no '%s' in: %s", words, expected, out);
		inside_rest();
	}
}

static void test_nigh_reads_what_the_host_has_and_writes_nothing(void **state)
{
	struct story *s = *state;

	expect_kubectl(s, s->host, NIGH_TOKEN, "get servicednsrecords -A", "web");
	expect_kubectl(s, s->host, NIGH_TOKEN, "get secrets -n " FEDERATION, "No resources found");
	expect_kubectl(s, s->host, NIGH_TOKEN, "get secrets -A", "forbidden");
	expect_kubectl(s, s->host, NIGH_TOKEN, "delete servicednsrecord -n shop web", "forbidden");
	expect_kubectl(s, s->host, "another", "get domains -A", "logged in");
}

static void test_a_reader_reads_until_its_token_goes(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[HOUSTON].cluster;
	char *token, *other;

	token = objects_reader_token(c, "first");
	expect_kubectl(s, c, token, "get services -A", "kubernetes");
	expect_kubectl(s, c, token, "get secrets -A", "forbidden");
	objects_reader_may(c, "services");
	expect_kubectl(s, c, token, "get services -A", "forbidden");
	expect_kubectl(s, c, token, "get endpointslices -A", "web-");
	objects_reader_may(c, NULL);
	objects_join(s->host, c, token, "29.76,-95.37");
	other = objects_reader_token(c, "second");
	cluster_delete(c, "v1", "Secret", READER_NAMESPACE, "first");
	cluster_restart(c);
	expect_kubectl(s, c, token, "get services -A", "logged in");
	expect_kubectl(s, c, other, "get services -A", "kubernetes");
	objects_unjoin(s->host, c);
	free(token);
	free(other);
}

static void test_a_killed_server_comes_back_with_what_it_had(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[LOS_ANGELES].cluster;

	objects_namespace(c, "kept");
	cluster_kill(c);
	assert_int_equal(cluster_send(c, "GET", "/readyz", NULL, NULL), 0);
	cluster_start(c);
	cluster_await(c);
	cluster_expect(c, "/api/v1/namespaces", "\"kept\"", 0);
	cluster_pause(c);
	cluster_resume(c);
	cluster_expect(c, "/api/v1/namespaces", "\"kept\"", SOON_MS);
}

static void test_the_past_is_gone_after_a_compaction_and_a_restart(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[LOS_ANGELES].cluster;
	char path[128], version[32];

	objects_namespace(c, "one");
	cluster_send(c, "GET", "/api/v1/namespaces/one", NULL, NULL);
	assert_int_equal(sscanf(strstr(cluster_body(c), "\"resourceVersion\""),
	                        "\"resourceVersion\":\"%31[0-9]", version),
	                 1);
	objects_namespace(c, "two");
	cloud_compact(s->cloud);
	cluster_restart(c);
	snprintf(path, sizeof(path),
	         "/api/v1/namespaces?watch=1&timeoutSeconds=1&resourceVersion=%s", version);
	cluster_expect(c, path, "\"code\":410", 0);
}

/* It is thrown away with its world. */
static void test_the_deployment_is_what_it_says(void **state)
{
	struct story *s = *state;
	struct cluster *c = cluster_new(s->cloud, "deploy", false);
	char path[256], command[1024];

	snprintf(path, sizeof(path), "%s", cloud_path(s->cloud, "deploy.kubeconfig"));
	cluster_await(c);
	cluster_kubeconfig(c, ADMIN_TOKEN, path);
	snprintf(command, sizeof(command),
	         "KUBECONFIG=%s KUBECTL=\"$KUBEBUILDER_ASSETS\"/kubectl tests/e2e/check-deploy "
	         ">%s.log "
	         "|| { grep -v '^ok' %s.log; false; }",
	         path, path, path);
	assert_int_equal(system(command), 0);
	cluster_kill(c);
}

static void test_etcd_comes_back_with_what_it_had(void **state)
{
	struct story *s = *state;

	cloud_restart_etcd(s->cloud);
	cluster_expect(s->host, "/api/v1/namespaces", "\"" FEDERATION "\"", SOON_MS);
}

static void test_a_certificate_can_have_ended(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[NEW_YORK].cluster;

	cluster_certificate(c, -60);
	cluster_kill(c);
	cluster_start(c);
	expect_kubectl(s, s->host, NIGH_TOKEN, "get domains -A", "fed");
	expect_kubectl(s, c, NIGH_TOKEN, "get domains -A", "certificate has expired");
	cluster_certificate(c, 3600);
	cluster_await(c);
}

static void test_definitions_go_with_their_objects_and_come_back_empty(void **state)
{
	struct story *s = *state;

	cluster_delete(s->host, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "",
	               "servicednsrecords.multiclusterdns.kubefed.io");
	cluster_expect(s->host, "/apis/multiclusterdns.kubefed.io/v1alpha1/servicednsrecords",
	               "404", SOON_MS);
	objects_definitions(s->host);
	cluster_expect(s->host, "/apis/multiclusterdns.kubefed.io/v1alpha1/servicednsrecords",
	               "\"items\":[]", SOON_MS);
}

/* --- the asker --- */

static struct asker_result ask_until(struct asker *a, uint64_t asked, struct text *story)
{
	struct deadline deadline = inside_deadline(SOON_MS);
	struct asker_result r;

	while (r = asker_result(a, NULL), r.asked < asked && inside_has_time(deadline))
		inside_rest();
	return asker_result(a, story);
}

static void test_an_asker_counts_what_is_lost_and_what_is_wrong(void **state)
{
	static const struct asker_question right[] = {{WEB, "A", BOSTON, "198.18.1.10"},
	                                              {WEB, "A", AUSTIN, "198.18.2.10"},
	                                              {"no.example.com", "A", NULL, "NXDOMAIN"}};
	static const struct asker_question wrong[] = {{WEB, "A", BOSTON, "198.18.1.1 198.18.1.100"},
	                                              {WEB, "A", BOSTON, "NXDOMAIN"},
	                                              {"www.example.org", "A", NULL, NULL}};
	struct world *w = world_new();
	struct text story = {0};
	struct asker *a = asker_start(1000, right, 3), *b = asker_start(1000, wrong, 3);
	struct asker_result r;

	(void)state;
	world_three_cities(w);
	world_start(w);
	asker_server(a, 0, world_dns_port(w));
	asker_server(b, 0, world_dns_port(w));
	r = ask_until(a, 2000, NULL);
	assert_true(r.answered > 1000 && r.lost == 0 && r.wrong == 0);
	r = ask_until(b, 2000, &story);
	assert_true(r.wrong == r.answered && r.lost == 0);
	assert_non_null(strstr(story.data, "www.example.org A for nobody: rcode 5"));
	assert_non_null(strstr(story.data, " 198.18.1.10\n"));
	text_reset(&story);
	world_signal(w, SIGSTOP);
	r = ask_until(a, r.asked + 3000, &story);
	assert_true(r.lost > 0 && r.again > r.lost);
	assert_non_null(strstr(story.data, "lost"));
	world_signal(w, SIGCONT);
	asker_stop(a);
	asker_stop(b);
	text_fini(&story);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pods_become_endpoints_and_go_with_them),
		cmocka_unit_test(test_many_requests_are_made_at_a_time),
		cmocka_unit_test(test_clusters_share_etcd_and_nothing_else),
		cmocka_unit_test(test_nigh_reads_what_the_host_has_and_writes_nothing),
		cmocka_unit_test(test_a_reader_reads_until_its_token_goes),
		cmocka_unit_test(test_a_killed_server_comes_back_with_what_it_had),
		cmocka_unit_test(test_the_past_is_gone_after_a_compaction_and_a_restart),
		cmocka_unit_test(test_the_deployment_is_what_it_says),
		cmocka_unit_test(test_etcd_comes_back_with_what_it_had),
		cmocka_unit_test(test_a_certificate_can_have_ended),
		cmocka_unit_test(test_definitions_go_with_their_objects_and_come_back_empty),
		cmocka_unit_test(test_an_asker_counts_what_is_lost_and_what_is_wrong),
	};

	return cmocka_run_group_tests_name("e2e/harness", tests, story_setup_unjoined,
	                                   story_teardown);
}
