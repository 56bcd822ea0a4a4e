/* fakeapi.c -- the scripted API server itself, asked with libcurl: what other scenarios rely on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/support/fakeapi.h"
#include "tests/support/world.h"

enum { PATIENCE_MS = 10000, TRANSFERS = 24, REST_MS = 20 };

/* --- a client --- */

struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct text body, head;
	bool is_done;
	CURLcode result;
	long status, version;
};

struct bench {
	struct fakeapi *f;
	CURLM *multi;
	struct transfer all[TRANSFERS];
	size_t count;
	bool http1, gunzip;
	const char *accept, *token;
};

static int bench_setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->multi = curl_multi_init();
	curl_multi_setopt(b->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	*state = b;
	return 0;
}

static int bench_teardown(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < b->count; i++) {
		struct transfer *t = &b->all[i];

		curl_multi_remove_handle(b->multi, t->easy);
		curl_easy_cleanup(t->easy);
		curl_slist_free_all(t->headers);
		text_fini(&t->body);
		text_fini(&t->head);
	}
	curl_multi_cleanup(b->multi);
	fakeapi_free(b->f);
	free(b);
	return 0;
}

#define bench_test(function) cmocka_unit_test_setup_teardown(function, bench_setup, bench_teardown)

static struct fakeapi *started(struct bench *b, const struct fakeapi_options *o)
{
	b->f = fakeapi_new(o);
	return b->f;
}

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
	text_add_bytes(arg, (struct bytes){(const uint8_t *)data, size * count});
	return size * count;
}

static struct transfer *ask(struct bench *b, const char *path)
{
	struct transfer *t = &b->all[b->count++];
	char line[512];
	struct curl_blob ca = {.data = (void *)(uintptr_t)fakeapi_ca_pem(b->f),
	                       .len = strlen(fakeapi_ca_pem(b->f)),
	                       .flags = CURL_BLOB_COPY};

	assert_true(b->count <= TRANSFERS);
	text_add(&t->body, "");
	text_add(&t->head, "");
	t->easy = curl_easy_init();
	snprintf(line, sizeof(line), "Authorization: Bearer %s",
	         b->token ? b->token : fakeapi_token(b->f));
	t->headers = curl_slist_append(NULL, line);
	if (b->accept) {
		snprintf(line, sizeof(line), "Accept: %s", b->accept);
		t->headers = curl_slist_append(t->headers, line);
	}
	snprintf(line, sizeof(line), "%s%s", fakeapi_url(b->f), path);
	curl_easy_setopt(t->easy, CURLOPT_URL, line);
	curl_easy_setopt(t->easy, CURLOPT_CAINFO_BLOB, &ca);
	curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION,
	                 (long)(b->http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, b->gunzip ? "gzip" : NULL);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, &t->body);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_data);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, &t->head);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_multi_add_handle(b->multi, t->easy);
	return t;
}

static void turn(struct bench *b)
{
	CURLMsg *message;
	int running, left;

	curl_multi_perform(b->multi, &running);
	while ((message = curl_multi_info_read(b->multi, &left)) != NULL) {
		struct transfer *t;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		t->is_done = true;
		t->result = message->data.result;
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
		curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &t->version);
	}
	curl_multi_poll(b->multi, NULL, 0, REST_MS, NULL);
}

static struct transfer *finish(struct bench *b, struct transfer *t)
{
	uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	while (!t->is_done && clock_monotonic_ms() < until_ms)
		turn(b);
	if (!t->is_done)
		fail_msg("no end within %d ms; so far: %s", PATIENCE_MS, t->body.data);
	return t;
}

static struct transfer *get(struct bench *b, const char *path) { return finish(b, ask(b, path)); }

/* Until the body has that text. */
static void see(struct bench *b, struct transfer *t, const char *text)
{
	uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	while (!strstr(t->body.data, text) && !t->is_done && clock_monotonic_ms() < until_ms)
		turn(b);
	if (!strstr(t->body.data, text))
		fail_msg("'%s' is not in: %s", text, t->body.data);
}

