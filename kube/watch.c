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

enum {
	PAGE = 500,
	JSON_DEPTH = SPLITTER_DEPTH + 2,
	WORDS_MOST = 64 * 1024, /* of an answer that is no list and no watch */
	WATCH_LEAST_S = 300,
	WATCH_MORE_S = 300,
	STREAM_BEGINS_MS = 5000, /* a WatchList; who knows it not may say nothing at all */
	LONG_ENOUGH_MS = 1000,   /* a watch that ends sooner, without an event, has failed */
	LOOK_AGAIN_MS = 5000,    /* for a kind that is absent or forbidden */
	CHECK_MS = 10000,
	CHECK_OBJECT = 64 * 1024
};

enum phase {
	RESTING,   /* the timer goes on with it */
	LISTING,   /* pages */
	STREAMING, /* WatchList: the initial events */
	CHECKING,  /* a list of one object, before a watch goes on over a new connection */
	WATCHING
};

struct kube_watch {
	uv_loop_t *loop;
	struct kube_client *client;
	struct kube_backoff *backoff;
	struct kube_watch_settings settings;
	struct kube_watch_events events;
	struct kube_watch_counts counts;
	struct text path;        /* of the collection */
	struct text api_version; /* "discovery.k8s.io/v1" */
	uv_timer_t timer;

	enum phase phase;
	struct kube_request *request; /* of the phase */
	struct splitter *splitter;
	json_tokener *tokener;
	int status; /* 0: no answer yet */
	uint64_t retry_after_ms;
	struct buffer words; /* of an answer that is no success */
	bool whole;          /* the envelope of a list has come */
	bool failed;         /* this request has been given up; its rest is not read */

	struct text version; /* resourceVersion up to which all is known; empty: a list is needed */
	struct text more;    /* continue token of the next page */
	bool begun_over;     /* the list, because its token expired */
	bool must_check;     /* the connection broke since `version` */
	bool no_streaming;   /* the server does not offer it after all */
	size_t objects;      /* there are about so many */
	uint64_t began_ms;   /* the watch */
	uint64_t heard_ms;   /* the last byte of it */
	uint64_t events_at_begin; /* counts.events then */

	struct kube_request *probe; /* beside a silent watch */
	struct splitter *probe_splitter;
	int probe_status;
	struct text probe_version;

	enum kube_sight sight;
	bool sighted; /* on_sight has been called */
	struct text why;
	bool stopped;
};

static void begin(struct kube_watch *w);
static void on_timer(uv_timer_t *timer);

/* --- what is told --- */

static void tell_sight(struct kube_watch *w, enum kube_sight sight, const char *why)
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

static void rest(struct kube_watch *w, uint64_t ms)
{
	w->phase = RESTING;
	kube_request_cancel(w->request);
	kube_request_cancel(w->probe);
	w->request = w->probe = NULL;
	if (!w->stopped)
		uv_timer_start(&w->timer, on_timer, ms, 0);
}

static void fail_after(struct kube_watch *w, enum kube_sight sight, const char *why,
                       uint64_t at_least_ms)
{
	w->failed = true;
	rest(w, kube_backoff_fail(w->backoff, clock_monotonic_ms(), at_least_ms, random_u64()));
	tell_sight(w, sight, why);
}

static void fail(struct kube_watch *w, const char *why) { fail_after(w, KUBE_LOST, why, 0); }

/* What is known is not the server's present any more. */
static void forget_version(struct kube_watch *w)
{
	text_reset(&w->version);
	text_reset(&w->more);
}

static void list_anew(struct kube_watch *w)
{
	forget_version(w);
	w->failed = true;
	rest(w, 0);
}

/* --- asking --- */

