/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/master.h"
#include "zones/plain.h"
#include "zones/rdata.h"
#include "zones/rrset.h"
#include "zones/zonefile_inside.h"

enum { MOST_TTL = INT32_MAX, SHOWN = 40, CLASS_IN = 1 };

/* What holds for the lines of one part. */
struct scope {
	const struct scope *outer; /* of the file that includes this one; NULL: none does */
	uint32_t part;
	uint32_t base; /* where its line 0 would be */
	uint8_t origin[NAMES_WIRE_MAX];
	uint32_t owner; /* of the last record; ZONEFILE_NONE: there is none yet */
	bool outside;   /* it lies outside the zone */
	bool has_ttl, has_last_ttl;
	uint32_t ttl, last_ttl; /* $TTL; of the last record that said one */
	unsigned depth;
};

struct reading {
	struct zonefile *z;
	const struct zonefile_request *request;
	int dir; /* of the zone file */
	size_t bytes;
	struct scope *scope; /* of the part at hand */
	struct buffer wire, rdata;
	bool is_full; /* too much of something: no further line is looked at */
};

struct line {
	struct bytes text; /* what is left of it */
	uint32_t where;
};

static int shown(struct bytes word) { return (int)(word.len < SHOWN ? word.len : SHOWN); }

static bool is_word(struct bytes word, const char *text)
{
	return word.len == strlen(text) &&
	       strncasecmp((const char *)word.data, text, word.len) == 0;
}

/* --- TTL, class, type --- */

/* "3600", "1h30m" (RFC 1035 knows the number alone; every server knows the units). */
static bool parse_ttl(struct bytes word, uint32_t *out)
{
	static const char units[] = "smhdw";
	static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};
	uint64_t sum = 0, number = 0;
	bool digits = false, any = false;

	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.data[i];
		const char *unit = c ? strchr(units, c | 0x20) : NULL;

		if (c >= '0' && c <= '9') {
			number = number * 10 + (c - '0');
			digits = any = true;
		} else if (unit && digits) {
			sum += number * seconds[unit - units];
			number = 0;
			digits = false;
		} else {
			return false;
		}
		if (number > MOST_TTL || sum > MOST_TTL)
			return false;
	}
	*out = (uint32_t)(sum + number);
	return any && sum + number <= MOST_TTL;
}

/* 0: it is no class. */
static unsigned parse_class(struct bytes word)
{
	uint64_t number;

	if (is_word(word, "IN"))
		return CLASS_IN;
	if (is_word(word, "CH") || is_word(word, "CHAOS"))
		return 3;
	if (is_word(word, "HS") || is_word(word, "HESIOD"))
		return 4;
	if (word.len > 5 && strncasecmp((const char *)word.data, "CLASS", 5) == 0 &&
	    text_to_u64((struct bytes){word.data + 5, word.len - 5}, UINT16_MAX, &number))
		return (unsigned)number;
	return 0;
}

/* The common ones, before ldns is asked. */
static uint16_t parse_type(struct bytes word)
{
	static const struct {
		const char *name;
		uint16_t type;
	} common[] = {{"A", RR_A},         {"AAAA", RR_AAAA}, {"CNAME", RR_CNAME}, {"TXT", RR_TXT},
	              {"MX", RR_MX},       {"NS", RR_NS},     {"PTR", RR_PTR},     {"SRV", RR_SRV},
	              {"HTTPS", RR_HTTPS}, {"SOA", RR_SOA}};

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (is_word(word, common[i].name))
			return common[i].type;
	return rdata_type(word);
}

/* TTL and class, each at most once, in any order, then the type.  False: told. */
static bool parse_head(struct reading *r, struct line *l, struct zonefile_record *out)
{
	struct scope *s = r->scope;
	bool has_ttl = false, has_class = false;

	for (;;) {
		struct bytes word = plain_word(&l->text);
		unsigned class = has_class ? 0 : parse_class(word);
		uint16_t type;

		if (class > CLASS_IN) {
			zonefile_error(r->z, l->where, "'%.*s' is not the class of this zone, IN",
			               shown(word), (const char *)word.data);
			return false;
		}
		if (class) {
			has_class = true;
			continue;
		}
		if (!has_ttl && word.len && parse_ttl(word, &out->ttl)) {
			has_ttl = s->has_last_ttl = true;
			s->last_ttl = out->ttl;
			continue;
		}
		type = parse_type(word);
		if (!has_ttl)
			out->ttl = s->has_ttl        ? s->ttl
			           : s->has_last_ttl ? s->last_ttl
			                             : r->request->ttl;
		out->type = type;
		if (word.len == 0)
			zonefile_error(r->z, l->where, "there is no type");
		else if (type == 0)
			zonefile_error(r->z, l->where,
			               "'%.*s' is not a type that a zone can hold, nor a TTL up "
			               "to %d",
			               shown(word), (const char *)word.data, MOST_TTL);
		return type != 0;
	}
}

/* --- records --- */

