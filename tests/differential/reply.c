/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/reply.h"

#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "base/bytes.h"
#include "base/xalloc.h"
#include "tests/differential/records.h"

enum { HEADER_LEN = 12, RCODE_MASK = 15, SOA_SERIAL = 2 };

static struct record_set read_section(ldns_rr_list *list, uint32_t *serial)
{
	struct record_set set = {.count = ldns_rr_list_rr_count(list)};

	set.record = xcalloc(set.count + 1, sizeof(*set.record));
	for (size_t i = 0; i < set.count; i++) {
		ldns_rr *rr = ldns_rr_list_rr(list, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA)
			*serial = ldns_rdf2native_int32(ldns_rr_rdf(rr, SOA_SERIAL));
		set.record[i] = records_text(rr);
	}
	records_sort(set.record, set.count);
	return set;
}

static void read_packet(struct reply *r, ldns_pkt *pkt)
{
	r->has_opt = ldns_pkt_edns(pkt);
	if (r->has_opt) {
		r->dnssec_ok = ldns_pkt_edns_do(pkt);
		r->version = ldns_pkt_edns_version(pkt);
		r->rcode |= (unsigned)ldns_pkt_edns_extended_rcode(pkt) << 4;
	}
	r->section[ANSWER] = read_section(ldns_pkt_answer(pkt), &r->serial);
	r->section[AUTHORITY] = read_section(ldns_pkt_authority(pkt), &r->serial);
	r->section[ADDITIONAL] = read_section(ldns_pkt_additional(pkt), &r->serial);
}

/* The question is what stands between the header and its class. */
static bool echoes(const struct message *m, const struct question *q)
{
	size_t len = q->name.len + 4U;

	return bytes_get16(m->data + 4) == 1 && m->len >= HEADER_LEN + len &&
	       memcmp(m->data + HEADER_LEN, q->bytes + HEADER_LEN, len) == 0;
}

struct reply reply_read(const struct message *m, const struct question *q)
{
	struct reply r = {.is_silent = m->data == NULL, .len = m->len};
	ldns_pkt *pkt = NULL;

	if (r.is_silent)
		return r;
	if (m->len < HEADER_LEN) {
		r.is_broken = true;
		return r;
	}
	r.flags = bytes_get16(m->data + 2) & ~(unsigned)RCODE_MASK;
	r.rcode = bytes_get16(m->data + 2) & RCODE_MASK;
	r.has_question = echoes(m, q);
	if (ldns_wire2pkt(&pkt, m->data, m->len) == LDNS_STATUS_OK)
		read_packet(&r, pkt);
	else
		r.is_broken = true;
	ldns_pkt_free(pkt);
	return r;
}

void reply_fini(struct reply *r)
{
	for (unsigned i = 0; i < SECTIONS; i++) {
		for (size_t k = 0; k < r->section[i].count; k++)
			free(r->section[i].record[k]);
		free(r->section[i].record);
	}
}

void reply_print(const struct reply *r, struct text *out)
{
	static const char *const names[] = {"answer", "authority", "additional"};

	if (r->is_silent || r->is_broken) {
		text_add(out, r->is_silent ? "silence\n" : "what ldns cannot read\n");
		return;
	}
	text_printf(out, "rcode %u,%s%s%s%s%s%s%s opcode %u,%s question,%s%s %zu octets\n",
	            r->rcode, r->flags & REPLY_AA ? " aa" : "", r->flags & REPLY_TC ? " tc" : "",
	            r->flags & REPLY_RD ? " rd" : "", r->flags & REPLY_RA ? " ra" : "",
	            r->flags & REPLY_Z ? " z" : "", r->flags & REPLY_AD ? " ad" : "",
	            r->flags & REPLY_CD ? " cd" : "", (r->flags & REPLY_OPCODE) >> 11,
	            r->has_question ? "" : " no", r->has_opt ? " OPT," : "",
	            r->dnssec_ok ? " DO," : "", r->len);
	for (unsigned i = 0; i < SECTIONS; i++)
		for (size_t k = 0; k < r->section[i].count; k++)
			text_printf(out, "  %-10s %s\n", names[i], r->section[i].record[k]);
}

/* --- sets --- */

bool reply_set_has(const struct record_set *set, const char *record)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->record[i], record) == 0)
			return true;
	return false;
}

bool reply_is_subset(const struct record_set *some, const struct record_set *all)
{
	for (size_t i = 0; i < some->count; i++)
		if (!reply_set_has(all, some->record[i]))
			return false;
	return true;
}

bool reply_is_same_set(const struct record_set *a, const struct record_set *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->record[i], b->record[i]) != 0)
			return false;
	return true;
}

/* Behind owner, TTL and class, each with a tab; owners have none, they are written as \009. */
const char *reply_type(const char *record)
{
	for (int i = 0; i < 3 && record != NULL; i++)
		record = strchr(record, '\t') ? strchr(record, '\t') + 1 : NULL;
	return record != NULL ? record : "";
}

bool reply_is_type(const char *record, const char *type)
{
	const char *its = reply_type(record);

	return strncmp(its, type, strlen(type)) == 0 && its[strlen(type)] == '\t';
}

bool reply_has_type(const struct record_set *set, const char *type)
{
	for (size_t i = 0; i < set->count; i++)
		if (reply_is_type(set->record[i], type))
			return true;
	return false;
}
