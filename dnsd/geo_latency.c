/* geo_latency.c -- reading the file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/geo_latency.h"

#include <stdlib.h>

#include "base/xalloc.h"

#define MAX_FILE ((size_t)512 << 20)

enum err geo_latency_read(const char *path, struct geo_latency **out, struct reason *why)
{
	struct geo_latency *l = xcalloc(1, sizeof *l);
	struct buffer csv = {0};
	struct reason inner = {{0}};
	enum err err;

	l->path = xstrdup(path);
	/* Before reading: what is written meanwhile is another version. */
	l->stamp = geodb_file_stamp(path);
	err = geodb_file_read(path, MAX_FILE, &csv, &inner);
	if (err != ERR_OK) {
		reason_set(why, err, "%s: %s", path, inner.text);
	} else {
		err = latency_parse((struct bytes){csv.data, csv.len}, &l->table, &inner);
		if (err != ERR_OK)
			reason_set(why, err, "%s:%s", path, inner.text);
	}
	buffer_fini(&csv);
	if (err != ERR_OK) {
		geo_latency_free(l);
		l = NULL;
	}
	*out = l;
	return err;
}

void geo_latency_free(struct geo_latency *l)
{
	if (l == NULL)
		return;
	latency_fini(&l->table);
	free(l->path);
	free(l);
}
