/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/support/watcher_decode.h"
#include "watcher/decode.h"

/* One policy at a time; what is taken of it lives until the next. */
struct world {
	struct arena *arena;
	const struct fact *fact;
	struct policy_value p;
	struct reason why;
};

static struct world *world_of(void **state) { return *state; }

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->arena = arena_new();
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fact_unref(w->fact);
	arena_free(w->arena);
	free(w);
	return 0;
}

/* `spec` is YAML in one line, without its braces. */
static enum err decode_annotated(struct world *w, const char *annotations, const char *version,
                                 const char *spec)
{
	struct arena *scratch = arena_new();
	struct json_object *object;
	struct text yaml = {0};
	enum err err;

	text_printf(&yaml,
	            "apiVersion: nigh.dev/%s\nkind: TrafficPolicy\n"
	            "metadata: {name: web, namespace: shop, annotations: {%s}}\nspec: {%s}\n",
	            version, annotations, spec);
	object = watcher_read_yaml(yaml.data);
	fact_unref(w->fact);
	err = decode_object(object, DECODE_HOST, scratch, &w->fact, &w->why);
	arena_free(scratch);
	json_object_put(object);
	text_fini(&yaml);
	assert_true((err == ERR_OK) == (w->fact != NULL));
	if (w->fact) {
		struct fact_value v;

		assert_true(fact_decode(w->fact, w->arena, &v));
		assert_int_equal(v.kind, FACT_TRAFFIC_POLICY);
		w->p = v.policy;
	}
	return err;
}

static enum err decode_version(struct world *w, const char *version, const char *spec)
{
	return decode_annotated(w, "", version, spec);
}

static enum err decode(struct world *w, const char *spec)
{
	return decode_version(w, "v1alpha1", spec);
}

#define REFS "targetRefs: [{kind: Service, name: web}], "

static const struct policy_value *take(void **state, const char *spec)
{
	struct world *w = world_of(state);

	if (decode(w, spec) != ERR_OK || w->why.text[0] != '\0')
		fail_msg("%s: %s", spec, w->why.text);
	return &w->p;
}

/* With targets; `why` is what follows the name of the object. */
static void refuse(void **state, const char *spec, const char *why)
{
	struct world *w = world_of(state);
	struct text whole = {0}, want = {0};

	text_printf(&whole, "%s%s", strstr(spec, "targetRefs") ? "" : REFS, spec);
	text_printf(&want, "TrafficPolicy shop/web: %s", why);
	assert_int_not_equal(decode(w, whole.data), ERR_OK);
	assert_string_equal(w->why.text, want.data);
	text_fini(&whole);
	text_fini(&want);
}

/* --- what is taken --- */

static const char example[] =
	"targetRefs: [{group: multiclusterdns.kubefed.io, kind: ServiceDNSRecord, name: web},"
	"  {hostname: '*.Shop.example.com.'}],"
	"stages: ["
	"  {geofence: {rules: [{countries: [DE, FR], clusters: [frankfurt], mode: Required}]}},"
	"  {failover: {tiers: [{clusters: [losangeles, houston]},"
	"                      {selector: {matchLabels: {tier: backup}}}]}},"
	"  {nearest: {bias: {losangeles: -200}, sameRegionFirst: true}},"
	"  {weighted: {weights: {losangeles: 80, houston: 20}}}],"
	"ttl: 30, degradedTTL: 5, maxAddresses: 2, unknownClient: {order: [newyork, houston]},"
	"whenAllDown: FailOpen, unseenAfter: 10m, minReadyPercent: 50,"
	"failback: {mode: After, stableFor: 10m}, sticky: {ipv4: 24, ipv6: 48},"
	"probe: {https: {port: 443, host: shop.example.com, path: /healthz, status: ['200-299']},"
	"  interval: 1s, timeout: 1s, down: 3, up: 2}";

