/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/propagator_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/support/fakeapi_inside.h"
#include "tests/support/propagator_kubeconfig.h"

enum { AT_ONCE = 64 }; /* as work.c has it */

static uint64_t epoch_of(void *arg)
{
	(void)arg;
	return 1;
}

struct hub *hub_new(void)
{
	struct hub *h = xcalloc(1, sizeof(*h));
	struct kube_access access = {0};

	kube_transport_setup();
	assert_int_equal(uv_loop_init(&h->loop), 0);
	h->host = fakeapi_new(NULL);
	for (size_t i = 0; i < HUB_MEMBERS; i++)
		h->member[i] = fakeapi_new(NULL);
	propagator_kubeconfig(h->host, h->kubeconfig, sizeof(h->kubeconfig));
	access.server = xstrdup(fakeapi_url(h->host));
	access.ca = xstrdup(fakeapi_ca_pem(h->host));
	kube_secret_set(&access.token, bytes_of(fakeapi_token(h->host)));
	h->client = kube_client_new(&h->loop, &access);
	kube_access_fini(&access);
	h->backoff.cap_ms = 1000;
	h->term.epoch = epoch_of;
	h->dispatch = dispatch_new(&h->loop, h->client, AT_ONCE, &h->term);
	return h;
}

void hub_free(struct hub *h)
{
	dispatch_free(h->dispatch);
	kube_client_stop(h->client, NULL, NULL);
	uv_run(&h->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&h->loop), 0);
	fakeapi_free(h->host);
	for (size_t i = 0; i < HUB_MEMBERS; i++)
		fakeapi_free(h->member[i]);
	unlink(h->kubeconfig);
	free(h);
}

void hub_secret(struct hub *h, const char *name, const char *token)
{
	char *encoded = tls_base64(token, strlen(token));

	fakeapi_put(h->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'%s','namespace':'" HUB_NAMESPACE
	            "'},'data':{'token':'%s'}}",
	            name, encoded);
	free(encoded);
}

void hub_join(struct hub *h, unsigned i, const char *name, const char *more)
{
	hub_secret(h, name, fakeapi_token(h->member[i]));
	fakeapi_put(h->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'%s','namespace':'" HUB_NAMESPACE
	            "'},'spec':{'apiEndpoint':'%s','caBundle':'%s','secretRef':{'name':'%s'}}%s}",
	            name, fakeapi_url(h->member[i]), fakeapi_ca_base64(h->member[i]), name, more);
}

/* --- waiting --- */

static void turn(struct hub *h)
{
	struct timespec rest = {.tv_nsec = 1000000};

	uv_run(&h->loop, UV_RUN_NOWAIT);
	nanosleep(&rest, NULL);
}

void hub_turn_for(struct hub *h, unsigned ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		turn(h);
}

void hub_turn_until(struct hub *h, bool (*is_so)(void *arg), void *arg)
{
	uint64_t end_ms = clock_monotonic_ms() + HUB_SOON_MS;

	while (!is_so(arg)) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("it did not come in %d ms", HUB_SOON_MS);
		turn(h);
	}
}

struct wanted {
	struct hub *hub;
	const char *resource, *object, *text;
	unsigned count;
};

static bool has_text(void *arg)
{
	const struct wanted *w = arg;
	const char *json = fakeapi_get(w->hub->host, w->resource, w->object);

	if (w->text[0] == '!')
		return !json || !strstr(json, w->text + 1);
	return json && strstr(json, w->text);
}

void hub_expect(struct hub *h, const char *resource, const char *object, const char *text)
{
	struct wanted w = {h, resource, object, text, 0};
	uint64_t end_ms = clock_monotonic_ms() + HUB_SOON_MS;
	const char *json;

	while (!has_text(&w)) {
		if (clock_monotonic_ms() >= end_ms) {
			json = fakeapi_get(h->host, resource, object);
			fail_msg("%s %s has not '%s': %s", resource, object, text,
			         json ? json : "(none)");
		}
		turn(h);
	}
}

static bool has_requests(void *arg)
{
	const struct wanted *w = arg;

	return fakeapi_requests(w->hub->host, w->text) >= w->count;
}

void hub_expect_requests(struct hub *h, const char *text, unsigned count)
{
	struct wanted w = {h, NULL, NULL, text, count};

	hub_turn_until(h, has_requests, &w);
}
