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

static void test_the_oldest_source_wins_and_the_next_takes_over(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "",
	                  records_fact_dns_endpoint("ns/none", "www.example.com 0 A 192.0.2.1",
	                                            FACT_NO_TIME));
	records_world_put(
		w, "", records_fact_dns_endpoint("ns/young", "www.example.com 0 A 192.0.2.2", 20));
	records_world_put(w, "",
	                  records_fact_dns_endpoint("ns/old", "www.example.com 0 A 192.0.2.3", 10));
	records_world_put_annotated(w, "la", "shop/web", "192.0.2.4", "www.example.com", 10);
	records_world_build(w);
	records_world_expect(w, "www.example.com.", "DNSEndpoint ns/old; fixed A 30 192.0.2.3");
	records_world_expect_text(records_world_conflicts(w),
	                          "www.example.com.: DNSEndpoint ns/old over DNSEndpoint ns/none\n"
	                          "www.example.com.: DNSEndpoint ns/old over DNSEndpoint ns/young\n"
	                          "www.example.com.: DNSEndpoint ns/old over Service shop/web\n");
	records_world_put(w, "",
	                  records_fact_dns_endpoint("config/zone", "WWW.example.com 0 A 127.0.0.1",
	                                            FACT_CONFIG_TIME));
	assert_int_equal(records_world_build(w), 1);
	records_world_expect(w, "www.example.com.", "config zone zone; fixed A 30 127.0.0.1");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "config/zone");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "ns/old");
	assert_int_equal(records_world_build(w), 1);
	records_world_expect(
		w, "www.example.com.",
		"annotation www.example.com; open; la L A 30 192.0.2.4 [192.0.2.4:80]");
	/* A loser's change says nothing. */
	records_world_put(
		w, "",
		records_fact_dns_endpoint("ns/young", "www.example.com 0 A 192.0.2.200", 20));
	assert_int_equal(records_world_build(w), 0);
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "ns/young");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "ns/none");
	records_world_build(w);
	records_world_expect_text(records_world_conflicts(w), "");
	records_world_free(w);
}

static void put_config(struct records_world *w, const char *lines)
{
	records_world_put(w, "", records_fact_dns_endpoint("config/zone", lines, FACT_CONFIG_TIME));
	records_world_build(w);
}

/* Type by type, as a zone's file does. */
static void test_records_of_the_config_stand_beside_what_another_has(void **state)
{
#define WWW   "www.example.com."
#define SITES "; open; la L A 30 192.0.2.4 [192.0.2.4:80]"
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_annotated(w, "la", "shop/web", "192.0.2.4", "www.example.com", 10);
	put_config(w, "www.example.com 60 MX 10 mail\nwww.example.com 60 TXT here");
	records_world_expect(w, WWW,
	                     "config zone zone and annotation www.example.com" SITES
	                     "; fixed MX 60 10 mail TXT 60 here");
	records_world_expect_text(records_world_conflicts(w), "");
	/* What changes of either shows. */
	records_world_put_annotated(w, "la", "shop/web", "192.0.2.5", "www.example.com", 10);
	assert_int_equal(records_world_build(w), 1);
	records_world_expect(w, WWW,
	                     "config zone zone and annotation www.example.com; open; la L A 30 "
	                     "192.0.2.5 [192.0.2.5:80]; fixed MX 60 10 mail TXT 60 here");
	/* Of a type that both have the config's counts, and the loss is told. */
	put_config(w, "www.example.com 60 A 192.0.2.99");
	records_world_expect(w, WWW, "config zone zone; fixed A 60 192.0.2.99");
	records_world_expect_text(records_world_conflicts(w),
	                          "www.example.com.: config zone zone over Service shop/web\n");
	put_config(w, "www.example.com 60 CNAME x.test");
	records_world_expect(w, WWW, "config zone zone; fixed CNAME 60 x.test");
	/* Beside what is the same for all, too; a third one has lost. */
	records_world_put(
		w, "",
		records_fact_dns_endpoint(
			"ns/old", "www.example.com 9 A 192.0.2.3\nwww.example.com 9 TXT x", 5));
	put_config(w, "www.example.com 60 TXT here");
	records_world_expect(
		w, WWW, "config zone zone and DNSEndpoint ns/old; fixed TXT 60 here A 9 192.0.2.3");
	records_world_expect_text(records_world_conflicts(w),
	                          "www.example.com.: config zone zone over DNSEndpoint ns/old\n"
	                          "www.example.com.: config zone zone over Service shop/web\n");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "ns/old");
	assert_int_equal(records_world_build(w), 1);
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "config/zone");
	assert_int_equal(records_world_build(w), 1);
	records_world_expect(
		w, WWW, "annotation www.example.com; open; la L A 30 192.0.2.5 [192.0.2.5:80]");
	records_world_expect_text(records_world_conflicts(w), "");
	records_world_free(w);
#undef WWW
#undef SITES
}

/* KubeFed's names go on to the next level by a CNAME: beside records all of their sites count instead. */
static void test_beside_records_of_the_config_there_is_no_fallback(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_service(w, "ny", "192.0.2.8");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	put_config(w, "web.shop.d.svc.us-east-1.example.com 60 TXT here");
	records_world_expect(w, "web.shop.d.svc.us-east-1.example.com.",
	                     "config zone zone and ServiceDNSRecord shop/web; open; ny EL A 180 "
	                     "192.0.2.8 [192.0.2.8:443]; fixed TXT 60 here");
	records_world_free(w);
}

