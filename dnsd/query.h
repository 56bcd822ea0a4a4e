/* query.h -- a query's bytes taken apart: the one place where malformed input gets its rcode.
 *
 * Looks at the header, one question, and in the additional section at OPT and TSIG.
 * Refuses at the first excess; allocates nothing.  The query borrows the packet.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_QUERY_H
#define DNSD_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dnsd/edns.h"
#include "zones/name.h"

enum { DNS_HEADER_LEN = 12 };
enum { CLASS_IN = 1, CLASS_CH = 3, CLASS_ANY = 255 };

enum rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6,
	RCODE_NOTAUTH = 9,
	RCODE_BADVERS = 16,
	RCODE_BADCOOKIE = 23
};

struct query {
	const uint8_t *packet;
	uint16_t id;
	uint16_t flags;      /* as received: QR, OPCODE, AA ... */
	enum rcode rcode;    /* NOERROR: to be answered from a zone; else answer just this */
	enum edns_ede ede;   /* what explains that rcode */
	bool is_cookie_only; /* FORMERR, but for a cookie: no question, nothing else (RFC 7873 5.4) */
	bool has_serial;     /* IXFR: it says what it has */
	uint16_t tsig_at;    /* where its TSIG record begins; 0: it has none */
	uint16_t question_len; /* QNAME, QTYPE, QCLASS; 0: not to be echoed */
	uint16_t type, class;  /* set when question_len > 0 */
	uint32_t serial;       /* what it has, with has_serial */
	struct name name;      /* set when question_len > 0 */
	struct edns edns;
};

/* False: say nothing (RFC 8906 aside: shorter than a header, or QR set, so that no two servers
 * answer each other for ever).  Else an answer is due, and out->rcode says whether it is an
 * error: NOTIMP (opcodes that are not known; all sections stay empty), FORMERR (QDCOUNT not 1, QNAME
 * malformed or compressed, cut records, records where none belong, OPT twice, not at the root,
 * or with bad options; meta types as QTYPE), BADVERS,
 * REFUSED (UPDATE and NOTIFY; transfers, and classes
 * other than IN; whether CHAOS has an answer after all, answer_decide() knows).  A signature is only found here. */
bool query_parse(const uint8_t *packet, size_t len, struct query *out);

#endif
