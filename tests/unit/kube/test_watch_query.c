/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/watch_query.h"

#define SERVICES "/api/v1/services"
#define MANAGED  "&labelSelector=kubefed.io%2Fmanaged%3Dtrue"

static const struct kube_resource services = {"", "v1", "services", "Service"};

typedef void write_fn(struct text *path, const struct kube_watch_settings *s);

static void write_page(struct text *path, const struct kube_watch_settings *s)
{
	watch_query_page(path, s, "");
}

static void write_next_page(struct text *path, const struct kube_watch_settings *s)
{
	watch_query_page(path, s, "t+1");
}

static void write_stream(struct text *path, const struct kube_watch_settings *s)
{
	watch_query_stream(path, s, 300);
}

static void write_watch(struct text *path, const struct kube_watch_settings *s)
{
	watch_query_watch(path, s, "17", 300);
}

static void expect(write_fn *write, const struct kube_watch_settings *s, const char *want)
{
	struct text path = {0};

	write(&path, s);
	assert_string_equal(path.data, want);
	text_fini(&path);
}

static void test_all_objects_are_asked_for_without_a_selector(void **state)
{
	const struct kube_watch_settings s = {.resource = services};

	(void)state;
	expect(write_page, &s, SERVICES "?limit=500");
	expect(watch_query_one, &s, SERVICES "?limit=1");
}

static void test_a_label_selector_is_in_every_question(void **state)
{
	const struct kube_watch_settings s = {.resource = services,
	                                      .labels = "kubefed.io/managed=true"};

	(void)state;
	expect(write_page, &s, SERVICES "?limit=500" MANAGED);
	expect(write_next_page, &s, SERVICES "?limit=500&continue=t%2B1" MANAGED);
	expect(watch_query_one, &s, SERVICES "?limit=1" MANAGED);
	expect(write_watch, &s,
	       SERVICES "?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion="
	                "17" MANAGED);
	expect(write_stream, &s,
	       SERVICES "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
	                "&resourceVersion=&allowWatchBookmarks=true&timeoutSeconds=300" MANAGED);
}

static void test_a_name_and_labels_are_both_asked_for(void **state)
{
	const struct kube_watch_settings s = {
		.resource = services, .namespace = "shop", .name = "web", .labels = "a in (b,c)"};

	(void)state;
	expect(watch_query_one, &s,
	       "/api/v1/namespaces/shop/services?limit=1&fieldSelector=metadata.name%3Dweb"
	       "&labelSelector=a%20in%20%28b%2Cc%29");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_objects_are_asked_for_without_a_selector),
		cmocka_unit_test(test_a_label_selector_is_in_every_question),
		cmocka_unit_test(test_a_name_and_labels_are_both_asked_for),
	};

	return cmocka_run_group_tests_name("kube/watch_query", tests, NULL, NULL);
}
