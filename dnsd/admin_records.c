/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dnsd/admin_parts.h"
#include "zones/rdata.h"

/* The records of one name, of all its sites. */
struct gathered {
	struct one {
		uint16_t type;
		uint32_t ttl;
		struct bytes rdata;
	} * item;
	size_t count, room;
};

static void gather(struct gathered *g, const struct rrset *set)
{
	struct bytes rdata;

	for (size_t at = 0; rrset_next(set, &at, &rdata);) {
		if (g->count == g->room) {
			g->room = g->room ? g->room * 2 : 16;
			g->item = xreallocarray(g->item, g->room, sizeof *g->item);
		}
		g->item[g->count++] = (struct one){set->type, set->ttl, rdata};
	}
}

/* A master file begins with its SOA, as readers of them expect. */
static int order_of(uint16_t type) { return type == RR_SOA ? -1 : type; }

static int by_type(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	if (x->type != y->type)
		return order_of(x->type) < order_of(y->type) ? -1 : 1;
	return bytes_compare(x->rdata, y->rdata);
}

static bool has_other(const struct gathered *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->item[i].type != RR_CNAME)
			return true;
	return false;
}

/* One TTL for an RRset, the smallest (RFC 2181 5.2). */
static uint32_t ttl_of(const struct gathered *g, uint16_t type)
{
	uint32_t ttl = UINT32_MAX;

	for (size_t i = 0; i < g->count; i++)
		if (g->item[i].type == type && g->item[i].ttl < ttl)
			ttl = g->item[i].ttl;
	return ttl;
}

static void add_line(const struct node *n, const struct one *r, uint32_t ttl, struct text *out)
{
	struct text line = {0};
	char type[16], *data = rdata_to_text(r->type, r->rdata);
	size_t len;

	admin_add_name(&line, node_owner(n));
	len = line.len;
	text_printf(&line, "%s %" PRIu32 " IN %s %s", len == 1 && line.data[0] == '.' ? "" : ".",
	            ttl, rdata_type_text(r->type, type), data);
	text_add_json(out, (struct bytes){(const uint8_t *)line.data, line.len});
	text_fini(&line);
	free(data);
}

void admin_add_records(const struct node *n, bool is_first, struct text *out)
{
	struct gathered g = {NULL, 0, 0};
	const struct rrset *set;
	bool other;

	for (size_t i = 0; (set = node_rrset_at(n, i)) != NULL; i++)
		gather(&g, set);
	for (size_t i = 0; i < node_site_count(n); i++)
		for (size_t k = 0; (set = site_rrset_at(node_site(n, i), k)) != NULL; k++)
			gather(&g, set);
	if (g.count == 0 && node_fallback(n))
		gather(&g, node_fallback(n));
	if (g.count > 1)
		qsort(g.item, g.count, sizeof *g.item, by_type);
	other = has_other(&g);
	for (size_t i = 0; i < g.count; i++) {
		bool is_alias = g.item[i].type == RR_CNAME;

		/* The same of two sites; aliases beside what cannot stand beside them. */
		if ((i > 0 && by_type(&g.item[i - 1], &g.item[i]) == 0) ||
		    (is_alias && (other || i > 0)))
			continue;
		text_add(out, is_first ? "" : ",");
		add_line(n, &g.item[i], ttl_of(&g, g.item[i].type), out);
		is_first = false;
	}
	free(g.item);
}
