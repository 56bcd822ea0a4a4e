/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/splitter.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "kube/splitter_sink.h"

#define ALWAYS_INLINE __attribute__((always_inline))

enum {
	ROOM_LEFT = 256 << 10,       /* what an object needed beyond this is given back after it */
	LEVELS = SPLITTER_DEPTH + 2, /* an item lies in its array and in the list */
};

/* What a level of nesting is. */
enum {
	LEVEL_MAPPING = 1,  /* else an array */
	LEVEL_METADATA = 2, /* its managedFields is cut */
	LEVEL_KEPT = 4,     /* in METADATA: a member has been kept */
	LEVEL_CUT = 8,      /* in METADATA: a member has been cut */
	LEVEL_SUBJECT = 16, /* its metadata tells the name */
	LEVEL_NAMED = 32,   /* that metadata */
	LEVEL_LIST = 64,    /* the root of a list */
	LEVEL_EVENT = 128   /* the root of a watch event */
};

/* What is known of the value that comes next, by its name. */
enum key {
	KEY_NONE,
	KEY_METADATA,
	KEY_MANAGED,
	KEY_ITEMS,
	KEY_OBJECT,
	KEY_TYPE,
	KEY_NAMESPACE,
	KEY_NAME
};

/* A member of metadata that has begun and may have to be cut: nothing, or only one string, since its comma. */
enum pending { PENDING_NONE, PENDING_NAME, PENDING_COLON };

enum state {
	STATE_BETWEEN, /* objects, or items */
	STATE_INSIDE,
	STATE_STRING,
	STATE_NULL, /* instead of items */
	STATE_OVER  /* failed, or told that it is enough */
};

enum place { PLACE_FIRST, PLACE_COMMA, PLACE_ITEM }; /* what stood last among the items */

struct name {
	uint8_t data[SPLITTER_NAME_MOST];
	size_t len;
};

struct splitter {
	enum splitter_mode mode;
	struct splitter_events events;
	struct splitter_sink item, envelope;

	enum state state;
	enum err err;
	struct reason why;
	enum place place;
	bool ended; /* the list is whole */

	struct splitter_sink *sink; /* item or envelope */
	const uint8_t *run;         /* in this piece: from here nothing is in the sink yet */
	uint64_t mark;              /* sink->len before the pending member and its comma */
	enum pending pending;
	enum key key;
	bool escaped; /* the piece ended after a backslash */

	uint64_t depth;
	uint64_t base; /* the depth around the object */
	uint64_t cut;  /* the depth of the metadata a member of which is being cut, or 0 */
	uint8_t *top;  /* the level at depth */
	uint8_t level[LEVELS + 2]; /* the last one stands for all that are deeper, and is 0 */

	struct bytes token; /* the last string, in the piece or in carry */
	uint8_t carry[SPLITTER_NAME_MOST];
	size_t carried;
	bool is_carrying;
	struct name type, namespace, name;
};

/* --- small steps --- */

static bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/* What lies between the run's begin and `to` belongs to the sink, unless it is being cut. */
static void keep(struct splitter *s, const uint8_t *to)
{
	if (s->cut == 0)
		splitter_sink_add(s->sink, s->run, (size_t)(to - s->run));
	s->run = to;
}

static void fail(struct splitter *s, enum err err, const char *what)
{
	s->state = STATE_OVER;
	s->err = reason_set(&s->why, err, "%s", what);
}

static void fail_at(struct splitter *s, uint8_t byte, const char *where)
{
	s->state = STATE_OVER;
	s->err = reason_set(&s->why, ERR_PARSE, "byte 0x%02x %s", byte, where);
}

static void go_to(struct splitter *s, uint64_t depth)
{
	s->depth = depth;
	s->top = &s->level[depth <= LEVELS ? depth : LEVELS + 1];
}

