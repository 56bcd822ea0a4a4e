/* What files hold, and what becomes of it when they are broken or cannot be read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/support/watcher_folders.h"
#include "watcher/manifests_file.h"
#include "watcher/probe_secrets.h"

/* --- files --- */

static void test_files_of_three_suffixes_count_at_any_depth(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/la/b.yml", "b", "192.0.2.2");
	folders_write(f, "m/clusters/la/one/two/three/c.json",
	              "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"c\"},"
	              "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.3\"}]}}}");
	folders_start(f, "m", NULL);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	assert_string_equal(folders_address(f, "la", "b"), "192.0.2.2");
	assert_string_equal(folders_address(f, "la", "c"), "192.0.2.3");
	assert_int_equal(facts_count(f->facts), 3);
	assert_int_equal(folders_errors(f), 0);
}

static void test_dot_names_and_other_suffixes_are_not_read(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/.a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/la/.git/b.yaml", "b", "192.0.2.2");
	folders_service(f, "m/clusters/la/c.yaml.bak", "c", "192.0.2.3");
	folders_service(f, "m/clusters/.hidden/d.yaml", "d", "192.0.2.4");
	folders_write(f, "m/clusters/README.md", "not a folder");
	folders_start(f, "m", NULL);
	assert_int_equal(facts_count(f->facts), 0);
	assert_int_equal(folders_errors(f), 0);
	assert_int_equal(facts_cluster_count(f->facts), 2);
}

static void test_several_documents_and_lists_in_one_file(void **state)
{
	struct folders *f = *state;

	folders_write(f, "m/clusters/la/all.yaml",
	              "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
	              "---\n"
	              "apiVersion: v1\nkind: List\nitems:\n"
	              "- {apiVersion: v1, kind: Service, metadata: {name: b}}\n"
	              "- apiVersion: v1\n  kind: ServiceList\n  items:\n"
	              "  - metadata: {name: c}\n"
	              "---\n---\n");
	folders_start(f, "m", NULL);
	assert_non_null(folders_address(f, "la", "a"));
	assert_non_null(folders_address(f, "la", "b"));
	assert_non_null(folders_address(f, "la", "c"));
	assert_int_equal(facts_count(f->facts), 3);
}

static void test_it_tells_in_which_file_and_line_an_object_stands(void **state)
{
	struct folders *f = *state;
	const char *service = "# one\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
	const struct fact *fact;
	unsigned line = 0;
	uint16_t la;

	folders_write(f, "m/clusters/la/b.yaml", service);
	folders_write(f, "m/clusters/la/c.yaml", service + strlen("# one\n---\n"));
	folders_start(f, "m", NULL);
	la = facts_cluster_id(f->facts, bytes_of("la"));
	fact = facts_find(f->facts, la, FACT_SERVICE, bytes_of("default"), bytes_of("web"));
	assert_non_null(
		strstr(manifests_find(f->manifests, la, fact, &line), "m/clusters/la/b.yaml"));
	assert_int_equal(line, 3);
	assert_null(manifests_find(f->manifests, FACTS_HOST, fact, &line));
}

static void test_kinds_that_are_unknown_or_of_the_other_role_are_ignored(void **state)
{
	struct folders *f = *state;

	folders_write(
		f, "m/clusters/la/a.yaml",
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}\n---\n"
		"{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}}\n---\n"
		"{apiVersion: multiclusterdns.kubefed.io/v1alpha1, kind: Domain,"
		" metadata: {name: a}, domain: example.com}\n");
	folders_service(f, "m/host/a.yaml", "a", "192.0.2.1");
	folders_start(f, "m", NULL);
	assert_int_equal(facts_count(f->facts), 0);
	assert_int_equal(folders_errors(f), 0);
}

#define SECRET(ca)                                                                                 \
	"apiVersion: v1\nkind: Secret\nmetadata: {name: ca, namespace: shop}\n"                    \
	"stringData: {ca.crt: " ca "}\n"

/* What is said of the Secret shop/ca. */
static const char *told_of_secret(struct folders *f, struct reason *why)
{
	static const struct policy_check check = {.ca_secret = {(const uint8_t *)"ca", 2}};
	struct probe_secrets *secrets = store_probe_secrets(f->store);

	why->text[0] = '\0';
	probe_secrets_begin(secrets);
	probe_secrets_want(secrets, bytes_of("shop"), &check);
	(void)probe_secrets_end(secrets);
	(void)probe_secrets_judge(secrets);
	(void)probe_secrets_look(secrets, bytes_of("shop"), &check, why);
	return strrchr(why->text, ':');
}

static bool is_told_of_secret(struct folders *f, const void *words)
{
	struct reason why;

	return strcmp(told_of_secret(f, &why), words) == 0;
}

