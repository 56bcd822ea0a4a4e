/* webhook.h -- KubeFed's admission webhooks over HTTPS: admission.h behind base/http_admin.
 *
 * Requests are answered on the server's own thread, whether this process leads or not.  Certificate and key are read again
 * when their files change; connections that are there go on with the old ones.  All functions are for the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_WEBHOOK_H
#define PROPAGATOR_WEBHOOK_H

#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/err.h"

struct webhook;

struct webhook_settings {
	struct addr addr;
	uint16_t port;
	const char *certificate, *key; /* PEM files; borrowed */
};

struct webhook_counts {
	uint64_t allowed, refused, malformed;
};

/* Listens when it returns ERR_OK; else `why` names what cannot be used. */
enum err webhook_start(uv_loop_t *loop, const struct webhook_settings *settings,
                       struct webhook **out, struct reason *why) MUST_CHECK;
/* Can they be served with?  Tried on a port of the loopback, for a moment. */
enum err webhook_check(const struct webhook_settings *settings, struct reason *why) MUST_CHECK;
/* NULL is fine. */
void webhook_stop(struct webhook *w);
uint16_t webhook_port(const struct webhook *w);
struct webhook_counts webhook_counts(const struct webhook *w);

#endif