/* For so long nothing more comes. */
static void see_nothing(struct bench *b, struct transfer *t, unsigned for_ms)
{
	uint64_t until_ms = clock_monotonic_ms() + for_ms;
	size_t len = t->body.len;

	while (clock_monotonic_ms() < until_ms)
		turn(b);
	assert_false(t->is_done);
	assert_int_equal(t->body.len, len);
}

static void see_watches(struct bench *b, unsigned count)
{
	uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	while (fakeapi_watches(b->f, "") != count && clock_monotonic_ms() < until_ms)
		turn(b);
	assert_int_equal(fakeapi_watches(b->f, ""), count);
}

static void expect_body(const struct transfer *t, const char *text)
{
	if (!strstr(t->body.data, text))
		fail_msg("'%s' is not in: %s", text, t->body.data);
}

static void expect_status(const struct transfer *t, long status)
{
	if (t->result != CURLE_OK || t->status != status)
		fail_msg("%s, status %ld, not %ld: %s", curl_easy_strerror(t->result), t->status,
		         status, t->body.data);
}

static struct json_object *json_of(const struct transfer *t)
{
	struct json_object *root = json_tokener_parse(t->body.data);

	if (!root)
		fail_msg("not JSON: %s", t->body.data);
	return root;
}

static size_t items_of(const struct transfer *t)
{
	struct json_object *root = json_of(t);
	size_t count = json_object_array_length(json_object_object_get(root, "items"));

	json_object_put(root);
	return count;
}

static uint64_t put_service(struct fakeapi *f, const char *name)
{
	return fakeapi_put(f, FAKEAPI_SERVICES,
	                   "{'metadata':{'name':'%s','namespace':'shop'},'spec':{'type':"
	                   "'LoadBalancer'}}",
	                   name);
}

static void generate(struct text *out, size_t i, void *arg)
{
	(void)arg;
	text_printf(out,
	            "{\"metadata\":{\"name\":\"s%06zu\",\"namespace\":\"shop\",\"labels\":{\"a\":"
	            "\"b\"}},\"spec\":{\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80}]}}",
	            i);
}

/* --- serving --- */

static void test_one_connection_carries_many_watches(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *watches[8];

	put_service(f, "web");
	for (size_t i = 0; i < 8; i++)
		watches[i] = ask(b, FAKEAPI_SERVICES "?watch=1&resourceVersion=0");
	see_watches(b, 8);
	assert_int_equal(fakeapi_connections_ever(f), 1);
	assert_int_equal(fakeapi_http2_connections(f), 1);
	put_service(f, "api");
	fakeapi_delete(f, FAKEAPI_SERVICES, "shop/web");
	for (size_t i = 0; i < 8; i++) {
		see(b, watches[i], "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Service\"");
		see(b, watches[i], "\"name\":\"api\"");
		see(b, watches[i], "{\"type\":\"DELETED\"");
	}
	fakeapi_close_watches(f, FAKEAPI_SERVICES);
	for (size_t i = 0; i < 8; i++)
		expect_status(finish(b, watches[i]), 200);
	assert_int_equal(watches[0]->version, CURL_HTTP_VERSION_2_0);
	assert_int_equal(fakeapi_requests(f, "GET " FAKEAPI_SERVICES "?watch=1"), 8);
	fakeapi_expect_requests(f, "HTTP/2", 8, 0);
	fakeapi_expect_watches(f, "", 0, 1000);
	assert_string_equal(fakeapi_authorization(f) + strlen("Bearer "), fakeapi_token(f));
}

