/* edns.h -- the OPT record (RFC 6891) and its options: the client subnet (RFC 7871), NSID (RFC 5001),
 * cookies (RFC 7873), EXPIRE (RFC 7314), edns-tcp-keepalive (RFC 7828), padding (RFC 7830).
 *
 * Reads foreign bytes, never past their end.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_EDNS_H
#define DNSD_EDNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "zones/rrset.h"

enum {
	EDNS_UDP_SIZE = 1232, /* announced and kept to (RFC 9715) */
	EDNS_OPT_LEN = 11,    /* without options */
	EDNS_FLAG_DO = 0x8000,
	EDNS_ECS_LEN = 4 + 4, /* option header and fixed part, before the address */
	EDNS_EDE_LEN = 4 + 2,
	EDNS_OPTION_LEN = 4,  /* code and length, before an option's data */
	EDNS_PAD_BLOCK = 468, /* answers are padded to multiples of this (RFC 8467 4.1) */
	EDNS_NSID_MOST = 128,
	EDNS_COOKIE_LEN = 24,
	EDNS_EXTRA_MOST = 4 * EDNS_OPTION_LEN + EDNS_NSID_MOST + EDNS_COOKIE_LEN + 4 + 2
};

/* Options that ask for one in the answer: bits of struct edns.asked. */
enum edns_asked {
	EDNS_ASKED_NSID = 1,
	EDNS_ASKED_COOKIE = 2,
	EDNS_ASKED_EXPIRE = 4,
	EDNS_ASKED_KEEPALIVE = 8,
	EDNS_ASKED_PADDING = 16
};

/* Options' codes. */
enum edns_option {
	OPTION_NSID = 3,
	OPTION_ECS = 8,
	OPTION_EXPIRE = 9,
	OPTION_COOKIE = 10,
	OPTION_KEEPALIVE = 11,
	OPTION_PADDING = 12,
	OPTION_EDE = 15
};

/* RFC 8914; 0 stands for none here, as we never say "other". */
enum edns_ede {
	EDE_NONE = 0,
	EDE_STALE = 3,
	EDE_NOT_READY = 14,
	EDE_PROHIBITED = 18,
	EDE_NOT_AUTHORITATIVE = 20
};

struct edns_ecs {
	bool present;
	uint8_t source;  /* prefix length as sent */
	uint8_t len;     /* bytes of address as sent: ceil(source / 8) */
	uint16_t family; /* as sent: 1, 2, or 0 with source 0 */
	const uint8_t
		*sent;    /* the option in the packet, which the answer repeats but for the scope */
	struct addr addr; /* first address of the prefix; set only when source > 0 */
};

/* What every query sets stands together in front: edns_clear() is one store. */
struct edns {
	bool present;
	bool dnssec_ok;
	uint8_t version;
	uint8_t asked;        /* enum edns_asked */
	bool has_good_cookie; /* it has a server cookie of ours; false when parsed */
	bool pads;            /* its answer is padded; false when parsed */
	uint16_t udp_size;    /* at least 512 */
	uint16_t extra_len;   /* of extra; 0 when parsed */
	uint16_t pad_beside;  /* bytes that come behind the padded answer: its signature */
	struct edns_ecs ecs;  /* only `present` is set when it is false */
	struct bytes cookie;  /* as sent, of any length, in the packet; with EDNS_ASKED_COOKIE */
	/* The options that its answer has besides ECS and EDE, by edns_add(). */
	uint8_t extra[EDNS_EXTRA_MOST];
};

/* As for a query without OPT. */
static inline void edns_clear(struct edns *e) { memset(e, 0, offsetof(struct edns, ecs.family)); }

/* Takes the OPT's CLASS, TTL and RDATA.  False: FORMERR, without a subnet.  The options of a version that we do not
 * know are not looked at. */
bool edns_parse(uint16_t class, uint32_t ttl, struct bytes rdata, struct edns *out);

/* One more option for the answer, each at most once. */
void edns_add(struct edns *e, uint16_t code, struct bytes data);

/* The options of the OPT that answers `query`, but for its subnet; returns their end. */
uint8_t *edns_write_options(const struct edns *query, enum edns_ede ede, uint8_t *at);
/* Writes an OPT record that answers `query` and returns its length.  `out` has room for
 * EDNS_OPT_LEN + EDNS_ECS_LEN + 16 + EDNS_EXTRA_MOST + EDNS_EDE_LEN; `rcode` is the whole 12 bits. */
static inline size_t edns_write(const struct edns *query, uint16_t rcode, uint8_t scope,
                                enum edns_ede ede, uint8_t *out)
{
	uint8_t *end = out + EDNS_OPT_LEN;

	out[0] = 0;
	bytes_put16(out + 1, RR_OPT);
	bytes_put16(out + 3, EDNS_UDP_SIZE);
	out[5] = (uint8_t)(rcode >> 4);
	out[6] = 0;
	bytes_put16(out + 7, query->dnssec_ok ? EDNS_FLAG_DO : 0); /* RFC 3225 3: copied */
	if (query->ecs.present) {
		size_t len = (size_t)EDNS_ECS_LEN + query->ecs.len;

		bytes_copy(end, query->ecs.sent, len);
		end[EDNS_ECS_LEN - 1] = scope;
		end += len;
	}
	if (query->extra_len > 0 || ede != EDE_NONE)
		end = edns_write_options(query, ede, end);
	bytes_put16(out + 9, (uint16_t)(end - out - EDNS_OPT_LEN));
	return (size_t)(end - out);
}
/* Adds the padding option to the OPT record of opt_len bytes that ends a message of `len` bytes, so that with
 * `beside` more it is a multiple of EDNS_PAD_BLOCK, or as long as `limit` allows; nothing when there is no room.
 * Returns how many bytes came to it. */
size_t edns_pad(uint8_t *message, size_t len, size_t opt_len, size_t beside, size_t limit);
/* The length that edns_write() will take without EDE. */
static inline size_t edns_len(const struct edns *query)
{
	if (!query->present)
		return 0;
	if (!query->ecs.present)
		return (size_t)EDNS_OPT_LEN + query->extra_len;
	return (size_t)EDNS_OPT_LEN + EDNS_ECS_LEN + query->ecs.len + query->extra_len;
}

#endif
