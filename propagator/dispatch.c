/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"

enum {
	FEW_AT_ONCE = 4,     /* no server gets less */
	SLOW_MS = 1000,      /* one that takes so long has too much at once */
	BESIDE_AT_ONCE = 4,  /* questions, and as many spare ones */
	BESIDE_WAITING = 256 /* more are not taken */
};

struct dispatch_job {
	struct dispatch *dispatch;
	struct lane *lane;
	struct dispatch_job *next, *before; /* of those that wait, or of those under way */
	struct kube_write write;
	char *group, *version, *plural, *kind; /* of its resource */
	char *namespace, *name, *subresource, *labels, *fields, *body;
	struct kube_writing *writing; /* NULL: it waits */
	uint64_t sent_ms;
	kube_on_answer_fn *on_done;
	void *arg;
};

struct list {
	struct dispatch_job *first, *last;
	size_t count;
};

/* What has its place in the same queue. */
struct lane {
	struct list waiting, under_way;
	unsigned at_once, at_once_most;
	uint64_t fewer_ms; /* when it was told to be less at once */
	uint64_t until_ms; /* the server wants to be left alone until then */
};

struct dispatch {
	struct kube_client *client;
	const struct dispatch_term *term;
	uint64_t epoch; /* of all that is sent; 0: nothing was yet */
	struct lane writes, questions, spare;
	bool gives_way;
	uv_timer_t *timer; /* when the server may be asked again, or to send what has just come */
	uint64_t sent, refused, dropped;
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
	free(job->group);
	free(job->version);
	free(job->plural);
	free(job->kind);
	free(job->namespace);
	free(job->name);
	free(job->subresource);
	free(job->labels);
	free(job->fields);
	free(job->body);
	free(job);
}

static void send_more(struct dispatch *d);

static void note_wish(struct lane *lane, const struct kube_answer *answer)
{
	enum { MOST_MS = 60000 };
	uint64_t wait = answer->retry_after_ms < MOST_MS ? answer->retry_after_ms : MOST_MS;

	if (wait > 0 && (answer->status == 429 || answer->status == 503))
		lane->until_ms = clock_monotonic_ms() + wait;
}

/* One that was sent before the last change tells nothing of it. */
static void note_time(struct lane *lane, const struct dispatch_job *job)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms - job->sent_ms < SLOW_MS) {
		lane->at_once += lane->at_once < lane->at_once_most;
	} else if (lane->at_once > FEW_AT_ONCE && job->sent_ms >= lane->fewer_ms) {
		lane->at_once = lane->at_once / 2 > FEW_AT_ONCE ? lane->at_once / 2 : FEW_AT_ONCE;
		lane->fewer_ms = now_ms;
	}
}

static void on_answer(const struct kube_answer *answer, void *arg)
{
	struct dispatch_job *job = arg;
	struct dispatch *d = job->dispatch;

	take_out(&job->lane->under_way, job);
	if (d->gives_way)
		note_time(job->lane, job);
	d->refused += !kube_answer_is_good(answer);
	note_wish(job->lane, answer);
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
	take_out(&job->lane->waiting, job);
	append(&job->lane->under_way, job);
	job->sent_ms = clock_monotonic_ms();
	job->writing = kube_write_start(d->client, &job->write, on_answer, job);
	d->sent++;
}

static bool is_its_term(struct dispatch *d)
{
	uint64_t epoch = d->term->epoch(d->term->arg);

	if (d->epoch == 0)
		d->epoch = epoch;
	return epoch != 0 && epoch == d->epoch;
}

/* As much of the lane as may be sent now.  How long the rest waits for the server's sake; 0: it does not. */
static uint64_t send_lane(struct dispatch *d, struct lane *lane)
{
	uint64_t now_ms = clock_monotonic_ms();

	while (lane->waiting.first && lane->under_way.count < lane->at_once &&
	       now_ms >= lane->until_ms && is_its_term(d))
		begin(d, lane->waiting.first);
	return lane->waiting.first && now_ms < lane->until_ms ? lane->until_ms - now_ms : 0;
}

/* The sooner one; 0: never. */
static uint64_t sooner(uint64_t a_ms, uint64_t b_ms)
{
	return b_ms == 0 || (a_ms > 0 && a_ms < b_ms) ? a_ms : b_ms;
}

