/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/member_health.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/member_nodes.h"

enum { ANSWER_MOST = 16 * 1024, VERSION_EVERY_MS = 300000, VERSION_MOST = 64 };

/* One of the two requests. */
struct question {
	struct member_health *health;
	struct kube_request *request;
	int status;
	struct buffer body;
};

struct member_health {
	struct kube_client *client;
	const struct members_health *settings;
	void (*on_probe)(void *arg);
	void *arg;
	uv_timer_t *timer;
	struct question healthz, version;
	struct member_nodes *nodes;
	uint64_t version_ms; /* when it was asked for last; 0: never */
	struct threshold threshold;
	enum member_state state;
	bool is_denied;
	char why[200];
	char gitversion[VERSION_MOST];
};

static void on_status(int status, uint64_t retry_after_ms, void *arg)
{
	(void)retry_after_ms;
	((struct question *)arg)->status = status;
}

static void on_body(struct bytes piece, void *arg)
{
	struct question *q = arg;

	if (q->body.len + piece.len <= ANSWER_MOST)
		buffer_put(&q->body, piece.data, piece.len);
}

static void ask(struct question *q, const char *path,
                void (*on_done)(enum err err, const char *why, void *arg))
{
	uint64_t timeout_ms = q->health->settings->timeout_ms;
	const struct kube_events events = {on_status, on_body, on_done, q};
	const struct kube_ask ask = {
		.path = path, .reply_ms = timeout_ms, .silence_ms = timeout_ms};

	q->status = 0;
	buffer_reset(&q->body);
	q->request = kube_client_ask(q->health->client, &ask, &events);
}

/* --- what an answer means --- */

static void judge(struct member_health *h, enum member_state now)
{
	if (threshold_heed(&h->threshold, now == MEMBER_READY, clock_unix_s(),
	                   h->settings->failures, h->settings->successes))
		h->state = now;
}

static bool says_ok(const struct buffer *body)
{
	return body->len == 2 && strncasecmp((const char *)body->data, "ok", 2) == 0;
}

static void on_version(enum err err, const char *why, void *arg)
{
	struct question *q = arg;

	(void)why;
	q->request = NULL;
	if (err == ERR_OK && q->status == 200)
		object_read_version((struct bytes){q->body.data, q->body.len},
		                    q->health->gitversion, sizeof(q->health->gitversion));
}

static void ask_version(struct member_health *h)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (h->version.request || (h->version_ms > 0 && now_ms - h->version_ms < VERSION_EVERY_MS))
		return;
	h->version_ms = now_ms;
	ask(&h->version, "/version", on_version);
}

static void on_healthz(enum err err, const char *why, void *arg)
{
	struct question *q = arg;
	struct member_health *h = q->health;

	q->request = NULL;
	h->why[0] = '\0';
	h->is_denied = err == ERR_OK && q->status == 401;
	if (err != ERR_OK) {
		(void)snprintf(h->why, sizeof(h->why), "%s", why ? why : err_text(err));
		judge(h, MEMBER_OFFLINE);
	} else if (h->is_denied) {
		(void)snprintf(h->why, sizeof(h->why), "%s", MEMBER_HEALTH_DENIED);
		judge(h, MEMBER_OFFLINE);
	} else if (q->status < 200 || q->status > 299) {
		(void)snprintf(h->why, sizeof(h->why), "/healthz answered %d", q->status);
		judge(h, MEMBER_OFFLINE);
	} else if (!says_ok(&q->body)) {
		(void)snprintf(h->why, sizeof(h->why), "/healthz responded without ok");
		judge(h, MEMBER_NOT_READY);
	} else {
		judge(h, MEMBER_READY);
		ask_version(h);
		member_nodes_look(h->nodes, clock_monotonic_ms());
	}
	h->on_probe(h->arg);
}

/* --- life --- */

static void on_timer(uv_timer_t *timer)
{
	struct member_health *h = timer->data;

	uv_timer_start(h->timer, on_timer, h->settings->period_ms, 0);
	if (!h->healthz.request)
		ask(&h->healthz, "/healthz", on_healthz);
}

struct member_health *member_health_start(uv_loop_t *loop, struct kube_client *client,
                                          const struct members_health *settings,
                                          const struct threshold *was, void (*on_probe)(void *arg),
                                          void *arg)
{
	struct member_health *h = xcalloc(1, sizeof(*h));

	h->client = client;
	h->settings = settings;
	h->threshold = *was;
	h->nodes = member_nodes_new(client);
	h->on_probe = on_probe;
	h->arg = arg;
	h->healthz.health = h->version.health = h;
	h->timer = xcalloc(1, sizeof(*h->timer));
	CHECK(uv_timer_init(loop, h->timer) == 0);
	h->timer->data = h;
	/* Not all at one moment. */
	uv_timer_start(h->timer, on_timer, random_below(200), 0);
	return h;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void member_health_stop(struct member_health *h)
{
	kube_request_cancel(h->healthz.request);
	kube_request_cancel(h->version.request);
	member_nodes_free(h->nodes);
	buffer_fini(&h->healthz.body);
	buffer_fini(&h->version.body);
	uv_close((uv_handle_t *)h->timer, on_closed);
	free(h);
}

enum member_state member_health_state(const struct member_health *h) { return h->state; }
const char *member_health_why(const struct member_health *h) { return h->why; }
bool member_health_is_denied(const struct member_health *h) { return h->is_denied; }
const char *member_health_version(const struct member_health *h) { return h->gitversion; }
const struct member_nodes *member_health_nodes(const struct member_health *h) { return h->nodes; }