static void test_lists_come_in_pages_of_one_time(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct json_object *root, *metadata;
	char path[512], version[32];
	struct transfer *t;

	fakeapi_put_many(f, FAKEAPI_SERVICES, 1200, generate, NULL);
	t = get(b, FAKEAPI_SERVICES "?limit=500");
	assert_int_equal(items_of(t), 500);
	expect_body(t, "{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{");
	expect_body(t, "\"items\":[{\"metadata\":{");
	expect_body(t, "\"remainingItemCount\":700");
	root = json_of(t);
	metadata = json_object_object_get(root, "metadata");
	snprintf(version, sizeof(version), "\"resourceVersion\":\"%s\"",
	         json_object_get_string(json_object_object_get(metadata, "resourceVersion")));
	snprintf(path, sizeof(path), FAKEAPI_SERVICES "?limit=500&continue=%s",
	         json_object_get_string(json_object_object_get(metadata, "continue")));
	json_object_put(root);
	/* What happens meanwhile belongs to no page. */
	fakeapi_delete(f, FAKEAPI_SERVICES, "shop/s000700");
	put_service(f, "s000600x");
	t = get(b, path);
	assert_int_equal(items_of(t), 500);
	expect_body(t, version);
	expect_body(t, "\"s000700\"");
	assert_null(strstr(t->body.data, "s000600x"));
	assert_int_equal(items_of(get(b, FAKEAPI_SERVICES)), 1200);
	fakeapi_compact(f);
	t = get(b, path);
	expect_status(t, 410);
	expect_body(t, "\"reason\":\"Expired\"");
	root = json_of(t);
	snprintf(path, sizeof(path), FAKEAPI_SERVICES "?limit=500&continue=%s",
	         json_object_get_string(json_object_object_get(
			 json_object_object_get(root, "metadata"), "continue")));
	json_object_put(root);
	expect_body(get(b, path), "s000600x");
}

static void test_custom_kinds_are_written_by_the_alphabet(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *t;

	fakeapi_put(f, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'k'},'domain':'example.com'}");
	t = get(b, FAKEAPI_DOMAINS);
	expect_body(t, "{\"apiVersion\":\"multiclusterdns.kubefed.io/v1alpha1\",\"items\":["
	               "{\"apiVersion\":\"multiclusterdns.kubefed.io/v1alpha1\",\"kind\":"
	               "\"Domain\",\"metadata\":{");
	expect_body(t, "\"kind\":\"DomainList\",\"metadata\":{\"continue\":\"\",");
	assert_int_equal(items_of(t), 1);
}

static void test_one_name_one_namespace_and_metadata_alone(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *t;

	fakeapi_put(f, FAKEAPI_SECRETS, "{'metadata':{'name':'a','namespace':'k'},'data':{}}");
	fakeapi_put(f, FAKEAPI_SECRETS, "{'metadata':{'name':'b','namespace':'k'},'data':{}}");
	fakeapi_put(f, FAKEAPI_SECRETS, "{'metadata':{'name':'b','namespace':'other'}}");
	assert_int_equal(items_of(get(b, FAKEAPI_SECRETS)), 3);
	assert_int_equal(items_of(get(b, "/api/v1/namespaces/k/secrets")), 2);
	assert_int_equal(
		items_of(get(b, "/api/v1/namespaces/k/secrets?fieldSelector=metadata.name%3Db")),
		1);
	assert_int_equal(fakeapi_requests(f, "fieldSelector=metadata.name=b"), 1);
	expect_body(get(b, "/api/v1/namespaces/k/secrets/a"), "{\"kind\":\"Secret\"");
	expect_status(get(b, "/api/v1/namespaces/k/secrets/c"), 404);
	b->accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
	t = get(b, FAKEAPI_SECRETS);
	expect_body(t, "{\"kind\":\"PartialObjectMetadataList\"");
	assert_null(strstr(t->body.data, "\"data\""));
	assert_int_equal(items_of(t), 3);
}

