/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_object.h>

#include "base/text.h"
#include "kube/object.h"
#include "kube/write.h"
#include "tests/support/kube_server.h"

enum { PATIENCE_MS = 20000 };

static const struct kube_resource config_maps = {"", "v1", "configmaps", "ConfigMap"};
static const struct kube_resource deployments = {"apps", "v1", "deployments", "Deployment"};

/* --- one write, waited for --- */

struct outcome {
	bool is_done;
	enum err err;
	int status;
	enum kube_reason reason;
	char why[sizeof(((struct kube_answer *)0)->why)];
	uint64_t retry_after_ms;
	struct kube_cause cause; /* the first */
	size_t cause_count;
	bool unknown;
	struct json_object *object;
};

static void on_done(const struct kube_answer *a, void *arg)
{
	struct outcome *o = arg;

	assert_false(o->is_done);
	o->is_done = true;
	o->err = a->err;
	o->status = a->status;
	o->reason = a->reason;
	memcpy(o->why, a->why, sizeof(o->why));
	o->retry_after_ms = a->retry_after_ms;
	o->cause_count = a->cause_count;
	if (a->cause_count > 0)
		o->cause = a->causes[0];
	o->unknown = kube_answer_is_unknown(a);
	json_object_put(o->object);
	o->object = json_object_get(a->object);
}

static void write_it(struct kube_server *s, const struct kube_write *w, struct outcome *o)
{
	json_object_put(o->object);
	*o = (struct outcome){0};
	kube_write_start(s->client, w, on_done, o);
	assert_false(o->is_done);
	kube_server_turn_until(&s->loop, &o->is_done, PATIENCE_MS);
}

static struct kube_write of(enum kube_verb verb, const struct kube_resource *r, const char *body)
{
	return (struct kube_write){.verb = verb,
	                           .resource = *r,
	                           .namespace = "shop",
	                           .name = verb == KUBE_CREATE ? NULL : "web",
	                           .field_manager = "nigh-propagator",
	                           .body = bytes_of(body)};
}

static void expect_text(const struct outcome *o, const char *a, const char *b, const char *want)
{
	struct bytes got = object_text(o->object, a, b, NULL);

	if (!bytes_equal_text(got, want))
		fail_msg("%s.%s is not '%s' in %s", a, b, want,
		         json_object_to_json_string(o->object));
}

static void put_web(struct kube_server *s)
{
	fakeapi_put(s->f, FAKEAPI_CONFIG_MAPS,
	            "{'metadata':{'name':'web','namespace':'shop'},'data':{'a':'1'}}");
}

/* --- what is done --- */

static void test_an_object_is_created_and_answered(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_CREATE, &config_maps,
	                         "{\"metadata\":{\"name\":\"web\"},\"data\":{\"a\":\"1\"}}");
	struct outcome o = {0};

	write_it(s, &w, &o);
	assert_int_equal(o.err, ERR_OK);
	assert_int_equal(o.status, 201);
	assert_string_equal(o.why, "");
	expect_text(&o, "metadata", "namespace", "shop");
	expect_text(&o, "data", "a", "1");
	assert_true(object_text(o.object, "metadata", "resourceVersion", NULL).len > 0);
	assert_non_null(fakeapi_last_request(
		s->f, "POST /api/v1/namespaces/shop/configmaps?fieldManager=nigh-propagator HTTP"));
	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_ALREADY_EXISTS);
	assert_false(o.unknown);
	json_object_put(o.object);
}

static void test_an_object_is_read(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_GET, &config_maps, "");
	struct outcome o = {0};

	w.field_manager = NULL;
	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_NOT_FOUND);
	put_web(s);
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	expect_text(&o, "data", "a", "1");
	json_object_put(o.object);
}

static void test_what_no_resource_names_is_read_by_its_path(void **state)
{
	static const char path[] = "/api/v1/namespaces/nigh-system/pods/nighd-a:8053/proxy/status";
	static const char said[] = "{\"ready\":true,\"note\":{\"a\":\"1\"}}";
	struct kube_server *s = *state;
	const struct kube_write w = {.verb = KUBE_GET, .path = path};
	struct outcome o = {0};

	fakeapi_answer_bytes(s->f, path, 0, 200, "application/json", said, sizeof(said) - 1);
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	expect_text(&o, "note", "a", "1");
	assert_non_null(fakeapi_last_request(
		s->f, "GET /api/v1/namespaces/nigh-system/pods/nighd-a:8053/proxy/status HTTP"));
	json_object_put(o.object);
}

