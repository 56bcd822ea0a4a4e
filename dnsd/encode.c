/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/encode.h"

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "dnsd/rare.h"

enum {
	FLAG_QR = 0x8000,
	FLAG_OPCODE = 0x7800,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	POINTER = 0xc000,
	POINTER_LIMIT = 0x4000,
	QNAME_POINTER = POINTER | DNS_HEADER_LEN,
	PLAIN_HEAD = 10, /* of a record before RDLENGTH, its owner being a pointer */
	MAX_KNOWN = 80   /* names whose place is remembered */
};

/* A name in the zones' data, and where the message holds it whole. */
struct known {
	const uint8_t *wire;
	uint16_t at;
};

struct writer {
	uint8_t *out;
	size_t at, limit;
	bool full; /* something did not fit; nothing more is written */
	const struct query *q;
	const uint8_t *qname;
	unsigned known_count;
	struct known known[MAX_KNOWN];
};

/* --- pieces --- */

static bool has_room(struct writer *w, size_t len)
{
	if (w->limit - w->at < len)
		w->full = true;
	return !w->full;
}

static void put16(struct writer *w, uint16_t v)
{
	if (!has_room(w, 2))
		return;
	bytes_put16(w->out + w->at, v);
	w->at += 2;
}

static void put_bytes(struct writer *w, const uint8_t *data, size_t len)
{
	if (!has_room(w, len))
		return;
	bytes_copy(w->out + w->at, data, len);
	w->at += len;
}

/* --- names --- */

static void remember(struct writer *w, const uint8_t *wire, size_t at)
{
	if (w->known_count < MAX_KNOWN && at < POINTER_LIMIT)
		w->known[w->known_count++] = (struct known){wire, (uint16_t)at};
}

static bool same_name(const uint8_t *lowered, const uint8_t *wire, size_t len)
{
	if (memcmp(lowered, wire, len) == 0)
		return true;
	for (size_t i = 0; i < len; i++) {
		if (lowered[i] != bytes_lower(wire[i]))
			return false;
	}
	return true;
}

/* The place in the question of the longest suffix that `wire`, of `len` bytes, shares with it,
 * and how many bytes come before; 0: none is shared. */
static unsigned find_suffix(const struct name *q, const uint8_t *wire, size_t len, size_t *before)
{
	const uint8_t *place = q->at;

	for (size_t at = 0; wire[at] != 0; at += 1U + wire[at]) {
		size_t left = len - at;

		/* The root, one byte long, ends it. */
		while ((size_t)q->len - *place > left)
			place++;
		if ((size_t)q->len - *place == left &&
		    same_name(q->wire + *place, wire + at, left)) {
			*before = at;
			return QNAME_POINTER + *place;
		}
	}
	return 0;
}

/* A name, its last labels as a pointer into the question when they are the same.  Returns its
 * whole length. */
static size_t put_compressed(struct writer *w, const uint8_t *wire)
{
	size_t len = name_wire_len(wire), before = 0;
	unsigned pointer = find_suffix(&w->q->name, wire, len, &before);

	if (pointer == 0) {
		put_bytes(w, wire, len);
	} else if (has_room(w, before + 2)) {
		bytes_copy(w->out + w->at, wire, before);
		bytes_put16(w->out + w->at + before, (uint16_t)pointer);
		w->at += before + 2;
	}
	return len;
}

/* To where the message holds this very name already; 0: nowhere. */
static uint16_t find_pointer(const struct writer *w, const uint8_t *wire)
{
	uintptr_t into = (uintptr_t)wire - (uintptr_t)w->qname;

	if (into < w->q->name.len)
		return (uint16_t)(QNAME_POINTER + into);
	for (unsigned i = 0; i < w->known_count; i++) {
		if (w->known[i].wire == wire)
			return (uint16_t)(POINTER | w->known[i].at);
	}
	return 0;
}

static void put_owner(struct writer *w, const uint8_t *wire)
{
	uint16_t pointer = find_pointer(w, wire);

	if (pointer != 0) {
		put16(w, pointer);
		return;
	}
	remember(w, wire, w->at);
	(void)put_compressed(w, wire);
}

/* --- records --- */

/* Of the types that RFC 1035 defines, and of no others, names may be compressed (RFC 3597 4). */
static void put_rdata(struct writer *w, uint16_t type, struct bytes rdata)
{
	size_t fixed = type == RR_MX ? 2 : 0;

	switch (type) {
	case RR_NS:
	case RR_CNAME:
	case RR_PTR:
	case RR_MX:
		put_bytes(w, rdata.data, fixed);
		remember(w, rdata.data + fixed, w->at);
		(void)put_compressed(w, rdata.data + fixed);
		return;
	case RR_SOA:
		fixed = put_compressed(w, rdata.data);
		fixed += put_compressed(w, rdata.data + fixed);
		put_bytes(w, rdata.data + fixed, rdata.len - fixed);
		return;
	default:
		put_bytes(w, rdata.data, rdata.len);
	}
}

