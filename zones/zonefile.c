/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/zonefile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/zonefile_inside.h"

enum { MOST_TOLD = 100 };

/* --- what is wrong --- */

static const struct zonefile_place *find_place(const struct zonefile *z, uint32_t where)
{
	size_t low = 0, high = z->place_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (z->places[middle].from <= where)
			low = middle;
		else
			high = middle;
	}
	return &z->places[low];
}

unsigned zonefile_line(const struct zonefile *z, uint32_t where)
{
	const struct zonefile_place *p = find_place(z, where);

	return p->line + (where - p->from);
}

static const char *path_at(const struct zonefile *z, uint32_t where)
{
	return z->parts[find_place(z, where)->file].path;
}

static void tell(struct zonefile *z, struct text *out, size_t *count, uint32_t where,
                 const char *fmt, va_list args)
{
	char line[1024];

	if ((*count)++ >= MOST_TOLD)
		return;
	vsnprintf(line, sizeof(line), fmt, args);
	/* One line each, whatever the text of strangers in it. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = '?';
	text_printf(out, "%s:%u: %s\n", path_at(z, where), zonefile_line(z, where), line);
}

void zonefile_error(struct zonefile *z, uint32_t where, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(z, &z->errors, &z->error_count, where, fmt, args);
	va_end(args);
}

void zonefile_unreadable(struct zonefile *z, const char *why)
{
	z->error_count++;
	text_printf(&z->errors, "%s: %s\n", z->parts[0].path, why);
}

void zonefile_warn(struct zonefile *z, uint32_t where, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(z, &z->warnings, &z->warning_count, where, fmt, args);
	va_end(args);
}

static void tell_more(const struct zonefile *z, struct text *out, size_t count)
{
	if (count > MOST_TOLD)
		text_printf(out, "%s: %zu more\n", z->parts[0].path, count - MOST_TOLD);
}

const char *zonefile_owner_text(const struct zonefile *z, const struct zonefile_owner *o,
                                char out[1024])
{
	return names_to_text(z->wires.data + o->wire, out);
}

/* --- files --- */

uint32_t zonefile_add_part(struct zonefile *z, const char *path)
{
	z->parts = xreallocarray(z->parts, z->part_count + 1, sizeof(*z->parts));
	z->parts[z->part_count] = (struct zonefile_part){.path = xstrdup(path)};
	return (uint32_t)z->part_count++;
}

void zonefile_add_place(struct zonefile *z, uint32_t part, uint32_t line)
{
	if (z->place_count == z->place_room) {
		z->place_room = z->place_room ? z->place_room * 2 : 16;
		z->places = xreallocarray(z->places, z->place_room, sizeof(*z->places));
	}
	z->places[z->place_count++] = (struct zonefile_place){z->next_where, line, part};
}

const char *zonefile_file(const struct zonefile *z, size_t i, struct stamp *stamp)
{
	if (i >= z->part_count)
		return NULL;
	*stamp = z->parts[i].stamp;
	return z->parts[i].path;
}

/* --- life --- */

/* What only reading needs. */
void zonefile_drop_records(struct zonefile *z)
{
	free(z->records);
	free(z->owners);
	free(z->slots);
	buffer_fini(&z->wires);
	buffer_fini(&z->rdata);
	z->records = NULL;
	z->owners = NULL;
	z->slots = NULL;
	z->record_count = z->owner_count = z->slot_count = 0;
}

struct zonefile *zonefile_read(const struct zonefile_request *request)
{
	struct zonefile *z = xcalloc(1, sizeof(*z));

	z->key = request->key;
	CHECK(name_parse(&z->apex, request->apex.data, request->apex.len) == request->apex.len);
	zonefile_lines(z, request);
	zonefile_rules(z, request->has_nameservers);
	if (z->error_count == 0)
		zonefile_images(z, request->before);
	tell_more(z, &z->errors, z->error_count);
	tell_more(z, &z->warnings, z->warning_count);
	if (z->error_count > 0 || !request->keeps_records)
		zonefile_drop_records(z);
	return z;
}

void zonefile_free(struct zonefile *z)
{
	if (!z)
		return;
	zonefile_drop_records(z);
	for (size_t i = 0; i < z->part_count; i++)
		free(z->parts[i].path);
	free(z->parts);
	free(z->places);
	text_fini(&z->errors);
	text_fini(&z->warnings);
	buffer_fini(&z->images);
	free(z->hash);
	free(z->content);
	free(z->where);
	free(z->gone);
	free(z);
}

/* --- the product --- */

bool zonefile_is_good(const struct zonefile *z) { return z->error_count == 0; }

const char *zonefile_errors(const struct zonefile *z) { return z->errors.data; }

const char *zonefile_warnings(const struct zonefile *z) { return z->warnings.data; }

size_t zonefile_name_count(const struct zonefile *z) { return z->count; }

uint32_t zonefile_serial(const struct zonefile *z) { return z->serial; }

size_t zonefile_change_count(const struct zonefile *z) { return z->changed + z->gone_count; }

bool zonefile_find(const struct zonefile *z, uint64_t hash, char *out, size_t room)
{
	size_t low = 0, high = z->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->hash[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == z->count || z->hash[low] != hash)
		return false;
	snprintf(out, room, "%s:%u", path_at(z, z->where[low]), zonefile_line(z, z->where[low]));
	return true;
}

bool zonefile_next(const struct zonefile *z, size_t *at, struct bytes *image)
{
	while (*at < z->images.len) {
		uint32_t head;

		memcpy(&head, z->images.data + *at, sizeof(head));
		*image = (struct bytes){z->images.data + *at + sizeof(head), head & INT32_MAX};
		*at += sizeof(head) + image->len;
		if (head <= INT32_MAX)
			return true;
	}
	return false;
}

void zonefile_drop_images(struct zonefile *z) { buffer_fini(&z->images); }

const uint64_t *zonefile_gone(const struct zonefile *z, size_t *count)
{
	*count = z->gone_count;
	return z->gone;
}
