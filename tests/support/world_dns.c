/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_inside.h"

#include <ldns/ldns.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/support/world_wire.h"

enum {
	TRY_MS = 2000, /* a datagram may be lost when the machine is busy */
	TRIES = 4,
	TCP_MS = 10000,
	SET_MOST = 512,
	OPTION_ECS = 8,
	OPTION_EDE = 15
};

/* --- records as text --- */

/* The RDATA, its fields joined by spaces; the caller frees. */
static char *rdata_text(const ldns_rr *rr)
{
	struct text out = {0};

	text_add(&out, "");
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		char *field = ldns_rdf2str(ldns_rr_rdf(rr, i));

		text_printf(&out, "%s%s", i ? " " : "", field ? field : "?");
		free(field);
	}
	return text_take(&out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool same_set(const ldns_rr *a, const ldns_rr *b)
{
	return ldns_rr_get_type(a) == ldns_rr_get_type(b) &&
	       ldns_dname_compare(ldns_rr_owner(a), ldns_rr_owner(b)) == 0;
}

static void add(char *out, size_t room, const char *between, const char *text)
{
	size_t len = strlen(out);

	snprintf(out + len, room - len, "%s%s", len ? between : "", text);
}

/* The records of one RRset stand in no order: sorted, so that a test can name them. */
static void print_answer(const ldns_rr_list *list, char *out, size_t room)
{
	size_t count = ldns_rr_list_rr_count(list), next;

	for (size_t i = 0; i < count; i = next) {
		char *set[SET_MOST];
		size_t n = 0;

		for (next = i; next < count && n < SET_MOST &&
		               same_set(ldns_rr_list_rr(list, i), ldns_rr_list_rr(list, next));
		     next++)
			set[n++] = rdata_text(ldns_rr_list_rr(list, next));
		qsort(set, n, sizeof(set[0]), by_text);
		for (size_t k = 0; k < n; k++) {
			add(out, room, " ", set[k]);
			free(set[k]);
		}
	}
}

static void print_section(const ldns_rr_list *list, char *out, size_t room)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		char *owner = ldns_rdf2str(ldns_rr_owner(rr)),
		     *type = ldns_rr_type2str(ldns_rr_get_type(rr));
		char *rdata = rdata_text(rr);
		struct text line = {0};

		text_printf(&line, "%s %s %s", owner, type, rdata);
		add(out, room, "; ", line.data);
		text_fini(&line);
		free(owner);
		free(type);
		free(rdata);
	}
}

static bool has_type(const ldns_rr_list *list, ldns_rr_type type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(list, i)) == type)
			return true;
	return false;
}

/* --- a reply --- */

static void add_option(unsigned code, const uint8_t *data, size_t len, struct world_answer *out)
{
	struct text one = {0};

	text_printf(&one, "%u=", code);
	for (size_t i = 0; i < len; i++)
		text_printf(&one, "%02x", data[i]);
	add(out->options, sizeof(out->options), " ", one.data);
	text_fini(&one);
}

static void read_options(const ldns_pkt *pkt, struct world_answer *out)
{
	const ldns_rdf *data = ldns_pkt_edns_data(pkt);
	const uint8_t *at = data ? ldns_rdf_data(data) : NULL;
	size_t left = data ? ldns_rdf_size(data) : 0;

	while (left >= 4) {
		unsigned code = bytes_get16(at), len = bytes_get16(at + 2);

		if (len > left - 4)
			fail_msg("an EDNS option is longer than the record");
		add_option(code, at + 4, len, out);
		if (code == OPTION_ECS && len >= 4)
			out->scope = at[4 + 3];
		if (code == OPTION_EDE && len >= 2 && out->ede < 0)
			out->ede = (int)bytes_get16(at + 4);
		at += 4 + len;
		left -= 4 + len;
	}
}

static const char *nothing(const ldns_pkt *pkt, int rcode)
{
	const ldns_lookup_table *word = ldns_lookup_by_id(ldns_rcodes, rcode);

	if (rcode == 16)
		return "BADVERS";
	if (rcode != LDNS_RCODE_NOERROR)
		return word ? word->name : "RCODE";
	if (has_type(ldns_pkt_authority(pkt), LDNS_RR_TYPE_SOA))
		return "NODATA";
	return has_type(ldns_pkt_authority(pkt), LDNS_RR_TYPE_NS) ? "REFERRAL" : "EMPTY";
}

static uint32_t first_ttl(const ldns_pkt *pkt)
{
	const ldns_rr_list *answer = ldns_pkt_answer(pkt), *authority = ldns_pkt_authority(pkt);

	if (ldns_rr_list_rr_count(answer) > 0)
		return ldns_rr_ttl(ldns_rr_list_rr(answer, 0));
	return ldns_rr_list_rr_count(authority) > 0 ? ldns_rr_ttl(ldns_rr_list_rr(authority, 0))
	                                            : 0;
}

