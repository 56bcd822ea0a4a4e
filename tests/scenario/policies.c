/* policies.c -- TrafficPolicy objects in a manifest folder, and who is answered what by them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/text.h"
#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define BOSTON        "192.0.2.0/24"
#define AUSTIN        "198.51.100.0/24"
#define SAN_FRANCISCO "203.0.113.0/24"
#define NOWHERE       "10.9.9.0/24"
#define NEW_YORK      "198.18.1.10"
#define HOUSTON       "198.18.2.10"
#define LOS_ANGELES   "198.18.3.10"
enum { SOON_MS = 5000 };

/* host/policy-NAME.yaml: the policy shop/NAME for the record web, with these lines of its spec. */
static void put_policy(struct world *w, const char *name, const char *created, const char *target,
                       const char *spec)
{
	char path[96];

	snprintf(path, sizeof path, "manifests/host/policy-%s.yaml", name);
	world_write(w, path,
	            "apiVersion: nigh.dev/v1alpha1\n"
	            "kind: TrafficPolicy\n"
	            "metadata: {name: %s, namespace: shop, creationTimestamp: '%s'}\n"
	            "spec:\n"
	            "  targetRefs: [%s]\n%s",
	            name, created, target, spec);
}

#define TO_WEB "{group: multiclusterdns.kubefed.io, kind: ServiceDNSRecord, name: web}"

static void put(struct world *w, const char *spec)
{
	put_policy(w, "web", "2026-01-01T00:00:00Z", TO_WEB, spec);
}

static void begin(struct world *w, const char *spec)
{
	world_three_cities(w);
	put(w, spec);
	world_start(w);
}

static void test_a_policy_says_who_is_near(void **state)
{
	struct world *w = *state;

	begin(w, "  stages: [{nearest: {bias: {losangeles: -2500}}}]\n");
	world_expect(w, WEB, "A", AUSTIN, LOS_ANGELES, SOON_MS);
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, 0);
	world_remove(w, "manifests/host/policy-web.yaml");
	world_expect(w, WEB, "A", AUSTIN, HOUSTON, SOON_MS);
}

static void test_tiers_fences_and_distance_work_one_after_the_other(void **state)
{
	struct world *w = *state;

	begin(w, "  stages:\n"
	         "  - geofence: {rules: [{networks: [192.0.2.0/24], clusters: [houston], mode: "
	         "Required}]}\n"
	         "  - failover: {tiers: [{clusters: [newyork]}, {clusters: [losangeles]}]}\n"
	         "  - nearest: {}\n");
	world_expect(w, WEB, "A", BOSTON, HOUSTON, SOON_MS);
	world_expect(w, WEB, "A", SAN_FRANCISCO, NEW_YORK, 0);
	world_service(w, "newyork", "web", NEW_YORK, false, "");
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOS_ANGELES, SOON_MS);
	/* In no tier: after all. */
	world_service(w, "losangeles", "web", LOS_ANGELES, false, "");
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, SOON_MS);
	/* Inside the fence there is nobody else. */
	world_service(w, "newyork", "web", NEW_YORK, true, "");
	world_service(w, "houston", "web", HOUSTON, false, "");
	world_expect(w, WEB, "A", SAN_FRANCISCO, NEW_YORK, SOON_MS);
	world_expect(w, WEB, "A", BOSTON, HOUSTON, 0);
	world_remove(w, "manifests/clusters/houston/service-web.yaml");
	world_expect(w, WEB, "A", BOSTON, "REFUSED", SOON_MS);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ede, 18);
	world_expect(w, WEB, "AAAA", BOSTON, "NODATA", 0);
	world_expect(w, WEB, "AAAA", AUSTIN, "NODATA", 0);
}

static void test_all_tells_no_more_addresses_than_it_may(void **state)
{
	struct world *w = *state;

	begin(w, "  stages: [{nearest: {}}, {all: {maxAddresses: 2}}]\n  ttl: 45\n");
	world_expect(w, WEB, "A", BOSTON, NEW_YORK " " HOUSTON, SOON_MS);
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON " " LOS_ANGELES, 0);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ttl, 45);
}