static void test_secrets_of_the_host_are_told_and_a_broken_file_keeps_its_own(void **state)
{
	struct folders *f = *state;
	struct probe_secrets *secrets = probe_secrets_new();
	struct reason why;

	store_set_probe_secrets(f->store, secrets);
	folders_write(f, "m/clusters/la/a.yaml", SECRET("x"));
	folders_write(f, "m/host/b.yaml", "# nothing\n");
	folders_start(f, "m", NULL);
	assert_string_equal(told_of_secret(f, &why), ": does not exist");
	folders_write(f, "m/host/a.yaml", SECRET("x"));
	folders_wait(f, is_told_of_secret, ": ca.crt is no certificate in PEM", "the Secret");
	folders_write(f, "m/host/a.yaml", SECRET("''") "---\nhalf: an object\n");
	folders_wait_error(f, "m/host/a.yaml", "m/host/a.yaml:6: an object without kind");
	assert_string_equal(told_of_secret(f, &why), ": ca.crt is no certificate in PEM");
	folders_write(f, "m/host/a.yaml", SECRET("''"));
	folders_wait(f, is_told_of_secret, ": has no ca.crt", "the change");
	folders_remove(f, "m/host/a.yaml");
	folders_wait(f, is_told_of_secret, ": does not exist", "the end");
	assert_int_equal(facts_count(f->facts), 0);
	folders_stop(f);
	probe_secrets_free(secrets);
}

static void test_secrets_of_members_are_not_kept(void **state)
{
	struct manifests_source source = {.path = "a.yaml", .role = DECODE_MEMBER};
	struct manifests_file *f = manifests_file_parse(&source, bytes_of(SECRET("x")));

	(void)state;
	assert_int_equal(f->secret_count, 0);
	manifests_file_unref(f);
	source.role = DECODE_HOST;
	f = manifests_file_parse(&source, bytes_of(SECRET("x")));
	assert_int_equal(f->secret_count, 1);
	manifests_file_unref(f);
}

static void test_aliases_expand_to_1_MB_at_most(void **state)
{
	struct folders *f = *state;
	char text[2048] = "a0: &a0 [xxxxxxxxxxxxxxxxxxxx]\n";

	for (int i = 1; i < 9; i++) {
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len,
		               "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
		               i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	}
	folders_service(f, "m/clusters/la/bomb.yaml", "web", "192.0.2.1");
	folders_start(f, "m", NULL);
	folders_write(f, "m/clusters/la/bomb.yaml", text);
	folders_wait_error(
		f, "m/clusters/la/bomb.yaml",
		"m/clusters/la/bomb.yaml:7: aliases expand to more than 1048576 bytes or "
		"nest too deep");
	assert_string_equal(folders_address(f, "la", "web"), "192.0.2.1");
}

static void test_links_in_a_circle_end(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/sub/a.yaml", "a", "192.0.2.1");
	folders_link(f, "..", "m/clusters/la/sub/up");
	folders_link(f, ".", "m/clusters/la/self");
	folders_start(f, "m", NULL);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	assert_int_equal(folders_errors(f), 0);
}

static void test_a_file_over_64_MiB_is_an_error(void **state)
{
	struct folders *f = *state;
	char path[128];

	folders_service(f, "m/clusters/la/big.yaml", "web", "192.0.2.1");
	folders_start(f, "m", NULL);
	(void)snprintf(path, sizeof(path), "%s/m/clusters/la/big.yaml", f->root);
	CHECK(truncate(path, (64 << 20) + 1) == 0);
	folders_wait_error(f, "m/clusters/la/big.yaml",
	                   "m/clusters/la/big.yaml:1: larger than 64 MiB");
	assert_string_equal(folders_address(f, "la", "web"), "192.0.2.1");
}

/* --- broken, unreadable --- */

static void test_a_broken_file_keeps_all_its_last_good_objects(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_start(f, "m", NULL);
	folders_write(f, "m/clusters/la/a.yaml",
	              "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n---\n"
	              "apiVersion: v1\nkind: Service\nmetadata: {name: c}\n"
	              "spec: {ports: [{port: 70000}]}\n");
	folders_wait_error(
		f, "m/clusters/la/a.yaml",
		"m/clusters/la/a.yaml:5: Service default/c: spec.ports[0].port: 70000 is "
		"not a port");
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	assert_null(folders_address(f, "la", "b"));
	folders_write(f, "m/clusters/la/a.yaml", "apiVersion: v1\nkind: Service\n  name: a\n");
	folders_wait_error(
		f, "m/clusters/la/a.yaml",
		"m/clusters/la/a.yaml:3: mapping values are not allowed in this context");
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	folders_service(f, "m/clusters/la/a.yaml", "b", "192.0.2.2");
	folders_wait_error(f, "m/clusters/la/a.yaml", NULL);
	assert_null(folders_address(f, "la", "a"));
	assert_string_equal(folders_address(f, "la", "b"), "192.0.2.2");
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_SYNCED);
}

