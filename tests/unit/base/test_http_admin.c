/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/http_admin.h"

struct world {
	struct http_admin *server;
	atomic_uint inside, most, calls;
};

static unsigned say_hello(const struct http_request *r, void *arg, struct text *body,
                          const char **content_type)
{
	const char *name = http_request_arg(r, "name"), *flag = http_request_arg(r, "flag");
	char client[ADDR_TEXT_SIZE];

	(void)arg;
	*content_type = "text/plain";
	text_printf(body, "hello %s%s from %s%s", name ? name : "nobody",
	            flag ? *flag ? " flag with value" : " flag" : "",
	            addr_print(&r->client, client), r->loopback ? " (loopback)" : "");
	return 200;
}

static unsigned take_post(const struct http_request *r, void *arg, struct text *body,
                          const char **content_type)
{
	(void)arg;
	(void)content_type;
	text_add(body, "{\"done\":");
	text_add_json(body, bytes_of(r->path));
	text_add(body, "}");
	return 202;
}

static unsigned refuse(const struct http_request *r, void *arg, struct text *body,
                       const char **content_type)
{
	(void)arg;
	(void)content_type;
	text_add(body, "half an answer");
	return http_error(body, 400, "no such name: '%s'", http_request_arg(r, "name"));
}

static unsigned be_slow(const struct http_request *r, void *arg, struct text *body,
                        const char **content_type)
{
	struct world *w = arg;
	unsigned inside = atomic_fetch_add(&w->inside, 1) + 1;

	(void)r;
	(void)content_type;
	if (inside > atomic_load(&w->most))
		atomic_store(&w->most, inside);
	usleep(2000);
	atomic_fetch_sub(&w->inside, 1);
	atomic_fetch_add(&w->calls, 1);
	text_add(body, "{}");
	return 200;
}

static const struct http_route routes[] = {
	{"GET", "/hello", say_hello},
	{"POST", "/post", take_post},
	{"GET", "/both", say_hello},
	{"POST", "/both", take_post},
	{"GET", "/below/", say_hello},
	{"GET", "/fail", refuse},
	{"GET", "/slow", be_slow},
	{"POST", "/below/deep", take_post},
	{NULL, NULL, NULL},
};

static int start(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct addr any;
	struct reason why;

	assert_true(addr_parse(bytes_of("127.0.0.1"), &any));
	assert_int_equal(http_admin_start(&any, 0, routes, w, &w->server, &why), ERR_OK);
	*state = w;
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;

	http_admin_stop(w->server);
	http_admin_stop(NULL);
	free(w);
	return 0;
}

