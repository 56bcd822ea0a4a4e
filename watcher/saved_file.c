/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/saved_file.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"

enum {
	FRAME_HEAD = 16,
	FRAME_RECORDS = 0x4e676672, /* "Ngfr" */
	FRAME_END = 0x4e676e64,     /* "Ngnd": the payload is the count of records */
	RECORD_HEAD = 5,
	FRAME_ROOM = 1 << 30, /* a frame that is longer gets no further record */
	RESYNC_TRIES = 64     /* a hostile file may not cost its length squared */
};

static const uint8_t file_magic[8] = {'n', 'i', 'g', 'h', '-', 's', 'v', '\n'};

static void put64(uint8_t *p, uint64_t v)
{
	bytes_put32(p, (uint32_t)(v >> 32));
	bytes_put32(p + 4, (uint32_t)v);
}

static uint64_t frame_sum(const struct saved_file_header *h, uint64_t offset, uint32_t magic,
                          struct bytes payload)
{
	uint64_t place = hash_mix(hash_mix(h->lineage, h->generation), offset);

	return hash_mix(hash_mix(place, (uint64_t)magic << 32 | payload.len), hash_fixed(payload));
}

/* --- writing --- */

void saved_file_add_header(struct saved_file_writer *w)
{
	size_t start = w->out.len;

	buffer_put(&w->out, file_magic, sizeof(file_magic));
	buffer_u16(&w->out, SAVED_FILE_VERSION);
	buffer_u16(&w->out, (uint16_t)w->kind);
	buffer_u32(&w->out, 0);
	buffer_u64(&w->out, w->header.lineage);
	buffer_u64(&w->out, w->header.generation);
	buffer_u64(&w->out, hash_fixed((struct bytes){w->out.data + start, w->out.len - start}));
	CHECK(w->out.len - start == SAVED_FILE_HEADER_SIZE);
}

static void begin_frame(struct saved_file_writer *w)
{
	w->frame = w->out.len;
	w->is_open = true;
	buffer_extend(&w->out, FRAME_HEAD);
}

static void end_frame(struct saved_file_writer *w, uint32_t magic)
{
	uint8_t *head = w->out.data + w->frame;
	struct bytes payload = {head + FRAME_HEAD, w->out.len - w->frame - FRAME_HEAD};

	bytes_put32(head, magic);
	bytes_put32(head + 4, (uint32_t)payload.len);
	put64(head + 8, frame_sum(&w->header, w->offset + w->frame, magic, payload));
	w->is_open = false;
}

void saved_file_end_frame(struct saved_file_writer *w)
{
	if (w->is_open)
		end_frame(w, FRAME_RECORDS);
}

static void add_body(struct buffer *out, const struct saved_file_record *r)
{
	switch (r->type) {
	case SAVED_FILE_CLUSTER:
		buffer_u8(out, r->kind);
		buffer_str16(out, r->cluster);
		break;
	case SAVED_FILE_CLUSTER_GONE:
		buffer_str16(out, r->cluster);
		break;
	case SAVED_FILE_FACT:
		buffer_str16(out, r->cluster);
		buffer_put(out, r->body.data, r->body.len);
		break;
	case SAVED_FILE_FACT_GONE:
		buffer_u8(out, r->kind);
		buffer_str16(out, r->cluster);
		buffer_str16(out, r->namespace);
		buffer_str16(out, r->name);
		break;
	case SAVED_FILE_VALUE:
		buffer_u8(out, r->kind);
		buffer_str16(out, r->name);
		buffer_put(out, r->body.data, r->body.len);
		break;
	}
}

bool saved_file_add(struct saved_file_writer *w, const struct saved_file_record *record)
{
	size_t start;

	if (record->body.len > SAVED_FILE_MAX_RECORD || record->cluster.len > UINT16_MAX ||
	    record->namespace.len > UINT16_MAX || record->name.len > UINT16_MAX)
		return false;
	if (w->is_open && w->out.len - w->frame > FRAME_ROOM)
		saved_file_end_frame(w);
	if (!w->is_open)
		begin_frame(w);
	start = w->out.len;
	buffer_u8(&w->out, (uint8_t)record->type);
	buffer_u32(&w->out, 0);
	add_body(&w->out, record);
	bytes_put32(w->out.data + start + 1, (uint32_t)(w->out.len - start - RECORD_HEAD));
	w->records++;
	return true;
}

