/* denial.h -- the SOA of a zone's negative answers, ready to be copied into a message (RFC 2308 3).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_DENIAL_H
#define ZONES_DENIAL_H

#include <stdint.h>

#include "zones/name.h"
#include "zones/rrset.h"

enum { DENIAL_POINTERS = 2, DENIAL_FIXED = 10, DENIAL_NUMBERS = 20 };

/* Behind its owner: TYPE, CLASS IN, TTL, RDLENGTH, RDATA.  Names of the RDATA that end in the zone's apex end in a pointer
 * instead, two bytes that are the writer's to set: to where the message holds the apex. */
struct denial {
	uint16_t len;
	uint8_t pointers;
	uint16_t pointer[DENIAL_POINTERS]; /* where they stand in data */
	uint8_t data[DENIAL_FIXED + 2 * NAME_MAX_LEN + DENIAL_NUMBERS];
};

/* `soa`: an RRset of one SOA; `apex` in wire form, lower case. */
void denial_make(const struct rrset *soa, uint32_t ttl, const uint8_t *apex, struct denial *out);

#endif