static void test_who_may_not_is_told(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);

	expect_body(get(b, "/version"), "\"gitVersion\": \"v1.31.4\"");
	expect_body(get(b, "/readyz"), "ok");
	expect_status(get(b, "/apis/nowhere/v1/things"), 404);
	fakeapi_forbid(f, FAKEAPI_NODES);
	expect_body(get(b, FAKEAPI_NODES), "\"reason\":\"Forbidden\"");
	fakeapi_allow(f, FAKEAPI_NODES);
	expect_status(get(b, FAKEAPI_NODES), 200);
	fakeapi_unregister(f, FAKEAPI_DOMAINS);
	expect_status(get(b, FAKEAPI_DOMAINS), 404);
	fakeapi_register(f, FAKEAPI_DOMAINS, "Domain", true);
	expect_status(get(b, FAKEAPI_DOMAINS), 200);
	b->token = "another";
	expect_status(get(b, FAKEAPI_NODES), 401);
	fakeapi_set_token(f, "another");
	expect_status(get(b, FAKEAPI_NODES), 200);
	assert_int_equal(fakeapi_connections_ever(f), 1);
}

static void test_http1_when_it_must_be(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, &(struct fakeapi_options){.http1 = true});
	struct transfer *t;

	fakeapi_put_many(f, FAKEAPI_SERVICES, 3000, generate, NULL);
	t = get(b, FAKEAPI_SERVICES);
	assert_int_equal(items_of(t), 3000);
	assert_int_equal(t->version, CURL_HTTP_VERSION_1_1);
	assert_int_equal(items_of(get(b, FAKEAPI_SERVICES "?limit=10")), 10);
	assert_int_equal(fakeapi_connections_ever(f), 1);
	t = ask(b, FAKEAPI_SERVICES "?watch=true&resourceVersion=0&timeoutSeconds=1");
	see(b, t, "s002999");
	expect_status(finish(b, t), 200);
	assert_int_equal(fakeapi_http2_connections(f), 0);
	fakeapi_expect_requests(f, "HTTP/1.1", 3, 0);
}

static void test_long_lists_are_gzipped_for_who_likes_it(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, &(struct fakeapi_options){.gzip = true});
	struct transfer *t;

	fakeapi_put_many(f, FAKEAPI_SERVICES, 3000, generate, NULL);
	assert_null(strstr(get(b, FAKEAPI_SERVICES)->head.data, "gzip"));
	b->gunzip = true;
	t = get(b, FAKEAPI_SERVICES);
	assert_non_null(strstr(t->head.data, "content-encoding: gzip"));
	assert_int_equal(items_of(t), 3000);
	assert_null(strstr(get(b, FAKEAPI_SERVICES "?limit=10")->head.data, "gzip"));
}

/* --- watching --- */

static void test_a_watch_goes_on_where_a_list_ended(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	uint64_t version = put_service(f, "old");
	struct transfer *t;
	char path[256];

	put_service(f, "new");
	snprintf(path, sizeof(path),
	         FAKEAPI_SERVICES "?watch=1&allowWatchBookmarks=true&resourceVersion=%llu",
	         (unsigned long long)version);
	t = ask(b, path);
	see(b, t, "\"name\":\"new\"");
	assert_null(strstr(t->body.data, "\"name\":\"old\""));
	fakeapi_skip_versions(f, 500);
	fakeapi_bookmark(f, FAKEAPI_SERVICES);
	see(b, t, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Service\"");
	snprintf(path, sizeof(path), "\"resourceVersion\":\"%llu\",\"creationTimestamp\":null",
	         (unsigned long long)version + 501);
	expect_body(t, path);
	put_service(f, "new");
	see(b, t, "{\"type\":\"MODIFIED\"");
}

