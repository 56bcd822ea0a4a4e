/* SPDX-License-Identifier: Apache-2.0 */
#include <uv.h>

#include "base/check.h"
#include "kube/transport.h"

struct call {
	struct kube_client *client;
	int *status;
	struct buffer *out;
	bool too_long;
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
	kube_client_stop(call->client, NULL, NULL);
}

enum err kube_call(const struct kube_access *access, const struct kube_ask *ask, int *status,
                   struct buffer *out, struct reason *why)
{
	struct call call = {.status = status, .out = out, .why = why};
	const struct kube_events events = {on_status, on_body, on_done, &call};
	uv_loop_t loop;

	*status = 0;
	CHECK(uv_loop_init(&loop) == 0);
	call.client = kube_client_new(&loop, access);
	kube_client_ask(call.client, ask, &events);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&loop) == 0);
	return call.err;
}