static void test_ttls_are_the_policys(void **state)
{
	struct world *w = *state;

	begin(w, "  ttl: 77\n  degradedTTL: 7\n");
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, SOON_MS);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ttl, 77);
	world_write(w, "manifests/host/cluster-houston.yaml",
	            "apiVersion: core.kubefed.io/v1beta1\nkind: KubeFedCluster\n"
	            "metadata: {name: houston, namespace: kube-federation-system, annotations: "
	            "{nigh.dev/drain: 'true', nigh.dev/location: '29.76,-95.37'}}\nspec: {}\n");
	world_expect_http(w, "/status", "\"drained\":true", SOON_MS);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ttl, 7);
}

static void test_when_all_are_down_there_may_be_no_data_for_anybody(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	begin(w, "  whenAllDown: NoData\n  degradedTTL: 3\n");
	world_service(w, "newyork", "web", NEW_YORK, false, "");
	world_service(w, "houston", "web", HOUSTON, false, "");
	world_expect(w, WEB, "A", BOSTON, LOS_ANGELES, SOON_MS);
	world_service(w, "losangeles", "web", LOS_ANGELES, false, "");
	world_expect(w, WEB, "A", BOSTON, "NODATA", SOON_MS);
	world_expect(w, WEB, "A", NOWHERE, "NODATA", 0);
	a = world_query(w, WEB, "A", BOSTON);
	assert_int_equal(a.ttl, 3);
	assert_int_equal(a.scope, 0);
	put(w, "  whenAllDown: FailOpen\n  degradedTTL: 3\n");
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, SOON_MS);
}

static void test_clients_that_nobody_knows_go_where_the_policy_says(void **state)
{
	struct world *w = *state;

	begin(w, "  stages: [{nearest: {}}]\n  unknownClient: {order: [losangeles]}\n");
	world_expect(w, WEB, "A", NOWHERE, LOS_ANGELES, SOON_MS);
	put(w, "  stages: [{nearest: {}}]\n  unknownClient: {weighted: {newyork: 1}}\n");
	world_expect(w, WEB, "A", NOWHERE, NEW_YORK, SOON_MS);
	world_expect(w, WEB, "A", AUSTIN, HOUSTON, 0);
	/* Where the resolver is: the test asks from 127.0.0.1. */
	world_write(w, "networks.csv",
	            "127.0.0.0/8,34.05,-118.24\n192.0.2.0/24,42.36,-71.06\n198.51.100.0/"
	            "24,30.27,-97.74\n");
	put(w, "  stages: [{nearest: {}}]\n  unknownClient: {nearestToResolver: true}\n");
	world_expect(w, WEB, "A", NOWHERE, LOS_ANGELES, SOON_MS);
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, 0);
}

/* Data that must stay does not leave because a file is not there. */
static void test_a_fence_by_place_waits_for_the_files_with_places(void **state)
{
	struct world *w = *state;

	world_config(w, "geo: {networks: networks.csv}");
	world_three_cities(w);
	put(w,
	    "  stages:\n"
	    "  - geofence: {rules: [{countries: [US], clusters: [losangeles], mode: Required}]}\n"
	    "  - nearest: {}\n");
	world_remove(w, "networks.csv");
	world_start(w);
	world_expect(w, WEB, "A", BOSTON, "SERVFAIL", SOON_MS);
	world_expect_http(w, "/status", "\"reason\":\"WaitsForPlaces\"", SOON_MS);
	world_write(w, "networks.csv",
	            "192.0.2.0/24,42.36,-71.06,US\n198.51.100.0/24,42.36,-71.06,CA\n");
	world_expect(w, WEB, "A", BOSTON, LOS_ANGELES, SOON_MS);
	world_expect(w, WEB, "A", AUSTIN, NEW_YORK, 0);
	world_remove(w, "networks.csv");
	world_expect_stays(w, WEB, "A", BOSTON, LOS_ANGELES, 2500);
}