static void test_initial_events_end_with_a_bookmark_or_are_refused(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	const char *path = FAKEAPI_SERVICES "?watch=1&sendInitialEvents=true&allowWatchBookmarks="
					    "true&resourceVersionMatch=NotOlderThan";
	struct transfer *t;

	fakeapi_put_many(f, FAKEAPI_SERVICES, 2000, generate, NULL);
	t = ask(b, path);
	see(b, t, "\"k8s.io/initial-events-end\":\"true\"");
	assert_non_null(strstr(t->body.data, "s001999"));
	expect_status(get(b, FAKEAPI_SERVICES "?watch=1&sendInitialEvents=true"), 422);
	fakeapi_set_watch_list(f, FAKEAPI_WATCH_LIST_REFUSED);
	expect_status(get(b, path), 422);
	fakeapi_set_watch_list(f, FAKEAPI_WATCH_LIST_IGNORED);
	t = ask(b, path);
	see(b, t, "s001999");
	see_nothing(b, t, 50);
	assert_null(strstr(t->body.data, "initial-events-end"));
}

static void test_what_is_too_old_is_410(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *t;

	put_service(f, "a");
	put_service(f, "b");
	fakeapi_compact(f);
	t = get(b, FAKEAPI_SERVICES "?watch=1&resourceVersion=1001");
	expect_status(t, 200);
	expect_body(t, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\"");
	expect_body(t, "\"code\":410");
	t = ask(b, FAKEAPI_SERVICES "?watch=1&resourceVersion=1002");
	see_watches(b, 1);
	fakeapi_fail_watches(f, FAKEAPI_SERVICES, 410);
	expect_body(finish(b, t), "\"reason\":\"Expired\"");
}

static void test_time_can_go_back(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	uint64_t version;
	struct transfer *t;

	put_service(f, "kept");
	put_service(f, "deleted");
	version = fakeapi_put(f, FAKEAPI_SERVICES,
	                      "{'metadata':{'name':'changed','namespace':'shop'},'spec':'old'}");
	fakeapi_put(f, FAKEAPI_SERVICES,
	            "{'metadata':{'name':'changed','namespace':'shop'},'spec':'new'}");
	fakeapi_delete(f, FAKEAPI_SERVICES, "shop/deleted");
	put_service(f, "newer");
	t = ask(b, FAKEAPI_SERVICES "?watch=1&resourceVersion=0");
	see(b, t, "newer");
	fakeapi_go_back(f, version);
	assert_int_equal(fakeapi_version(f), version);
	assert_int_equal(fakeapi_count(f, FAKEAPI_SERVICES), 3);
	t = get(b, FAKEAPI_SERVICES);
	expect_body(t, "\"spec\":\"old\"");
	expect_body(t, "\"name\":\"deleted\"");
	expect_status(get(b, FAKEAPI_SERVICES "?resourceVersion=9999"), 504);
	put_service(f, "again");
	see(b, &b->all[0], "\"name\":\"again\"");
}

/* --- failing --- */

static void test_rules_answer_in_its_place(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *t;

	fakeapi_answer(f, FAKEAPI_SERVICES, 2, 429, "Retry-After: 7");
	t = get(b, FAKEAPI_SERVICES);
	expect_status(t, 429);
	expect_body(t, "\"reason\":\"TooManyRequests\"");
	assert_non_null(strstr(t->head.data, "retry-after: 7\r\n"));
	assert_non_null(strstr(t->head.data, "date: "));
	expect_status(get(b, FAKEAPI_SERVICES), 429);
	expect_status(get(b, FAKEAPI_SERVICES), 200);
	fakeapi_redirect(f, FAKEAPI_NODES "?!watch=", 0, "https://127.0.0.1:1/elsewhere");
	t = get(b, FAKEAPI_NODES);
	expect_status(t, 302);
	assert_non_null(strstr(t->head.data, "location: https://127.0.0.1:1/elsewhere"));
	expect_status(get(b, FAKEAPI_NODES "?watch=1&timeoutSeconds=1"), 200);
	fakeapi_no_rule(f, FAKEAPI_NODES "?!watch=");
	expect_status(get(b, FAKEAPI_NODES), 200);
	fakeapi_answer_bytes(f, FAKEAPI_NODES, 1, 200, "text/html", "<html>\0", 7);
	t = get(b, FAKEAPI_NODES);
	assert_memory_equal(t->body.data, "<html>\0", 7);
	fakeapi_answer_wire(f, "", 0, "SSH-2.0-nonsense and some more of it\r\n", 38);
	assert_int_not_equal(get(b, FAKEAPI_NODES)->result, CURLE_OK);
}

