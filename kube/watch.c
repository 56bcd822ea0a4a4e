/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch.h"

#include <inttypes.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "kube/splitter.h"
#include "kube/watch_answer.h"
#include "kube/watch_inside.h"
#include "kube/watch_probe.h"
#include "kube/watch_query.h"

enum {
	JSON_DEPTH = SPLITTER_DEPTH + 2,
	WORDS_MOST = 64 * 1024,  /* of an answer that is no list and no watch */
	STREAM_BEGINS_MS = 5000, /* a WatchList; who knows it not may say nothing at all */
	LONG_ENOUGH_MS = 1000,   /* a watch that ends sooner, without news, has failed */
	LOOK_AGAIN_MS = 5000,    /* for a kind that is absent or forbidden */
	CHECK_MS = 10000,
	RETRY_MOST_MS = 60000
};

static void begin(struct kube_watch *w);

/* --- what is told --- */

void watch_tell_sight(struct kube_watch *w, enum kube_sight sight, const char *why)
{
	bool same = w->sighted && w->sight == sight &&
	            (why == NULL || bytes_equal_text(bytes_of(w->why.data), why));

	w->sighted = true;
	w->sight = sight;
	text_reset(&w->why);
	text_add(&w->why, why ? why : "");
	if (!same)
		w->events.on_sight(sight, why, w->events.arg);
}

/* --- going on --- */

void watch_set_text(struct text *to, struct bytes from)
{
	text_reset(to);
	text_add_bytes(to, from);
}

static void rest(struct kube_watch *w, uint64_t ms)
{
	/* A list that broke behind its envelope is none; the next page of one that did not can be asked for later. */
	if (w->phase == LISTING && w->whole)
		watch_forget_version(w);
	w->phase = RESTING;
	kube_request_cancel(w->request);
	watch_probe_cancel(w->probe);
	w->request = NULL;
	w->probe = NULL;
	if (!w->stopped)
		uv_timer_start(&w->timer, watch_on_timer, ms, 0);
}

void watch_fail_after(struct kube_watch *w, enum kube_sight sight, const char *why,
                      uint64_t at_least_ms)
{
	w->failed = true;
	rest(w, kube_backoff_fail(w->backoff, clock_monotonic_ms(), at_least_ms, random_u64()));
	watch_tell_sight(w, sight, why);
}

/* What a server may ask for. */
uint64_t watch_patience_ms(uint64_t retry_after_ms)
{
	return retry_after_ms < RETRY_MOST_MS ? retry_after_ms : RETRY_MOST_MS;
}

void watch_fail(struct kube_watch *w, const char *why) { watch_fail_after(w, KUBE_LOST, why, 0); }

/* What is known is not the server's present any more. */
void watch_forget_version(struct kube_watch *w)
{
	text_reset(&w->version);
	text_reset(&w->more);
}

/* At once, but not again and again: a server that answers every watch with 410 is given lists as rarely as one that
 * fails. */
void watch_list_anew(struct kube_watch *w)
{
	uint64_t now_ms = clock_monotonic_ms(), wait_ms = 0;

	if (w->anew_ms > 0 && now_ms - w->anew_ms < BACKOFF_STABLE_MS)
		wait_ms = kube_backoff_fail(w->backoff, now_ms, 0, random_u64());
	w->anew_ms = now_ms;
	watch_forget_version(w);
	w->failed = true;
	rest(w, wait_ms);
}

/* --- asking --- */

static void on_status(int status, uint64_t retry_after_ms, void *arg);
static void on_body(struct bytes piece, void *arg);
static void on_done(enum err err, const char *why, void *arg);
static bool on_object(struct bytes json, void *arg);
static void on_skipped(struct bytes type, struct bytes namespace, struct bytes name, uint64_t len,
                       void *arg);
static void on_envelope(struct bytes json, void *arg);

