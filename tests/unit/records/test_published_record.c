/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "base/xalloc.h"
#include "records/rendering.h"
#include "records/site_names.h"
#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

#define WEB "web.shop.d.svc.example.com"

/* --- objects from lines: "NAME TTL TYPE SITE TARGET ..." ("-": no site) --- */

static struct bytes word(const char **at)
{
	struct bytes w;

	*at += strspn(*at, " ");
	w = (struct bytes){(const uint8_t *)*at, strcspn(*at, " \n")};
	*at += w.len;
	return w;
}

static struct fact_endpoint read_line(const char **at, struct bytes targets[8])
{
	struct fact_endpoint e = {.name = word(at)};

	e.ttl = atoi((const char *)word(at).data);
	e.type = word(at);
	e.set_identifier = word(at);
	if (bytes_equal_text(e.set_identifier, "-"))
		e.set_identifier.len = 0;
	e.targets = targets;
	while (**at && **at != '\n')
		targets[e.target_count++] = word(at);
	*at += **at == '\n';
	return e;
}

/* `site` NULL: nothing more is said of any. */
static void put_sites_that_say(struct records_world *w, const char *name, const char *lines,
                               const struct fact_site *site)
{
	static struct bytes targets[8][8];
	struct fact_endpoint list[8];
	struct fact_value v = {.kind = FACT_DNS_ENDPOINT,
	                       .namespace = bytes_of("shop"),
	                       .name = bytes_of(name),
	                       .created = 1,
	                       .dns_endpoint = {true, list, 0}};

	while (*lines) {
		struct fact_endpoint *e = &list[v.dns_endpoint.endpoint_count];

		*e = read_line(&lines, targets[v.dns_endpoint.endpoint_count++]);
		if (site && e->set_identifier.len > 0)
			e->site = *site;
	}
	records_world_put(w, "", records_fact(&v));
}

static void put_sites(struct records_world *w, const char *lines)
{
	put_sites_that_say(w, "nigh-service-web", lines, NULL);
}

/* Knows the host alone, and three KubeFedClusters of it. */
static struct records_world *edge(void)
{
	struct records_world *w = records_world_new();

	records_world_put(w, "", records_fact_domain("kube-federation-system/d", "example.com", 1));
	records_world_put(w, "", records_fact_cluster("la", NULL, NULL, "34,-118", false));
	records_world_put(w, "", records_fact_cluster("ny", "us-east-1", NULL, NULL, true));
	records_world_put(w, "", records_fact_cluster("tokyo", NULL, NULL, "35,139", false));
	facts_set_cluster(w->facts, FACTS_HOST,
	                  &(struct cluster_state){.registered = true,
	                                          .source = CLUSTER_KUBERNETES,
	                                          .knowledge = KNOWLEDGE_SYNCED});
	return w;
}

static const struct records_cluster *cluster(const struct records_world *w, const char *name)
{
	size_t i = 0;

	while (i < w->last->cluster_count && strcmp(w->last->clusters[i].name, name) != 0)
		i++;
	assert_true(i < w->last->cluster_count);
	return &w->last->clusters[i];
}

/* --- an object --- */

static void test_each_cluster_is_a_site_and_names_fall_back_as_the_object_says(void **state)
{
	struct records_world *w = edge();

	(void)state;
	put_sites(w, WEB
	          " 60 A ny 192.0.2.20 192.0.2.21\n" WEB " 60 AAAA ny 2001:db8::20\n" WEB
	          " 60 A la 192.0.2.10\nweb.shop.d.svc.us-east-1.example.com 60 A ny 192.0.2.20 "
	          "192.0.2.21\nweb.shop.d.svc.us-east-1.example.com 60 CNAME - " WEB
	          "\nwww.example.com 60 CNAME - " WEB);
	records_world_build(w);
	assert_int_equal(w->count, 3);
	records_world_expect(w, WEB ".",
	                     "DNSEndpoint shop/nigh-service-web; open; la EL A 60 192.0.2.10; "
	                     "ny EL A 60 192.0.2.20 192.0.2.21 AAAA 60 2001:db8::20");
	records_world_expect(w, "web.shop.d.svc.us-east-1.example.com.",
	                     "DNSEndpoint shop/nigh-service-web; ny EL A 60 192.0.2.20 192.0.2.21; "
	                     "fallback " WEB ". 60");
	records_world_expect(w, "www.example.com.",
	                     "DNSEndpoint shop/nigh-service-web; fixed CNAME 60 " WEB ".");
	records_world_expect_text(records_world_problems(w), "");
	records_world_free(w);
}

