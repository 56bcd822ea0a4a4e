/* peers_link.h -- one connection to another replica: socket, TLS, frames, and their limits.
 *
 * A handshake has 5 s.  Who reads too slowly (8 MiB unread, or nothing taken for 5 s), says nothing for 5 s, says more
 * than 8 MiB in a second or what is no message is dropped.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PEERS_LINK_H
#define WATCHER_PEERS_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "watcher/peers_message.h"
#include "watcher/peers_tls.h"

enum {
	PEERS_PATIENCE_MS = 5000,
	PEERS_MOST_BYTES = 8 << 20, /* unread by the other end; received in a second */
	PEERS_BUSY_BYTES = 64 << 10 /* with so many unread, what is not needed is not sent */
};

struct peers_link;

struct peers_link_events {
	/* The other end may be a replica; it has not said which. */
	void (*on_open)(struct peers_link *l, void *arg);
	/* The message is good until it returns. */
	void (*on_message)(struct peers_link *l, const struct peers_message *m, void *arg);
	/* The last call, and the link is freed after it; `why` is "" when it was closed by peers_link_close(). */
	void (*on_closed)(struct peers_link *l, const char *why, void *arg);
	void *arg;
};

/* What comes of it, also that nobody is there, comes by the events, never at once. */
struct peers_link *peers_link_dial(uv_loop_t *loop, struct peers_tls *tls, const struct addr *addr,
                                   uint16_t port, const struct peers_link_events *events);
/* The connection that a listening socket has. */
struct peers_link *peers_link_accept(uv_stream_t *listener, struct peers_tls *tls,
                                     const struct peers_link_events *events);
/* Nothing but on_closed comes any more. */
void peers_link_close(struct peers_link *l);
void peers_link_send(struct peers_link *l, const struct peers_message *m);
/* Once a second or oftener: drops it when its time is over. */
void peers_link_look(struct peers_link *l, uint64_t now_ms);

bool peers_link_is_open(const struct peers_link *l); /* and not being closed */
bool peers_link_is_closing(const struct peers_link *l);
bool peers_link_is_busy(const struct peers_link *l); /* it has not read what was sent */
bool peers_link_dialled(const struct peers_link *l);
/* Somebody is there, and one of the two would not have the other. */
bool peers_link_is_refused(const struct peers_link *l);
/* The SHA-256 of the certificate of the other end; of an open one. */
void peers_link_print(const struct peers_link *l, uint8_t out[PEERS_TLS_PRINT]);
/* Of the other end. */
const struct addr *peers_link_addr(const struct peers_link *l);
uint16_t peers_link_port(const struct peers_link *l);

#endif
