/* encode.h -- an answer as bytes: the one place that knows size, TC and compression.
 *
 * One bounded writer.  Whole RRsets or none (RFC 2181 9); what does not fit sets TC when it
 * was needed (answers, authority, in-domain glue) and is left out when not.  OPT always fits.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ENCODE_H
#define DNSD_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dnsd/answer.h"
#include "dnsd/query.h"

enum { ENCODE_MIN_ROOM = 512 };

/* The most that this query's sender takes over UDP: 512, or what it announces up to
 * EDNS_UDP_SIZE. */
static inline size_t encode_udp_limit(const struct query *q)
{
	return q->edns.udp_size < EDNS_UDP_SIZE ? q->edns.udp_size : EDNS_UDP_SIZE;
}

/* What an answer without records takes. */
#define ENCODE_LEAST(query)                                                                        \
	((size_t)DNS_HEADER_LEN + (query)->question_len + edns_len(&(query)->edns))

/* Writes at most `limit` bytes (ENCODE_LEAST..65535) and returns how many. */
size_t answer_encode(const struct answer *a, const struct query *q, uint8_t *out, size_t limit);

/* Has that message TC set? */
static inline bool encode_is_truncated(const uint8_t *message) { return (message[2] & 2) != 0; }

#endif
