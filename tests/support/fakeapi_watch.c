/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"

/* --- life --- */

static uint64_t number_of(const char *query, const char *name)
{
	char *value = query_get(query, name);
	uint64_t number = value ? strtoull(value, NULL, 10) : 0;

	free(value);
	return number;
}

static bool is_true(const char *query, const char *name)
{
	char *value = query_get(query, name);
	bool yes = value && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;

	free(value);
	return yes;
}

void watch_begin(struct stream *s, struct kind *k, struct choice *c, const char *query,
                 bool partial)
{
	struct fakeapi *f = s->conn->f;
	struct watch *w = xcalloc(1, sizeof(*w));
	uint64_t now_ms = clock_monotonic_ms(), version = number_of(query, "resourceVersion");
	uint64_t timeout_s = number_of(query, "timeoutSeconds");
	bool wants_list = is_true(query, "sendInitialEvents") &&
	                  f->options.watch_list == FAKEAPI_WATCH_LIST_SERVED;

	s->body = BODY_WATCH;
	s->watch = w;
	w->kind = k;
	w->choice = *c;
	*c = (struct choice){0};
	w->partial = partial;
	w->bookmarks = is_true(query, "allowWatchBookmarks");
	w->end_at_ms = timeout_s ? now_ms + timeout_s * 1000 : 0;
	w->bookmark_at_ms =
		w->bookmarks && f->options.bookmark_ms ? now_ms + f->options.bookmark_ms : 0;
	if (version == 0 || wants_list) {
		store_list(f, k, &w->choice, 0, NULL, 0, &w->first);
		w->tells_end = wants_list && w->bookmarks;
		w->next = kind_end(k);
	} else if (version < f->compacted) {
		watch_add_failure(s, 410);
	} else {
		w->next = kind_events_after(k, version);
	}
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	choice_fini(&w->choice);
	list_fini(&w->first);
	free(w);
}

/* --- events --- */

static void add(struct text *t, const char *data, size_t len)
{
	text_add_bytes(t, (struct bytes){(const uint8_t *)data, len});
}

/* Where the first character of several bytes has its second one. */
static size_t mid_character(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0xc2)
			return i + 1;
	return len / 2;
}

/* The event lies in `pending` from `begin` on. */
static void cut_event(struct stream *s, size_t begin)
{
	struct watch *w = s->watch;
	size_t len = s->pending.len - begin, offset = w->cut_offset;

	w->cuts_next = false;
	if (offset == FAKEAPI_MID_CHARACTER)
		offset = mid_character(s->pending.data + begin, len);
	s->cut_at = s->sent + begin - s->pending_at + (offset < len ? offset : len);
	s->cut_how = w->cut_how;
}

void watch_add_event(struct stream *s, const char *type, const char *json, size_t len)
{
	struct text *t = &s->pending;
	size_t begin = t->len;

	text_add(t, "{\"type\":\"");
	text_add(t, type);
	text_add(t, "\",\"object\":");
	add(t, json, len);
	text_add(t, "}\n");
	if (s->watch->cuts_next)
		cut_event(s, begin);
}

static void add_object_event(struct stream *s, enum change change, const struct object *o)
{
	static const char *const types[] = {
		[CHANGE_ADDED] = "ADDED",
		[CHANGE_MODIFIED] = "MODIFIED",
		[CHANGE_DELETED] = "DELETED",
	};
	struct text partial = {0};

	if (!s->watch->partial) {
		watch_add_event(s, types[change], o->text, o->len);
		return;
	}
	text_add(&partial, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\","
	                   "\"metadata\":");
	add(&partial, o->text + o->meta_at, o->meta_len);
	text_add(&partial, "}");
	watch_add_event(s, types[change], partial.data, partial.len);
	text_fini(&partial);
}

void watch_add_bookmark(struct stream *s, uint64_t version, bool ends_first)
{
	const struct kind *k = s->watch->kind;
	const char *end =
		ends_first ? "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}," : "";
	bool partial = s->watch->partial;
	struct text t = {0};

	if (k->custom && !partial)
		text_printf(&t,
		            "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{%s"
		            "\"resourceVersion\":\"%" PRIu64 "\"}}",
		            k->group_version, k->name, end, version);
	else
		text_printf(&t,
		            "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{"
		            "\"resourceVersion\":\"%" PRIu64 "\",%s\"creationTimestamp\":null}%s}",
		            partial ? "PartialObjectMetadata" : k->name,
		            partial ? "meta.k8s.io/v1" : k->group_version, version, end,
		            partial ? "" : ",\"spec\":{}");
	watch_add_event(s, "BOOKMARK", t.data, t.len);
	text_fini(&t);
}

void watch_add_failure(struct stream *s, int status)
{
	struct text t = {0};

	status_add(&t, status, status == 410 ? "too old resource version" : "the test wants it so",
	           NULL);
	watch_add_event(s, "ERROR", t.data, t.len);
	text_fini(&t);
	s->watch->is_over = true;
}

/* --- following --- */

/* While less than `most` bytes are pending. */
static void follow_first(struct stream *s, size_t most)
{
	struct list *l = &s->watch->first;

	while (l->at < l->count && s->pending.len < most) {
		struct object *o = l->objects[l->at++];

		add_object_event(s, CHANGE_ADDED, o);
		object_drop(o);
	}
	if (l->at < l->count)
		return;
	if (s->watch->tells_end)
		watch_add_bookmark(s, l->version, true);
	s->watch->tells_end = false;
}

