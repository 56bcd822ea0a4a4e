/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/admin_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dnsd/explain.h"
#include "dnsd/name_records.h"
#include "zones/name.h"
#include "zones/rdata.h"
#include "zones/zone.h"

/* --- the token: apex and owner of the last name, in wire form, as hexadecimal digits --- */

struct token {
	uint8_t apex[NAME_MAX_LEN], owner[NAME_MAX_LEN];
};

static void add_hex(struct text *out, const uint8_t *wire)
{
	for (size_t i = 0; i < name_wire_len(wire); i++)
		text_printf(out, "%02x", wire[i]);
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A token may be anything that a stranger types. */
static bool token_parse(const char *text, struct token *out)
{
	uint8_t wire[2 * NAME_MAX_LEN];
	size_t digits = strlen(text), len = digits / 2, apex_len, owner_len;
	struct name name;

	if (digits % 2 || len > sizeof(wire))
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		wire[i] = (uint8_t)(high << 4 | low);
	}
	apex_len = name_parse(&name, wire, len);
	if (!apex_len)
		return false;
	memcpy(out->apex, wire, apex_len);
	owner_len = name_parse(&name, wire + apex_len, len - apex_len);
	if (!owner_len || apex_len + owner_len != len)
		return false;
	memcpy(out->owner, wire + apex_len, owner_len);
	return true;
}

/* --- one name --- */

static void add_record(const struct node *n, const struct rrset *set, struct bytes rdata,
                       struct text *out)
{
	char type[16];
	struct text line = {0};
	char *data = rdata_to_text(set->type, rdata);

	admin_add_name(&line, node_owner(n));
	text_printf(&line, ". %" PRIu32 " IN %s %s", set->ttl, rdata_type_text(set->type, type),
	            data);
	text_add_json(out, bytes_of(line.data));
	text_fini(&line);
	free(data);
}

static void add_records(const struct node *n, struct text *out)
{
	const struct rrset *set;
	const char *between = "";

	text_add(out, ",\"records\":[");
	for (size_t i = 0; (set = node_rrset_at(n, i)) != NULL; i++) {
		struct bytes rdata;

		for (size_t at = 0; rrset_next(set, &at, &rdata);) {
			text_add(out, between);
			add_record(n, set, rdata, out);
			between = ",";
		}
	}
	text_add(out, "]");
}

/* The first RRset's, as it is when nothing is in trouble. */
static uint32_t ttl_of(const struct node *n)
{
	const struct rrset *set = node_rrset_at(n, 0);

	for (size_t i = 0; !set && i < node_site_count(n); i++)
		set = site_rrset_at(node_site(n, i), 0);
	if (!set)
		set = node_fallback(n);
	return set ? set->ttl : 0;
}

static void add_item(const struct snapshot *s, const struct node *n, uint64_t now_ms,
                     struct text *out)
{
	const char *source = snapshot_source(s, node_source(n));

	text_add(out, "{\"name\":");
	admin_add_json_name(out, node_owner(n));
	text_add(out, ",\"source\":");
	text_add_json(out, bytes_of(source ? source : ""));
	text_printf(out, ",\"ttl\":%" PRIu32 ",\"sites\":[", ttl_of(n));
	for (size_t i = 0; i < node_site_count(n); i++) {
		text_add(out, i ? "," : "");
		explain_print_site(s, snapshot_node_policy(s, n), node_site(n, i), now_ms, out);
	}
	text_add(out, "]");
	if (!(node_flags(n) & NODE_SITES) || node_has_fixed(n))
		add_records(n, out);
	text_add(out, "}");
}

/* --- the walk --- */

struct walk {
	const struct admin_view *view;
	const struct admin_names *asked;
	const struct token *after; /* begin behind its owner; NULL: at the zone's beginning */
	const struct zone *zone;
	struct text *out;
	struct text last; /* the token of the last name printed */
	size_t count;
	bool more; /* than the page holds */
};

static bool has_prefix(const uint8_t *owner, const char *prefix)
{
	struct text name = {0};
	bool has;

	if (!prefix)
		return true;
	admin_add_name(&name, owner);
	has = strncasecmp(name.data, prefix, strlen(prefix)) == 0 ||
	      admin_same_name(name.data, prefix);
	text_fini(&name);
	return has;
}

/* The next one is to begin the page, or to follow without a comma of its own. */
static bool has_no_record(const struct zone *zone, const struct node *n)
{
	enum name_records_share share = name_records_share(zone, n);

	return share == NAME_RECORDS_NONE || (share == NAME_RECORDS_FIXED && !node_has_fixed(n));
}

static bool on_node(const struct node *n, void *arg)
{
	struct walk *w = arg;
	const uint8_t *owner = node_owner(n);

	if (node_flags(n) & NODE_EMPTY)
		return true;
	if (w->asked->as_records && has_no_record(w->zone, n))
		return true;
	if (w->after && name_wire_compare(owner, w->after->owner) <= 0)
		return true;
	if (!has_prefix(owner, w->asked->prefix))
		return true;
	if (w->count == w->asked->limit || (w->count > 0 && w->out->len > ADMIN_PAGE_MOST)) {
		w->more = true;
		return false;
	}
	if (w->asked->as_records) {
		admin_add_records(w->zone, n, w->count == 0, w->out);
	} else {
		text_add(w->out, w->count ? "," : "");
		add_item(w->view->snapshot, n, w->view->now_ms, w->out);
	}
	w->count++;
	text_reset(&w->last);
	add_hex(&w->last, zone_apex(w->zone));
	add_hex(&w->last, owner);
	return true;
}

static bool is_asked(const struct zone *zone, const char *name)
{
	struct text apex = {0};
	bool same;

	if (!name || !*name)
		return true;
	admin_add_name(&apex, zone_apex(zone));
	same = admin_same_name(apex.data, name);
	text_fini(&apex);
	return same;
}

/* Zones come in the order of their names, so a page may begin in one that is gone by now.
 * False: none has the name that was asked for. */
static bool walk_zones(struct walk *w, const struct token *from)
{
	const struct zone *zone;
	bool found = !w->asked->zone || !*w->asked->zone;

	for (size_t i = 0; !w->more && (zone = snapshot_zone(w->view->snapshot, i)) != NULL; i++) {
		int order = from ? name_wire_compare(zone_apex(zone), from->apex) : 1;

		if (!is_asked(zone, w->asked->zone))
			continue;
		found = true;
		if (order < 0)
			continue;
		w->zone = zone;
		w->after = order == 0 ? from : NULL;
		zone_each(zone, w->after ? from->owner : NULL, on_node, w);
	}
	return found;
}

enum err admin_print_names(const struct admin_view *view, const struct admin_names *asked,
                           struct text *out, struct reason *why)
{
	struct walk w = {.view = view, .asked = asked, .out = out};
	bool goes_on = asked->from && *asked->from;
	struct token from;
	enum err err = ERR_OK;

	if (goes_on && !token_parse(asked->from, &from))
		return reason_set(why, ERR_PARSE, "continue is not what a page before gave");
	text_add(out, "{\"items\":[");
	if (!walk_zones(&w, goes_on ? &from : NULL))
		err = reason_set(why, ERR_NOTFOUND, "no such zone");
	text_add(out, "],\"continue\":");
	text_add_json(out, bytes_of(w.more ? w.last.data : ""));
	text_add(out, "}\n");
	text_fini(&w.last);
	return err;
}