static void test_the_most_specific_target_wins_and_of_two_the_older(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	put_policy(w, "domain", "2026-01-01T00:00:00Z", "{hostname: '*.example.com'}",
	           "  stages: [{failover: {tiers: [{clusters: [houston]}]}}]\n");
	world_start(w);
	world_expect(w, WEB, "A", BOSTON, HOUSTON, SOON_MS);
	put_policy(w, "web", "2026-01-02T00:00:00Z", TO_WEB,
	           "  stages: [{failover: {tiers: [{clusters: [losangeles]}]}}]\n");
	world_expect(w, WEB, "A", BOSTON, LOS_ANGELES, SOON_MS);
	put_policy(w, "younger", "2026-01-03T00:00:00Z", TO_WEB,
	           "  stages: [{failover: {tiers: [{clusters: [newyork]}]}}]\n");
	world_expect_http(
		w, "/status",
		"\"type\":\"Conflicted\",\"status\":\"True\",\"reason\":\"TargetConflict\"",
		SOON_MS);
	world_expect(w, WEB, "A", BOSTON, LOS_ANGELES, 0);
	world_remove(w, "manifests/host/policy-web.yaml");
	world_expect(w, WEB, "A", AUSTIN, NEW_YORK, SOON_MS);
}

static void test_a_broken_policy_leaves_the_last_good_one_in_force(void **state)
{
	struct world *w = *state;

	begin(w, "  stages: [{failover: {tiers: [{clusters: [losangeles]}]}}]\n");
	world_expect(w, WEB, "A", BOSTON, LOS_ANGELES, SOON_MS);
	put(w, "  stages: [{nearest: {bais: {houston: 1}}}]\n");
	world_expect_http(w, "/status", "bais", SOON_MS);
	world_expect_http(w, "/status",
	                  "\"type\":\"Accepted\",\"status\":\"False\",\"reason\":\"Invalid\"",
	                  SOON_MS);
	world_expect_stays(w, WEB, "A", BOSTON, LOS_ANGELES, 500);
	put(w, "  stages: [{nearest: {}}]\n");
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, SOON_MS);
	world_expect_http(w, "/status", "!bais", SOON_MS);
}

/* Whoever may write policies writes thousands, good and bad: others' changes are answered as soon as before. */
static void test_many_policies_and_many_that_are_broken_delay_nobody(void **state)
{
	enum { GOOD = 8000, BROKEN = 6000, DONE_MS = 2500, READ_MS = 60000 };
	struct world *w = *state;
	unsigned slower = world_is_sanitized() ? 10 : 1; /* how many times less is written then */
	struct text all = {0};

	for (unsigned i = 0; i < GOOD / slower; i++)
		text_printf(&all,
		            "---\napiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
		            "metadata: {name: p%u, namespace: other}\n"
		            "spec: {targetRefs: [{kind: Service, name: none%u}], ttl: 3}\n",
		            i, i);
	world_three_cities(w);
	world_write(w, "manifests/host/good.yaml", "%s", all.data);
	text_fini(&all);
	for (unsigned i = 0; i < BROKEN / slower; i++) {
		char path[64];

		snprintf(path, sizeof path, "manifests/host/broken/%u.yaml", i);
		world_write(w, path,
		            "apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
		            "metadata: {name: b%u, namespace: other}\nspec: {ttl: -3}\n",
		            i);
	}
	world_start(w);
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, READ_MS);
	world_service(w, "newyork", "web", "198.18.1.11", true, "");
	world_expect(w, WEB, "A", BOSTON, "198.18.1.11", READ_MS);
	world_service(w, "newyork", "web", "198.18.1.12", true, "");
	world_expect(w, WEB, "A", BOSTON, "198.18.1.12", DONE_MS);
}

static uint32_t serial_of(struct world *w)
{
	struct json_object *status = world_json(w, "/status"), *zones, *serial;
	uint32_t is;

	assert_true(json_object_object_get_ex(status, "zones", &zones));
	assert_true(
		json_object_object_get_ex(json_object_array_get_idx(zones, 0), "serial", &serial));
	is = (uint32_t)json_object_get_int64(serial);
	json_object_put(status);
	return is;
}

