/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/rdata.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/plain.h"
#include "zones/rrset.h"
#include "zones/svcb.h"

enum { TYPE_NAME_SIZE = 16, SPF = 99, RR_HEAD = 11 };

/* --- types --- */

uint16_t rdata_type(struct bytes text)
{
	char name[TYPE_NAME_SIZE];
	uint64_t number;
	unsigned type;

	if (bytes_equal_text(text, "A"))
		return RR_A;
	if (text.len == 0 || text.len >= sizeof(name))
		return 0;
	memcpy(name, text.data, text.len);
	name[text.len] = '\0';
	if (strncasecmp(name, "TYPE", 4) == 0) {
		if (!text_to_u64((struct bytes){text.data + 4, text.len - 4}, UINT16_MAX, &number))
			return 0;
		type = (unsigned)number;
	} else {
		type = ldns_get_rr_type_by_name(name);
	}
	/* RFC 6895 3.1: 128 to 255 are for questions and the wire alone. */
	return type == RR_OPT || (type >= 128 && type <= 255) ? 0 : (uint16_t)type;
}

/* The name by which ldns knows a type; NULL: only the generic form will do. */
static const char *known_name(uint16_t type)
{
	const ldns_rr_descriptor *d = ldns_rr_descript(type);

	return d && d->_name && strncmp(d->_name, "TYPE", 4) != 0 ? d->_name : NULL;
}

char *rdata_type_text(uint16_t type, char out[16])
{
	const char *name = known_name(type);

	if (name)
		snprintf(out, 16, "%s", name);
	else
		snprintf(out, 16, "TYPE%u", type);
	return out;
}

/* --- the edge to ldns --- */

static ldns_rr *rr_of_wire(uint16_t type, struct bytes rdata)
{
	struct buffer b = {NULL, 0, 0};
	ldns_rr *rr = NULL;
	size_t at = 0;

	buffer_u8(&b, 0);
	buffer_u16(&b, type);
	buffer_u16(&b, LDNS_RR_CLASS_IN);
	buffer_u32(&b, 0);
	buffer_str16(&b, rdata);
	if (ldns_wire2rr(&rr, b.data, b.len, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK ||
	    at != b.len) {
		ldns_rr_free(rr);
		rr = NULL;
	}
	buffer_fini(&b);
	return rr;
}

/* Appends the RDATA of rr; false when it is too long. */
static bool put_wire(const ldns_rr *rr, struct buffer *out)
{
	ldns_buffer *b = ldns_buffer_new(LDNS_MIN_BUFLEN);
	bool good;

	CHECK(b);
	good = ldns_rr_rdata2buffer_wire(b, rr) == LDNS_STATUS_OK &&
	       ldns_buffer_position(b) <= RDATA_MAX;
	if (good)
		buffer_put(out, ldns_buffer_begin(b), ldns_buffer_position(b));
	ldns_buffer_free(b);
	return good;
}

/* Does ldns read the bytes as RDATA of the type, and write the same again?  Finds lengths
 * that lie, and compressed names. */
static bool wire_is_good(uint16_t type, struct bytes rdata)
{
	struct buffer again = {NULL, 0, 0};
	ldns_rr *rr;
	bool good;

	if (!known_name(type))
		return true;
	rr = rr_of_wire(type, rdata);
	good = rr && put_wire(rr, &again) &&
	       bytes_equal((struct bytes){again.data, again.len}, rdata);
	ldns_rr_free(rr);
	buffer_fini(&again);
	return good;
}

/* Quotation marks and parentheses in pairs, nothing that would be a comment. */
static enum err check_pairs(struct bytes text, struct reason *why)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < text.len && depth >= 0; i++) {
		uint8_t c = text.data[i];

		if (c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ';' && !quoted)
			return reason_set(why, ERR_PARSE, "a semicolon outside quotation marks");
		else if (!quoted)
			depth += (c == '(') - (c == ')');
	}
	if (quoted)
		return reason_set(why, ERR_PARSE, "a quotation mark is open");
	return depth ? reason_set(why, ERR_PARSE, "a parenthesis without its other half") : ERR_OK;
}

