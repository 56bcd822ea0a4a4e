/* proxy.h -- the header that a load balancer sets before a client's bytes: PROXY protocol, version 2.
 *
 * Pure, any thread.  One header stands at the beginning of a stream, or of every datagram; what comes
 * behind it is DNS.  Whose word is taken is the caller's affair: a header claims an address, so it may be
 * read only from networks that the operator has named, and from those it must be there.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_PROXY_H
#define DNSD_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	PROXY_FIXED_LEN = 16, /* signature, version and command, family, length */
	PROXY_MAX_LEN = 4096  /* with addresses and TLVs; what announces more is broken */
};

enum proxy_result {
	PROXY_MORE,   /* fine so far, but not whole: a stream reads on, a datagram is broken */
	PROXY_BROKEN, /* no header, or one of another version; more bytes cannot mend it */
	PROXY_WHOLE
};

struct proxy {
	size_t len; /* of the header: the first byte behind it is DNS */
	/* Who asks; an IPv4-mapped address as IPv4.  ADDR_NONE: the sender itself, its own address counts (command
	 * LOCAL, as for health checks, or a family that it does not know). */
	struct addr client;
	uint16_t port; /* of the client; 0 for ADDR_NONE */
};

/* Reads the first `len` bytes of a stream or a datagram; call it again with all of them when more have
 * come.  At most PROXY_MAX_LEN are needed.  *out is set only with PROXY_WHOLE; TLVs are skipped unread.  A header of a
 * Unix socket's address, of another version, command or family is broken, and so is one too short for its
 * family's addresses. */
enum proxy_result proxy_parse(const uint8_t *data, size_t len, struct proxy *out);

#endif
