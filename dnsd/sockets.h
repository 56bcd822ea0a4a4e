/* sockets.h -- the sockets that nighd listens with, each with the row of the config that it is there for.
 *
 * Of an address each worker has one of its own (SO_REUSEPORT), or several, or none, when they were another process's
 * before (takeover.h).  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_SOCKETS_H
#define DNSD_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

/* Another nighd is told these numbers: never renumber. */
enum sockets_kind { SOCKETS_UDP = 1, SOCKETS_TCP = 2, SOCKETS_TLS = 3, SOCKETS_HTTP = 4 };

struct sockets_item {
	enum sockets_kind kind;
	struct addr addr;
	uint16_t asked;  /* the port of the row; 0: the kernel was to choose */
	uint16_t port;   /* as bound */
	unsigned worker; /* whose loop has it */
	int fd;          /* -1: closed, or somebody else's */
};

/* A zeroed one is empty. */
struct sockets {
	struct sockets_item *item;
	size_t count;
};

/* Takes the descriptor. */
void sockets_put(struct sockets *s, const struct sockets_item *item);
/* Moves all sockets of a row (its asked port, and *port when that is not 0; else *port is set) to `to`, in turn to the
 * workers.  Returns how many there were. */
size_t sockets_move(struct sockets *from, struct sockets *to, const struct sockets_item *row,
                    unsigned workers, uint16_t *port);
/* Closes the first ones. */
void sockets_drop(struct sockets *s, size_t count);
/* Closes what has not been given away, and forgets all. */
void sockets_close(struct sockets *s);

/* SO_REUSEPORT lets two nighds of one user share a port unawares: looks, without it, whether the port is free for UDP.
 * Errors as below. */
enum err sockets_probe(const struct addr *addr, uint16_t port, struct reason *why) MUST_CHECK;
/* One for UDP and one for TCP on the same port for each worker; *port 0: the kernel chooses.  ERR_DENIED,
 * ERR_CONFLICT, ERR_IO, and then none stays. */
enum err sockets_open_dns(struct sockets *s, const struct addr *addr, unsigned workers,
                          uint16_t *port, struct reason *why) MUST_CHECK;
/* One for TLS for each worker, likewise, on a port that is free. */
enum err sockets_open_tls(struct sockets *s, const struct addr *addr, unsigned workers,
                          uint16_t *port, struct reason *why) MUST_CHECK;
/* Opens further ones on addresses of which some workers have none; where that is not permitted, they go without. */
void sockets_widen(struct sockets *s, unsigned workers);

#endif