static void test_clusters_that_are_named_have_what_is_known_of_them_and_go_with_the_last_name(
	void **state)
{
	struct records_world *w = edge();

	(void)state;
	put_sites(w, WEB " 60 A la 192.0.2.10\n" WEB " 60 A ny 192.0.2.20\n" WEB
	                 " 60 A nowhere 192.0.2.30");
	records_world_build(w);
	/* One has no site at the moment. */
	assert_int_equal(w->last->cluster_count, 4);
	assert_true(cluster(w, "tokyo")->has_place);
	assert_true(cluster(w, "la")->has_place && !cluster(w, "la")->drained);
	assert_string_equal(cluster(w, "ny")->place_from, "region us-east-1");
	assert_true(cluster(w, "ny")->drained);
	assert_false(cluster(w, "nowhere")->has_place);
	assert_int_equal(cluster(w, "la")->state->knowledge, KNOWLEDGE_SYNCED);
	assert_int_equal(cluster(w, "la")->state->source, CLUSTER_SITES);
	assert_non_null(strstr(records_world_show(w, WEB "."), "nowhere EL A 60 192.0.2.30"));
	records_world_expect_text(records_world_problems(w),
	                          "cluster nowhere: has no location: ranked last\n");
	facts_set_cluster(w->facts, FACTS_HOST,
	                  &(struct cluster_state){.registered = true,
	                                          .source = CLUSTER_KUBERNETES,
	                                          .knowledge = KNOWLEDGE_UNSEEN});
	records_world_build(w);
	assert_int_equal(cluster(w, "la")->state->knowledge, KNOWLEDGE_UNSEEN);
	put_sites(w, WEB " 60 A la 192.0.2.10\n" WEB " 60 A ny 192.0.2.20");
	records_world_build(w);
	assert_int_equal(w->last->cluster_count, 3);
	records_world_put(w, "", records_fact_cluster("rome", NULL, NULL, "41,12", false));
	records_world_build(w);
	assert_int_equal(w->last->cluster_count, 4);
	records_world_expect_text(records_world_problems(w), "");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "shop/nigh-service-web");
	records_world_build(w);
	assert_int_equal(w->last->cluster_count, 0);
	assert_int_equal(w->count, 0);
	records_world_free(w);
}

static void test_what_contradicts_itself_is_said_and_the_first_counts(void **state)
{
	struct records_world *w = edge();

	(void)state;
	put_sites(w, WEB " 60 A la 192.0.2.10\n" WEB " 60 a la 192.0.2.11\n" WEB
	                 " 60 TXT la hello\n" WEB " 60 A - 192.0.2.12\n" WEB
	                 " 60 A ny bad..name 127.0.0.1\n"
	                 "www.example.com 60 CNAME - " WEB "\nWWW.example.com 60 CNAME - x.test\n"
	                 "out.test 60 A la 192.0.2.10");
	records_world_build(w);
	records_world_expect(
		w, WEB ".", "DNSEndpoint shop/nigh-service-web; open; la EL A 60 192.0.2.10; ny E");
	records_world_expect(w, "www.example.com.",
	                     "DNSEndpoint shop/nigh-service-web; fixed CNAME 60 " WEB ".");
	records_world_expect_text(
		records_world_problems(w),
		"DNSEndpoint shop/nigh-service-web: WWW.example.com, CNAME: it is there twice: the "
		"first "
		"one counts\n"
		"DNSEndpoint shop/nigh-service-web: address 127.0.0.1 is never published\n"
		"DNSEndpoint shop/nigh-service-web: out.test is outside every zone\n"
		"DNSEndpoint shop/nigh-service-web: target 'bad..name' is neither an address nor a "
		"host name\n"
		"DNSEndpoint shop/nigh-service-web: " WEB
		", A: without a site it must be one CNAME\n"
		"DNSEndpoint shop/nigh-service-web: " WEB
		", TXT of site la: a site has A, AAAA or CNAME\n"
		"DNSEndpoint shop/nigh-service-web: " WEB
		", a of site la: it is there twice: the first one counts\n");
	records_world_free(w);
}

