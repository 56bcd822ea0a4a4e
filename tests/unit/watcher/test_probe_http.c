/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/watcher_certificates.h"
#include "tests/support/watcher_httpd.h"
#include "watcher/probe.h"

enum { PATIENCE_MS = 10000, TEXT_SIZE = 200 };

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct world {
	char dir[32];
	const char *address; /* of the server */
	uv_loop_t loop;
	struct prober *prober;
	struct httpd *server;
	size_t verdicts, voids;
	bool succeeded, reached;
	char text[TEXT_SIZE];
	bool stopped;
};

static void on_verdict(size_t index, const struct probe_verdict *verdict, void *arg)
{
	struct world *w = arg;

	assert_int_equal(index, 0);
	snprintf(w->text, sizeof w->text, "%s", verdict->text);
	if (verdict->is_void) {
		w->voids++;
		return;
	}
	w->verdicts++;
	w->succeeded = verdict->succeeded;
	w->reached = verdict->reached;
}

static void on_stopped(void *arg) { ((struct world *)arg)->stopped = true; }

static struct world *world_new(uint64_t timeout_ms, const struct httpd_settings *settings)
{
	struct world *w = calloc(1, sizeof *w);
	struct probe_settings probing = {.interval_ms = timeout_ms > 1000 ? 200 : 50,
	                                 .timeout_ms = timeout_ms,
	                                 .down = 1,
	                                 .up = 1};

	strcpy(w->dir, "/tmp/nigh-probe-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(uv_loop_init(&w->loop), 0);
	probing.files = w->dir;
	w->prober = prober_new(&w->loop, &probing, on_verdict, w);
	w->address = settings->address ? settings->address : "127.0.0.1";
	w->server = httpd_start(settings, w->dir);
	return w;
}

static void world_free(struct world *w)
{
	char command[64];

	prober_stop(w->prober, on_stopped, w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_true(w->stopped);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	httpd_stop(w->server);
	snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
}

static void run_until(struct world *w, const size_t *what, size_t count)
{
	uint64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while (*what < count && clock_monotonic_ms() < until) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(300);
	}
	assert_true(*what >= count);
}

static void set_check(struct world *w, const struct policy_check *check)
{
	static unsigned number;
	char key[16];
	struct probe_target t = {.port = httpd_port(w->server), .wanted = true};
	struct probe_way way = {.is = check};

	snprintf(key, sizeof key, "%u", number++);
	way.key = bytes_of(key);
	assert_true(addr_parse(bytes_of(w->address), &t.addr));
	prober_set_targets(w->prober, &way, 1, &t, 1);
	w->verdicts = w->voids = 0;
}

/* Of another authority with the same name, in place of those of the server. */
static void write_certificates(struct world *w)
{
	SSL_CTX *context = certificates_context(w->dir, false, false);

	SSL_CTX_free(context);
}

/* Two probes, so that what is kept from one to the next is used. */
static void expect(struct world *w, const struct policy_check *check, bool succeeded,
                   const char *text)
{
	set_check(w, check);
	run_until(w, &w->verdicts, 2);
	assert_string_equal(w->text, text);
	assert_int_equal(w->succeeded, succeeded);
	assert_true(w->reached);
}

static void expect_start(struct world *w, const struct policy_check *check, const char *text)
{
	set_check(w, check);
	run_until(w, &w->verdicts, 1);
	assert_false(w->succeeded);
	if (strncmp(w->text, text, strlen(text)) != 0)
		assert_string_equal(w->text, text);
}

static void expect_void(struct world *w, const struct policy_check *check, const char *text)
{
	set_check(w, check);
	run_until(w, &w->voids, 2);
	assert_int_equal(w->verdicts, 0);
	assert_string_equal(w->text, text);
}

static void expect_in(char *take_text, const char *part)
{
	if (!strstr(take_text, part))
		assert_string_equal(take_text, part);
	free(take_text);
}

static void test_a_status_of_200_to_399_is_good_and_no_redirect_is_followed(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTP};
	static const struct {
		const char *answer, *text;
		bool good;
	} cases[] = {
		{OK_ANSWER, "status 200", true},
		{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "status 302", true},
		{"HTTP/1.1 404 Not Found\r\n\r\n", "status 404", false},
		{"HTTP/1.1 503 Service Unavailable\r\n\r\n", "status 503", false},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "status 204",
	         true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world *w =
			world_new(2000, &(struct httpd_settings){.answer = cases[i].answer});

		expect(w, &check, cases[i].good, cases[i].text);
		world_free(w);
	}
}

