/* question.h -- random questions about made zones, as bytes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_QUESTION_H
#define TESTS_DIFFERENTIAL_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/differential/made.h"

enum { QUESTION_MOST = 512 };

/* What is odd about it; what follows QUESTION_PLAIN is not a question that a resolver asks. */
enum oddity {
	QUESTION_PLAIN,
	QUESTION_OPCODE,   /* not QUERY */
	QUESTION_RESPONSE, /* QR set */
	QUESTION_CUT,      /* ends anywhere */
	QUESTION_COUNTS,   /* the header promises what is not there */
	QUESTION_POINTER,  /* the name is a compression pointer, or has label types that are none */
	QUESTION_TRAILING, /* octets behind the end */
	QUESTION_TWO_OPT
};

struct question {
	struct dname name; /* as asked, also in its case */
	uint16_t type, dns_class;
	uint16_t flags; /* of the header */
	bool tcp;
	bool has_opt, dnssec_ok;
	unsigned size, version; /* of EDNS */
	enum oddity oddity;
	uint8_t bytes[QUESTION_MOST]; /* ID 0 */
	size_t len;
};

struct question question_make(const struct made *m, struct dice *d);
/* The same, over TCP. */
struct question question_over_tcp(const struct question *q);
/* How many bytes of a datagram may answer it. */
size_t question_room(const struct question *q);
/* "NAME CLASS TYPE, ...", and the message in hex. */
void question_print(const struct question *q, struct text *out);

#endif
