/* rules.h -- differences between nighd and another server that an RFC allows or demands, each with a name.
 *
 * docs/differences.md says why.  A rule speaks for aspects of a reply: all that differ must be
 * spoken for by some rule.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_RULES_H
#define TESTS_DIFFERENTIAL_RULES_H

#include "tests/differential/reply.h"

enum aspect {
	AS_SILENCE = 1 << 0, /* one of both says nothing */
	AS_RCODE = 1 << 1,
	AS_AA = 1 << 2,
	AS_TC = 1 << 3,
	AS_FLAGS = 1 << 4, /* the others, and the opcode */
	AS_QUESTION = 1 << 5,
	AS_OPT = 1 << 6,
	AS_ANSWER = 1 << 7,
	AS_AUTHORITY = 1 << 8,
	AS_ADDITIONAL = 1 << 9,
	AS_SERIAL = 1 << 10,
	AS_COUNT = 11,
	/* What comes with another walk through the zones. */
	AS_DATA = AS_RCODE | AS_AA | AS_ANSWER | AS_AUTHORITY | AS_ADDITIONAL | AS_SERIAL,
	AS_ALL = (1 << AS_COUNT) - 1
};

struct difference {
	const struct made *made;
	const struct question *q;
	enum server who; /* the other: NSD or KNOT */
	const struct reply *ours, *theirs;
	unsigned aspects; /* in which they differ, and no rule before this one speaks for */
};

/* The aspects that the rule speaks for; 0: none. */
typedef unsigned rule_fn(const struct difference *d);

enum { OF_ALL = SERVERS }; /* instead of a server */

struct rule {
	const char *name;
	const char *rfc; /* "1034 4.3.2" */
	/* A way of NSD or KNOT alone, and no reason when both say the same; OF_ALL: of any. */
	unsigned of;
	rule_fn *explains;
};

enum { RULES_MOST = 64 };
extern const struct rule rules[RULES_MOST]; /* ends with a rule without a name */

/* The aspects in which nighd differs from each other server, and that no rule speaks for, into left[]; counts in hits[] the
 * rules that did.  A datagram that is too long is told as AS_TC.  True: both others have ways of
 * their own here, so that nighd says what nobody else says. */
bool rules_judge(const struct made *m, const struct question *q, const struct reply r[SERVERS],
                 unsigned left[SERVERS], uint64_t hits[RULES_MOST]);
/* " rcode aa answer". */
void rules_print_aspects(unsigned aspects, struct text *out);

/* rules_wire.c: of messages that are no plain questions, and of errors */
rule_fn rule_malformed, rule_error_echo, rule_unknown_opcode, rule_badvers, rule_query_rcode,
	rule_trailing, rule_class_any, rule_mail_types, rule_type_zero, rule_transfer,
	rule_checking;
/* rules_data.c: of what the zones say */
rule_fn rule_own_serial, rule_additional, rule_any, rule_truncated, rule_alias_ends,
	rule_alias_stays, rule_wildcard_glue, rule_one_tree, rule_wildcard_ns, rule_wildcard_dname,
	rule_signature, rule_alias_loop, rule_ds, rule_ds_of_alias, rule_yxdomain;

#endif
