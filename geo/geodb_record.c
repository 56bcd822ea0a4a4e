/* geodb_record.c -- the MaxMind DB data section, as far as places need it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/geodb_record.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "geo/regions.h"

/* The types of the MaxMind DB format 2.0. */
enum type {
	TYPE_POINTER = 1,
	TYPE_TEXT = 2,
	TYPE_DOUBLE = 3,
	TYPE_UINT16 = 5,
	TYPE_UINT32 = 6,
	TYPE_MAP = 7,
	TYPE_INT32 = 8,
	TYPE_UINT64 = 9,
	TYPE_ARRAY = 11,
	TYPE_BOOL = 14,
	TYPE_FLOAT = 15,
};

struct reader {
	struct bytes section;
	uint64_t values_left;
	bool bad;
};

struct value {
	unsigned type;
	uint32_t size; /* bytes; of a map pairs, of an array values */
	struct cursor body;
};

/* Countries by how much their key says. */
enum { COUNTRY, REGISTERED_COUNTRY, COUNTRY_CODE, COUNTRY_TEXT, COUNTRY_KEYS };

struct found {
	struct place location, flat; /* NaN: not there */
	double accuracy_km;          /* the same */
	char country[COUNTRY_KEYS][AREA_CODE_SIZE];
	char continent[AREA_CODE_SIZE];
	struct bytes subdivision, state; /* in the section */
};

static uint32_t big_endian(struct cursor *c, unsigned len)
{
	uint32_t v = 0;

	while (len-- > 0)
		v = v << 8 | cursor_u8(c);
	return v;
}

/* Type and size; of a pointer, `size` is where it points. */
static void read_head(struct reader *r, struct cursor *c, struct value *v)
{
	uint8_t control = cursor_u8(c);
	unsigned len;

	r->bad |= c->bad || r->values_left == 0;
	r->values_left -= r->values_left > 0;
	v->type = control >> 5;
	if (v->type == TYPE_POINTER) {
		static const uint32_t base[4] = {0, 2048, 526336, 0};

		len = control >> 3 & 3;
		v->size = (len < 3 ? (control & 7u) << 8 * (len + 1) : 0) + base[len];
		v->size += big_endian(c, len + 1);
		return;
	}
	if (v->type == 0)
		v->type = 7u + cursor_u8(c);
	v->size = control & 31;
	if (v->size >= 29) {
		static const uint32_t base[3] = {29, 285, 65821};

		len = v->size - 28;
		v->size = base[len - 1] + big_endian(c, len);
	}
	r->bad |= c->bad;
}

static void skip(struct reader *r, struct cursor *c, unsigned depth);

static void skip_body(struct reader *r, struct cursor *c, const struct value *v, unsigned depth)
{
	uint64_t values = v->type == TYPE_MAP ? 2 * (uint64_t)v->size : v->size;

	if (v->type == TYPE_POINTER || v->type == TYPE_BOOL)
		return;
	if (v->type != TYPE_MAP && v->type != TYPE_ARRAY) {
		(void)cursor_bytes(c, v->size);
		r->bad |= c->bad;
		return;
	}
	r->bad |= depth == 0;
	for (uint64_t i = 0; i < values && !r->bad; i++)
		skip(r, c, depth - 1);
}

static void skip(struct reader *r, struct cursor *c, unsigned depth)
{
	struct value v;

	read_head(r, c, &v);
	if (!r->bad)
		skip_body(r, c, &v, depth);
}

/* The value at c, followed if it is a pointer; c moves behind it. */
static bool read_value(struct reader *r, struct cursor *c, struct value *v)
{
	read_head(r, c, v);
	if (r->bad)
		return false;
	if (v->type != TYPE_POINTER) {
		v->body = *c;
		skip_body(r, c, v, GEODB_RECORD_MAX_DEPTH);
		return !r->bad;
	}
	if (v->size >= r->section.len) {
		r->bad = true;
		return false;
	}
	v->body = cursor_over(r->section.data + v->size, r->section.len - v->size);
	read_head(r, &v->body, v);
	r->bad |= v->type == TYPE_POINTER;
	return !r->bad;
}