static void test_every_error_of_a_file_is_told_with_its_line(void **state)
{
	struct folders *f = *state;

	folders_write(f, "m/clusters/la/a.yaml",
	              "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
	              "spec: {ports: [{port: 70000}]}\n---\n"
	              "{apiVersion: v1, kind: Service, metadata: {name: good}}\n---\n"
	              "{apiVersion: v1, kind: Service, metadata: {name: [b]}}\n---\n"
	              "kind: [\n");
	folders_start(f, "m", NULL);
	assert_string_equal(folders_error(f, "m/clusters/la/a.yaml"),
	                    "m/clusters/la/a.yaml:1: Service default/a: spec.ports[0].port: "
	                    "70000 is not a port\n"
	                    "m/clusters/la/a.yaml:8: Service: metadata.name: is not a text\n"
	                    "m/clusters/la/a.yaml:10: did not find expected node content");
	assert_int_equal(folders_errors(f), 3);
}

static void test_of_more_than_20_errors_of_a_file_the_rest_is_counted(void **state)
{
	struct folders *f = *state;
	char text[2048] = "";
	const char *errors, *last;

	for (int i = 0; i < 23; i++)
		strcat(text, "{apiVersion: v1, kind: Service}\n---\n");
	folders_write(f, "m/clusters/la/a.yaml", text);
	folders_start(f, "m", NULL);
	assert_int_equal(folders_errors(f), 21);
	errors = folders_error(f, "m/clusters/la/a.yaml");
	assert_non_null(strstr(errors, "m/clusters/la/a.yaml:39: "));
	last = strrchr(errors, '\n') + 1;
	assert_string_equal(last, "m/clusters/la/a.yaml: and 3 more");
}

static void test_a_broken_file_delays_no_other(void **state)
{
	struct folders *f = *state;

	folders_write(f, "m/clusters/la/bad.yaml", "kind: [");
	folders_service(f, "m/clusters/la/good.yaml", "a", "192.0.2.1");
	folders_write(f, "m/clusters/ny/bad.yaml", "not an object");
	folders_start(f, "m", NULL);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	folders_wait_error(
		f, "m/clusters/ny/bad.yaml",
		"m/clusters/ny/bad.yaml:1: not an object (a mapping with apiVersion and kind)");
	folders_wait_knowledge(f, "ny", KNOWLEDGE_SYNCED);
}

static void test_an_unreadable_file_or_directory_keeps_its_last_good_objects(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/la/sub/b.yaml", "b", "192.0.2.2");
	folders_start(f, "m", NULL);
	folders_mode(f, "m/clusters/la/a.yaml", 0);
	folders_mode(f, "m/clusters/la/sub", 0);
	folders_wait_error(f, "m/clusters/la/a.yaml", "m/clusters/la/a.yaml:1: Permission denied");
	folders_wait_error(f, "m/clusters/la/sub", "m/clusters/la/sub: Permission denied");
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	assert_string_equal(folders_address(f, "la", "b"), "192.0.2.2");
	folders_mode(f, "m/clusters/la/a.yaml", 0644);
	folders_mode(f, "m/clusters/la/sub", 0755);
	folders_wait_error(f, "m/clusters/la/a.yaml", NULL);
	folders_wait_error(f, "m/clusters/la/sub", NULL);
}

static void test_files_that_can_be_named_but_not_reached_keep_their_objects(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/sub/b.yaml", "b", "192.0.2.2");
	folders_service(f, "m/clusters/la/sub/deep/c.yaml", "c", "192.0.2.3");
	folders_service(f, "m/clusters/la/other.yaml", "other", "192.0.2.4");
	folders_start(f, "m", NULL);
	folders_mode(f, "m/clusters/la/sub", 0444);
	folders_wait_error(f, "m/clusters/la/sub/b.yaml",
	                   "m/clusters/la/sub/b.yaml:1: Permission denied");
	folders_wait_error(f, "m/clusters/la/sub/deep",
	                   "m/clusters/la/sub/deep: Permission denied");
	folders_turn(f, 800);
	assert_string_equal(folders_address(f, "la", "b"), "192.0.2.2");
	assert_string_equal(folders_address(f, "la", "c"), "192.0.2.3");
	/* It holds up nobody else. */
	CHECK(seteuid(getuid()) == 0);
	folders_service(f, "m/clusters/la/other.yaml", "other", "192.0.2.5");
	folders_mode(f, "m/clusters/la/other.yaml", 0644);
	folders_wait_address(f, "la", "other", "192.0.2.5");
	assert_string_equal(folders_address(f, "la", "b"), "192.0.2.2");
	folders_mode(f, "m/clusters/la/sub", 0755);
	folders_wait_error(f, "m/clusters/la/sub/b.yaml", NULL);
	folders_wait_error(f, "m/clusters/la/sub/deep", NULL);
}

