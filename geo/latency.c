/* latency.c -- row by row, then sorted and looked at for doubles. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/latency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "geo/csv.h"

/* Printable, so that no message and no list can be confused; which clusters there are is not known here. */
static bool is_name(struct bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] >= 0x7f)
			return false;
	return s.len > 0 && s.len <= LATENCY_MAX_NAME;
}

static enum err parse_row(struct bytes row, struct latency_row *out, struct bytes *name,
                          struct reason *why)
{
	struct bytes network, ms;
	bool more, has_ms;
	char show[CSV_SHOWN];
	enum err err;

	network = csv_field(&row, &more);
	*name = csv_field(&row, &has_ms);
	ms = csv_trimmed(row);
	err = addr_network_parse(network, &out->network, why);
	if (err != ERR_OK)
		return err;
	out->network = addr_network_unmapped(&out->network);
	if (!more || !has_ms)
		return reason_set(why, ERR_PARSE, "a line is network,cluster,milliseconds");
	if (!is_name(*name))
		return reason_set(why, ERR_PARSE, "'%s' is not the name of a cluster",
		                  text_shown(*name, show, sizeof(show)));
	if (!text_to_double(ms, &out->ms) || out->ms < 0 || out->ms > LATENCY_MAX_MS)
		return reason_set(why, ERR_PARSE, "'%s' is not milliseconds of 0 to %d",
		                  text_shown(ms, show, sizeof(show)), LATENCY_MAX_MS);
	/* -0 is 0, and the same bytes. */
	out->ms = fabs(out->ms);
	return ERR_OK;
}

static enum err add(struct latency_table *t, size_t *room, struct latency_row *fresh,
                    struct bytes name, struct reason *why)
{
	if (t->count == LATENCY_MAX_ROWS)
		return reason_set(why, ERR_RANGE, "more than %d rows", LATENCY_MAX_ROWS);
	if (t->count == *room) {
		*room = *room * 2 + 64;
		t->rows = xreallocarray(t->rows, *room, sizeof(*t->rows));
	}
	CHECK(t->names.len < UINT32_MAX - LATENCY_MAX_NAME - 1);
	fresh->name = (uint32_t)t->names.len;
	buffer_put(&t->names, name.data, name.len);
	buffer_u8(&t->names, 0);
	t->rows[t->count++] = *fresh;
	return ERR_OK;
}

static enum err parse_rows(struct bytes text, struct latency_table *out, struct csv_faults *all,
                           struct reason *why)
{
	struct csv csv = {.rest = text};
	struct latency_row fresh;
	struct bytes row, name;
	size_t room = 0;
	enum err err = ERR_OK;

	while (err == ERR_OK && csv_next(&csv, &row)) {
		fresh = (struct latency_row){.line = csv.line};
		err = parse_row(row, &fresh, &name, why);
		if (err == ERR_OK)
			err = add(out, &room, &fresh, name, why);
		if (err != ERR_OK)
			err = csv_fail(all, csv.line, err, why);
	}
	return err;
}

static int compare(const void *one, const void *other, void *table)
{
	const struct latency_row *a = one, *b = other;
	int order = addr_network_compare(&a->network, &b->network);

	if (order == 0)
		order = strcmp(latency_cluster(table, a), latency_cluster(table, b));
	return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static bool is_double(const struct latency_table *t, const struct latency_row *a,
                      const struct latency_row *b)
{
	return addr_network_compare(&a->network, &b->network) == 0 &&
	       strcmp(latency_cluster(t, a), latency_cluster(t, b)) == 0;
}

/* Of what is there twice the first line stays. */
static enum err drop_doubles(struct latency_table *t, struct csv_faults *all, struct reason *why)
{
	char show[ADDR_NETWORK_TEXT_SIZE];
	enum err err = ERR_OK;
	size_t kept = 0;

	for (size_t i = 0; i < t->count && err == ERR_OK; i++) {
		const struct latency_row *fresh = &t->rows[i],
					 *last = kept > 0 ? &t->rows[kept - 1] : NULL;

		if (last == NULL || !is_double(t, last, fresh))
			t->rows[kept++] = *fresh;
		else if (last->ms != fresh->ms)
			err = csv_fail(all, fresh->line,
			               reason_set(why, ERR_CONFLICT,
			                          "%s and %s have other milliseconds in line %u",
			                          addr_network_print(&fresh->network, show),
			                          latency_cluster(t, fresh), last->line),
			               why);
	}
	t->count = kept;
	return err;
}

static enum err parse(struct bytes text, struct latency_table *out, struct csv_faults *all,
                      struct reason *why)
{
	enum err err;

	*out = (struct latency_table){0};
	err = parse_rows(text, out, all, why);
	if (err == ERR_OK && out->count > 0) {
		qsort_r(out->rows, out->count, sizeof(*out->rows), compare, out);
		err = drop_doubles(out, all, why);
	}
	if (err != ERR_OK)
		latency_fini(out);
	return err;
}

enum err latency_parse(struct bytes text, struct latency_table *out, struct reason *why)
{
	return parse(text, out, NULL, why);
}

size_t latency_faults(struct bytes text, size_t most, struct text *out)
{
	struct csv_faults all = {0, most, out};
	struct latency_table t;
	struct reason why = {{0}};

	CHECK(parse(text, &t, &all, &why) == ERR_OK);
	latency_fini(&t);
	return all.count > most ? all.count - most : 0;
}

void latency_fini(struct latency_table *t)
{
	free(t->rows);
	buffer_fini(&t->names);
	*t = (struct latency_table){0};
}