static void ask(struct kube_watch *w, const char *query, uint64_t reply_ms, uint64_t silence_ms,
                bool compressed, const struct kube_events *events, struct kube_request **out)
{
	struct text path = {0};
	struct kube_ask a = {
		.reply_ms = reply_ms, .silence_ms = silence_ms, .compressed = compressed};

	text_printf(&path, "%s?%s", w->path.data, query);
	if (w->settings.name) {
		text_add(&path, "&fieldSelector=metadata.name%3D");
		kube_path_part(&path, bytes_of(w->settings.name));
	}
	a.path = path.data;
	/* A watch is asked for objects: one that is asked for lists of them sends nothing. */
	if (w->settings.metadata_only)
		a.accept = silence_ms > 0
		                   ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;"
		                     "v=v1,application/json"
		                   : "application/json;as=PartialObjectMetadata;g=meta.k8s.io;"
		                     "v=v1,application/json";
	*out = kube_client_ask(w->client, &a, events);
	text_fini(&path);
}

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

static void ask_for(struct kube_watch *w, enum phase phase, const char *query)
{
	const struct kube_events events = {on_status, on_body, on_done, w};
	const struct splitter_events pieces = {on_object, on_skipped, on_envelope, w};
	enum splitter_mode mode =
		phase == LISTING || phase == CHECKING ? SPLITTER_LIST : SPLITTER_WATCH;
	bool watches = mode == SPLITTER_WATCH;

	w->phase = phase;
	w->status = 0;
	w->whole = w->failed = false;
	buffer_reset(&w->words);
	splitter_free(w->splitter);
	w->splitter = splitter_new(mode, w->settings.object_most, &pieces);
	ask(w, query, phase == CHECKING ? check_ms(w) : w->settings.reply_ms,
	    watches ? 0 : w->settings.reply_ms, !watches, &events, &w->request);
}

static void begin_list(struct kube_watch *w)
{
	struct text query = {0};

	if (w->more.len == 0) {
		w->objects = 0;
		w->counts.lists++;
		w->events.on_list(w->events.arg);
	}
	text_printf(&query, "limit=%d", PAGE);
	if (w->more.len > 0) {
		text_add(&query, "&continue=");
		kube_path_part(&query, bytes_of(w->more.data));
	}
	ask_for(w, LISTING, query.data);
	text_fini(&query);
}

static void begin_streaming(struct kube_watch *w)
{
	w->objects = 0;
	w->counts.lists++;
	w->heard_ms = clock_monotonic_ms();
	w->events.on_list(w->events.arg);
	ask_for(w, STREAMING,
	        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion="
	        "&allowWatchBookmarks=true&timeoutSeconds=600");
	uv_timer_start(&w->timer, on_timer, STREAM_BEGINS_MS, 0);
}

static void begin_watch(struct kube_watch *w)
{
	struct text query = {0};

	text_printf(&query, "watch=1&allowWatchBookmarks=true&timeoutSeconds=%u&resourceVersion=",
	            WATCH_LEAST_S + random_below(WATCH_MORE_S + 1));
	kube_path_part(&query, bytes_of(w->version.data));
	w->counts.watches++;
	w->began_ms = w->heard_ms = clock_monotonic_ms();
	w->events_at_begin = w->counts.events;
	ask_for(w, WATCHING, query.data);
	text_fini(&query);
	uv_timer_start(&w->timer, on_timer, w->settings.silence_ms, 0);
}

static void begin(struct kube_watch *w)
{
	if (w->version.len > 0 && w->must_check)
		ask_for(w, CHECKING, "limit=1");
	else if (w->version.len > 0)
		begin_watch(w);
	else if (w->settings.streaming_list && !w->no_streaming && w->more.len == 0)
		begin_streaming(w);
	else
		begin_list(w);
}

/* --- silence --- */

static void on_probe_status(int status, uint64_t retry_after_ms, void *arg)
{
	struct kube_watch *w = arg;

	(void)retry_after_ms;
	w->probe_status = status;
}

static bool on_probe_object(struct bytes json, void *arg)
{
	(void)json;
	(void)arg;
	return true;
}

static void on_probe_skipped(struct bytes type, struct bytes namespace, struct bytes name,
                             uint64_t len, void *arg)
{
	(void)type;
	(void)namespace;
	(void)name;
	(void)len;
	(void)arg;
}

static struct json_object *parse(struct kube_watch *w, struct bytes json)
{
	struct json_object *object;

