/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

/* Random worlds, small enough that everything meets everything: few names,
 * hosts, zones and addresses, so that conflicts, shared probes and host names,
 * renderings and names outside zones come all the time. */

static unsigned seed_state;

static unsigned below(unsigned n)
{
	seed_state = seed_state * 1103515245 + 12345;
	return (seed_state >> 16) % n;
}

static const char *pick(const char *const *list, unsigned count) { return list[below(count)]; }
#define PICK(list) pick(list, sizeof(list) / sizeof((list)[0]))

static const char *const cluster_names[] = {"la", "ny", "tokyo"};
static const char *const namespaces[] = {"shop", "blog"};
static const char *const object_names[] = {"web", "api", "service-web", "ingress-web"};
static const char *const sites_names[] = {"nigh-service-web", "nigh-ingress-web", "web",
                                          "service-web"};
static const char *const site_clusters[] = {"la", "ny", "paris", "rome", ""};
static const char *const site_types[] = {"A", "AAAA", "CNAME", "TXT"};
static const char *const site_targets[] = {"192.0.2.1", "192.0.2.61", "lb.test",
                                           "web.shop.d.svc.example.com"};
static const char *const targets[] = {
	"192.0.2.1", "192.0.2.2", "192.0.2.3,2001:db8::3", "127.0.0.1",
	"",          "lb.test",   "lb.test,LB2.test.",     "192.0.2.1,192.0.2.2"};
static const char *const hosts[] = {"www.example.com",
                                    "WWW.example.com",
                                    "web.shop.d.svc.example.com",
                                    "*.example.com",
                                    "a.sub.example.com",
                                    "www.other.test",
                                    "bad..name",
                                    "www.example.com,api.example.com"};
static const char *const regions[] = {"", "us", "US", "eu", "bad label"};
static const char *const zones[] = {"", "a", "a,b", "B"};
static const char *const domains[] = {"example.com", "sub.example.com", "other.test", "Example.COM",
                                      "bad..domain"};
static const char *const lines[] = {
	"www.example.com 30 A 192.0.2.7",
	"www.example.com 0 a 192.0.2.7 192.0.2.8\nWWW.example.com 9 AAAA 2001:db8::7",
	"api.example.com 30 CNAME x.test\napi.example.com 30 A 192.0.2.7",
	"x.sub.example.com 30 TXT hello",
	"x.sub.example.com 30 TXT hello\nx.sub.example.com 30 txt hello again",
	"web.shop.d.svc.example.com 5 A 192.0.2.9",
	"www.other.test 5 A 192.0.2.9\nn1.example.com 5 A 10.0.0.1\nn2.example.com 5 A 10.0.0.2\n"
	"n3.example.com 5 A 10.0.0.3\nn4.example.com 5 A 10.0.0.4\nn5.example.com 5 A 10.0.0.5\n"
	"n6.example.com 5 A 10.0.0.6\nn7.example.com 5 A 10.0.0.7\nn8.example.com 5 A 10.0.0.8\n"
	"n9.example.com 5 A 10.0.0.9",
};

static const char *const config_lines[] = {
	"www.example.com 60 TXT config",
	"www.example.com 60 A 192.0.2.77\nweb.shop.d.svc.example.com 60 MX 10 mail",
	"web.shop.d.svc.example.com 60 CNAME x.test\napi.example.com 60 TXT config",
	"n1.example.com 5 TXT config\nx.sub.example.com 30 TXT config",
};

static const char *key(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s/%s", PICK(namespaces), PICK(object_names));
	return text;
}

static int64_t age(void) { return below(6) == 0 ? FACT_NO_TIME : 100 + below(4); }

static const char *const policy_hosts[] = {"www.example.com", "n1.example.com",
                                           "web.shop.d.svc.example.com"};
static const char *const policy_patterns[] = {"*.example.com", "*.sub.example.com",
                                              "*.d.svc.example.com"};

static struct policy_target policy_target(void)
{
	struct policy_target t = {
		.kind = (enum policy_target_kind)(POLICY_HOSTNAME + below(POLICY_DOMAIN))};