static struct bytes text_of(struct reader *r, const struct value *v)
{
	struct cursor body = v->body;
	struct bytes text = {NULL, 0};

	if (v->type == TYPE_TEXT)
		text = cursor_bytes(&body, v->size);
	r->bad |= body.bad;
	return text;
}

static double float_of(const struct value *v, struct cursor *body)
{
	uint64_t bits8 = v->type == TYPE_DOUBLE ? cursor_u64(body) : 0;
	uint32_t bits4 = v->type == TYPE_FLOAT ? cursor_u32(body) : 0;
	double eight;
	float four;

	memcpy(&eight, &bits8, sizeof(eight));
	memcpy(&four, &bits4, sizeof(four));
	return v->type == TYPE_DOUBLE ? eight : (double)four;
}

/* A number, or text that is one; else NaN. */
static double number_of(struct reader *r, const struct value *v)
{
	struct cursor body = v->body;
	double number = NAN;

	if (v->type == TYPE_TEXT && !text_to_double(text_of(r, v), &number))
		return NAN;
	if ((v->type == TYPE_DOUBLE && v->size == 8) || (v->type == TYPE_FLOAT && v->size == 4))
		number = float_of(v, &body);
	else if (v->type == TYPE_INT32 && v->size <= 4)
		number = (int32_t)big_endian(&body, v->size);
	else if ((v->type == TYPE_UINT16 || v->type == TYPE_UINT32 || v->type == TYPE_UINT64) &&
	         v->size <= 4)
		number = big_endian(&body, v->size);
	r->bad |= body.bad;
	return number;
}

/* Two letters: of a country, or a continent. */
static void code_of(struct reader *r, const struct value *v, char out[AREA_CODE_SIZE])
{
	struct bytes text = text_of(r, v);

	if (text.len != 2)
		return;
	for (int i = 0; i < 2; i++)
		out[i] = (char)(text.data[i] >= 'a' && text.data[i] <= 'z' ? text.data[i] - 32
		                                                           : text.data[i]);
	if (out[0] < 'A' || out[0] > 'Z' || out[1] < 'A' || out[1] > 'Z')
		out[0] = '\0';
}

static void coordinate(struct reader *r, struct bytes key, const struct value *v, struct place *out)
{
	if (bytes_equal_text(key, "latitude"))
		out->latitude = number_of(r, v);
	else if (bytes_equal_text(key, "longitude"))
		out->longitude = number_of(r, v);
}

static void flat_pair(struct reader *r, struct bytes key, const struct value *v, struct found *f)
{
	coordinate(r, key, v, &f->flat);
	if (bytes_equal_text(key, "country_code"))
		code_of(r, v, f->country[COUNTRY_CODE]);
	else if (bytes_equal_text(key, "country"))
		code_of(r, v, f->country[COUNTRY_TEXT]);
	else if (bytes_equal_text(key, "state1"))
		f->state = text_of(r, v);
}

/* One pair of the record, or of the map that lies in it under the key `outer`. */
static void pair(struct reader *r, struct bytes outer, struct bytes key, const struct value *v,
                 struct found *f)
{
	if (outer.len == 0) {
		flat_pair(r, key, v, f);
	} else if (bytes_equal_text(outer, "location")) {
		coordinate(r, key, v, &f->location);
		if (bytes_equal_text(key, "accuracy_radius"))
			f->accuracy_km = number_of(r, v);
	} else if (bytes_equal_text(outer, "continent")) {
		if (bytes_equal_text(key, "code"))
			code_of(r, v, f->continent);
	} else if (bytes_equal_text(key, "iso_code")) {
		if (bytes_equal_text(outer, "subdivisions"))
			f->subdivision = text_of(r, v);
		else
			code_of(r, v,
			        f->country[bytes_equal_text(outer, "country")
			                           ? COUNTRY
			                           : REGISTERED_COUNTRY]);
	}
}

