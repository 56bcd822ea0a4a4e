/* storms.c -- real API servers in trouble, and leaders that are killed between any two writes: nothing is lost, nothing is done
 * twice with effect, and nobody is asked without end.
 *
 * Each server is reached through a gate.  What is written is counted by the `generation` of the copies.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/e2e/support/federation.h"
#include "tests/support/world_inside.h"

enum {
	MEMBERS = 3,
	SERVERS, /* the members, then the host */
	OBJECTS = 100,
	STORM_MS = 5000,
	ANSWERED_MS = 2000,
	CALM_MS = 120000,
	TRIES_MOST = 12,  /* of an object in a member, for each of which two writes are good */
	LEASE_MS = 8000,  /* long enough for a busy machine to renew it */
	SLACK_MS = 20000, /* of a busy machine, and the pause before a cluster is asked again */
	SOON_MS = 30000
};

#define FEDERATED "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatednetworkpolicies"
#define COPIES    "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"

/* --- the weather --- */

struct weather {
	uint64_t dice;
	unsigned refused;
};

struct stage {
	struct federation *f;
	struct gate *gates[SERVERS];
	struct weather weather[SERVERS];
	_Atomic pid_t leader;
	pid_t spare;
	_Atomic unsigned writes, kill_at; /* of the leader; 0: it lives */
};

/* Every third write is refused: with a time to wait, without one, or as if somebody else had been faster. */
static void storm(const struct gate_request *r, struct gate_answer *out, void *arg)
{
	static const struct gate_answer answers[] = {
		{429, 1, "TooManyRequests", "come again"},
		{429, 0, "TooManyRequests", "come again"},
		{409, 0, "Conflict", "the object has been modified"},
	};
	struct weather *w = arg;

	if (!gate_is_write(r))
		return;
	w->dice = w->dice * 6364136223846793005U + 1442695040888963407U;
	if ((w->dice >> 33) % 3 != 0)
		return;
	*out = answers[(w->dice >> 40) % 3];
	w->refused++;
}

static void begin_storm(struct stage *s)
{
	for (unsigned i = 0; i < SERVERS; i++) {
		s->weather[i].dice = i + 1;
		gate_decide(s->gates[i], storm, &s->weather[i]);
	}
}

static void end_storm(struct stage *s)
{
	for (unsigned i = 0; i < SERVERS; i++)
		gate_decide(s->gates[i], NULL, NULL);
}

static void let_pass(unsigned ms)
{
	struct deadline end = inside_deadline(ms);

	while (inside_has_time(end))
		inside_rest();
}

/* --- the clusters --- */

static pid_t start(struct stage *s)
{
	federation_start(s->f);
	return s->f->propagator;
}

static struct stage stage;

static int setup(void **state)
{
	struct stage *s = &stage;

	*state = s;
	s->f = federation_new(MEMBERS);
	for (unsigned i = 0; i < MEMBERS; i++)
		s->gates[i] = federation_gate(s->f, i);
	s->gates[MEMBERS] = federation_gate_host(s->f);
	cluster_apply(
		s->f->host,
		"apiVersion: core.kubefed.io/v1beta1\n"
		"kind: KubeFedConfig\n"
		"metadata: {name: kubefed, namespace: " FEDERATION "}\n"
		"spec: {scope: Cluster, leaderElect: {leaseDuration: %ums, renewDeadline: 6s, "
		"retryPeriod: 1s}}\n",
		(unsigned)LEASE_MS);
	federation_enable(s->f, "namespaces");
	federation_enable(s->f, "networkpolicies.networking.k8s.io");
	s->f->publish_sites = true;
	s->leader = start(s);
	federation_namespace(s->f, "shop");
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_expect(s->f->members[i], "/api/v1/namespaces/shop", "kubefed.io/managed",
		               SOON_MS);
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	if (s->spare > 0)
		kill(s->spare, SIGKILL);
	federation_free(s->f);
	return 0;
}

/* --- what is asked for --- */

#define SPEC                                                                                       \
	"{\"placement\":{\"clusterSelector\":{}},\"template\":{\"spec\":{\"podSelector\":"         \
	"{\"matchLabels\":{\"step\":\"%u\"}}}}}"

static void fill_object(struct cluster_request *r, unsigned i, void *arg)
{
	(void)arg;
	r->method = "POST";
	r->type = "application/json";
	snprintf(r->path, sizeof(r->path), FEDERATED);
	snprintf(r->body, sizeof(r->body),
	         "{\"apiVersion\":\"types.kubefed.io/v1beta1\",\"kind\":\"FederatedNetworkPolicy\","
	         "\"metadata\":{\"name\":\"p%u\"},\"spec\":" SPEC "}",
	         i, 1U);
}

