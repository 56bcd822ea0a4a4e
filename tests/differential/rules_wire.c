/* What is said of messages that are no plain questions, and of errors. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/rules.h"

enum {
	NOERROR = 0,
	FORMERR = 1,
	NXDOMAIN = 3,
	NOTIMP = 4,
	REFUSED = 5,
	NOTAUTH = 9,
	BADVERS = 16,
	CLASS_ANY = 255,
	TYPE_MAILB = 253,
	TYPE_MAILA = 254,
	RCODE_MASK = 15
};

static bool is_error(const struct reply *r)
{
	return !r->is_silent && r->rcode != NOERROR && r->rcode != NXDOMAIN;
}

static bool is_empty(const struct reply *r)
{
	return r->section[ANSWER].count + r->section[AUTHORITY].count +
	               r->section[ADDITIONAL].count ==
	       0;
}

/* It is told that it is malformed, or gets nothing. */
unsigned rule_malformed(const struct difference *d)
{
	bool is_refused = d->theirs->is_silent ||
	                  (is_empty(d->theirs) &&
	                   (d->theirs->rcode == FORMERR || d->theirs->rcode == NOTIMP));

	return d->q->oddity > QUESTION_RESPONSE && d->ours->rcode == FORMERR && is_empty(d->ours) &&
	                       is_refused
	               ? AS_ALL
	               : 0;
}

/* What stands behind the last record is nothing. */
unsigned rule_trailing(const struct difference *d)
{
	bool is_longer = d->q->oddity == QUESTION_TRAILING || d->q->oddity == QUESTION_COUNTS;

	return is_longer && d->theirs->rcode == FORMERR ? AS_ALL : 0;
}

/* An error says enough by its code. */
unsigned rule_error_echo(const struct difference *d)
{
	return is_error(d->ours) && d->ours->rcode == d->theirs->rcode && is_empty(d->ours) &&
	                       is_empty(d->theirs) && d->ours->has_question
	               ? AS_QUESTION
	               : 0;
}

unsigned rule_unknown_opcode(const struct difference *d)
{
	return (d->q->flags & REPLY_OPCODE) != 0 && d->ours->rcode == NOTIMP && is_empty(d->ours) &&
	                       (d->ours->flags & ~(unsigned)(REPLY_QR | REPLY_OPCODE)) == 0 &&
	                       is_error(d->theirs)
	               ? AS_RCODE | AS_AA | AS_TC | AS_FLAGS | AS_QUESTION | AS_OPT
	               : 0;
}

unsigned rule_badvers(const struct difference *d)
{
	return d->ours->rcode == BADVERS && d->theirs->rcode == BADVERS && d->ours->version == 0
	               ? AS_AA | AS_TC | AS_OPT | AS_FLAGS
	               : 0;
}

/* An rcode means nothing in a query. */
unsigned rule_query_rcode(const struct difference *d)
{
	return (d->q->flags & RCODE_MASK) != 0 && d->theirs->rcode == FORMERR ? AS_ALL : 0;
}

unsigned rule_class_any(const struct difference *d)
{
	return d->q->dns_class == CLASS_ANY && d->ours->rcode == REFUSED && is_empty(d->ours)
	               ? AS_ALL
	               : 0;
}

unsigned rule_mail_types(const struct difference *d)
{
	return (d->q->type == TYPE_MAILA || d->q->type == TYPE_MAILB) && d->ours->rcode == NOTIMP &&
	                       is_empty(d->ours)
	               ? AS_DATA | AS_TC
	               : 0;
}

unsigned rule_type_zero(const struct difference *d)
{
	return d->q->type == 0 && d->theirs->rcode == NOTIMP ? AS_ALL : 0;
}

/* Nobody gets a transfer: why is said in several ways. */
unsigned rule_transfer(const struct difference *d)
{
	bool is_transfer = d->q->type == TYPE_AXFR || d->q->type == TYPE_IXFR;

	return is_transfer && d->ours->rcode == REFUSED && is_empty(d->ours) &&
	                       is_error(d->theirs) && is_empty(d->theirs)
	               ? AS_RCODE | AS_AA | AS_QUESTION | AS_OPT
	               : 0;
}