static uint64_t check_ms(const struct kube_watch *w)
{
	return w->settings.reply_ms < CHECK_MS ? w->settings.reply_ms : CHECK_MS;
}

/* Takes the path. */
static void ask_for(struct kube_watch *w, enum phase phase, struct text *path)
{
	const struct kube_events events = {on_status, on_body, on_done, w};
	const struct splitter_events pieces = {on_object, on_skipped, on_envelope, w};
	bool watches = phase == STREAMING || phase == WATCHING;
	const struct kube_ask a = {
		.path = path->data,
		.accept = watch_query_accept(&w->settings, watches),
		.reply_ms = phase == CHECKING ? check_ms(w) : w->settings.reply_ms,
		.silence_ms = watches ? 0 : w->settings.reply_ms,
		.compressed = !watches,
	};

	w->phase = phase;
	w->status = 0;
	w->whole = w->failed = w->page_has_any = false;
	buffer_reset(&w->words);
	splitter_free(w->splitter);
	w->splitter = splitter_new(watches ? SPLITTER_WATCH : SPLITTER_LIST,
	                           w->settings.object_most, &pieces);
	w->request = kube_client_ask(w->client, &a, &events);
	text_fini(path);
}

static void begin_list(struct kube_watch *w)
{
	struct text path = {0};

	if (w->more.len == 0) {
		w->objects = 0;
		w->counts.lists++;
		w->events.on_list(w->events.arg);
	}
	watch_query_page(&path, &w->settings, w->more.data);
	ask_for(w, LISTING, &path);
}

static unsigned timeout_s(void)
{
	return WATCH_QUERY_LEAST_S + random_below(WATCH_QUERY_MOST_S - WATCH_QUERY_LEAST_S + 1);
}

static void begin_streaming(struct kube_watch *w)
{
	struct text path = {0};

	w->objects = 0;
	w->counts.lists++;
	w->heard_ms = clock_monotonic_ms();
	w->events.on_list(w->events.arg);
	watch_query_stream(&path, &w->settings, timeout_s());
	ask_for(w, STREAMING, &path);
	uv_timer_start(&w->timer, watch_on_timer, STREAM_BEGINS_MS, 0);
}

static void begin_watch(struct kube_watch *w)
{
	struct text path = {0};

	w->counts.watches++;
	w->began_ms = w->heard_ms = clock_monotonic_ms();
	w->moved = false;
	watch_query_watch(&path, &w->settings, w->version.data, timeout_s());
	ask_for(w, WATCHING, &path);
	uv_timer_start(&w->timer, watch_on_timer, w->settings.silence_ms, 0);
}

static void begin_checking(struct kube_watch *w)
{
	struct text path = {0};

	watch_query_one(&path, &w->settings);
	ask_for(w, CHECKING, &path);
}

static void begin(struct kube_watch *w)
{
	if (w->version.len > 0 && w->must_check)
		begin_checking(w);
	else if (w->version.len > 0)
		begin_watch(w);
	else if (w->settings.streaming_list && !w->no_streaming && w->more.len == 0)
		begin_streaming(w);
	else
		begin_list(w);
}

/* --- silence --- */

/* The server is there, so it is the stream that hangs, or nothing happens: begun again, either is the same. */
static void on_probe_done(enum err err, int status, struct bytes version, void *arg)
{
	struct kube_watch *w = arg;

	(void)status;
	w->probe = NULL;
	if (err == ERR_OK && object_is_older(version, bytes_of(w->version.data))) {
		watch_list_anew(w);
	} else if (err == ERR_OK) {
		rest(w, 0);
	} else {
		w->must_check = true;
		if (err == ERR_GONE) { /* replaced already, for another one */
			rest(w, 0);
			return;
		}
		kube_client_replace(w->client, "a watch is silent, and so is the server");
		watch_fail(w, "a watch is silent, and so is the server");
	}
}