static void test_one_stream_hangs_and_others_go_on(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *stalled, *hung, *hushed;

	put_service(f, "web");
	fakeapi_stall(f, FAKEAPI_NODES, 1);
	fakeapi_hang(f, FAKEAPI_SERVICES "?!watch=", 1, 30);
	stalled = ask(b, FAKEAPI_NODES);
	hung = ask(b, FAKEAPI_SERVICES);
	hushed = ask(b, FAKEAPI_SERVICES "?watch=1");
	see(b, hushed, "web");
	fakeapi_hush_watches(f, FAKEAPI_SERVICES);
	put_service(f, "api");
	expect_body(get(b, FAKEAPI_SERVICES), "api");
	see_nothing(b, hushed, 50);
	assert_int_equal(hung->body.len, 30);
	assert_false(stalled->is_done || hung->is_done || stalled->head.len > 0);
	assert_int_equal(fakeapi_connections_ever(f), 1);
}

static void test_answers_are_cut_where_told(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	const enum fakeapi_cut hows[] = {FAKEAPI_CUT_CLOSE, FAKEAPI_CUT_STREAM};
	struct transfer *t;

	fakeapi_put_many(f, FAKEAPI_SERVICES, 3000, generate, NULL);
	for (size_t i = 0; i < 4; i++) {
		b->http1 = i > 1;
		fakeapi_cut(f, FAKEAPI_SERVICES, 1, 100000, hows[i % 2]);
		t = get(b, FAKEAPI_SERVICES);
		assert_int_not_equal(t->result, CURLE_OK);
		assert_int_equal(t->body.len, 100000);
	}
	fakeapi_cut(f, FAKEAPI_SERVICES, 1, 1000, FAKEAPI_CUT_RESET);
	assert_int_not_equal(get(b, FAKEAPI_SERVICES)->result, CURLE_OK);
	assert_int_equal(items_of(get(b, FAKEAPI_SERVICES)), 3000);
}

static void test_a_watch_is_cut_inside_an_event(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *t;
	size_t before;

	put_service(f, "first");
	t = ask(b, FAKEAPI_SERVICES "?watch=1");
	see(b, t, "}\n");
	before = t->body.len;
	fakeapi_cut_next_event(f, FAKEAPI_SERVICES, 20, FAKEAPI_CUT_CLOSE);
	put_service(f, "second");
	assert_int_not_equal(finish(b, t)->result, CURLE_OK);
	assert_int_equal(t->body.len, before + 20);
	t = ask(b, FAKEAPI_SERVICES "?watch=1");
	see(b, t, "second");
	fakeapi_cut_next_event(f, FAKEAPI_SERVICES, FAKEAPI_MID_CHARACTER, FAKEAPI_CUT_STREAM);
	fakeapi_put(
		f, FAKEAPI_SERVICES,
		"{'metadata':{'name':'m','namespace':'shop','annotations':{'a':'M\xc3\xbcn'}}}");
	assert_int_not_equal(finish(b, t)->result, CURLE_OK);
	assert_int_equal((unsigned char)t->body.data[t->body.len - 1], 0xc3);
}

static void test_open_watches_are_sent_anything(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *t = ask(b, FAKEAPI_SERVICES "?watch=1");

	see_watches(b, 1);
	put_service(f, "web");
	fakeapi_send_line(f, FAKEAPI_SERVICES, "{'type':'%s','object':{}}", "PAINTED");
	fakeapi_send(f, FAKEAPI_SERVICES, "garbage", 7);
	see(b, t, "}}\n{\"type\":\"PAINTED\",\"object\":{}}\ngarbage");
	fakeapi_unregister(f, FAKEAPI_SERVICES);
	expect_status(finish(b, t), 200);
}