static void test_what_a_link_to_nowhere_gave_stays_and_files_are_named_with_a_line(void **state)
{
	struct folders *f = *state;

	folders_service(f, "v/web.yaml", "web", "192.0.2.1");
	folders_service(f, "v/dir/more.yaml", "more", "192.0.2.2");
	folders_mkdir(f, "m/clusters/la");
	folders_link(f, "../../../v/web.yaml", "m/clusters/la/file.yaml");
	folders_link(f, "../../../v/dir", "m/clusters/la/dir");
	folders_start(f, "m", NULL);
	folders_rename(f, "v", "away");
	folders_wait_error(f, "m/clusters/la/file.yaml",
	                   "m/clusters/la/file.yaml:1: the link leads nowhere");
	folders_wait_error(f, "m/clusters/la/dir", "m/clusters/la/dir: the link leads nowhere");
	folders_link(f, "file.yaml", "m/clusters/la/file.yaml");
	folders_wait_error(f, "m/clusters/la/file.yaml",
	                   "m/clusters/la/file.yaml:1: Too many levels of symbolic links");
	assert_string_equal(folders_address(f, "la", "web"), "192.0.2.1");
	assert_string_equal(folders_address(f, "la", "more"), "192.0.2.2");
}

static void test_a_file_that_is_emptied_may_be_about_to_be_filled(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_start(f, "m", NULL);
	folders_write(f, "m/clusters/la/a.yaml", "");
	folders_turn(f, 300);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	folders_wait_address(f, "la", "a", NULL);
}

static void test_a_location_that_is_none_is_told_and_the_cluster_taken(void **state)
{
	struct folders *f = *state;

	folders_write(f, "m/host/la.yaml",
	              "apiVersion: core.kubefed.io/v1beta1\nkind: KubeFedCluster\n"
	              "metadata: {name: la, annotations: {nigh.dev/location: \"here\"}}\n"
	              "---\n"
	              "apiVersion: core.kubefed.io/v1beta1\nkind: KubeFedCluster\n"
	              "metadata: {name: ny, annotations: {nigh.dev/location: \"91,0\"}}\n");
	folders_start(f, "m", NULL);
	assert_int_equal(facts_count(f->facts), 2);
	assert_string_equal(folders_error(f, "m/host/la.yaml"),
	                    "m/host/la.yaml:1: KubeFedCluster default/la: "
	                    "metadata.annotations[nigh.dev/location]: is not a place "
	                    "(\"34.05,-118.24\"); taken without\n"
	                    "m/host/la.yaml:5: KubeFedCluster default/ny: "
	                    "metadata.annotations[nigh.dev/location]: is not a place "
	                    "(\"34.05,-118.24\"); taken without");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folders_setup, folders_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files_of_three_suffixes_count_at_any_depth),
		TEST(test_dot_names_and_other_suffixes_are_not_read),
		TEST(test_several_documents_and_lists_in_one_file),
		TEST(test_it_tells_in_which_file_and_line_an_object_stands),
		TEST(test_kinds_that_are_unknown_or_of_the_other_role_are_ignored),
		TEST(test_secrets_of_the_host_are_told_and_a_broken_file_keeps_its_own),
		TEST(test_secrets_of_members_are_not_kept),
		TEST(test_aliases_expand_to_1_MB_at_most),
		TEST(test_links_in_a_circle_end),
		TEST(test_a_file_over_64_MiB_is_an_error),
		TEST(test_a_broken_file_keeps_all_its_last_good_objects),
		TEST(test_every_error_of_a_file_is_told_with_its_line),
		TEST(test_of_more_than_20_errors_of_a_file_the_rest_is_counted),
		TEST(test_a_broken_file_delays_no_other),
		TEST(test_an_unreadable_file_or_directory_keeps_its_last_good_objects),
		TEST(test_files_that_can_be_named_but_not_reached_keep_their_objects),
		TEST(test_what_a_link_to_nowhere_gave_stays_and_files_are_named_with_a_line),
		TEST(test_a_file_that_is_emptied_may_be_about_to_be_filled),
		TEST(test_a_location_that_is_none_is_told_and_the_cluster_taken),
	};

	return cmocka_run_group_tests_name("watcher/manifests_file", tests, NULL, NULL);
}