/* What waits when the term has ended waits for dispatch_free(). */
static void send_more(struct dispatch *d)
{
	uint64_t wait_ms = send_lane(d, &d->writes);

	wait_ms = sooner(wait_ms, send_lane(d, &d->questions));
	if (!d->writes.waiting.first)
		wait_ms = sooner(wait_ms, send_lane(d, &d->spare));
	if (wait_ms > 0)
		wake_at(d, wait_ms);
}

/* --- life --- */

struct dispatch *dispatch_new(uv_loop_t *loop, struct kube_client *client, unsigned at_once,
                              const struct dispatch_term *term)
{
	struct dispatch *d = xcalloc(1, sizeof(*d));

	d->client = client;
	d->writes.at_once = d->writes.at_once_most = at_once;
	d->questions.at_once = d->questions.at_once_most = BESIDE_AT_ONCE;
	d->spare.at_once = d->spare.at_once_most = BESIDE_AT_ONCE;
	d->term = term;
	d->timer = xcalloc(1, sizeof(*d->timer));
	CHECK(uv_timer_init(loop, d->timer) == 0);
	d->timer->data = d;
	return d;
}

void dispatch_give_way(struct dispatch *d)
{
	d->gives_way = true;
	if (d->writes.at_once > FEW_AT_ONCE)
		d->writes.at_once = FEW_AT_ONCE;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

static void empty(struct lane *lane)
{
	while (lane->under_way.first)
		dispatch_cancel(lane->under_way.first);
	while (lane->waiting.first)
		dispatch_cancel(lane->waiting.first);
}

void dispatch_free(struct dispatch *d)
{
	empty(&d->writes);
	empty(&d->questions);
	empty(&d->spare);
	uv_close((uv_handle_t *)d->timer, on_closed);
	free(d);
}

static struct dispatch_job *add(struct dispatch *d, struct lane *lane,
                                const struct kube_write *write, kube_on_answer_fn *on_done,
                                void *arg)
{
	struct dispatch_job *job = xcalloc(1, sizeof(*job));

	job->dispatch = d;
	job->lane = lane;
	job->write = *write;
	job->write.resource.group = job->group = copied(write->resource.group);
	job->write.resource.version = job->version = copied(write->resource.version);
	job->write.resource.plural = job->plural = copied(write->resource.plural);
	job->write.resource.kind = job->kind = copied(write->resource.kind);
	job->write.namespace = job->namespace = copied(write->namespace);
	job->write.name = job->name = copied(write->name);
	job->write.subresource = job->subresource = copied(write->subresource);
	job->write.labels = job->labels = copied(write->labels);
	job->write.fields = job->fields = copied(write->fields);
	if (write->body.len > 0)
		job->body = xmemdup(write->body.data, write->body.len);
	job->write.body.data = (const uint8_t *)job->body;
	job->on_done = on_done;
	job->arg = arg;
	append(&lane->waiting, job);
	wake_at(d, 0);
	return job;
}

struct dispatch_job *dispatch_add(struct dispatch *d, const struct kube_write *write,
                                  kube_on_answer_fn *on_done, void *arg)
{
	return add(d, &d->writes, write, on_done, arg);
}

static struct dispatch_job *add_if_room(struct dispatch *d, struct lane *lane,
                                        const struct kube_write *write, kube_on_answer_fn *on_done,
                                        void *arg)
{
	if (lane->waiting.count < BESIDE_WAITING)
		return add(d, lane, write, on_done, arg);
	d->dropped++;
	return NULL;
}

struct dispatch_job *dispatch_add_question(struct dispatch *d, const struct kube_write *write,
                                           kube_on_answer_fn *on_done, void *arg)
{
	return add_if_room(d, &d->questions, write, on_done, arg);
}

struct dispatch_job *dispatch_add_spare(struct dispatch *d, const struct kube_write *write,
                                        kube_on_answer_fn *on_done, void *arg)
{
	return add_if_room(d, &d->spare, write, on_done, arg);
}

void dispatch_cancel(struct dispatch_job *job)
{
	struct dispatch *d;

	if (!job)
		return;
	d = job->dispatch;
	take_out(job->writing ? &job->lane->under_way : &job->lane->waiting, job);
	kube_write_cancel(job->writing);
	free_job(job);
	if (d->writes.waiting.first || d->questions.waiting.first || d->spare.waiting.first)
		wake_at(d, 0);
}

bool dispatch_is_waiting(const struct dispatch_job *job) { return job->writing == NULL; }

struct dispatch_counts dispatch_counts(const struct dispatch *d)
{
	return (struct dispatch_counts){d->sent, d->refused, d->dropped, d->writes.waiting.count,
	                                d->writes.under_way.count};
}