	t.name = bytes_of(t.kind == POLICY_HOSTNAME  ? PICK(policy_hosts)
	                  : t.kind == POLICY_PATTERN ? PICK(policy_patterns)
	                  : t.kind == POLICY_DOMAIN  ? (below(2) ? "d" : PICK(domains))
	                                             : PICK(object_names));
	return t;
}

static void change_policy(struct records_world *w)
{
	struct policy_target list[3] = {policy_target(), policy_target(), policy_target()};
	static const char *const paths[] = {"/", "/healthz"};
	struct policy_value p = {.targets = list, .target_count = 1 + below(3), .ttl = below(3)};

	if (below(3) == 0)
		p.check = (struct policy_check){.kind = POLICY_CHECK_HTTP,
		                                .port = (uint16_t)(80 * below(2)),
		                                .path = bytes_of(PICK(paths))};
	if (below(8) == 0)
		p.check.mode = POLICY_MODE_OFF;
	if (below(3) == 0)
		p.min_ready_percent = 60;
	if (below(3) == 0)
		p.stages[p.stage_count++] = POLICY_CAPACITY;
	p.failback = below(3) == 0 ? POLICY_MANUAL : POLICY_IMMEDIATE;

	/* Most change what they say, and neither their targets nor their age. */
	if (below(3) > 0) {
		static const struct policy_target all = {POLICY_PATTERN,
		                                         {(const uint8_t *)"*.com", 5}};

		p.targets = &all;
		p.target_count = 1;
		records_world_put(w, "", records_fact_policy("shop/all", &p, 1));
	} else if (below(3) == 0) {
		records_world_remove(w, "", FACT_TRAFFIC_POLICY, key());
	} else {
		records_world_put(w, "", records_fact_policy(key(), &p, age()));
	}
}

/* Of published sites, some with clusters that nobody registers. */
static void change_sites(struct records_world *w)
{
	static const char *const names[] = {"www.example.com", "web.shop.d.svc.example.com",
	                                    "x.sub.example.com"};
	struct bytes target[6];
	struct fact_endpoint list[6];
	struct fact_value v = {.kind = FACT_DNS_ENDPOINT,
	                       .namespace = bytes_of(PICK(namespaces)),
	                       .name = bytes_of(PICK(sites_names)),
	                       .created = age(),
	                       .dns_endpoint = {true, list, below(7)}};

	for (size_t i = 0; i < v.dns_endpoint.endpoint_count; i++) {
		target[i] = bytes_of(PICK(site_targets));
		list[i] = (struct fact_endpoint){
			.name = bytes_of(PICK(names)),
			.type = bytes_of(PICK(site_types)),
			.set_identifier = bytes_of(PICK(site_clusters)),
			.ttl = below(3) * 10,
			.targets = &target[i],
			.target_count = below(8) != 0,
			.site = {.port = below(2) ? 443 : 0, .is_unready = below(3) == 0}};
		list[i].site.has_ready = list[i].site.has_total = below(2);
		list[i].site.ready = list[i].site.has_ready;
	}
	records_world_put(w, "", records_fact(&v));
}