static void test_what_labels_select_is_listed(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_LIST, &config_maps, "");
	struct json_object *items;
	struct outcome o = {0};

	fakeapi_put(s->f, FAKEAPI_CONFIG_MAPS,
	            "{'metadata':{'name':'a','namespace':'shop','labels':{'app':'web'}}}");
	fakeapi_put(s->f, FAKEAPI_CONFIG_MAPS,
	            "{'metadata':{'name':'b','namespace':'shop','labels':{'app':'db'}}}");
	w.name = w.field_manager = NULL;
	w.labels = "app=web,!old";
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	assert_true(json_object_object_get_ex(o.object, "items", &items));
	assert_int_equal(json_object_array_length(items), 1);
	assert_non_null(fakeapi_last_request(
		s->f, "GET /api/v1/namespaces/shop/configmaps?labelSelector=app=web,!old HTTP"));
	json_object_put(o.object);
}

static void test_what_fields_select_is_listed_and_no_more_than_so_many(void **state)
{
	static const struct kube_resource events = {"", "v1", "events", "Event"};
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_LIST, &events, "");
	struct json_object *items;
	struct outcome o = {0};

	fakeapi_register(s->f, "/api/v1/events", "Event", true);
	for (int i = 0; i < 9; i++)
		fakeapi_put(s->f, "/api/v1/events",
		            "{'metadata':{'name':'e%d','namespace':'shop'},'reason':'%s',"
		            "'involvedObject':{'uid':'u%d'}}",
		            i, i < 6 ? "FailedCreate" : "Killing", i % 2);
	w.name = w.field_manager = NULL;
	w.fields = "involvedObject.uid=u1,reason=FailedCreate";
	w.limit = 2;
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	assert_true(json_object_object_get_ex(o.object, "items", &items));
	assert_int_equal(json_object_array_length(items), 2);
	assert_non_null(fakeapi_last_request(s->f, "/events?fieldSelector=involvedObject.uid=u1,"
	                                           "reason=FailedCreate&limit=2 HTTP"));
	json_object_put(o.object);
}

static void test_an_apply_makes_and_then_changes_what_is_its_own(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w =
		of(KUBE_APPLY, &deployments,
	           "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":"
	           "\"web\"},\"spec\":{\"replicas\":2,\"paused\":true}}");
	struct outcome o = {0};

	w.force = true;
	write_it(s, &w, &o);
	assert_int_equal(o.status, 201);
	assert_non_null(fakeapi_last_request(s->f,
	                                     "PATCH /apis/apps/v1/namespaces/shop/deployments/web"
	                                     "?fieldManager=nigh-propagator&force=true HTTP"));
	assert_non_null(
		strstr(fakeapi_get(s->f, FAKEAPI_DEPLOYMENTS, "shop/web"), "\"generation\":1"));
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	assert_non_null(
		strstr(fakeapi_get(s->f, FAKEAPI_DEPLOYMENTS, "shop/web"), "\"generation\":1"));
	w.body = bytes_of("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{"
	                  "\"name\":\"web\"},\"spec\":{\"replicas\":3}}");
	write_it(s, &w, &o);
	assert_non_null(strstr(json_object_to_json_string_ext(o.object, JSON_C_TO_STRING_PLAIN),
	                       "\"spec\":{\"replicas\":3}"));
	assert_non_null(
		strstr(fakeapi_get(s->f, FAKEAPI_DEPLOYMENTS, "shop/web"), "\"generation\":2"));
	json_object_put(o.object);
}

static void test_an_apply_against_others_names_them(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w =
		of(KUBE_APPLY, &deployments,
	           "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":"
	           "\"web\"},\"spec\":{\"replicas\":2}}");
	struct outcome o = {0};

	w.field_manager = "kubectl";
	write_it(s, &w, &o);
	w.field_manager = "nigh-propagator";
	w.body = bytes_of("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{"
	                  "\"name\":\"web\"},\"spec\":{\"replicas\":5}}");
	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_CONFLICT);
	assert_int_equal(o.cause_count, 1);
	assert_string_equal(o.cause.manager, "kubectl");
	assert_string_equal(o.cause.field, ".spec.replicas");
	w.force = true;
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	json_object_put(o.object);
}

