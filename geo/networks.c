/* networks.c -- the CSV of networks: line by line, then sorted and looked at for doubles. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/networks.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "geo/csv.h"

/* A line that is neither blank nor a comment. */
static enum err parse_line(struct bytes line, struct network *out, struct reason *why)
{
	struct bytes rest = line, network, latitude, longitude;
	bool more = false;
	char show[CSV_SHOWN];
	enum err err;

	network = csv_field(&rest, &more);
	err = addr_network_parse(network, &out->network, why);
	if (err != ERR_OK)
		return err;
	out->network = addr_network_unmapped(&out->network);
	latitude = more ? csv_field(&rest, &more) : rest;
	if (!more)
		return reason_set(why, ERR_PARSE, "a line is network,latitude,longitude[,label]");
	longitude = csv_field(&rest, &more);
	out->label = csv_trimmed(rest);
	out->place = (struct place){0, 0};
	if (!text_to_double(latitude, &out->place.latitude) || !place_is_valid(&out->place))
		return reason_set(why, ERR_PARSE, "'%s' is not a latitude of -90 to 90",
		                  text_shown(latitude, show, sizeof(show)));
	if (!text_to_double(longitude, &out->place.longitude) || !place_is_valid(&out->place))
		return reason_set(why, ERR_PARSE, "'%s' is not a longitude of -180 to 180",
		                  text_shown(longitude, show, sizeof(show)));
	if (!text_is_plain(out->label))
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

static enum err parse_lines(struct bytes text, struct networks *out, struct csv_faults *all,
                            struct reason *why)
{
	struct csv csv = {.rest = text};
	struct network fresh;
	struct bytes line;
	size_t room = 0;
	enum err err = ERR_OK;

	while (err == ERR_OK && csv_next(&csv, &line)) {
		fresh.line = csv.line;
		err = parse_line(line, &fresh, why);
		if (err == ERR_OK)
			err = add(out, &room, &fresh, why);
		if (err != ERR_OK)
			err = csv_fail(all, csv.line, err, why);
	}
	return err;
}

static int compare(const void *one, const void *other)
{
	const struct network *a = one, *b = other;
	int order = addr_network_compare(&a->network, &b->network);

	return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

/* Of a network that is there twice the first line stays. */
static enum err drop_doubles(struct networks *n, struct csv_faults *all, struct reason *why)
{
	char show[ADDR_NETWORK_TEXT_SIZE];
	enum err err = ERR_OK;
	size_t kept = 0;

	for (size_t i = 0; i < n->count && err == ERR_OK; i++) {
		const struct network *fresh = &n->item[i],
				     *last = kept > 0 ? &n->item[kept - 1] : NULL;

		if (last == NULL || addr_network_compare(&last->network, &fresh->network) != 0)
			n->item[kept++] = *fresh;
		else if (!place_equal(&last->place, &fresh->place))
			err = csv_fail(
				all, fresh->line,
				reason_set(why, ERR_CONFLICT, "%s has another place in line %u",
			                   addr_network_print(&fresh->network, show), last->line),
				why);
	}
	n->count = kept;
	return err;
}

static enum err parse(struct bytes text, struct networks *out, struct csv_faults *all,
                      struct reason *why)
{
	enum err err;

	*out = (struct networks){0};
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
	struct csv_faults all = {0, most, out};
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