static void test_a_policy_that_changes_touches_no_name(void **state)
{
	struct world *w = *state;
	uint32_t serial;

	begin(w, "  stages: [{weighted: {weights: {losangeles: 1}}}]\n");
	world_expect(w, WEB, "A", BOSTON, LOS_ANGELES, SOON_MS);
	serial = serial_of(w);
	put(w, "  stages: [{weighted: {weights: {newyork: 1}}}]\n");
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, SOON_MS);
	put(w, "  stages: [{failover: {tiers: [{clusters: [houston]}]}}]\n");
	world_expect(w, WEB, "A", BOSTON, HOUSTON, SOON_MS);
	assert_int_equal(serial_of(w), serial);
}

static void test_a_cluster_that_nobody_registered_is_named(void **state)
{
	struct world *w = *state;

	begin(w,
	      "  stages: [{failover: {tiers: [{clusters: [atlantis]}, {clusters: [houston]}]}}]\n");
	world_expect(w, WEB, "A", BOSTON, HOUSTON, SOON_MS);
	world_expect_http(
		w, "/status",
		"\"type\":\"Programmed\",\"status\":\"True\",\"reason\":\"UnknownCluster\","
		"\"message\":\"no cluster is registered as atlantis\"",
		0);
	world_expect_http(w, "/status/names?prefix=web.shop",
	                  "\"policy\":{\"namespace\":\"shop\",\"name\":\"web\"}", 0);
}

static void test_names_that_another_namespace_takes_are_told_to_both(void **state)
{
	const char *const argv[] = {"$NIGHCTL", "status", NULL};
	struct world *w = *state;
	uint32_t serial;

	begin(w, "  stages: [{nearest: {}}]\n  ttl: 77\n");
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, SOON_MS);
	world_write(w, "manifests/host/policy-other.yaml",
	            "apiVersion: nigh.dev/v1alpha1\n"
	            "kind: TrafficPolicy\n"
	            "metadata: {name: mine, namespace: other, creationTimestamp: "
	            "'2026-02-02T00:00:00Z'}\n"
	            "spec: {targetRefs: [{hostname: " WEB "}], ttl: 44}\n");
	world_expect_http(
		w, "/status",
		"\"type\":\"Conflicted\",\"status\":\"True\",\"reason\":\"Overridden\",\"message\":"
		"\"1 "
		"names of its targets have policies of other namespaces that target them more "
		"exactly: other/mine (1, such as " WEB ".)\"",
		SOON_MS);
	world_expect_http(
		w, "/status",
		"\"type\":\"Conflicted\",\"status\":\"False\",\"reason\":\"Overrides\","
		"\"message\":\"1 of its names are targets of policies of other namespaces, "
		"too: shop/web (1, such as " WEB ".)\"",
		0);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ttl, 44);
	world_expect_run(w, argv, 0, "Overridden");
	world_remove(w, "manifests/host/policy-other.yaml");
	world_expect_http(w, "/status", "!Overridden", SOON_MS);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ttl, 77);
	/* Who is passed over is no change of the name. */
	serial = serial_of(w);
	world_write(w, "manifests/host/policy-zone.yaml",
	            "apiVersion: nigh.dev/v1alpha1\n"
	            "kind: TrafficPolicy\n"
	            "metadata: {name: all, namespace: ops}\n"
	            "spec: {targetRefs: [{hostname: '*.example.com'}], ttl: 55}\n");
	world_expect_http(w, "/status", "shop/web (", SOON_MS);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ttl, 77);
	assert_int_equal(serial_of(w), serial);
}

/* Whoever copies conditions into the object must know of which state of it they are. */
static void test_conditions_say_of_which_generation_they_are(void **state)
{
	static const char policy[] =
		"apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: web, "
		"namespace: shop, generation: %d}\nspec:\n  targetRefs: [{hostname: " WEB "}]\n"
		"  stages: [{nearest: {}}]\n";
	struct world *w = *state;

	world_three_cities(w);
	world_write(w, "manifests/host/policy.yaml", policy, 7);
	world_start(w);
	world_expect_http(w, "/status", "\"names\":1,\"generation\":7,", SOON_MS);
	/* What is decided is the same. */
	world_write(w, "manifests/host/policy.yaml", policy, 8);
	world_expect_http(w, "/status", "\"names\":1,\"generation\":8,", SOON_MS);
}

