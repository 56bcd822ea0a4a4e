/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/transfers.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/notify.h"
#include "dnsd/terms.h"
#include "dnsd/zone_history.h"

enum {
	HISTORY_MOST = 16 << 20, /* bytes of changes of one zone */
	PAUSE_SHARE = 4,         /* after an image, so many times as long as it took ... */
	PAUSE_LEAST_MS = 20      /* ... and at least so long there is no other of that zone */
};

/* A zone whose secondaries somebody wants to be told. */
struct wish {
	struct wish *next;
	uint8_t apex[];
};

/* A zone that is transferred. */
struct served {
	struct served *next;
	struct name apex;
	char *name;
	struct notify_target *notify;
	size_t notify_count;
	const struct tsig_keys *keys; /* of those; NULL: none */
	bool is_listed;               /* in the config that is being taken up */
	struct zone_history *history;
	bool is_watched; /* somebody has asked, or is to be notified */
	uint64_t rest_until_ms;
	struct notify *notifying;
};

struct transfers_request {
	struct transfers_request *next; /* waiting, or ready at its desk */
	struct transfers_desk *desk;
	struct name apex;
	bool is_ixfr;
	uint32_t from;
	bool is_forgotten;
	struct transfer *transfer;
	transfers_on_ready_fn *ready;
	void *arg;
};

struct transfers_desk {
	struct transfers *transfers;
	uv_async_t wake;
	struct transfers_request *done; /* under the lock */
	unsigned asked;                 /* requests that are not given back yet */
	bool is_closed;
};

struct transfers {
	pthread_t thread;
	pthread_mutex_t lock;
	struct transfers_request *asked; /* under the lock */
	struct served *fresh;            /* under the lock: the next list, when is_fresh */
	struct wish *wishes;             /* under the lock */
	bool is_fresh, is_poked, is_ending;

	/* The thread's own. */
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t later;
	struct handover *handover;
	struct reader *reader;
	struct served *served;
};

/* --- the list of zones --- */

static void free_served(struct served *z)
{
	zone_history_free(z->history);
	notify_free(z->notifying);
	tsig_keys_unref(z->keys);
	free(z->notify);
	free(z->name);
	free(z);
}

static struct served *make_list(const struct config *c, const struct tsig_keys *keys)
{
	struct served *list = NULL;

	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_transfer *from = &c->zones[i].transfer;
		struct served *z;

		if (from->rule_count == 0 && from->notify_count == 0)
			continue;
		z = xcalloc(1, sizeof(*z));
		z->name = xstrdup(c->zones[i].name);
		z->notify = xcalloc(from->notify_count, sizeof(*z->notify));
		z->keys = tsig_keys_ref(keys);
		notify_target_fill(c, &c->zones[i], keys, z->notify);
		z->notify_count = from->notify_count;
		z->next = list;
		list = z;
		if (name_from_text(&z->apex, bytes_of(c->zones[i].name), NULL) != ERR_OK) {
			list = z->next;
			free_served(z);
		}
	}
	return list;
}

static struct served *find(struct served *list, const struct name *apex)
{
	while (list && !names_wire_equal(list->apex.wire, apex->wire))
		list = list->next;
	return list;
}

/* Of a zone that stays the history stays. */
static void keep(struct served *now, struct served *before)
{
	if (!before)
		return;
	now->history = before->history;
	now->rest_until_ms = before->rest_until_ms;
	now->is_watched = before->is_watched;
	before->history = NULL;
}

static void free_list(struct served *list)
{
	while (list) {
		struct served *next = list->next;

		free_served(list);
		list = next;
	}
}

/* Who has not heard yet is still to be told, and who is new in the config at once. */
static void start_notifying(struct transfers *t, struct served *z, const struct served *before)
{
	const struct zone_image *newest = zone_history_newest(z->history);

	z->is_watched = true;
	z->notifying = notify_start(&t->loop, z->apex.wire, z->name, z->notify, z->notify_count);
	if (newest)
		notify_go_on(z->notifying, before ? before->notifying : NULL,
		             zone_image_soa(newest));
}

static void take_up(struct transfers *t, struct served *list)
{
	struct served *before = t->served;

	for (struct served *z = list; z; z = z->next) {
		struct served *same = find(before, &z->apex);

		keep(z, same);
		if (!z->history)
			z->history = zone_history_new(HISTORY_MOST);
		if (z->notify_count > 0)
			start_notifying(t, z, same);
	}
	free_list(before);
	t->served = list;
}