static void test_an_object_changes_from_sites_to_a_union_and_back(void **state)
{
	struct records_world *w = edge();
	const char *const sites = WEB " 60 A la 192.0.2.10\n" WEB " 60 A ny 192.0.2.20";

	(void)state;
	for (int i = 0; i < 2; i++) {
		put_sites_that_say(w, "e", sites, &(struct fact_site){.port = 443});
		records_world_build(w);
		records_world_expect(w, WEB ".",
		                     "DNSEndpoint shop/e; open; la EL A 60 192.0.2.10 "
		                     "[192.0.2.10:443]; ny EL A 60 192.0.2.20 [192.0.2.20:443]");
		assert_int_equal(w->last->cluster_count, 3);
		records_world_put(
			w, "",
			records_fact_dns_endpoint("shop/e", WEB " 60 A 192.0.2.10 192.0.2.20", 1));
		records_world_build(w);
		records_world_expect(w, WEB ".",
		                     "DNSEndpoint shop/e; fixed A 60 192.0.2.10 192.0.2.20");
		assert_int_equal(w->last->cluster_count, 0);
		for (size_t k = 0; k < w->last->probe_count; k++)
			assert_int_equal(w->last->probes[k].addr.family, ADDR_NONE);
	}
	records_world_free(w);
}

/* Beside its sites the union of a record is only another rendering of it. */
static void test_the_union_of_a_record_stands_back_behind_its_sites(void **state)
{
	struct records_world *w = edge();

	(void)state;
	records_world_put(w, "",
	                  records_fact_dns_endpoint("shop/service-web",
	                                            WEB " 60 A 192.0.2.10 192.0.2.20", 0));
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, WEB "."), "fixed A"));
	put_sites(w, WEB " 60 A la 192.0.2.10");
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, WEB "."), "la EL A"));
	records_world_expect_text(records_world_conflicts(w), "");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "shop/nigh-service-web");
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, WEB "."), "fixed A"));
	records_world_free(w);
}

static void test_strangers_get_half_of_the_ids_of_clusters_and_no_more(void **state)
{
	struct records_world *w = edge();
	char lines[64], name[32];

	(void)state;
	for (int i = 0; i < SITE_NAMES_MOST + 10; i++) {
		snprintf(name, sizeof(name), "nigh-service-s%d", i);
		snprintf(lines, sizeof(lines), "s%d.example.com 60 A c%d 192.0.2.10", i, i);
		put_sites_that_say(w, name, lines, NULL);
	}
	records_world_build(w);
	/* Beside them the host and three KubeFedClusters. */
	assert_int_equal(facts_cluster_count(w->facts), SITE_NAMES_MOST + 4);
	assert_int_equal(w->count, SITE_NAMES_MOST);
	/* Who was not given one has a site as soon as somebody registers it. */
	for (int i = 0; snprintf(name, sizeof(name), "c%d", i) &&
	                facts_find_cluster(w->facts, bytes_of(name)) != UINT16_MAX;)
		i++;
	records_world_cluster(w, name, true);
	records_world_build(w);
	assert_int_equal(w->count, SITE_NAMES_MOST + 1);
	records_world_free(w);
}

/* --- what is published of a record is answered from as the record is --- */

static struct bytes json_text(struct json_object *of, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(of, key, &value) ? bytes_of(json_object_get_string(value))
	                                                  : (struct bytes){NULL, 0};
}

static struct fact_site read_site(struct json_object *labels)
{
	struct fact_site site = {.port = 0};
	struct bytes failed = json_text(labels, "nigh.dev/failed");
	struct bytes endpoints = json_text(labels, "nigh.dev/endpoints");
	struct bytes port = json_text(labels, "nigh.dev/port");

	site.port = port.len ? (uint16_t)atoi((const char *)port.data) : 0;
	site.is_unready = failed.len && strstr((const char *)failed.data, "endpoints");
	site.has_no_gateway = failed.len && strstr((const char *)failed.data, "gateway");
	site.has_ready = endpoints.len > 0;
	site.has_total = endpoints.len > 0 && strchr((const char *)endpoints.data, '/');
	if (site.has_ready)
		site.ready = (uint32_t)atoi((const char *)endpoints.data);
	if (site.has_total)
		site.total = (uint32_t)atoi(strchr((const char *)endpoints.data, '/') + 1);
	return site;
}

static void read_endpoint(struct json_object *from, struct bytes targets[8],
                          struct fact_endpoint *out)
{
	struct json_object *list, *labels;

