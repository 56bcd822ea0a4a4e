/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <uv.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "kube/transport.h"

struct kube_caller {
	uv_loop_t loop;
	struct kube_client *client;
};

struct call {
	int *status;
	struct buffer *out;
	bool too_long, is_over;
	enum err err;
	struct reason *why;
};

static void on_status(int status, uint64_t retry_after_ms, void *arg)
{
	struct call *call = arg;

	(void)retry_after_ms;
	*call->status = status;
}

static void on_body(struct bytes piece, void *arg)
{
	struct call *call = arg;

	call->too_long |= call->out->len + piece.len > KUBE_CALL_MOST;
	if (!call->too_long)
		buffer_put(call->out, piece.data, piece.len);
}

static void on_done(enum err err, const char *why, void *arg)
{
	struct call *call = arg;

	call->err = err;
	if (err != ERR_OK)
		reason_set(call->why, err, "%s", why);
	else if (call->too_long)
		call->err = reason_set(call->why, ERR_NOSPACE, "the answer is longer than %d MiB",
		                       KUBE_CALL_MOST >> 20);
	call->is_over = true;
}

struct kube_caller *kube_caller_new(const struct kube_access *access)
{
	struct kube_caller *c = xcalloc(1, sizeof(*c));

	CHECK(uv_loop_init(&c->loop) == 0);
	c->client = kube_client_new(&c->loop, access);
	return c;
}

void kube_caller_free(struct kube_caller *c)
{
	if (!c)
		return;
	kube_client_stop(c->client, NULL, NULL);
	uv_run(&c->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&c->loop) == 0);
	free(c);
}

enum err kube_caller_ask(struct kube_caller *c, const struct kube_ask *ask, int *status,
                         struct buffer *out, struct reason *why)
{
	struct call call = {.status = status, .out = out, .why = why};
	const struct kube_events events = {on_status, on_body, on_done, &call};

	*status = 0;
	kube_client_ask(c->client, ask, &events);
	while (!call.is_over)
		uv_run(&c->loop, UV_RUN_ONCE);
	return call.err;
}

enum err kube_call(const struct kube_access *access, const struct kube_ask *ask, int *status,
                   struct buffer *out, struct reason *why)
{
	struct kube_caller *c = kube_caller_new(access);
	enum err err = kube_caller_ask(c, ask, status, out, why);

	kube_caller_free(c);
	return err;
}
