/* reply.h -- what a server said, read by ldns and put into an order in which it can be compared.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_REPLY_H
#define TESTS_DIFFERENTIAL_REPLY_H

#include "tests/differential/asking.h"

enum section { ANSWER, AUTHORITY, ADDITIONAL, SECTIONS };

/* Records as records_text() has them, sorted. */
struct record_set {
	char **record;
	size_t count;
};

enum reply_flag {
	REPLY_QR = 0x8000,
	REPLY_OPCODE = 0x7800,
	REPLY_AA = 0x0400,
	REPLY_TC = 0x0200,
	REPLY_RD = 0x0100,
	REPLY_RA = 0x0080,
	REPLY_Z = 0x0040,
	REPLY_AD = 0x0020,
	REPLY_CD = 0x0010
};

struct reply {
	bool is_silent;
	bool is_broken;    /* ldns cannot read it */
	unsigned flags;    /* of the header, without the rcode */
	unsigned rcode;    /* with the bits of OPT */
	bool has_question; /* ... and it is the one that was asked, octet by octet */
	bool has_opt, dnssec_ok;
	unsigned version;
	uint32_t serial;                     /* of the last SOA */
	struct record_set section[SECTIONS]; /* ADDITIONAL without OPT */
	size_t len;
};

struct reply reply_read(const struct message *m, const struct question *q);
void reply_fini(struct reply *r);
/* "rcode, flags" and the records, a line each. */
void reply_print(const struct reply *r, struct text *out);

bool reply_set_has(const struct record_set *set, const char *record);
/* Is every record of `some` in `all`? */
bool reply_is_subset(const struct record_set *some, const struct record_set *all);
bool reply_is_same_set(const struct record_set *a, const struct record_set *b);
/* Has some record of it that type ("A")? */
bool reply_has_type(const struct record_set *set, const char *type);
/* The type of a record, until the tab behind it. */
const char *reply_type(const char *record);
bool reply_is_type(const char *record, const char *type);

#endif
