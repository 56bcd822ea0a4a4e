/* geo_mmdb.c -- the MaxMind DB format 2.0, the writing side. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/geo_mmdb.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/xalloc.h"

enum {
	POINTER = 1,
	TEXT = 2,
	DOUBLE = 3,
	UINT16 = 5,
	UINT32 = 6,
	MAP = 7,
	INT32 = 8,
	ARRAY = 11,
	BOOL = 14
};
enum kind { EMPTY, NODE, DATA };

struct record {
	enum kind kind;
	uint32_t at; /* number of a node, or offset of data */
};

struct node {
	struct record half[2];
};

/* A value that has been written, by its JSON. */
struct written {
	char *json;
	uint32_t offset;
};

struct geo_mmdb {
	unsigned ip_version, record_size;
	struct node *nodes;
	uint32_t node_count, node_room;
	struct buffer data;
	struct written *written;
	size_t written_count, written_room;
	struct buffer file;
};

static uint32_t add_node(struct geo_mmdb *m, struct record both)
{
	if (m->node_count == m->node_room) {
		m->node_room = m->node_room * 2 + 64;
		m->nodes = xreallocarray(m->nodes, m->node_room, sizeof(*m->nodes));
	}
	m->nodes[m->node_count] = (struct node){{both, both}};
	return m->node_count++;
}

struct geo_mmdb *geo_mmdb_new(unsigned ip_version, unsigned record_size)
{
	struct geo_mmdb *m = xcalloc(1, sizeof(*m));

	m->ip_version = ip_version;
	m->record_size = record_size;
	(void)add_node(m, (struct record){EMPTY, 0});
	return m;
}

void geo_mmdb_free(struct geo_mmdb *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->written_count; i++)
		free(m->written[i].json);
	free(m->written);
	free(m->nodes);
	buffer_fini(&m->data);
	buffer_fini(&m->file);
	free(m);
}

static void write_head(struct buffer *b, unsigned type, uint32_t size)
{
	uint8_t first = (uint8_t)(type <= 7 ? type << 5 : 0);

	buffer_u8(b, (uint8_t)(first | (size < 29 ? size : size < 285 ? 29 : 30)));
	if (type > 7)
		buffer_u8(b, (uint8_t)(type - 7));
	CHECK(size < 65821);
	if (size >= 285)
		buffer_u16(b, (uint16_t)(size - 285));
	else if (size >= 29)
		buffer_u8(b, (uint8_t)(size - 29));
}

static void write_pointer(struct buffer *b, uint32_t at)
{
	uint32_t rest = at < 2048 ? at : at - 2048;

	if (at < 2048) {
		buffer_u16(b, (uint16_t)(POINTER << 13 | rest));
	} else if (at < 526336) {
		buffer_u8(b, (uint8_t)(POINTER << 5 | 1 << 3 | rest >> 16));
		buffer_u16(b, (uint16_t)rest);
	} else {
		buffer_u8(b, POINTER << 5 | 3 << 3);
		buffer_u32(b, at);
	}
}

static void write_double(struct buffer *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	write_head(b, DOUBLE, 8);
	buffer_u64(b, bits);
}

static void write_integer(struct buffer *b, int64_t v)
{
	CHECK(v >= INT32_MIN && v <= UINT32_MAX);
	write_head(b, v < 0 ? INT32 : UINT32, 4);
	buffer_u32(b, (uint32_t)v);
}

static void write_value(struct geo_mmdb *m, struct json_object *v);

static void write_text(struct geo_mmdb *m, const char *s)
{
	struct json_object *v = json_object_new_string(s);

	write_value(m, v);
	json_object_put(v);
}

static void write_map(struct geo_mmdb *m, struct json_object *v)
{
	write_head(&m->data, MAP, (uint32_t)json_object_object_length(v));
	json_object_object_foreach(v, key, value)
	{
		write_text(m, key);
		write_value(m, value);
	}
}