/* --- images --- */

/* True: the newest image is that of the snapshot, as far as there is one. */
static bool look(struct transfers *t, struct served *z, uint64_t now_ms)
{
	const struct snapshot *s = reader_take(t->reader);
	const struct zone *zone =
		s && snapshot_settings(s)->ready ? snapshot_find_apex(s, &z->apex) : NULL;
	const struct zone_image *newest = zone_history_newest(z->history);
	bool is_old = zone && (!newest || zone_image_serial(newest) != zone_serial(zone));
	bool may = is_old && now_ms >= z->rest_until_ms;

	if (may) {
		/* With the snapshot, as other sites are another serial (transferred.c). */
		const char *as = terms_transferred_as(snapshot_terms(s), z->apex.wire);

		zone_history_add(z->history, zone_image_make(s, zone, as));
		z->rest_until_ms = clock_monotonic_ms();
		z->rest_until_ms += (z->rest_until_ms - now_ms) * PAUSE_SHARE + PAUSE_LEAST_MS;
	}
	reader_rest(t->reader);
	if (may && z->notifying)
		notify_tell(z->notifying, zone_image_soa(zone_history_newest(z->history)));
	return !is_old || may;
}

static void on_later(uv_timer_t *timer);

static void look_at_all(struct transfers *t)
{
	uint64_t now_ms = clock_monotonic_ms(), next_ms = UINT64_MAX;

	for (struct served *z = t->served; z; z = z->next)
		if (z->is_watched && !look(t, z, now_ms) && z->rest_until_ms < next_ms)
			next_ms = z->rest_until_ms;
	if (next_ms != UINT64_MAX)
		uv_timer_start(&t->later, on_later, next_ms > now_ms ? next_ms - now_ms : 1, 0);
}

static void on_later(uv_timer_t *timer) { look_at_all(timer->data); }

/* --- requests --- */

static void answer(struct transfers *t, struct transfers_request *r)
{
	struct served *z = find(t->served, &r->apex);

	if (!z)
		return;
	z->is_watched = true;
	(void)look(t, z, clock_monotonic_ms());
	if (r->is_ixfr)
		zone_history_ixfr(z->history, r->from, r->transfer);
	else
		zone_history_axfr(z->history, r->transfer);
}

static void give_back(struct transfers *t, struct transfers_request *r)
{
	pthread_mutex_lock(&t->lock);
	r->next = r->desk->done;
	r->desk->done = r;
	CHECK(uv_async_send(&r->desk->wake) == 0);
	pthread_mutex_unlock(&t->lock);
}

/* Those of a zone of which nothing is known yet are told when something is. */
static void fulfil(struct transfers *t, struct wish *wishes)
{
	while (wishes) {
		struct wish *wish = wishes;

		wishes = wish->next;
		for (struct served *z = t->served; z; z = z->next) {
			const struct zone_image *newest = zone_history_newest(z->history);

			if (names_wire_equal(z->apex.wire, wish->apex) && z->notifying && newest)
				notify_tell(z->notifying, zone_image_soa(newest));
		}
		free(wish);
	}
}

static void end(struct transfers *t)
{
	free_list(t->served);
	t->served = NULL;
	uv_close((uv_handle_t *)&t->wake, NULL);
	uv_close((uv_handle_t *)&t->later, NULL);
}

static void on_wake(uv_async_t *wake)
{
	struct transfers *t = wake->data;
	struct transfers_request *asked;
	struct served *fresh;
	struct wish *wishes;
	bool is_fresh, is_ending, is_poked;

	pthread_mutex_lock(&t->lock);
	asked = t->asked;
	fresh = t->fresh;
	wishes = t->wishes;
	is_fresh = t->is_fresh;
	is_poked = t->is_poked;
	is_ending = t->is_ending;
	t->asked = NULL;
	t->fresh = NULL;
	t->wishes = NULL;
	t->is_fresh = t->is_poked = false;
	pthread_mutex_unlock(&t->lock);
	if (is_fresh)
		take_up(t, fresh);
	fulfil(t, wishes);
	while (asked) {
		struct transfers_request *r = asked;

		asked = r->next;
		answer(t, r);
		give_back(t, r);
	}
	if (is_ending)
		end(t);
	else if (is_poked || is_fresh)
		look_at_all(t);
}

/* --- life --- */