static void change_host(struct records_world *w)
{
	static const enum fact_kind kinds[] = {FACT_SERVICE_DNS_RECORD, FACT_INGRESS_DNS_RECORD,
	                                       FACT_DNS_ENDPOINT};
	bool maybe = below(2);
	char sites_key[64];

	switch (below(17)) {
	case 14:
	case 15:
		change_sites(w);
		break;
	case 16:
		snprintf(sites_key, sizeof(sites_key), "%s/%s", PICK(namespaces),
		         PICK(sites_names));
		records_world_remove(w, "", FACT_DNS_ENDPOINT, sites_key);
		break;
	case 11:
	case 12:
		change_policy(w);
		break;
	case 9:
		records_world_put(w, "",
		                  records_fact_dns_endpoint("config/zone", PICK(config_lines),
		                                            FACT_CONFIG_TIME));
		break;
	case 10:
		records_world_remove(w, "", FACT_DNS_ENDPOINT, "config/zone");
		break;
	case 0:
		records_world_put(
			w, "",
			records_fact_domain(below(2) ? "kube-federation-system/d" : "ns/d",
		                            PICK(domains), age()));
		break;
	case 1:
		records_world_remove(w, "", FACT_DOMAIN,
		                     below(2) ? "kube-federation-system/d" : "ns/d");
		break;
	case 2:
		records_world_put(w, "",
		                  records_fact_cluster(PICK(cluster_names), PICK(regions),
		                                       PICK(zones), NULL, maybe));
		break;
	case 3:
	case 4:
		records_world_put(w, "",
		                  records_fact_service_record(key(), below(8) ? "d" : "e",
		                                              below(3) * 100, maybe ? "www" : NULL,
		                                              below(4) ? NULL : "x"));
		break;
	case 5:
	case 13:
		records_world_put(w, "", records_fact_ingress_record(key(), PICK(hosts), 0));
		break;
	case 6:
	case 7:
		records_world_put(w, "", records_fact_dns_endpoint(key(), PICK(lines), age()));
		break;
	default:
		records_world_remove(w, "", kinds[below(3)], key());
	}
}

/* What stands before Ingresses of these addresses. */
static void change_gateway(struct records_world *w, const char *cluster)
{
	static const char *const addresses[] = {"192.0.2.99", "192.0.2.1,192.0.2.99", "gate.test.",
	                                        ""};

	switch (below(4)) {
	case 0:
		records_world_put(w, cluster,
		                  records_fact_service("ingress/gate", PICK(addresses), 80, NULL,
		                                       NULL, NULL, 1));
		break;
	case 1:
	case 2:
		records_world_put(
			w, cluster,
			records_fact_endpoints("ingress/gate-1", "gate", below(2), below(2)));
		break;
	default:
		records_world_remove(w, cluster, below(2) ? FACT_SERVICE : FACT_ENDPOINT_SLICE,
		                     below(2) ? "ingress/gate" : "ingress/gate-1");
	}
}

static void change_member(struct records_world *w)
{
	static const enum fact_kind kinds[] = {FACT_SERVICE, FACT_ENDPOINT_SLICE, FACT_INGRESS,
	                                       FACT_NODE};
	static const char *const gates[] = {"192.0.2.99", "192.0.2.99", "GATE.test", "192.0.2.1"};
	static const char *const rules[] = {"", "www.example.com=web", "=api web",
	                                    "*.example.com=api,www.example.com=web"};
	const char *cluster = PICK(cluster_names);
	const char *host = below(2) ? PICK(hosts) : NULL;

	switch (below(13)) {
	case 9:
	case 10:
		change_gateway(w, cluster);
		break;
	case 0:
	case 1:
	case 2:
		records_world_put(w, cluster,
		                  records_fact_service(key(), PICK(targets), below(2) ? 443 : 0,
		                                       host, below(5) ? NULL : "192.0.2.50,x.test",
		                                       below(3) ? NULL : "1h", age()));
		break;
	case 3:
	case 4:
		records_world_put(
			w, cluster,
			records_fact_endpoints(key(), PICK(object_names), below(3), below(4)));
		break;
	case 5:
	case 11:
	case 12:
		records_world_put(
			w, cluster,
			records_fact_ingress(key(), below(3) ? PICK(gates) : PICK(targets),
		                             PICK(rules), below(2) ? "www.example.com" : NULL, host,
		                             age()));
		break;
	case 6:
		records_world_put(
			w, cluster,
			records_fact_node(PICK(object_names), PICK(regions), PICK(zones)));
		break;
	case 7:
		records_world_cluster(w, cluster, below(4) != 0);
		break;
	default:
		records_world_remove(w, cluster, kinds[below(4)], key());
	}
}

/* Every host name has one fixed answer, whenever somebody asks. */
static void resolve(struct records_world *w)
{
	for (size_t i = 0; i < w->last->host_count; i++) {
		struct addr a[2];

		assert_true(addr_parse(bytes_of("198.51.100.2"), &a[0]));
		assert_true(addr_parse(bytes_of("198.51.100.1"), &a[1]));
		records_set_host(w->records, w->last->hosts[i], a, 1 + w->last->hosts[i].len % 2,
		                 60);
	}
}