static void test_the_ranges_of_the_check_count(void **state)
{
	static const struct policy_range ranges[] = {{200, 204}, {404, 404}};
	struct policy_check check = {
		.kind = POLICY_CHECK_HTTP, .status = ranges, .status_count = 2};
	struct world *w =
		world_new(2000, &(struct httpd_settings){.answer = "HTTP/1.1 404 No\r\n\r\n"});

	(void)state;
	expect(w, &check, true, "status 404");
	check.status_count = 1;
	expect(w, &check, false, "status 404");
	world_free(w);
}

static void test_host_path_and_headers_are_those_of_the_check(void **state)
{
	static const struct policy_header headers[] = {
		{{(const uint8_t *)"X-Probe", 7}, {(const uint8_t *)"yes", 3}},
		{{(const uint8_t *)"X-Bad", 5}, {(const uint8_t *)"a\r\nX-More: b", 12}}};
	struct policy_check check = {.kind = POLICY_CHECK_HTTP,
	                             .host = bytes_of("shop.test"),
	                             .path = bytes_of("/a/../healthz?deep=1"),
	                             .headers = headers,
	                             .header_count = 2};
	struct world *w = world_new(2000, &(struct httpd_settings){.answer = OK_ANSWER});
	char host[64], *request;

	(void)state;
	expect(w, &check, true, "status 200");
	snprintf(host, sizeof host, "\r\nHost: shop.test:%u\r\n", httpd_port(w->server));
	expect_in(httpd_request(w->server), "GET /a/../healthz?deep=1 HTTP/1.1\r\n");
	expect_in(httpd_request(w->server), host);
	expect_in(httpd_request(w->server), "\r\nX-Probe: yes\r\n");
	request = httpd_request(w->server);
	assert_null(strstr(request, "X-More"));
	free(request);

	/* Without a host it is the address. */
	check.host = (struct bytes){0};
	expect(w, &check, true, "status 200");
	snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%u\r\n", httpd_port(w->server));
	expect_in(httpd_request(w->server), host);
	world_free(w);
}

static void test_over_ipv6_an_address_stands_in_brackets(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTP};
	struct world *w =
		world_new(2000, &(struct httpd_settings){.answer = OK_ANSWER, .address = "::1"});
	char host[64];

	(void)state;
	expect(w, &check, true, "status 200");
	snprintf(host, sizeof host, "\r\nHost: [::1]:%u\r\n", httpd_port(w->server));
	expect_in(httpd_request(w->server), host);
	check.host = bytes_of("shop.test");
	expect(w, &check, true, "status 200");
	snprintf(host, sizeof host, "\r\nHost: shop.test:%u\r\n", httpd_port(w->server));
	expect_in(httpd_request(w->server), host);
	world_free(w);
}

static void test_what_is_no_host_or_path_is_not_asked(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTP, .host = bytes_of("a@b")};
	struct world *w = world_new(2000, &(struct httpd_settings){.answer = OK_ANSWER});

	(void)state;
	expect_void(w, &check, "the check's host is none");
	check.host = bytes_of("shop.test");
	check.path = bytes_of("/a b");
	expect_void(w, &check, "the check's path is none");
	world_free(w);
}

static void test_a_part_of_the_body_is_looked_for_in_its_first_64_kib(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTP, .body = bytes_of("lo")};
	struct world *w = world_new(2000, &(struct httpd_settings){.answer = OK_ANSWER});

	(void)state;
	expect(w, &check, true, "the body has what is wanted");
	check.body = bytes_of("lol");
	expect(w, &check, false, "the body has not what is wanted");
	world_free(w);

	/* One that never ends is not read to the end. */
	w = world_new(5000, &(struct httpd_settings){.answer = "HTTP/1.1 200 OK\r\n\r\n",
	                                             .flood = "0123456789 and so on, and on "});
	expect(w, &check, false, "the first 64 KiB of the body have not what is wanted");
	check.body = bytes_of("on 0123"); /* over the edge of two writes */
	expect(w, &check, true, "the body has what is wanted");
	check.body = (struct bytes){0};
	expect(w, &check, true, "status 200");
	world_free(w);
}

static void test_headers_have_a_limit(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTP};
	struct world *w =
		world_new(5000, &(struct httpd_settings){.answer = "HTTP/1.1 200 OK\r\n",
	                                                 .flood = "X-Header: and another one\r\n"});

	(void)state;
	expect(w, &check, false, "more than 64 KiB of headers");
	world_free(w);
}

