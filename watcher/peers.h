/* peers.h -- the other replicas: finds them, tells them what is seen here, hears what they see.
 *
 * Mutual TLS (peers_tls.h) over TCP, messages of peers_message.h.  What is heard goes into the vote at once.  Both ends of a
 * pair dial; the connection that the smaller random id dialled is kept.  Of several that have one name one has a vote.  Only the time of receiving counts, so clocks may
 * differ.  Nothing that comes is trusted to be small, quick or well formed (peers_link.h).  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PEERS_H
#define WATCHER_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/err.h"
#include "watcher/peers_message.h"
#include "watcher/peers_tls.h"
#include "watcher/vote.h"

struct peers;

/* Where a replica may be: an address, or a host name whose addresses are looked up every few seconds (of a headless
 * Service, all its pods).  Oneself may be among them. */
struct peers_place {
	struct addr addr;
	uint16_t port;
	const char *host; /* NULL: the address */
};
struct peers_settings {
	struct addr addr; /* to listen at; ADDR_NONE: nobody dials here */
	uint16_t port;
	const char *name; /* for people; 1 to PEERS_NAME_MOST printable bytes */
	const struct peers_place *places;
	size_t place_count;
	const char *certificate, *key, *ca; /* files, read again when they change */
};
struct peers_events {
	/* Voters, or what they see, may have changed: vote_turn() was called. */
	void (*on_change)(void *arg);
	void *arg;
};

/* Begins to listen and to dial.  `vote` is borrowed until it has stopped; number 0 is told by peers_tell() alone.  Settings are
 * copied.  ERR_PARSE, ERR_CONFLICT...: `why` names the file or the address. */
enum err peers_new(uv_loop_t *loop, const struct peers_settings *settings, struct vote *vote,
                   const struct peers_events *events, struct peers **out,
                   struct reason *why) MUST_CHECK;
/* All but the listening address, or nothing. */
enum err peers_configure(struct peers *p, const struct peers_settings *settings,
                         struct reason *why) MUST_CHECK;
uint16_t peers_port(const struct peers *p); /* it listens at; 0: at none */
/* Why the files are not as they were read last; NULL: they are. */
const char *peers_error(const struct peers *p);

/* This replica sees the key so from now on; the others are told within milliseconds.  False: it has said too much. */
bool peers_tell(struct peers *p, const struct vote_key *key, enum vote_view view);
/* Does it reach any site?  Also says that it is alive: to be called each second or oftener. */
void peers_tell_reach(struct peers *p, bool reaches);

/* The others of which something was heard within the last minute. */
struct peers_info {
	unsigned number; /* in the vote */
	const char *name;
	uint8_t id[PEERS_ID];
	struct addr addr;
	bool is_connected;
	bool is_double;                 /* another one of its name has the vote */
	uint8_t print[PEERS_TLS_PRINT]; /* SHA-256 of its certificate */
};
/* At most VOTE_MOST_REPLICAS - 1; texts are good until the loop turns. */
size_t peers_list(const struct peers *p, struct peers_info *out);
const uint8_t *peers_id(const struct peers *p);
/* SHA-256 of the certificate that this one shows. */
void peers_print(const struct peers *p, uint8_t out[PEERS_TLS_PRINT]);
struct peers_counts {
	uint64_t received, sent; /* messages */
	uint64_t dropped; /* connections that ended for what the other end did, or did not do */
	uint64_t refused; /* of those, before it was known who that was */
	uint64_t
		untaken; /* views of keys beyond VOTE_MOST_KEYS, replicas beyond VOTE_MOST_REPLICAS */
	uint64_t
		doubles; /* replicas that are there now and have no vote, as another one of their name has it */
	uint64_t
		claims; /* connections that claimed the id of one that is connected, and were dropped */
};
struct peers_counts peers_counts(const struct peers *p);

/* Says goodbye, so that nobody waits for its vote. */
void peers_stop(struct peers *p, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