static void put_record(struct writer *w, const struct answer_set *set, uint16_t type,
                       struct bytes rdata)
{
	size_t before;
	uint8_t *fixed;

	put_owner(w, set->owner);
	if (!has_room(w, 10))
		return;
	fixed = w->out + w->at;
	bytes_put16(fixed, type);
	bytes_put16(fixed + 2, w->q->class);
	bytes_put32(fixed + 4, set->ttl);
	w->at += 10;
	before = w->at;
	put_rdata(w, type, rdata);
	bytes_put16(fixed + 8, (uint16_t)(w->at - before));
}

static bool has_names(uint16_t type)
{
	enum { TYPES = 1 << RR_NS | 1 << RR_CNAME | 1 << RR_SOA | 1 << RR_PTR | 1 << RR_MX };

	return type <= RR_MX && (TYPES >> type & 1) != 0;
}

/* A pointer as owner, RDATA as it lies there with its length.  `type_and_class` as in the message.  Returns its end. */
static inline uint8_t *write_record(uint8_t *to, const uint8_t *from, size_t len, uint16_t pointer,
                                    uint32_t type_and_class, uint32_t ttl)
{
	bytes_put16(to, pointer);
	memcpy(to + 2, &type_and_class, sizeof type_and_class);
	bytes_put32(to + 6, ttl);
	bytes_copy(to + PLAIN_HEAD, from, len);
	return to + PLAIN_HEAD + len;
}

/* A whole RRset. */
static inline uint8_t *write_plain(uint8_t *to, const struct rrset *rrset, uint16_t pointer,
                                   uint32_t type_and_class, uint32_t ttl)
{
	const uint8_t *from = rrset->data, *end = from + rrset->bytes;

	do {
		size_t len = 2U + bytes_get16(from);

		to = write_record(to, from, len, pointer, type_and_class, ttl);
		from += len;
	} while (from < end);
	return to;
}

static inline size_t plain_len(const struct rrset *rrset)
{
	return rrset->bytes + (size_t)rrset->count * PLAIN_HEAD;
}

static bool put_plain(struct writer *w, const struct answer_set *set, uint16_t pointer,
                      unsigned *count)
{
	const struct rrset *rrset = set->rrset;
	uint32_t type_and_class = htobe32((uint32_t)rrset->type << 16 | w->q->class);

	if (w->limit - w->at < plain_len(rrset))
		return false;
	w->at = (size_t)(write_plain(w->out + w->at, rrset, pointer, type_and_class, set->ttl) -
	                 w->out);
	*count += rrset->count;
	return true;
}

/* Takes back what a set that does not fit has written. */
static bool take_back(struct writer *w, size_t at, unsigned known)
{
	w->at = at;
	w->known_count = known;
	w->full = false;
	return false;
}

/* A whole RRset, or nothing: then false. */
static bool put_any(struct writer *w, const struct answer_set *set, unsigned *count)
{
	size_t start = w->at;
	unsigned known = w->known_count;
	struct bytes rdata;

	for (size_t at = 0; !w->full && rrset_next(set->rrset, &at, &rdata);)
		put_record(w, set, set->rrset->type, rdata);
	if (w->full)
		return take_back(w, start, known);
	*count += set->rrset->count;
	return true;
}

/* The same of several RRsets, or of more addresses than are told: what came before is left out. */
static bool put_parts(struct writer *w, const struct answer *a, const struct answer_set *set,
                      unsigned *count)
{
	size_t start = w->at;
	unsigned known = w->known_count, before = *count;

	for (unsigned i = 0; i <= set->more && !w->full; i++) {
		struct told told = answer_told(a, set, i);
		struct bytes rdata;

		while (!w->full && told_next(&told, &rdata)) {
			if (answer_told_before(a, set, i, rdata))
				continue;
			put_record(w, set, set->rrset->type, rdata);
			++*count;
		}
	}
	if (!w->full)
		return true;
	*count = before;
	return take_back(w, start, known);
}

static bool put_set(struct writer *w, const struct answer *a, const struct answer_set *set,
                    unsigned *count)
{
	uint16_t pointer = 0;

	if (set->more > 0 || set->from > 0)
		return put_parts(w, a, set, count);
	if (!has_names(set->rrset->type))
		pointer = find_pointer(w, set->owner);
	return pointer != 0 ? put_plain(w, set, pointer, count) : put_any(w, set, count);
}

/* --- the message --- */