static enum err read_line(uint16_t type, struct bytes text, const uint8_t *origin,
                          struct buffer *out, struct reason *why)
{
	struct text line = {NULL, 0, 0};
	ldns_rdf *base = NULL;
	ldns_rr *rr = NULL;
	ldns_status status;
	enum err err = ERR_OK;

	text_printf(&line, ". 0 IN %s ", known_name(type));
	text_add_bytes(&line, text);
	if (origin)
		base = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, names_wire_len(origin), origin);
	status = ldns_rr_new_frm_str(&rr, line.data, 0, base, NULL);
	ldns_rdf_deep_free(base);
	text_fini(&line);
	if (status != LDNS_STATUS_OK)
		return reason_set(why, ERR_PARSE, "%s", ldns_get_errorstr_by_id(status));
	if (!put_wire(rr, out))
		err = reason_set(why, ERR_RANGE, "longer than 64 KiB");
	ldns_rr_free(rr);
	return err;
}

/* How many bytes of text are a label "@" that is not the origin; 0: none are. */
static size_t at_label(struct bytes text)
{
	static const char *const forms[] = {"\\064", "\\@", "@"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t len = strlen(forms[i]);

		if (text.len < len || memcmp(text.data, forms[i], len) != 0)
			continue;
		if (text.len == len || text.data[len] == ' ' || text.data[len] == '\t')
			return len > 1 ? len : 0;
		return text.data[len] == '.' ? len : 0;
	}
	return 0;
}

/* The text with `letter` for each such label that begins a word; false: there is none. */
static bool replace_at_labels(struct bytes text, const char *letter, struct text *out)
{
	bool begins = true, any = false;

	for (size_t i = 0; i < text.len;) {
		struct bytes rest = {text.data + i, text.len - i};
		size_t at = begins ? at_label(rest) : 0;

		if (at > 0) {
			text_add(out, letter);
			any = true;
		} else {
			at = *rest.data == '\\' && rest.len > 1 ? 2 : 1;
			text_add_bytes(out, (struct bytes){rest.data, at});
		}
		begins = *rest.data == ' ' || *rest.data == '\t' || *rest.data == '(';
		i += at;
	}
	return any;
}

/* ldns takes a name whose first label is "@" for the origin, however it is written.  So it reads the line with two other
 * letters: where both readings differ, "@" belongs. */
static enum err read_line_with_at(uint16_t type, struct bytes text, const uint8_t *origin,
                                  struct buffer *out, struct reason *why)
{
	struct text a = {NULL, 0, 0}, b = {NULL, 0, 0};
	struct buffer other = {NULL, 0, 0};
	size_t before = out->len;
	enum err err;

	if (!replace_at_labels(text, "a", &a) || !replace_at_labels(text, "b", &b))
		err = read_line(type, text, origin, out, why);
	else if (!(err = read_line(type, bytes_of(a.data), origin, out, why)))
		err = read_line(type, bytes_of(b.data), origin, &other, why);
	if (!err && other.len > 0 && other.len != out->len - before)
		err = reason_set(why, ERR_PARSE, "not well formed for its type");
	for (size_t i = 0; !err && i < other.len; i++)
		if (out->data[before + i] != other.data[i])
			out->data[before + i] = '@';
	text_fini(&a);
	text_fini(&b);
	buffer_fini(&other);
	return err;
}

static enum err parse_by_ldns(uint16_t type, struct bytes text, const uint8_t *origin,
                              struct buffer *out, struct reason *why)
{
	enum err err = check_pairs(text, why);

	if (err)
		return err;
	if (!known_name(type))
		return reason_set(why, ERR_UNSUPPORTED,
		                  "no text form of this type is known; use \\# (RFC 3597)");
	return read_line_with_at(type, text, origin, out, why);
}

/* --- text to wire --- */

static bool has_any(struct bytes text, const char *wanted)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(wanted, text.data[i]))
			return true;
	return false;
}

static bool has_control(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' && text.data[i] != '\t')
			return true;
	return false;
}

static bool is_text_type(uint16_t type) { return type == RR_TXT || type == SPF; }