static void test_who_says_nothing_or_nonsense_is_down(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTP, .timeout_ms = 300};
	struct world *w = world_new(300, &(struct httpd_settings){.answer = NULL});

	(void)state;
	expect(w, &check, false, "no answer after 0.3s");
	world_free(w);
	w = world_new(2000, &(struct httpd_settings){.answer = "220 mail.test ESMTP\r\n"});
	check.timeout_ms = 2000;
	expect(w, &check, false, "Received HTTP/0.9 when not allowed");
	world_free(w);
	w = world_new(2000, &(struct httpd_settings){.answer = ""});
	expect(w, &check, false, "Empty reply from server");
	world_free(w);
}

static void test_no_proxy_of_the_environment_is_asked(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTP, .host = bytes_of("shop.test")};
	struct world *w = world_new(2000, &(struct httpd_settings){.answer = OK_ANSWER});

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "socks5://127.0.0.1:1", 1);
	expect(w, &check, true, "status 200");
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	expect_in(httpd_request(w->server), "GET / HTTP/1.1\r\n");
	world_free(w);
}

static void test_https_sends_the_host_as_sni_and_verifies_the_certificate(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTPS,
	                             .host = bytes_of("shop.test"),
	                             .ca_file = bytes_of("ca.crt")};
	struct world *w =
		world_new(3000, &(struct httpd_settings){.answer = OK_ANSWER, .has_tls = true});

	(void)state;
	expect(w, &check, true, "status 200");
	expect_in(httpd_sni(w->server), "shop.test");

	check.host = bytes_of("other.test");
	expect_start(w, &check, "certificate verify failed: no alternative certificate subject");
	check.host = (struct bytes){0};
	expect_start(w, &check, "certificate verify failed: no alternative certificate subject");
	check.host = bytes_of("shop.test");
	check.ca_file = bytes_of("client.crt"); /* not the authority */
	expect_start(w, &check, "certificate verify failed: unable to get local issuer");
	/* Another authority of the same name. */
	write_certificates(w);
	check.ca_file = bytes_of("ca.crt");
	check.host = bytes_of("shop.test");
	expect_start(w, &check, "certificate verify failed: ");
	check.insecure = true;
	check.ca_file = (struct bytes){0};
	check.host = bytes_of("other.test");
	expect(w, &check, true, "status 200");
	world_free(w);

	check = (struct policy_check){.kind = POLICY_CHECK_HTTPS,
	                              .host = bytes_of("shop.test"),
	                              .ca_file = bytes_of("ca.crt")};
	w = world_new(3000, &(struct httpd_settings){
				    .answer = OK_ANSWER, .has_tls = true, .expired = true});
	expect(w, &check, false, "certificate verify failed: certificate has expired");
	world_free(w);
	w = world_new(3000, &(struct httpd_settings){.answer = OK_ANSWER});
	check.insecure = true;
	check.ca_file = (struct bytes){0};
	set_check(w, &check);
	run_until(w, &w->verdicts, 1);
	assert_false(w->succeeded); /* no TLS there at all */
	world_free(w);
}

static void test_a_client_certificate_is_shown_where_the_check_has_one(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTPS,
	                             .host = bytes_of("shop.test"),
	                             .ca_file = bytes_of("ca.crt")};
	struct world *w =
		world_new(3000, &(struct httpd_settings){
					.answer = OK_ANSWER, .has_tls = true, .asks_client = true});

	(void)state;
	set_check(w, &check);
	run_until(w, &w->verdicts, 1);
	assert_false(w->succeeded);
	check.certificate_file = bytes_of("client.crt");
	check.key_file = bytes_of("client.key");
	expect(w, &check, true, "status 200");
	world_free(w);
}

static void test_files_are_those_of_the_folder_and_read_again(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTPS,
	                             .host = bytes_of("shop.test"),
	                             .ca_file = bytes_of("../etc/passwd")};
	struct world *w =
		world_new(3000, &(struct httpd_settings){.answer = OK_ANSWER, .has_tls = true});
	char from[64], to[64];

	(void)state;
	expect_void(w, &check, "'../etc/passwd' is not the name of a file of probe.files");
	check.ca_file = bytes_of(".");
	expect_void(w, &check, "'.' is not the name of a file of probe.files");
	check.ca_file = bytes_of("later.pem");
	set_check(w, &check);
	run_until(w, &w->voids, 1);
	assert_memory_equal(w->text, "later.pem: ", 11);
	snprintf(from, sizeof from, "%s/ca.crt", w->dir);
	snprintf(to, sizeof to, "%s/later.pem", w->dir);
	assert_int_equal(rename(from, to), 0);
	run_until(w, &w->verdicts, 1);
	assert_true(w->succeeded);
	world_free(w);
}

