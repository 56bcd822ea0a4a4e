/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/apex.h"

#include <stdio.h>
#include <string.h>

#include "records/names.h"
#include "zones/compile.h"
#include "zones/draft.h"
#include "zones/image.h"
#include "zones/layers.h"

enum { REFRESH = 3600, RETRY = 900, EXPIRE = 604800 };

static uint32_t own_source(const struct served *s)
{
	char name[NAMES_TEXT_SIZE], text[NAMES_TEXT_SIZE + 8];
	size_t len = strlen(names_to_text(s->apex, name));

	/* Shown like other names, without the last dot. */
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	snprintf(text, sizeof(text), "zone %s", name);
	return source_take(s->sources, text);
}

static void add_addresses(struct arena *a, struct draft_rrsets *set, uint16_t type, uint32_t ttl,
                          const struct served_nameserver *ns)
{
	struct draft_rrset *rrset = draft_rrset(a, set, type, ttl, ns->address_count);

	compile_addresses(a, rrset, ns->addresses, ns->address_count);
	if (rrset->count == 0)
		draft_drop(set, type);
}

/* A zone file knows better where its name servers are; an alias has no addresses. */
static bool has_addresses_of_its_own(const struct draft *file)
{
	return draft_find(&file->fixed, RR_A) || draft_find(&file->fixed, RR_AAAA) ||
	       draft_find(&file->fixed, RR_CNAME);
}

void apex_nameserver_image(const struct served *s, const struct served_nameserver *ns,
                           struct buffer *image)
{
	struct draft d = {.owner = ns->wire, .source = own_source(s)};

	if (ns->file.len)
		d.fixed = draft_from_node(s->arena, image_node(&ns->file)).fixed;
	if (!has_addresses_of_its_own(&d)) {
		add_addresses(s->arena, &d.fixed, RR_A, s->ttl, ns);
		add_addresses(s->arena, &d.fixed, RR_AAAA, s->ttl, ns);
	}
	draft_sort(&d.fixed);
	draft_write(&d, image);
}

/* hostmaster.<apex>, or the apex itself when that would be too long. */
static void put_mailbox(const struct served *s, struct buffer *rdata)
{
	static const uint8_t hostmaster[] = "\012hostmaster";
	size_t len = s->edit.apex.len;

	if (len + sizeof(hostmaster) - 1 <= NAME_MAX_LEN)
		buffer_put(rdata, hostmaster, sizeof(hostmaster) - 1);
	buffer_put(rdata, s->apex, len);
}

/* The file's, but for the serial. */
static void renew_soa(const struct served *s, struct draft_rrset *soa)
{
	enum { SOA_NUMBERS = 20 };
	uint8_t *rdata = arena_memdup(s->arena, soa->rdata[0].data, soa->rdata[0].len);

	bytes_put32(rdata + soa->rdata[0].len - SOA_NUMBERS, s->serial);
	soa->rdata[0].data = rdata;
}

static void add_soa(const struct served *s, struct draft_rrsets *set)
{
	struct draft_rrset *soa = draft_rrset(s->arena, set, RR_SOA, s->ttl, 1);
	const struct served_nameserver *first = &s->nameserver[0];
	struct buffer rdata = {NULL, 0, 0};

	if (s->nameserver_count)
		buffer_put(&rdata, first->wire, first->name.len);
	else
		buffer_put(&rdata, s->apex, s->edit.apex.len);
	put_mailbox(s, &rdata);
	buffer_u32(&rdata, s->serial);
	buffer_u32(&rdata, REFRESH);
	buffer_u32(&rdata, RETRY);
	buffer_u32(&rdata, EXPIRE);
	buffer_u32(&rdata, s->negative_ttl);
	soa->rdata[soa->count++] =
		(struct bytes){arena_memdup(s->arena, rdata.data, rdata.len), rdata.len};
	buffer_fini(&rdata);
}

static void add_nameservers(const struct served *s, struct draft_rrsets *set)
{
	struct draft_rrset *ns;

	if (s->nameserver_count == 0)
		return;
	ns = draft_find(set, RR_NS);
	ns = draft_rrset(s->arena, set, RR_NS, ns ? ns->ttl : s->ttl, s->nameserver_count);
	for (size_t i = 0; i < s->nameserver_count; i++)
		ns->rdata[ns->count++] =
			(struct bytes){s->nameserver[i].wire, s->nameserver[i].name.len};
}

static bool lost_addresses(struct draft *d)
{
	bool lost = d->flags & NODE_SITES || draft_find(&d->fixed, RR_A) ||
	            draft_find(&d->fixed, RR_AAAA);

	d->flags &= ~(unsigned)(NODE_SITES | NODE_FAIL_OPEN);
	draft_drop(&d->fixed, RR_A);
	draft_drop(&d->fixed, RR_AAAA);
	return lost;
}

/* A nameserver of the apex's own name: its addresses win. */
static void add_own_addresses(const struct served *s, struct draft *d)
{
	struct text message = {NULL, 0, 0};
	const char *where = source_text(slab_base(s->edit.tree->slab), d->source);

	for (size_t i = 0; i < s->nameserver_count; i++) {
		const struct served_nameserver *ns = &s->nameserver[i];
		char name[NAMES_TEXT_SIZE];

		if (ns->address_count == 0 || !names_wire_equal(ns->wire, s->apex))
			continue;
		if (lost_addresses(d))
			text_printf(&message,
			            "%s: the zone's nameserver of this name has addresses of its "
			            "own; others are left out\n",
			            names_to_text(s->apex, name));
		add_addresses(s->arena, &d->fixed, RR_A, s->ttl, ns);
		add_addresses(s->arena, &d->fixed, RR_AAAA, s->ttl, ns);
		break;
	}
	problems_set(s->problems, PROBLEMS_BUILT_IN, &s->edit.apex, where, &message);
	text_fini(&message);
}

/* What endpoint and file have there; its source with a use of it. */
static struct draft others(struct served *s)
{
	struct draft d = {.owner = s->apex};

	if (s->apex_file.len && s->apex_endpoint.len)
		d = layers_merge(s, &s->edit.apex, &s->apex_file, &s->apex_endpoint);
	else if (s->apex_file.len)
		d = draft_from_node(s->arena, image_node(&s->apex_file));
	else if (s->apex_endpoint.len)
		d = draft_from_node(s->arena, image_node(&s->apex_endpoint));
	if (!s->apex_file.len || !s->apex_endpoint.len)
		problems_set(s->problems, PROBLEMS_FILE, &s->edit.apex, NULL, NULL);
	if (d.source)
		source_ref(s->edit.tree->slab, d.source);
	else
		d.source = own_source(s);
	return d;
}

void apex_image(struct served *s, struct buffer *image)
{
	struct draft d = others(s);
	struct draft_rrset *soa = draft_find(&d.fixed, RR_SOA);

	d.owner = s->apex;
	d.flags |= NODE_APEX;
	if (!s->apex_file.len || !has_addresses_of_its_own(&d))
		add_own_addresses(s, &d);
	if (soa)
		renew_soa(s, soa);
	else
		add_soa(s, &d.fixed);
	add_nameservers(s, &d.fixed);
	draft_sort(&d.fixed);
	draft_write(&d, image);
}
