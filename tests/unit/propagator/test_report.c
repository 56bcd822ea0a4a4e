/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/report.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/text.h"
#include "kube/transport.h"
#include "tests/support/propagator_web.h"

static const struct addr *loopback(void)
{
	static struct addr addr;

	assert_true(addr_parse(bytes_of("127.0.0.1"), &addr));
	return &addr;
}

/* One that is free at this moment. */
static uint16_t free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

/* What is read of it. */
struct reading {
	struct propagator_world *world;
	struct report *report;
	struct kube_client *client;
	struct text body;
	bool is_over;
};

static void begin(struct reading *r)
{
	struct kube_access access = {0};
	uint16_t port = free_port();
	struct reason why = {0};
	char url[64];

	assert_int_equal(report_start(&r->world->loop, loopback(), port, &r->report, &why), ERR_OK);
	report_set_work(r->report, r->world->work);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	assert_int_equal(kube_endpoint_read(url, &access.server, &why), ERR_OK);
	r->client = kube_client_new(&r->world->loop, &access);
	kube_access_fini(&access);
}

static void end(struct reading *r)
{
	kube_client_stop(r->client, NULL, NULL);
	report_stop(r->report);
	text_fini(&r->body);
}

static void on_status(int status, uint64_t retry_after_ms, void *arg)
{
	(void)retry_after_ms;
	(void)arg;
	assert_int_equal(status, 200);
}

static void on_body(struct bytes piece, void *arg)
{
	text_add_bytes(&((struct reading *)arg)->body, piece);
}

static void on_done(enum err err, const char *why, void *arg)
{
	(void)why;
	assert_int_equal(err, ERR_OK);
	((struct reading *)arg)->is_over = true;
}

static void get(struct reading *r, const char *path)
{
	const struct kube_events events = {on_status, on_body, on_done, r};
	const struct kube_ask ask = {.path = path, .reply_ms = 20000, .silence_ms = 20000};

	text_reset(&r->body);
	r->is_over = false;
	kube_client_ask(r->client, &ask, &events);
	while (!r->is_over)
		propagator_world_turn(r->world, 5);
}

/* The value of a metric in what was read last; -1: it has none. */
static long value_of(const struct reading *r, const char *sample)
{
	const char *at = r->body.data ? strstr(r->body.data, sample) : NULL;

	return at ? strtol(at + strlen(sample), NULL, 10) : -1;
}

static void expect_some(struct reading *r, const char *sample)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;

	while (value_of(r, sample) <= 0) {
		if (clock_monotonic_ms() > end_ms)
			fail_msg("there is no %s in %s", sample, r->body.data);
		propagator_world_turn(r->world, 200);
		get(r, "/metrics");
	}
}

#define SENT    "\nnigh_propagator_host_events_total{cluster="
#define DROPPED "\nnigh_propagator_host_events_dropped_total{cluster="

static void test_events_on_the_host_are_counted_by_the_cluster_that_they_tell_of(void **state)
{
	struct reading r = {.world = *state};

	begin(&r);
	propagator_world_deployment(r.world, "web", 1,
	                            "'placement':{'clusters':[{'name':'gondor'}]}");
	expect_some(&r, SENT "\"gondor\"}");
	assert_int_equal(value_of(&r, DROPPED "\"gondor\"}"), 0);
	assert_int_equal(value_of(&r, SENT "\"\"}"), 0);
	/* What the host does not take. */
	fakeapi_answer(r.world->host, "POST " WORLD_EVENTS "/shop", 0, 404, NULL);
	propagator_world_deployment(r.world, "web", 2,
	                            "'placement':{'clusters':[{'name':'rohan'}]}");
	expect_some(&r, DROPPED "\"rohan\"}");
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_events_on_the_host_are_counted_by_the_cluster_that_they_tell_of,
			web_setup, web_teardown),
	};

	return cmocka_run_group_tests_name("propagator/report", tests, NULL, NULL);
}
