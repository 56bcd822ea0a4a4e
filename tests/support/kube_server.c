/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kube_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"

int kube_server_setup_group(void **state)
{
	(void)state;
	kube_transport_setup();
	return 0;
}

struct kube_client *kube_server_client(const struct kube_server *s, uv_loop_t *loop,
                                       const char *token)
{
	struct kube_access access = {.server = xstrdup(fakeapi_url(s->f)),
	                             .ca = xstrdup(fakeapi_ca_pem(s->f))};
	struct kube_client *client;

	kube_secret_set(&access.token, bytes_of(token ? token : fakeapi_token(s->f)));
	client = kube_client_new(loop, &access);
	kube_access_fini(&access);
	return client;
}

int kube_server_setup(void **state)
{
	struct kube_server *s = xcalloc(1, sizeof(*s));

	s->f = fakeapi_new(NULL);
	assert_int_equal(uv_loop_init(&s->loop), 0);
	s->client = kube_server_client(s, &s->loop, NULL);
	*state = s;
	return 0;
}

int kube_server_teardown(void **state)
{
	struct kube_server *s = *state;

	kube_client_stop(s->client, NULL, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	fakeapi_free(s->f);
	free(s);
	return 0;
}

static void turn(uv_loop_t *loop)
{
	struct timespec rest = {.tv_nsec = 1000000};

	uv_run(loop, UV_RUN_NOWAIT);
	nanosleep(&rest, NULL);
}

void kube_server_turn_until(uv_loop_t *loop, const bool *is_so, unsigned within_ms)
{
	uint64_t end_ms = clock_monotonic_ms() + within_ms;

	while (!*is_so) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("it did not come in %u ms", within_ms);
		turn(loop);
	}
}

void kube_server_turn_for(uv_loop_t *loop, unsigned ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		turn(loop);
}