static void test_grpc_health_is_up_when_it_is_serving(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_GRPC,
	                             .host = bytes_of("shop.test"),
	                             .path = bytes_of("shop.Cart")};
	static const struct {
		uint8_t serving;
		const char *status, *text;
	} cases[] = {
		{1, "0", "SERVING"},
		{2, "0", "NOT_SERVING"},
		{3, "0", "SERVICE_UNKNOWN"},
		{0, "0", "UNKNOWN"},
		{9, "0", "a state without a name"},
		{1, "5", "grpc-status 5"},
		{1, "x", "grpc-status 32767"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world *w =
			world_new(3000, &(struct httpd_settings){.is_grpc = true,
		                                                 .serving = cases[i].serving,
		                                                 .grpc_status = cases[i].status});

		expect(w, &check, i == 0, cases[i].text);
		expect_in(httpd_request(w->server), ":path=/grpc.health.v1.Health/Check");
		expect_in(httpd_request(w->server), ":authority=shop.test");
		expect_in(httpd_request(w->server), "content-type=application/grpc");
		expect_in(httpd_request(w->server), "te=trailers");
		/* 11 bytes: field 1, 9 of them, the name. */
		expect_in(httpd_request(w->server), "000000000b0a0973686f702e43617274");
		world_free(w);
	}
}

static void test_grpc_over_tls_offers_h2(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_GRPC,
	                             .tls = true,
	                             .host = bytes_of("shop.test"),
	                             .ca_file = bytes_of("ca.crt")};
	struct world *w = world_new(
		3000, &(struct httpd_settings){.is_grpc = true, .has_tls = true, .serving = 1});

	(void)state;
	expect(w, &check, true, "SERVING");
	expect_in(httpd_request(w->server), "te=trailers 0000000000"); /* the server as a whole */
	world_free(w);
}

static void test_what_speaks_no_grpc_is_down(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_GRPC};
	struct world *w = world_new(2000, &(struct httpd_settings){.answer = OK_ANSWER});

	(void)state;
	set_check(w, &check);
	run_until(w, &w->verdicts, 2);
	assert_false(w->succeeded);
	world_free(w);
}

static void test_another_check_during_an_exchange_ends_it(void **state)
{
	struct policy_check check = {.kind = POLICY_CHECK_HTTP};
	struct world *w = world_new(8000, &(struct httpd_settings){.answer = NULL});
	size_t connections = 0;

	(void)state;
	for (size_t i = 1; i <= 3; i++) {
		set_check(w, &check);
		do {
			uv_run(&w->loop, UV_RUN_NOWAIT);
			usleep(300);
			connections = httpd_connections(w->server);
		} while (connections < i);
	}
	assert_int_equal(w->verdicts, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_status_of_200_to_399_is_good_and_no_redirect_is_followed),
		cmocka_unit_test(test_the_ranges_of_the_check_count),
		cmocka_unit_test(test_host_path_and_headers_are_those_of_the_check),
		cmocka_unit_test(test_over_ipv6_an_address_stands_in_brackets),
		cmocka_unit_test(test_what_is_no_host_or_path_is_not_asked),
		cmocka_unit_test(test_a_part_of_the_body_is_looked_for_in_its_first_64_kib),
		cmocka_unit_test(test_headers_have_a_limit),
		cmocka_unit_test(test_who_says_nothing_or_nonsense_is_down),
		cmocka_unit_test(test_no_proxy_of_the_environment_is_asked),
		cmocka_unit_test(test_https_sends_the_host_as_sni_and_verifies_the_certificate),
		cmocka_unit_test(test_a_client_certificate_is_shown_where_the_check_has_one),
		cmocka_unit_test(test_files_are_those_of_the_folder_and_read_again),
		cmocka_unit_test(test_grpc_health_is_up_when_it_is_serving),
		cmocka_unit_test(test_grpc_over_tls_offers_h2),
		cmocka_unit_test(test_what_speaks_no_grpc_is_down),
		cmocka_unit_test(test_another_check_during_an_exchange_ends_it),
	};

	return cmocka_run_group_tests_name("watcher/probe_http", tests, NULL, NULL);
}
