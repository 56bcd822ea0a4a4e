/* hostile_clusters.c -- one bad cluster: it accepts and says nothing, sends without end, redirects, or is full of nonsense.
 * It costs the others nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_object.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/world_fleet.h"

#define LA           "198.18.3.10"
#define HOUSTON      "198.18.2.10"
#define HOUSTON_NAME "houston.shop.fed.svc.example.com"

enum { SOON_MS = 2500, SOON_SANITIZED_MS = 10000, MORE_MOST_KB = 160 * 1024, CHANGES = 10 };

/* Houston is well, la is what is returned. */
static struct fakeapi *two_clusters(struct world_fleet *f, struct fakeapi **houston)
{
	struct fakeapi *la = world_fleet_api(f, NULL);

	*houston = world_fleet_api(f, NULL);
	world_fleet_publish(f, la, "la", LA);
	world_fleet_publish(f, *houston, "houston", HOUSTON);
	world_fleet_join(f, "la", la, "");
	world_fleet_join(f, "houston", *houston, "");
	return la;
}

/* Each change of Houston's shows within seconds on a busy machine, and nighd is alive.  A turn of the loop is up to 1.6 MB of each
 * stream, which sanitizers may spend a second on. */
static void expect_no_harm(struct world_fleet *f, struct fakeapi *houston)
{
	for (int i = 0; i < CHANGES; i++) {
		char address[32];
		int status;

		snprintf(address, sizeof(address), "198.18.2.%d", 100 + i);
		world_fleet_service(houston, "houston", address);
		world_expect(f->world, HOUSTON_NAME, "A", NULL, address,
		             world_is_sanitized() ? SOON_SANITIZED_MS : SOON_MS);
		world_get(f->world, "/livez", &status);
		assert_int_equal(status, 200);
	}
}

static void expect_bounded(struct world_fleet *f, long before_kb, long more_kb)
{
	long now_kb = world_fleet_memory_kb(f);

	more_kb += (long)(world_sanitizer_bytes() / 1024);
	if (now_kb > before_kb + more_kb)
		world_fail(f->world, "nighd has grown from %ld to %ld KiB", before_kb, now_kb);
}

/* --- silence --- */

static void test_a_cluster_that_accepts_and_never_answers(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *houston, *la = two_clusters(f, &houston);

	fakeapi_freeze(la);
	world_fleet_config(f, NULL, "startup: {patience: 2s}");
	world_start(f->world);
	world_fleet_expect(f, "houston", HOUSTON);
	expect_no_harm(f, houston);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"never\"");
	fakeapi_thaw(la);
	world_fleet_expect(f, "la", LA);
	/* Later, with all that was known staying. */
	fakeapi_freeze(la);
	world_fleet_expect_status(f, "\"knowledge\":\"unseen\"");
	expect_no_harm(f, houston);
	world_fleet_expect_stays(f, "la", LA, 300);
	fakeapi_thaw(la);
	world_fleet_expect_status(f, "!\"knowledge\":\"unseen\"");
}

static void test_requests_that_are_never_answered(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *houston, *la = two_clusters(f, &houston);

	fakeapi_stall(la, "", 0);
	world_fleet_config(f, NULL, "startup: {patience: 2s}");
	world_start(f->world);
	world_fleet_expect(f, "houston", HOUSTON);
	expect_no_harm(f, houston);
	world_fleet_expect_status(f, "no answer in time");
	fakeapi_no_rule(la, NULL);
	world_fleet_expect(f, "la", LA);
}

/* --- without end --- */