/* Answers and authority in order, up to the first RRset that does not fit.  True: all is there. */
static bool put_needed(struct writer *w, const struct answer *a, unsigned count[3])
{
	for (unsigned i = 0; i < a->set_count; i++) {
		if (!put_set(w, a, &a->set[i], &count[0]))
			return false;
	}
	for (unsigned i = 0; i < a->authority_count; i++) {
		if (!put_set(w, a, &a->authority[i], &count[1]))
			return false;
	}
	for (unsigned i = 0; i < a->glue_required; i++) {
		if (!put_set(w, a, &a->glue[i], &count[2]))
			return false;
	}
	return !a->glue_missing;
}

static void put_optional(struct writer *w, const struct answer *a, unsigned count[3])
{
	for (unsigned i = a->glue_required; i < a->glue_count; i++) {
		if (!put_set(w, a, &a->glue[i], &count[2]))
			return;
	}
}

static inline unsigned flags_of(const struct answer *a, const struct query *q)
{
	unsigned flags = FLAG_QR | (q->flags & FLAG_OPCODE) | ((unsigned)a->rcode & 15);

	/* RFC 8906 3.1.4: to an unknown opcode all flags are clear. */
	if ((q->flags & FLAG_OPCODE) == 0)
		flags |= q->flags & FLAG_RD;
	return a->authoritative ? flags | FLAG_AA : flags;
}

static inline void put_header(uint8_t *out, const struct query *q, unsigned flags, unsigned answers,
                              unsigned authority, unsigned additional)
{
	bytes_put16(out, q->id);
	bytes_put16(out + 2, (uint16_t)flags);
	bytes_put16(out + 4, q->question_len > 0);
	bytes_put16(out + 6, (uint16_t)answers);
	bytes_put16(out + 8, (uint16_t)authority);
	bytes_put16(out + 10, (uint16_t)additional);
}

RARE static size_t encode_any(const struct answer *a, const struct query *q, uint8_t *out,
                              size_t limit)
{
	unsigned count[3] = {0};
	struct writer w;
	enum edns_ede ede = a->ede;
	bool truncated;
	size_t opt_len;

	w.out = out;
	w.at = DNS_HEADER_LEN;
	w.limit = limit - edns_len(&q->edns);
	w.full = false;
	w.q = q;
	w.qname = a->qname;
	w.known_count = 0;
	put_bytes(&w, q->packet + DNS_HEADER_LEN, q->question_len);
	truncated = !put_needed(&w, a, count);
	if (!truncated)
		put_optional(&w, a, count);
	if (q->edns.present) {
		/* RFC 8914 3: dropped first when space is short. */
		if (w.limit - w.at < EDNS_EDE_LEN)
			ede = EDE_NONE;
		opt_len = edns_write(&q->edns, (uint16_t)a->rcode, a->scope, ede, out + w.at);
		w.at += opt_len;
		if (q->edns.pads)
			w.at += edns_pad(out, w.at, opt_len, q->edns.pad_beside, limit);
		count[2]++;
	}
	put_header(out, q, flags_of(a, q) | (truncated ? FLAG_TC : 0), count[0], count[1],
	           count[2]);
	return w.at;
}

/* --- what nearly all messages are --- */

/* The query's header with QR and AA: of what it says, ID, RD and the count of questions stay. */
static inline void put_usual_header(uint8_t *out, const struct query *q, unsigned rcode,
                                    unsigned answers, unsigned authority)
{
	const uint64_t kept = (uint64_t)0xffff << 48 | (uint64_t)FLAG_RD << 32 | 0xffff0000u;
	uint64_t front;

	memcpy(&front, q->packet, sizeof front);
	front = (be64toh(front) & kept) | (uint64_t)(FLAG_QR | FLAG_AA | rcode) << 32 | answers;
	front = htobe64(front);
	memcpy(out, &front, sizeof front);
	bytes_put32(out + 8, authority << 16 | q->edns.present);
}

/* Behind the records.  Returns the message's length. */
static inline size_t end_message(uint8_t *out, uint8_t *end, const struct answer *a,
                                 const struct query *q)
{
	if (q->edns.present)
		end += edns_write(&q->edns, (uint16_t)a->rcode, a->scope, EDE_NONE, end);
	return (size_t)(end - out);
}

/* The addresses of the other sites, each as the first record but for its address; what came before is left out.  Returns their end;
 * NULL: not all fits. */
RARE static uint8_t *write_others(const struct answer *a, const uint8_t *first, uint8_t *to,
                                  const uint8_t *limit)
{
	const struct answer_set *set = &a->set[0];

	for (unsigned i = 0; i < set->more; i++) {
		struct bytes rdata;

		for (size_t at = 0; rrset_next(a->more[i], &at, &rdata);) {
			if (rrsets_have(set->rrset, a->more, i, rdata))
				continue;
			if ((size_t)(limit - to) < PLAIN_HEAD + 2 + rdata.len)
				return NULL;
			memcpy(to, first, PLAIN_HEAD);
			bytes_copy(to + PLAIN_HEAD, rdata.data - 2, rdata.len + 2);
			to += PLAIN_HEAD + 2 + rdata.len;
		}
	}
	return to;
}

