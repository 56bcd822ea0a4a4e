/* peers_inside.h -- what peers*.c share.  Private to peers.
 *
 * peers.c is its life and its clock, peers_dial.c whom it dials, peers_talk.c what is said, peers_double.c who is there twice.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PEERS_INSIDE_H
#define WATCHER_PEERS_INSIDE_H

#include "base/stamp.h"
#include "watcher/peers.h"
#include "watcher/peers_link.h"
#include "watcher/resolve.h"

enum {
	PEERS_TICK_MS = 250,
	PEERS_BEAT_MS = 1000,
	PEERS_MOST_TARGETS = 256,
	PEERS_MOST_STRANGERS = 64, /* connections of whom nobody knows who they are */
	PEERS_FORGET_MS = 60000,
	PEERS_DOUBLE_MS = 10000, /* a takeover, or a restart, is over by then */
	PEERS_FILES = 3
};

/* A connection; in the list until it is closed. */
struct connection {
	struct peers *peers;
	struct peers_link *link;
	unsigned number; /* of the replica, in the vote; 0: it has not said which */
	uint64_t begun_ms;
	uint64_t second_ms; /* when this second began, and what was said in it */
	unsigned messages, views;
	struct connection *next;
};

/* Another replica, by its number in the vote. */
struct peer {
	bool is_used;
	uint8_t id[PEERS_ID];
	char name[PEERS_NAME_MOST + 1];
	struct addr addr;
	struct connection *connection; /* NULL: none at the moment */
	bool has_view;                 /* what is in the vote is whole ... */
	uint64_t sequence;             /* ... as of this number */
	bool needs_view;               /* it has to be told all, once it reads */
	uint64_t asked_ms;
	uint64_t last_ms;               /* when it was connected last */
	uint64_t since_ms;              /* when it was found */
	uint8_t print[PEERS_TLS_PRINT]; /* of its certificate */
	uint64_t
		double_ms; /* since when another one of its name counts in its place; 0: none does */
	bool double_told, claim_told;
};

/* An address to dial. */
struct target {
	struct addr addr;
	uint16_t port;
	bool is_self, has_id;
	uint8_t id[PEERS_ID]; /* who was there last */
	uint64_t next_ms;     /* when it may be dialled again */
	char refusal
		[96]; /* why who is there is no replica, as it was told; "": it is one, or nobody is */
};

/* A host name and what is known of its addresses. */
struct place {
	char *host;
	uint16_t port;
	struct addr *addresses;
	size_t count;
};

struct peers {
	uv_loop_t *loop;
	struct vote *vote;
	struct peers_events events;
	char name[PEERS_NAME_MOST + 1];
	uint8_t id[PEERS_ID];
	bool listens;
	uv_tcp_t listener;
	uv_timer_t tick, soon; /* soon: what has changed is told */
	struct peers_tls *tls;
	char *file[PEERS_FILES]; /* certificate, key, CA */
	struct stamp stamp[PEERS_FILES];
	char *error;
	uint64_t complained_ms; /* of a connection that could not be; 0: never */
	uint64_t looked_ms;

	struct place *places;
	size_t place_count;
	struct resolver *resolver; /* NULL: no place is a name */
	struct target *targets;
	size_t target_count;
	struct connection *connections;
	struct peer peer[VOTE_MOST_REPLICAS]; /* 0 is oneself, and not used */

	uint64_t sequence; /* of what is seen here */
	bool reaches;
	struct buffer changes; /* not told yet, entries */
	uint64_t beat_ms;
	struct peers_counts counts;
	unsigned still_open; /* of what peers_stop() waits for, but for connections */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- peers.c --- */
/* The events of a connection of its own, which takes the link that is made with them. */
struct connection *peers_connection_new(struct peers *p, struct peers_link_events *events);
/* Who votes now?  on_change when that differs, or anything else `has_changed`. */
void peers_turned(struct peers *p, bool has_changed);
/* What is known of a replica and what it said; its number may be another one's. */
void peers_forget(struct peers *p, unsigned number);

/* --- peers_dial.c --- */
enum err peers_set_places(struct peers *p, const struct peers_settings *s,
                          struct reason *why) MUST_CHECK;
void peers_dial_all(struct peers *p, uint64_t now_ms);
/* The replica that answers at an address that was dialled. */
void peers_note_target(struct peers *p, const struct peers_link *link, const uint8_t id[PEERS_ID]);
/* Why it is none: told when that is news. */
void peers_note_refusal(struct peers *p, const struct peers_link *link, const char *why);
void peers_places_fini(struct peers *p);

/* --- peers_double.c --- */
/* Of several with one name the one that was found first has the vote, and oneself before others. */
void peers_judge_doubles(struct peers *p, uint64_t now_ms);
/* Is who says hello another one than who is connected by that id?  Then that is told. */
bool peers_is_claim(struct peers *p, struct peer *peer, const struct connection *c,
                    const struct peers_message *m);

/* --- peers_talk.c --- */
void peers_greet(struct connection *c);
void peers_take_message(struct connection *c, const struct peers_message *m);
void peers_tell_changes(struct peers *p);
void peers_beat(struct peers *p); /* and whole views to those that need one */
void peers_say_bye(struct peers *p);

#endif
