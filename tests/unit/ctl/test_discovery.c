/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/propagator_json.h"

struct seen {
	const char *word;
	struct text meant;
};

static void on_kind(const struct discovery_kind *kind, void *arg)
{
	struct seen *seen = arg;

	if (discovery_is_meant(kind, seen->word))
		text_printf(&seen->meant, "%s.%s/%s%s%s;", kind->api.plural, kind->api.group,
		            kind->api.version, kind->api.namespaced ? "" : " of the cluster",
		            kind->has_scale ? " with scale" : "");
}

static void expect(const char *word, const char *want)
{
	struct seen seen = {.word = word};

	text_add(&seen.meant, "");
	discovery_read(
		json_of("{'groupVersion': 'apps/v1', 'resources': ["
	                "{'name': 'deployments', 'singularName': 'deployment', 'namespaced': true,"
	                "'kind': 'Deployment', 'verbs': ['create', 'list'], 'shortNames': "
	                "['deploy']},"
	                "{'name': 'deployments/scale', 'kind': 'Scale', 'namespaced': true},"
	                "{'name': 'deployments/status', 'kind': 'Deployment', 'namespaced': true},"
	                "{'name': 'daemonsets', 'singularName': 'daemonset', 'namespaced': true,"
	                "'kind': 'DaemonSet', 'verbs': []}, {'name': 5}, 7]}"),
		on_kind, &seen);
	discovery_read(json_of("{'groupVersion': 'v1', 'resources': ["
	                       "{'name': 'nodes', 'kind': 'Node', 'namespaced': false}]}"),
	               on_kind, &seen);
	discovery_read(json_of("[]"), on_kind, &seen);
	discovery_read(NULL, on_kind, &seen);
	assert_string_equal(seen.meant.data, want);
	text_fini(&seen.meant);
}

static void test_a_kind_is_meant_by_any_of_its_names(void **state)
{
	(void)state;
	expect("deployments", "deployments.apps/v1 with scale;");
	expect("Deployment", "deployments.apps/v1 with scale;");
	expect("deploy", "deployments.apps/v1 with scale;");
	expect("daemonset", "daemonsets.apps/v1;");
	expect("node", "nodes./v1 of the cluster;");
	expect("deployments/status", "");
	expect("", "");
}

static void test_a_group_behind_a_dot_must_be_the_kinds(void **state)
{
	(void)state;
	expect("deployments.apps", "deployments.apps/v1 with scale;");
	expect("deployments.extensions", "");
	expect("nodes.", "nodes./v1 of the cluster;");
	expect("deployments.", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_a_kind_is_meant_by_any_of_its_names),
		JSON_TEST(test_a_group_behind_a_dot_must_be_the_kinds),
	};

	return cmocka_run_group_tests_name("ctl/discovery", tests, NULL, NULL);
}
