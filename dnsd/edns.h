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
#include "dnsd/rare.h"
#include "zones/rrset.h"

enum {
	EDNS_UDP_SIZE = 1232, /* announced and kept to (RFC 9715) */
	EDNS_LEAST_UDP_SIZE = 512,
	EDNS_OPT_LEN = 11, /* without options */
	EDNS_FLAG_DO = 0x8000,
	EDNS_OPTION_LEN = 4, /* code and length, before an option's data */
	EDNS_ECS_FIXED = 4,  /* of the subnet, before the address */
	EDNS_ECS_LEN = EDNS_OPTION_LEN + EDNS_ECS_FIXED,
	EDNS_EDE_LEN = EDNS_OPTION_LEN + 2,
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

/* Families of a subnet's address (RFC 7871 6). */
enum { EDNS_IPV4 = 1, EDNS_IPV6 = 2 };

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
	uint16_t family; /* as sent: EDNS_IPV4, EDNS_IPV6, or 0 with source 0 */
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
	uint16_t udp_size;    /* at least 512, also without OPT */
	uint16_t extra_len;   /* of extra; 0 when parsed */
	uint16_t pad_beside;  /* bytes that come behind the padded answer: its signature */
	uint16_t alike_len;   /* of `alike`; 0: it has other options, or there is no OPT */
	struct edns_ecs ecs;  /* only `present` is set when it is false */
	const uint8_t *
		alike; /* the OPT in the packet, when it has no option but a subnet, as has the answer's */
	struct bytes cookie; /* as sent, of any length, in the packet; with EDNS_ASKED_COOKIE */
	/* The options that its answer has besides ECS and EDE, by edns_add(). */
	uint8_t extra[EDNS_EXTRA_MOST];
};

/* As for a query without OPT. */
static inline void edns_clear(struct edns *e)
{
	memset(e, 0, offsetof(struct edns, ecs.family));
	e->udp_size = EDNS_LEAST_UDP_SIZE;
}

/* Nothing of its options is answered. */
static inline void edns_forget_options(struct edns *e)
{
	e->asked = 0;
	e->ecs.present = false;
	e->alike_len = 0;
}

/* The subnet as most resolvers send it: the only option, an IPv4 /24.  False: it is another. */
static inline bool edns_take_usual_ecs(struct bytes rdata, struct edns_ecs *out)
{
	enum { SOURCE = 24, BYTES = 3 };
	static const uint8_t usual[EDNS_ECS_LEN] = {0, OPTION_ECS, 0,      EDNS_ECS_FIXED + BYTES,
	                                            0, EDNS_IPV4,  SOURCE, 0};
	const uint8_t *address = rdata.data + EDNS_ECS_LEN;

	if (rdata.len != EDNS_ECS_LEN + BYTES || memcmp(rdata.data, usual, sizeof usual) != 0)
		return false;
	out->present = true;
	out->source = SOURCE;
	out->len = BYTES;
	out->family = EDNS_IPV4;
	out->sent = rdata.data;
	out->addr =
		(struct addr){.family = ADDR_IPV4, .bytes = {address[0], address[1], address[2]}};
	return true;
}

/* Any options.  False: malformed. */
bool edns_parse_options(struct bytes rdata, struct edns *out);

/* `opt` is a whole OPT record at the root; `out` has been cleared.  False: FORMERR, without a subnet.  The options of a version
 * that we do not know are not looked at. */
static inline bool edns_parse(struct bytes opt, struct edns *out)
{
	struct bytes rdata = {opt.data + EDNS_OPT_LEN, opt.len - EDNS_OPT_LEN};
	uint16_t size = bytes_get16(opt.data + 3);

	out->present = true;
	if (size > out->udp_size)
		out->udp_size = size;
	out->version = opt.data[6];
	out->dnssec_ok = (opt.data[7] & EDNS_FLAG_DO >> 8) != 0;
	if (rarely(out->version != 0))
		return true;
	if (rdata.len > 0 && !edns_take_usual_ecs(rdata, &out->ecs))
		return edns_parse_options(rdata, out);
	out->alike = opt.data;
	out->alike_len = (uint16_t)opt.len;
	return true;
}

/* One more option for the answer, each at most once. */
void edns_add(struct edns *e, uint16_t code, struct bytes data);

/* edns_write() for a query whose answer has other options. */
size_t edns_write_other(const struct edns *query, uint16_t rcode, uint8_t scope, enum edns_ede ede,
                        uint8_t *out);
/* What is new in an OPT's fixed part: size, extended rcode, version and flags. */
static inline void edns_put_fixed(const struct edns *query, uint16_t rcode, uint8_t *opt)
{
	bytes_put16(opt + 3, EDNS_UDP_SIZE);
	/* RFC 3225 3: DO is copied. */
	bytes_put32(opt + 5, (uint32_t)(rcode >> 4) << 24 | (query->dnssec_ok ? EDNS_FLAG_DO : 0));
}
/* Writes an OPT record that answers `query` and returns its length.  `out` has room for
 * EDNS_OPT_LEN + EDNS_ECS_LEN + 16 + EDNS_EXTRA_MOST + EDNS_EDE_LEN; `rcode` is the whole 12 bits. */
static inline size_t edns_write(const struct edns *query, uint16_t rcode, uint8_t scope,
                                enum edns_ede ede, uint8_t *out)
{
	if (query->alike_len == 0 || ede != EDE_NONE)
		return edns_write_other(query, rcode, scope, ede, out);
	bytes_copy(out, query->alike, query->alike_len);
	edns_put_fixed(query, rcode, out);
	if (query->ecs.present)
		out[EDNS_OPT_LEN + EDNS_ECS_LEN - 1] = scope;
	return query->alike_len;
}
/* Adds the padding option to the OPT record of opt_len bytes that ends a message of `len` bytes, so that with
 * `beside` more it is a multiple of EDNS_PAD_BLOCK, or as long as `limit` allows; nothing when there is no room.
 * Returns how many bytes came to it. */
size_t edns_pad(uint8_t *message, size_t len, size_t opt_len, size_t beside, size_t limit);
/* The length that edns_write() will take without EDE. */
static inline size_t edns_len(const struct edns *query)
{
	if (query->alike_len > 0 || !query->present)
		return query->alike_len;
	if (!query->ecs.present)
		return (size_t)EDNS_OPT_LEN + query->extra_len;
	return (size_t)EDNS_OPT_LEN + EDNS_ECS_LEN + query->ecs.len + query->extra_len;
}

#endif
