/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/query.h"

#include "base/bytes.h"
#include "dnsd/rare.h"
#include "zones/name_apart.h"
#include "zones/rrset.h"

enum { FLAG_QR = 0x8000, OPCODE_MASK = 0x7800 };
enum { OPCODE_NOTIFY = 4 << 11, OPCODE_UPDATE = 5 << 11 };
enum { TYPE_TKEY = 249, TYPE_MAILB = 253, TYPE_MAILA = 254 };
/* OPT, TSIG, and room for the unknown; at the first one more it stops. */
enum { MAX_RECORDS = 4 };
enum { SOA_NUMBERS = 20 }; /* bytes at the end of its RDATA: five numbers, SERIAL first */
/* That are stepped over to find OPT behind them. */
enum { MAX_QUESTIONS = 2 };

struct record {
	uint16_t type;
	bool at_root;
	struct bytes rdata;
};

/* Steps over an owner name without following pointers; NULL when it is cut or malformed. */
static const uint8_t *skip_name(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *limit = end - at > NAME_MAX_LEN ? at + NAME_MAX_LEN : end;

	while (at < limit) {
		unsigned len = *at;

		if (len == 0)
			return at + 1;
		if ((len & 0xc0) == 0xc0)
			return end - at < 2 ? NULL : at + 2;
		if (len > 63)
			return NULL;
		at += 1 + len;
	}
	return NULL;
}

/* The record at `at`; returns what follows it, or NULL when it is cut. */
static const uint8_t *read_record(const uint8_t *at, const uint8_t *end, struct record *out)
{
	const uint8_t *rest = at < end && *at == 0 ? at + 1 : skip_name(at, end);

	if (rest == NULL || end - rest < 10)
		return NULL;
	out->at_root = *at == 0;
	out->type = bytes_get16(rest);
	out->rdata = (struct bytes){rest + 10, bytes_get16(rest + 8)};
	if ((size_t)(end - out->rdata.data) < out->rdata.len)
		return NULL;
	return out->rdata.data + out->rdata.len;
}

/* The records behind the question: the first `before` of them are not looked at, then come OPT and
 * TSIG; other records are passed over, as BIND does. */
RARE static enum rcode parse_records(const uint8_t *at, const uint8_t *end, unsigned before,
                                     unsigned count, struct query *q)
{
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *from = at;
		struct record r;

		/* RFC 8945 5.1: TSIG is the last record. */
		if (i == MAX_RECORDS || q->tsig_at != 0)
			return RCODE_FORMERR;
		at = read_record(at, end, &r);
		if (at == NULL)
			return RCODE_FORMERR;
		if (r.type == RR_SOA && i < before && r.rdata.len >= SOA_NUMBERS) {
			q->has_serial = true;
			q->serial = bytes_get32(r.rdata.data + r.rdata.len - SOA_NUMBERS);
		}
		if (r.type == RR_TSIG && i >= before)
			q->tsig_at = (uint16_t)(from - q->packet);
		if (r.type != RR_OPT)
			continue;
		/* RFC 6891 6.1.1: one, owned by the root, in the additional section. */
		if (q->edns.present || !r.at_root || i < before ||
		    !edns_parse((struct bytes){from, (size_t)(at - from)}, &q->edns))
			return RCODE_FORMERR;
	}
	if (q->edns.present && q->edns.version != 0)
		return RCODE_BADVERS;
	return RCODE_NOERROR;
}

/* What BIND answers to types that are no data (RFC 6895 3.1). */
static enum rcode judge_type(struct query *q)
{
	if (q->type < TYPE_TKEY && q->type != RR_OPT)
		return RCODE_NOERROR;
	switch (q->type) {
	case RR_AXFR:
	case RR_IXFR:
		q->ede = EDE_PROHIBITED;
		return RCODE_REFUSED;
	case RR_OPT:
	case RR_TSIG:
	case TYPE_TKEY:
		return RCODE_FORMERR;
	case TYPE_MAILA:
	case TYPE_MAILB:
		return RCODE_NOTIMP;
	default:
		return RCODE_NOERROR;
	}
}

/* The counts are wrong.  The answer to a query with OPT has one too (RFC 6891 7), so it is looked
 * for, if the questions can be stepped over. */
static enum rcode refuse_counts(const uint8_t *packet, size_t len, struct query *q)
{
	const uint8_t *at = packet + DNS_HEADER_LEN, *end = packet + len;
	unsigned questions = bytes_get16(packet + 4);
	unsigned before = (unsigned)bytes_get16(packet + 6) + bytes_get16(packet + 8);
	bool is_bare = questions == 0 && before == 0;
	enum rcode rcode;

	if (questions > MAX_QUESTIONS)
		return RCODE_FORMERR;
	while (questions-- > 0) {
		at = skip_name(at, end);
		if (at == NULL || end - at < 4)
			return RCODE_FORMERR;
		at += 4;
	}
	rcode = parse_records(at, end, before, before + bytes_get16(packet + 10), q);
	q->is_cookie_only =
		is_bare && rcode == RCODE_NOERROR && (q->edns.asked & EDNS_ASKED_COOKIE) != 0;
	return RCODE_FORMERR;
}

