/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/tls_watch.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"

enum { LOOK_MS = 1000, HANDLES = 3 };

struct tls_watch {
	struct tls *tls;
	uv_fs_poll_t certificate, key;
	uv_timer_t rotation;
	unsigned still_open; /* handles */
	tls_watch_on_changed_fn *on_changed;
	void *arg;
};

static void on_look(uv_fs_poll_t *poll, int status, const uv_stat_t *before, const uv_stat_t *now)
{
	struct tls_watch *w = poll->data;

	(void)status;
	(void)before;
	(void)now;
	w->on_changed(w->arg);
}

static void on_rotation(uv_timer_t *timer)
{
	struct tls_watch *w = timer->data;

	tls_rotate(w->tls);
}

struct tls_watch *tls_watch_start(uv_loop_t *loop, struct tls *tls, const char *certificate,
                                  const char *key, tls_watch_on_changed_fn *on_changed, void *arg)
{
	struct tls_watch *w = xcalloc(1, sizeof *w);

	w->tls = tls;
	w->on_changed = on_changed;
	w->arg = arg;
	w->still_open = HANDLES;
	w->certificate.data = w->key.data = w->rotation.data = w;
	CHECK(uv_fs_poll_init(loop, &w->certificate) == 0);
	CHECK(uv_fs_poll_init(loop, &w->key) == 0);
	CHECK(uv_timer_init(loop, &w->rotation) == 0);
	CHECK(uv_fs_poll_start(&w->certificate, on_look, certificate, LOOK_MS) == 0);
	CHECK(uv_fs_poll_start(&w->key, on_look, key, LOOK_MS) == 0);
	CHECK(uv_timer_start(&w->rotation, on_rotation, TLS_TICKET_S * 1000ULL,
	                     TLS_TICKET_S * 1000ULL) == 0);
	return w;
}

static void on_closed(uv_handle_t *handle)
{
	struct tls_watch *w = handle->data;

	if (--w->still_open == 0)
		free(w);
}

void tls_watch_stop(struct tls_watch *w)
{
	if (w == NULL)
		return;
	uv_close((uv_handle_t *)&w->certificate, on_closed);
	uv_close((uv_handle_t *)&w->key, on_closed);
	uv_close((uv_handle_t *)&w->rotation, on_closed);
}