static bool is_wanted_map(struct bytes key)
{
	return bytes_equal_text(key, "location") || bytes_equal_text(key, "country") ||
	       bytes_equal_text(key, "registered_country") || bytes_equal_text(key, "continent");
}

static void read_map(struct reader *r, struct bytes outer, const struct value *map,
                     struct found *f);

/* The first of the country's parts, the largest one. */
static void read_subdivisions(struct reader *r, struct bytes key, const struct value *array,
                              struct found *f)
{
	struct cursor c = array->body;
	struct value first;

	if (array->size > 0 && read_value(r, &c, &first) && first.type == TYPE_MAP)
		read_map(r, key, &first, f);
}

static void read_map(struct reader *r, struct bytes outer, const struct value *map, struct found *f)
{
	struct cursor c = map->body;

	for (uint32_t i = 0; i < map->size && !r->bad; i++) {
		struct value name, v;
		struct bytes key;

		if (!read_value(r, &c, &name) || !read_value(r, &c, &v))
			return;
		key = text_of(r, &name);
		r->bad |= name.type != TYPE_TEXT;
		if (r->bad)
			return;
		if (v.type == TYPE_ARRAY && outer.len == 0 && bytes_equal_text(key, "subdivisions"))
			read_subdivisions(r, key, &v, f);
		else if (v.type != TYPE_MAP)
			pair(r, outer, key, &v, f);
		else if (outer.len == 0 && is_wanted_map(key))
			read_map(r, key, &v, f);
	}
}

static bool is_known(const struct place *p)
{
	return place_is_valid(p) && (p->latitude != 0 || p->longitude != 0);
}

/* A country without a middle of its own may still be followed by one that has one. */
static bool find_middle(const struct found *f, struct geodb_record *out)
{
	struct regions_country country;
	bool found = false;

	for (int i = 0; i < COUNTRY_KEYS && !found; i++)
		found = regions_find_country(bytes_of(f->country[i]), &country);
	if (found) {
		out->place = country.place;
		out->accuracy_km = regions_country_radius_km(&country);
	}
	return found;
}

static void settle_area(const struct found *f, struct area *a)
{
	memcpy(a->continent, f->continent, sizeof(a->continent));
	for (int i = 0; i < COUNTRY_KEYS && a->country[0] == '\0'; i++)
		if (f->country[i][0] != '\0')
			area_set_country(a, f->country[i]);
	area_set_subdivision(a, f->subdivision.len > 0 ? f->subdivision : f->state);
}

static void settle(const struct found *f, struct geodb_record *out)
{
	bool is_exact = is_known(&f->location);

	settle_area(f, &out->area);
	out->has_place = find_middle(f, out);
	if (!is_exact && !is_known(&f->flat))
		return;
	out->has_place = true;
	out->place = is_exact ? f->location : f->flat;
	out->accuracy_km = 0;
	if (is_exact && f->accuracy_km > 0 && f->accuracy_km < UINT16_MAX)
		out->accuracy_km = (uint16_t)ceil(f->accuracy_km);
}

enum err geodb_record_decode(struct bytes section, size_t offset, uint64_t *values_left,
                             struct geodb_record *out, struct reason *why)
{
	uint64_t share =
		*values_left < GEODB_RECORD_MAX_VALUES ? *values_left : GEODB_RECORD_MAX_VALUES;
	struct reader r = {.section = section, .values_left = share};
	struct found f = {.location = {NAN, NAN}, .flat = {NAN, NAN}, .accuracy_km = NAN};
	struct value record;
	struct cursor c;

	*out = (struct geodb_record){0};
	if (offset >= section.len)
		return reason_set(why, ERR_PARSE, "a record lies outside of the data section");
	c = cursor_over(section.data + offset, section.len - offset);
	if (read_value(&r, &c, &record) && record.type == TYPE_MAP)
		read_map(&r, (struct bytes){NULL, 0}, &record, &f);
	*values_left -= share - r.values_left;
	if (r.bad)
		return reason_set(why, ERR_PARSE, "the record at offset %zu is malformed", offset);
	settle(&f, out);
	return ERR_OK;
}