static void write_array(struct geo_mmdb *m, struct json_object *v)
{
	write_head(&m->data, ARRAY, (uint32_t)json_object_array_length(v));
	for (size_t i = 0; i < json_object_array_length(v); i++)
		write_value(m, json_object_array_get_idx(v, i));
}

static const struct written *find_written(const struct geo_mmdb *m, const char *json)
{
	for (size_t i = 0; i < m->written_count; i++)
		if (strcmp(m->written[i].json, json) == 0)
			return &m->written[i];
	return NULL;
}

static void remember(struct geo_mmdb *m, const char *json, uint32_t offset)
{
	if (m->written_count == m->written_room) {
		m->written_room = m->written_room * 2 + 16;
		m->written = xreallocarray(m->written, m->written_room, sizeof(*m->written));
	}
	m->written[m->written_count++] = (struct written){xstrdup(json), offset};
}

static void write_new(struct geo_mmdb *m, struct json_object *v)
{
	enum json_type type = json_object_get_type(v);

	if (type == json_type_object) {
		write_map(m, v);
	} else if (type == json_type_array) {
		write_array(m, v);
	} else if (type == json_type_double) {
		write_double(&m->data, json_object_get_double(v));
	} else if (type == json_type_int) {
		write_integer(&m->data, json_object_get_int64(v));
	} else if (type == json_type_boolean) {
		write_head(&m->data, BOOL, (uint32_t)json_object_get_boolean(v));
	} else {
		CHECK(type == json_type_string);
		write_head(&m->data, TEXT, (uint32_t)json_object_get_string_len(v));
		buffer_put(&m->data, json_object_get_string(v),
		           (size_t)json_object_get_string_len(v));
	}
}

static void write_value(struct geo_mmdb *m, struct json_object *v)
{
	bool may_share = json_object_is_type(v, json_type_object) ||
	                 json_object_is_type(v, json_type_string);
	const char *json = json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN);
	const struct written *before = may_share ? find_written(m, json) : NULL;
	uint32_t offset = (uint32_t)m->data.len;
	char *copy;

	if (before != NULL) {
		write_pointer(&m->data, before->offset);
		return;
	}
	copy = xstrdup(json);
	write_new(m, v);
	if (may_share)
		remember(m, copy, offset);
	free(copy);
}

