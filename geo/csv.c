/* csv.c -- rows and fields. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/csv.h"

#include <string.h>

struct bytes csv_trimmed(struct bytes s) { return bytes_trimmed(s, " \t"); }

/* Cuts off and returns what stands before the next `end`, or everything. */
static struct bytes cut(struct bytes *rest, char end, bool *found)
{
	const uint8_t *at;
	struct bytes part = *rest;

	*found = false;
	*rest = (struct bytes){NULL, 0};
	if (part.data == NULL)
		return *rest;
	at = memchr(part.data, end, part.len);
	if (at == NULL)
		return part;
	*found = true;
	*rest = (struct bytes){at + 1, part.len - (size_t)(at - part.data) - 1};
	part.len = (size_t)(at - part.data);
	return part;
}

bool csv_next(struct csv *c, struct bytes *row)
{
	static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};
	bool more;

	if (c->line == 0 && c->rest.len >= 3 && memcmp(c->rest.data, mark, 3) == 0)
		c->rest = (struct bytes){c->rest.data + 3, c->rest.len - 3};
	while (c->rest.len > 0) {
		*row = cut(&c->rest, '\n', &more);
		c->line++;
		if (row->len > 0 && row->data[row->len - 1] == '\r')
			row->len--;
		*row = csv_trimmed(*row);
		if (row->len > 0 && row->data[0] != '#')
			return true;
	}
	return false;
}

struct bytes csv_field(struct bytes *row, bool *more) { return csv_trimmed(cut(row, ',', more)); }

enum err csv_fail(struct csv_faults *all, uint32_t line, enum err err, struct reason *why)
{
	reason_prefix(why, "%u: ", line);
	if (all == NULL)
		return err;
	if (all->count++ < all->most)
		text_printf(all->out, "%s\n", why->text);
	return ERR_OK;
}