static void settle(struct records_world *w)
{
	records_world_build(w);
	resolve(w);
	records_world_build(w);
}

static void assert_same_text(char *have, char *want)
{
	assert_string_equal(have, want);
	free(have);
	free(want);
}

static size_t count_probes(const struct records_world *w)
{
	size_t count = 0;

	for (size_t i = 0; i < w->last->probe_count; i++)
		count += w->last->probes[i].addr.family != ADDR_NONE;
	return count;
}

static size_t count_holds(const struct records_world *w)
{
	size_t count = 0;

	for (size_t i = 0; i < w->last->hold_back_count; i++)
		count += w->last->holds_back[i].owner.len > 0;
	return count;
}

/* What the guard holds back is let through: held names are not part of the comparison. */
static void release_all(struct records_world *w)
{
	const struct records_hold *list;

	while (records_holds(w->records, &list) > 0) {
		assert_int_equal(records_release(w->records, list[0].zone), ERR_OK);
		records_world_build(w);
	}
}

static void assert_as_from_scratch(struct records_world *w)
{
	struct records_world *again;

	settle(w);
	release_all(w);
	again = records_world_again(w);
	settle(again);
	assert_same_text(records_world_print(w), records_world_print(again));
	assert_same_text(records_world_problems(w), records_world_problems(again));
	assert_same_text(records_world_conflicts(w), records_world_conflicts(again));
	assert_same_text(records_world_policies(w), records_world_policies(again));
	assert_int_equal(count_probes(w), count_probes(again));
	assert_int_equal(count_holds(w), count_holds(again));
	assert_int_equal(w->last->cluster_count, again->last->cluster_count);
	for (size_t i = 0; i < w->last->cluster_count; i++)
		assert_string_equal(w->last->clusters[i].name, again->last->clusters[i].name);
	assert_int_equal(w->last->host_count, again->last->host_count);
	for (size_t i = 0; i < w->last->host_count; i++)
		assert_true(bytes_equal(w->last->hosts[i], again->last->hosts[i]));
	records_world_free(again);
}

static void test_incremental_equals_from_scratch(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 60; seed++) {
		struct records_world *w = records_world_new();

		seed_state = seed;
		w->settings.guard_min_names = 1;
		w->settings.guard_max_percent = seed % 2 ? 100 : 10;
		w->settings.guard_hold_ms = seed % 4 ? 0 : 5000;
		records_world_configure(w);
		for (size_t i = 0; i < 3; i++)
			records_world_cluster(w, cluster_names[i], true);
		records_world_put(
			w, "", records_fact_domain("kube-federation-system/d", "example.com", 1));
		for (int round = 0; round < 40; round++) {
			for (unsigned steps = 1 + below(round % 10 == 0 ? 60 : 4); steps > 0;
			     steps--)
				(below(2) ? change_host : change_member)(w);
			records_world_build(w);
			w->now_ms += below(4000);
			if (below(4) == 0)
				resolve(w);
			if (below(20) == 0) {
				w->settings.default_ttl = 30 + below(2);
				records_world_configure(w);
			}
			if (round % 8 == 7)
				assert_as_from_scratch(w);
		}
		records_world_free(w);
	}
}

/* Nothing changes: nothing is said. */
static void test_an_idle_build_says_nothing(void **state)
{
	struct records_world *w = records_world_new();

	(void)state;
	seed_state = 99;
	for (int i = 0; i < 300; i++)
		(below(2) ? change_host : change_member)(w);
	settle(w);
	assert_int_equal(records_world_build(w), 0);
	assert_false(w->last->everything || w->last->zones_changed || w->last->clusters_changed ||
	             w->last->wants_changed || w->last->report_changed ||
	             w->last->policies_changed);
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_incremental_equals_from_scratch),
		cmocka_unit_test(test_an_idle_build_says_nothing),
	};

	return cmocka_run_group_tests_name("records/histories", tests, NULL, NULL);
}