static uint32_t data_at(struct geo_mmdb *m, const char *json)
{
	struct json_object *v = json_tokener_parse(json);
	const struct written *before;
	uint32_t offset = (uint32_t)m->data.len;

	CHECK(v != NULL);
	before = find_written(m, json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
	if (before != NULL)
		offset = before->offset;
	else
		write_value(m, v);
	json_object_put(v);
	return offset;
}

/* The record of a network, as the tree has it. */
static struct record *record_of(struct geo_mmdb *m, const char *text)
{
	struct addr_network n = {0};
	uint8_t bits[16] = {0};
	uint32_t node = 0, below;
	unsigned len;

	CHECK(addr_network_parse(bytes_of(text), &n, NULL) == ERR_OK);
	CHECK(m->ip_version == 6 || n.addr.family == ADDR_IPV4);
	len = n.len;
	if (m->ip_version == 6 && n.addr.family == ADDR_IPV4) {
		memcpy(bits + 12, n.addr.bytes, 4);
		len += 96;
	} else {
		memcpy(bits, n.addr.bytes, sizeof(bits));
	}
	CHECK(len > 0);
	for (unsigned at = 0;; at++) {
		unsigned half = (unsigned)bits[at / 8] >> (7 - at % 8) & 1;
		struct record *r = &m->nodes[node].half[half];

		if (at + 1 == len)
			return r;
		below = r->at;
		if (r->kind != NODE) {
			below = add_node(m, *r);
			m->nodes[node].half[half] = (struct record){NODE, below};
		}
		node = below;
	}
}

void geo_mmdb_put(struct geo_mmdb *m, const char *network, const char *json)
{
	uint32_t offset = data_at(m, json);

	*record_of(m, network) = (struct record){DATA, offset};
}

void geo_mmdb_alias(struct geo_mmdb *m)
{
	static const char *const aliases[] = {"::ffff:0:0/96", "2002::/16", "2001::/32"};
	struct record v4 = *record_of(m, "::/96");

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		*record_of(m, aliases[i]) = v4;
}

void geo_mmdb_link(struct geo_mmdb *m, const char *network, uint32_t node)
{
	*record_of(m, network) = (struct record){NODE, node};
}

static uint32_t record_value(const struct geo_mmdb *m, struct record r)
{
	return r.kind == NODE ? r.at : r.kind == EMPTY ? m->node_count : m->node_count + 16 + r.at;
}

static void write_node(struct geo_mmdb *m, const struct node *n)
{
	uint32_t left = record_value(m, n->half[0]), right = record_value(m, n->half[1]);
	struct buffer *b = &m->file;

	if (m->record_size == 32) {
		buffer_u32(b, left);
		buffer_u32(b, right);
		return;
	}
	buffer_u8(b, (uint8_t)(left >> 16));
	buffer_u16(b, (uint16_t)left);
	if (m->record_size == 28)
		buffer_u8(b, (uint8_t)((left >> 24 & 15) << 4 | (right >> 24 & 15)));
	buffer_u8(b, (uint8_t)(right >> 16));
	buffer_u16(b, (uint16_t)right);
}

static void write_metadata_number(struct buffer *b, const char *key, unsigned type, uint32_t value)
{
	write_head(b, TEXT, (uint32_t)strlen(key));
	buffer_put(b, key, strlen(key));
	write_head(b, type, type == UINT16 ? 2 : 4);
	if (type == UINT16)
		buffer_u16(b, (uint16_t)value);
	else
		buffer_u32(b, value);
}

static void write_metadata_head(struct buffer *b, const char *key, unsigned type, uint32_t size)
{
	write_head(b, TEXT, (uint32_t)strlen(key));
	buffer_put(b, key, strlen(key));
	write_head(b, type, size);
}

static void write_metadata(struct geo_mmdb *m)
{
	static const char marker[] = "\xab\xcd\xefMaxMind.com", type[] = "Nigh-Test";
	enum { UINT64 = 9 };
	struct buffer *b = &m->file;

	buffer_put(b, marker, sizeof(marker) - 1);
	write_head(b, MAP, 9);
	write_metadata_number(b, "node_count", UINT32, m->node_count);
	write_metadata_number(b, "record_size", UINT16, m->record_size);
	write_metadata_number(b, "ip_version", UINT16, m->ip_version);
	write_metadata_number(b, "binary_format_major_version", UINT16, 2);
	write_metadata_number(b, "binary_format_minor_version", UINT16, 0);
	write_metadata_head(b, "build_epoch", UINT64, 8);
	buffer_u64(b, 1700000000);
	write_metadata_head(b, "database_type", TEXT, sizeof(type) - 1);
	buffer_put(b, type, sizeof(type) - 1);
	write_metadata_head(b, "languages", ARRAY, 0);
	write_metadata_head(b, "description", MAP, 0);
}

struct bytes geo_mmdb_bytes(struct geo_mmdb *m)
{
	static const uint8_t gap[16];

	buffer_reset(&m->file);
	for (uint32_t i = 0; i < m->node_count; i++)
		write_node(m, &m->nodes[i]);
	buffer_put(&m->file, gap, sizeof(gap));
	buffer_put(&m->file, m->data.data, m->data.len);
	write_metadata(m);
	return (struct bytes){m->file.data, m->file.len};
}

void geo_mmdb_write(struct geo_mmdb *m, const char *path)
{
	struct bytes all = geo_mmdb_bytes(m);
	FILE *f = fopen(path, "wb");

	CHECK(f != NULL);
	CHECK(fwrite(all.data, 1, all.len, f) == all.len);
	CHECK(fclose(f) == 0);
}
