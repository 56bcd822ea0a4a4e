/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/peers_message.h"

#include <string.h>

bool peers_frame_length(struct bytes data, size_t *len)
{
	uint32_t said;

	*len = 0;
	if (data.len < PEERS_FRAME_HEAD)
		return true;
	said = bytes_get32(data.data);
	if (said == 0 || said > PEERS_FRAME_MOST)
		return false;
	*len = PEERS_FRAME_HEAD + (size_t)said;
	return true;
}

/* --- parsing --- */

static bool is_printable(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] < 0x20 || name.data[i] > 0x7e)
			return false;
	return name.len > 0 && name.len <= PEERS_NAME_MOST;
}

static bool parse_hello(struct cursor *c, struct peers_message *m)
{
	uint8_t version = cursor_u8(c);
	struct bytes id = cursor_bytes(c, PEERS_ID);

	m->name = cursor_str16(c);
	if (c->bad || version != PEERS_VERSION || !is_printable(m->name))
		return false;
	memcpy(m->id, id.data, PEERS_ID);
	return true;
}

static bool parse_reaches(struct cursor *c, struct peers_message *m)
{
	uint8_t flag = cursor_u8(c);

	m->reaches = flag == 1;
	return flag <= 1;
}

static bool parse_entries(struct cursor *c, struct peers_message *m)
{
	m->entries = cursor_bytes(c, cursor_left(c));
	if (m->entries.len % PEERS_ENTRY != 0 ||
	    m->entries.len / PEERS_ENTRY > (size_t)VOTE_MOST_KEYS)
		return false;
	for (size_t at = PEERS_ENTRY - 1; at < m->entries.len; at += PEERS_ENTRY)
		if (m->entries.data[at] > VOTE_DOWN)
			return false;
	return true;
}

bool peers_message_parse(struct bytes frame, struct peers_message *out)
{
	struct cursor c = cursor_over(frame.data, frame.len);
	bool good = true;

	*out = (struct peers_message){0};
	(void)cursor_u32(&c);
	out->kind = (enum peers_kind)cursor_u8(&c);
	switch (out->kind) {
	case PEERS_HELLO:
		good = parse_hello(&c, out);
		break;
	case PEERS_CHANGES:
		out->from = cursor_u64(&c);
		out->to = cursor_u64(&c);
		good = parse_reaches(&c, out) && out->from < out->to && parse_entries(&c, out);
		break;
	case PEERS_VIEW:
		out->to = cursor_u64(&c);
		good = parse_reaches(&c, out) && parse_entries(&c, out);
		break;
	case PEERS_BEAT:
		out->to = cursor_u64(&c);
		good = parse_reaches(&c, out);
		break;
	case PEERS_ASK:
	case PEERS_BYE:
		break;
	default:
		return false;
	}
	return good && !c.bad && cursor_left(&c) == 0;
}

/* --- printing --- */

void peers_message_print(const struct peers_message *m, struct buffer *out)
{
	size_t begin = out->len;

	buffer_u32(out, 0);
	buffer_u8(out, (uint8_t)m->kind);
	if (m->kind == PEERS_HELLO) {
		buffer_u8(out, PEERS_VERSION);
		buffer_put(out, m->id, PEERS_ID);
		buffer_str16(out, m->name);
	}
	if (m->kind == PEERS_CHANGES)
		buffer_u64(out, m->from);
	if (m->kind == PEERS_CHANGES || m->kind == PEERS_VIEW || m->kind == PEERS_BEAT) {
		buffer_u64(out, m->to);
		buffer_u8(out, m->reaches);
		buffer_put(out, m->entries.data, m->entries.len);
	}
	bytes_put32(out->data + begin, (uint32_t)(out->len - begin - PEERS_FRAME_HEAD));
}

void peers_entry_put(struct buffer *entries, const struct vote_key *key, enum vote_view view)
{
	buffer_u64(entries, key->a);
	buffer_u64(entries, key->b);
	buffer_u8(entries, (uint8_t)view);
}

bool peers_entry_next(struct bytes entries, size_t *at, struct vote_key *key, enum vote_view *view)
{
	struct cursor c;

	if (entries.len - *at < PEERS_ENTRY)
		return false;
	c = cursor_over(entries.data + *at, PEERS_ENTRY);
	*at += PEERS_ENTRY;
	key->a = cursor_u64(&c);
	key->b = cursor_u64(&c);
	*view = (enum vote_view)cursor_u8(&c);
	return true;
}
