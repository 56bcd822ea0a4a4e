/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "dnsd/admin_parts.h"
#include "dnsd/name_records.h"
#include "zones/rdata.h"

static void add_line(const struct node *n, const struct name_record *r, struct text *out)
{
	struct text line = {0};
	char type[16], *data = rdata_to_text(r->type, r->rdata);
	size_t len;

	admin_add_name(&line, node_owner(n));
	len = line.len;
	text_printf(&line, "%s %" PRIu32 " IN %s %s", len == 1 && line.data[0] == '.' ? "" : ".",
	            r->ttl, rdata_type_text(r->type, type), data);
	text_add_json(out, (struct bytes){(const uint8_t *)line.data, line.len});
	text_fini(&line);
	free(data);
}

void admin_add_records(const struct zone *z, const struct node *n, bool is_first, struct text *out)
{
	struct name_records records = {0};

	bool has_sites = name_records_share(z, n) == NAME_RECORDS_ALL;

	name_records_add_fixed(&records, n);
	for (size_t i = 0; has_sites && i < node_site_count(n); i++)
		name_records_add_site(&records, node_site(n, i));
	if (has_sites && records.count == 0 && node_fallback(n))
		name_records_add(&records, node_fallback(n));
	name_records_settle(&records);
	for (size_t i = 0; i < records.count; i++) {
		text_add(out, is_first ? "" : ",");
		add_line(n, &records.item[i], out);
		is_first = false;
	}
	name_records_fini(&records);
}