static void fill_change(struct cluster_request *r, unsigned i, void *arg)
{
	const unsigned *step = arg;

	r->method = "PATCH";
	r->type = "application/merge-patch+json";
	snprintf(r->path, sizeof(r->path), FEDERATED "/p%u", i);
	snprintf(r->body, sizeof(r->body), "{\"spec\":" SPEC "}", *step);
}

/* --- what is there --- */

/* How often the list that GET gives has a text. */
static unsigned count(struct cluster *c, const char *path, const char *text)
{
	unsigned times = 0;

	if (cluster_send(c, "GET", path, NULL, NULL) != 200)
		return 0;
	for (const char *at = cluster_body(c); (at = strstr(at, text)) != NULL; at++)
		times++;
	return times;
}

static void expect_count(struct cluster *c, const char *path, const char *text, unsigned want,
                         struct deadline end)
{
	while (count(c, path, text) != want) {
		if (!inside_has_time(end))
			fail_msg("%s: %s is in %s %u times, not %u", cluster_name(c), text, path,
			         count(c, path, text), want);
		inside_rest();
	}
}

static void expect_all(struct stage *s, const char *text)
{
	struct deadline end = inside_deadline(CALM_MS);

	for (unsigned i = 0; i < MEMBERS; i++)
		expect_count(s->f->members[i], COPIES, text, OBJECTS, end);
	expect_count(s->f->host, FEDERATED, "\"status\":\"True\",\"type\":\"Propagation\"", OBJECTS,
	             end);
}

static void test_a_storm_of_refusals_ends_with_everything_done_once(void **state)
{
	struct stage *s = *state;
	unsigned two = 2, before[MEMBERS], after;
	uint64_t calm_ms;

	for (unsigned i = 0; i < MEMBERS; i++)
		before[i] = gate_writes(s->gates[i]);
	begin_storm(s);
	cluster_send_many(s->f->host, OBJECTS, fill_object, NULL);
	let_pass(STORM_MS);
	cluster_send_many(s->f->host, OBJECTS, fill_change, &two);
	let_pass(STORM_MS);
	end_storm(s);
	calm_ms = inside_now_ms();
	expect_all(s, "\"step\":\"2\"");
	print_message("  all is there %u ms after the storm\n",
	              (unsigned)(inside_now_ms() - calm_ms));
	for (unsigned i = 0; i < MEMBERS; i++) {
		unsigned writes = gate_writes(s->gates[i]) - before[i];

		print_message("  %s: %u writes, %u of them refused\n",
		              cluster_name(s->f->members[i]), writes, s->weather[i].refused);
		assert_true(s->weather[i].refused > OBJECTS / 4);
		assert_true(writes < OBJECTS * TRIES_MOST);
		/* Made once, changed once at most: no number of writes is more than 2. */
		assert_int_equal(count(s->f->members[i], COPIES, "\"generation\":1,") +
		                         count(s->f->members[i], COPIES, "\"generation\":2,"),
		                 OBJECTS);
	}
	for (unsigned i = 0; i < MEMBERS; i++)
		before[i] = gate_writes(s->gates[i]);
	let_pass(3000);
	for (unsigned i = 0; i < MEMBERS; i++) {
		after = gate_writes(s->gates[i]);
		assert_int_equal(after, before[i]);
	}
}

/* --- murder --- */

/* A server has done it, and has not said so. */
static void on_done(const struct gate_request *r, unsigned status, void *arg)
{
	struct stage *s = arg;
	pid_t leader = s->leader;

	if (!gate_is_write(r) || status > 299 || ++s->writes != s->kill_at || leader == 0)
		return;
	kill(leader, SIGKILL);
	waitpid(leader, NULL, 0);
	s->leader = 0;
}

/* The spare one leads, and there is another spare one. */
static void succeed(struct stage *s)
{
	s->leader = s->spare;
	s->spare = start(s);
}

/* The last writes may be done, and their answers not have come. */
static bool has_died(struct stage *s)
{
	struct deadline end = inside_deadline(ANSWERED_MS);

	while (s->leader != 0 && inside_has_time(end))
		inside_rest();
	return s->leader == 0;
}

