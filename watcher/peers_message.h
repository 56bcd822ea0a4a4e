/* peers_message.h -- what replicas say to each other, as bytes.
 *
 * A frame is 4 bytes of length, a byte of kind, and what belongs to it; integers are big-endian.  A view numbers itself:
 * changes lead from one number to the next, a beat says which number is the current one, and who lacks it asks for
 * all.  Pure.  What is parsed was sent by somebody with a good certificate, who is not trusted for that.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PEERS_MESSAGE_H
#define WATCHER_PEERS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "watcher/vote.h"

enum {
	PEERS_VERSION = 1,
	PEERS_ID = 16,
	PEERS_NAME_MOST = 63,
	PEERS_ENTRY = 17, /* a key, and enum vote_view */
	PEERS_FRAME_HEAD = 4,
	PEERS_FRAME_MOST = 2 << 20 /* a view of VOTE_MOST_KEYS fits */
};

enum peers_kind {
	PEERS_HELLO = 1, /* version, id, name: first, once */
	PEERS_VIEW,      /* all that is known */
	PEERS_CHANGES,   /* what differs; VOTE_UNKNOWN: it is known no more */
	PEERS_BEAT,      /* nothing differs; each second */
	PEERS_ASK,       /* a view is asked for */
	PEERS_BYE        /* it ends, and will vote no more */
};

struct peers_message {
	enum peers_kind kind;
	uint8_t id[PEERS_ID];
	struct bytes
		name; /* 1 to 63 bytes, printable ASCII; borrowed from what was parsed, as the entries */
	uint64_t from, to;    /* numbers of views; `from` of PEERS_CHANGES alone */
	bool reaches;         /* any site */
	struct bytes entries; /* PEERS_ENTRY each */
};

/* The length of the whole frame that begins with these bytes; 0: more are needed to know.  False: no such frame may be. */
bool peers_frame_length(struct bytes data, size_t *len);
/* A whole frame.  False: it is malformed, or of another version. */
bool peers_message_parse(struct bytes frame, struct peers_message *out);
/* Appends the frame. */
void peers_message_print(const struct peers_message *m, struct buffer *out);

void peers_entry_put(struct buffer *entries, const struct vote_key *key, enum vote_view view);
/* The next entry at *at, which is moved on; false: there is none. */
bool peers_entry_next(struct bytes entries, size_t *at, struct vote_key *key, enum vote_view *view);

#endif
