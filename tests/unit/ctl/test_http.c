/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/http_admin.h"
#include "ctl/http.h"

/* --- a server on loopback --- */

static unsigned on_hello(const struct http_request *r, void *arg, struct text *body,
                         const char **content_type)
{
	const char *name = http_request_arg(r, "name");

	(void)arg;
	(void)content_type;
	text_printf(body, "hello %s", name ? name : "nobody");
	return 200;
}

static unsigned on_post(const struct http_request *r, void *arg, struct text *body,
                        const char **content_type)
{
	(void)r;
	(void)arg;
	(void)content_type;
	text_add(body, "done");
	return 200;
}

static unsigned on_denied(const struct http_request *r, void *arg, struct text *body,
                          const char **content_type)
{
	(void)r;
	(void)arg;
	(void)content_type;
	return http_error(body, 403, "only from \033loopback");
}

static unsigned on_moved(const struct http_request *r, void *arg, struct text *body,
                         const char **content_type)
{
	(void)r;
	(void)arg;
	(void)content_type;
	text_add(body, "elsewhere");
	return 302;
}

static unsigned on_large(const struct http_request *r, void *arg, struct text *body,
                         const char **content_type)
{
	static const char block[1024] = {0};

	(void)arg;
	(void)content_type;
	for (size_t i = 0; i < HTTP_BODY_MOST / sizeof(block); i++)
		text_add_bytes(body, (struct bytes){(const uint8_t *)block, sizeof(block)});
	if (strcmp(r->path, "/larger") == 0)
		text_add(body, "x");
	return 200;
}

static const struct http_route routes[] = {
	{"GET", "/hello", on_hello}, {"POST", "/post", on_post},  {"GET", "/denied", on_denied},
	{"GET", "/moved", on_moved}, {"GET", "/large", on_large}, {"GET", "/larger", on_large},
	{NULL, NULL, NULL},
};

struct desk {
	struct http_admin *server;
	struct text url, body;
	struct reason why;
};

static int setup(void **state)
{
	static struct desk desk;
	struct addr addr;

	desk = (struct desk){0};
	assert_true(addr_parse(bytes_of("127.0.0.1"), &addr));
	assert_int_equal(http_admin_start(&addr, 0, routes, NULL, &desk.server, &desk.why), ERR_OK);
	text_printf(&desk.url, "http://127.0.0.1:%u", http_admin_port(desk.server));
	*state = &desk;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	http_admin_stop(d->server);
	text_fini(&d->url);
	text_fini(&d->body);
	return 0;
}

static enum err get(struct desk *d, const char *path)
{
	text_add(&d->url, path);
	return http_get(d->url.data, &d->body, &d->why);
}

/* --- tests --- */

static void test_arguments_arrive_as_they_were(void **state)
{
	struct desk *d = *state;

	text_add(&d->url, "/hello");
	http_add_arg(&d->url, "none", NULL);
	http_add_arg(&d->url, "empty", "");
	http_add_arg(&d->url, "name", "a&b=c d/\xc3\xbc?#%");
	http_add_arg(&d->url, "more", "1");
	assert_int_equal(http_get(d->url.data, &d->body, &d->why), ERR_OK);
	assert_string_equal(d->body.data, "hello a&b=c d/\xc3\xbc?#%");
	assert_non_null(strstr(d->url.data, "/hello?name=a%26b%3Dc%20d"));
	assert_non_null(strstr(d->url.data, "&more=1"));
}

static void test_a_post_is_a_post(void **state)
{
	struct desk *d = *state;

	text_add(&d->url, "/post");
	assert_int_equal(http_post(d->url.data, &d->body, &d->why), ERR_OK);
	assert_string_equal(d->body.data, "done");
	assert_int_equal(http_get(d->url.data, &d->body, &d->why), ERR_PARSE);
	assert_string_equal(d->why.text, "method not allowed here");
}

static void test_the_servers_own_reason_is_told_without_control_bytes(void **state)
{
	struct desk *d = *state;

	assert_int_equal(get(d, "/denied"), ERR_DENIED);
	assert_string_equal(d->why.text, "only from ?loopback");
}

static void test_an_unknown_path_is_not_found(void **state)
{
	struct desk *d = *state;

	assert_int_equal(get(d, "/nowhere"), ERR_NOTFOUND);
	assert_string_equal(d->why.text, "no such path");
}

static void test_a_redirect_is_an_error_not_a_way(void **state)
{
	struct desk *d = *state;

	assert_int_equal(get(d, "/moved"), ERR_PARSE);
	assert_string_equal(d->why.text, "the server answered 302");
}

static void test_sixteen_megabytes_are_taken(void **state)
{
	struct desk *d = *state;

	assert_int_equal(get(d, "/large"), ERR_OK);
	assert_int_equal(d->body.len, HTTP_BODY_MOST);
}

static void test_one_byte_more_is_refused(void **state)
{
	struct desk *d = *state;

	assert_int_equal(get(d, "/larger"), ERR_NOSPACE);
	assert_string_equal(d->why.text, "the answer is longer than 16777216 bytes");
}

static void test_nobody_there_is_unreachable(void **state)
{
	struct desk *d = *state;

	http_admin_stop(d->server);
	d->server = NULL;
	assert_int_equal(get(d, "/hello"), ERR_UNREACHABLE);
}

static void test_only_http_is_spoken(void **state)
{
	struct desk *d = *state;

	assert_int_equal(http_get("file:///etc/passwd", &d->body, &d->why), ERR_UNREACHABLE);
	assert_int_equal(d->body.len, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_arguments_arrive_as_they_were),
		TEST(test_a_post_is_a_post),
		TEST(test_the_servers_own_reason_is_told_without_control_bytes),
		TEST(test_an_unknown_path_is_not_found),
		TEST(test_a_redirect_is_an_error_not_a_way),
		TEST(test_sixteen_megabytes_are_taken),
		TEST(test_one_byte_more_is_refused),
		TEST(test_nobody_there_is_unreachable),
		TEST(test_only_http_is_spoken),
	};

	return cmocka_run_group_tests_name("ctl/http", tests, NULL, NULL);
}