/* The line's owner becomes that of the scope.  False: told. */
static bool take_owner(struct reading *r, struct line *l, bool is_indented)
{
	struct scope *s = r->scope;
	struct reason why = {""};
	struct bytes word;
	char name[NAMES_TEXT_SIZE];

	if (is_indented) {
		if (s->owner == ZONEFILE_NONE && !s->outside)
			zonefile_error(r->z, l->where,
			               "there is no record before to take the name of");
		return s->owner != ZONEFILE_NONE || s->outside;
	}
	word = plain_word(&l->text);
	buffer_reset(&r->wire);
	if (plain_parse_name(word, s->origin, &r->wire, &why) != ERR_OK) {
		s->owner = ZONEFILE_NONE;
		s->outside = true;
		zonefile_error(r->z, l->where, "'%.*s': %s", shown(word), (const char *)word.data,
		               why.text);
		return false;
	}
	s->outside = !names_wire_is_under(r->wire.data, r->z->apex.wire);
	if (s->outside) {
		s->owner = ZONEFILE_NONE;
		zonefile_warn(r->z, l->where, "%s lies outside the zone and is left out",
		              names_to_text(r->wire.data, name));
	} else {
		s->owner = zonefile_owner(r->z, r->wire.data, r->wire.len);
	}
	return true;
}

/* Signatures and what they prove are made by who serves. */
static bool is_of_signing(uint16_t type)
{
	enum { NSEC3 = 50, NSEC3PARAM = 51 };

	return type == RR_RRSIG || type == RR_NSEC || type == NSEC3 || type == NSEC3PARAM;
}

static void take_record(struct reading *r, struct line *l, bool is_indented)
{
	struct zonefile_record record = {.where = l->where};
	struct reason why = {""};
	char type[16];

	if (!take_owner(r, l, is_indented) || !parse_head(r, l, &record) || r->scope->outside)
		return;
	if (is_of_signing(record.type)) {
		zonefile_warn(r->z, l->where, "%s of a file is not served, and left out",
		              rdata_type_text(record.type, type));
		return;
	}
	buffer_reset(&r->rdata);
	if (rdata_from_master(record.type, plain_trim(l->text), r->scope->origin, &r->rdata,
	                      &why) != ERR_OK) {
		zonefile_error(r->z, l->where, "%s: %s", rdata_type_text(record.type, type),
		               why.text);
		return;
	}
	r->z->has_dname |= record.type == RR_DNAME;
	zonefile_add(r->z, r->scope->owner, &record, (struct bytes){r->rdata.data, r->rdata.len});
	if (r->z->rdata.len > ZONEFILE_MAX_BYTES || r->z->wires.len > ZONEFILE_MAX_BYTES) {
		zonefile_error(r->z, l->where, "the zone is too large (%d MB of names, or of data)",
		               ZONEFILE_MAX_BYTES >> 20);
		r->is_full = true;
	}
}

/* --- directives --- */

static void take_part(struct reading *r, const char *path, const char *name, uint32_t where,
                      struct scope *scope);

static void take_origin(struct reading *r, struct line *l)
{
	struct bytes word = plain_word(&l->text);
	struct reason why = {"a name is missing"};

	buffer_reset(&r->wire);
	if (word.len == 0 || plain_parse_name(word, r->scope->origin, &r->wire, &why) != ERR_OK)
		zonefile_error(r->z, l->where, "$ORIGIN: %s", why.text);
	else
		memcpy(r->scope->origin, r->wire.data, r->wire.len);
}

static void take_ttl(struct reading *r, struct line *l)
{
	struct bytes word = plain_word(&l->text);

	r->scope->has_ttl = parse_ttl(word, &r->scope->ttl);
	if (!r->scope->has_ttl)
		zonefile_error(r->z, l->where, "$TTL: '%.*s' is not a TTL from 0 to %d",
		               shown(word), (const char *)word.data, MOST_TTL);
}

/* Relative to the zone file's directory, wherever the including file stands, or beginning with it. */
/* The file's name below the zone file's directory, as it is written or behind that directory's own name; the caller frees.
 * NULL: it cannot be there. */
static char *below_dir(const struct reading *r, struct bytes word)
{
	char *name, *below = NULL;
	const char *rest;

	if (word.len >= 2 && word.data[0] == '"' && word.data[word.len - 1] == '"')
		word = (struct bytes){word.data + 1, word.len - 2};
	name = text_copy(word);
	if (name[0] != '/')
		return name;
	rest = zonefile_below(r->dir, name);
	if (rest)
		below = xstrdup(rest);
	free(name);
	return below;
}

static void include(struct reading *r, const struct line *l, const char *name, struct scope *scope)
{
	const char *zone = r->request->path, *slash = strrchr(zone, '/');
	int dir_len = slash ? (int)(slash - zone) + 1 : 0;
	struct text path = {NULL, 0, 0};

	scope->depth++;
	text_printf(&path, "%.*s%s", dir_len, zone, name);
	take_part(r, path.data, path.data + dir_len, l->where, scope);
	text_fini(&path);
}

