/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/name_records.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum name_records_share name_records_share(const struct zone *z, const struct node *n)
{
	const uint8_t *owner = node_owner(n);
	struct name name;

	if ((node_flags(n) & NODE_OCCLUDED) == 0)
		return NAME_RECORDS_ALL;
	return name_parse(&name, owner, name_wire_len(owner)) > 0 &&
	                       zone_find(z, &name).match == ZONE_DNAME
	               ? NAME_RECORDS_NONE
	               : NAME_RECORDS_FIXED;
}

void name_records_add(struct name_records *r, const struct rrset *rrset)
{
	struct bytes rdata;

	for (size_t at = 0; rrset_next(rrset, &at, &rdata);) {
		if (r->count == r->room) {
			r->room = r->room * 2 + 16;
			r->item = xreallocarray(r->item, r->room, sizeof(*r->item));
		}
		r->item[r->count++] = (struct name_record){rrset->type, rrset->ttl, rdata};
	}
}

void name_records_add_fixed(struct name_records *r, const struct node *n)
{
	const struct rrset *rrset;

	for (size_t i = 0; (rrset = node_rrset_at(n, i)) != NULL; i++)
		name_records_add(r, rrset);
}

void name_records_add_site(struct name_records *r, const struct site *site)
{
	const struct rrset *rrset;

	for (size_t i = 0; (rrset = site_rrset_at(site, i)) != NULL; i++)
		name_records_add(r, rrset);
}

static int rank(uint16_t type) { return type == RR_SOA ? -1 : type; }

static int by_type_and_rdata(const void *a, const void *b)
{
	const struct name_record *x = a, *y = b;

	if (x->type != y->type)
		return rank(x->type) < rank(y->type) ? -1 : 1;
	return bytes_compare(x->rdata, y->rdata);
}

static void share_ttls(struct name_records *r)
{
	for (size_t i = 1; i < r->count; i++)
		if (r->item[i].type == r->item[i - 1].type && r->item[i].ttl > r->item[i - 1].ttl)
			r->item[i].ttl = r->item[i - 1].ttl;
	for (size_t i = r->count; i > 1; i--)
		if (r->item[i - 2].type == r->item[i - 1].type)
			r->item[i - 2].ttl = r->item[i - 1].ttl;
}

void name_records_settle(struct name_records *r)
{
	size_t others = 0, kept = 0;

	if (r->count > 1)
		qsort(r->item, r->count, sizeof(*r->item), by_type_and_rdata);
	share_ttls(r);
	for (size_t i = 0; i < r->count; i++)
		others += r->item[i].type != RR_CNAME;
	for (size_t i = 0; i < r->count; i++) {
		bool is_alias = r->item[i].type == RR_CNAME;

		if (is_alias ? others == 0 && kept == 0
		             : kept == 0 || by_type_and_rdata(&r->item[kept - 1], &r->item[i]) != 0)
			r->item[kept++] = r->item[i];
	}
	r->count = kept;
}

void name_records_fini(struct name_records *r)
{
	free(r->item);
	*r = (struct name_records){0};
}