void saved_file_add_end(struct saved_file_writer *w)
{
	saved_file_end_frame(w);
	begin_frame(w);
	buffer_u64(&w->out, w->records);
	end_frame(w, FRAME_END);
}

void saved_file_drained(struct saved_file_writer *w)
{
	CHECK(!w->is_open);
	w->offset += w->out.len;
	buffer_reset(&w->out);
}

/* --- reading --- */

struct frame {
	uint32_t magic;
	struct bytes payload;
};

static enum err parse_header(struct bytes file, enum saved_file_kind kind,
                             struct saved_file_header *out, struct reason *why)
{
	struct cursor c = cursor_over(file.data, file.len);
	struct bytes magic = cursor_bytes(&c, sizeof(file_magic));
	uint16_t version = cursor_u16(&c);
	uint16_t found = cursor_u16(&c);
	uint64_t sum;

	cursor_u32(&c);
	out->lineage = cursor_u64(&c);
	out->generation = cursor_u64(&c);
	sum = cursor_u64(&c);
	if (magic.len == 0 || memcmp(magic.data, file_magic, sizeof(file_magic)) != 0)
		return reason_set(why, ERR_PARSE, "not a file of saved state");
	if (version > SAVED_FILE_VERSION && !c.bad)
		return reason_set(why, ERR_UNSUPPORTED, "written by a newer version (format %u)",
		                  version);
	if (c.bad || version == 0 ||
	    sum != hash_fixed((struct bytes){file.data, SAVED_FILE_HEADER_SIZE - sizeof(sum)}))
		return reason_set(why, ERR_PARSE, "its header is damaged");
	if (found != kind)
		return reason_set(why, ERR_PARSE, "another kind of file of saved state");
	return ERR_OK;
}

/* The frame at `at`, checked; false when there is no good one. */
static bool read_frame(struct bytes file, const struct saved_file_header *h, size_t at,
                       struct frame *out)
{
	struct cursor c = cursor_over(file.data + at, file.len - at);
	uint32_t len;
	uint64_t sum;

	out->magic = cursor_u32(&c);
	len = cursor_u32(&c);
	sum = cursor_u64(&c);
	if (c.bad || (out->magic != FRAME_RECORDS && out->magic != FRAME_END))
		return false;
	out->payload = cursor_bytes(&c, len);
	return !c.bad && sum == frame_sum(h, at, out->magic, out->payload);
}

/* The count alone, without a look at the records: they are checked where they are read. */
static uint64_t count_records(struct bytes payload)
{
	struct cursor c = cursor_over(payload.data, payload.len);
	uint64_t count = 0;

	while (cursor_left(&c) > 0 && !c.bad) {
		cursor_u8(&c);
		cursor_bytes(&c, cursor_u32(&c));
		count += !c.bad;
	}
	return count;
}

enum err saved_file_check_base(struct bytes file, struct saved_file_header *out, struct reason *why)
{
	size_t at = SAVED_FILE_HEADER_SIZE;
	uint64_t records = 0;
	struct frame f;
	enum err err = parse_header(file, SAVED_FILE_BASE, out, why);

	if (err)
		return err;
	while (read_frame(file, out, at, &f)) {
		at += FRAME_HEAD + f.payload.len;
		if (f.magic == FRAME_RECORDS) {
			records += count_records(f.payload);
			continue;
		}
		if (f.payload.len == 8) {
			struct cursor c = cursor_over(f.payload.data, f.payload.len);

			if (cursor_u64(&c) == records && at == file.len)
				return ERR_OK;
		}
		return reason_set(why, ERR_PARSE, "its end does not fit its records");
	}
	return reason_set(why, ERR_PARSE, "damaged at byte %zu of %zu", at, file.len);
}

