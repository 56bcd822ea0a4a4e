/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/question.h"

#include <ctype.h>
#include <string.h>

#include "base/bytes.h"

enum {
	HEADER_LEN = 12,
	LEAST_ROOM = 512,
	MOST_ROOM = 1232, /* of all three servers, as configured or built */
	CLASS_IN = 1,
	ODD_PERCENT = 2
};

enum {
	FLAG_QR = 0x8000,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_RA = 0x0080,
	FLAG_Z = 0x0040,
	FLAG_AD = 0x0020,
	FLAG_CD = 0x0010
};

/* --- the name --- */

static struct dname some_owner(const struct made *m, struct dice *d)
{
	return m->set[dice_roll(d, m->set_count)].owner;
}

static struct dname with_labels_before(struct dice *d, struct dname n, unsigned count)
{
	uint8_t label[63];

	while (count-- > 0)
		(void)dname_put_before(label, made_label(d, label), &n, &n);
	return n;
}

static struct dname longest(struct dice *d, struct dname n)
{
	uint8_t label[63];

	memset(label, 'm', sizeof(label));
	while (dname_put_before(label, 1 + dice_roll(d, 63), &n, &n) && !dice_chance(d, 10))
		;
	return n;
}

/* Of a DNAME, if one is found soon: below it a long name becomes too long. */
static struct dname some_dname(const struct made *m, struct dice *d)
{
	enum { TRIES = 20 };
	const struct made_set *s = &m->set[0];

	for (int i = 0; i < TRIES && s->type != TYPE_DNAME; i++)
		s = &m->set[dice_roll(d, m->set_count)];
	return s->owner;
}

static struct dname make_name(const struct made *m, struct dice *d)
{
	unsigned kind = dice_roll(d, 100);
	struct dname n = some_owner(m, d);

	if (kind < 45)
		return n;
	if (kind < 68)
		return with_labels_before(d, n, 1 + dice_roll(d, 3));
	if (kind < 76)
		return dname_parent(&n);
	if (kind < 86)
		return with_labels_before(d, dname_parent(&n), 1);
	if (kind < 94)
		return made_name_below(d, &m->zone[dice_roll(d, m->zone_count)].apex);
	if (kind < 97)
		return longest(d, dice_chance(d, 50) ? some_dname(m, d) : n);
	return with_labels_before(d, dname_of(dice_chance(d, 50) ? "x" : ""), dice_roll(d, 3));
}

static void mix_case(struct dice *d, struct dname *n)
{
	for (size_t at = 0; n->wire[at] != 0; at += 1U + n->wire[at])
		for (size_t i = at + 1; i <= at + n->wire[at]; i++)
			if (dice_chance(d, 50))
				n->wire[i] = (uint8_t)toupper(n->wire[i]);
}

/* --- the rest --- */

static uint16_t make_type(const struct made *m, struct dice *d)
{
	static const uint16_t types[] = {
		TYPE_A,    TYPE_A,     TYPE_AAAA, TYPE_NS,      TYPE_CNAME,       TYPE_SOA,
		TYPE_PTR,  TYPE_MX,    TYPE_TXT,  TYPE_SRV,     TYPE_DS,          TYPE_DNAME,
		TYPE_SVCB, TYPE_HTTPS, TYPE_CAA,  TYPE_UNKNOWN, TYPE_UNKNOWN + 1, TYPE_ANY};
	/* RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, NULL, MD, SPF, ZONEMD, MAILB, MAILA, and two that nobody knows. */
	static const uint16_t others[] = {46, 47, 48, 50, 51, 10, 3, 99, 63, 253, 254, 65535, 0};

	if (dice_chance(d, 40))
		return m->set[dice_roll(d, m->set_count)].type;
	if (dice_chance(d, 94))
		return dice_pick(d, types);
	return dice_chance(d, 10) ? (uint16_t)(dice_chance(d, 50) ? TYPE_AXFR : TYPE_IXFR)
	                          : dice_pick(d, others);
}

static uint16_t make_class(struct dice *d)
{
	static const uint16_t classes[] = {3, 4, 254, 255, 0, 1000}; /* CH, HS, NONE, ANY */

	return dice_chance(d, 99) ? CLASS_IN : dice_pick(d, classes);
}

static uint16_t make_flags(struct dice *d, enum oddity oddity)
{
	static const uint16_t odd[] = {FLAG_AA, FLAG_TC, FLAG_RA, FLAG_Z, 5, 15};
	unsigned flags = 0;

	flags |= dice_chance(d, 40) ? FLAG_RD : 0;
	flags |= dice_chance(d, 10) ? FLAG_CD : 0;
	flags |= dice_chance(d, 10) ? FLAG_AD : 0;
	flags |= dice_chance(d, 3) ? dice_pick(d, odd) : 0;
	flags |= oddity == QUESTION_RESPONSE ? FLAG_QR : 0;
	/* Not NOTIFY and UPDATE, which each server has other rules for. */
	if (oddity == QUESTION_OPCODE)
		flags |= (unsigned)dice_pick(d, ((const uint16_t[]){1, 2, 3, 7, 8, 15})) << 11;
	return (uint16_t)flags;
}