	if (json.len == 0)
		return NULL;
	json_tokener_reset(w->tokener);
	object = json_tokener_parse_ex(w->tokener, (const char *)json.data, (int)json.len);
	if (json_tokener_get_error(w->tokener) != json_tokener_success ||
	    !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return NULL;
	}
	return object;
}

static void set_text(struct text *to, struct bytes from)
{
	text_reset(to);
	text_add_bytes(to, from);
}

static void on_probe_envelope(struct bytes json, void *arg)
{
	struct kube_watch *w = arg;
	struct json_object *list = parse(w, json);

	set_text(&w->probe_version, object_text(list, "metadata", "resourceVersion", NULL));
	json_object_put(list);
}

static void on_probe_body(struct bytes piece, void *arg)
{
	struct kube_watch *w = arg;
	struct reason why;

	if (w->probe_status == 200 && splitter_feed(w->probe_splitter, piece, &why) != ERR_OK)
		w->probe_status = 0;
}

/* The server is there, so it is the stream that hangs, or nothing happens: begun again, either is the same. */
static void on_probe_done(enum err err, const char *why, void *arg)
{
	struct kube_watch *w = arg;

	(void)why;
	w->probe = NULL;
	if (err != ERR_OK || w->probe_status != 200 || w->probe_version.len == 0) {
		kube_client_replace(w->client, "a watch is silent, and so is the server");
		w->must_check = true;
		fail(w, "a watch is silent, and so is the server");
		return;
	}
	if (object_is_older(bytes_of(w->probe_version.data), bytes_of(w->version.data)))
		list_anew(w);
	else
		rest(w, 0);
}

static void probe_silence(struct kube_watch *w)
{
	const struct kube_events events = {on_probe_status, on_probe_body, on_probe_done, w};
	const struct splitter_events pieces = {on_probe_object, on_probe_skipped, on_probe_envelope,
	                                       w};

	if (w->probe)
		return;
	w->probe_status = 0;
	text_reset(&w->probe_version);
	splitter_free(w->probe_splitter);
	w->probe_splitter = splitter_new(SPLITTER_LIST, CHECK_OBJECT, &pieces);
	ask(w, "limit=1", check_ms(w), check_ms(w), false, &events, &w->probe);
}

/* A server that does not know WatchList may take it for an ordinary watch and wait. */
static void give_up_streaming(struct kube_watch *w)
{
	w->no_streaming = true;
	list_anew(w);
}

static void on_timer(uv_timer_t *timer)
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
		uv_timer_start(&w->timer, on_timer, most_ms - silent_ms, 0);
	else if (w->phase == STREAMING)
		give_up_streaming(w);
	else if (w->phase == WATCHING)
		probe_silence(w);
}

/* --- objects --- */

static bool has_kind(const struct kube_watch *w, struct json_object *object)
{
	return bytes_equal_text(object_text(object, "kind", NULL), w->settings.resource.kind);
}

/* Not one of ours: a proxy that answers for another, or a list of something else. */
static void put(struct kube_watch *w, struct json_object *object)
{
	struct bytes name = object_text(object, "metadata", "name", NULL);
	struct bytes namespace = object_text(object, "metadata", "namespace", NULL);

	object_complete(object, w->settings.resource.kind, w->api_version.data,
	                w->settings.metadata_only);
	if (name.len == 0 || !has_kind(w, object)) {
		w->counts.bad_events++;
		w->events.on_skipped(namespace, name,
		                     name.len == 0 ? "an object without a name"
		                                   : "an object of another kind",
		                     w->events.arg);
		return;
	}
	w->events.on_put(object, w->events.arg);
}

static bool has_room(struct kube_watch *w)
{
	char why[96];

	if (++w->objects <= w->settings.objects_most)
		return true;
	(void)snprintf(why, sizeof(why), "there are more than %zu of them",
	               w->settings.objects_most);
	forget_version(w);
	fail(w, why);
	return false;
}

/* --- events of a watch --- */