static struct watch_probe *start_probe(struct kube_watch *w, watch_probe_on_done_fn *told)
{
	struct kube_ask a = {.accept = watch_query_accept(&w->settings, false),
	                     .reply_ms = check_ms(w),
	                     .silence_ms = check_ms(w)};
	struct text path = {0};
	struct watch_probe *probe;

	watch_query_one(&path, &w->settings);
	a.path = path.data;
	probe = watch_probe_start(w->client, &a, told, w);
	text_fini(&path);
	return probe;
}

static void probe_silence(struct kube_watch *w)
{
	if (!w->probe)
		w->probe = start_probe(w, on_probe_done);
}

static void on_right_done(enum err err, int status, struct bytes version, void *arg)
{
	struct kube_watch *w = arg;

	(void)err;
	(void)version;
	w->right = NULL;
	if (status == 403 && w->phase == WATCHING)
		watch_list_anew(w);
}

void kube_watch_check_right(struct kube_watch *w)
{
	if (!w->right && !w->stopped && w->phase == WATCHING && w->sight == KUBE_SEEN)
		w->right = start_probe(w, on_right_done);
}

void kube_watch_relist(struct kube_watch *w)
{
	if (w->stopped || w->phase == LISTING || w->phase == STREAMING)
		return;
	watch_forget_version(w);
	if (w->phase == RESTING)
		return;
	w->failed = true;
	rest(w, 0);
}

/* A server that does not know WatchList may take it for an ordinary watch and wait. */
void watch_give_up_streaming(struct kube_watch *w)
{
	w->no_streaming = true;
	watch_forget_version(w);
	w->failed = true;
	rest(w, 0);
}

void watch_on_timer(uv_timer_t *timer)
{
	struct kube_watch *w = timer->data;
	uint64_t silent_ms = clock_monotonic_ms() - w->heard_ms;
	uint64_t most_ms = w->phase == STREAMING && w->objects == 0 ? STREAM_BEGINS_MS
	                   : w->phase == STREAMING                  ? w->settings.reply_ms
	                                                            : w->settings.silence_ms;

	if (w->phase == RESTING) {
		begin(w);
		return;
	}
	if (silent_ms < most_ms)
		uv_timer_start(&w->timer, watch_on_timer, most_ms - silent_ms, 0);
	else if (w->phase == STREAMING)
		watch_give_up_streaming(w);
	else if (w->phase == WATCHING)
		probe_silence(w);
}

/* --- what comes --- */

static bool on_object(struct bytes json, void *arg)
{
	struct kube_watch *w = arg;
	struct json_object *object;

	if (w->failed)
		return false;
	w->page_has_any = true;
	object = object_parse(w->tokener, json);
	watch_take(object, w);
	json_object_put(object);
	return !w->failed && !w->stopped;
}

static void on_skipped(struct bytes type, struct bytes namespace, struct bytes name, uint64_t len,
                       void *arg)
{
	struct kube_watch *w = arg;
	char why[96];

	if (w->failed)
		return;
	w->page_has_any = true;
	w->counts.skipped++;
	if (w->phase != WATCHING && !watch_has_room(w))
		return;
	if (bytes_equal_text(type, "DELETED") && name.len > 0) {
		w->events.on_gone(namespace, name, w->events.arg);
		return;
	}
	(void)snprintf(why, sizeof(why), "%" PRIu64 " bytes, more than the %zu that are taken", len,
	               w->settings.object_most);
	/* Without a name nobody could know that it is still there. */
	if (name.len == 0)
		watch_fail(w, "sends an object that is too long, and not its name");
	else
		w->events.on_skipped(namespace, name, why, w->events.arg);
}

/* --- lists --- */

static void on_envelope(struct bytes json, void *arg)
{
	struct kube_watch *w = arg;
	struct json_object *list;
	bool checks = w->phase == CHECKING;
	struct bytes version, more;

	if (w->failed)
		return;
	list = object_parse(w->tokener, json);
	w->whole = watch_answer_is_list(list, &w->settings, &version, &more);
	if (w->whole)
		watch_set_text(checks ? &w->checked_version : &w->version, version);
	if (w->whole && !checks)
		watch_set_text(&w->more, more);
	json_object_put(list);
}

