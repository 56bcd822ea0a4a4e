/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/orders.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/xalloc.h"

enum { WAIT_S = 1 };

struct orders {
	uv_async_t wake;
	order_fn *obey;
	void *arg;
	void (*on_stopped)(void *arg);
	void *stopped_arg;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t obeyed;
	enum order order;
	const struct order_about *about; /* not NULL: an order waits */
	uint64_t *result;
	struct reason *why;
	enum err err;
};

static void on_wake(uv_async_t *wake)
{
	struct orders *o = wake->data;

	CHECK(pthread_mutex_lock(&o->lock) == 0);
	if (o->about != NULL) {
		o->err = o->obey(o->order, o->about, o->arg, o->result, o->why);
		o->about = NULL;
		CHECK(pthread_cond_signal(&o->obeyed) == 0);
	}
	CHECK(pthread_mutex_unlock(&o->lock) == 0);
}

struct orders *orders_new(uv_loop_t *loop, order_fn *obey, void *arg)
{
	struct orders *o = xcalloc(1, sizeof *o);

	o->obey = obey;
	o->arg = arg;
	o->wake.data = o;
	CHECK(uv_async_init(loop, &o->wake, on_wake) == 0);
	CHECK(pthread_mutex_init(&o->lock, NULL) == 0);
	CHECK(pthread_cond_init(&o->obeyed, NULL) == 0);
	return o;
}

enum err orders_give(struct orders *o, enum order order, const struct order_about *about,
                     uint64_t *result, struct reason *why)
{
	struct timespec until;
	enum err err = ERR_OK;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	CHECK(pthread_mutex_lock(&o->lock) == 0);
	o->order = order;
	o->about = about;
	o->result = result;
	o->why = why;
	uv_async_send(&o->wake);
	while (o->about != NULL && err == ERR_OK)
		if (pthread_cond_timedwait(&o->obeyed, &o->lock, &until) != 0)
			err = reason_set(why, ERR_TIMEOUT, "the control thread does not answer");
	if (err == ERR_OK)
		err = o->err;
	o->about = NULL;
	CHECK(pthread_mutex_unlock(&o->lock) == 0);
	return err;
}

static void on_closed(uv_handle_t *handle)
{
	struct orders *o = handle->data;

	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->obeyed);
	o->on_stopped(o->stopped_arg);
	free(o);
}

void orders_stop(struct orders *o, void (*on_stopped)(void *arg), void *arg)
{
	o->on_stopped = on_stopped;
	o->stopped_arg = arg;
	uv_close((uv_handle_t *)&o->wake, on_closed);
}