/* Also tells by *foreign whether the bytes still have to be checked as ones of the type. */
static enum err parse(uint16_t type, struct bytes text, const uint8_t *origin, struct buffer *out,
                      bool *foreign, struct reason *why)
{
	struct bytes trimmed = plain_trim(text);
	const char *fields = plain_fields(type);

	*foreign = false;
	if (text.len > RDATA_MAX)
		return reason_set(why, ERR_RANGE, "the text is longer than 64 KiB");
	if (trimmed.len >= 2 && memcmp(trimmed.data, "\\#", 2) == 0) {
		*foreign = true;
		return plain_parse_generic((struct bytes){trimmed.data + 2, trimmed.len - 2}, out,
		                           why);
	}
	if (is_text_type(type) && (text.len == 0 || text.data[0] != '"'))
		return plain_parse_text(text, out, why);
	if (has_control(text))
		return reason_set(why, ERR_PARSE, "a control character");
	if (type == RR_A || type == RR_AAAA)
		return plain_parse_address(type, trimmed, out, why);
	if (fields && !has_any(trimmed, "();\""))
		return plain_parse_fields(fields, trimmed, origin, out, why);
	*foreign = true;
	return parse_by_ldns(type, trimmed, origin, out, why);
}

static enum err parse_checked(uint16_t type, struct bytes text, const uint8_t *origin,
                              struct buffer *out, struct reason *why)
{
	size_t before = out->len;
	bool foreign;
	enum err err = parse(type, text, origin, out, &foreign, why);

	if (!err && foreign &&
	    !wire_is_good(type,
	                  (struct bytes){out->data ? out->data + before : NULL, out->len - before}))
		err = reason_set(why, ERR_PARSE, "not well formed for its type");
	if (!err && (type == RR_SVCB || type == RR_HTTPS))
		err = svcb_normalize(out->data + before, out->len - before, why);
	if (err)
		out->len = before;
	return err;
}

enum err rdata_from_text(uint16_t type, struct bytes text, struct buffer *out, struct reason *why)
{
	return parse_checked(type, text, NULL, out, why);
}

enum err rdata_from_master(uint16_t type, struct bytes text, const uint8_t *origin,
                           struct buffer *out, struct reason *why)
{
	size_t before = out->len;
	enum err err;

	if (!is_text_type(type) || (text.len >= 2 && memcmp(text.data, "\\#", 2) == 0))
		return parse_checked(type, text, origin, out, why);
	err = plain_parse_strings(text, out, why);
	if (err)
		out->len = before;
	return err;
}

/* --- wire to text --- */

static bool print_by_ldns(uint16_t type, struct bytes rdata, struct text *out)
{
	ldns_rr *rr = known_name(type) ? rr_of_wire(type, rdata) : NULL;
	char *line = rr ? ldns_rr2str_fmt(ldns_output_format_nocomments, rr) : NULL, *at = line;

	/* Behind owner, TTL, class and type. */
	for (int tabs = 0; at && tabs < 4; tabs++) {
		at = strchr(at, '\t');
		at = at ? at + 1 : NULL;
	}
	if (at) {
		at[strcspn(at, "\n")] = '\0';
		text_add_bytes(out, plain_trim(bytes_of(at)));
	}
	free(line);
	ldns_rr_free(rr);
	return at != NULL;
}

static bool print(uint16_t type, struct bytes rdata, struct text *out)
{
	const char *fields = plain_fields(type);
	char address[ADDR_TEXT_SIZE];
	struct addr a = {.family = type == RR_A ? ADDR_IPV4 : ADDR_IPV6};

	if ((type == RR_A && rdata.len == 4) || (type == RR_AAAA && rdata.len == 16)) {
		memcpy(a.bytes, rdata.data, rdata.len);
		text_add(out, addr_print(&a, address));
		return true;
	}
	if (fields)
		return plain_print_fields(fields, rdata, out);
	if (is_text_type(type))
		return plain_print_text(rdata, out);
	return print_by_ldns(type, rdata, out);
}