static int dial(const struct world *w)
{
	struct timeval patience = {.tv_sec = 20};
	struct sockaddr_storage sa;
	struct addr addr;
	socklen_t len;
	int fd;

	assert_true(addr_parse(bytes_of("127.0.0.1"), &addr));
	len = addr_to_sockaddr(&addr, http_admin_port(w->server), &sa);
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

/* The whole answer to a request, until the server closes; text_fini() it. */
static struct text ask(const struct world *w, struct bytes request)
{
	struct text answer = {0};
	char part[4096];
	ssize_t got;
	int fd = dial(w);

	text_add(&answer, "");
	/* The server may answer and close before it has taken everything. */
	if (send(fd, request.data, request.len, MSG_NOSIGNAL) >= 0)
		shutdown(fd, SHUT_WR);
	while ((got = recv(fd, part, sizeof(part), 0)) > 0)
		text_add_bytes(&answer, (struct bytes){(uint8_t *)part, (size_t)got});
	close(fd);
	return answer;
}

static struct text ask_line(const struct world *w, const char *line)
{
	struct text request = {0}, answer;

	text_printf(&request, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", line);
	answer = ask(w, bytes_of(request.data));
	text_fini(&request);
	return answer;
}

static void assert_answer(const struct world *w, const char *line, const char *status,
                          const char *body)
{
	struct text a = ask_line(w, line);
	const char *end = strstr(a.data, "\r\n\r\n");

	assert_non_null(end);
	assert_memory_equal(a.data, "HTTP/1.1 ", 9);
	assert_memory_equal(a.data + 9, status, 3);
	assert_string_equal(end + 4, body);
	text_fini(&a);
}

static void test_a_route_answers_with_arguments_decoded(void **state)
{
	const struct world *w = *state;

	assert_answer(w, "GET /hello", "200", "hello nobody from 127.0.0.1 (loopback)");
	assert_answer(w, "GET /hello?name=a%20b%26&flag", "200",
	              "hello a b& flag from 127.0.0.1 (loopback)");
	assert_answer(w, "GET /hello?name=&flag=1", "200",
	              "hello  flag with value from 127.0.0.1 (loopback)");
	assert_answer(w, "POST /post", "202", "{\"done\":\"/post\"}");
	assert_answer(w, "POST /both", "202", "{\"done\":\"/both\"}");
	assert_answer(w, "GET /both", "200", "hello nobody from 127.0.0.1 (loopback)");
}

static void test_answers_carry_the_safe_headers(void **state)
{
	struct text a = ask_line(*state, "GET /hello"), b = ask_line(*state, "GET /none");

	assert_non_null(strstr(a.data, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(a.data, "\r\nCache-Control: no-store\r\n"));
	assert_non_null(strstr(a.data, "\r\nX-Content-Type-Options: nosniff\r\n"));
	assert_null(strstr(a.data, "\r\nAllow:"));
	assert_non_null(strstr(b.data, "\r\nContent-Type: application/json; charset=utf-8\r\n"));
	assert_non_null(strstr(b.data, "\r\nX-Content-Type-Options: nosniff\r\n"));
	text_fini(&a);
	text_fini(&b);
}

static void test_head_is_get_without_the_body(void **state)
{
	struct text a = ask_line(*state, "HEAD /hello");

	assert_memory_equal(a.data, "HTTP/1.1 200", 12);
	assert_non_null(strstr(a.data, "\r\nContent-Length: 38\r\n"));
	assert_string_equal(strstr(a.data, "\r\n\r\n"), "\r\n\r\n");
	text_fini(&a);
	assert_answer(*state, "HEAD /post", "405", "");
}

static void test_unknown_paths_and_methods_are_told_apart(void **state)
{
	struct text a = ask_line(*state, "POST /hello"), b = ask_line(*state, "DELETE /both");

	assert_answer(*state, "GET /", "404", "{\"error\":\"no such path\"}\n");
	assert_answer(*state, "GET /hello/", "404", "{\"error\":\"no such path\"}\n");
	assert_answer(*state, "GET /hell", "404", "{\"error\":\"no such path\"}\n");
	assert_memory_equal(a.data, "HTTP/1.1 405", 12);
	assert_non_null(strstr(a.data, "\r\nAllow: GET, HEAD\r\n"));
	assert_non_null(strstr(a.data, "{\"error\":\"method not allowed here\"}\n"));
	assert_memory_equal(b.data, "HTTP/1.1 405", 12);
	assert_non_null(strstr(b.data, "\r\nAllow: GET, HEAD, POST\r\n"));
	text_fini(&a);
	text_fini(&b);
}

static void test_a_slash_at_the_end_of_a_route_takes_all_below(void **state)
{
	assert_answer(*state, "GET /below/a/b?name=x", "200", "hello x from 127.0.0.1 (loopback)");
	assert_answer(*state, "GET /below/", "200", "hello nobody from 127.0.0.1 (loopback)");
	assert_answer(*state, "GET /below", "404", "{\"error\":\"no such path\"}\n");
	assert_answer(*state, "POST /below/deep", "202", "{\"done\":\"/below/deep\"}");
	assert_answer(*state, "GET /below/deep", "405",
	              "{\"error\":\"method not allowed here\"}\n");
}

static void test_errors_are_json_and_escape_the_clients_text(void **state)
{
	assert_answer(*state, "GET /fail?name=%22%3Cb%3E%0a%ff", "400",
	              "{\"error\":\"no such name: '\\\"<b>\\n\xef\xbf\xbd'\"}\n");
}

static struct text post_body(const struct world *w, size_t len, bool chunked)
{
	struct text request = {0}, answer;

	text_add(&request, "POST /post HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
	if (chunked)
		text_printf(&request, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", len);
	else
		text_printf(&request, "Content-Length: %zu\r\n\r\n", len);
	for (size_t i = 0; i < len; i++)
		text_add(&request, "b");
	text_add(&request, chunked ? "\r\n0\r\n\r\n" : "");
	answer = ask(w, bytes_of(request.data));
	text_fini(&request);
	return answer;
}

static void test_bodies_have_a_limit(void **state)
{
	for (int chunked = 0; chunked < 2; chunked++) {
		struct text fits = post_body(*state, 16384, chunked),
			    over = post_body(*state, 16385, chunked);

		assert_memory_equal(fits.data, "HTTP/1.1 202", 12);
		assert_memory_equal(over.data, "HTTP/1.1 413", 12);
		assert_non_null(strstr(over.data, "{\"error\":\"body too large\"}\n"));
		text_fini(&fits);
		text_fini(&over);
	}
}

static void test_an_endless_body_is_cut_off(void **state)
{
	struct text a = post_body(*state, 8 << 20, true);

	assert_null(strstr(a.data, "HTTP/1.1 202"));
	text_fini(&a);
	assert_answer(*state, "POST /post", "202", "{\"done\":\"/post\"}");
}

static struct text ask_with_header(const struct world *w, size_t len)
{
	struct text request = {0}, answer;

	text_add(&request, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ");
	for (size_t i = 0; i < len; i++)
		text_add(&request, "h");
	text_add(&request, "\r\n\r\n");
	answer = ask(w, bytes_of(request.data));
	text_fini(&request);
	return answer;
}

static void test_headers_have_a_limit(void **state)
{
	struct text fits = ask_with_header(*state, 8000), over = ask_with_header(*state, 8200);
	struct text far = ask_with_header(*state, 100000);

	assert_memory_equal(fits.data, "HTTP/1.1 200", 12);
	assert_memory_equal(over.data, "HTTP/1.1 431", 12);
	assert_null(strstr(far.data, "HTTP/1.1 200"));
	text_fini(&fits);
	text_fini(&over);
	text_fini(&far);
}

static void test_garbage_is_survived(void **state)
{
	static const char *const garbage[] = {
		"",
		"\r\n\r\n",
		"GET\r\n\r\n",
		"\x16\x03\x01\x02",
		"GET /hello HTTP/9.9\r\n\r\n",
		"GET /%00%zz?%=%&&==&name HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ncut",
	};

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		struct text a = ask(*state, bytes_of(garbage[i]));

		assert_null(strstr(a.data, "HTTP/1.1 202"));
		text_fini(&a);
	}
	assert_answer(*state, "GET /hello", "200", "hello nobody from 127.0.0.1 (loopback)");
}

static void *ask_slow(void *arg)
{
	for (int i = 0; i < 20; i++)
		assert_answer(arg, "GET /slow", "200", "{}");
	return NULL;
}

static void test_handlers_run_one_at_a_time(void **state)
{
	struct world *w = *state;
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ask_slow, w), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&w->calls), 80);
	assert_int_equal(atomic_load(&w->most), 1);
}

static void test_stopping_ends_idle_connections(void **state)
{
	struct world w = {0};
	struct addr addr;
	char byte;
	int fd;

	(void)state;
	assert_true(addr_parse(bytes_of("127.0.0.1"), &addr));
	assert_int_equal(http_admin_start(&addr, 0, routes, &w, &w.server, NULL), ERR_OK);
	fd = dial(&w);
	assert_int_equal(send(fd, "GET /hel", 8, MSG_NOSIGNAL), 8);
	http_admin_stop(w.server);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

static void test_one_client_does_not_get_all_connections(void **state)
{
	enum { MOST = 32 };
	struct world *w = *state;
	int fd[MOST + 1];
	char byte;

	for (int i = 0; i <= MOST; i++)
		fd[i] = dial(w);
	assert_true(recv(fd[MOST], &byte, 1, 0) <= 0);
	assert_int_equal(recv(fd[0], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	for (int i = 0; i <= MOST; i++)
		close(fd[i]);
}

struct starting {
	struct http_admin *server;
	atomic_uint calls, too_early;
	atomic_bool ended;
	uint16_t port;
};

static unsigned look_at_server(const struct http_request *r, void *arg, struct text *body,
                               const char **content_type)
{
	struct starting *s = arg;

	(void)r;
	(void)content_type;
	if (s->server == NULL || http_admin_port(s->server) != s->port)
		atomic_fetch_add(&s->too_early, 1);
	atomic_fetch_add(&s->calls, 1);
	text_add(body, "{}");
	return 200;
}

/* Asks over and over: some request comes as soon as there is a listener. */
static void *ask_without_end(void *arg)
{
	static const char request[] = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	struct timeval patience = {.tv_usec = 20000};
	struct linger reset = {.l_onoff = 1};
	struct starting *s = arg;
	struct sockaddr_storage sa;
	struct addr addr;
	socklen_t len;

	assert_true(addr_parse(bytes_of("127.0.0.1"), &addr));
	len = addr_to_sockaddr(&addr, s->port, &sa);
	while (!atomic_load(&s->ended)) {
		int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		char answer[64];

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (connect(fd, (struct sockaddr *)&sa, len) == 0 &&
		    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
			(void)recv(fd, answer, sizeof(answer), 0);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	return NULL;
}

/* Waits for one more call. */
static bool is_called(const struct starting *s, unsigned before)
{
	for (unsigned tries = 0; tries < 100000; tries++) {
		if (atomic_load(&s->calls) != before)
			return true;
		usleep(50);
	}
	return false;
}

static void test_a_request_during_the_start_finds_the_server(void **state)
{
	static const struct http_route only[] = {{"GET", "/hello", look_at_server},
	                                         {NULL, NULL, NULL}};
	struct starting s = {0};
	struct addr addr;
	struct reason why;
	pthread_t client;

	(void)state;
	assert_true(addr_parse(bytes_of("127.0.0.1"), &addr));
	assert_int_equal(http_admin_start(&addr, 0, only, &s, &s.server, &why), ERR_OK);
	s.port = http_admin_port(s.server);
	http_admin_stop(s.server);
	assert_int_equal(pthread_create(&client, NULL, ask_without_end, &s), 0);
	for (unsigned i = 0; i < 500 && atomic_load(&s.too_early) == 0; i++) {
		unsigned before = atomic_load(&s.calls);

		s.server = NULL;
		assert_int_equal(http_admin_start(&addr, s.port, only, &s, &s.server, &why),
		                 ERR_OK);
		assert_true(is_called(&s, before));
		http_admin_stop(s.server);
	}
	atomic_store(&s.ended, true);
	assert_int_equal(pthread_join(client, NULL), 0);
	assert_int_equal(atomic_load(&s.too_early), 0);
}

static void test_a_taken_port_gives_the_reason(void **state)
{
	const struct world *w = *state;
	struct http_admin *other;
	struct addr addr;
	struct reason why;
	struct text want = {0};

	assert_true(addr_parse(bytes_of("127.0.0.1"), &addr));
	assert_int_equal(
		http_admin_start(&addr, http_admin_port(w->server), routes, NULL, &other, &why),
		ERR_CONFLICT);
	text_printf(&want, "cannot listen on 127.0.0.1:%u: Address already in use",
	            http_admin_port(w->server));
	assert_string_equal(why.text, want.data);
	text_fini(&want);
}

/* --- servers that take bodies --- */

enum { ONE_BODY = 1000, ALL_BODIES = 1500 };

static unsigned count_body(const struct http_request *r, void *arg, struct text *body,
                           const char **content_type)
{
	(void)arg;
	(void)content_type;
	text_printf(body, "%zu of %c", r->body.len, r->body.len ? (char)r->body.data[0] : '-');
	return 200;
}

static const struct http_route body_routes[] = {
	{"POST", "/count", count_body},
	{NULL, NULL, NULL},
};

static int open_any(void)
{
	struct addr any;
	struct reason why;
	int fd = -1;

	assert_true(addr_parse(bytes_of("127.0.0.1"), &any));
	assert_int_equal(http_admin_open(&any, 0, &fd, &why), ERR_OK);
	return fd;
}

static struct text post_of(size_t announced, size_t sent)
{
	struct text request = {0};

	text_printf(&request,
	            "POST /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
	            "%zu\r\n\r\n",
	            announced);
	for (size_t i = 0; i < sent; i++)
		text_add(&request, "b");
	return request;
}

static void assert_posted(const struct world *w, size_t len, const char *status, const char *body)
{
	struct text request = post_of(len, len), a = ask(w, bytes_of(request.data));

	assert_non_null(a.data);
	assert_true(a.len > 12);
	assert_memory_equal(a.data + 9, status, 3);
	assert_non_null(strstr(a.data, body));
	text_fini(&request);
	text_fini(&a);
}

static void test_a_handler_gets_the_body_where_it_is_asked_for(void **state)
{
	const struct http_more more = {.body_most = ONE_BODY, .bodies_most = ALL_BODIES};
	struct world w = {0};
	struct reason why;

	(void)state;
	assert_int_equal(
		http_admin_start_more(open_any(), &more, body_routes, NULL, &w.server, &why),
		ERR_OK);
	assert_posted(&w, 0, "200", "0 of -");
	assert_posted(&w, ONE_BODY, "200", "1000 of b");
	assert_posted(&w, ONE_BODY + 1, "413", "body too large");
	http_admin_stop(w.server);
}

static void test_all_bodies_together_have_a_limit(void **state)
{
	const struct http_more more = {.body_most = ONE_BODY, .bodies_most = ALL_BODIES};
	struct world w = {0};
	struct text first = post_of(ONE_BODY, ONE_BODY - 1);
	char part[512];
	struct reason why;
	ssize_t got;
	int fd;

	(void)state;
	assert_int_equal(
		http_admin_start_more(open_any(), &more, body_routes, NULL, &w.server, &why),
		ERR_OK);
	fd = dial(&w);
	assert_int_equal(send(fd, first.data, first.len, MSG_NOSIGNAL), (ssize_t)first.len);
	/* The first body is there when a second of one more byte than is left finds no room; until then there is. */
	for (bool crowded = false; !crowded;) {
		struct text request = post_of(ONE_BODY, ONE_BODY);
		struct text a = ask(&w, bytes_of(request.data));

		crowded = a.len > 12 && memcmp(a.data + 9, "503", 3) == 0;
		text_fini(&request);
		text_fini(&a);
	}
	assert_int_equal(send(fd, "b", 1, MSG_NOSIGNAL), 1);
	got = recv(fd, part, sizeof(part) - 1, 0);
	assert_true(got > 12);
	assert_memory_equal(part + 9, "200", 3);
	close(fd);
	/* Its room is free again. */
	for (int i = 0; i < 3; i++)
		assert_posted(&w, ONE_BODY, "200", "1000 of b");
	text_fini(&first);
	http_admin_stop(w.server);
}

static void test_a_certificate_that_is_none_gives_the_reason(void **state)
{
	const struct http_more more = {.certificate = "none", .key = "none"};
	struct http_admin *server = NULL;
	struct reason why = {""};

	(void)state;
	assert_int_equal(http_admin_start_more(open_any(), &more, body_routes, NULL, &server, &why),
	                 ERR_PARSE);
	assert_null(server);
	assert_string_equal(why.text, "certificate and key cannot be used together");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_route_answers_with_arguments_decoded),
		cmocka_unit_test(test_answers_carry_the_safe_headers),
		cmocka_unit_test(test_head_is_get_without_the_body),
		cmocka_unit_test(test_unknown_paths_and_methods_are_told_apart),
		cmocka_unit_test(test_a_slash_at_the_end_of_a_route_takes_all_below),
		cmocka_unit_test(test_errors_are_json_and_escape_the_clients_text),
		cmocka_unit_test(test_bodies_have_a_limit),
		cmocka_unit_test(test_an_endless_body_is_cut_off),
		cmocka_unit_test(test_headers_have_a_limit),
		cmocka_unit_test(test_garbage_is_survived),
		cmocka_unit_test(test_handlers_run_one_at_a_time),
		cmocka_unit_test(test_stopping_ends_idle_connections),
		cmocka_unit_test(test_one_client_does_not_get_all_connections),
		cmocka_unit_test(test_a_request_during_the_start_finds_the_server),
		cmocka_unit_test(test_a_taken_port_gives_the_reason),
		cmocka_unit_test(test_a_handler_gets_the_body_where_it_is_asked_for),
		cmocka_unit_test(test_all_bodies_together_have_a_limit),
		cmocka_unit_test(test_a_certificate_that_is_none_gives_the_reason),
	};

	return cmocka_run_group_tests_name("base/http_admin", tests, start, stop);
}