	assert_true(json_object_object_get_ex(from, "targets", &list));
	*out = (struct fact_endpoint){.name = json_text(from, "dnsName"),
	                              .type = json_text(from, "recordType"),
	                              .set_identifier = json_text(from, "setIdentifier"),
	                              .ttl = atoi((const char *)json_text(from, "recordTTL").data),
	                              .targets = targets,
	                              .target_count = json_object_array_length(list)};
	for (size_t i = 0; i < out->target_count; i++)
		targets[i] = bytes_of(json_object_get_string(json_object_array_get_idx(list, i)));
	if (json_object_object_get_ex(from, "labels", &labels)) {
		assert_true(
			bytes_equal(json_text(labels, "nigh.dev/cluster"), out->set_identifier));
		out->site = read_site(labels);
	}
}

/* What the propagator would write of the record, put into the other world. */
static void publish(const struct records_world *from, struct records_world *to, enum fact_kind kind)
{
	bool service = kind == FACT_SERVICE_DNS_RECORD;
	struct fact_value v = {.kind = FACT_DNS_ENDPOINT,
	                       .namespace = bytes_of("shop"),
	                       .name = bytes_of(service ? "nigh-service-web" : "nigh-ingress-web"),
	                       .created = 1};
	static struct bytes targets[32][8];
	struct fact_endpoint list[32];
	struct json_object *json;
	struct text text = {0};

	assert_int_equal(rendering_print_sites(from->records, from->facts, kind, bytes_of("shop"),
	                                       bytes_of("web"), &text),
	                 ERR_OK);
	json = json_tokener_parse(text.data);
	v.dns_endpoint.endpoint_count = json_object_array_length(json);
	v.dns_endpoint.endpoints = list;
	v.dns_endpoint.is_sites = true;
	for (size_t i = 0; i < v.dns_endpoint.endpoint_count; i++)
		read_endpoint(json_object_array_get_idx(json, i), targets[i], &list[i]);
	records_world_put(to, "", records_fact(&v));
	json_object_put(json);
	text_fini(&text);
}

static void look_up_hosts(struct records_world *w)
{
	struct addr a;

	assert_true(addr_parse(bytes_of("198.51.100.1"), &a));
	for (size_t i = 0; i < w->last->host_count; i++)
		records_set_host(w->records, w->last->hosts[i], &a, 1, 20);
	records_world_build(w);
}

/* Behind the source. */
static const char *data_of(const char *shown)
{
	const char *at = shown ? strchr(shown, ';') : NULL;

	return at ? at : "nothing";
}

static void expect_same(const struct records_world *at, const struct records_world *want)
{
	assert_int_equal(at->count, want->count);
	for (size_t i = 0; i < want->count; i++)
		assert_string_equal(data_of(records_world_show(at, want->names[i].owner)),
		                    data_of(want->names[i].text));
}

static void publish_and_compare(struct records_world *host, struct records_world *at)
{
	records_world_build(host);
	look_up_hosts(host);
	if (facts_find(host->facts, FACTS_HOST, FACT_SERVICE_DNS_RECORD, bytes_of("shop"),
	               bytes_of("web")))
		publish(host, at, FACT_SERVICE_DNS_RECORD);
	if (facts_find(host->facts, FACTS_HOST, FACT_INGRESS_DNS_RECORD, bytes_of("shop"),
	               bytes_of("web")))
		publish(host, at, FACT_INGRESS_DNS_RECORD);
	records_world_build(at);
	look_up_hosts(at);
	expect_same(at, host);
	records_world_expect_text(records_world_problems(at), "");
}

/* Three clusters: one is ready, one is not, one has no address yet. */
static void put_services(struct records_world *w)
{
	records_world_cluster(w, "tokyo", true);
	records_world_put(w, "",
	                  records_fact_cluster("tokyo", "ap-northeast-1", "a,b", NULL, false));
	records_world_put_service(w, "la", "192.0.2.1,2001:db8::1,lb.test");
	records_world_put(w, "ny",
	                  records_fact_service("shop/web", "192.0.2.2", 80, NULL, NULL, NULL, 1));
	records_world_put(w, "ny", records_fact_endpoints("shop/web-1", "web", 0, 2));
	records_world_put(w, "tokyo",
	                  records_fact_service("shop/web", "", 80, NULL, NULL, NULL, 1));
	records_world_put(w, "tokyo", records_fact_endpoints("shop/web-1", "web", 1, 2));
}