/* Whatever ldns prints must mean the same bytes when it is read. */
static bool reads_back(uint16_t type, const struct text *text, struct bytes rdata)
{
	struct buffer again = {NULL, 0, 0};
	bool same = rdata_from_text(type, (struct bytes){(const uint8_t *)text->data, text->len},
	                            &again, NULL) == ERR_OK &&
	            bytes_equal((struct bytes){again.data, again.len}, rdata);

	buffer_fini(&again);
	return same;
}

char *rdata_to_text(uint16_t type, struct bytes rdata)
{
	struct text out = {NULL, 0, 0};
	bool plain = type == RR_A || type == RR_AAAA || plain_fields(type) || is_text_type(type);

	if (!print(type, rdata, &out) || (!plain && !reads_back(type, &out, rdata))) {
		text_reset(&out);
		plain_print_generic(rdata, &out);
	}
	return text_take(&out);
}

/* --- lines --- */

/* TTL and class, each at most once, in any order; then the type, which is left in *word. */
static enum err parse_ttl_and_class(struct bytes *rest, struct bytes *word, struct rdata_line *out,
                                    struct reason *why)
{
	bool has_class = false;
	uint64_t ttl;

	for (;;) {
		*word = plain_word(rest);
		if (!out->has_ttl && text_to_u64(*word, INT32_MAX, &ttl)) {
			out->ttl = (uint32_t)ttl;
			out->has_ttl = true;
		} else if (!has_class && word->len == 2 &&
		           strncasecmp((const char *)word->data, "IN", 2) == 0) {
			has_class = true;
		} else {
			break;
		}
	}
	return word->len ? ERR_OK : reason_set(why, ERR_PARSE, "there is no type");
}

static enum err parse_owner(struct bytes word, const uint8_t *apex, struct rdata_line *out,
                            struct reason *why)
{
	struct buffer wire = {NULL, 0, 0};
	char name[NAMES_TEXT_SIZE];
	enum err err = word.len ? plain_parse_name(word, apex, &wire, why)
	                        : reason_set(why, ERR_PARSE, "there is no name");

	if (!err && !names_wire_is_under(wire.data, apex))
		err = reason_set(why, ERR_RANGE, "%s lies outside the zone",
		                 names_to_text(wire.data, name));
	if (!err)
		out->owner = xstrdup(names_to_text(wire.data, name));
	buffer_fini(&wire);
	return err;
}

static enum err parse_rdata(struct bytes type_word, struct bytes rest, const uint8_t *apex,
                            struct rdata_line *out, struct reason *why)
{
	uint16_t type = rdata_type(type_word);
	struct buffer wire = {NULL, 0, 0};
	char type_text[16];
	enum err err;

	if (type == 0)
		return reason_set(why, ERR_PARSE, "'%.*s' is not a type that a zone can hold",
		                  (int)(type_word.len < 40 ? type_word.len : 40),
		                  (const char *)type_word.data);
	err = parse_checked(type, plain_trim(rest), apex, &wire, why);
	if (err)
		reason_prefix(why, "%s: ", rdata_type_text(type, type_text));
	else {
		out->type = xstrdup(rdata_type_text(type, type_text));
		out->rdata = rdata_to_text(type, (struct bytes){wire.data, wire.len});
	}
	buffer_fini(&wire);
	return err;
}

enum err rdata_parse_line(const char *line, const char *apex, struct rdata_line *out,
                          struct reason *why)
{
	uint8_t apex_wire[NAMES_WIRE_MAX];
	struct bytes rest = bytes_of(line), word;
	size_t len;
	enum err err = names_from_text(bytes_of(apex), apex_wire, &len, why);

	*out = (struct rdata_line){NULL, 0, false, NULL, NULL};
	if (!err)
		err = parse_owner(plain_word(&rest), apex_wire, out, why);
	if (!err)
		err = parse_ttl_and_class(&rest, &word, out, why);
	if (!err)
		err = parse_rdata(word, rest, apex_wire, out, why);
	if (err)
		rdata_line_fini(out);
	return err;
}

void rdata_line_fini(struct rdata_line *line)
{
	free(line->owner);
	free(line->type);
	free(line->rdata);
	*line = (struct rdata_line){NULL, 0, false, NULL, NULL};
}