/* What nearly all queries have behind the question: nothing, or OPT as the end of the message. */
static inline enum rcode parse_additional(const uint8_t *at, const uint8_t *end, unsigned count,
                                          struct query *q)
{
	size_t left = (size_t)(end - at);

	if (count == 0)
		return RCODE_NOERROR;
	if (rarely(count > 1 || left < EDNS_OPT_LEN || *at != 0 || bytes_get16(at + 1) != RR_OPT ||
	           bytes_get16(at + 9) != left - EDNS_OPT_LEN))
		return parse_records(at, end, 0, count, q);
	if (rarely(!edns_parse((struct bytes){at, left}, &q->edns)))
		return RCODE_FORMERR;
	return q->edns.version != 0 ? RCODE_BADVERS : RCODE_NOERROR;
}

static inline enum rcode parse_sections(const uint8_t *packet, size_t len, struct query *q)
{
	const uint8_t *at = packet + DNS_HEADER_LEN, *end = packet + len;
	unsigned authority = bytes_get16(packet + 8), additional = bytes_get16(packet + 10);
	size_t name_len;
	enum rcode rcode;

	/* RFC 9619: exactly one question. */
	if (rarely(bytes_get16(packet + 4) != 1))
		return refuse_counts(packet, len, q);
	name_len = name_take_apart(&q->name, at, (size_t)(end - at));
	if (rarely(name_len == 0 || (size_t)(end - at) - name_len < 4))
		return RCODE_FORMERR;
	at += name_len;
	q->type = bytes_get16(at);
	q->class = bytes_get16(at + 2);
	at += 4;
	q->question_len = (uint16_t)(name_len + 4);
	if (bytes_get32(packet + 6) == 0)
		rcode = parse_additional(at, end, additional, q);
	/* Only IXFR has a record before the additional section (RFC 1995 3). */
	else if (bytes_get16(packet + 6) != 0 || authority > (q->type == RR_IXFR ? 1 : 0))
		return refuse_counts(packet, len, q);
	else
		rcode = parse_records(at, end, authority, authority + additional, q);
	if (rarely(rcode != RCODE_NOERROR))
		return rcode;
	if (rarely(q->class != CLASS_IN)) {
		q->ede = EDE_NOT_AUTHORITATIVE;
		return RCODE_REFUSED;
	}
	return judge_type(q);
}

/* OPT and TSIG are what counts of it; a message has as many other records as fit. */
static enum rcode parse_change(const uint8_t *packet, size_t len, struct query *q)
{
	const uint8_t *at = packet + DNS_HEADER_LEN + q->question_len, *end = packet + len;
	unsigned before = (unsigned)bytes_get16(packet + 6) + bytes_get16(packet + 8);
	struct record r;
	enum rcode rcode;

	edns_clear(&q->edns);
	q->tsig_at = 0;
	for (unsigned i = 0; i < before; i++) {
		at = read_record(at, end, &r);
		if (at == NULL)
			return RCODE_FORMERR;
	}
	rcode = parse_records(at, end, 0, bytes_get16(packet + 10), q);
	return rcode == RCODE_NOERROR ? RCODE_REFUSED : rcode;
}

/* What is no query.  Nobody may change a zone here, or tell us of a newer one: UPDATE (RFC 2136 3.3) and NOTIFY (RFC 1996 3.10)
 * are known, and refused as BIND does, with their question. */
RARE static void refuse_opcode(const uint8_t *packet, size_t len, struct query *q)
{
	unsigned opcode = q->flags & OPCODE_MASK;

	q->is_cookie_only = q->has_serial = false;
	q->ede = EDE_NONE;
	if (opcode != OPCODE_NOTIFY && opcode != OPCODE_UPDATE) {
		q->rcode = RCODE_NOTIMP;
		q->tsig_at = q->question_len = 0;
		return;
	}
	q->rcode = q->question_len > 0 ? parse_change(packet, len, q) : RCODE_FORMERR;
	/* What is asked for is no data, whatever type and class it names. */
	q->type = RR_SOA;
	q->class = CLASS_IN;
}

ALWAYS extern inline bool query_parse(const uint8_t *packet, size_t len, struct query *out)
{
	if (rarely(len < DNS_HEADER_LEN))
		return false;
	out->flags = bytes_get16(packet + 2);
	if (rarely((out->flags & FLAG_QR) != 0))
		return false;
	out->packet = packet;
	out->id = bytes_get16(packet);
	out->ede = EDE_NONE;
	out->is_cookie_only = false;
	out->has_serial = false;
	out->tsig_at = 0;
	out->question_len = 0;
	edns_clear(&out->edns);
	out->rcode = parse_sections(packet, len, out);
	if (rarely((out->flags & OPCODE_MASK) != 0))
		refuse_opcode(packet, len, out);
	return true;
}