/* p0 is changed, and whoever leads is killed at that write; false: there are not so many. */
static bool murder_at(struct stage *s, unsigned at)
{
	unsigned step = 100 + at;
	struct deadline end = inside_deadline(LEASE_MS + SLACK_MS);
	uint64_t began_ms = inside_now_ms();
	char text[40], generation[40];
	bool died;

	snprintf(text, sizeof(text), "\"step\":\"%u\"", step);
	s->writes = 0;
	s->kill_at = at;
	cluster_send_many(s->f->host, 1, fill_change, &step);
	for (unsigned i = 0; i < MEMBERS; i++)
		expect_count(s->f->members[i], COPIES "/p0", text, 1, end);
	expect_count(s->f->host, FEDERATED "/p0", "\"status\":\"True\",\"type\":\"Propagation\"", 1,
	             end);
	/* Its versions are what the next leader goes by. */
	snprintf(generation, sizeof(generation), "\"version\":\"gen:%u\"", 2 + at);
	expect_count(s->f->host,
	             "/apis/core.kubefed.io/v1alpha1/namespaces/shop/propagatedversions/"
	             "networkpolicy-p0",
	             generation, MEMBERS, end);
	died = has_died(s);
	print_message("  write %u: %s, all is there after %u ms\n", at,
	              died ? "killed" : "no such write", (unsigned)(inside_now_ms() - began_ms));
	s->kill_at = 0;
	snprintf(generation, sizeof(generation), "\"generation\":%u,", 2 + at);
	for (unsigned i = 0; i < MEMBERS; i++)
		assert_int_equal(count(s->f->members[i], COPIES "/p0", generation), 1);
	if (died)
		succeed(s);
	return died;
}

static void test_a_leader_killed_at_any_write_has_a_successor_within_its_lease(void **state)
{
	struct stage *s = *state;
	unsigned at = 1;

	for (unsigned i = 0; i < MEMBERS; i++)
		gate_done(s->gates[i], on_done, s);
	gate_done(s->gates[MEMBERS], on_done, s);
	s->spare = start(s);
	while (at < 12 && murder_at(s, at))
		at++;
	/* Three copies, their versions and the status; a slow machine tells of them in two steps. */
	assert_in_range(at, 6, 11);
	for (unsigned i = 0; i < SERVERS; i++)
		gate_done(s->gates[i], NULL, NULL);
}

/* --- murder while replicas and names change --- */

#define DEPLOYMENTS "/apis/apps/v1/namespaces/shop/deployments/web"
#define DNS         "/apis/multiclusterdns.kubefed.io/v1alpha1/namespaces/shop/"

enum { MURDERS = 3, APART = 3 /* writes */, TOTAL = 9 };

static void prefer(struct stage *s, unsigned total)
{
	cluster_apply(s->f->host,
	              "apiVersion: scheduling.kubefed.io/v1alpha1\n"
	              "kind: ReplicaSchedulingPreference\n"
	              "metadata: {name: web, namespace: shop}\n"
	              "spec: {targetKind: FederatedDeployment, totalReplicas: %u}\n",
	              total);
}

static void deploy(struct stage *s)
{
	cluster_apply(s->f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                          "kind: FederatedDeployment\n"
	                          "metadata: {name: web, namespace: shop}\n"
	                          "spec:\n"
	                          "  placement: {clusterSelector: {}}\n"
	                          "  template:\n"
	                          "    spec:\n"
	                          "      selector: {matchLabels: {app: front}}\n"
	                          "      template:\n"
	                          "        metadata: {labels: {app: front}}\n"
	                          "        spec: {containers: [{name: web, image: nginx}]}\n");
}

/* What a member has of it, made and changed so often. */
static void expect_replicas(struct stage *s, unsigned each, unsigned generation,
                            struct deadline end)
{
	char replicas[40], made[40];

	snprintf(replicas, sizeof(replicas), "\"spec\":{\"replicas\":%u,", each);
	snprintf(made, sizeof(made), "\"generation\":%u,", generation);
	for (unsigned i = 0; i < MEMBERS; i++) {
		expect_count(s->f->members[i], DEPLOYMENTS, replicas, 1, end);
		expect_count(s->f->members[i], DEPLOYMENTS, made, 1, end);
	}
}

/* In the names of gondor, its region and its zone. */
static void expect_address(struct stage *s, const char *address, unsigned generation,
                           struct deadline end)
{
	static const char *const paths[] = {DNS "dnsendpoints/service-web",
	                                    DNS "dnsendpoints/nigh-service-web"};
	char quoted[40], made[40];

	snprintf(quoted, sizeof(quoted), "\"%s\"", address);
	snprintf(made, sizeof(made), "\"generation\":%u,", generation);
	expect_count(s->f->host, DNS "servicednsrecords/web", quoted, 1, end);
	for (unsigned i = 0; i < 2; i++) {
		expect_count(s->f->host, paths[i], quoted, 3, end);
		expect_count(s->f->host, paths[i], made, 1, end);
	}
}

