/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/lease.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "kube/write.h"

static const struct kube_resource leases = {"coordination.k8s.io", "v1", "leases", "Lease"};

enum { ANSWER_MOST = 256 << 10 };

enum step { READING, MAKING, TAKING, RENEWING, RELEASING };

struct kube_lease {
	struct kube_client *client;
	char *namespace, *name, *identity;
	struct kube_lease_settings settings; /* its texts are the three above */
	struct kube_lease_settings asked;    /* its times are those of the next attempt */
	struct kube_lease_events events;
	uv_timer_t next; /* the next attempt */
	uv_timer_t end;  /* of the term, when nothing renews it; of the release */
	unsigned open_handles;

	struct kube_writing *writing;
	enum step step;
	bool read_again; /* in this attempt, after a conflict */
	struct kube_lease_record wanted;
	uint64_t sent_ms;

	struct json_object *object; /* as it is, as far as is known; NULL: to be read */
	struct kube_lease_sight sight;
	char told_leader[KUBE_IDENTITY_MOST];
	uint64_t newest_epoch; /* of all that were seen */

	bool leading;
	uint64_t epoch, held_until_ms;
	struct reason trouble;

	bool stopping;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

static void attempt(struct kube_lease *l);
static void on_next(uv_timer_t *timer);
static void on_end(uv_timer_t *timer);
static void close_all(struct kube_lease *l);

/* --- is it held? --- */

uint64_t kube_lease_left_ms(const struct kube_lease *l)
{
	uint64_t now_ms = clock_boottime_ms();

	return l->leading && now_ms < l->held_until_ms ? l->held_until_ms - now_ms : 0;
}

bool kube_lease_is_held(const struct kube_lease *l) { return kube_lease_left_ms(l) > 0; }

uint64_t kube_lease_epoch(const struct kube_lease *l) { return l->epoch; }

const struct kube_lease_record *kube_lease_record(const struct kube_lease *l)
{
	return &l->sight.record;
}

const char *kube_lease_trouble(const struct kube_lease *l) { return l->trouble.text; }

/* --- what comes next --- */

static void forget(struct kube_lease *l)
{
	json_object_put(l->object);
	l->object = NULL;
}

/* Candidates do not all come at once. */
static void later(struct kube_lease *l, uint64_t at_least_ms)
{
	uint64_t retry_ms = l->settings.retry_ms, wait_ms = retry_ms;

	if (l->stopping)
		return;
	if (!l->leading) {
		wait_ms += random_below((uint32_t)(retry_ms + retry_ms / 5));
		if (at_least_ms > l->settings.lease_ms)
			at_least_ms = l->settings.lease_ms;
		wait_ms = wait_ms > at_least_ms ? wait_ms : at_least_ms;
	}
	uv_timer_start(&l->next, on_next, wait_ms, 0);
}

/* What is under way is of a term that has ended. */
static void lose(struct kube_lease *l, const char *why)
{
	if (!l->leading)
		return;
	l->leading = false;
	l->held_until_ms = 0;
	kube_write_cancel(l->writing);
	l->writing = NULL;
	forget(l);
	uv_timer_stop(&l->end);
	later(l, 0);
	l->events.on_lost(why, l->events.arg);
}

static void lose_for_time(struct kube_lease *l)
{
	struct reason why;

	(void)reason_set(&why, ERR_TIMEOUT, "not renewed within %llu ms%s%s",
	                 (unsigned long long)l->settings.renew_ms,
	                 l->trouble.text[0] != '\0' ? ": " : "", l->trouble.text);
	lose(l, why.text);
}

/* The clock that counts sleep decides, not the loop's. */
static void check_time(struct kube_lease *l)
{
	if (l->leading && !kube_lease_is_held(l))
		lose_for_time(l);
}

static void on_end(uv_timer_t *timer)
{
	struct kube_lease *l = timer->data;

	if (l->stopping) {
		close_all(l);
		return;
	}
	check_time(l);
	if (l->leading)
		uv_timer_start(&l->end, on_end, kube_lease_left_ms(l) + 1, 0);
}

static void on_next(uv_timer_t *timer)
{
	struct kube_lease *l = timer->data;

	check_time(l);
	if (l->stopping || l->writing)
		return;
	l->read_again = false;
	attempt(l);
}

/* --- what is seen --- */

static void tell_leader(struct kube_lease *l)
{
	const char *holder = l->sight.record.holder;

	if (l->stopping || strcmp(l->told_leader, holder) == 0)
		return;
	(void)snprintf(l->told_leader, sizeof(l->told_leader), "%s", holder);
	l->events.on_leader(l->told_leader, l->events.arg);
}

static void see(struct kube_lease *l, struct json_object *object)
{
	struct kube_lease_record record;

	kube_lease_record_read(object, &record);
	kube_lease_sight_see(&l->sight, &record, clock_boottime_ms());
	if (record.transitions > l->newest_epoch)
		l->newest_epoch = record.transitions;
	json_object_get(object);
	forget(l);
	l->object = object;
}

static bool is_mine(const struct kube_lease *l)
{
	return strcmp(l->sight.record.holder, l->identity) == 0;
}

/* --- asking --- */

static void on_answer(const struct kube_answer *a, void *arg);

/* Half of the time, so that one that is not answered leaves time for another. */
static uint64_t request_ms(const struct kube_lease *l)
{
	uint64_t left_ms = kube_lease_left_ms(l), half_ms = l->settings.renew_ms / 2;

	return l->leading && left_ms < half_ms ? left_ms + 1 : half_ms;
}

static void ask(struct kube_lease *l, enum step step, const char *body, uint64_t deadline_ms)
{
	struct kube_write w = {.verb = step == READING  ? KUBE_GET
	                               : step == MAKING ? KUBE_CREATE
	                                                : KUBE_REPLACE,
	                       .resource = leases,
	                       .namespace = l->namespace,
	                       .name = step == MAKING ? NULL : l->name,
	                       .deadline_ms = deadline_ms,
	                       .answer_most = ANSWER_MOST};

	if (body)
		w.body = bytes_of(body);
	l->step = step;
	l->sent_ms = clock_boottime_ms();
	l->writing = kube_write_start(l->client, &w, on_answer, l);
}

/* RFC 3339 with microseconds, as MicroTime wants it. */
static void print_now(char out[64])
{
	char text[CLOCK_TEXT_SIZE];
	int64_t now_ms = clock_unix_ms();

	clock_print(now_ms / 1000, text);
	text[strcspn(text, "Z")] = '\0';
	(void)snprintf(out, 64, "%s.%03d000Z", text, (int)(now_ms % 1000));
}

static void write_wanted(struct kube_lease *l, enum step step, uint64_t deadline_ms)
{
	struct json_object *lease = NULL;

	if (step == MAKING)
		lease = kube_lease_object_new(l->namespace, l->name);
	else
		CHECK(json_object_deep_copy(l->object, &lease, NULL) == 0);
	kube_lease_record_write(lease, &l->wanted);
	ask(l, step, json_object_to_json_string_ext(lease, JSON_C_TO_STRING_PLAIN), deadline_ms);
	json_object_put(lease);
}

/* A new term unless it is a renewal; its epoch is greater than any that was seen. */
static void claim(struct kube_lease *l, enum step step)
{
	struct kube_lease_record *w = &l->wanted;

	*w = l->sight.record;
	(void)snprintf(w->holder, sizeof(w->holder), "%s", l->identity);
	w->duration_ms = l->settings.lease_ms;
	print_now(w->renewed);
	w->transitions = l->leading ? l->epoch : l->newest_epoch + 1;
	if (!l->leading || w->acquired[0] == '\0')
		print_now(w->acquired);
	write_wanted(l, step, request_ms(l));
}

static void attempt(struct kube_lease *l)
{
	l->settings = l->asked;
	if (l->leading && l->object)
		claim(l, RENEWING);
	else
		ask(l, READING, NULL, request_ms(l));
}

/* --- answers --- */

static void fail(struct kube_lease *l, const struct kube_answer *a)
{
	(void)reason_set(&l->trouble, ERR_IO, "%s", a->why);
	forget(l);
	if (a->err == ERR_TIMEOUT)
		kube_client_replace(l->client, "a request for the lease was not answered in time");
	later(l, a->retry_after_ms);
}

/* What has been read decides. */
static void decide(struct kube_lease *l)
{
	struct reason why;

	l->trouble.text[0] = '\0';
	if (l->leading && !is_mine(l)) {
		(void)reason_set(&why, ERR_CONFLICT, "%.200s has it", l->sight.record.holder);
		lose(l, why.text);
	} else if (l->leading) {
		claim(l, RENEWING);
	} else if (is_mine(l) ||
	           !kube_lease_sight_lives(&l->sight, l->settings.lease_ms, clock_boottime_ms())) {
		claim(l, TAKING);
	} else {
		later(l, 0);
	}
	tell_leader(l);
}

static void on_read(struct kube_lease *l, const struct kube_answer *a)
{
	if (kube_answer_is_good(a)) {
		see(l, a->object);
		decide(l);
	} else if (a->err == ERR_OK && a->reason == KUBE_REASON_NOT_FOUND) {
		forget(l);
		l->sight = (struct kube_lease_sight){0};
		claim(l, MAKING);
		tell_leader(l);
	} else {
		fail(l, a);
	}
}

static void begin_term(struct kube_lease *l)
{
	l->leading = true;
	l->epoch = l->wanted.transitions;
	l->events.on_leading(l->epoch, l->events.arg);
}

/* It counts from when it was sent: the server, and all who look there, have it later than that. */
static void on_held(struct kube_lease *l, struct json_object *object)
{
	uint64_t until_ms = l->sent_ms + l->settings.renew_ms;

	see(l, object);
	l->trouble.text[0] = '\0';
	if (!is_mine(l) || clock_boottime_ms() >= until_ms) {
		(void)reason_set(&l->trouble, ERR_TIMEOUT, "the answer came too late");
		forget(l);
		later(l, 0);
		return;
	}
	l->held_until_ms = until_ms;
	if (!l->leading)
		begin_term(l);
	if (!l->stopping) {
		uv_timer_start(&l->end, on_end, kube_lease_left_ms(l) + 1, 0);
		later(l, 0);
	}
	tell_leader(l);
}

static bool is_outdated(const struct kube_answer *a)
{
	return a->err == ERR_OK &&
	       (a->reason == KUBE_REASON_CONFLICT || a->reason == KUBE_REASON_ALREADY_EXISTS ||
	        a->reason == KUBE_REASON_NOT_FOUND);
}

static void on_written(struct kube_lease *l, const struct kube_answer *a)
{
	if (kube_answer_is_good(a)) {
		on_held(l, a->object);
	} else if (is_outdated(a) && !l->read_again) {
		l->read_again = true;
		forget(l);
		attempt(l);
	} else {
		fail(l, a);
	}
}

static void release(struct kube_lease *l)
{
	l->wanted = l->sight.record;
	l->wanted.holder[0] = '\0';
	l->wanted.duration_ms = 1000;
	print_now(l->wanted.renewed);
	write_wanted(l, RELEASING, 0);
}

/* A renewal that was under way has given the version that a release needs. */
static void go_on_stopping(struct kube_lease *l, const struct kube_answer *a)
{
	if (l->step == RENEWING && kube_answer_is_good(a)) {
		see(l, a->object);
		release(l);
	} else {
		close_all(l);
	}
}

static void on_answer(const struct kube_answer *a, void *arg)
{
	struct kube_lease *l = arg;

	bool led = l->leading;

	l->writing = NULL;
	if (l->stopping) {
		go_on_stopping(l, a);
		return;
	}
	check_time(l);
	if (led && !l->leading)
		return; /* of a term that has ended just now */
	if (l->step == READING)
		on_read(l, a);
	else
		on_written(l, a);
}

/* --- life --- */

static void check_times(const struct kube_lease_settings *s)
{
	CHECK(s->lease_ms > s->renew_ms && s->renew_ms * 5 > s->retry_ms * 6 && s->retry_ms > 0);
}

struct kube_lease *kube_lease_start(uv_loop_t *loop, struct kube_client *client,
                                    const struct kube_lease_settings *settings,
                                    const struct kube_lease_events *events)
{
	struct kube_lease *l = xcalloc(1, sizeof(*l));

	check_times(settings);
	l->client = client;
	l->settings = *settings;
	l->settings.namespace = l->namespace = xstrdup(settings->namespace);
	l->settings.name = l->name = xstrdup(settings->name);
	l->settings.identity = l->identity = xstrdup(settings->identity);
	l->asked = l->settings;
	l->events = *events;
	l->next.data = l->end.data = l;
	CHECK(uv_timer_init(loop, &l->next) == 0);
	CHECK(uv_timer_init(loop, &l->end) == 0);
	attempt(l);
	return l;
}

void kube_lease_set_times(struct kube_lease *l, uint64_t lease_ms, uint64_t renew_ms,
                          uint64_t retry_ms)
{
	l->asked.lease_ms = lease_ms;
	l->asked.renew_ms = renew_ms;
	l->asked.retry_ms = retry_ms;
	check_times(&l->asked);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct kube_lease *l = handle->data;
	void (*on_stopped)(void *arg) = l->on_stopped;
	void *arg = l->stopped_arg;

	if (--l->open_handles > 0)
		return;
	forget(l);
	free(l->namespace);
	free(l->name);
	free(l->identity);
	free(l);
	if (on_stopped)
		on_stopped(arg);
}

static void close_all(struct kube_lease *l)
{
	kube_write_cancel(l->writing);
	l->writing = NULL;
	l->open_handles = 2;
	uv_close((uv_handle_t *)&l->next, on_handle_closed);
	uv_close((uv_handle_t *)&l->end, on_handle_closed);
}

void kube_lease_stop(struct kube_lease *l, uint64_t release_ms, void (*on_stopped)(void *arg),
                     void *arg)
{
	bool releases = kube_lease_is_held(l) && release_ms > 0;

	CHECK(!l->stopping);
	l->stopping = true;
	l->leading = false;
	l->on_stopped = on_stopped;
	l->stopped_arg = arg;
	uv_timer_stop(&l->next);
	if (!releases || (!l->writing && !l->object) || (l->writing && l->step != RENEWING)) {
		close_all(l);
		return;
	}
	uv_timer_start(&l->end, on_end, release_ms, 0);
	if (!l->writing)
		release(l);
}

char *kube_lease_identity(void)
{
	char host[256] = "", uuid[37];
	uint8_t b[16];
	struct text t = {0};

	if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
		(void)snprintf(host, sizeof(host), "nigh");
	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(uuid, sizeof(uuid),
	               "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
	               b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
	               b[13], b[14], b[15]);
	text_printf(&t, "%s_%s", host, uuid);
	return text_take(&t);
}
