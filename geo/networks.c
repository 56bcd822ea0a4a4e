/* networks.c -- the CSV of networks: line by line, then sorted and looked at for doubles. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/networks.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"

static bool is_space(uint8_t c) { return c == ' ' || c == '\t'; }

static struct bytes trimmed(struct bytes s)
{
	while (s.len > 0 && is_space(s.data[0]))
		s = (struct bytes){s.data + 1, s.len - 1};
	while (s.len > 0 && is_space(s.data[s.len - 1]))
		s.len--;
	return s;
}

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

/* For messages: foreign text, cut short and without what could confuse a terminal. */
static const char *shown(struct bytes text, char out[48])
{
	size_t len = text.len < 47 ? text.len : 47;

	for (size_t i = 0; i < len; i++)
		out[i] = text.data[i] >= ' ' && text.data[i] < 0x7f ? (char)text.data[i] : '?';
	out[len] = '\0';
	return out;
}

static bool is_label(struct bytes s)
{
	for (size_t len; s.len > 0; s = (struct bytes){s.data + len, s.len - len}) {
		len = text_utf8(s, NULL);
		if (len == 0 || s.data[0] < ' ' || s.data[0] == 0x7f)
			return false;
	}
	return true;
}

/* ::ffff:192.0.2.0/120 is 192.0.2.0/24: clients are asked for by their IPv4 address. */
static void unmap(struct addr_network *n)
{
	struct addr a = n->len >= 96 ? addr_unmapped(&n->addr) : n->addr;

	if (a.family != n->addr.family)
		*n = (struct addr_network){a, (uint8_t)(n->len - 96)};
}

/* A line that is neither blank nor a comment. */
static enum err parse_line(struct bytes line, struct network *out, struct reason *why)
{
	struct bytes rest = line, network, latitude, longitude;
	bool more = false;
	char show[48];
	enum err err;

	network = trimmed(cut(&rest, ',', &more));
	err = addr_network_parse(network, &out->network, why);
	if (err != ERR_OK)
		return err;
	unmap(&out->network);
	latitude = more ? trimmed(cut(&rest, ',', &more)) : rest;
	if (!more)
		return reason_set(why, ERR_PARSE, "a line is network,latitude,longitude[,label]");
	longitude = trimmed(cut(&rest, ',', &more));
	out->label = trimmed(rest);
	out->place = (struct place){0, 0};
	if (!text_to_double(latitude, &out->place.latitude) || !place_is_valid(&out->place))
		return reason_set(why, ERR_PARSE, "'%s' is not a latitude of -90 to 90",
		                  shown(latitude, show));
	if (!text_to_double(longitude, &out->place.longitude) || !place_is_valid(&out->place))
		return reason_set(why, ERR_PARSE, "'%s' is not a longitude of -180 to 180",
		                  shown(longitude, show));
	if (!is_label(out->label))
		return reason_set(why, ERR_PARSE, "the label is not UTF-8 text");
	if (out->label.len > NETWORKS_MAX_LABEL)
		return reason_set(why, ERR_PARSE, "the label is longer than %d bytes",
		                  NETWORKS_MAX_LABEL);
	return ERR_OK;
}

static enum err add(struct networks *n, size_t *room, const struct network *fresh,
                    struct reason *why)
{
	if (n->count == NETWORKS_MAX_COUNT)
		return reason_set(why, ERR_RANGE, "more than %d networks", NETWORKS_MAX_COUNT);
	if (n->count == *room) {
		*room = *room * 2 + 64;
		n->item = xreallocarray(n->item, *room, sizeof(*n->item));
	}
	n->item[n->count++] = *fresh;
	return ERR_OK;
}

/* Where all faults are told, and not the first alone. */
struct faults {
	size_t count, most;
	struct text *out;
};

/* ERR_OK: it is told among all; go on. */
static enum err fail(struct faults *all, uint32_t line, enum err err, struct reason *why)
{
	reason_prefix(why, "%u: ", line);
	if (all == NULL)
		return err;
	if (all->count++ < all->most)
		text_printf(all->out, "%s\n", why->text);
	return ERR_OK;
}

static enum err parse_lines(struct bytes text, struct networks *out, struct faults *all,
                            struct reason *why)
{
	struct network fresh;
	struct bytes line;
	size_t room = 0;
	bool more = true;
	enum err err;

	for (uint32_t number = 1; more; number++) {
		line = cut(&text, '\n', &more);
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		line = trimmed(line);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		fresh.line = number;
		err = parse_line(line, &fresh, why);
		if (err == ERR_OK)
			err = add(out, &room, &fresh, why);
		if (err != ERR_OK)
			err = fail(all, number, err, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static int compare(const void *one, const void *other)
{
	const struct network *a = one, *b = other;
	int order = addr_compare(&a->network.addr, &b->network.addr);

	if (order == 0)
		order = (a->network.len > b->network.len) - (a->network.len < b->network.len);
	return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static bool same_network(const struct network *a, const struct network *b)
{
	return a->network.len == b->network.len && addr_equal(&a->network.addr, &b->network.addr);
}

/* Of a network that is there twice the first line stays. */
static enum err drop_doubles(struct networks *n, struct faults *all, struct reason *why)
{
	char show[ADDR_NETWORK_TEXT_SIZE];
	enum err err = ERR_OK;
	size_t kept = 0;

	for (size_t i = 0; i < n->count && err == ERR_OK; i++) {
		const struct network *fresh = &n->item[i],
				     *last = kept > 0 ? &n->item[kept - 1] : NULL;

		if (last == NULL || !same_network(last, fresh))
			n->item[kept++] = *fresh;
		else if (!place_equal(&last->place, &fresh->place))
			err = fail(all, fresh->line,
			           reason_set(why, ERR_CONFLICT, "%s has another place in line %u",
			                      addr_network_print(&fresh->network, show),
			                      last->line),
			           why);
	}
	n->count = kept;
	return err;
}

static enum err parse(struct bytes text, struct networks *out, struct faults *all,
                      struct reason *why)
{
	static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};
	enum err err;

	*out = (struct networks){0};
	if (text.len >= 3 && memcmp(text.data, mark, 3) == 0)
		text = (struct bytes){text.data + 3, text.len - 3};
	err = parse_lines(text, out, all, why);
	if (err == ERR_OK && out->count > 0) {
		qsort(out->item, out->count, sizeof(*out->item), compare);
		err = drop_doubles(out, all, why);
	}
	if (err != ERR_OK)
		networks_fini(out);
	return err;
}

enum err networks_parse(struct bytes text, struct networks *out, struct reason *why)
{
	return parse(text, out, NULL, why);
}

size_t networks_faults(struct bytes text, size_t most, struct text *out)
{
	struct faults all = {0, most, out};
	struct networks n;
	struct reason why = {{0}};

	CHECK(parse(text, &n, &all, &why) == ERR_OK);
	networks_fini(&n);
	return all.count > most ? all.count - most : 0;
}

void networks_fini(struct networks *n)
{
	free(n->item);
	*n = (struct networks){0};
}