/* All that a policy can ask of a site. */
static void put_policy(struct records_world *w, enum policy_target_kind kind)
{
	const struct policy_target target = {kind, bytes_of("web")};
	struct policy_value p = {.targets = &target,
	                         .target_count = 1,
	                         .min_ready_percent = 60,
	                         .failback = POLICY_MANUAL,
	                         .stages = {POLICY_CAPACITY},
	                         .stage_count = 1,
	                         .check = {.kind = POLICY_CHECK_HTTP, .path = bytes_of("/")}};

	records_world_put(w, "", records_fact_policy("shop/p", &p, 1));
}

static void test_the_sites_of_a_service_are_answered_from_as_the_record_is(void **state)
{
	struct records_world *host = records_world_small(), *at = edge();

	(void)state;
	records_world_put(host, "", records_fact_service_record("shop/web", "d", 60, "www", NULL));
	put_services(host);
	publish_and_compare(host, at);
	assert_true(host->count >= 8);
	put_policy(host, POLICY_SERVICE_DNS_RECORD);
	put_policy(at, POLICY_SERVICE_DNS_RECORD);
	publish_and_compare(host, at);
	assert_non_null(strstr(records_world_show(at, WEB "."), "capacity"));
	put_policy(host, POLICY_SERVICE);
	put_policy(at, POLICY_SERVICE);
	publish_and_compare(host, at);
	/* One that nobody has any more has no names but its prefix. */
	records_world_remove(host, "la", FACT_SERVICE, "shop/web");
	publish_and_compare(host, at);
	records_world_remove(host, "ny", FACT_SERVICE, "shop/web");
	records_world_remove(host, "tokyo", FACT_SERVICE, "shop/web");
	publish_and_compare(host, at);
	assert_int_equal(at->count, 1);
	records_world_free(host);
	records_world_free(at);
}

static void test_the_sites_of_an_ingress_are_answered_from_as_the_record_is(void **state)
{
	struct records_world *host = records_world_small(), *at = edge();

	(void)state;
	records_world_put(
		host, "",
		records_fact_ingress_record("shop/web", "www.example.com,*.example.com", 60));
	for (int i = 0; i < 2; i++) {
		const char *cluster = i ? "ny" : "la", *gate = i ? "192.0.2.92" : "192.0.2.91";

		records_world_put(host, cluster,
		                  records_fact_ingress("shop/web", gate,
		                                       "www.example.com=web,*.example.com=api",
		                                       "www.example.com", NULL, 1));
		records_world_put(host, cluster, records_fact_endpoints("shop/web-1", "web", 2, 3));
		records_world_put(host, cluster,
		                  records_fact_endpoints("shop/api-1", "api", (uint32_t)i, 1));
	}
	records_world_put(
		host, "ny",
		records_fact_service("ingress/gate", "192.0.2.92", 80, NULL, NULL, NULL, 1));
	records_world_put(host, "ny", records_fact_endpoints("ingress/gate-1", "gate", 0, 1));
	publish_and_compare(host, at);
	assert_non_null(strstr(records_world_show(at, "www.example.com."), "ny ELg A"));
	assert_non_null(strstr(records_world_show(at, "*.example.com."), "la L A"));
	put_policy(host, POLICY_INGRESS);
	put_policy(at, POLICY_INGRESS);
	publish_and_compare(host, at);
	assert_non_null(strstr(records_world_show(at, "www.example.com."), "2/3"));
	records_world_free(host);
	records_world_free(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_each_cluster_is_a_site_and_names_fall_back_as_the_object_says),
		cmocka_unit_test(
			test_clusters_that_are_named_have_what_is_known_of_them_and_go_with_the_last_name),
		cmocka_unit_test(test_what_contradicts_itself_is_said_and_the_first_counts),
		cmocka_unit_test(test_an_object_changes_from_sites_to_a_union_and_back),
		cmocka_unit_test(test_the_union_of_a_record_stands_back_behind_its_sites),
		cmocka_unit_test(test_strangers_get_half_of_the_ids_of_clusters_and_no_more),
		cmocka_unit_test(test_the_sites_of_a_service_are_answered_from_as_the_record_is),
		cmocka_unit_test(test_the_sites_of_an_ingress_are_answered_from_as_the_record_is),
	};

	return cmocka_run_group_tests_name("records/published_record", tests, NULL, NULL);
}