static void on_error_event(struct kube_watch *w, struct json_object *status)
{
	long code = object_number(status, "code", 0);
	char why[64];

	if (w->phase == STREAMING && code != 410 && code != 429 && code != 503) {
		give_up_streaming(w);
		return;
	}
	if (code == 410) {
		list_anew(w);
		return;
	}
	(void)snprintf(why, sizeof(why), "the watch ended with error %ld", code);
	fail(w, why);
}

static bool ends_initial_events(struct json_object *bookmark)
{
	struct bytes end =
		object_text(bookmark, "metadata", "annotations", "k8s.io/initial-events-end", NULL);

	return bytes_equal_text(end, "true");
}

static void become_listed(struct kube_watch *w)
{
	w->begun_over = w->must_check = false;
	w->events.on_listed(w->events.arg);
	tell_sight(w, KUBE_SEEN, NULL);
}

static void on_bookmark(struct kube_watch *w, struct json_object *object)
{
	if (w->phase != STREAMING || !ends_initial_events(object))
		return;
	w->phase = WATCHING;
	w->began_ms = clock_monotonic_ms();
	w->events_at_begin = w->counts.events;
	become_listed(w);
}

static void on_gone(struct kube_watch *w, struct json_object *object)
{
	if (w->objects > 0)
		w->objects--;
	w->events.on_gone(object_text(object, "metadata", "namespace", NULL),
	                  object_text(object, "metadata", "name", NULL), w->events.arg);
}

static void on_change(struct kube_watch *w, struct bytes type, struct json_object *object)
{
	struct bytes version = object_text(object, "metadata", "resourceVersion", NULL);

	/* Initial events come in any order.  Afterwards one of the past is no news: what is true now, a list says. */
	if (w->phase == WATCHING && object_is_older(version, bytes_of(w->version.data))) {
		w->counts.bad_events++;
		list_anew(w);
		return;
	}
	if (w->phase == WATCHING || bytes_equal_text(type, "BOOKMARK"))
		set_text(&w->version, version);
	if (bytes_equal_text(type, "BOOKMARK"))
		on_bookmark(w, object);
	else if (bytes_equal_text(type, "DELETED"))
		on_gone(w, object);
	else if (!bytes_equal_text(type, "ADDED") || has_room(w))
		put(w, object);
}

static void on_event(struct kube_watch *w, struct json_object *event)
{
	struct bytes type = object_text(event, "type", NULL);
	struct json_object *object = NULL;

	w->counts.events++;
	json_object_object_get_ex(event, "object", &object);
	if (bytes_equal_text(type, "ERROR"))
		on_error_event(w, object);
	else if (bytes_equal_text(type, "ADDED") || bytes_equal_text(type, "MODIFIED") ||
	         bytes_equal_text(type, "DELETED") || bytes_equal_text(type, "BOOKMARK"))
		on_change(w, type, object);
	else
		w->counts.bad_events++;
}

static bool on_object(struct bytes json, void *arg)
{
	struct kube_watch *w = arg;
	struct json_object *object = parse(w, json);

	if (!object)
		fail(w, "sends what is not JSON");
	else if (w->phase == WATCHING || w->phase == STREAMING)
		on_event(w, object);
	else if (w->phase == LISTING && has_room(w))
		put(w, object);
	json_object_put(object);
	return !w->failed && !w->stopped;
}

static void on_skipped(struct bytes type, struct bytes namespace, struct bytes name, uint64_t len,
                       void *arg)
{
	struct kube_watch *w = arg;
	char why[96];

	w->counts.skipped++;
	if (bytes_equal_text(type, "DELETED") && name.len > 0) {
		w->events.on_gone(namespace, name, w->events.arg);
		return;
	}
	(void)snprintf(why, sizeof(why), "%" PRIu64 " bytes, more than the %zu that are taken", len,
	               w->settings.object_most);
	/* Without a name nobody could know that it is still there. */
	if (name.len == 0)
		fail(w, "sends an object that is too long, and not its name");
	else
		w->events.on_skipped(namespace, name, why, w->events.arg);
}

/* --- lists --- */

