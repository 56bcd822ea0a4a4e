/* health.c -- what traffic policies have nighd ask of the published addresses, and what follows from the answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/watcher_httpd.h"
#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define SAN_FRANCISCO "203.0.113.0/24"
#define LA            "127.0.0.13"
#define HOUSTON       "127.0.0.12"
#define EXPLAIN       "/explain?name=" WEB "&client=" SAN_FRANCISCO
#define PUBLISH       "publish: {allow: [127.0.0.0/8]}\n"
#define GOOD          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BAD           "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"

/* Two cities whose addresses are servers of ours. */
struct cities {
	struct world *w;
	struct httpd_settings la_settings;
	struct httpd *la, *houston;
};

static void policy(struct world *w, const char *probe)
{
	char spec[512];

	snprintf(spec, sizeof(spec), "  probe: %s\n", probe);
	world_policy(w, spec);
}

static struct cities two_cities(struct world *w, const struct httpd_settings *settings)
{
	struct httpd_settings la = *settings, houston = *settings;
	struct cities c = {.w = w};

	la.address = LA;
	houston.address = HOUSTON;
	c.la_settings = la;
	c.la = httpd_start(&la, world_path(w, "."));
	c.houston = httpd_start(&houston, world_path(w, "."));
	world_three_cities(w);
	world_remove(w, "manifests/clusters/newyork");
	world_remove(w, "manifests/host/cluster-newyork.yaml");
	world_service_on(w, "losangeles", "web", LA, httpd_port(c.la), true, "");
	world_service_on(w, "houston", "web", HOUSTON, httpd_port(c.houston), true, "");
	return c;
}

/* The server of Los Angeles says something else from now on, on its port. */
static void change_la(struct cities *c, const char *answer, uint8_t serving)
{
	c->la_settings.port = httpd_port(c->la);
	c->la_settings.answer = answer;
	c->la_settings.serving = serving;
	httpd_stop(c->la);
	c->la = httpd_start(&c->la_settings, world_path(c->w, "."));
}

static void cities_end(struct cities *c)
{
	httpd_stop(c->la);
	httpd_stop(c->houston);
}

static void test_a_site_that_answers_503_is_avoided_though_it_accepts_connections(void **state)
{
	struct world *w = *state;
	struct cities c = two_cities(w, &(struct httpd_settings){.answer = GOOD});
	char *request;

	policy(w, "{http: {host: shop.example.com, path: /healthz}, down: 2}");
	world_config(w, PUBLISH);
	world_start(w);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, LA, 1500);
	world_expect_http(w, EXPLAIN,
	                  "\"check\":\"http\",\"ok\":true,\"down\":false,"
	                  "\"detail\":\"status 200\"",
	                  3000);
	request = httpd_request(c.la);
	assert_non_null(strstr(request, "GET /healthz HTTP/1.1\r\nHost: shop.example.com:"));
	free(request);
	change_la(&c, BAD, 0);
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 6000);
	world_expect_http(w, EXPLAIN, "\"ok\":false,\"down\":true,\"detail\":\"status 503\"", 1000);
	world_expect_http(w, EXPLAIN, "\"layer\":\"probe\",\"ok\":false", 1000);
	change_la(&c, GOOD, 0);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LA, 8000);
	cities_end(&c);
}

static void test_a_body_that_lacks_what_is_wanted_is_a_failure(void **state)
{
	struct world *w = *state;
	struct cities c = two_cities(w, &(struct httpd_settings){.answer = GOOD});

	change_la(&c, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ndegraded", 0);
	policy(w, "{http: {body: ok}, down: 2}");
	world_config(w, PUBLISH);
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 6000);
	world_expect_http(w, EXPLAIN, "the body has not what is wanted", 1000);
	cities_end(&c);
}

static void test_a_certificate_that_cannot_be_verified_is_a_failure_and_a_missing_file_is_none(
	void **state)
{
	struct world *w = *state;
	struct cities c = two_cities(w, &(struct httpd_settings){.answer = GOOD, .has_tls = true});

	/* Each server wrote its own authority over the other's: Houston's is there. */
	policy(w, "{https: {host: shop.test, caFile: none.pem}, down: 2}");
	world_config(w, PUBLISH "probe: {files: .}\n");
	world_start(w);
	world_expect_http(w, EXPLAIN, "\"ok\":null,\"down\":false,\"detail\":\"none.pem: ", 5000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, LA, 3000);
	policy(w, "{https: {host: shop.test, caFile: ca.crt}, down: 2}");
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 8000);
	world_expect_http(w, EXPLAIN, "\"detail\":\"certificate verify failed: ", 1000);
	world_expect_http(w, EXPLAIN, "\"check\":\"https\",\"ok\":true", 3000);
	policy(w, "{https: {host: shop.test, insecureSkipVerify: true}, down: 2, up: 1}");
	world_expect(w, WEB, "A", SAN_FRANCISCO, LA, 8000);
	cities_end(&c);
}