static void test_a_replacement_of_what_is_not_the_present_is_a_conflict(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_REPLACE, &config_maps,
	                         "{\"metadata\":{\"name\":\"web\",\"resourceVersion\":\"7\"}}");
	struct outcome o = {0};

	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_NOT_FOUND);
	put_web(s);
	write_it(s, &w, &o);
	assert_int_equal(o.status, 409);
	assert_int_equal(o.reason, KUBE_REASON_CONFLICT);
	w.body = bytes_of("{\"metadata\":{\"name\":\"web\"},\"data\":{\"b\":\"2\"}}");
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	expect_text(&o, "data", "b", "2");
	assert_int_equal(object_text(o.object, "data", "a", NULL).len, 0);
	json_object_put(o.object);
}

static void test_patches_are_of_either_kind(void **state)
{
	struct kube_server *s = *state;
	struct kube_write merge =
		of(KUBE_MERGE_PATCH, &config_maps, "{\"data\":{\"a\":null,\"b\":\"2\"}}");
	struct kube_write steps = of(KUBE_JSON_PATCH, &config_maps,
	                             "[{\"op\":\"test\",\"path\":\"/data/b\",\"value\":\"2\"},"
	                             "{\"op\":\"add\",\"path\":\"/data/c~1d\",\"value\":\"3\"}]");
	struct outcome o = {0};

	put_web(s);
	write_it(s, &merge, &o);
	expect_text(&o, "data", "b", "2");
	write_it(s, &steps, &o);
	expect_text(&o, "data", "c/d", "3");
	steps.body = bytes_of("[{\"op\":\"test\",\"path\":\"/data/b\",\"value\":\"9\"}]");
	write_it(s, &steps, &o);
	assert_int_equal(o.reason, KUBE_REASON_INVALID);
	json_object_put(o.object);
}

static void test_the_status_is_written_apart(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_MERGE_PATCH, &deployments,
	                         "{\"spec\":{\"replicas\":9},\"status\":{\"phase\":\"good\"}}");
	struct outcome o = {0};

	fakeapi_put(s->f, FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','generation':4},"
	            "'spec':{'replicas':1}}");
	w.subresource = "status";
	write_it(s, &w, &o);
	expect_text(&o, "status", "phase", "good");
	assert_non_null(strstr(fakeapi_get(s->f, FAKEAPI_DEPLOYMENTS, "shop/web"),
	                       "\"spec\":{\"replicas\":1}"));
	assert_non_null(
		strstr(fakeapi_get(s->f, FAKEAPI_DEPLOYMENTS, "shop/web"), "\"generation\":4"));
	w.subresource = NULL;
	w.body = bytes_of("{\"spec\":{\"replicas\":9},\"status\":{\"phase\":\"bad\"}}");
	write_it(s, &w, &o);
	expect_text(&o, "status", "phase", "good");
	json_object_put(o.object);
}

static void test_another_subresource_is_posted_to_the_object(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_CREATE, &config_maps, "{\"spec\":{}}");
	struct outcome o = {0};
	static const char token[] = "{\"kind\":\"TokenRequest\",\"status\":{\"token\":\"t\"}}";

	w.name = "web";
	w.subresource = "token";
	fakeapi_answer_bytes(s->f, "POST /api/v1/configmaps/shop/web/token", 1, 201,
	                     "application/json", token, strlen(token));
	write_it(s, &w, &o);
	assert_int_equal(o.status, 201);
	expect_text(&o, "status", "token", "t");
	json_object_put(o.object);
}

static void test_a_deletion_has_its_preconditions(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_DELETE, &config_maps, "");
	struct text options = {0};
	struct outcome o = {0};

	put_web(s);
	kube_delete_options(&options, "Background", "another", NULL);
	w.body = bytes_of(options.data);
	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_CONFLICT);
	assert_string_equal(fakeapi_last_body(s->f), options.data);
	w.body = (struct bytes){0};
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	assert_int_equal(fakeapi_count(s->f, FAKEAPI_CONFIG_MAPS), 0);
	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_NOT_FOUND);
	text_fini(&options);
	json_object_put(o.object);
}

static void test_a_finalizer_holds_a_deletion_up(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_DELETE, &config_maps, "");
	struct kube_write release =
		of(KUBE_MERGE_PATCH, &config_maps, "{\"metadata\":{\"finalizers\":null}}");
	struct outcome o = {0};

	fakeapi_put(
		s->f, FAKEAPI_CONFIG_MAPS,
		"{'metadata':{'name':'web','namespace':'shop','finalizers':['nigh.dev/hold']}}");
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	assert_true(object_text(o.object, "metadata", "deletionTimestamp", NULL).len > 0);
	assert_int_equal(fakeapi_count(s->f, FAKEAPI_CONFIG_MAPS), 1);
	write_it(s, &release, &o);
	assert_int_equal(o.status, 200);
	assert_int_equal(fakeapi_count(s->f, FAKEAPI_CONFIG_MAPS), 0);
	json_object_put(o.object);
}

