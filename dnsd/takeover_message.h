/* takeover_message.h -- what two nighds say to each other while one takes over from the other, descriptors and all.
 *
 * Over a socket of the kind SOCK_SEQPACKET in the abstract namespace, so that a message comes whole or not at all.
 * Each describes at most TAKEOVER_ITEMS descriptors, which come with it; a list that is longer takes several.
 * Reading is pure over bytes that may be anything.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TAKEOVER_MESSAGE_H
#define DNSD_TAKEOVER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
	TAKEOVER_ITEMS =
		240, /* of one message; the kernel passes 253 descriptors at a time, and queues 10 messages */
	TAKEOVER_BACKLOG = 4, /* of who asks */
	TAKEOVER_HEADER = 24,
	TAKEOVER_ITEM = 22,
	TAKEOVER_MESSAGE = TAKEOVER_HEADER + TAKEOVER_ITEMS * TAKEOVER_ITEM
};

/* A new process says the odd ones, the one that serves answers with the even ones.  Never renumber. */
enum takeover_word {
	TAKEOVER_ASK = 1,     /* what is there? */
	TAKEOVER_HERE = 2,    /* sockets, lock, estate; as many as it takes */
	TAKEOVER_GIVE = 3,    /* I am ready */
	TAKEOVER_GIVEN = 4,   /* serials and meeting point; nothing is published any more */
	TAKEOVER_SERVING = 5, /* I answer */
	TAKEOVER_DONE = 6,    /* then it is yours */
	TAKEOVER_REFUSED = 8, /* it is another one that you have asked before */
	TAKEOVER_LEFT = 10    /* after TAKEOVER_DONE: connections; until it hangs up */
};

/* Besides the kinds of sockets.h.  Never renumber. */
enum takeover_kind {
	TAKEOVER_MEETING = 16,   /* where the next one will ask */
	TAKEOVER_LOCK = 17,      /* of the state directory */
	TAKEOVER_ESTATE = 18,    /* a file in memory: pipeline_print_estate() */
	TAKEOVER_SERIALS = 19,   /* a file in memory: pipeline_freeze() */
	TAKEOVER_CONNECTION = 20 /* of TCP, between two messages; its address is the client's */
};

struct takeover_item {
	uint8_t kind;
	struct addr addr; /* of sockets, as the rest; ADDR_NONE: of something else */
	uint16_t asked, port;
	int fd;
};

struct takeover_message {
	enum takeover_word word;
	bool more;         /* another one follows */
	uint64_t instance; /* a number of the process that serves, at random */
	size_t count;
	struct takeover_item item[TAKEOVER_ITEMS];
};

/* Into out (TAKEOVER_MESSAGE bytes); returns the length. */
size_t takeover_encode(const struct takeover_message *m, uint8_t *out);
/* The descriptors are the items', in order: as many as there are items.  ERR_PARSE. */
enum err takeover_decode(struct bytes data, const int *fd, size_t fd_count,
                         struct takeover_message *out) MUST_CHECK;

/* One message with its descriptors, which stay the caller's.  ERR_TIMEOUT, ERR_GONE: the other has hung up; ERR_IO. */
enum err takeover_send(int socket, const struct takeover_message *m, struct reason *why) MUST_CHECK;
/* One message; its descriptors become the caller's, and none stays when it is malformed.  Errors as above, ERR_PARSE. */
enum err takeover_receive(int socket, struct takeover_message *out, struct reason *why) MUST_CHECK;
/* Closes those of the message's descriptors that are not -1. */
void takeover_drop(struct takeover_message *m);

/* A file in memory, and what one has (to be freed by the caller; ERR_RANGE: too much). */
enum err takeover_store(struct bytes content, int *out, struct reason *why) MUST_CHECK;
enum err takeover_fetch(int fd, struct buffer *out, struct reason *why) MUST_CHECK;

struct sockaddr_un;
/* The address at which the nighd of that identity is asked; returns its length. */
unsigned takeover_address(struct bytes identity, struct sockaddr_un *out);
/* Is it this process's user, that other one, or root, who is at the other end, and not in another container, as far as that can be
 * seen? */
bool takeover_trusts(int socket, uid_t other, long *pid);

#endif
