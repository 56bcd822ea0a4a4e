/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/probe_notes.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "base/xalloc.h"

enum { FLAPPING_MOST = 100 };

/* A text, once for all probes that found out the same: most have one of a few. */
struct said {
	uint64_t hash;
	size_t users;
	char text[];
};

struct entry {
	struct probe_note note;
	struct said *said; /* NULL: nothing yet */
};

struct probe_notes {
	pthread_mutex_t lock; /* of all that follows */
	struct entry *list;
	size_t count;
	struct table *texts;
	struct hash_key key; /* strangers write some of them */
	struct probe_counts counts;
};

struct probe_notes *probe_notes_new(void)
{
	struct probe_notes *n = xcalloc(1, sizeof *n);

	CHECK(pthread_mutex_init(&n->lock, NULL) == 0);
	n->texts = table_new();
	n->key = (struct hash_key){random_u64(), random_u64()};
	return n;
}

/* --- texts --- */

static bool is_text(const void *item, const void *key)
{
	return strcmp(((const struct said *)item)->text, key) == 0;
}

static struct said *take_said(struct probe_notes *n, const char *text)
{
	char cut[PROBE_NOTE_TEXT_SIZE];
	struct said *s;
	uint64_t hash;
	size_t len;

	(void)snprintf(cut, sizeof cut, "%.*s", (int)sizeof cut - 1, text);
	len = strlen(cut);
	hash = hash_siphash(&n->key, cut, len);
	s = table_find(n->texts, hash, is_text, cut);
	if (s == NULL) {
		s = xcalloc(1, sizeof *s + len + 1);
		s->hash = hash;
		memcpy(s->text, cut, len + 1);
		table_put(n->texts, hash, s);
	}
	s->users++;
	return s;
}

static void leave_said(struct probe_notes *n, struct said *s)
{
	if (s == NULL || --s->users > 0)
		return;
	(void)table_remove(n->texts, s->hash, is_text, s->text);
	free(s);
}

void probe_notes_free(struct probe_notes *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->count; i++)
		leave_said(n, n->list[i].said);
	free(n->list);
	table_free(n->texts);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

/* --- the control thread's side --- */

static void count(struct probe_notes *n, const struct probe_note *note, uint64_t one)
{
	if (!note->is_wanted)
		return;
	n->counts.probes += one;
	n->counts.down += note->down ? one : 0;
	n->counts.flapping += note->flapping ? one : 0;
	n->counts.held += note->held_until_ms != 0 ? one : 0;
}

static bool is_same(const struct probe_note *a, const struct probe_note *b)
{
	return a->port == b->port && a->check == b->check && a->is_wanted == b->is_wanted &&
	       addr_equal(&a->addr, &b->addr);
}

void probe_notes_set_all(struct probe_notes *n, const struct probe_note *notes, size_t how_many)
{
	struct entry *list = xcalloc(how_many + 1, sizeof *list), *before;

	pthread_mutex_lock(&n->lock);
	before = n->list;
	for (size_t i = 0; i < n->count; i++)
		count(n, &before[i].note, (uint64_t)-1);
	for (size_t i = 0; i < how_many; i++) {
		bool stays = i < n->count && is_same(&before[i].note, &notes[i]);

		list[i] = stays ? before[i] : (struct entry){notes[i], NULL};
		if (stays)
			before[i].said = NULL; /* it is this one's now */
		count(n, &list[i].note, 1);
	}
	for (size_t i = 0; i < n->count; i++)
		leave_said(n, before[i].said);
	n->list = list;
	n->count = how_many;
	pthread_mutex_unlock(&n->lock);
	free(before);
}

void probe_notes_set(struct probe_notes *n, size_t index, const struct probe_note *note,
                     const char *text)
{
	struct entry *e;

	pthread_mutex_lock(&n->lock);
	CHECK(index < n->count);
	e = &n->list[index];
	count(n, &e->note, (uint64_t)-1);
	e->note = *note;
	count(n, &e->note, 1);
	if (e->said == NULL || strcmp(e->said->text, text) != 0) {
		struct said *said = take_said(n, text);

		leave_said(n, e->said);
		e->said = said;
	}
	pthread_mutex_unlock(&n->lock);
}