static void test_what_is_only_tried_is_not_stored(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_CREATE, &config_maps, "{\"metadata\":{\"name\":\"web\"}}");
	struct outcome o = {0};

	w.dry_run = true;
	w.field_validation = "Strict";
	write_it(s, &w, &o);
	assert_int_equal(o.err, ERR_OK);
	assert_int_equal(fakeapi_count(s->f, FAKEAPI_CONFIG_MAPS), 0);
	assert_non_null(fakeapi_last_request(s->f, "&dryRun=All&fieldValidation=Strict HTTP"));
	json_object_put(o.object);
}

/* --- what goes wrong --- */

static void test_a_server_that_is_busy_says_for_how_long(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_GET, &config_maps, "");
	struct outcome o = {0};

	put_web(s);
	fakeapi_answer(s->f, "GET /api/v1/configmaps/shop", 1, 429, "Retry-After: 3");
	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_TOO_MANY_REQUESTS);
	assert_int_equal(o.retry_after_ms, 3000);
	assert_int_equal(fakeapi_requests(s->f, "GET "), 1);
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	json_object_put(o.object);
}

static void test_rules_for_writes_leave_reading_alone(void **state)
{
	struct kube_server *s = *state;
	struct kube_write read = of(KUBE_GET, &config_maps, "");
	struct kube_write w = of(KUBE_MERGE_PATCH, &config_maps, "{\"data\":{\"b\":\"2\"}}");
	struct outcome o = {0};

	put_web(s);
	fakeapi_answer(s->f, "WRITE /api/v1/configmaps", 1, 500, NULL);
	write_it(s, &read, &o);
	assert_int_equal(o.status, 200);
	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_INTERNAL_ERROR);
	assert_true(o.unknown);
	write_it(s, &w, &o);
	assert_int_equal(o.status, 200);
	json_object_put(o.object);
}

static void expect_lost(struct kube_server *s, enum fakeapi_loss loss, enum err err, bool done)
{
	struct kube_write w = of(KUBE_CREATE, &config_maps, "{\"metadata\":{\"name\":\"web\"}}");
	struct outcome o = {0};

	w.deadline_ms = 2000;
	fakeapi_lose(s->f, "POST /api/v1/configmaps/shop", 1, loss);
	write_it(s, &w, &o);
	assert_int_equal(o.err, err);
	assert_int_equal(o.status, 0);
	assert_true(o.unknown);
	assert_true(strlen(o.why) > 0);
	assert_int_equal(fakeapi_count(s->f, FAKEAPI_CONFIG_MAPS), done);
}

static void test_a_connection_that_breaks_before_leaves_nothing(void **state)
{
	expect_lost(*state, FAKEAPI_LOSS_BEFORE, ERR_UNREACHABLE, false);
}

static void test_a_connection_that_breaks_behind_it_leaves_the_effect(void **state)
{
	expect_lost(*state, FAKEAPI_LOSS_AFTER, ERR_UNREACHABLE, true);
}

static void test_an_answer_that_never_comes_ends_with_the_deadline(void **state)
{
	expect_lost(*state, FAKEAPI_LOSS_ANSWER, ERR_TIMEOUT, true);
}

static void test_an_answer_that_drips_ends_with_the_deadline(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_GET, &config_maps, "");
	struct outcome o = {0};

	put_web(s);
	w.deadline_ms = 1000;
	fakeapi_drip(s->f, "/api/v1/", 1, 20);
	write_it(s, &w, &o);
	assert_int_equal(o.err, ERR_TIMEOUT);
	assert_int_equal(o.status, 200);
}

static void test_an_answer_without_end_is_not_kept(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_GET, &config_maps, "");
	struct outcome o = {0};

	put_web(s);
	w.answer_most = 100;
	write_it(s, &w, &o);
	assert_int_equal(o.err, ERR_NOSPACE);
	assert_int_equal(o.status, 200);
	assert_null(o.object);
	w.answer_most = 0;
	w.deadline_ms = 1000;
	fakeapi_endless(s->f, "/api/v1/", 1, FAKEAPI_ENDLESS_OBJECT);
	write_it(s, &w, &o);
	assert_true(o.err == ERR_TIMEOUT || o.err == ERR_UNREACHABLE);
	assert_null(o.object);
}