static bool is_list_of(const struct kube_watch *w, struct json_object *list)
{
	struct bytes kind = object_text(list, "kind", NULL);
	struct text want = {0};
	bool is;

	text_printf(&want, "%sList", w->settings.resource.kind);
	is = bytes_equal_text(kind, want.data) || bytes_equal_text(kind, "List") ||
	     (w->settings.metadata_only && bytes_equal_text(kind, "PartialObjectMetadataList"));
	text_fini(&want);
	return is;
}

static void on_envelope(struct bytes json, void *arg)
{
	struct kube_watch *w = arg;
	struct json_object *list = parse(w, json);

	w->whole = list && is_list_of(w, list);
	if (w->whole && w->phase == LISTING) {
		set_text(&w->version, object_text(list, "metadata", "resourceVersion", NULL));
		set_text(&w->more, object_text(list, "metadata", "continue", NULL));
	} else if (w->whole) {
		set_text(&w->probe_version, object_text(list, "metadata", "resourceVersion", NULL));
	}
	json_object_put(list);
}

static void on_page(struct kube_watch *w)
{
	if (!w->whole) {
		forget_version(w);
		fail(w, "answers something else than a list of them");
		return;
	}
	if (w->more.len > 0) {
		text_reset(&w->version);
		begin_list(w);
	} else if (w->version.len == 0) {
		fail(w, "its list has no resourceVersion");
	} else {
		become_listed(w);
		if (!w->stopped)
			begin_watch(w);
	}
}

static void on_checked(struct kube_watch *w)
{
	if (!w->whole) {
		fail(w, "answers something else than a list of them");
		return;
	}
	w->must_check = false;
	if (object_is_older(bytes_of(w->probe_version.data), bytes_of(w->version.data)))
		list_anew(w);
	else
		begin_watch(w);
}

/* --- answers that are no success --- */

/* The server's own words, unless they have a credential in them that was sent to it. */
static struct text server_words(struct kube_watch *w)
{
	enum { MOST = 200 };
	struct json_object *status = parse(w, (struct bytes){w->words.data, w->words.len});
	struct bytes message = object_text(status, "message", NULL);
	const struct kube_access *access = kube_client_access(w->client);
	struct text words = {0};

	text_printf(&words, "%d", w->status);
	if (!kube_secret_is_in(&access->token, message) &&
	    !kube_secret_is_in(&access->password, message) && message.len > 0) {
		text_add(&words, " ");
		for (size_t i = 0; i < message.len && i < MOST; i++)
			text_printf(&words, "%c", message.data[i] >= ' ' ? message.data[i] : ' ');
	}
	json_object_put(status);
	return words;
}

static void look_again(struct kube_watch *w, enum kube_sight sight, const char *why)
{
	w->failed = true;
	forget_version(w);
	rest(w, LOOK_AGAIN_MS + random_below(LOOK_AGAIN_MS));
	tell_sight(w, sight, why);
}

static void on_gone_version(struct kube_watch *w, const char *why)
{
	bool token_expired = w->phase == LISTING && w->more.len > 0 && !w->begun_over;

	w->begun_over = w->phase == LISTING;
	if (token_expired || w->phase == WATCHING || w->phase == CHECKING) {
		list_anew(w);
		return;
	}
	forget_version(w);
	fail(w, why);
}

static void on_refused(struct kube_watch *w)
{
	struct text why = server_words(w);
	bool too_new = memmem(w->words.data, w->words.len, "ResourceVersionTooLarge", 23) != NULL;

	if (w->phase == STREAMING && (w->status == 400 || w->status == 422 || w->status == 403))
		give_up_streaming(w);
	else if (w->status == 410)
		on_gone_version(w, why.data);
	else if (too_new)
		list_anew(w);
	else if (w->status == 403)
		look_again(w, KUBE_FORBIDDEN, why.data);
	else if (w->status == 404)
		look_again(w, KUBE_ABSENT, why.data);
	else if (w->status >= 300 && w->status < 400)
		fail(w, "answers with a redirect, which is not followed");
	else
		fail_after(w, KUBE_LOST, why.data, w->retry_after_ms);
	text_fini(&why);
}

/* --- one request --- */

