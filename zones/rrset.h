/* rrset.h -- the records of one type at one name, ready to be copied into an answer.
 *
 * Flat and frozen; part of a node.  RDATA is in wire form, names in it uncompressed.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_RRSET_H
#define ZONES_RRSET_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum rr_type { /* those the server must know by name */
	       RR_A = 1,
	       RR_NS = 2,
	       RR_CNAME = 5,
	       RR_SOA = 6,
	       RR_PTR = 12,
	       RR_MX = 15,
	       RR_TXT = 16,
	       RR_AAAA = 28,
	       RR_SRV = 33,
	       RR_DNAME = 39,
	       RR_OPT = 41,
	       RR_DS = 43,
	       RR_RRSIG = 46,
	       RR_NSEC = 47,
	       RR_SVCB = 64,
	       RR_HTTPS = 65,
	       RR_TSIG = 250,
	       RR_IXFR = 251,
	       RR_AXFR = 252,
	       RR_ANY = 255
};

/* Of addresses an answer tells some, so that no message has to hold them all; of other types it has. */
enum { RRSET_MOST_ADDRESSES = UINT16_MAX };

/* Followed by `bytes` bytes: count times (uint16 big-endian RDLENGTH, RDATA), sorted, unique. */
struct rrset {
	uint32_t ttl;
	uint16_t type;
	uint16_t count;
	uint32_t bytes;
	uint8_t data[];
};

/* for (size_t at = 0; rrset_next(s, &at, &rdata);) */
static inline _Bool rrset_next(const struct rrset *s, size_t *at, struct bytes *rdata)
{
	if (*at >= s->bytes)
		return 0;
	rdata->len = bytes_get16(s->data + *at);
	rdata->data = s->data + *at + 2;
	*at += 2 + rdata->len;
	return 1;
}

/* The number of an address record, count when it is not there; of an RRset of at least one address record. */
size_t rrset_find_address(const struct rrset *rrset, struct bytes rdata);
/* Is the record in one of these, `first` and `count` more of its type? */
_Bool rrsets_have(const struct rrset *first, const struct rrset *const *more, size_t count,
                  struct bytes rdata);

#endif