static void test_answers_come_late_and_slowly(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	uint64_t begun_ms = clock_monotonic_ms();

	fakeapi_delay(f, FAKEAPI_NODES, 1, 200);
	expect_status(get(b, FAKEAPI_NODES), 200);
	assert_true(clock_monotonic_ms() - begun_ms >= 200);
	fakeapi_put_many(f, FAKEAPI_SERVICES, 10, generate, NULL);
	for (int i = 0; i < 2; i++) {
		b->http1 = i == 1;
		begun_ms = clock_monotonic_ms();
		fakeapi_drip(f, FAKEAPI_SERVICES, 1, 10000);
		assert_int_equal(items_of(get(b, FAKEAPI_SERVICES)), 10);
		assert_true(clock_monotonic_ms() - begun_ms >= 150);
	}
}

static void test_what_has_no_end_has_none(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	const char *const paths[] = {FAKEAPI_SERVICES, FAKEAPI_SERVICES "?watch=1"};

	for (int what = 0; what < 8; what++) {
		uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
		struct transfer *t;

		fakeapi_endless(f, "", 1, (enum fakeapi_endless)(what / 2));
		t = ask(b, paths[what % 2]);
		while (t->body.len < 1000000 && clock_monotonic_ms() < until_ms)
			turn(b);
		assert_true(t->body.len >= 1000000);
		put_service(f, "meanwhile"); /* tests have their turn */
		curl_multi_remove_handle(b->multi, t->easy);
	}
	expect_status(get(b, "/livez"), 200);
}

/* --- the whole server --- */

static void test_it_freezes_and_goes_down_and_comes_back(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *t;

	put_service(f, "web");
	expect_status(get(b, FAKEAPI_SERVICES), 200);
	fakeapi_freeze(f);
	t = ask(b, FAKEAPI_SERVICES);
	see_nothing(b, t, 100);
	fakeapi_thaw(f);
	expect_status(finish(b, t), 200);
	fakeapi_down(f);
	assert_int_equal(fakeapi_connections(f), 0);
	assert_int_equal(get(b, FAKEAPI_SERVICES)->result, CURLE_COULDNT_CONNECT);
	fakeapi_up(f);
	expect_body(get(b, FAKEAPI_SERVICES), "web");
	t = ask(b, FAKEAPI_SERVICES "?watch=1");
	see_watches(b, 1);
	fakeapi_drop(f, FAKEAPI_CUT_RESET);
	assert_int_not_equal(finish(b, t)->result, CURLE_OK);
	expect_status(get(b, FAKEAPI_SERVICES), 200);
	assert_int_equal(fakeapi_connections_ever(f), 3);
}

static void test_goaway_and_a_connection_frozen_for_ever(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *t = ask(b, FAKEAPI_SERVICES "?watch=1");

	see_watches(b, 1);
	fakeapi_goaway(f);
	put_service(f, "web");
	see(b, t, "web");
	see_nothing(b, t, 50);
	expect_status(get(b, FAKEAPI_SERVICES), 200);
	assert_int_equal(fakeapi_connections(f), 2);
	fakeapi_freeze_open(f);
	put_service(f, "api");
	see_nothing(b, t, 50);
	assert_int_equal(fakeapi_watches(f, ""), 1);
	fakeapi_expect_connections(f, 2, 0);
}