static void test_a_policy_that_no_name_has_is_not_said_to_be_in_force(void **state)
{
	const char *const argv[] = {"$NIGHCTL", "status", NULL};
	struct world *w = *state;

	world_three_cities(w);
	put_policy(w, "web", "2026-01-01T00:00:00Z", "{hostname: wbe.example.com}",
	           "  stages: [{nearest: {}}]\n");
	world_start(w);
	world_expect_http(w, "/status",
	                  "\"type\":\"Programmed\",\"status\":\"False\",\"reason\":\"NoNames\"",
	                  SOON_MS);
	world_expect_run(w, argv, 0, "shop/web   0       NoNames");
	put(w, "  stages: [{nearest: {}}]\n");
	world_expect_http(w, "/status", "\"reason\":\"Programmed\"", SOON_MS);
	world_expect_run(w, argv, 0, "in force");
}

static void test_a_fence_of_countries_sends_nobody_outside_without_geographic_data(void **state)
{
	struct world *w = *state;

	begin(w, "  stages: [{geofence: {rules: [{countries: [DE], clusters: [houston], mode: "
	         "Required}]}}, {nearest: {}}]\n");
	world_expect_http(w, "/status",
	                  "\"type\":\"Programmed\",\"status\":\"False\",\"reason\":\"NoGeoData\"",
	                  SOON_MS);
	world_expect(w, WEB, "A", BOSTON, "SERVFAIL", 0);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ede, 14);
	put(w, "  stages: [{geofence: {rules: [{countries: [DE], clusters: [houston], mode: "
	       "Allowed}]}}, {nearest: {}}]\n");
	world_expect_http(w, "/status",
	                  "\"type\":\"Programmed\",\"status\":\"True\",\"reason\":\"NoGeoData\"",
	                  SOON_MS);
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, SOON_MS);
	world_write(w, "networks.csv", "192.0.2.0/24,52.52,13.40,DE\n");
	world_expect(w, WEB, "A", BOSTON, HOUSTON, SOON_MS);
	world_expect_http(w, "/status", "\"reason\":\"Programmed\"", SOON_MS);
}

static void test_a_probe_that_names_a_secret_which_is_not_there_is_said_to_judge_nothing(
	void **state)
{
	struct world *w = *state;

	begin(w, "  stages: [{nearest: {}}]\n"
	         "  probe: {https: {port: 443, caSecret: authority}, mode: Unseen}\n");
	world_expect(w, WEB, "A", BOSTON, NEW_YORK, SOON_MS);
	world_expect_http(w, "/status",
	                  "\"type\":\"Programmed\",\"status\":\"True\",\"reason\":"
	                  "\"ProbeWithoutEffect\",\"message\":\"caSecret: Secret shop/authority: "
	                  "does not exist: no probe judges the sites\"",
	                  1000);
}

static void put_biased(struct world *w, unsigned number)
{
	char name[32], target[64], spec[96];

	snprintf(name, sizeof name, "p%u", number);
	snprintf(target, sizeof target, "{hostname: n%u.example.com}", number);
	snprintf(spec, sizeof spec, "  stages: [{nearest: {bias: {houston: %u}}}]\n", number);
	put_policy(w, name, "2026-01-01T00:00:00Z", target, spec);
}

static void test_of_too_many_different_orders_the_last_are_told(void **state)
{
	enum { MANY = 66 };
	static const char *const too_many = "\"status\":\"False\",\"reason\":\"TooManyRules\"";
	struct world *w = *state;
	char file[64];

	world_three_cities(w);
	for (unsigned i = 1; i <= MANY; i++)
		put_biased(w, i);
	put(w, "  stages: [{weighted: {weights: {losangeles: 1}}}]\n");
	world_start(w);
	world_expect_http(w, "/status", too_many, SOON_MS);
	/* Room is made as soon as others go. */
	for (unsigned i = 1; i <= 4; i++) {
		snprintf(file, sizeof file, "manifests/host/policy-p%u.yaml", i);
		world_remove(w, file);
	}
	world_expect_http(w, "/status", "!TooManyRules", SOON_MS);
	world_expect(w, WEB, "A", BOSTON, LOS_ANGELES, SOON_MS);
}