static void test_a_service_that_is_not_serving_is_avoided(void **state)
{
	struct world *w = *state;
	struct cities c = two_cities(w, &(struct httpd_settings){.is_grpc = true, .serving = 1});

	policy(w, "{grpc: {service: shop.Cart}, down: 2}");
	world_config(w, PUBLISH);
	world_start(w);
	world_expect_http(w, EXPLAIN,
	                  "\"check\":\"grpc\",\"ok\":true,\"down\":false,"
	                  "\"detail\":\"SERVING\"",
	                  5000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, LA, 1500);
	change_la(&c, NULL, 2);
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 6000);
	world_expect_http(w, EXPLAIN, "\"detail\":\"NOT_SERVING\"", 1000);
	cities_end(&c);
}

static void test_what_a_file_says_counts_and_a_bad_line_changes_nothing(void **state)
{
	struct world *w = *state;
	struct cities c = two_cities(w, &(struct httpd_settings){.answer = GOOD});

	world_write(w, "edge.txt", "# all is well\n");
	policy(w, "{import: {name: edge}}");
	world_config(w, PUBLISH "probe: {imports: [{name: edge, file: edge.txt}]}\n");
	world_start(w);
	world_expect_http(w, EXPLAIN,
	                  "\"check\":\"import\",\"ok\":null,\"down\":false,"
	                  "\"detail\":\"the import has no word of it\"",
	                  3000);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LA, 3000);
	world_write(w, "edge.txt", "losangeles down maintenance until noon\n");
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 5000);
	world_expect_http(w, EXPLAIN, "\"detail\":\"maintenance until noon\"", 1000);
	world_write(w, "edge.txt", "losangeles up\nhouston sideways\n");
	world_expect_http(w, "/status", "edge.txt:2: it says neither up nor down", 5000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 1500);
	world_write(w, "edge.txt", HOUSTON " down\n" LA " up\n");
	world_expect(w, WEB, "A", SAN_FRANCISCO, LA, 5000);
	world_expect_http(w, "/status", "!sideways", 1000);
	cities_end(&c);
}

static void test_a_command_says_it_as_well(void **state)
{
	struct world *w = *state;
	struct cities c = two_cities(w, &(struct httpd_settings){.answer = GOOD});

	world_write(w, "edge.txt", "losangeles down\n");
	policy(w, "{import: {name: edge}}");
	world_config(w, PUBLISH "probe: {imports: [{name: edge, command: [cat, edge.txt], "
	                        "interval: 1s}]}\n");
	world_start(w);
	world_expect_http(w, "/status", "cat: ended with status 1", 5000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, LA, 500);
	world_config(w, PUBLISH "probe: {imports: [{name: edge, command: [echo, losangeles down], "
	                        "interval: 1s}]}\n");
	world_signal(w, SIGHUP);
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 8000);
	cities_end(&c);
}

static void test_a_site_that_flaps_is_held_down_and_shown(void **state)
{
	struct world *w = *state;
	struct cities c = two_cities(w, &(struct httpd_settings){.answer = GOOD});

	policy(w, "{http: {path: /}, down: 1, up: 1}");
	world_config(w, PUBLISH "probe: {flapThreshold: 2, flapHold: 8s}\n");
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LA, 3000);
	for (int i = 0; i < 2; i++) {
		change_la(&c, BAD, 0);
		world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 6000);
		change_la(&c, GOOD, 0);
		if (i == 0)
			world_expect(w, WEB, "A", SAN_FRANCISCO, LA, 6000);
	}
	world_expect_http(w, EXPLAIN, "\"ok\":true,\"down\":true,\"detail\":\"status 200\"", 5000);
	world_expect_http(w, "/status", "\"held\":1,", 1000);
	world_expect_http(w, "/status", "\"flapping\":true,\"heldForSeconds\":", 1000);
	world_expect_http(w, "/metrics", "\nnigh_watcher_probes_flapping 1\n", 1000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 2000);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LA, 15000);
	world_expect_http(w, "/status", "\"held\":0,", 1000);
	cities_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_site_that_answers_503_is_avoided_though_it_accepts_connections),
		world_test(test_a_body_that_lacks_what_is_wanted_is_a_failure),
		world_test(
			test_a_certificate_that_cannot_be_verified_is_a_failure_and_a_missing_file_is_none),
		world_test(test_a_service_that_is_not_serving_is_avoided),
		world_test(test_what_a_file_says_counts_and_a_bad_line_changes_nothing),
		world_test(test_a_command_says_it_as_well),
		world_test(test_a_site_that_flaps_is_held_down_and_shown),
	};

	return cmocka_run_group_tests_name("scenario/health", tests, NULL, NULL);
}