static void test_bad_certificates_are_refused(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f =
		started(b, &(struct fakeapi_options){.certificate = FAKEAPI_CERTIFICATE_EXPIRED});

	assert_int_equal(get(b, "/version")->result, CURLE_PEER_FAILED_VERIFICATION);
	for (int c = FAKEAPI_CERTIFICATE_NOT_YET; c <= FAKEAPI_CERTIFICATE_STRANGE; c++) {
		fakeapi_set_certificate(f, (enum fakeapi_certificate)c);
		assert_int_equal(get(b, "/version")->result, CURLE_PEER_FAILED_VERIFICATION);
	}
	fakeapi_set_certificate(f, FAKEAPI_CERTIFICATE_GOOD);
	expect_status(get(b, "/version"), 200);
	assert_int_equal(fakeapi_requests(f, ""), 1);
}

static void show_certificate(struct transfer *t, bool expired, const struct fakeapi *f)
{
	char *certificate, *key;
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};

	fakeapi_client_certificate(f, expired, &certificate, &key);
	blob.data = certificate;
	blob.len = strlen(certificate);
	curl_easy_setopt(t->easy, CURLOPT_SSLCERT_BLOB, &blob);
	blob.data = key;
	blob.len = strlen(key);
	curl_easy_setopt(t->easy, CURLOPT_SSLKEY_BLOB, &blob);
	curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL);
	free(certificate);
	free(key);
}

static void test_clients_may_show_certificates(void **state)
{
	struct bench *b = *state;
	struct fakeapi *f = started(b, NULL);
	struct transfer *good = ask(b, FAKEAPI_NODES), *expired = ask(b, FAKEAPI_NODES);

	show_certificate(good, false, f);
	show_certificate(expired, true, f);
	expect_status(finish(b, good), 200);
	expect_status(finish(b, expired), 401);
	assert_string_equal(fakeapi_authorization(f), "");
}

static void test_several_run_at_once_and_write_kubeconfigs(void **state)
{
	struct world *w = *state;
	struct fakeapi *one = fakeapi_new(NULL), *two = fakeapi_new(NULL);
	struct text said = {0};
	FILE *file;
	char line[8192];

	fakeapi_kubeconfig(two, w, "two.kubeconfig");
	file = fopen(world_path(w, "two.kubeconfig"), "r");
	while (fgets(line, sizeof(line), file))
		text_add(&said, line);
	fclose(file);
	assert_non_null(strstr(said.data, fakeapi_url(two)));
	assert_non_null(strstr(said.data, fakeapi_token(two)));
	assert_non_null(strstr(said.data, fakeapi_ca_base64(two)));
	assert_int_not_equal(fakeapi_port(one), fakeapi_port(two));
	text_fini(&said);
	fakeapi_free(one);
	fakeapi_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(test_one_connection_carries_many_watches),
		bench_test(test_lists_come_in_pages_of_one_time),
		bench_test(test_custom_kinds_are_written_by_the_alphabet),
		bench_test(test_one_name_one_namespace_and_metadata_alone),
		bench_test(test_who_may_not_is_told),
		bench_test(test_http1_when_it_must_be),
		bench_test(test_long_lists_are_gzipped_for_who_likes_it),
		bench_test(test_a_watch_goes_on_where_a_list_ended),
		bench_test(test_initial_events_end_with_a_bookmark_or_are_refused),
		bench_test(test_what_is_too_old_is_410),
		bench_test(test_time_can_go_back),
		bench_test(test_rules_answer_in_its_place),
		bench_test(test_one_stream_hangs_and_others_go_on),
		bench_test(test_answers_are_cut_where_told),
		bench_test(test_a_watch_is_cut_inside_an_event),
		bench_test(test_open_watches_are_sent_anything),
		bench_test(test_answers_come_late_and_slowly),
		bench_test(test_what_has_no_end_has_none),
		bench_test(test_it_freezes_and_goes_down_and_comes_back),
		bench_test(test_goaway_and_a_connection_frozen_for_ever),
		bench_test(test_bad_certificates_are_refused),
		bench_test(test_clients_may_show_certificates),
		world_test(test_several_run_at_once_and_write_kubeconfigs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