/* Its lists, and later its watches. */
static void expect_endless_costs_nothing(struct world_fleet *f, enum fakeapi_endless what,
                                         long more_kb)
{
	struct fakeapi *houston, *la = two_clusters(f, &houston);
	long before_kb;

	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect(f, "houston", HOUSTON);
	before_kb = world_fleet_memory_kb(f);
	fakeapi_endless(la, FAKEAPI_SERVICES "?watch=", 0, what);
	fakeapi_endless(la, FAKEAPI_SLICES "?watch=", 0, what);
	fakeapi_close_watches(la, "");
	world_fleet_expect_metric(f, "watcher_api_bytes_total{cluster=\"la\"}", 1 << 20);
	expect_no_harm(f, houston);
	expect_bounded(f, before_kb, more_kb);
	fakeapi_compact(la);
	fakeapi_endless(la, "/api", 0, what);
	fakeapi_drop(la, FAKEAPI_CUT_RESET);
	expect_no_harm(f, houston);
	expect_bounded(f, before_kb, more_kb);
	world_fleet_expect_stays(f, "la", LA, 300);
	fakeapi_no_rule(la, NULL);
	fakeapi_drop(la, FAKEAPI_CUT_RESET);
	world_fleet_service(la, "la", "198.18.3.11");
	world_fleet_expect(f, "la", "198.18.3.11");
}

static void test_an_object_without_end(void **state)
{
	expect_endless_costs_nothing(*state, FAKEAPI_ENDLESS_OBJECT, MORE_MOST_KB);
}

static void test_depth_without_end(void **state)
{
	expect_endless_costs_nothing(*state, FAKEAPI_ENDLESS_DEPTH, MORE_MOST_KB);
}

static void test_white_space_without_end(void **state)
{
	expect_endless_costs_nothing(*state, FAKEAPI_ENDLESS_SPACE, MORE_MOST_KB);
}

/* Those are kept, up to two million of a kind. */
static void test_objects_without_end(void **state)
{
	expect_endless_costs_nothing(*state, FAKEAPI_ENDLESS_ITEMS, 3L * 1024 * 1024);
}

/* Four megabytes of gzip, four gigabytes of white space: what has been packed once stands there again and again. */
static struct buffer a_bomb(void)
{
	enum { ONE = 16 << 20, TIMES = 256 };
	struct buffer bomb = {0};
	uint8_t *space = xmalloc(ONE), *packed = xmalloc(ONE);
	z_stream z = {.next_in = space, .avail_in = ONE, .next_out = packed, .avail_out = ONE};
	size_t header, len;

	memset(space, ' ', ONE);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.avail_in = 0;
	assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
	header = ONE - z.avail_out;
	z.avail_in = ONE;
	assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
	len = ONE - z.avail_out;
	assert_int_equal(z.avail_in, 0);
	buffer_put(&bomb, packed, header);
	for (int i = 0; i < TIMES; i++)
		buffer_put(&bomb, packed + header, len - header);
	deflateEnd(&z);
	free(space);
	free(packed);
	return bomb;
}

static void test_a_bomb_that_is_unpacked(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *houston, *la = two_clusters(f, &houston);
	struct buffer bomb = a_bomb();
	long before_kb;

	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	before_kb = world_fleet_memory_kb(f);
	fakeapi_answer_bytes(la, FAKEAPI_SERVICES, 0, 200,
	                     "application/json\nContent-Encoding: gzip", bomb.data, bomb.len);
	fakeapi_drop(la, FAKEAPI_CUT_RESET);
	world_fleet_expect_status(f, "services: sends too much at once");
	expect_no_harm(f, houston);
	expect_bounded(f, before_kb, MORE_MOST_KB);
	fakeapi_no_rule(la, NULL);
	world_fleet_service(la, "la", "198.18.3.11");
	world_fleet_expect(f, "la", "198.18.3.11");
	buffer_fini(&bomb);
}

/* --- elsewhere --- */