static void serve(struct stage *s)
{
	char address[40];

	for (unsigned i = 0; i < MEMBERS; i++) {
		struct cluster *member = s->f->members[i];

		snprintf(address, sizeof(address), "192.0.2.%u", 10 + i);
		objects_node(member, cluster_name(member), "z");
		objects_service(member, "shop", "web", address, 80);
		objects_pods(member, "shop", "web", 1, true);
	}
	for (unsigned i = 0; i < MEMBERS; i++)
		objects_expect_endpoints(s->f->members[i], "shop", "web", 1, SOON_MS);
	objects_domain(s->f->host, "fed", "example.com");
	objects_service_record(s->f->host, "shop", "web", "fed");
}

/* A total and gondor's address are changed, and whoever leads is killed at that write. */
static void murder_in_change(struct stage *s, unsigned at, unsigned change)
{
	struct deadline end = inside_deadline(LEASE_MS + SLACK_MS);
	uint64_t began_ms = inside_now_ms();
	unsigned each = TOTAL / MEMBERS + change;
	char address[40];

	s->writes = 0;
	s->kill_at = at;
	snprintf(address, sizeof(address), "192.0.2.%u", 100 + change);
	objects_service(s->f->members[0], "shop", "web", address, 80);
	prefer(s, each * MEMBERS);
	expect_replicas(s, each, 1 + change, end);
	expect_address(s, address, 1 + change, end);
	print_message("  write %u: all is there after %u ms\n", at,
	              (unsigned)(inside_now_ms() - began_ms));
	assert_true(has_died(s));
	s->kill_at = 0;
	succeed(s);
}

static void test_leaders_killed_while_replicas_and_names_change_do_it_once(void **state)
{
	struct stage *s = *state;

	federation_enable(s->f, "deployments.apps");
	prefer(s, TOTAL);
	deploy(s);
	serve(s);
	expect_replicas(s, TOTAL / MEMBERS, 1, inside_deadline(CALM_MS));
	expect_address(s, "192.0.2.10", 1, inside_deadline(CALM_MS));
	for (unsigned i = 0; i < SERVERS; i++)
		gate_done(s->gates[i], on_done, s);
	for (unsigned i = 0; i < MURDERS; i++)
		murder_in_change(s, 1 + i * APART, 1 + i);
	for (unsigned i = 0; i < SERVERS; i++)
		gate_done(s->gates[i], NULL, NULL);
}

/* --- death --- */

/* Half of the writes are done, and no other. */
static void die_halfway(const struct gate_request *r, struct gate_answer *out, void *arg)
{
	struct stage *s = arg;

	if (gate_is_write(r) && strstr(r->path, "networkpolicies") && ++s->writes > OBJECTS / 2)
		*out = (struct gate_answer){503, 0, "ServiceUnavailable", "it is dying"};
}

static void test_a_member_that_dies_in_the_middle_has_the_rest_when_it_is_back(void **state)
{
	struct stage *s = *state;
	struct cluster *dying = s->f->members[MEMBERS - 1];
	struct deadline end = inside_deadline(CALM_MS);
	unsigned three = 3;

	s->writes = 0;
	gate_decide(s->gates[MEMBERS - 1], die_halfway, s);
	cluster_send_many(s->f->host, OBJECTS, fill_change, &three);
	while (s->writes <= OBJECTS / 2 && inside_has_time(end))
		inside_rest();
	cluster_kill(dying);
	gate_decide(s->gates[MEMBERS - 1], NULL, NULL);
	for (unsigned i = 0; i + 1 < MEMBERS; i++)
		expect_count(s->f->members[i], COPIES, "\"step\":\"3\"", OBJECTS, end);
	expect_count(s->f->host, FEDERATED, "\"status\":\"ClusterNotReady\"", OBJECTS, end);
	cluster_start(dying);
	cluster_await(dying);
	expect_all(s, "\"step\":\"3\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_storm_of_refusals_ends_with_everything_done_once),
		cmocka_unit_test(
			test_a_leader_killed_at_any_write_has_a_successor_within_its_lease),
		cmocka_unit_test(test_leaders_killed_while_replicas_and_names_change_do_it_once),
		cmocka_unit_test(
			test_a_member_that_dies_in_the_middle_has_the_rest_when_it_is_back),
	};

	return cmocka_run_group_tests_name("e2e/storms", tests, setup, teardown);
}