static void test_the_example_is_taken_whole(void **state)
{
	const struct policy_value *p = take(state, example);

	assert_int_equal(p->target_count, 2);
	assert_int_equal(p->targets[0].kind, POLICY_SERVICE_DNS_RECORD);
	watcher_expect_text(p->targets[0].name, "web");
	assert_int_equal(p->targets[1].kind, POLICY_PATTERN);
	watcher_expect_text(p->targets[1].name, "*.shop.example.com");
	assert_int_equal(p->stage_count, 4);
	assert_int_equal(p->stages[0], POLICY_GEOFENCE);
	assert_int_equal(p->stages[3], POLICY_WEIGHTED);
	assert_int_equal(p->fence_count, 1);
	assert_true(p->fences[0].required);
	watcher_expect_texts(p->fences[0].countries, p->fences[0].country_count, "DE FR");
	watcher_expect_texts(p->fences[0].clusters, p->fences[0].cluster_count, "frankfurt");
	assert_int_equal(p->tier_count, 2);
	watcher_expect_texts(p->tiers[0].clusters, p->tiers[0].cluster_count, "houston losangeles");
	assert_true(p->tiers[1].has_selector && p->tiers[1].selector_count == 1);
	watcher_expect_text(p->tiers[1].selector[0].key, "tier");
	assert_int_equal(p->tiers[1].selector[0].operator, POLICY_IN);
	watcher_expect_texts(p->tiers[1].selector[0].values, 1, "backup");
	assert_int_equal(p->biases[0].value, -200);
	assert_true(p->same_region_first);
	assert_int_equal(p->weight_count, 2);
	watcher_expect_text(p->weights[0].cluster, "houston");
	assert_int_equal(p->weights[0].value, 20);
	assert_int_equal(p->ttl, 30);
	assert_int_equal(p->degraded_ttl, 5);
	assert_int_equal(p->max_addresses, 2);
	watcher_expect_texts(p->unknown_order, p->unknown_order_count, "newyork houston");
	assert_false(p->no_data_when_all_down);
	assert_true(p->has_unseen_after);
	assert_int_equal(p->unseen_after_ms, 600000);
	assert_int_equal(p->min_ready_percent, 50);
	assert_int_equal(p->failback, POLICY_AFTER);
	assert_int_equal(p->stable_for_ms, 600000);
	assert_int_equal(p->sticky_ipv4, 24);
	assert_int_equal(p->sticky_ipv6, 48);
}

static void test_an_annotation_lets_back_and_one_that_is_none_is_a_warning(void **state)
{
	struct world *w = world_of(state);

	assert_int_equal(decode_annotated(w,
	                                  "nigh.dev/failback: '2026-01-01T00:00:00Z "
	                                  "name=www.example.com cluster=la'",
	                                  "v1alpha1", REFS "ttl: 30"),
	                 ERR_OK);
	assert_string_equal(w->why.text, "");
	assert_int_equal(w->p.let_back.at, 1767225600);
	watcher_expect_text(w->p.let_back.name, "www.example.com");
	watcher_expect_text(w->p.let_back.cluster, "la");
	assert_int_equal(decode_annotated(w, "nigh.dev/failback: soon", "v1alpha1", REFS "ttl: 31"),
	                 ERR_OK);
	assert_non_null(strstr(w->why.text, "[nigh.dev/failback]: is not a time"));
	assert_int_equal(w->p.let_back.at, 0);
	assert_int_equal(w->p.ttl, 31);
}

/* Else nobody could say of which state of the object a condition is. */
static void test_the_generation_of_the_object_is_kept_and_one_that_is_none_is_passed_over(
	void **state)
{
	struct world *w = world_of(state);
	const struct fact *before;

	assert_int_equal(
		decode_annotated(w, "}, generation: 7, labels: {", "v1alpha1", REFS "ttl: 30"),
		ERR_OK);
	assert_int_equal(w->p.generation, 7);
	before = fact_ref(w->fact);
	assert_int_equal(
		decode_annotated(w, "}, generation: 8, labels: {", "v1alpha1", REFS "ttl: 30"),
		ERR_OK);
	assert_int_equal(w->p.generation, 8);
	assert_false(fact_equal(before, w->fact));
	fact_unref(before);
	assert_int_equal(
		decode_annotated(w, "}, generation: '8', labels: {", "v1alpha1", REFS "ttl: 30"),
		ERR_OK);
	assert_string_equal(w->why.text, "");
	assert_int_equal(w->p.generation, 0);
	assert_int_equal(take(state, REFS "ttl: 30")->generation, 0);
}