static void test_no_redirect_is_followed(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *houston, *la = two_clusters(f, &houston);
	struct fakeapi *sink = world_fleet_api(f, &(struct fakeapi_options){.token = ""});
	struct fakeapi *plain =
		world_fleet_api(f, &(struct fakeapi_options){.token = "", .plain = true});
	char url[128];

	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	snprintf(url, sizeof(url), "%s" FAKEAPI_SERVICES, fakeapi_url(sink));
	fakeapi_redirect(la, "", 0, url);
	snprintf(url, sizeof(url), "%s" FAKEAPI_SLICES, fakeapi_url(plain));
	fakeapi_redirect(la, FAKEAPI_SLICES, 0, url);
	fakeapi_answer(la, FAKEAPI_NODES, 0, 307, "Location: //127.0.0.1/");
	fakeapi_drop(la, FAKEAPI_CUT_CLOSE);
	world_fleet_expect_status(f, "answers with a redirect, which is not followed");
	world_fleet_expect_stays(f, "la", LA, 1000);
	assert_int_equal(fakeapi_connections_ever(sink), 0);
	assert_int_equal(fakeapi_connections_ever(plain), 0);
	fakeapi_no_rule(la, NULL);
	world_fleet_service(la, "la", "198.18.3.11");
	world_fleet_expect(f, "la", "198.18.3.11");
}

/* In the clear a token is sent to this machine alone, and not to what is only called so. */
static void test_no_token_is_sent_in_the_clear(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, &(struct fakeapi_options){.plain = true});
	char server[128], user[256], address[64];

	snprintf(address, sizeof(address), "token: \"%s\"", fakeapi_token(la));
	snprintf(user, sizeof(user), "%s", address);
	world_fleet_kubeconfig(f, "la.kubeconfig", fakeapi_url(la), "", user);
	/* The system's host name leads to this machine, too, and is not known to. */
	snprintf(server, sizeof(server), "http://0.0.0.0:%u", fakeapi_port(la));
	world_fleet_kubeconfig(f, "far.kubeconfig", server, "", user);
	world_fleet_config(f,
	                   WORLD_FLEET_HOST ", members: [{name: la, kubeconfig: la.kubeconfig}, "
	                                    "{name: far, kubeconfig: far.kubeconfig}]",
	                   "");
	world_fleet_publish(f, la, "la", LA);
	world_start_unready(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "services: 401");
}

/* --- nonsense --- */

static void test_long_labels_and_names_that_are_none(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *houston, *la = two_clusters(f, &houston);
	char *many = calloc(1, 10001);

	memset(many, 'x', 10000);
	fakeapi_put(la, FAKEAPI_NODES,
	            "{'metadata':{'name':'n','labels':{'topology.kubernetes.io/region':'%s',"
	            "'topology.kubernetes.io/zone':'%s','%s':'%s'}}}",
	            many, many, many, many);
	fakeapi_put(
		la, FAKEAPI_SERVICES,
		"{'metadata':{'name':'la','namespace':'shop','labels':{'%s':'%s'},'annotations':"
		"{'external-dns.alpha.kubernetes.io/hostname':'%s.example.com'}},'spec':{'type':"
		"'LoadBalancer','ports':[{'port':80}]},'status':{'loadBalancer':{'ingress':"
		"[{'ip':'198.18.3.10'},{'ip':'no address'},{'hostname':'%s'}]}}}",
		many, many, many, many);
	fakeapi_put(la, FAKEAPI_SERVICES, "{'metadata':{'name':'%s','namespace':'%s'}}", many,
	            many);
	fakeapi_put(la, FAKEAPI_SERVICES, "{'metadata':{'name':'../../up','namespace':'shop'}}");
	fakeapi_put(la, FAKEAPI_SERVICES,
	            "{'metadata':{'name':'a b\\n$INCLUDE','namespace':'shop'}}");
	fakeapi_put(la, FAKEAPI_SERVICES, "{'metadata':{'name':'l\\u0000a','namespace':'shop'}}");
	fakeapi_put(f->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'%s','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'spec':{'apiEndpoint':'https://192.0.2.1','secretRef':{'name':'la'}}}",
	            many);
	fakeapi_put(f->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'no name}\\n\\u0022{','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'spec':{'apiEndpoint':'https://192.0.2.1','secretRef':{'name':'la'}}}");
	world_start(f->world);
	free(many);
	world_fleet_expect(f, "la", LA);
	expect_no_harm(f, houston);
	world_fleet_expect_status(f, "metadata.name: is not a name");
	json_object_put(world_json(f->world, "/status"));
	world_expect_http(f->world, "/status", "!xxxxxxxxxxxxxxxxxxxx\",\"source\"", 0);
	world_expect_http(f->world, "/metrics", "!no name", 0);
	world_expect_http(f->world, "/metrics", "!$INCLUDE", 0);
}

static void generate_cluster(struct text *out, size_t i, void *arg)
{
	(void)arg;
	text_printf(out,
	            "{\"metadata\":{\"name\":\"z%05zu\",\"namespace\":\"" WORLD_FLEET_NAMESPACE
	            "\"},\"spec\":{\"apiEndpoint\":\"https://192.0.2.1\",\"secretRef\":{\"name\":"
	            "\"of-nobody\"}}}",
	            i);
}

static void test_more_clusters_than_there_may_be(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *houston;

	two_clusters(f, &houston);
	fakeapi_put_many(f->host, FAKEAPI_CLUSTERS, 5000, generate_cluster, NULL);
	world_start_unready(f->world);
	world_fleet_expect(f, "houston", HOUSTON);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "4096 clusters already");
	expect_no_harm(f, houston);
	assert_true(world_metric(f->world, "watcher_api_requests_total{cluster=\"houston\"}") > 0);
	/* One Secret, one watch, however many ask for it. */
	assert_true(fakeapi_watches(f->host, WORLD_FLEET_SECRETS) <= 3);
	fakeapi_delete_all(f->host, FAKEAPI_CLUSTERS);
	world_fleet_expect(f, "houston", "NXDOMAIN");
	world_fleet_expect_status(f, "\"clusters\":[],");
}

