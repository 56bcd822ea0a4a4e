/* answer.h -- what to say: the algorithm of RFC 1034 4.3.2 over one snapshot.
 *
 * Pure, without allocation and with finite work whatever the zones hold.  An answer
 * borrows from the snapshot and the query: both must outlive it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ANSWER_H
#define DNSD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dnsd/choose.h"
#include "dnsd/query.h"
#include "zones/snapshot.h"

enum {
	ANSWER_MAX_LINKS = 17, /* of a CNAME chain; BIND and NSD stop about there */
	ANSWER_MAX_SETS = 2 * ANSWER_MAX_LINKS + 1, /* a DNAME's link has two */
	ANSWER_MAX_GLUE = 64,
	ANSWER_LINK_SIZE = 12 + 2 + NAME_MAX_LEN + 3 /* a synthesized CNAME as struct rrset */
};

/* An RRset at a name. */
struct answer_set {
	const uint8_t *owner; /* wire form */
	const struct rrset *rrset;
	uint32_t ttl;
	uint16_t more; /* RRsets of answer.more that are merged with it, duplicates left out */
	/* 0: all records are told; else too many addresses are there: of each RRset some are told, beginning with the
	 * from-th (modulo their count), answer.most in all. */
	uint16_t from;
};

struct answer {
	enum rcode rcode;
	enum edns_ede ede;        /* said only with EDNS */
	enum stats_reason reason; /* of the last link */
	uint8_t set_count, authority_count, glue_count;
	bool glue_missing;  /* more required glue than ANSWER_MAX_GLUE: TC */
	bool authoritative; /* AA */
	/* NOERROR, and set[0] is all of it: whole, of the name and type asked for, with no names to shorten; several RRsets only
	 * of addresses. */
	bool stands_alone;
	uint8_t scope;         /* for ECS: the longest of the links */
	uint8_t glue_required; /* the first ones: in-domain glue, or TC (RFC 9471) */
	uint8_t link_count;    /* used of link[] */
	uint16_t most;         /* addresses of a set that are told; not set when it stands alone */
	uint16_t cluster;      /* of the last choice, or CHOICE_NO_CLUSTER */
	const struct zone *zone; /* of the first name; NULL: none of ours */
	/* Where the first name was found: its node, or that of the wildcard, delegation or DNAME, or the closest encloser;
	 * set with `zone`. */
	const struct node *origin;
	const uint8_t *qname;        /* as asked; answer_set.owner of the first link */
	const struct denial *denial; /* authority[0] made ready, when it is a SOA; else NULL */
	struct answer_set set[ANSWER_MAX_SETS];
	struct answer_set authority[1];
	struct answer_set glue[ANSWER_MAX_GLUE];
	const struct rrset *more[CHOICE_UNION_MAX];
	_Alignas(4) uint8_t link[ANSWER_MAX_LINKS][ANSWER_LINK_SIZE];
};

/* The records of a set that are told; part 0 is set->rrset, and the others are answer.more's. */
struct told {
	const struct rrset *rrset;
	size_t at;
	unsigned left; /* to be told */
};
/* Of a set that has more addresses than are told: each of its RRsets gives an equal share. */
struct told answer_told_some(const struct answer *a, const struct answer_set *set, unsigned part);
static inline struct told answer_told(const struct answer *a, const struct answer_set *set,
                                      unsigned part)
{
	const struct rrset *rrset = part == 0 ? set->rrset : a->more[part - 1];

	if (set->from == 0)
		return (struct told){rrset, 0, rrset->count};
	return answer_told_some(a, set, part);
}
/* Is that record of a part told by a part before it? */
bool answer_told_before(const struct answer *a, const struct answer_set *set, unsigned part,
                        struct bytes rdata);
/* for (struct told t = answer_told(a, set, part); told_next(&t, &rdata);) */
static inline bool told_next(struct told *t, struct bytes *rdata)
{
	if (t->left == 0)
		return false;
	t->left--;
	if (t->at >= t->rrset->bytes)
		t->at = 0;
	return rrset_next(t->rrset, &t->at, rdata);
}

/* `s` NULL: nothing was ever published, SERVFAIL.  `resolver`: the query's source address.
 * Sets every field of `out` that counts. */
void answer_decide(const struct snapshot *s, const struct query *q, const struct addr *resolver,
                   struct answer *out);
/* The same, and a recorder hears why. */
void answer_explain(const struct snapshot *s, const struct query *q, const struct addr *resolver,
                    struct answer *out, const struct recorder *rec);
/* The SOA of the zone whose apex the query's name is, which must be one, whoever may ask for the rest of it. */
void answer_soa(const struct snapshot *s, const struct query *q, struct answer *out);

/* Is it the client subnet of the query that decides, not the resolver's address? */
bool answer_is_by_subnet(const struct snapshot *s, const struct query *q,
                         const struct addr *resolver);

#endif