static void test_a_probe_is_taken_whole(void **state)
{
	const struct policy_check *k = &take(state, example)->check;

	assert_int_equal(k->kind, POLICY_CHECK_HTTPS);
	assert_int_equal(k->port, 443);
	watcher_expect_text(k->host, "shop.example.com");
	watcher_expect_text(k->path, "/healthz");
	assert_int_equal(k->status_count, 1);
	assert_int_equal(k->status[0].from, 200);
	assert_int_equal(k->status[0].to, 299);
	assert_int_equal(k->interval_ms, 1000);
	assert_int_equal(k->timeout_ms, 1000);
	assert_int_equal(k->down, 3);
	assert_int_equal(k->up, 2);
	assert_int_equal(k->mode, 0);
	k = &take(state,
	          REFS "probe: {https: {headers: [{name: X-A, value: 'b c'}], body: ok,"
	               " status: ['204', 301-302], caSecret: ca, clientCertificateFile: c.pem,"
	               " clientKeyFile: k.pem}, mode: Unseen}")
	             ->check;
	watcher_expect_text(k->headers[0].name, "X-A");
	watcher_expect_text(k->headers[0].value, "b c");
	watcher_expect_text(k->body, "ok");
	assert_int_equal(k->status[0].to, 204);
	assert_int_equal(k->status[1].to, 302);
	watcher_expect_text(k->ca_secret, "ca");
	watcher_expect_text(k->certificate_file, "c.pem");
	watcher_expect_text(k->key_file, "k.pem");
	assert_int_equal(k->mode, 1);
	k = &take(state, REFS "probe: {grpc: {port: 50051, service: a.B, tls: true,"
	                      " insecureSkipVerify: true}, mode: Always}")
	             ->check;
	assert_int_equal(k->kind, POLICY_CHECK_GRPC);
	watcher_expect_text(k->path, "a.B");
	assert_true(k->tls && k->insecure);
	assert_int_equal(k->mode, 2);
	k = &take(state, REFS "probe: {import: {name: edge}}")->check;
	assert_int_equal(k->kind, POLICY_CHECK_IMPORT);
	watcher_expect_text(k->import, "edge");
	assert_int_equal(take(state, REFS "probe: {tcp: {port: 1}}")->check.port, 1);
	assert_int_equal(take(state, REFS "probe: {http: {}}")->check.kind, POLICY_CHECK_HTTP);
	assert_int_equal(take(state, REFS "probe: {mode: Off}")->check.mode, 3);
}

