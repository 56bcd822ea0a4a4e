/* check.c -- nighd --check over folders: what is an error, what a warning, and where it stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"

/* nighd --check over the manifests ends with that status and tells the line, whose %M is their folder. */
static void check_tells(struct world *w, int status, const char *line)
{
	char dir[256], expected[1024];
	const char *const argv[] = {"$NIGHD", "--check", "--manifests", dir, NULL};
	size_t len = 0;

	snprintf(dir, sizeof(dir), "%s", world_path(w, "manifests"));
	for (const char *rest = line; *rest != '\0'; rest++) {
		bool is_dir = rest[0] == '%' && rest[1] == 'M';

		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%.*s",
		                        is_dir ? (int)strlen(dir) : 1, is_dir ? dir : rest);
		rest += is_dir;
	}
	world_expect_run(w, argv, status, expected);
}

static void test_a_world_that_deserves_only_a_warning_is_fine(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_folder(w, "manifests/clusters/nowhere");
	check_tells(w, 0, "warning: cluster nowhere: has no location: ranked last\n");
}

static void test_a_folder_that_is_not_there_is_a_warning(void **state)
{
	struct world *w = *state;

	world_remove(w, "manifests");
	check_tells(w, 0, "warning: %M: No such file or directory\n");
}

static void test_an_object_is_named_with_file_and_line(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_write(w, "manifests/host/records.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: ServiceDNSRecord\n"
	            "metadata: {name: web, namespace: other}\nspec: {domainRef: nothing}\n---\n"
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: Domain\n"
	            "metadata: {name: bad, namespace: kube-federation-system}\ndomain: a..b\n---\n"
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: DNSEndpoint\n"
	            "metadata: {name: mail, namespace: shop}\nspec:\n  endpoints:\n"
	            "  - {dnsName: mail.example.com, recordType: MX, targets: [\"ten mx\"]}\n"
	            "  - {dnsName: mail.other.test, recordType: A, targets: [192.0.2.1]}\n");
	check_tells(w, 1,
	            "%M/host/records.yaml:1: ServiceDNSRecord other/web: there is no Domain named "
	            "'nothing'\n");
	check_tells(w, 1,
	            "%M/host/records.yaml:6: Domain kube-federation-system/bad: domain 'a..b': ");
	check_tells(
		w, 1,
		"%M/host/records.yaml:11: DNSEndpoint shop/mail: mail.other.test is outside every "
		"zone\n");
	check_tells(w, 1, "%M/host/records.yaml:11: DNSEndpoint shop/mail: mail.example.com. MX: ");
}

static void test_of_a_service_in_several_clusters_the_one_is_named_that_is_meant(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_service(w, "newyork", "blog", "198.18.1.11", true, "");
	world_service(w, "houston", "blog", "198.18.2.11", true,
	              "external-dns.alpha.kubernetes.io/hostname: blog.other.test");
	world_service(w, "losangeles", "blog", "198.18.3.11", true, "");
	check_tells(w, 1,
	            "%M/clusters/houston/service-blog.yaml:1: Service shop/blog: host "
	            "blog.other.test is outside every zone\n");
}

static void test_a_conflict_is_an_error_that_names_both_places(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_endpoint(w, "blog.yaml", "blog", "blog.example.com", "A", "192.0.2.1");
	world_service(w, "houston", "blog", "198.18.2.11", true,
	              "external-dns.alpha.kubernetes.io/hostname: blog.example.com");
	check_tells(w, 1,
	            "%M/clusters/houston/service-blog.yaml:1: Service shop/blog: "
	            "blog.example.com has two sources, and DNSEndpoint shop/blog "
	            "(%M/host/blog.yaml:1) is older or comes first\n");
}

static void test_a_warning_names_the_file_of_its_cluster(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_cluster(w, "houston", "", "nowhere-1", "");
	check_tells(w, 0,
	            "%M/host/cluster-houston.yaml:1: warning: cluster houston: has no location: "
	            "ranked last\n");
}

static void test_what_a_policy_says_in_vain_is_a_warning(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_write(w, "manifests/host/policy.yaml",
	            "apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
	            "metadata: {name: web, namespace: shop}\n"
	            "spec:\n  targetRefs: [{hostname: www.example.com}]\n"
	            "  stages: [{weighted: {weights: {atlantis: 1}}}, {nearest: {}}]\n");
	check_tells(w, 0,
	            "%M/host/policy.yaml:1: warning: TrafficPolicy shop/web: no cluster is "
	            "registered as atlantis\n");
	check_tells(w, 0,
	            "%M/host/policy.yaml:1: warning: TrafficPolicy shop/web: "
	            "spec.stages[1].nearest: decides nothing behind weighted\n");
}

static void test_data_that_a_zone_cannot_hold_for_an_annotation_is_named(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_service(w, "houston", "top", "198.18.2.11", true,
	              "external-dns.alpha.kubernetes.io/hostname: Example.com, "
	              "external-dns.alpha.kubernetes.io/target: www.other.test");
	check_tells(w, 1,
	            "%M/clusters/houston/service-top.yaml:1: annotation example.com: "
	            "example.com. CNAME: ");
}

static void test_a_record_of_the_config_is_named_with_its_own_line(void **state)
{
	struct world *w = *state;
	char file[256], expected[1024];
	const char *const argv[] = {"$NIGHD", "--check", "-c", file, NULL};

	world_three_cities(w);
	world_endpoint(w, "blog.yaml", "blog", "blog.example.com", "A", "192.0.2.1");
	world_write(
		w, "nighd.yaml",
		"sources: {manifests: [manifests]}\nzones:\n- name: example.com\n"
		"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n  records:\n"
		"  - www A 192.0.2.1\n  - Blog A 192.0.2.2\n  - NS1 TXT x\n");
	snprintf(file, sizeof(file), "%s", world_path(w, "nighd.yaml"));
	snprintf(expected, sizeof(expected),
	         "/manifests/host/blog.yaml:1: DNSEndpoint shop/blog: blog.example.com has two "
	         "sources, and config zone example.com (%s:7) is older or comes first\n",
	         file);
	world_expect_run(w, argv, 1, expected);
	snprintf(expected, sizeof(expected), "%s:8: config zone example.com: ", file);
	world_expect_run(w, argv, 1, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_world_that_deserves_only_a_warning_is_fine),
		world_test(test_a_folder_that_is_not_there_is_a_warning),
		world_test(test_an_object_is_named_with_file_and_line),
		world_test(test_of_a_service_in_several_clusters_the_one_is_named_that_is_meant),
		world_test(test_a_conflict_is_an_error_that_names_both_places),
		world_test(test_a_warning_names_the_file_of_its_cluster),
		world_test(test_what_a_policy_says_in_vain_is_a_warning),
		world_test(test_data_that_a_zone_cannot_hold_for_an_annotation_is_named),
		world_test(test_a_record_of_the_config_is_named_with_its_own_line),
	};

	return cmocka_run_group_tests_name("scenario/check", tests, NULL, NULL);
}