static void push(struct splitter *s, unsigned level)
{
	go_to(s, s->depth + 1);
	if (s->depth <= LEVELS)
		*s->top = (uint8_t)level;
	if (s->depth - s->base <= SPLITTER_DEPTH || s->cut != 0)
		return;
	s->sink->deep = true;
	if (s->sink == &s->envelope)
		fail(s, ERR_NOSPACE, "what is around the items is nested too deep");
}

/* The pending member stays. */
static void settle(struct splitter *s)
{
	if (s->pending != PENDING_NONE)
		*s->top |= LEVEL_KEPT;
	s->pending = PENDING_NONE;
}

/* --- strings --- */

/* The first quotation mark or backslash, or end.  Eight bytes at a time: the lowest top bit that is set in
 * (x - 1) & ~x is that of the first byte that is zero, and only higher ones may be wrong. */
static inline const uint8_t *string_stop(const uint8_t *p, const uint8_t *end)
{
	const uint64_t ones = 0x0101010101010101;

	for (; end - p >= 8; p += 8) {
		uint64_t v, quote, slash, found;

		memcpy(&v, p, 8);
		v = le64toh(v);
		quote = v ^ ones * '"';
		slash = v ^ ones * '\\';
		found = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & ones << 7;
		if (found)
			return p + __builtin_ctzll(found) / 8;
	}
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

static void carry_add(struct splitter *s, const uint8_t *from, size_t len)
{
	size_t room = SPLITTER_NAME_MOST - s->carried;

	if (len > room)
		len = room;
	if (len > 0)
		memcpy(s->carry + s->carried, from, len);
	s->carried += len;
	s->is_carrying = true;
}

static void name_set(struct name *name, struct bytes value)
{
	name->len = value.len < SPLITTER_NAME_MOST ? value.len : SPLITTER_NAME_MOST;
	if (name->len > 0)
		memcpy(name->data, value.data, name->len);
}

static void string_value(struct splitter *s)
{
	if (s->key == KEY_NAME)
		name_set(&s->name, s->token);
	else if (s->key == KEY_NAMESPACE)
		name_set(&s->namespace, s->token);
	else if (s->key == KEY_TYPE)
		name_set(&s->type, s->token);
	s->key = KEY_NONE;
}

/* p: behind the opening quotation mark, or where a piece goes on with the string.  Inlined in both places: the calls
 * were a tenth of all time. */
static inline ALWAYS_INLINE const uint8_t *string(struct splitter *s, const uint8_t *p,
                                                  const uint8_t *end)
{
	const uint8_t *from = p;

	if (s->escaped) {
		s->escaped = false;
		p++;
	}
	while ((p = string_stop(p, end)) < end && *p != '"') {
		s->escaped = p + 1 == end;
		p += s->escaped ? 1 : 2;
	}
	if (p == end) {
		carry_add(s, from, (size_t)(end - from));
		s->state = STATE_STRING;
		return end;
	}
	s->token = (struct bytes){from, (size_t)(p - from)};
	if (s->is_carrying) {
		carry_add(s, from, (size_t)(p - from));
		s->token = (struct bytes){s->carry, s->carried};
	}
	s->state = STATE_INSIDE;
	if (s->key != KEY_NONE)
		string_value(s);
	return p + 1;
}

static inline const uint8_t *string_begin(struct splitter *s, const uint8_t *p, const uint8_t *end)
{
	s->is_carrying = false;
	s->carried = 0;
	if (s->pending == PENDING_NAME)
		s->pending = PENDING_COLON;
	else
		settle(s);
	return string(s, p + 1, end);
}

/* --- names --- */

static bool reads(struct bytes token, const char *text, size_t len)
{
	return token.len == len && memcmp(token.data, text, len) == 0;
}

static enum key key_special(struct bytes token, unsigned level)
{
	if ((level & LEVEL_LIST) && reads(token, "items", 5))
		return KEY_ITEMS;
	if ((level & LEVEL_EVENT) && reads(token, "object", 6))
		return KEY_OBJECT;
	if ((level & LEVEL_EVENT) && reads(token, "type", 4))
		return KEY_TYPE;
	if ((level & LEVEL_NAMED) && reads(token, "namespace", 9))
		return KEY_NAMESPACE;
	if ((level & LEVEL_NAMED) && reads(token, "name", 4))
		return KEY_NAME;
	if ((level & LEVEL_METADATA) && reads(token, "managedFields", 13))
		return KEY_MANAGED;
	return KEY_NONE;
}

static void cut_begin(struct splitter *s, const uint8_t *p)
{
	/* Where the piece did not end in between, the sink has not got it yet. */
	s->sink->len = s->mark;
	s->pending = PENDING_NONE;
	*s->top |= LEVEL_CUT;
	s->cut = s->depth;
	s->run = p;
}

static inline void colon(struct splitter *s, const uint8_t *p)
{
	const unsigned special = LEVEL_LIST | LEVEL_EVENT | LEVEL_NAMED | LEVEL_METADATA;
	struct bytes token = s->token;

	if (s->cut != 0 || !(*s->top & LEVEL_MAPPING))
		return;
	s->token = (struct bytes){NULL, 0};
	s->key = reads(token, "metadata", 8) ? KEY_METADATA : KEY_NONE;
	if (!(*s->top & special))
		return;
	if (s->key == KEY_NONE)
		s->key = key_special(token, *s->top);
	if (s->key == KEY_MANAGED && s->pending == PENDING_COLON)
		cut_begin(s, p);
	settle(s);
}

/* Another member of a metadata: which of two commas goes with a member that is cut?  The one before it, if
 * any member before it was kept. */
static void comma_in_metadata(struct splitter *s, const uint8_t *p)
{
	if (s->cut != 0) {
		s->cut = 0;
		s->run = p;
	}
	settle(s);
	keep(s, p);
	if ((*s->top & (LEVEL_KEPT | LEVEL_CUT)) == LEVEL_CUT)
		s->run = p + 1;
	s->mark = s->sink->len;
	s->pending = PENDING_NAME;
}

static inline void comma(struct splitter *s, const uint8_t *p)
{
	s->key = KEY_NONE;
	/* Within what is cut, nothing is seen as metadata. */
	if (*s->top & LEVEL_METADATA)
		comma_in_metadata(s, p);
}

/* --- brackets --- */

static void object_begin(struct splitter *s, const uint8_t *p, unsigned level)
{
	s->base = s->depth;
	s->run = p;
	s->state = STATE_INSIDE;
	s->key = KEY_NONE;
	s->token = (struct bytes){NULL, 0};
	s->type.len = s->namespace.len = s->name.len = 0;
	push(s, LEVEL_MAPPING | level);
}

static void object_end(struct splitter *s)
{
	struct splitter_sink *k = &s->item;
	struct bytes type = {s->type.data, s->type.len};
	struct bytes namespace = {s->namespace.data, s->namespace.len};
	struct bytes name = {s->name.data, s->name.len};

	s->sink = &s->envelope;
	s->base = 0;
	s->place = PLACE_ITEM;
	s->token = (struct bytes){NULL, 0};
	if (!splitter_sink_fits(k))
		s->events.on_skipped(type, namespace, name, k->len, s->events.arg);
	else if (!s->events.on_object(splitter_sink_bytes(k), s->events.arg))
		s->state = STATE_OVER;
	splitter_sink_clear(k, ROOM_LEFT);
}

/* False: it has failed. */
static bool envelope_fits(struct splitter *s)
{
	if (splitter_sink_fits(&s->envelope))
		return true;
	fail(s, ERR_NOSPACE, "what is around the items is too long");
	return false;
}

static void list_end(struct splitter *s)
{
	s->ended = true;
	if (envelope_fits(s))
		s->events.on_envelope(splitter_sink_bytes(&s->envelope), s->events.arg);
	splitter_sink_clear(&s->envelope, ROOM_LEFT);
}

static void items_begin(struct splitter *s, const uint8_t *p)
{
	keep(s, p + 1);
	push(s, 0);
	s->state = STATE_BETWEEN;
	s->place = PLACE_FIRST;
	/* Here, so that no item is given that smaller pieces would not have come to. */
	(void)envelope_fits(s);
}

static inline void open_bracket(struct splitter *s, const uint8_t *p)
{
	bool mapping = *p == '{';
	unsigned level = mapping ? LEVEL_MAPPING : 0;
	enum key key = s->key;

	settle(s);
	s->key = KEY_NONE;
	if (key == KEY_NONE) {
		push(s, level);
	} else if (key == KEY_ITEMS && !mapping) {
		items_begin(s, p);
	} else if (key == KEY_METADATA && mapping) {
		push(s, level | LEVEL_METADATA | (*s->top & LEVEL_SUBJECT ? LEVEL_NAMED : 0));
		keep(s, p + 1);
		s->mark = s->sink->len;
		s->pending = PENDING_NAME;
	} else {
		push(s, level | (key == KEY_OBJECT && mapping ? LEVEL_SUBJECT : 0));
	}
}

static inline void close_bracket(struct splitter *s, const uint8_t *p)
{
	s->key = KEY_NONE;
	if (s->depth <= LEVELS && ((*s->top & LEVEL_MAPPING) != 0) != (*p == '}')) {
		fail_at(s, *p, "closes what was not opened so");
		return;
	}
	if (s->cut == s->depth) {
		s->cut = 0;
		s->run = p;
	}
	settle(s);
	go_to(s, s->depth - 1);
	if (s->depth > s->base)
		return;
	keep(s, p + 1);
	s->state = STATE_BETWEEN;
	if (s->sink == &s->item)
		object_end(s);
	else
		list_end(s);
}

/* --- bytes --- */

enum class { PLAIN, QUOTE, COLON, COMMA, OPEN, CLOSE };

static const uint8_t class_of[256] = {
	['"'] = QUOTE, [':'] = COLON, [','] = COMMA, ['{'] = OPEN,
	['['] = OPEN,  ['}'] = CLOSE, [']'] = CLOSE,
};

/* One byte of a scalar or white space where it matters: white space of a pending member is not kept, as there
 * may be any amount of it; and null for items. */
static const uint8_t *plain_careful(struct splitter *s, const uint8_t *p)
{
	if (is_space(*p)) {
		if (s->pending != PENDING_NONE) {
			keep(s, p);
			s->run = p + 1;
		}
		return p + 1;
	}
	settle(s);
	if (s->key == KEY_ITEMS && *p == 'n') {
		keep(s, p);
		splitter_sink_add(s->sink, "[]", 2);
		s->state = STATE_NULL;
		s->carried = 0;
	}
	s->key = KEY_NONE;
	return s->state == STATE_NULL ? p : p + 1;
}

static inline const uint8_t *plain(struct splitter *s, const uint8_t *p, const uint8_t *end)
{
	if (s->pending != PENDING_NONE || s->key == KEY_ITEMS)
		return plain_careful(s, p);
	do
		p++;
	while (p < end && class_of[*p] == PLAIN);
	return p;
}

static const uint8_t *null(struct splitter *s, const uint8_t *p, const uint8_t *end)
{
	for (; p < end && s->carried < 4; p++, s->carried++)
		if (*p != (uint8_t) "null"[s->carried]) {
			fail_at(s, *p, "where items should be null");
			return end;
		}
	s->run = p;
	if (s->carried == 4)
		s->state = STATE_INSIDE;
	return p;
}

static const uint8_t *inside(struct splitter *s, const uint8_t *p, const uint8_t *end)
{
	while (p < end && s->state == STATE_INSIDE) {
		switch ((enum class)class_of[*p]) {
		case PLAIN:
			p = plain(s, p, end);
			break;
		case QUOTE:
			p = string_begin(s, p, end);
			break;
		case COLON:
			colon(s, p++);
			break;
		case COMMA:
			comma(s, p++);
			break;
		case OPEN:
			open_bracket(s, p++);
			break;
		case CLOSE:
			close_bracket(s, p++);
			break;
		}
	}
	return p;
}

static void among_items(struct splitter *s, const uint8_t *p)
{
	if (*p == '{' && s->place != PLACE_ITEM) {
		s->sink = &s->item;
		object_begin(s, p, LEVEL_SUBJECT);
	} else if (*p == ',' && s->place == PLACE_ITEM) {
		s->place = PLACE_COMMA;
	} else if (*p == ']' && s->place != PLACE_COMMA) {
		go_to(s, s->depth - 1);
		s->run = p;
		s->state = STATE_INSIDE;
	} else if (s->place == PLACE_ITEM) {
		fail_at(s, *p, "after an item");
	} else {
		fail_at(s, *p, "where an item should begin");
	}
}

static const uint8_t *between(struct splitter *s, const uint8_t *p, const uint8_t *end)
{
	bool list = s->mode == SPLITTER_LIST;

	while (p < end && is_space(*p))
		p++;
	if (p == end)
		return end;
	if (s->depth > 0) {
		among_items(s, p);
	} else if (s->ended) {
		fail_at(s, *p, "after the end of the list");
	} else if (*p != '{') {
		fail_at(s, *p, "where an object should begin");
	} else {
		s->sink = list ? &s->envelope : &s->item;
		object_begin(s, p, list ? LEVEL_LIST : LEVEL_EVENT);
	}
	return p + 1;
}

/* What is still needed when the piece is gone. */
static void piece_end(struct splitter *s, const uint8_t *end)
{
	if (s->state != STATE_INSIDE && s->state != STATE_STRING)
		return;
	keep(s, end);
	if (s->state == STATE_INSIDE && s->token.len > 0 && s->token.data != s->carry) {
		s->carried = 0;
		carry_add(s, s->token.data, s->token.len);
		s->token = (struct bytes){s->carry, s->carried};
	}
	if (s->envelope.full)
		(void)envelope_fits(s);
}

/* --- from outside --- */

struct splitter *splitter_new(enum splitter_mode mode, size_t most,
                              const struct splitter_events *events)
{
	struct splitter *s = xcalloc(1, sizeof(*s));

	CHECK(most < SIZE_MAX / 4);
	CHECK(events->on_object && events->on_skipped);
	CHECK(events->on_envelope || mode == SPLITTER_WATCH);
	s->mode = mode;
	s->events = *events;
	s->item.most = most;
	s->envelope.most = SPLITTER_ENVELOPE_MOST;
	splitter_reset(s);
	return s;
}

void splitter_free(struct splitter *s)
{
	if (!s)
		return;
	free(s->item.data);
	free(s->envelope.data);
	free(s);
}

void splitter_reset(struct splitter *s)
{
	splitter_sink_clear(&s->item, ROOM_LEFT);
	splitter_sink_clear(&s->envelope, ROOM_LEFT);
	s->sink = &s->envelope;
	s->state = STATE_BETWEEN;
	s->err = ERR_OK;
	s->ended = s->escaped = s->is_carrying = false;
	s->pending = PENDING_NONE;
	s->key = KEY_NONE;
	s->base = s->cut = 0;
	go_to(s, 0);
}

enum err splitter_feed(struct splitter *s, struct bytes piece, struct reason *why)
{
	const uint8_t *p = piece.data, *end = p;

	if (piece.len > 0)
		end += piece.len;
	s->run = p;
	while (p < end && s->state != STATE_OVER) {
		if (s->state == STATE_INSIDE)
			p = inside(s, p, end);
		else if (s->state == STATE_STRING)
			p = string(s, p, end);
		else if (s->state == STATE_NULL)
			p = null(s, p, end);
		else
			p = between(s, p, end);
	}
	if (piece.len > 0)
		piece_end(s, end);
	return s->err == ERR_OK ? ERR_OK : reason_set(why, s->err, "%s", s->why.text);
}

bool splitter_is_between(const struct splitter *s) { return s->depth == 0 && s->err == ERR_OK; }

size_t splitter_memory(const struct splitter *s)
{
	return sizeof(*s) + s->item.room + s->envelope.room;
}
