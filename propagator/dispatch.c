/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"

struct dispatch_job {
	struct dispatch *dispatch;
	struct dispatch_job *next, *before; /* of those that wait, or of those under way */
	struct kube_write write;
	char *namespace, *name, *subresource, *labels, *body;
	struct kube_writing *writing; /* NULL: it waits */
	kube_on_answer_fn *on_done;
	void *arg;
};

struct list {
	struct dispatch_job *first, *last;
	size_t count;
};

struct dispatch {
	struct kube_client *client;
	const struct dispatch_term *term;
	unsigned at_once;
	struct list waiting, under_way;
	uv_timer_t *timer; /* when the server may be asked again, or to send what has just come */
	uint64_t until_ms; /* it wants to be left alone until then */
	uint64_t sent, refused;
};

/* --- lists --- */

static void append(struct list *l, struct dispatch_job *job)
{
	job->next = NULL;
	job->before = l->last;
	if (l->last)
		l->last->next = job;
	else
		l->first = job;
	l->last = job;
	l->count++;
}

static void take_out(struct list *l, struct dispatch_job *job)
{
	if (job->before)
		job->before->next = job->next;
	else
		l->first = job->next;
	if (job->next)
		job->next->before = job->before;
	else
		l->last = job->before;
	l->count--;
}

/* --- jobs --- */

static char *copied(const char *text) { return text ? xstrdup(text) : NULL; }

static void free_job(struct dispatch_job *job)
{
	free(job->namespace);
	free(job->name);
	free(job->subresource);
	free(job->labels);
	free(job->body);
	free(job);
}

static void send_more(struct dispatch *d);

static void note_wish(struct dispatch *d, const struct kube_answer *answer)
{
	enum { MOST_MS = 60000 };
	uint64_t wait = answer->retry_after_ms < MOST_MS ? answer->retry_after_ms : MOST_MS;

	if (wait > 0 && (answer->status == 429 || answer->status == 503))
		d->until_ms = clock_monotonic_ms() + wait;
}

static void on_answer(const struct kube_answer *answer, void *arg)
{
	struct dispatch_job *job = arg;
	struct dispatch *d = job->dispatch;

	take_out(&d->under_way, job);
	d->refused += !kube_answer_is_good(answer);
	note_wish(d, answer);
	job->on_done(answer, job->arg);
	free_job(job);
	send_more(d);
}

static void on_timer(uv_timer_t *timer) { send_more(timer->data); }

static void wake_at(struct dispatch *d, uint64_t in_ms)
{
	uv_timer_start(d->timer, on_timer, in_ms, 0);
}

static void begin(struct dispatch *d, struct dispatch_job *job)
{
	take_out(&d->waiting, job);
	append(&d->under_way, job);
	job->writing = kube_write_start(d->client, &job->write, on_answer, job);
	d->sent++;
}

/* What waits when the term has ended waits for dispatch_free(). */
static void send_more(struct dispatch *d)
{
	uint64_t now_ms = clock_monotonic_ms();

	while (d->waiting.first && d->under_way.count < d->at_once && now_ms >= d->until_ms &&
	       d->term->is_held(d->term->arg))
		begin(d, d->waiting.first);
	if (d->waiting.first && now_ms < d->until_ms)
		wake_at(d, d->until_ms - now_ms);
}

/* --- life --- */

struct dispatch *dispatch_new(uv_loop_t *loop, struct kube_client *client, unsigned at_once,
                              const struct dispatch_term *term)
{
	struct dispatch *d = xcalloc(1, sizeof(*d));

	d->client = client;
	d->at_once = at_once;
	d->term = term;
	d->timer = xcalloc(1, sizeof(*d->timer));
	CHECK(uv_timer_init(loop, d->timer) == 0);
	d->timer->data = d;
	return d;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void dispatch_free(struct dispatch *d)
{
	while (d->under_way.first)
		dispatch_cancel(d->under_way.first);
	while (d->waiting.first)
		dispatch_cancel(d->waiting.first);
	uv_close((uv_handle_t *)d->timer, on_closed);
	free(d);
}

struct dispatch_job *dispatch_add(struct dispatch *d, const struct kube_write *write,
                                  kube_on_answer_fn *on_done, void *arg)
{
	struct dispatch_job *job = xcalloc(1, sizeof(*job));

	job->dispatch = d;
	job->write = *write;
	job->write.namespace = job->namespace = copied(write->namespace);
	job->write.name = job->name = copied(write->name);
	job->write.subresource = job->subresource = copied(write->subresource);
	job->write.labels = job->labels = copied(write->labels);
	if (write->body.len > 0)
		job->body = xmemdup(write->body.data, write->body.len);
	job->write.body.data = (const uint8_t *)job->body;
	job->on_done = on_done;
	job->arg = arg;
	append(&d->waiting, job);
	wake_at(d, 0);
	return job;
}

void dispatch_cancel(struct dispatch_job *job)
{
	struct dispatch *d;

	if (!job)
		return;
	d = job->dispatch;
	take_out(job->writing ? &d->under_way : &d->waiting, job);
	kube_write_cancel(job->writing);
	free_job(job);
	if (d->waiting.first)
		wake_at(d, 0);
}

bool dispatch_is_waiting(const struct dispatch_job *job) { return job->writing == NULL; }

struct dispatch_counts dispatch_counts(const struct dispatch *d)
{
	return (struct dispatch_counts){d->sent, d->refused, d->waiting.count, d->under_way.count};
}