static void *run(void *arg)
{
	struct transfers *t = arg;

	(void)pthread_setname_np(pthread_self(), "transfers");
	t->reader = handover_join(t->handover);
	CHECK(t->reader != NULL);
	(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	handover_leave(t->reader);
	return NULL;
}

struct transfers *transfers_start(struct handover *h)
{
	struct transfers *t = xcalloc(1, sizeof(*t));
	sigset_t all, before;

	t->handover = h;
	t->wake.data = t->later.data = t;
	CHECK(pthread_mutex_init(&t->lock, NULL) == 0);
	CHECK(uv_loop_init(&t->loop) == 0);
	CHECK(uv_async_init(&t->loop, &t->wake, on_wake) == 0);
	CHECK(uv_timer_init(&t->loop, &t->later) == 0);
	/* Signals are the control thread's. */
	sigfillset(&all);
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	CHECK(pthread_create(&t->thread, NULL, run, t) == 0);
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return t;
}

static void wake(struct transfers *t) { CHECK(uv_async_send(&t->wake) == 0); }

void transfers_stop(struct transfers *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->is_ending = true;
	pthread_mutex_unlock(&t->lock);
	wake(t);
	CHECK(pthread_join(t->thread, NULL) == 0);
	CHECK(uv_loop_close(&t->loop) == 0);
	free_list(t->fresh);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void transfers_configure(struct transfers *t, const struct config *c, const struct tsig_keys *keys)
{
	struct served *list = make_list(c, keys), *unused;

	pthread_mutex_lock(&t->lock);
	unused = t->fresh;
	t->fresh = list;
	t->is_fresh = true;
	pthread_mutex_unlock(&t->lock);
	free_list(unused);
	wake(t);
}

void transfers_poke(struct transfers *t)
{
	pthread_mutex_lock(&t->lock);
	t->is_poked = true;
	pthread_mutex_unlock(&t->lock);
	wake(t);
}

void transfers_notify(struct transfers *t, struct bytes apex)
{
	struct wish *wish = xmalloc(sizeof(*wish) + apex.len);

	memcpy(wish->apex, apex.data, apex.len);
	pthread_mutex_lock(&t->lock);
	wish->next = t->wishes;
	t->wishes = wish;
	pthread_mutex_unlock(&t->lock);
	wake(t);
}

/* --- a worker's side --- */

static void on_desk_closed(uv_handle_t *handle) { free(handle->data); }

static void close_when_done(struct transfers_desk *d)
{
	if (d->is_closed && d->asked == 0)
		uv_close((uv_handle_t *)&d->wake, on_desk_closed);
}

static void on_done(uv_async_t *async)
{
	struct transfers_desk *d = async->data;
	struct transfers_request *done;

	pthread_mutex_lock(&d->transfers->lock);
	done = d->done;
	d->done = NULL;
	pthread_mutex_unlock(&d->transfers->lock);
	while (done) {
		struct transfers_request *r = done;

		done = r->next;
		d->asked--;
		if (r->is_forgotten)
			transfer_free(r->transfer);
		else
			r->ready(r->transfer, r->arg);
		free(r);
	}
	close_when_done(d);
}

struct transfers_desk *transfers_desk_open(struct transfers *t, uv_loop_t *loop)
{
	struct transfers_desk *d = xcalloc(1, sizeof(*d));

	d->transfers = t;
	d->wake.data = d;
	CHECK(uv_async_init(loop, &d->wake, on_done) == 0);
	return d;
}

void transfers_desk_close(struct transfers_desk *d)
{
	d->is_closed = true;
	close_when_done(d);
}

struct transfers_request *transfers_ask(struct transfers_desk *d, struct transfer *take,
                                        const struct name *apex, const uint32_t *from,
                                        transfers_on_ready_fn *ready, void *arg)
{
	struct transfers_request *r = xcalloc(1, sizeof(*r));
	struct transfers *t = d->transfers;

	r->desk = d;
	r->transfer = take;
	r->apex = *apex;
	r->is_ixfr = from != NULL;
	r->from = from ? *from : 0;
	r->ready = ready;
	r->arg = arg;
	d->asked++;
	pthread_mutex_lock(&t->lock);
	r->next = t->asked;
	t->asked = r;
	pthread_mutex_unlock(&t->lock);
	wake(t);
	return r;
}

void transfers_forget(struct transfers_request *r)
{
	if (r)
		r->is_forgotten = true;
}