struct world_answer world_wire_read(struct world *w, const uint8_t *reply, size_t len)
{
	struct world_answer out = {.scope = -1, .ede = -1};
	ldns_pkt *pkt = NULL;
	ldns_status status = ldns_wire2pkt(&pkt, reply, len);
	const ldns_rr_list *answer;

	if (status != LDNS_STATUS_OK)
		world_fail(w, "ldns cannot read the reply: %s", ldns_get_errorstr_by_id(status));
	answer = ldns_pkt_answer(pkt);
	out.rcode = ldns_pkt_edns_extended_rcode(pkt) << 4 | (int)ldns_pkt_get_rcode(pkt);
	out.authoritative = ldns_pkt_aa(pkt);
	out.truncated = ldns_pkt_tc(pkt);
	out.ttl = first_ttl(pkt);
	out.has_opt = ldns_pkt_edns(pkt);
	read_options(pkt, &out);
	print_answer(answer, out.records, sizeof(out.records));
	if (!out.records[0] || out.rcode != LDNS_RCODE_NOERROR)
		add(out.records, sizeof(out.records), " ",
		    out.truncated ? "TRUNCATED" : nothing(pkt, out.rcode));
	print_section(ldns_pkt_authority(pkt), out.authority, sizeof(out.authority));
	print_section(ldns_pkt_additional(pkt), out.additional, sizeof(out.additional));
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(answer, i));

		out.address_count += type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_AAAA;
	}
	ldns_pkt_free(pkt);
	return out;
}

/* --- asking --- */

static size_t ask_tcp(struct world *w, const uint8_t *query, size_t len, uint8_t *reply)
{
	uint8_t framed[514];
	int fd = world_wire_connect(w);
	size_t got;

	world_wire_send(w, fd, framed, world_wire_frame(query, len, framed));
	got = world_wire_receive(w, fd, reply, TCP_MS);
	close(fd);
	return got;
}

static size_t ask_udp(struct world *w, const struct world_question *q, const uint8_t *query,
                      size_t len, uint8_t *reply)
{
	size_t got = 0;

	for (unsigned i = 0; i < TRIES && got == 0; i++)
		got = world_wire_udp(w, q, query, len, reply, TRY_MS);
	return got;
}

struct world_answer world_question(struct world *w, const struct world_question *q)
{
	static const struct world_answer silence = {.scope = -1, .ede = -1, .records = "SILENCE"};
	uint8_t query[512], *reply = malloc(WIRE_ROOM);
	uint16_t id = (uint16_t)(rand() & 0xffff);
	size_t len = world_wire_build(q, id, query), got;
	struct world_answer out = silence;

	inside_demand_alive(w);
	got = q->tcp ? ask_tcp(w, query, len, reply) : ask_udp(w, q, query, len, reply);
	if (got >= 2 && bytes_get16(reply) != id)
		world_fail(w, "the reply has another ID");
	if (got > 0)
		out = world_wire_read(w, reply, got);
	free(reply);
	return out;
}

struct world_answer world_query(struct world *w, const char *name, const char *type,
                                const char *client)
{
	return world_question(
		w, &(struct world_question){.name = name, .type = type, .client = client});
}

static const char *keep(struct world *w, const char *text)
{
	text_reset(&w->answer);
	text_add(&w->answer, text);
	return w->answer.data;
}

const char *world_ask(struct world *w, const char *name, const char *type, const char *client)
{
	struct world_answer a = world_query(w, name, type, client);

	return keep(w, a.records);
}

const char *world_ask_tcp(struct world *w, const char *name, const char *type, const char *client)
{
	struct world_answer a = world_question(
		w, &(struct world_question){
			   .name = name, .type = type, .client = client, .tcp = true});

	return keep(w, a.records);
}

static void wrong(struct world *w, const char *name, const char *type, const char *client,
                  const char *expected, const char *when, unsigned ms)
{
	world_fail(w, "%s %s for %s %s %u ms:\n  expected %s\n  got      %s", name, type,
	           client ? client : "nobody", when, ms, expected, w->answer.data);
}

void world_expect(struct world *w, const char *name, const char *type, const char *client,
                  const char *expected, unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);

	while (strcmp(world_ask(w, name, type, client), expected) != 0) {
		if (!inside_has_time(deadline))
			wrong(w, name, type, client, expected, "after", within_ms);
		inside_rest();
	}
}

void world_expect_stays(struct world *w, const char *name, const char *type, const char *client,
                        const char *expected, unsigned for_ms)
{
	uint64_t begin = inside_now_ms();

	do {
		if (strcmp(world_ask(w, name, type, client), expected) != 0)
			wrong(w, name, type, client, expected, "did not stay for", for_ms);
		inside_rest();
	} while (inside_now_ms() < begin + for_ms);
}