static void test_a_stage_that_decides_nothing_is_named_and_no_error(void **state)
{
	struct world *w = *state;

	begin(w, "  stages: [{weighted: {weights: {houston: 1}}}, {nearest: {}}]\n");
	world_expect(w, WEB, "A", BOSTON, HOUSTON, SOON_MS);
	world_expect_http(w, "/status", "\"type\":\"Accepted\",\"status\":\"True\"", 0);
	world_expect_http(w, "/status",
	                  "\"reason\":\"StageWithoutEffect\",\"message\":\"spec.stages[1].nearest: "
	                  "decides nothing behind weighted\"",
	                  0);
	world_expect_http(w, "/status", "\"errors\":[]", 0);
}

enum { BUCKETS = 100000 };
static const char *const cities[] = {NEW_YORK, HOUSTON, LOS_ANGELES};

/* Which city each bucket's clients get; by explain's bytes, which are the answer's, it would take longer. */
static void ask_buckets(struct world *w, unsigned count, uint8_t *city)
{
	for (unsigned i = 0; i < count; i++) {
		char client[32];
		const char *is;
		uint8_t at = 0;

		snprintf(client, sizeof client, "%u.%u.%u.0/24", 20 + (i >> 16), i >> 8 & 255,
		         i & 255);
		is = world_ask(w, WEB, "A", client);
		while (at < 3 && strcmp(is, cities[at]) != 0)
			at++;
		if (at == 3)
			world_fail(w, "%s gets %s", client, is);
		city[i] = at;
	}
}

static void assert_share_within(const uint8_t *city, unsigned count, uint8_t which, double percent,
                                double points)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++)
		found += city[i] == which;
	if (found * 100.0 / count < percent - points || found * 100.0 / count > percent + points)
		fail_msg("%s has %.2f %%, not %.2f %%", cities[which], found * 100.0 / count,
		         percent);
}

static void assert_share(const uint8_t *city, unsigned count, uint8_t which, double percent)
{
	assert_share_within(city, count, which, percent, 1);
}

static void test_shares_are_as_the_weights_and_a_ramp_moves_only_its_own(void **state)
{
	static uint8_t before[BUCKETS], after[BUCKETS];
	struct world *w = *state;
	unsigned count = world_is_sanitized() ? BUCKETS / 5 : BUCKETS, moved = 0;

	world_config(w, "rateLimit: {mode: off}");
	begin(w, "  stages: [{weighted: {weights: {newyork: 60, houston: 40}}}]\n");
	world_expect_http(w, "/status", "\"reason\":\"Programmed\"", SOON_MS);
	ask_buckets(w, count, before);
	assert_share(before, count, 0, 60);
	assert_share(before, count, 1, 40);
	put(w, "  stages: [{weighted: {weights: {newyork: 60, houston: 40, losangeles: 25}}}]\n");
	world_expect_http(w, "/explain?name=" WEB "&client=" BOSTON, "\"cluster\":\"losangeles\"",
	                  SOON_MS);
	world_expect_http(w, "/explain?name=" WEB "&client=" BOSTON, "\"weight\":25", SOON_MS);
	ask_buckets(w, count, after);
	assert_share(after, count, 2, 20);
	for (unsigned i = 0; i < count; i++) {
		moved += before[i] != after[i];
		assert_true(before[i] == after[i] || after[i] == 2);
	}
	assert_in_range(moved, count * 19 / 100, count * 21 / 100);
}

/* The site that explain names. */
static void site_of(struct world *w, const char *client, char out[64])
{
	char path[256];
	struct json_object *explained, *answer, *site;

	snprintf(path, sizeof path, "/explain?name=%s&client=%s", WEB, client);
	explained = world_json(w, path);
	assert_true(json_object_object_get_ex(explained, "answer", &answer));
	assert_true(json_object_object_get_ex(answer, "site", &site));
	snprintf(out, 64, "%s", json_object_get_string(site));
	json_object_put(explained);
}