static void make_opt(struct dice *d, struct question *q)
{
	static const uint16_t sizes[] = {512, 1232, 1232, 1232, 4096, 1000, 700, 100, 0, 65535};

	q->has_opt = dice_chance(d, 60);
	q->size = dice_pick(d, sizes);
	q->dnssec_ok = dice_chance(d, 30);
	q->version = dice_chance(d, 1) ? 1 + dice_roll(d, 255) : 0;
}

/* --- bytes --- */

static void put_opt(struct question *q)
{
	uint8_t *at = q->bytes + q->len;
	unsigned count = bytes_get16(q->bytes + 10);

	at[0] = 0;
	bytes_put16(at + 1, TYPE_OPT);
	bytes_put16(at + 3, (uint16_t)q->size);
	at[5] = 0;
	at[6] = (uint8_t)q->version;
	bytes_put16(at + 7, q->dnssec_ok ? 0x8000 : 0);
	bytes_put16(at + 9, 0);
	q->len += 11;
	bytes_put16(q->bytes + 10, (uint16_t)(count + 1));
}

static void encode(struct question *q)
{
	memset(q->bytes, 0, sizeof(q->bytes));
	bytes_put16(q->bytes + 2, q->flags);
	bytes_put16(q->bytes + 4, 1);
	memcpy(q->bytes + HEADER_LEN, q->name.wire, q->name.len);
	q->len = HEADER_LEN + q->name.len;
	bytes_put16(q->bytes + q->len, q->type);
	bytes_put16(q->bytes + q->len + 2, q->dns_class);
	q->len += 4;
	if (q->has_opt)
		put_opt(q);
}

static void spoil(struct dice *d, struct question *q)
{
	switch (q->oddity) {
	case QUESTION_CUT:
		q->len = dice_roll(d, q->len);
		break;
	case QUESTION_COUNTS:
		q->bytes[5 + 2 * dice_roll(d, 4)] = (uint8_t)dice_roll(d, 5);
		break;
	case QUESTION_POINTER:
		q->bytes[HEADER_LEN] = dice_pick(d, ((const uint8_t[]){0xc0, 0x40, 0x80, 0xff}));
		break;
	case QUESTION_TRAILING:
		q->len += 1 + dice_roll(d, 20);
		break;
	case QUESTION_TWO_OPT:
		put_opt(q);
		put_opt(q);
		break;
	case QUESTION_PLAIN:
	case QUESTION_OPCODE:
	case QUESTION_RESPONSE:
		break;
	}
}

struct question question_make(const struct made *m, struct dice *d)
{
	struct question q = {.name = make_name(m, d), .type = make_type(m, d)};

	if (dice_chance(d, ODD_PERCENT))
		q.oddity = (enum oddity)(1 + dice_roll(d, QUESTION_TWO_OPT));
	if (dice_chance(d, 30))
		mix_case(d, &q.name);
	q.dns_class = make_class(d);
	q.flags = make_flags(d, q.oddity);
	q.tcp = q.oddity == QUESTION_PLAIN && dice_chance(d, 8);
	make_opt(d, &q);
	encode(&q);
	spoil(d, &q);
	return q;
}

struct question question_over_tcp(const struct question *q)
{
	struct question again = *q;

	again.tcp = true;
	return again;
}

size_t question_room(const struct question *q)
{
	if (q->tcp)
		return UINT16_MAX;
	if (!q->has_opt || q->size < LEAST_ROOM)
		return LEAST_ROOM;
	return q->size < MOST_ROOM ? q->size : MOST_ROOM;
}

void question_print(const struct question *q, struct text *out)
{
	dname_print(&q->name, out);
	text_printf(out, " CLASS%u TYPE%u, %s, flags %04x", q->dns_class, q->type,
	            q->tcp ? "TCP" : "UDP", q->flags);
	if (q->has_opt)
		text_printf(out, ", EDNS %u of %u octets%s", q->version, q->size,
		            q->dnssec_ok ? ", DO" : "");
	if (q->oddity != QUESTION_PLAIN)
		text_printf(out, ", oddity %d", (int)q->oddity);
	text_add(out, "\n");
	for (size_t i = 0; i < q->len; i++)
		text_printf(out, "%02x", q->bytes[i]);
	text_add(out, "\n");
}