void probe_notes_set_counts(struct probe_notes *n, uint64_t attempts, uint64_t waits,
                            uint64_t voided)
{
	pthread_mutex_lock(&n->lock);
	n->counts.attempts = attempts;
	n->counts.waits = waits;
	n->counts.voided = voided;
	pthread_mutex_unlock(&n->lock);
}

/* --- the HTTP thread's side --- */

bool probe_notes_get(struct probe_notes *n, size_t index, struct probe_note *out,
                     char text[PROBE_NOTE_TEXT_SIZE])
{
	bool found;

	pthread_mutex_lock(&n->lock);
	found = index < n->count && n->list[index].note.is_wanted;
	if (found) {
		const struct said *said = n->list[index].said;

		*out = n->list[index].note;
		(void)snprintf(text, PROBE_NOTE_TEXT_SIZE, "%s", said ? said->text : "");
	}
	pthread_mutex_unlock(&n->lock);
	return found;
}

struct probe_counts probe_notes_counts(struct probe_notes *n)
{
	struct probe_counts counts;

	pthread_mutex_lock(&n->lock);
	counts = n->counts;
	pthread_mutex_unlock(&n->lock);
	return counts;
}

static const char *json_bool(bool is) { return is ? "true" : "false"; }

static void print_note(const struct probe_note *note, const char *text, uint64_t now_ms,
                       struct text *out)
{
	char target[ADDR_PORT_TEXT_SIZE];
	bool is_judged = !note->is_void && note->at_ms != 0;
	uint64_t held_ms = note->held_until_ms > now_ms ? note->held_until_ms - now_ms : 0;

	text_printf(out, "{\"target\":\"%s\",\"check\":\"%s\",\"ok\":%s,\"down\":%s,\"detail\":",
	            addr_port_print(&note->addr, note->port, target), note->check,
	            is_judged ? json_bool(note->ok) : "null", json_bool(note->down));
	if (note->at_ms == 0)
		text_add(out, "\"not probed yet\",\"ageSeconds\":null");
	else
		text_add_json(out, bytes_of(text));
	if (note->at_ms != 0)
		text_printf(out, ",\"ageSeconds\":%" PRIu64,
		            now_ms > note->at_ms ? (now_ms - note->at_ms) / 1000 : 0);
	text_printf(out, ",\"flapping\":%s,\"heldForSeconds\":%" PRIu64 "}",
	            json_bool(note->flapping), (held_ms + 999) / 1000);
}

void probe_notes_print(struct probe_notes *n, const uint32_t *index, size_t how_many,
                       uint64_t now_ms, struct text *out)
{
	const char *between = "";

	text_add(out, "[");
	for (size_t i = 0; i < how_many; i++) {
		struct probe_note note;
		char text[PROBE_NOTE_TEXT_SIZE];

		if (!probe_notes_get(n, index[i], &note, text))
			continue;
		text_add(out, between);
		print_note(&note, text, now_ms, out);
		between = ",";
	}
	text_add(out, "]");
}

/* Their numbers; under the lock, as each is one look. */
static size_t find_flapping(struct probe_notes *n, uint32_t out[FLAPPING_MOST])
{
	size_t found = 0;

	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; n->counts.flapping > 0 && i < n->count && found < FLAPPING_MOST; i++)
		if (n->list[i].note.flapping && n->list[i].note.is_wanted)
			out[found++] = (uint32_t)i;
	pthread_mutex_unlock(&n->lock);
	return found;
}

void probe_notes_print_status(struct probe_notes *n, uint64_t now_ms, struct text *out)
{
	struct probe_counts c = probe_notes_counts(n);
	uint32_t flapping[FLAPPING_MOST];

	text_printf(out,
	            "{\"probes\":%" PRIu64 ",\"down\":%" PRIu64 ",\"held\":%" PRIu64
	            ",\"attempts\":%" PRIu64 ",\"waits\":%" PRIu64 ",\"voided\":%" PRIu64
	            ",\"flapping\":",
	            c.probes, c.down, c.held, c.attempts, c.waits, c.voided);
	probe_notes_print(n, flapping, find_flapping(n, flapping), now_ms, out);
	text_add(out, "}");
}