static void test_what_explain_says_is_what_is_answered(void **state)
{
	static const char *const names[] = {"newyork", "houston", "losangeles"};
	struct world *w = *state;
	uint8_t city[40];

	begin(w, "  stages: [{weighted: {weights: {newyork: 2, houston: 3, losangeles: 1}}}]\n");
	world_expect_http(w, "/status", "\"reason\":\"Programmed\"", SOON_MS);
	ask_buckets(w, 40, city);
	for (unsigned i = 0; i < 40; i++) {
		char client[32], site[64];

		snprintf(client, sizeof client, "20.0.%u.0/24", i);
		site_of(w, client, site);
		assert_string_equal(site, names[city[i]]);
	}
	world_expect_http(w, "/explain?name=" WEB "&client=" BOSTON,
	                  "{\"stage\":\"weighted\",\"detail\":\"", 0);
	world_expect_run(
		w, (const char *const[]){"$NIGHCTL", "explain", WEB, "--client", BOSTON, NULL}, 0,
		"by the policy shop/web");
}

static void test_a_cluster_that_is_shifted_keeps_a_share_of_its_clients(void **state)
{
	enum { FEW = 4000 };
	static uint8_t city[FEW];
	struct world *w = *state;
	unsigned scope;

	world_config(w, "rateLimit: {mode: off}");
	world_three_cities(w);
	world_write(w, "networks.csv", "20.0.0.0/8,30.27,-97.74,Austin\n");
	world_write(w, "manifests/host/cluster-houston.yaml",
	            "apiVersion: core.kubefed.io/v1beta1\nkind: KubeFedCluster\n"
	            "metadata: {name: houston, namespace: kube-federation-system, annotations: "
	            "{nigh.dev/shift: 'to=25%% start=2026-01-01T00:00:00Z', "
	            "nigh.dev/location: '29.76,-95.37'}}\nspec: {}\n");
	world_start(w);
	ask_buckets(w, FEW, city);
	assert_share_within(city, FEW, 1, 25, 2.5);
	/* The others go to the next nearest. */
	assert_share_within(city, FEW, 2, 75, 2.5);
	scope = (unsigned)world_query(w, WEB, "A", "20.0.0.0/24").scope;
	assert_int_equal(scope, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_policy_says_who_is_near),
		world_test(test_tiers_fences_and_distance_work_one_after_the_other),
		world_test(test_all_tells_no_more_addresses_than_it_may),
		world_test(test_ttls_are_the_policys),
		world_test(test_when_all_are_down_there_may_be_no_data_for_anybody),
		world_test(test_clients_that_nobody_knows_go_where_the_policy_says),
		world_test(test_a_fence_by_place_waits_for_the_files_with_places),
		world_test(test_the_most_specific_target_wins_and_of_two_the_older),
		world_test(test_a_broken_policy_leaves_the_last_good_one_in_force),
		world_test(test_many_policies_and_many_that_are_broken_delay_nobody),
		world_test(test_a_policy_that_changes_touches_no_name),
		world_test(test_a_cluster_that_nobody_registered_is_named),
		world_test(test_names_that_another_namespace_takes_are_told_to_both),
		world_test(test_conditions_say_of_which_generation_they_are),
		world_test(test_a_policy_that_no_name_has_is_not_said_to_be_in_force),
		world_test(test_a_fence_of_countries_sends_nobody_outside_without_geographic_data),
		world_test(
			test_a_probe_that_names_a_secret_which_is_not_there_is_said_to_judge_nothing),
		world_test(test_of_too_many_different_orders_the_last_are_told),
		world_test(test_a_stage_that_decides_nothing_is_named_and_no_error),
		world_test(test_shares_are_as_the_weights_and_a_ramp_moves_only_its_own),
		world_test(test_what_explain_says_is_what_is_answered),
		world_test(test_a_cluster_that_is_shifted_keeps_a_share_of_its_clients),
	};

	return cmocka_run_group_tests_name("policies", tests, NULL, NULL);
}