static void test_json_that_is_too_deep_is_passed_over(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *houston, *la = two_clusters(f, &houston);
	struct text list = {0};

	text_add(&list, "{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{"
	                "\"resourceVersion\":\"1003\"},\"items\":[{\"metadata\":{\"name\":\"deep\","
	                "\"namespace\":\"shop\"},\"spec\":");
	for (int i = 0; i < 5000; i++)
		text_add(&list, "[");
	for (int i = 0; i < 5000; i++)
		text_add(&list, "]");
	text_add(&list,
	         "},{\"metadata\":{\"name\":\"la\",\"namespace\":\"shop\"},\"spec\":{\"ports\":"
	         "[{\"port\":80}]},\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":"
	         "\"198.18.3.12\"}]}}}]}");
	fakeapi_answer_bytes(la, FAKEAPI_SERVICES "?!watch=", 0, 200, "application/json", list.data,
	                     list.len);
	text_fini(&list);
	world_start(f->world);
	world_fleet_expect(f, "la", "198.18.3.12");
	world_fleet_expect_metric(f, "watcher_api_skipped_total{cluster=\"la\"}", 1);
	world_fleet_expect_status(f, "\"where\":\"la: Service shop/deep\"");
	expect_no_harm(f, houston);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_fleet_test(test_a_cluster_that_accepts_and_never_answers),
		world_fleet_test(test_requests_that_are_never_answered),
		world_fleet_test(test_an_object_without_end),
		world_fleet_test(test_depth_without_end),
		world_fleet_test(test_white_space_without_end),
		world_fleet_test(test_objects_without_end),
		world_fleet_test(test_a_bomb_that_is_unpacked),
		world_fleet_test(test_no_redirect_is_followed),
		world_fleet_test(test_no_token_is_sent_in_the_clear),
		world_fleet_test(test_long_labels_and_names_that_are_none),
		world_fleet_test(test_more_clusters_than_there_may_be),
		world_fleet_test(test_json_that_is_too_deep_is_passed_over),
	};

	return cmocka_run_group_tests_name("scenario/hostile_clusters", tests, NULL, NULL);
}