/* Does any good frame begin behind `at`?  Only where a magic number stands is worth a check sum. */
static bool has_frame_behind(struct bytes file, const struct saved_file_header *h, size_t at)
{
	uint8_t magic[4];
	struct frame f;

	bytes_put32(magic, FRAME_RECORDS);
	for (int tries = 0; tries < RESYNC_TRIES && ++at < file.len; tries++) {
		const uint8_t *found = memmem(file.data + at, file.len - at, magic, sizeof(magic));

		if (!found)
			return false;
		at = (size_t)(found - file.data);
		if (read_frame(file, h, at, &f))
			return true;
	}
	return false;
}

static bool all_zero(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i])
			return false;
	return true;
}

/* A crash between the creation of a journal and the end of its first write leaves a part of a
 * header; a power cut may leave the file's length without its bytes. */
static bool header_is_torn(struct bytes file)
{
	size_t len = file.len < sizeof(file_magic) ? file.len : sizeof(file_magic);

	if (all_zero(file))
		return true;
	return file.len < SAVED_FILE_HEADER_SIZE && memcmp(file.data, file_magic, len) == 0;
}

enum err saved_file_check_journal(struct bytes file, struct saved_file_header *out, size_t *len,
                                  enum saved_file_tail *tail, struct reason *why)
{
	size_t at = SAVED_FILE_HEADER_SIZE;
	struct frame f;
	enum err err;

	*len = 0;
	*tail = file.len ? SAVED_FILE_TORN : SAVED_FILE_WHOLE;
	if (header_is_torn(file))
		return ERR_OK;
	err = parse_header(file, SAVED_FILE_JOURNAL, out, why);
	if (err)
		return err;
	while (at < file.len && read_frame(file, out, at, &f) && f.magic == FRAME_RECORDS)
		at += FRAME_HEAD + f.payload.len;
	*len = at;
	if (at == file.len)
		*tail = SAVED_FILE_WHOLE;
	else if (has_frame_behind(file, out, at))
		*tail = SAVED_FILE_DAMAGED;
	return ERR_OK;
}

static struct bytes rest_of(struct cursor *c) { return cursor_bytes(c, cursor_left(c)); }

static bool parse_record(uint8_t type, struct bytes body, struct saved_file_record *out)
{
	struct cursor c = cursor_over(body.data, body.len);

	*out = (struct saved_file_record){0};
	switch (type) {
	case SAVED_FILE_CLUSTER:
		out->kind = cursor_u8(&c);
		out->cluster = cursor_str16(&c);
		break;
	case SAVED_FILE_CLUSTER_GONE:
		out->cluster = cursor_str16(&c);
		break;
	case SAVED_FILE_FACT:
		out->cluster = cursor_str16(&c);
		out->body = rest_of(&c);
		break;
	case SAVED_FILE_FACT_GONE:
		out->kind = cursor_u8(&c);
		out->cluster = cursor_str16(&c);
		out->namespace = cursor_str16(&c);
		out->name = cursor_str16(&c);
		break;
	case SAVED_FILE_VALUE:
		out->kind = cursor_u8(&c);
		out->name = cursor_str16(&c);
		out->body = rest_of(&c);
		break;
	default:
		return false;
	}
	out->type = (enum saved_file_type)type;
	return !c.bad && cursor_left(&c) == 0;
}

static size_t each_of_frame(struct bytes payload, saved_file_on_record_fn *on_record, void *arg)
{
	struct cursor c = cursor_over(payload.data, payload.len);
	size_t skipped = 0;

	while (cursor_left(&c) > 0) {
		struct saved_file_record record;
		uint8_t type = cursor_u8(&c);
		struct bytes body = cursor_bytes(&c, cursor_u32(&c));

		if (!c.bad && parse_record(type, body, &record))
			on_record(&record, arg);
		else
			skipped++;
	}
	return skipped;
}

size_t saved_file_each(struct bytes file, saved_file_on_record_fn *on_record, void *arg)
{
	struct cursor c = cursor_over(file.data, file.len);
	size_t skipped = 0;

	cursor_bytes(&c, SAVED_FILE_HEADER_SIZE);
	while (cursor_left(&c) > 0) {
		uint32_t magic = cursor_u32(&c);
		uint32_t len = cursor_u32(&c);
		struct bytes payload;

		cursor_u64(&c);
		payload = cursor_bytes(&c, len);
		if (!c.bad && magic == FRAME_RECORDS)
			skipped += each_of_frame(payload, on_record, arg);
	}
	return skipped;
}