/* What has come to fit a selector is ADDED to a watch; what has ceased to is DELETED, as it was. */
static void add_event(struct stream *s, const struct event *e)
{
	const struct choice *c = &s->watch->choice;
	bool was = e->before && choice_takes(c, e->before);
	bool is = e->change != CHANGE_DELETED && choice_takes(c, e->object);
	struct object *last;

	if (is) {
		add_object_event(s, was ? CHANGE_MODIFIED : CHANGE_ADDED, e->object);
	} else if (was && e->change == CHANGE_DELETED) {
		add_object_event(s, CHANGE_DELETED, e->object);
	} else if (was) {
		last = object_copy(e->before, e->version);
		add_object_event(s, CHANGE_DELETED, last);
		object_drop(last);
	}
}

static void follow_events(struct stream *s, size_t most)
{
	struct watch *w = s->watch;
	const struct kind *k = w->kind;

	if (w->next < k->first_event) { /* compacted under it */
		watch_add_failure(s, 410);
		return;
	}
	for (; w->next < kind_end(k) && s->pending.len < most; w->next++)
		add_event(s, kind_event(k, w->next));
}

void watch_fill(struct stream *s)
{
	struct watch *w = s->watch;
	uint64_t end = kind_end(w->kind);

	if (!w->is_over && (w->first.at < w->first.count || w->tells_end))
		follow_first(s, PIECE);
	else if (!w->is_over)
		follow_events(s, PIECE);
	if (w->bookmark_now && w->next == end && w->first.at == w->first.count && !w->is_over) {
		watch_add_bookmark(s, s->conn->f->version, false);
		w->bookmark_now = false;
	}
	s->is_made = w->is_over;
}

void watches_go_back(struct fakeapi *f)
{
	for (struct conn *c = f->conns; c; c = c->next)
		for (struct stream *s = c->streams; s; s = s->next)
			if (s->watch && s->watch->next > kind_end(s->watch->kind))
				s->watch->next = kind_end(s->watch->kind);
}

/* --- what tests do to open watches --- */

typedef void each_fn(struct stream *s, const void *arg);

/* Those of requests that are being answered. */
static unsigned each_watch(struct fakeapi *f, const char *where, each_fn *do_it, const void *arg)
{
	unsigned count = 0;

	for (struct conn *c = f->conns; c; c = c->next)
		for (struct stream *s = c->streams; s; s = s->next) {
			if (!s->watch || c->dead || !where_fits(where, s->request.target))
				continue;
			count++;
			if (do_it)
				do_it(s, arg);
		}
	return count;
}

static void each_watch_locked(struct fakeapi *f, const char *where, each_fn *do_it, const void *arg)
{
	fake_lock(f);
	each_watch(f, where, do_it, arg);
	fake_unlock_and_wake(f);
}

unsigned fakeapi_watches(struct fakeapi *f, const char *where)
{
	unsigned count;

	fake_lock(f);
	count = each_watch(f, where, NULL, NULL);
	fake_unlock(f);
	return count;
}

/* What the store has goes first: the test's call came after it. */
static void catch_up(struct stream *s)
{
	struct watch *w = s->watch;

	if (!w->is_over)
		follow_first(s, SIZE_MAX);
	if (!w->is_over)
		follow_events(s, SIZE_MAX);
}

static void send_bytes(struct stream *s, const void *arg)
{
	catch_up(s);
	text_add_bytes(&s->pending, *(const struct bytes *)arg);
}

void fakeapi_send(struct fakeapi *f, const char *where, const void *data, size_t len)
{
	each_watch_locked(f, where, send_bytes, &(struct bytes){data, len});
}

void fakeapi_send_line(struct fakeapi *f, const char *where, const char *fmt, ...)
{
	struct text t = {0};
	char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		line = xstrdup("");
	va_end(ap);
	text_printf(&t, "%s\n", line);
	free(line);
	quotes_set_right(&t);
	fakeapi_send(f, where, t.data, t.len);
	text_fini(&t);
}

static void bookmark(struct stream *s, const void *arg)
{
	(void)arg;
	s->watch->bookmark_now = s->watch->bookmarks;
}

void fakeapi_bookmark(struct fakeapi *f, const char *where)
{
	each_watch_locked(f, where, bookmark, NULL);
}

static void close_it(struct stream *s, const void *arg)
{
	(void)arg;
	catch_up(s);
	s->watch->is_over = true;
}

void fakeapi_close_watches(struct fakeapi *f, const char *where)
{
	each_watch_locked(f, where, close_it, NULL);
}

static void fail_it(struct stream *s, const void *arg)
{
	catch_up(s);
	watch_add_failure(s, *(const int *)arg);
}

void fakeapi_fail_watches(struct fakeapi *f, const char *where, int status)
{
	each_watch_locked(f, where, fail_it, &status);
}

static void hush(struct stream *s, const void *arg)
{
	(void)arg;
	s->hushed = true;
}

void fakeapi_hush_watches(struct fakeapi *f, const char *where)
{
	each_watch_locked(f, where, hush, NULL);
}

struct next_cut {
	size_t offset;
	enum fakeapi_cut how;
};

static void cut_next(struct stream *s, const void *arg)
{
	const struct next_cut *cut = arg;

	catch_up(s);
	s->watch->cuts_next = true;
	s->watch->cut_offset = cut->offset;
	s->watch->cut_how = cut->how;
}

void fakeapi_cut_next_event(struct fakeapi *f, const char *where, size_t offset,
                            enum fakeapi_cut how)
{
	each_watch_locked(f, where, cut_next, &(struct next_cut){offset, how});
}