/* The same where each site has one address, and no two end alike, as nearly always.  NULL: it is not that simple. */
static inline uint8_t *write_single_others(const struct answer *a, const uint8_t *first,
                                           uint8_t *to, const uint8_t *limit)
{
	const struct rrset *const *part = a->more, *const *end = part + a->set[0].more;
	size_t size = a->set[0].rrset->bytes;

	if ((size_t)(limit - to) < (size_t)(end - part) * (PLAIN_HEAD + size))
		return NULL;
	for (; part < end; part++) {
		const uint8_t *from = (*part)->data, *last = from + size - 4;

		if ((*part)->bytes != size)
			return NULL;
		for (const uint8_t *at = first; at < to; at += PLAIN_HEAD + size)
			if (memcmp(at + PLAIN_HEAD + size - 4, last, 4) == 0)
				return NULL;
		memcpy(to, first, PLAIN_HEAD);
		bytes_copy(to + PLAIN_HEAD, from, size);
		to += PLAIN_HEAD + size;
	}
	return to;
}

/* Behind the records of the first site, which begin at `first`.  Returns their end; NULL: not all fits into `room`. */
static inline uint8_t *put_others(const struct answer *a, const uint8_t *first, uint8_t *to,
                                  size_t room, unsigned *count)
{
	const struct rrset *rrset = a->set[0].rrset;
	uint8_t *end = NULL;

	if (rrset->count == 1)
		end = write_single_others(a, first, to, first + room);
	if (end != NULL) {
		*count += a->set[0].more;
		return end;
	}
	end = write_others(a, first, to, first + room);
	if (end != NULL) /* all of them are as long as the first one */
		*count += (unsigned)((size_t)(end - to) / (plain_len(rrset) / rrset->count));
	return end;
}

/* The question, then one RRset of the name and type asked for, then OPT.  `room`: for records.  Returns 0 when they do not
 * fit. */
static inline size_t encode_set(const struct answer *a, const struct query *q, uint8_t *out,
                                size_t room)
{
	const struct answer_set *set = &a->set[0];
	uint8_t *end = out + DNS_HEADER_LEN + q->question_len;
	unsigned count = set->rrset->count;
	uint32_t type_and_class;

	if (room < plain_len(set->rrset))
		return 0;
	bytes_copy(out + DNS_HEADER_LEN, a->qname, q->question_len);
	memcpy(&type_and_class, end - sizeof type_and_class, sizeof type_and_class);
	end = write_plain(end, set->rrset, QNAME_POINTER, type_and_class, set->ttl);
	if (rarely(set->more > 0)) {
		end = put_others(a, out + DNS_HEADER_LEN + q->question_len, end, room, &count);
		if (end == NULL)
			return 0;
	}
	put_usual_header(out, q, RCODE_NOERROR, count, 0);
	return end_message(out, end, a, q);
}

/* One SOA: there is no such name, or nothing of that type. */
static inline bool is_denial(const struct answer *a)
{
	return a->denial != NULL && a->set_count == 0 && a->authority_count == 1 &&
	       a->glue_count == 0 && !a->glue_missing && a->ede == EDE_NONE;
}

/* The question, then that SOA, whose owner stands in the question, whatever follows it there, then OPT. */
static inline size_t encode_denial(const struct answer *a, const struct query *q, uint8_t *out,
                                   size_t room)
{
	const struct denial *d = a->denial;
	uint16_t pointer = (uint16_t)(QNAME_POINTER + (a->authority[0].owner - a->qname));
	uint8_t *end = out + DNS_HEADER_LEN + q->question_len;

	if (room < 2U + d->len)
		return 0;
	bytes_copy(out + DNS_HEADER_LEN, a->qname, q->question_len);
	bytes_put16(end, pointer);
	bytes_copy(end + 2, d->data, d->len);
	for (unsigned i = 0; i < d->pointers; i++)
		bytes_put16(end + 2 + d->pointer[i], pointer);
	put_usual_header(out, q, a->rcode, 0, 1);
	return end_message(out, end + 2 + d->len, a, q);
}

size_t answer_encode(const struct answer *a, const struct query *q, uint8_t *out, size_t limit)
{
	size_t least = ENCODE_LEAST(q), len = 0;

	CHECK(limit >= least);
	if (q->edns.pads)
		return encode_any(a, q, out, limit);
	if (a->stands_alone)
		len = encode_set(a, q, out, limit - least);
	else if (is_denial(a))
		len = encode_denial(a, q, out, limit - least);
	return len > 0 ? len : encode_any(a, q, out, limit);
}
