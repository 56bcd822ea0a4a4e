/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/rules.h"

const struct rule rules[RULES_MOST] = {
	/* name, RFC and section, of whom, what */
	{"own-serial", "1035 3.3.13", OF_ALL, rule_own_serial},
	{"malformed", "8906 3", OF_ALL, rule_malformed},
	{"trailing-octets", "1035 4.1.1", OF_ALL, rule_trailing},
	{"error-echo", "8906 3", OF_ALL, rule_error_echo},
	{"unknown-opcode", "8906 3.1.4", OF_ALL, rule_unknown_opcode},
	{"badvers", "6891 6.1.3", OF_ALL, rule_badvers},
	{"rcode-in-query", "1035 4.1.1", OF_ALL, rule_query_rcode},
	{"class-any", "1035 3.2.5", OF_ALL, rule_class_any},
	{"mail-types", "1035 3.2.3", OF_ALL, rule_mail_types},
	{"type-zero", "6895 3.1", OF_ALL, rule_type_zero},
	{"transfer-refused", "5936 2.2.1", OF_ALL, rule_transfer},
	{"any", "8482 4.1", OF_ALL, rule_any},
	{"alias-ends", "1034 4.3.2", OF_ALL, rule_alias_ends},
	{"wildcard-glue", "1034 4.3.3", OF_ALL, rule_wildcard_glue},
	{"additional", "1034 4.3.2", OF_ALL, rule_additional},
	{"truncated", "2181 9", OF_ALL, rule_truncated},
	{"alias-loop", "1034 3.6.2", OF_ALL, rule_alias_loop},
	{"ds-of-undelegated", "4035 3.1.4.1", OF_ALL, rule_ds},
	{"ds-of-alias", "4035 3.1.4.1", OF_ALL, rule_ds_of_alias},
	{"yxdomain", "6672 2.2", KNOT, rule_yxdomain},
	{"signature-of-alias", "4035 2.5", OF_ALL, rule_signature},
	{"alias-stays-above", "1034 4.3.2", KNOT, rule_alias_stays},
	{"zones-in-one-tree", "1034 4.3.2", NSD, rule_one_tree},
	{"wildcard-ns", "4592 4.2", KNOT, rule_wildcard_ns},
	{"wildcard-dname", "6672 3.3", KNOT, rule_wildcard_dname},
};

static unsigned compare(const struct reply *ours, const struct reply *theirs)
{
	unsigned aspects = 0, changed = ours->flags ^ theirs->flags;

	if (ours->is_silent || theirs->is_silent)
		return ours->is_silent != theirs->is_silent ? AS_SILENCE : 0;
	if (ours->is_broken || theirs->is_broken)
		return AS_ALL;
	aspects |= ours->rcode != theirs->rcode ? AS_RCODE : 0;
	aspects |= changed & REPLY_AA ? AS_AA : 0;
	aspects |= changed & REPLY_TC ? AS_TC : 0;
	aspects |= changed & ~(unsigned)(REPLY_AA | REPLY_TC) ? AS_FLAGS : 0;
	aspects |= ours->has_question != theirs->has_question ? AS_QUESTION : 0;
	if (ours->has_opt != theirs->has_opt || ours->dnssec_ok != theirs->dnssec_ok ||
	    ours->version != theirs->version)
		aspects |= AS_OPT;
	for (unsigned i = 0; i < SECTIONS; i++)
		if (!reply_is_same_set(&ours->section[i], &theirs->section[i]))
			aspects |= (unsigned)AS_ANSWER << i;
	aspects |= ours->serial != theirs->serial ? AS_SERIAL : 0;
	return aspects;
}

void rules_print_aspects(unsigned aspects, struct text *out)
{
	static const char *const names[AS_COUNT] = {"silence",   "rcode",      "aa",    "tc",
	                                            "flags",     "question",   "OPT",   "answer",
	                                            "authority", "additional", "serial"};

	for (unsigned i = 0; i < AS_COUNT; i++)
		if (aspects >> i & 1)
			text_printf(out, " %s", names[i]);
}

/* By those that are of all servers, or of one. */
static unsigned apply(struct difference d, bool of_all, uint64_t hits[RULES_MOST])
{
	for (size_t i = 0; rules[i].name != NULL && d.aspects != 0; i++) {
		unsigned explained = 0;

		if (of_all ? rules[i].of == OF_ALL : rules[i].of == (unsigned)d.who)
			explained = rules[i].explains(&d) & d.aspects;
		hits[i] += explained != 0;
		d.aspects &= ~explained;
	}
	return d.aspects;
}

bool rules_judge(const struct made *m, const struct question *q, const struct reply r[SERVERS],
                 unsigned left[SERVERS], uint64_t hits[RULES_MOST])
{
	struct difference d[SERVERS];
	unsigned unlike;
	bool is_alone;

	left[NIGHD] = 0;
	for (unsigned who = NSD; who < SERVERS; who++) {
		d[who] = (struct difference){m,         q,       (enum server)who,
		                             &r[NIGHD], &r[who], compare(&r[NIGHD], &r[who])};
		left[who] = d[who].aspects = apply(d[who], true, hits);
	}
	is_alone = left[NSD] != 0 && left[KNOT] != 0;
	/* Where both others say the same, it is no way of one of them. */
	unlike = compare(&r[NSD], &r[KNOT]) & (AS_RCODE | AS_AA | AS_ANSWER | AS_AUTHORITY);
	for (unsigned who = NSD; who < SERVERS; who++)
		if (unlike != 0)
			left[who] = apply(d[who], false, hits);
	if (!r[NIGHD].is_silent && !q->tcp && r[NIGHD].len > question_room(q))
		left[NSD] |= AS_TC;
	return is_alone;
}