static void on_page(struct kube_watch *w)
{
	if (!w->whole) {
		watch_forget_version(w);
		watch_fail(w, "answers something else than a list of them");
		return;
	}
	if (w->more.len > 0 && !w->page_has_any) {
		watch_forget_version(w);
		watch_fail(w, "its list has an empty page that is not the last");
	} else if (w->more.len > 0) {
		text_reset(&w->version);
		begin_list(w);
	} else if (w->version.len == 0) {
		watch_fail(w, "its list has no resourceVersion");
	} else {
		watch_become_listed(w);
		if (!w->stopped)
			begin_watch(w);
	}
}

static void on_checked(struct kube_watch *w)
{
	if (!w->whole) {
		watch_fail(w, "answers something else than a list of them");
		return;
	}
	w->must_check = false;
	if (object_is_older(bytes_of(w->checked_version.data), bytes_of(w->version.data)))
		watch_list_anew(w);
	else
		begin_watch(w);
}

/* --- answers that are no success --- */

static void look_again(struct kube_watch *w, enum kube_sight sight, const char *why)
{
	w->failed = true;
	watch_forget_version(w);
	rest(w, LOOK_AGAIN_MS + random_below(LOOK_AGAIN_MS));
	watch_tell_sight(w, sight, why);
}

static void on_gone_version(struct kube_watch *w, const char *why)
{
	bool token_expired = w->phase == LISTING && w->more.len > 0 && !w->begun_over;

	w->begun_over = w->phase == LISTING;
	if (token_expired || w->phase == WATCHING || w->phase == CHECKING) {
		watch_list_anew(w);
		return;
	}
	watch_forget_version(w);
	watch_fail(w, why);
}

static void on_refused(struct kube_watch *w)
{
	struct text why =
		watch_answer_words(w->tokener, (struct bytes){w->words.data, w->words.len},
	                           w->status, kube_client_access(w->client));
	bool too_new = w->words.len > 0 &&
	               memmem(w->words.data, w->words.len, "ResourceVersionTooLarge", 23) != NULL;
	bool unreadable = w->phase == WATCHING && (w->status == 400 || w->status == 422);

	if (w->phase == STREAMING && (w->status == 400 || w->status == 422 || w->status == 403))
		watch_give_up_streaming(w);
	else if (w->status == 410)
		on_gone_version(w, why.data);
	else if (too_new || unreadable) /* another server's version, perhaps */
		watch_list_anew(w);
	else if (w->status == 403)
		look_again(w, KUBE_FORBIDDEN, why.data);
	else if (w->status == 404)
		look_again(w, KUBE_ABSENT, why.data);
	else if (w->status >= 300 && w->status < 400)
		watch_fail(w, "answers with a redirect, which is not followed");
	else
		watch_fail_after(w, KUBE_LOST, why.data, w->retry_after_ms);
	text_fini(&why);
}

/* --- one request --- */

static void on_status(int status, uint64_t retry_after_ms, void *arg)
{
	struct kube_watch *w = arg;

	w->status = status;
	w->retry_after_ms = watch_patience_ms(retry_after_ms);
	w->heard_ms = clock_monotonic_ms();
	if (status == 200 && w->phase == WATCHING)
		watch_tell_sight(w, KUBE_SEEN, NULL);
}

static void on_body(struct bytes piece, void *arg)
{
	struct kube_watch *w = arg;
	struct reason why = {0};
	char text[sizeof(why.text) + 32];

	w->heard_ms = clock_monotonic_ms();
	if (w->failed || w->stopped)
		return;
	if (w->status != 200) {
		if (w->words.len + piece.len <= WORDS_MOST)
			buffer_put(&w->words, piece.data, piece.len);
		return;
	}
	if (splitter_feed(w->splitter, piece, &why) == ERR_OK || w->failed)
		return;
	(void)snprintf(text, sizeof(text), "sends what is not JSON: %s", why.text);
	watch_fail(w, text);
}