static void on_status(int status, uint64_t retry_after_ms, void *arg)
{
	enum { RETRY_MOST_MS = 60000 };
	struct kube_watch *w = arg;

	w->status = status;
	w->retry_after_ms = retry_after_ms < RETRY_MOST_MS ? retry_after_ms : RETRY_MOST_MS;
	w->heard_ms = clock_monotonic_ms();
	if (status == 200 && w->phase == WATCHING)
		tell_sight(w, KUBE_SEEN, NULL);
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
	fail(w, text);
}

static void on_watch_end(struct kube_watch *w)
{
	bool did_something = w->counts.events > w->events_at_begin ||
	                     clock_monotonic_ms() - w->began_ms >= LONG_ENOUGH_MS;

	if (!splitter_is_between(w->splitter))
		fail(w, "a watch ended in the middle of an event");
	else if (did_something)
		rest(w, 0);
	else
		fail(w, "a watch ended at once");
}

static void on_broken(struct kube_watch *w, enum err err, const char *why)
{
	w->must_check = w->version.len > 0;
	if (w->phase == LISTING)
		forget_version(w);
	/* Another one's silence is no news of what this one sees. */
	if (err == ERR_GONE) {
		rest(w, 0);
		return;
	}
	/* One that hangs may have all others of its connection hang. */
	if (err == ERR_TIMEOUT)
		kube_client_replace(w->client, why);
	fail(w, why);
}

static void on_done(enum err err, const char *why, void *arg)
{
	struct kube_watch *w = arg;

	w->request = NULL;
	if (w->stopped || w->failed)
		return;
	if (err != ERR_OK) {
		on_broken(w, err, why);
	} else if (w->status != 200) {
		on_refused(w);
	} else if (w->phase == LISTING) {
		on_page(w);
	} else if (w->phase == CHECKING) {
		on_checked(w);
	} else if (w->phase == STREAMING) {
		give_up_streaming(w);
	} else {
		on_watch_end(w);
	}
}

/* --- life --- */

struct kube_watch *kube_watch_start(uv_loop_t *loop, struct kube_client *client,
                                    struct kube_backoff *backoff,
                                    const struct kube_watch_settings *settings,
                                    const struct kube_watch_events *events)
{
	struct kube_watch *w = xcalloc(1, sizeof(*w));
	const struct kube_resource *r = &settings->resource;

	w->loop = loop;
	w->client = client;
	w->backoff = backoff;
	w->settings = *settings;
	w->events = *events;
	kube_path(&w->path, r, settings->namespace, NULL);
	text_printf(&w->api_version, "%s%s%s", r->group, r->group[0] != '\0' ? "/" : "",
	            r->version);
	text_add(&w->version, "");
	text_add(&w->more, "");
	text_add(&w->probe_version, "");
	w->tokener = json_tokener_new_ex(JSON_DEPTH);
	CHECK(w->tokener != NULL);
	json_tokener_set_flags(w->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	w->timer.data = w;
	CHECK(uv_timer_init(loop, &w->timer) == 0);
	rest(w, 0);
	return w;
}

static void on_closed(uv_handle_t *handle)
{
	struct kube_watch *w = handle->data;

	splitter_free(w->splitter);
	splitter_free(w->probe_splitter);
	json_tokener_free(w->tokener);
	buffer_fini(&w->words);
	text_fini(&w->path);
	text_fini(&w->api_version);
	text_fini(&w->version);
	text_fini(&w->more);
	text_fini(&w->probe_version);
	text_fini(&w->why);
	free(w);
}

void kube_watch_stop(struct kube_watch *w)
{
	if (w->stopped)
		return;
	w->stopped = true;
	kube_request_cancel(w->request);
	kube_request_cancel(w->probe);
	w->request = w->probe = NULL;
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

void kube_watch_hurry(struct kube_watch *w)
{
	if (w->phase == RESTING && !w->stopped)
		uv_timer_start(&w->timer, on_timer, 0, 0);
}

struct kube_watch_counts kube_watch_counts(const struct kube_watch *w) { return w->counts; }
