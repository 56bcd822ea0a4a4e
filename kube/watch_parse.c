/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch_parse.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "kube/object.h"

enum { ENOUGH = 128 * 1024, UNDER_WAY_MOST = 4 };

struct batch {
	uv_work_t work;
	struct watch_parse *parse;
	struct batch *next;
	struct buffer texts; /* one behind the other */
	size_t *end;         /* of each in texts */
	size_t count, room;
	struct json_object **object;
	bool is_parsed; /* the pool has let go of it */
};

struct watch_parse {
	uv_loop_t *loop;
	int depth;
	struct watch_parse_events events;
	struct batch *first, **last; /* in their order, those under way or not yet given */
	struct batch *open;          /* being gathered, not among them; NULL: none */
	unsigned under_way;          /* batches that the pool holds, also to free them */
	bool giving, over;           /* over: freed by its user */
};

/* --- in the pool --- */

static void parse_batch(const struct batch *b)
{
	json_tokener *tokener = json_tokener_new_ex(b->parse->depth);
	size_t at = 0;

	CHECK(tokener != NULL);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	for (size_t i = 0; i < b->count; at = b->end[i++])
		b->object[i] =
			object_parse(tokener, (struct bytes){b->texts.data + at, b->end[i] - at});
	json_tokener_free(tokener);
}

static void on_work(uv_work_t *work) { parse_batch(work->data); }

static void free_batch(struct batch *b)
{
	for (size_t i = 0; b->object && i < b->count; i++)
		json_object_put(b->object[i]);
	free(b->object);
	free(b->end);
	buffer_fini(&b->texts);
	free(b);
}

/* What was parsed there is freed there: that is a fifth of the cost. */
static void on_free(uv_work_t *work)
{
	struct batch *b = work->data;

	for (size_t i = 0; i < b->count; i++) {
		json_object_put(b->object[i]);
		b->object[i] = NULL;
	}
}

/* --- on the loop --- */

static void let_go(struct watch_parse *p)
{
	if (!p->over || p->under_way > 0 || p->giving)
		return;
	if (p->open)
		free_batch(p->open);
	while (p->first) {
		struct batch *next = p->first->next;

		free_batch(p->first);
		p->first = next;
	}
	free(p);
}

static void after_free(uv_work_t *work, int status)
{
	struct batch *b = work->data;
	struct watch_parse *p = b->parse;

	(void)status;
	p->under_way--;
	free_batch(b);
	let_go(p);
}

static void give(struct watch_parse *p, struct batch *b)
{
	for (size_t i = 0; i < b->count && !p->over; i++)
		p->events.on_parsed(b->object[i], p->events.arg);
	p->under_way++;
	CHECK(uv_queue_work(p->loop, &b->work, on_free, after_free) == 0);
}

static void queue_open(struct watch_parse *p);

/* Those at the head that are ready. */
static void give_ready(struct watch_parse *p)
{
	bool given = false;

	p->giving = true;
	while (!p->over && p->first && p->first->is_parsed) {
		struct batch *b = p->first;

		p->first = b->next;
		if (!p->first)
			p->last = &p->first;
		give(p, b);
		given = true;
	}
	p->giving = false;
	if (!p->over && !p->first && p->open)
		queue_open(p);
	else if (!p->over && given && !p->first)
		p->events.on_idle(p->events.arg); /* p stays: what was given is yet to be freed */
	let_go(p);
}

static void after_work(uv_work_t *work, int status)
{
	struct batch *b = work->data;
	struct watch_parse *p = b->parse;

	(void)status;
	p->under_way--;
	b->is_parsed = true;
	give_ready(p);
}

static void queue_open(struct watch_parse *p)
{
	struct batch *b = p->open;

	p->open = NULL;
	b->object = xcalloc(b->count, sizeof(struct json_object *));
	*p->last = b;
	p->last = &b->next;
	if (p->under_way >= UNDER_WAY_MOST && p->first != b) {
		parse_batch(b);
		b->is_parsed = true; /* given behind those before it */
		return;
	}
	p->under_way++;
	CHECK(uv_queue_work(p->loop, &b->work, on_work, after_work) == 0);
}

struct watch_parse *watch_parse_new(uv_loop_t *loop, int depth,
                                    const struct watch_parse_events *events)
{
	struct watch_parse *p = xcalloc(1, sizeof(*p));

	p->loop = loop;
	p->depth = depth;
	p->events = *events;
	p->last = &p->first;
	return p;
}

void watch_parse_free(struct watch_parse *p)
{
	if (!p)
		return;
	p->over = true;
	let_go(p);
}

void watch_parse_add(struct watch_parse *p, struct bytes json)
{
	struct batch *b = p->open;

	if (!b) {
		b = p->open = xcalloc(1, sizeof(*b));
		b->parse = p;
		b->work.data = b;
	}
	if (b->count == b->room) {
		b->room = b->room ? b->room * 2 : 64;
		b->end = xreallocarray(b->end, b->room, sizeof(*b->end));
	}
	buffer_put(&b->texts, json.data, json.len);
	b->end[b->count++] = b->texts.len;
	if (b->texts.len >= ENOUGH)
		queue_open(p);
}

void watch_parse_flush(struct watch_parse *p)
{
	if (p->open && !p->first)
		queue_open(p);
}

bool watch_parse_is_idle(const struct watch_parse *p)
{
	return !p->open && !p->first && !p->giving;
}