static void on_watch_end(struct kube_watch *w)
{
	bool did_something = w->moved || clock_monotonic_ms() - w->began_ms >= LONG_ENOUGH_MS;

	if (!splitter_is_between(w->splitter))
		watch_fail(w, "a watch ended in the middle of an event");
	else if (did_something)
		rest(w, 0);
	else
		watch_fail(w, "a watch ended at once");
}

static void on_broken(struct kube_watch *w, enum err err, const char *why)
{
	w->must_check = w->version.len > 0;
	if (w->phase == LISTING)
		watch_forget_version(w);
	/* Another one's silence is no news of what this one sees. */
	if (err == ERR_GONE) {
		rest(w, 0);
		return;
	}
	/* One that hangs may have all others of its connection hang.  What stands between may not know WatchList. */
	if (err == ERR_TIMEOUT) {
		kube_client_replace(w->client, why);
		w->no_streaming |= w->phase == STREAMING;
	}
	watch_fail(w, why);
}

/* An answer has ended that was a success. */
static void on_whole(struct kube_watch *w)
{
	if (w->phase == LISTING) {
		on_page(w);
	} else if (w->phase == CHECKING) {
		on_checked(w);
	} else if (w->phase == STREAMING) {
		watch_give_up_streaming(w);
	} else {
		on_watch_end(w);
	}
}

static void on_done(enum err err, const char *why, void *arg)
{
	struct kube_watch *w = arg;

	w->request = NULL;
	if (w->stopped || w->failed)
		return;
	if (err != ERR_OK)
		on_broken(w, err, why);
	else if (w->status != 200)
		on_refused(w);
	else
		on_whole(w);
}

/* --- life --- */

struct kube_watch *kube_watch_start(uv_loop_t *loop, struct kube_client *client,
                                    struct kube_backoff *backoff,
                                    const struct kube_watch_settings *settings,
                                    const struct kube_watch_events *events)
{
	struct kube_watch *w = xcalloc(1, sizeof(*w));
	const struct kube_resource *r = &settings->resource;

	w->client = client;
	w->backoff = backoff;
	w->settings = *settings;
	w->events = *events;
	text_printf(&w->api_version, "%s%s%s", r->group, r->group[0] != '\0' ? "/" : "",
	            r->version);
	text_add(&w->version, "");
	text_add(&w->more, "");
	text_add(&w->checked_version, "");
	w->tokener = json_tokener_new_ex(JSON_DEPTH);
	CHECK(w->tokener != NULL);
	json_tokener_set_flags(w->tokener, JSON_TOKENER_STRICT);
	w->timer.data = w;
	CHECK(uv_timer_init(loop, &w->timer) == 0);
	rest(w, 0);
	return w;
}

static void on_closed(uv_handle_t *handle)
{
	struct kube_watch *w = handle->data;

	splitter_free(w->splitter);
	json_tokener_free(w->tokener);
	buffer_fini(&w->words);
	text_fini(&w->api_version);
	text_fini(&w->version);
	text_fini(&w->more);
	text_fini(&w->checked_version);
	text_fini(&w->why);
	free(w);
}

void kube_watch_stop(struct kube_watch *w)
{
	if (w->stopped)
		return;
	w->stopped = true;
	kube_request_cancel(w->request);
	watch_probe_cancel(w->probe);
	watch_probe_cancel(w->right);
	w->request = NULL;
	w->probe = w->right = NULL;
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

void kube_watch_hurry(struct kube_watch *w)
{
	if (w->phase == RESTING && !w->stopped)
		uv_timer_start(&w->timer, watch_on_timer, 0, 0);
}

struct kube_watch_counts kube_watch_counts(const struct kube_watch *w) { return w->counts; }