static void take_include(struct reading *r, struct line *l)
{
	struct bytes word = plain_word(&l->text), origin = plain_word(&l->text);
	struct scope scope = *r->scope;
	struct reason why = {""};
	char *name = below_dir(r, word);

	buffer_reset(&r->wire);
	if (!name)
		zonefile_error(r->z, l->where,
		               "$INCLUDE: %.*s leads out of the zone file's directory",
		               (int)word.len, (const char *)word.data);
	else if (*name == '\0')
		zonefile_error(r->z, l->where, "$INCLUDE: a file name is missing");
	else if (scope.depth == ZONEFILE_MAX_DEPTH || r->z->part_count == ZONEFILE_MAX_FILES)
		zonefile_error(r->z, l->where,
		               "$INCLUDE: more than %d files in each other, or %d in all",
		               ZONEFILE_MAX_DEPTH, ZONEFILE_MAX_FILES);
	else if (origin.len && plain_parse_name(origin, scope.origin, &r->wire, &why) != ERR_OK)
		zonefile_error(r->z, l->where, "$INCLUDE: origin: %s", why.text);
	else {
		if (origin.len)
			memcpy(scope.origin, r->wire.data, r->wire.len);
		include(r, l, name, &scope);
	}
	free(name);
}

static void take_directive(struct reading *r, struct line *l)
{
	struct bytes word = plain_word(&l->text);

	if (is_word(word, "$ORIGIN"))
		take_origin(r, l);
	else if (is_word(word, "$TTL"))
		take_ttl(r, l);
	else if (is_word(word, "$INCLUDE"))
		take_include(r, l);
	else if (is_word(word, "$GENERATE"))
		zonefile_error(r->z, l->where,
		               "$GENERATE is not supported; write the records themselves");
	else
		zonefile_error(r->z, l->where, "'%.*s' is not a directive of master files",
		               shown(word), (const char *)word.data);
}

/* --- files --- */

static void take_lines(struct reading *r, struct bytes text)
{
	struct zonefile *z = r->z;
	struct scope *s = r->scope;
	struct master_line got;
	struct reason why;
	struct master m;
	enum master_got what;

	master_init(&m, text);
	s->base = z->next_where;
	while (!r->is_full && (what = master_next(&m, &got, &why)) != MASTER_END) {
		struct line l = {got.text, s->base + got.line - 1};

		z->next_where = s->base + m.line;
		if (what == MASTER_FAULT) {
			zonefile_error(z, l.where, "%s", why.text);
		} else if (!got.is_indented && got.text.data[0] == '$') {
			uint32_t before = z->next_where;

			take_directive(r, &l);
			/* The lines of an included file lie between: ours go on behind them. */
			if (z->next_where != before) {
				s->base = z->next_where - m.line + 1;
				zonefile_add_place(z, s->part, m.line);
			}
		} else {
			take_record(r, &l, got.is_indented);
		}
	}
	z->next_where = s->base + m.line + 1;
	master_fini(&m);
}

/* Is it one of the files that are read just now? */
static bool is_open(const struct reading *r, const struct stamp *stamp)
{
	for (const struct scope *s = r->scope; s; s = s->outer)
		if (stamp_equal(&r->z->parts[s->part].stamp, stamp))
			return true;
	return false;
}

/* `name`: below the zone file's directory; NULL: the zone file itself.  `where`: of the $INCLUDE. */
static void take_part(struct reading *r, const char *path, const char *name, uint32_t where,
                      struct scope *scope)
{
	struct scope *outer = r->scope;
	struct buffer text = {NULL, 0, 0};
	struct reason why = {""};
	uint32_t part = zonefile_add_part(r->z, path);
	struct stamp stamp;
	enum err err;

	stamp = stamp_at(path);
	if (!name)
		zonefile_add_place(r->z, part, 1);
	if (name && r->dir < 0)
		err = reason_set(&why, ERR_IO, "cannot be included: the directory is not readable");
	else
		err = zonefile_open(name ? r->dir : -1, name ? name : path,
		                    ZONEFILE_MAX_BYTES - r->bytes, &text, &stamp, &why);
	r->z->parts[part].stamp = stamp;
	if (!err && is_open(r, &stamp))
		err = reason_set(&why, ERR_CONFLICT, "is including itself");
	if (err) {
		if (name)
			zonefile_error(r->z, where, "$INCLUDE: %s %s", name, why.text);
		else
			zonefile_unreadable(r->z, why.text);
		buffer_fini(&text);
		return;
	}
	r->bytes += text.len;
	scope->part = part;
	scope->outer = outer;
	r->scope = scope;
	if (name)
		zonefile_add_place(r->z, part, 1);
	take_lines(r, (struct bytes){text.data, text.len});
	r->scope = outer;
	buffer_fini(&text);
}

void zonefile_lines(struct zonefile *z, const struct zonefile_request *request)
{
	struct reading r = {.z = z, .request = request, .dir = zonefile_open_dir(request->path)};
	struct scope scope = {.owner = ZONEFILE_NONE};

	memcpy(scope.origin, request->apex.data, request->apex.len);
	take_part(&r, request->path, NULL, 0, &scope);
	buffer_fini(&r.wire);
	buffer_fini(&r.rdata);
	if (r.dir >= 0)
		close(r.dir);
}