static void test_every_kind_of_target(void **state)
{
	const struct policy_value *p =
		take(state, "targetRefs: [{hostname: A.example}, {kind: ServiceDNSRecord, name: a},"
	                    "{kind: IngressDNSRecord, name: a},"
	                    "{group: externaldns.k8s.io, kind: DNSEndpoint, name: a},"
	                    "{group: '', kind: Service, name: a},"
	                    "{group: networking.k8s.io, kind: Ingress, name: a},"
	                    "{hostname: '*.a.example'}, {kind: Domain, name: a}]");

	assert_int_equal(p->target_count, 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(p->targets[i].kind, POLICY_HOSTNAME + i);
	watcher_expect_text(p->targets[0].name, "a.example");
}

static void test_every_kind_of_stage(void **state)
{
	const struct policy_value *p = take(
		state, REFS "stages: [{geofence: {rules: [{continents: [eu], subdivisions: [US-CA],"
			    "  cidrs: [192.0.2.0/24, '2001:db8::/32'], clusters: [b, a],"
			    "  mode: Allowed}]}},"
			    "{failover: {tiers: [{selector: {matchExpressions: ["
			    "  {key: a, operator: NotIn, values: [y, x]},"
			    "  {key: b, operator: Exists}]}}]}},"
			    "{latency: {}}, {nearest: {}}, {capacity: {}},"
			    "{weighted: {weights: {a: 0, b: 1000000}}},"
			    "{sticky: {ipv4: 32, ipv6: 128}}, {all: {maxAddresses: 3}}]");

	assert_int_equal(p->stage_count, 8);
	assert_false(p->fences[0].required);
	watcher_expect_texts(p->fences[0].continents, p->fences[0].continent_count, "EU");
	watcher_expect_texts(p->fences[0].subdivisions, p->fences[0].subdivision_count, "US-CA");
	assert_int_equal(p->fences[0].network_count, 2);
	assert_int_equal(p->fences[0].networks[1].len, 32);
	watcher_expect_texts(p->fences[0].clusters, p->fences[0].cluster_count, "a b");
	assert_int_equal(p->tiers[0].selector[0].operator, POLICY_NOT_IN);
	watcher_expect_texts(p->tiers[0].selector[0].values, 2, "x y");
	assert_int_equal(p->tiers[0].selector[1].operator, POLICY_EXISTS);
	assert_int_equal(p->stages[2], POLICY_LATENCY);
	assert_int_equal(p->weights[1].value, 1000000);
	assert_int_equal(p->sticky_ipv4, 32);
	assert_int_equal(p->sticky_ipv6, 128);
	assert_int_equal(p->max_addresses, 3);
}

static void test_clients_of_no_known_place(void **state)
{
	assert_true(
		take(state, REFS "unknownClient: {nearestToResolver: true}")->unknown_by_resolver);
	assert_int_equal(
		take(state, REFS "unknownClient: {weighted: {la: 1}}")->unknown_weights[0].value,
		1);
	assert_true(take(state, REFS "whenAllDown: NoData")->no_data_when_all_down);
	assert_true(take(state, REFS "unseenAfter: '0'")->has_unseen_after);
	assert_false(take(state, REFS "ttl: 1")->has_unseen_after);
	assert_int_equal(take(state, REFS "failback: {mode: Manual}")->failback, POLICY_MANUAL);
}

static void test_the_order_of_keys_makes_no_other_policy(void **state)
{
	struct world *w = world_of(state);
	const struct fact *before;

	take(state, REFS "stages: [{failover: {tiers: [{clusters: [x, y]}]}},"
	                 "{weighted: {weights: {a: 1, b: 2}}}], ttl: 9");
	before = fact_ref(w->fact);
	take(state, "ttl: 9, stages: [{failover: {tiers: [{clusters: [y, x]}]}},"
	            "{weighted: {weights: {b: 2, a: 1}}}],"
	            "targetRefs: [{name: web, kind: Service}]");
	assert_true(fact_equal(before, w->fact));
	fact_unref(before);
}

/* The rulebook says of it that it decides nothing: the object is no error. */
static void test_order_behind_shares_is_taken(void **state)
{
	struct world *w = world_of(state);

	assert_int_equal(
		decode(w,
	               REFS "stages: [{capacity: {}}, {weighted: {weights: {a: 1}}}, {sticky: {}},"
	                    "{nearest: {}}]"),
		ERR_OK);
	assert_string_equal(w->why.text, "");
	assert_int_equal(w->p.stage_count, 4);
}

/* --- what is refused, and how that is said --- */

static void test_unknown_fields_are_named_with_their_path(void **state)
{
	refuse(state, "stages: [{latency: {}}, {all: {}}, {nearest: {bais: {}}}]",
	       "spec.stages[2].nearest.bais: there is no such field");
	refuse(state, "tll: 30", "spec.tll: there is no such field");
	refuse(state, "stages: [{neerest: {}}]", "spec.stages[0].neerest: there is no such field");
	refuse(state, "stages: [{latency: {max: 1}}]",
	       "spec.stages[0].latency.max: there is no such field");
	refuse(state, "probe: {http: {caFile: x}}",
	       "spec.probe.http.caFile: there is no such field");
	refuse(state, "targetRefs: [{kind: Service, name: a, namespace: b}]",
	       "spec.targetRefs[0].namespace: there is no such field");
	refuse(state, "\"a\\nb\": 1", "spec.a?b: there is no such field");
}

static void test_targets_that_are_none(void **state)
{
	refuse(state, "targetRefs: []", "spec.targetRefs: is empty");
	refuse(state, "ttl: 3, targetRefs: null", "spec.targetRefs: is missing");
	refuse(state, "targetRefs: [{kind: Pod, name: a}]",
	       "spec.targetRefs[0].kind: is not ServiceDNSRecord, IngressDNSRecord, DNSEndpoint, "
	       "Service, Ingress or Domain");
	refuse(state, "targetRefs: [{kind: Service, name: a, hostname: b}]",
	       "spec.targetRefs[0]: has both a hostname and an object");
	refuse(state, "targetRefs: [{kind: Service}]", "spec.targetRefs[0].name: is missing");
	refuse(state, "targetRefs: [{}]", "spec.targetRefs[0].kind: is missing");
	refuse(state, "targetRefs: [{group: apps, kind: Ingress, name: a}]",
	       "spec.targetRefs[0].group: is not the group of Ingress, \"networking.k8s.io\"");
	refuse(state, "targetRefs: [{hostname: 'a.*.b'}]",
	       "spec.targetRefs[0].hostname: is neither a host name nor \"*.\" and a host name");
	refuse(state, "targetRefs: [{hostname: '*'}]",
	       "spec.targetRefs[0].hostname: is neither a host name nor \"*.\" and a host name");
	refuse(state, "targetRefs: [{hostname: a..b}]",
	       "spec.targetRefs[0].hostname: is not a host name: a label is empty");
}

static void test_stages_that_contradict_themselves(void **state)
{
	refuse(state, "stages: [{latency: {}, nearest: {}}]",
	       "spec.stages[0]: has both latency and nearest");
	refuse(state, "stages: [{}]", "spec.stages[0]: is empty");
	refuse(state, "stages: [{latency: {}}, {nearest: {}}, {latency: {}}]",
	       "spec.stages[2].latency: is the second stage of that kind");
	refuse(state, "stages: [{all: {maxAddresses: 3}}], maxAddresses: 2",
	       "spec.maxAddresses: is 2, and that of the stage `all` is 3");
	refuse(state, "stages: [{sticky: {}}], sticky: {}",
	       "spec.sticky: is there besides the stage of that name");
	refuse(state, "stages: [{weighted: {}}]", "spec.stages[0].weighted.weights: is missing");
	refuse(state, "stages: [{weighted: {weights: {}}}]",
	       "spec.stages[0].weighted.weights: is empty");
	refuse(state, "stages: [{weighted: {weights: {la: 1000001}}}]",
	       "spec.stages[0].weighted.weights.la: 1000001 is not a weight from 0 to 1000000");
	refuse(state, "stages: [{weighted: {weights: {la: -1}}}]",
	       "spec.stages[0].weighted.weights.la: -1 is not a weight from 0 to 1000000");
	refuse(state, "stages: [{sticky: {ipv4: 33}}]",
	       "spec.stages[0].sticky.ipv4: 33 is not a prefix length from 1 to 32");
	refuse(state, "sticky: {ipv6: 0}",
	       "spec.sticky.ipv6: 0 is not a prefix length from 1 to 128");
}

#define RULE(rule) "stages: [{geofence: {rules: [" rule "]}}]"
#define IN_RULE    "spec.stages[0].geofence.rules[0]"

static void test_fences_that_are_none(void **state)
{
	refuse(state, "stages: [{geofence: {}}]", "spec.stages[0].geofence.rules: is missing");
	refuse(state, RULE("{}"),
	       IN_RULE
	       ": matches no client: it has no continents, countries, subdivisions or networks");
	refuse(state, RULE("{countries: [DEU], clusters: [a], mode: Required}"),
	       IN_RULE ".countries[0]: is not a country of two letters (ISO 3166-1)");
	refuse(state, RULE("{continents: [XX], clusters: [a], mode: Required}"),
	       IN_RULE ".continents[0]: is not a continent (AF AN AS EU NA OC SA)");
	refuse(state, RULE("{subdivisions: [CA], clusters: [a], mode: Required}"),
	       IN_RULE ".subdivisions[0]: is not a subdivision (ISO 3166-2: US-CA)");
	refuse(state, RULE("{networks: [192.0.2.0/33], clusters: [a], mode: Required}"),
	       IN_RULE ".networks[0]: is not a network (192.0.2.0/24)");
	refuse(state, RULE("{networks: ['::/0'], cidrs: ['::/0'], clusters: [a], mode: Required}"),
	       IN_RULE ".cidrs: is there besides networks, which is the same");
	refuse(state, RULE("{countries: [DE], mode: Required}"), IN_RULE ".clusters: is missing");
	refuse(state, RULE("{countries: [DE], clusters: [], mode: Required}"),
	       IN_RULE ".clusters: is empty");
	refuse(state, RULE("{countries: [DE], clusters: [a]}"), IN_RULE ".mode: is missing");
	refuse(state, RULE("{countries: [DE], clusters: [a], mode: Forbidden}"),
	       IN_RULE ".mode: is not Allowed or Required");
}

#define TIERS(tiers) "stages: [{failover: {tiers: [" tiers "]}}]"
#define IN_TIERS     "spec.stages[0].failover.tiers"

static void test_tiers_that_are_none(void **state)
{
	refuse(state, TIERS(""), IN_TIERS ": is empty");
	refuse(state, TIERS("{}"), IN_TIERS "[0]: is empty");
	refuse(state, TIERS("{clusters: []}"), IN_TIERS "[0].clusters: is empty");
	refuse(state, TIERS("{clusters: null}"),
	       IN_TIERS "[0].clusters: is null (nothing to set is {})");
	refuse(state, TIERS("{selector: {}}"), IN_TIERS "[0].selector: is empty");
	refuse(state, TIERS("{clusters: [a], selector: {matchLabels: {a: b}}}"),
	       IN_TIERS "[0]: has both clusters and selector");
	refuse(state, TIERS("{clusters: [a, b]}, {clusters: [c]}, {clusters: [b]}"),
	       IN_TIERS ": cluster b is in two of them, 0 and 2");
	refuse(state, TIERS("{clusters: [a, a]}"), IN_TIERS "[0].clusters[1]: is there twice");
	refuse(state, TIERS("{clusters: [a/b]}"),
	       IN_TIERS "[0].clusters[0]: is not the name of a cluster");
	refuse(state, TIERS("{selector: {matchExpressions: [{key: a, operator: In}]}}"),
	       IN_TIERS "[0].selector.matchExpressions[0].values: In needs values");
	refuse(state,
	       TIERS("{selector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}"),
	       IN_TIERS "[0].selector.matchExpressions[0].values: Exists has no values");
	refuse(state, TIERS("{selector: {matchExpressions: [{key: a, operator: Gt}]}}"),
	       IN_TIERS "[0].selector.matchExpressions[0].operator: is not In, NotIn, Exists or "
	                "DoesNotExist");
}

/* An API server refuses it as well. */
static void test_a_choice_that_is_null_is_none(void **state)
{
	static const char *const said = ": is null (nothing to set is {})";
	static const struct {
		const char *spec, *field;
	} cases[] = {
		{"stages: [{nearest: null}]", "spec.stages[0].nearest"},
		{"stages: [{latency: {}}, {capacity: null}]", "spec.stages[1].capacity"},
		{"unknownClient: {order: null}", "spec.unknownClient.order"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text want = {0};

		text_printf(&want, "%s%s", cases[i].field, said);
		refuse(state, cases[i].spec, want.data);
		text_fini(&want);
	}
	refuse(state, "stages: [{latency: {}, nearest: null}]",
	       "spec.stages[0]: has both latency and nearest");
}

static void test_settings_out_of_range(void **state)
{
	refuse(state, "ttl: 0", "spec.ttl: 0 is not a number of seconds from 1 to 2147483647");
	refuse(state, "maxAddresses: 0", "spec.maxAddresses: 0 is not a number from 1 to 1000");
	refuse(state, "minReadyPercent: 101",
	       "spec.minReadyPercent: 101 is not a number from 0 to 100");
	refuse(state, "whenAllDown: Panic", "spec.whenAllDown: is not FailOpen or NoData");
	refuse(state, "unseenAfter: ten", "spec.unseenAfter: 'ten' is not a time from 0 to 8784h");
	refuse(state, "unseenAfter: 10",
	       "spec.unseenAfter: is not a text (quotation marks missing?)");
	refuse(state, "unknownClient: {}", "spec.unknownClient: is empty");
	refuse(state, "unknownClient: {order: [a], weighted: {a: 1}}",
	       "spec.unknownClient: has both order and weighted");
	refuse(state, "unknownClient: {nearestToResolver: false}",
	       "spec.unknownClient.nearestToResolver: says nothing when it is not true");
	refuse(state, "failback: {mode: After}", "spec.failback: mode After needs stableFor");
	refuse(state, "failback: {mode: Manual, stableFor: 1m}",
	       "spec.failback.stableFor: goes with mode After alone");
	refuse(state, "failback: {}", "spec.failback.mode: is missing");
}

static void test_probes_that_are_none(void **state)
{
	refuse(state, "probe: {tcp: {}, http: {}}", "spec.probe: has both tcp and http");
	refuse(state, "probe: {interval: 999ms}",
	       "spec.probe.interval: '999ms' is not a time from 1s to 1h");
	refuse(state, "probe: {down: 0}", "spec.probe.down: 0 is not a number from 1 to 100");
	refuse(state, "probe: {mode: always}", "spec.probe.mode: is not Unseen, Always or Off");
	refuse(state, "probe: {tcp: {port: 65536}}", "spec.probe.tcp.port: 65536 is not a port");
	refuse(state, "probe: {http: {path: healthz}}",
	       "spec.probe.http.path: is not a path (\"/healthz\")");
	refuse(state, "probe: {http: {path: \"/a\\r\\nb\"}}",
	       "spec.probe.http.path: is not a path (\"/healthz\")");
	refuse(state, "probe: {http: {host: 'a b'}}", "spec.probe.http.host: is not a host name");
	refuse(state, "probe: {http: {status: ['299-200']}}",
	       "spec.probe.http.status[0]: is not a status code or a range (\"200-299\")");
	refuse(state, "probe: {http: {status: []}}", "spec.probe.http.status: is empty");
	refuse(state, "probe: {http: {headers: [{name: 'a:', value: b}]}}",
	       "spec.probe.http.headers[0].name: is not the name of a header");
	refuse(state, "probe: {http: {headers: [{name: a, value: \"b\\nc\"}]}}",
	       "spec.probe.http.headers[0].value: has characters that no header may have");
	refuse(state, "probe: {https: {caSecret: a, caFile: b}}",
	       "spec.probe.https.caFile: is there besides caSecret");
	refuse(state, "probe: {https: {clientKeyFile: b}}",
	       "spec.probe.https.clientCertificateFile: is missing");
	refuse(state, "probe: {https: {caFile: b, insecureSkipVerify: true}}",
	       "spec.probe.https.insecureSkipVerify: is there besides a CA to verify with");
	refuse(state, "probe: {grpc: {caFile: b}}",
	       "spec.probe.grpc: has fields of TLS without tls: true");
	refuse(state, "probe: {import: {}}", "spec.probe.import.name: is missing");
}

static void test_another_version_is_not_passed_over(void **state)
{
	struct world *w = world_of(state);

	assert_int_not_equal(decode_version(w, "v1", REFS "stages: [{nearest: {}}]"), ERR_OK);
	assert_string_equal(w->why.text,
	                    "TrafficPolicy shop/web: apiVersion: is not nigh.dev/v1alpha1");
}

static void test_wrong_types_everywhere(void **state)
{
	static const char *const specs[] = {
		"targetRefs: {}",
		"targetRefs: [a]",
		"stages: {}",
		"stages: [a]",
		"stages: [{all: 3}]",
		"stages: [{geofence: {rules: {}}}]",
		"stages: [{geofence: []}]",
		"failback: After",
		"probe: x",
		"probe: {http: []}",
		"sticky: 24",
		"unknownClient: la",
		"ttl: '30'",
		"stages: [null]",
		"stages: [{weighted: {weights: [1]}}]",
		"probe: {http: {headers: [a]}}",
		"stages: [{failover: {tiers: [a]}}]",
		"stages: [{nearest: {bias: {la: null}}}]",
		"stages: [{failover: {tiers: [{selector: 3}]}}]",
	};
	struct world *w = world_of(state);

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct text whole = {0};

		text_printf(&whole, "%s%s", strstr(specs[i], "targetRefs") ? "" : REFS, specs[i]);
		assert_int_not_equal(decode(w, whole.data), ERR_OK);
		assert_non_null(strstr(w->why.text, "TrafficPolicy shop/web: spec."));
		text_fini(&whole);
	}
	refuse(state, "stages: [{all: {}}, {nearest: {bias: {la: null}}}]",
	       "spec.stages[1].nearest.bias.la: is not a distance from -20100 to 20100 km");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_example_is_taken_whole),
		TEST(test_an_annotation_lets_back_and_one_that_is_none_is_a_warning),
		TEST(test_the_generation_of_the_object_is_kept_and_one_that_is_none_is_passed_over),
		TEST(test_a_probe_is_taken_whole),
		TEST(test_every_kind_of_target),
		TEST(test_every_kind_of_stage),
		TEST(test_clients_of_no_known_place),
		TEST(test_the_order_of_keys_makes_no_other_policy),
		TEST(test_order_behind_shares_is_taken),
		TEST(test_unknown_fields_are_named_with_their_path),
		TEST(test_targets_that_are_none),
		TEST(test_stages_that_contradict_themselves),
		TEST(test_fences_that_are_none),
		TEST(test_tiers_that_are_none),
		TEST(test_a_choice_that_is_null_is_none),
		TEST(test_settings_out_of_range),
		TEST(test_probes_that_are_none),
		TEST(test_another_version_is_not_passed_over),
		TEST(test_wrong_types_everywhere),
	};

	return cmocka_run_group_tests_name("watcher/decode_policy", tests, NULL, NULL);
}