static void test_what_is_cancelled_is_not_told(void **state)
{
	struct kube_server *s = *state;
	struct kube_write w = of(KUBE_GET, &config_maps, "");
	struct outcome first = {0}, second = {0};
	struct kube_writing *writing;

	put_web(s);
	writing = kube_write_start(s->client, &w, on_done, &first);
	kube_write_cancel(writing);
	kube_write_cancel(NULL);
	write_it(s, &w, &second);
	assert_false(first.is_done);
	json_object_put(second.object);
}

static void test_a_refused_credential_is_not_in_the_answer(void **state)
{
	struct kube_server *s = *state;
	struct kube_client *right = s->client;
	struct kube_write w = of(KUBE_GET, &config_maps, "");
	struct outcome o = {0};

	s->client = kube_server_client(s, &s->loop, "wrong-token");
	write_it(s, &w, &o);
	assert_int_equal(o.reason, KUBE_REASON_UNAUTHORIZED);
	assert_string_equal(fakeapi_authorization(s->f), "Bearer wrong-token");
	assert_null(strstr(o.why, "wrong-token"));
	kube_client_stop(s->client, NULL, NULL);
	s->client = right;
}

#define server_test(f) cmocka_unit_test_setup_teardown(f, kube_server_setup, kube_server_teardown)

/* --- a cancel --- */

struct canceller {
	struct kube_writing *write;
	bool is_done;
};

static void on_piece(struct bytes piece, void *arg)
{
	struct canceller *c = arg;

	(void)piece;
	kube_write_cancel(c->write);
	c->write = NULL;
}

static void on_end(enum err err, const char *why, void *arg)
{
	struct canceller *c = arg;

	(void)err, (void)why;
	c->is_done = true;
}

static void on_nothing(const struct kube_answer *a, void *arg) { (void)a, (void)arg; }

/* libcurl may hold what is about to be sent; ASan tells if it is gone. */
static void test_a_write_is_cancelled_from_within_another_answer(void **state)
{
	enum { TIMES = 300 };
	struct kube_server *s = *state;
	const struct kube_ask ask = {.path = "/api/v1/namespaces/shop/configmaps/web"};
	const struct kube_write w = of(KUBE_MERGE_PATCH, &config_maps, "{\"data\":{\"a\":\"2\"}}");

	put_web(s);
	for (unsigned i = 0; i < TIMES; i++) {
		struct canceller c = {0};
		const struct kube_events events = {NULL, on_piece, on_end, &c};

		kube_client_ask(s->client, &ask, &events);
		for (unsigned turns = i % 10; turns > 0 && !c.is_done; turns--)
			uv_run(&s->loop, UV_RUN_NOWAIT);
		if (c.is_done)
			continue;
		c.write = kube_write_start(s->client, &w, on_nothing, NULL);
		kube_server_turn_until(&s->loop, &c.is_done, PATIENCE_MS);
		if (c.write)
			kube_write_cancel(c.write);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_test(test_an_object_is_created_and_answered),
		server_test(test_an_object_is_read),
		server_test(test_what_no_resource_names_is_read_by_its_path),
		server_test(test_what_labels_select_is_listed),
		server_test(test_what_fields_select_is_listed_and_no_more_than_so_many),
		server_test(test_an_apply_makes_and_then_changes_what_is_its_own),
		server_test(test_an_apply_against_others_names_them),
		server_test(test_a_replacement_of_what_is_not_the_present_is_a_conflict),
		server_test(test_patches_are_of_either_kind),
		server_test(test_the_status_is_written_apart),
		server_test(test_another_subresource_is_posted_to_the_object),
		server_test(test_a_deletion_has_its_preconditions),
		server_test(test_a_finalizer_holds_a_deletion_up),
		server_test(test_what_is_only_tried_is_not_stored),
		server_test(test_a_server_that_is_busy_says_for_how_long),
		server_test(test_rules_for_writes_leave_reading_alone),
		server_test(test_a_connection_that_breaks_before_leaves_nothing),
		server_test(test_a_connection_that_breaks_behind_it_leaves_the_effect),
		server_test(test_an_answer_that_never_comes_ends_with_the_deadline),
		server_test(test_an_answer_that_drips_ends_with_the_deadline),
		server_test(test_an_answer_without_end_is_not_kept),
		server_test(test_what_is_cancelled_is_not_told),
		server_test(test_a_write_is_cancelled_from_within_another_answer),
		server_test(test_a_refused_credential_is_not_in_the_answer),
	};

	return cmocka_run_group_tests_name("kube/write", tests, kube_server_setup_group, NULL);
}
