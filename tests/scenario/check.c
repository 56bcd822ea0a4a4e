/* check.c -- nighd --check over folders: what is an error, what a warning, and where it stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/watcher_authority.h"
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

/* --- probes of policies --- */

/* The policy shop/web probes so; %s is what stands in its `probe`. */
static void probe_with(struct world *w, const char *probe)
{
	world_write(w, "manifests/host/policy.yaml",
	            "apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
	            "metadata: {name: web, namespace: shop}\n"
	            "spec:\n  targetRefs: [{hostname: www.example.com}]\n  probe: {%s}\n",
	            probe);
}

/* With a config that has probe.files and an import; "": nothing is told. */
static void config_tells(struct world *w, int status, const char *text)
{
	char file[256], expected[600] = "";
	const char *const argv[] = {"$NIGHD", "--check", "-c", file, NULL};
	const char *told;

	world_write(w, "nighd.yaml",
	            "sources: {manifests: [manifests]}\ngeo: {networks: networks.csv}\n"
	            "probe:\n  files: pki\n  imports: [{name: edge, file: edge.txt}]\n");
	snprintf(file, sizeof(file), "%s", world_path(w, "nighd.yaml"));
	if (*text != '\0')
		snprintf(expected, sizeof(expected),
		         "/manifests/host/policy.yaml:1: %sTrafficPolicy shop/web: %s",
		         status == 0 ? "warning: " : "", text);
	told = world_expect_run(w, argv, status, expected);
	assert_true(*text != '\0' || strstr(told, "TrafficPolicy") == NULL);
}

static void make_pki(struct world *w)
{
	struct authority *a;

	world_folder(w, "pki");
	a = authority_new(world_path(w, "pki"));
	authority_issue_named(a, "client", "nighd.test", 3600);
	authority_issue_named(a, "other", "nighd.test", 3600);
	authority_free(a);
	world_write(w, "pki/text", "not PEM\n");
}

static void test_files_that_a_probe_cannot_use_are_errors(void **state)
{
	static const struct {
		const char *probe, *text;
	} all[] = {
		{"https: {caFile: none.pem}",
	         "spec.probe.https.caFile: none.pem: No such file or directory\n"},
		{"https: {caFile: ../pki/ca.crt}",
	         "spec.probe.https.caFile: '../pki/ca.crt' is not the name of a file of "
	         "probe.files\n"},
		{"grpc: {tls: true, caFile: text}",
	         "spec.probe.grpc.caFile: text is no certificate in PEM\n"},
		{"https: {clientCertificateFile: none.pem, clientKeyFile: client.key}",
	         "spec.probe.https.clientCertificateFile: none.pem: No such file"},
		{"https: {clientCertificateFile: client.crt, clientKeyFile: none.key}",
	         "spec.probe.https.clientKeyFile: none.key: No such file"},
		{"https: {clientCertificateFile: client.crt, clientKeyFile: text}",
	         "spec.probe.https.clientKeyFile: text is no private key in PEM, or is "
	         "encrypted\n"},
		{"https: {clientCertificateFile: client.crt, clientKeyFile: other.key}",
	         "spec.probe.https.clientKeyFile: other.key is not the key of client.crt\n"},
	};
	struct world *w = *state;
	char dir[256];
	const char *const folder_alone[] = {"$NIGHCTL", "check", dir, NULL};

	snprintf(dir, sizeof(dir), "%s", world_path(w, "manifests"));
	world_three_cities(w);
	make_pki(w);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		probe_with(w, all[i].probe);
		config_tells(w, 1, all[i].text);
	}
	probe_with(w, "https: {caFile: ca.crt, clientCertificateFile: client.crt, "
	              "clientKeyFile: client.key}");
	config_tells(w, 0, "");
	/* Where nighd has no such folder is not known without its config. */
	probe_with(w, "https: {caFile: none.pem}");
	assert_string_equal(world_expect_run(w, folder_alone, 0, ""), "");
}

static void test_an_import_that_the_config_does_not_have_is_an_error(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	probe_with(w, "import: {name: fringe}");
	config_tells(w, 1, "spec.probe.import.name: probe.imports of the config has no 'fringe'\n");
	probe_with(w, "import: {name: edge}");
	config_tells(w, 0, "spec.probe.import: edge of probe.imports: ");
	world_write(w, "edge.txt", "# all is well\n");
	config_tells(w, 0, "");
}

static void test_a_secret_that_is_not_there_is_a_warning_and_a_broken_one_an_error(void **state)
{
	struct world *w = *state;
	char file[256], expected[512];
	const char *const alone[] = {"$NIGHCTL", "check", file, NULL};

	world_three_cities(w);
	probe_with(w, "https: {caSecret: authority, clientCertificateSecret: client}");
	config_tells(w, 0, "spec.probe.https.caSecret: Secret shop/authority: does not exist\n");
	config_tells(
		w, 0,
		"spec.probe.https.clientCertificateSecret: Secret shop/client: does not exist\n");
	world_write(
		w, "manifests/host/authority.yaml",
		"{apiVersion: v1, kind: Secret, metadata: {name: authority, namespace: shop}}\n");
	config_tells(w, 1, "spec.probe.https.caSecret: Secret shop/authority: has no ca.crt\n");
	/* A file by itself: others may be elsewhere, not what stands in it. */
	snprintf(file, sizeof(file), "%s", world_path(w, "manifests/host/policy.yaml"));
	assert_string_equal(world_expect_run(w, alone, 0, ""), "");
	world_write(w, "manifests/host/policy.yaml",
	            "apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
	            "metadata: {name: web, namespace: shop}\n"
	            "spec:\n  targetRefs: [{hostname: www.example.com}]\n"
	            "  probe: {https: {caSecret: authority}}\n---\n"
	            "apiVersion: v1\nkind: Secret\nmetadata: {name: authority, namespace: shop}\n"
	            "data: {ca.crt: eA==}\n");
	snprintf(expected, sizeof(expected),
	         "%s:1: TrafficPolicy shop/web: spec.probe.https.caSecret: Secret "
	         "shop/authority: ca.crt is no certificate in PEM\n",
	         file);
	world_expect_run(w, alone, 1, expected);
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
		world_test(test_files_that_a_probe_cannot_use_are_errors),
		world_test(test_an_import_that_the_config_does_not_have_is_an_error),
		world_test(test_a_secret_that_is_not_there_is_a_warning_and_a_broken_one_an_error),
		world_test(test_data_that_a_zone_cannot_hold_for_an_annotation_is_named),
		world_test(test_a_record_of_the_config_is_named_with_its_own_line),
	};

	return cmocka_run_group_tests_name("scenario/check", tests, NULL, NULL);
}
