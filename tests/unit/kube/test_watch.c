/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_object.h>

#include "kube/object.h"
#include "kube/watch.h"
#include "tests/support/kube_server.h"

enum { PATIENCE_MS = 20000, SETTLE_MS = 300 };

#define MANAGED "'labels':{'kubefed.io/managed':'true'}"

/* What a watch of the labelled ConfigMaps told. */
struct told {
	struct kube_server *server;
	struct kube_backoff backoff;
	struct kube_watch *watch;
	bool is_seen;
	unsigned puts, gone;
	char last_put[64], last_gone[64];
	bool moved; /* anything since it was last reset */
};

static void on_put(struct json_object *object, void *arg)
{
	struct told *t = arg;
	struct bytes name = object_text(object, "metadata", "name", NULL);

	t->puts++;
	t->moved = true;
	snprintf(t->last_put, sizeof(t->last_put), "%.*s", (int)name.len, (const char *)name.data);
}

static void on_gone(struct bytes namespace, struct bytes name, void *arg)
{
	struct told *t = arg;

	t->gone++;
	t->moved = true;
	snprintf(t->last_gone, sizeof(t->last_gone), "%.*s/%.*s", (int)namespace.len,
	         (const char *)namespace.data, (int)name.len, (const char *)name.data);
}

static void on_list(void *arg) { (void)arg; }

static void on_listed(void *arg) { (void)arg; }

static void on_skipped(struct bytes namespace, struct bytes name, const char *why, void *arg)
{
	(void)namespace;
	(void)name;
	(void)arg;
	fail_msg("skipped: %s", why);
}

static void on_sight(enum kube_sight sight, const char *why, void *arg)
{
	struct told *t = arg;

	(void)why;
	t->is_seen = sight == KUBE_SEEN;
}

static void start(struct told *t, bool streams)
{
	const struct kube_watch_settings settings = {
		.resource = {"", "v1", "configmaps", "ConfigMap"},
		.labels = "kubefed.io/managed=true",
		.streaming_list = streams,
		.silence_ms = 600,
		.reply_ms = PATIENCE_MS,
		.object_most = 1 << 20,
		.objects_most = 1000,
	};
	const struct kube_watch_events events = {.on_list = on_list,
	                                         .on_put = on_put,
	                                         .on_gone = on_gone,
	                                         .on_skipped = on_skipped,
	                                         .on_listed = on_listed,
	                                         .on_sight = on_sight,
	                                         .arg = t};

	t->backoff.cap_ms = 1000;
	t->watch = kube_watch_start(&t->server->loop, t->server->client, &t->backoff, &settings,
	                            &events);
	kube_server_turn_until(&t->server->loop, &t->is_seen, PATIENCE_MS);
	for (int i = 0; i < PATIENCE_MS / 20 && !fakeapi_watches(t->server->f, "/"); i++)
		kube_server_turn_for(&t->server->loop, 20);
	assert_int_equal(fakeapi_watches(t->server->f, "/api/v1/configmaps?labelSelector="), 1);
}

static void wait_for_one(struct told *t)
{
	kube_server_turn_until(&t->server->loop, &t->moved, PATIENCE_MS);
	t->moved = false;
}

static void put(struct told *t, const char *name, const char *labels)
{
	fakeapi_put(t->server->f, FAKEAPI_CONFIG_MAPS,
	            "{'metadata':{'name':'%s','namespace':'shop'%s%s}}", name, *labels ? "," : "",
	            labels);
}

static void follow(struct kube_server *server, bool streams)
{
	struct told t = {.server = server};

	put(&t, "managed", MANAGED);
	put(&t, "other", "");
	start(&t, streams);
	assert_int_equal(t.puts, 1);
	assert_string_equal(t.last_put, "managed");

	t.moved = false;
	put(&t, "other", MANAGED);
	wait_for_one(&t);
	assert_string_equal(t.last_put, "other");
	fakeapi_edit(server->f, FAKEAPI_CONFIG_MAPS, "shop/managed",
	             "{'metadata':{'labels':{'kubefed.io/managed':'false'}}}");
	wait_for_one(&t);
	assert_string_equal(t.last_gone, "shop/managed");
	assert_int_equal(fakeapi_count(server->f, FAKEAPI_CONFIG_MAPS), 2);
	fakeapi_delete(server->f, FAKEAPI_CONFIG_MAPS, "shop/other");
	wait_for_one(&t);
	assert_string_equal(t.last_gone, "shop/other");

	put(&t, "third", "");
	fakeapi_delete(server->f, FAKEAPI_CONFIG_MAPS, "shop/third");
	kube_server_turn_for(&server->loop, SETTLE_MS);
	assert_false(t.moved);
	assert_int_equal(t.gone, 2);
	kube_watch_stop(t.watch);
}

static void test_only_labelled_objects_are_told_and_who_loses_the_label_is_gone(void **state)
{
	follow(*state, false);
}

static void test_a_streamed_list_keeps_to_the_labels_as_well(void **state) { follow(*state, true); }

static void test_a_silent_watch_is_checked_with_its_labels(void **state)
{
	struct told t = {.server = *state};
	unsigned came = 0;

	put(&t, "managed", MANAGED);
	start(&t, false);
	for (int i = 0; i < PATIENCE_MS / 100 && came == 0; i++) {
		kube_server_turn_for(&t.server->loop, 100);
		came = fakeapi_requests(t.server->f,
		                        "?limit=1&labelSelector=kubefed.io/managed=true HTTP");
	}
	assert_true(came > 0);
	kube_watch_stop(t.watch);
}

#define server_test(f) cmocka_unit_test_setup_teardown(f, kube_server_setup, kube_server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_test(test_only_labelled_objects_are_told_and_who_loses_the_label_is_gone),
		server_test(test_a_streamed_list_keeps_to_the_labels_as_well),
		server_test(test_a_silent_watch_is_checked_with_its_labels),
	};

	return cmocka_run_group_tests_name("kube/watch", tests, kube_server_setup_group, NULL);
}
