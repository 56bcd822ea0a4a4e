/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/import.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct import_words {
	struct buffer text;       /* what the words point into */
	struct import_word *word; /* sorted by what they are of */
	size_t count, room;
};

/* --- lines --- */

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static struct bytes trimmed(struct bytes b) { return bytes_trimmed(b, " \t\r"); }

/* Up to the next space; *rest is what follows. */
static struct bytes take_part(struct bytes *rest)
{
	struct bytes part = {rest->data, 0};

	while (part.len < rest->len && !is_space(rest->data[part.len]))
		part.len++;
	*rest = trimmed((struct bytes){rest->data + part.len, rest->len - part.len});
	return part;
}

static bool is_cluster(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return name.len > 0 && name.len <= 253;
}

static bool parse_whose(struct bytes text, struct import_word *out)
{
	if (addr_parse(text, &out->addr) ||
	    (addr_port_parse(text, &out->addr, &out->port, NULL) == ERR_OK && out->port != 0))
		return true;
	/* "192.0.2" looks like a name, but somebody meant an address. */
	out->addr = (struct addr){0};
	out->port = 0;
	out->cluster = text;
	return is_cluster(text) && !(text.data[0] >= '0' && text.data[0] <= '9' &&
	                             memchr(text.data, '.', text.len) != NULL);
}

static void add_word(struct import_words *w, const struct import_word *word)
{
	if (w->count == w->room) {
		w->room = 2 * w->room + 16;
		w->word = xreallocarray(w->word, w->room, sizeof(*w->word));
	}
	w->word[w->count++] = *word;
}

static enum err parse_line(struct import_words *w, struct bytes line, unsigned number,
                           struct reason *why)
{
	const uint8_t *comment = line.len > 0 ? memchr(line.data, '#', line.len) : NULL;
	struct import_word word = {.line = number};
	struct bytes whose, rest = line, state;

	if (comment)
		rest.len = (size_t)(comment - line.data);
	rest = trimmed(rest);
	if (rest.len == 0)
		return ERR_OK;
	whose = take_part(&rest);
	if (!parse_whose(whose, &word))
		return reason_set(
			why, ERR_PARSE,
			"%u: '%.*s' is neither an address, ADDRESS:PORT nor the name of a "
			"cluster",
			number, (int)(whose.len < 60 ? whose.len : 60), (const char *)whose.data);
	state = take_part(&rest);
	word.down = bytes_equal_text(state, "down");
	if (!word.down && !bytes_equal_text(state, "up"))
		return reason_set(why, ERR_PARSE, "%u: it says neither up nor down", number);
	word.reason = rest;
	add_word(w, &word);
	return ERR_OK;
}

/* --- order --- */

static int by_whose(const void *a, const void *b)
{
	const struct import_word *x = a, *y = b;
	int order = addr_compare(&x->addr, &y->addr);

	if (order == 0)
		order = (x->port > y->port) - (x->port < y->port);
	return order != 0 ? order : bytes_compare(x->cluster, y->cluster);
}

static int by_whose_and_line(const void *a, const void *b)
{
	const struct import_word *x = a, *y = b;
	int order = by_whose(a, b);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static enum err sort(struct import_words *w, struct reason *why)
{
	if (w->count > 0)
		qsort(w->word, w->count, sizeof(*w->word), by_whose_and_line);
	for (size_t i = 1; i < w->count; i++)
		if (by_whose(&w->word[i - 1], &w->word[i]) == 0)
			return reason_set(why, ERR_CONFLICT, "%u: line %u has a word of the same",
			                  w->word[i].line, w->word[i - 1].line);
	return ERR_OK;
}

/* --- the outside --- */

enum err import_parse(struct bytes text, struct import_words **out, struct reason *why)
{
	struct import_words *w = xcalloc(1, sizeof(*w));
	enum err err = ERR_OK;
	size_t at = 0;

	if (text.len > 0)
		memcpy(buffer_extend(&w->text, text.len), text.data, text.len);
	for (unsigned line = 1; at < text.len && !err; line++) {
		const uint8_t *from = w->text.data + at;
		const uint8_t *end = memchr(from, '\n', text.len - at);
		size_t len = end ? (size_t)(end - from) : text.len - at;

		err = parse_line(w, (struct bytes){from, len}, line, why);
		at += len + 1;
	}
	if (!err)
		err = sort(w, why);
	if (err)
		import_free(w);
	else
		*out = w;
	return err;
}

void import_free(struct import_words *w)
{
	if (!w)
		return;
	buffer_fini(&w->text);
	free(w->word);
	free(w);
}

size_t import_count(const struct import_words *w) { return w->count; }

static const struct import_word *find(const struct import_words *w, const struct import_word *key)
{
	return w->count > 0 ? bsearch(key, w->word, w->count, sizeof(*w->word), by_whose) : NULL;
}

const struct import_word *import_find(const struct import_words *w, const struct addr *addr,
                                      uint16_t port, struct bytes cluster)
{
	const struct import_word *found =
		find(w, &(struct import_word){.addr = *addr, .port = port});

	if (!found)
		found = find(w, &(struct import_word){.addr = *addr});
	return found ? found : find(w, &(struct import_word){.cluster = cluster});
}
