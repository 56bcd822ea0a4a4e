/* splitter.h -- an API server's answer, in pieces of any size, to whole JSON objects, bounded.
 *
 * A list gives each of its items as soon as it is whole, and in the end what is around them (kind,
 * metadata); a watch gives one object after the other.  Member `managedFields` of a mapping that is itself a
 * member called `metadata` is cut out before anybody parses it: it is half of what an API server sends.  What is
 * longer than the limit is skipped up to its end and told by name, and the rest goes on.
 *
 * It knows nesting, strings and where names stand, not whether the JSON is valid: that is its parser's to say, and of
 * what is cut nobody's.  Names are compared as they are written: one with escapes is another name.  Nothing depends on
 * where the pieces end.  Pure; memory is `most` bytes and little more, whatever comes (a list: the envelope's, too).
 * One thread at a time; the events must not touch the splitter.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_SPLITTER_H
#define KUBE_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

enum { SPLITTER_DEPTH = 128, SPLITTER_ENVELOPE_MOST = 1 << 20, SPLITTER_NAME_MOST = 253 };

enum splitter_mode {
	SPLITTER_LIST, /* one object; the items of its top-level array `items` are given one by one */
	SPLITTER_WATCH /* objects one behind the other, white space between them */
};

struct splitter_events {
	/* One whole object (an item; an event of a watch), managedFields cut; good during the call.
	 * False: enough, splitter_feed() returns ERR_OK at once, and the rest of its piece and all further ones
	 * are dropped until splitter_reset(). */
	bool (*on_object)(struct bytes json, void *arg);
	/* One that was longer than the limit, or nested deeper than SPLITTER_DEPTH, has been passed over.
	 * `namespace` and `name` of its metadata (of a watch: of `object`'s), wherever they stood in it, as they are
	 * written (escapes and all, cut at SPLITTER_NAME_MOST); "" when there are none.  `type`: the watch event's
	 * type, likewise.  `len`: the bytes it would have had after the cut. */
	void (*on_skipped)(struct bytes type, struct bytes namespace, struct bytes name,
	                   uint64_t len, void *arg);
	/* SPLITTER_LIST: the list is whole; it, with `items` as [] (also where it was null).  An answer that is no
	 * list (a Status) comes whole.  A watch may leave this NULL. */
	void (*on_envelope)(struct bytes json, void *arg);
	void *arg;
};

struct splitter;

/* `most`: bytes of one object, after the cut, that are kept. */
struct splitter *splitter_new(enum splitter_mode mode, size_t most,
                              const struct splitter_events *events);
void splitter_free(struct splitter *s);
/* Forgets what it has begun; its memory, too, when that is much. */
void splitter_reset(struct splitter *s);
/* The next piece.  ERR_PARSE: this cannot be JSON (it begins with no `{`, brackets do not match, something stands
 * between objects that must not, an item is no object).  ERR_NOSPACE: the envelope is longer than
 * SPLITTER_ENVELOPE_MOST or nested deeper than SPLITTER_DEPTH.  After either nothing more is taken, and it is said
 * again, until splitter_reset(). */
enum err splitter_feed(struct splitter *s, struct bytes piece, struct reason *why) MUST_CHECK;
/* Is nothing half read, and nothing wrong: between two objects of a watch, before or after a list? */
bool splitter_is_between(const struct splitter *s);
/* Bytes held now. */
size_t splitter_memory(const struct splitter *s);

#endif