static void test_a_recreated_object_takes_its_new_place(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "",
	                  records_fact_dns_endpoint("ns/a", "www.example.com 0 A 192.0.2.1", 10));
	records_world_put(w, "",
	                  records_fact_dns_endpoint("ns/b", "www.example.com 0 A 192.0.2.2", 20));
	records_world_build(w);
	records_world_put(w, "",
	                  records_fact_dns_endpoint("ns/a", "www.example.com 0 A 192.0.2.1", 30));
	assert_int_equal(records_world_build(w), 1);
	records_world_expect(w, "www.example.com.", "DNSEndpoint ns/b; fixed A 30 192.0.2.2");
	records_world_free(w);
}

static void test_a_probe_keeps_its_index_while_it_is_wanted(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_annotated(w, "la", "shop/a", "192.0.2.1", "a.example.com", 1);
	records_world_put_annotated(w, "la", "shop/b", "192.0.2.1", "b.example.com", 1);
	records_world_build(w);
	assert_int_equal(w->last->probe_count, 1);
	records_world_remove(w, "la", FACT_SERVICE, "shop/a");
	records_world_build(w);
	assert_false(w->last->wants_changed);
	records_world_remove(w, "la", FACT_SERVICE, "shop/b");
	records_world_build(w);
	assert_true(w->last->wants_changed);
	assert_int_equal(w->last->probes[0].addr.family, ADDR_NONE);
	records_world_put_annotated(w, "la", "shop/c", "192.0.2.3", "c.example.com", 1);
	records_world_build(w);
	assert_int_equal(w->last->probe_count, 1);
	assert_int_equal(w->last->probes[0].port, 80);
	records_world_free(w);
}

static void test_a_cluster_that_is_not_registered_has_no_sites(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_annotated(w, "la", "shop/a", "192.0.2.1", "a.example.com", 1);
	records_world_put_annotated(w, "houston", "shop/a", "192.0.2.2", "a.example.com", 1);
	records_world_build(w);
	records_world_expect(w, "a.example.com.",
	                     "annotation a.example.com; open; la L A 30 192.0.2.1 [192.0.2.1:80]");
	records_world_cluster(w, "houston", true);
	assert_int_equal(records_world_build(w), 1);
	assert_non_null(strstr(records_world_show(w, "a.example.com."), "houston L"));
	records_world_cluster(w, "la", false);
	records_world_build(w);
	records_world_expect(
		w, "a.example.com.",
		"annotation a.example.com; open; houston L A 30 192.0.2.2 [192.0.2.2:80]");
	records_world_free(w);
}

static void test_zones_come_from_domains_and_config_longest_first(void **state)
{
	struct records_world *w = records_world_small();
	struct bytes zones[] = {bytes_of("Sub.Example.com"), bytes_of("example.com")};

	(void)state;
	w->settings.zones = zones;
	w->settings.zone_count = 2;
	records_world_configure(w);
	records_world_put(w, "", records_fact_domain("ns/x", "bad..domain", 1));
	records_world_build(w);
	assert_int_equal(w->last->zone_count, 2);
	assert_memory_equal(w->last->zones[0].apex.data, "\3sub\7example\3com", 17);
	assert_true(w->last->zones[0].from_config && w->last->zones[1].from_config);
	records_world_free(w);
}

/* ns/oN: oN.example.com, with a text so long that a step takes up only a few of them. */
static const struct fact *large(int number, char letter, int64_t created)
{
	enum { LEN = 60000 };
	static char lines[LEN + 128];
	char key[32];
	int len;

	snprintf(key, sizeof(key), "ns/o%d", number);
	len = snprintf(lines, sizeof(lines),
	               "www.example.com 0 A 192.0.2.%d\no%d.example.com 0 TXT ", number + 1,
	               number);
	memset(lines + len, letter, LEN);
	lines[len + LEN] = '\0';
	return records_fact_dns_endpoint(key, lines, created);
}

static void test_a_large_start_is_taken_up_in_steps(void **state)
{
	struct records_world *w = records_world_small(), *again;
	char *names, *conflicts;
	int steps = 1;

	(void)state;
	for (int i = 0; i < 20; i++)
		records_world_put(w, "", large(i, 'a', 100 - i));
	records_world_step(w);
	assert_true(w->last->more);
	/* What changes meanwhile counts as it is now. */
	for (int i = 0; i < 20; i += 3)
		records_world_put(w, "", large(i, 'b', 100 - i));
	for (int i = 1; i < 20; i += 3) {
		char key[32];

		snprintf(key, sizeof(key), "ns/o%d", i);
		records_world_remove(w, "", FACT_DNS_ENDPOINT, key);
	}
	for (; w->last->more; steps++)
		records_world_step(w);
	assert_in_range(steps, 3, 20);
	assert_int_equal(records_world_build(w), 0);
	again = records_world_again(w);
	names = records_world_print(again);
	records_world_expect_text(records_world_print(w), names);
	free(names);
	conflicts = records_world_conflicts(again);
	records_world_expect_text(records_world_conflicts(w), conflicts);
	free(conflicts);
	assert_non_null(strstr(records_world_show(w, "www.example.com."), "192.0.2.19"));
	records_world_free(again);
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_oldest_source_wins_and_the_next_takes_over),
		cmocka_unit_test(test_records_of_the_config_stand_beside_what_another_has),
		cmocka_unit_test(test_beside_records_of_the_config_there_is_no_fallback),
		cmocka_unit_test(test_a_recreated_object_takes_its_new_place),
		cmocka_unit_test(test_a_probe_keeps_its_index_while_it_is_wanted),
		cmocka_unit_test(test_a_cluster_that_is_not_registered_has_no_sites),
		cmocka_unit_test(test_zones_come_from_domains_and_config_longest_first),
		cmocka_unit_test(test_a_large_start_is_taken_up_in_steps),
	};

	return cmocka_run_group_tests_name("records/build", tests, NULL, NULL);
}
