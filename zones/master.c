/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/master.h"

#include <string.h>

#include "zones/plain.h"

/* While one line is put together. */
struct joining {
	struct master *m;
	uint32_t depth, opened; /* of parentheses; the line of the first */
	bool quoted;
};

void master_init(struct master *m, struct bytes text)
{
	*m = (struct master){.text = text, .line = 1};
}

void master_fini(struct master *m) { buffer_fini(&m->joined); }

static bool is_control(uint8_t c) { return c < ' ' && c != '\t' && c != '\r'; }

/* How long the line is that begins here, without its end; *plain: it means what it says, byte for byte. */
static size_t scan(struct bytes text, bool *plain)
{
	size_t len = 0;

	*plain = true;
	for (; len < text.len; len++) {
		uint8_t c = text.data[len];

		if (c > ';' && c != '\\')
			continue;
		if (c == '\n')
			break;
		if (c == ';' || c == '(' || c == ')' || c == '"' || c == '\\' || is_control(c))
			*plain = false;
	}
	return len;
}

static void pass(struct master *m, size_t len)
{
	m->text.data += len;
	m->text.len -= len;
}

static size_t to_line_end(struct bytes text)
{
	const uint8_t *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

	return end ? (size_t)(end - text.data) : text.len;
}

static void pass_line(struct master *m)
{
	size_t len = to_line_end(m->text);

	if (len < m->text.len)
		m->line++;
	pass(m, len < m->text.len ? len + 1 : len);
}

/* The bytes at which a line is more than its bytes; false with a reason. */
static bool join_special(struct joining *j, uint8_t c, struct reason *why)
{
	struct master *m = j->m;

	if (c == '\\') {
		if (m->text.len == 0 || is_control(m->text.data[0]) || m->text.data[0] == '\r') {
			reason_set(why, ERR_PARSE, "a backslash at the end of the line");
			return false;
		}
		buffer_u8(&m->joined, c);
		buffer_u8(&m->joined, m->text.data[0]);
		pass(m, 1);
	} else if (c == '"') {
		j->quoted = !j->quoted;
		buffer_u8(&m->joined, c);
	} else if (c == ';') {
		pass(m, to_line_end(m->text));
	} else if (c == '(') {
		j->opened = j->depth++ ? j->opened : m->line;
		buffer_u8(&m->joined, ' ');
	} else if (j->depth-- > 0) {
		buffer_u8(&m->joined, ' ');
	} else {
		reason_set(why, ERR_PARSE, "a parenthesis is closed that was never opened");
		return false;
	}
	return true;
}

/* A byte; false with a reason. */
static bool join_byte(struct joining *j, uint8_t c, struct reason *why)
{
	bool special = c == '\\' || c == '"' || (!j->quoted && (c == ';' || c == '(' || c == ')'));

	if (special)
		return join_special(j, c, why);
	if (is_control(c)) {
		reason_set(why, ERR_PARSE, "a control character (%u)", c);
		return false;
	}
	buffer_u8(&j->m->joined, c == '\r' ? ' ' : c);
	return true;
}

/* A line that goes on in the next ones as long as a parenthesis is open.  False with a reason and, in
 * *fault, the line where it is. */
static bool join(struct master *m, uint32_t *fault, struct reason *why)
{
	struct joining j = {.m = m};

	buffer_reset(&m->joined);
	while (m->text.len > 0) {
		uint8_t c = m->text.data[0];

		*fault = m->line;
		if (c == '\n' && !j.quoted && j.depth == 0)
			return true;
		if (c == '\n' && j.quoted) {
			reason_set(why, ERR_PARSE,
			           "a quotation mark is open at the end of the line");
			return false;
		}
		pass(m, 1);
		m->line += c == '\n';
		if (m->joined.len > MASTER_LINE_MAX) {
			reason_set(why, ERR_RANGE, "a record of more than 256 KiB");
			return false;
		}
		if (!join_byte(&j, c == '\n' ? ' ' : c, why))
			return false;
	}
	*fault = j.depth ? j.opened : m->line;
	if (j.depth)
		reason_set(why, ERR_PARSE, "a parenthesis is opened here and never closed");
	else if (j.quoted)
		reason_set(why, ERR_PARSE, "a quotation mark is open at the end of the file");
	return !j.depth && !j.quoted;
}

static struct bytes trim(struct bytes text)
{
	while (text.len && text.data[text.len - 1] == '\r')
		text.len--;
	return plain_trim(text);
}

enum master_got master_next(struct master *m, struct master_line *out, struct reason *why)
{
	while (m->text.len > 0) {
		bool plain;
		uint32_t fault;
		size_t len = scan(m->text, &plain);

		out->line = m->line;
		out->is_indented = m->text.data[0] == ' ' || m->text.data[0] == '\t';
		out->text = (struct bytes){m->text.data, len};
		if (plain) {
			pass(m, len);
			if (len > MASTER_LINE_MAX) {
				reason_set(why, ERR_RANGE, "a record of more than 256 KiB");
				return MASTER_FAULT;
			}
		} else if (!join(m, &fault, why)) {
			out->line = fault;
			pass_line(m);
			return MASTER_FAULT;
		} else {
			out->text = (struct bytes){m->joined.data, m->joined.len};
		}
		/* The end of the line itself. */
		pass_line(m);
		out->text = trim(out->text);
		if (out->text.len > 0)
			return MASTER_LINE;
	}
	return MASTER_END;
}
