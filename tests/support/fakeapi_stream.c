/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"

enum { DRIP_EVERY_MS = 5 };

/* --- life --- */

struct stream *stream_new(struct conn *c, int32_t id)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->conn = c;
	s->id = id;
	s->cut_at = s->hang_at = UINT64_MAX;
	s->next = c->streams;
	c->streams = s;
	return s;
}

void stream_free(struct stream *s)
{
	struct stream **at = &s->conn->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s->request.method);
	free(s->request.raw);
	free(s->request.target);
	free(s->request.authorization);
	free(s->request.accept);
	free(s->request.content_type);
	text_fini(&s->request.body);
	rule_free(s->rule);
	list_fini(&s->list);
	free(s->list_continue);
	watch_free(s->watch);
	text_fini(&s->headers);
	text_fini(&s->pending);
	text_fini(&s->raw);
	if (s->gzip) {
		deflateEnd(s->gzip);
		free(s->gzip);
	}
	free(s);
}

void stream_gzip(struct stream *s)
{
	s->gzip = xcalloc(1, sizeof(*s->gzip));
	CHECK(deflateInit2(s->gzip, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	text_add(&s->headers, "Content-Encoding: gzip\nVary: Accept-Encoding\n");
}

/* --- what is made --- */

static void add(struct text *t, const char *data, size_t len)
{
	text_add_bytes(t, (struct bytes){(const uint8_t *)data, len});
}

static void add_list_metadata(const struct stream *s, struct text *t)
{
	bool unstructured = s->list_kind->custom && !s->list_partial;

	text_add(t, "\"metadata\":{");
	if (unstructured)
		text_printf(t, "\"continue\":\"%s\",", s->list_continue ? s->list_continue : "");
	if (unstructured && s->list.remaining > 0)
		text_printf(t, "\"remainingItemCount\":%zu,", s->list.remaining);
	text_printf(t, "\"resourceVersion\":\"%" PRIu64 "\"", s->list.version);
	if (!unstructured && s->list_continue)
		text_printf(t, ",\"continue\":\"%s\"", s->list_continue);
	if (!unstructured && s->list.remaining > 0)
		text_printf(t, ",\"remainingItemCount\":%zu", s->list.remaining);
	text_add(t, "}");
}

/* As the server's own types are written, kind first; as custom ones are, by the alphabet. */
static void list_begin(const struct stream *s, struct text *t)
{
	const struct kind *k = s->list_kind;

	if (k->custom && !s->list_partial) {
		text_printf(t, "{\"apiVersion\":\"%s\",\"items\":[", k->group_version);
		return;
	}
	if (s->list_partial)
		text_add(t, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/"
		            "v1\",");
	else
		text_printf(t, "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",", k->name,
		            k->group_version);
	add_list_metadata(s, t);
	text_add(t, ",\"items\":[");
}

static void list_end(const struct stream *s, struct text *t)
{
	const struct kind *k = s->list_kind;

	text_add(t, "]");
	if (k->custom && !s->list_partial) {
		text_printf(t, ",\"kind\":\"%sList\",", k->name);
		add_list_metadata(s, t);
	}
	text_add(t, "}\n");
}

static void add_partial(struct text *t, const struct object *o)
{
	text_add(t, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\","
	            "\"metadata\":");
	add(t, o->text + o->meta_at, o->meta_len);
	text_add(t, "}");
}

static void add_item(const struct stream *s, struct text *t, const struct object *o)
{
	if (s->list_partial) {
		add_partial(t, o);
	} else if (s->list_kind->custom) {
		add(t, o->text, o->len);
	} else {
		text_add(t, "{");
		add(t, o->text + o->item_at, o->len - o->item_at);
	}
}

static void list_fill(struct stream *s, struct text *t)
{
	struct list *l = &s->list;

	if (!s->list_begun)
		list_begin(s, t);
	s->list_begun = true;
	while (l->at < l->count && t->len < PIECE) {
		struct object *o = l->objects[l->at];

		if (l->at++ > 0)
			text_add(t, ",");
		add_item(s, t, o);
		object_drop(o);
	}
	if (l->at == l->count) {
		list_end(s, t);
		s->is_made = true;
	}
}

/* Without end, at full speed. */
static void endless_fill(struct stream *s, struct text *t)
{
	static const char many[] =
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const char deep[] =
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
	static const char space[] =
		"                                                                ";
	bool is_watch = s->is_watch_request;
	const char *envelope = "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{"
			       "\"resourceVersion\":\"1\"},\"items\":[";

	if (s->endless_count == 0 && s->endless != FAKEAPI_ENDLESS_SPACE) {
		text_add(t, is_watch ? "" : envelope);
		if (s->endless != FAKEAPI_ENDLESS_ITEMS)
			text_printf(
				t,
				"%s{\"metadata\":{\"name\":\"endless\",\"namespace\":\"endless\"},"
				"\"a\":%s",
				is_watch ? "{\"type\":\"ADDED\",\"object\":" : "",
				s->endless == FAKEAPI_ENDLESS_OBJECT ? "\"" : "");
	}
	while (t->len < PIECE) {
		uint64_t n = s->endless_count++;

		if (s->endless == FAKEAPI_ENDLESS_ITEMS)
			text_printf(t,
			            "%s{\"metadata\":{\"name\":\"endless-%" PRIu64
			            "\",\"namespace\":\"endless\",\"uid\":\"endless-%" PRIu64
			            "\",\"resourceVersion\":\"%" PRIu64 "\"}}%s",
			            is_watch ? "{\"type\":\"ADDED\",\"object\":"
			            : n > 0  ? ","
			                     : "",
			            n, n, n + 1, is_watch ? "}\n" : "");
		else
			text_add(t, s->endless == FAKEAPI_ENDLESS_OBJECT  ? many
			            : s->endless == FAKEAPI_ENDLESS_DEPTH ? deep
			                                                  : space);
	}
}

static void make(struct stream *s, struct text *t)
{
	switch (s->body) {
	case BODY_LIST:
		list_fill(s, t);
		break;
	case BODY_WATCH:
		watch_fill(s);
		break;
	case BODY_ENDLESS:
		endless_fill(s, t);
		break;
	case BODY_TEXT:
		break;
	}
}

/* What has been made, smaller, to `pending`. */
static void squeeze(struct stream *s)
{
	uint8_t piece[16384];
	z_stream *z = s->gzip;

	z->next_in = (Bytef *)s->raw.data;
	z->avail_in = (uInt)s->raw.len;
	do {
		z->next_out = piece;
		z->avail_out = sizeof(piece);
		deflate(z, s->is_made ? Z_FINISH : Z_NO_FLUSH);
		text_add_bytes(&s->pending, (struct bytes){piece, sizeof(piece) - z->avail_out});
	} while (z->avail_out == 0);
	text_reset(&s->raw);
}

static void fill(struct stream *s)
{
	text_reset(&s->pending);
	s->pending_at = 0;
	if (!s->gzip) {
		make(s, &s->pending);
		return;
	}
	while (s->pending.len == 0 && !s->is_made) {
		make(s, &s->raw);
		squeeze(s);
	}
}

/* --- what is sent --- */

/* How many bytes may go now. */
static uint64_t allowance(const struct stream *s)
{
	uint64_t most = UINT64_MAX, ms;

	if (s->hang_at != UINT64_MAX)
		most = s->hang_at - s->sent;
	if (s->cut_at != UINT64_MAX && s->cut_at - s->sent < most)
		most = s->cut_at - s->sent;
	if (s->drip_per_s && most > 0) {
		ms = clock_monotonic_ms() - s->drip_since_ms;
		ms = s->drip_since_ms ? ms * s->drip_per_s / 1000 - s->drip_sent : 1;
		most = ms < most ? ms : most;
	}
	return most;
}

enum pull stream_pull(struct stream *s, uint8_t *to, size_t room, size_t *len)
{
	uint64_t most;
	size_t ready;

	*len = 0;
	if (s->sent == s->cut_at)
		return PULL_CUT;
	if (s->drip_per_s && !s->drip_since_ms)
		s->drip_since_ms = clock_monotonic_ms();
	if (s->hushed || allowance(s) == 0)
		return PULL_WAIT;
	if (s->pending_at == s->pending.len && !s->is_made)
		fill(s);
	most = allowance(s); /* which filling may have cut */
	if (s->sent == s->cut_at)
		return PULL_CUT;
	ready = s->pending.len - s->pending_at;
	if (ready == 0)
		return s->is_made ? PULL_END : PULL_WAIT;
	if (ready > room)
		ready = room;
	if (ready > most)
		ready = (size_t)most;
	memcpy(to, s->pending.data + s->pending_at, ready);
	s->pending_at += ready;
	s->sent += ready;
	s->drip_sent += ready;
	*len = ready;
	return PULL_DATA;
}

/* --- time --- */

static void lower(uint64_t *wake_at_ms, uint64_t at_ms)
{
	if (at_ms < *wake_at_ms)
		*wake_at_ms = at_ms;
}

/* Ends what has reached its time, and makes bookmarks. */
static void watch_tick(struct watch *w, uint64_t now_ms, const struct fakeapi *f,
                       uint64_t *wake_at_ms)
{
	if (w->end_at_ms && now_ms >= w->end_at_ms)
		w->is_over = true;
	else if (w->end_at_ms)
		lower(wake_at_ms, w->end_at_ms);
	if (!w->kind->registered)
		w->is_over = true;
	if (w->bookmark_at_ms && now_ms >= w->bookmark_at_ms) {
		w->bookmark_now = true;
		w->bookmark_at_ms = now_ms + f->options.bookmark_ms;
	}
	if (w->bookmark_at_ms)
		lower(wake_at_ms, w->bookmark_at_ms);
}

bool stream_tick(struct stream *s, uint64_t now_ms, uint64_t *wake_at_ms)
{
	const struct watch *w = s->watch;

	if (s->phase == STREAM_WAITING) {
		if (now_ms >= s->start_at_ms)
			serve_answer(s);
		else
			lower(wake_at_ms, s->start_at_ms);
		return s->phase == STREAM_ANSWERING;
	}
	if (s->phase != STREAM_ANSWERING || s->hushed || s->sent == s->hang_at)
		return false;
	if (s->watch)
		watch_tick(s->watch, now_ms, s->conn->f, wake_at_ms);
	if (s->cut_now && s->cut_how == FAKEAPI_CUT_STREAM)
		lower(wake_at_ms, s->reset_at_ms);
	if (!s->deferred || s->cut_now)
		return false;
	if (s->drip_per_s) {
		lower(wake_at_ms, now_ms + DRIP_EVERY_MS);
		if (allowance(s) == 0)
			return false;
	}
	return s->pending_at < s->pending.len || s->is_made || !w || w->is_over ||
	       w->bookmark_now || w->next < kind_end(w->kind);
}
