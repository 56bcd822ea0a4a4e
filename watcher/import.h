/* import.h -- what others say of addresses and clusters, as lines of a text.
 *
 *     ADDRESS[:PORT]|CLUSTER up|down [reason]
 *
 * An IPv6 address with a port stands in brackets; # begins a comment; a word of an address with its port
 * counts before one of the address, and that before one of its cluster.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_IMPORT_H
#define WATCHER_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"

enum { IMPORT_MOST = 1 << 20 }; /* bytes of a text */

struct import_word {
	struct addr addr; /* ADDR_NONE: of a cluster */
	uint16_t port;    /* 0: of all */
	struct bytes cluster;
	bool down;
	struct bytes reason; /* "": none was given */
	unsigned line;
};

struct import_words;

/* All or nothing; the text is copied.  `why`: "LINE: what is wrong". */
enum err import_parse(struct bytes text, struct import_words **out, struct reason *why) MUST_CHECK;
void import_free(struct import_words *w); /* NULL is fine */
size_t import_count(const struct import_words *w);
/* NULL: there is no word. */
const struct import_word *import_find(const struct import_words *w, const struct addr *addr,
                                      uint16_t port, struct bytes cluster);

#endif
