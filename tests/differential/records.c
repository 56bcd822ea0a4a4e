/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SOA_SERIAL = 2, SVCB_TARGET = 1, TYPE_SVCB = 64, TYPE_HTTPS = 65 };

char *records_text(ldns_rr *rr)
{
	unsigned type = ldns_rr_get_type(rr);
	char *text;

	ldns_rr2canonical(rr);
	/* Not for ldns: RFC 9460 is younger than what it goes by. */
	if ((type == TYPE_SVCB || type == TYPE_HTTPS) && ldns_rr_rd_count(rr) > SVCB_TARGET)
		ldns_dname2canonical(ldns_rr_rdf(rr, SVCB_TARGET));
	if (type == LDNS_RR_TYPE_SOA && ldns_rr_rd_count(rr) > SOA_SERIAL)
		ldns_rdf_deep_free(ldns_rr_set_rdf(
			rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, 0), SOA_SERIAL));
	text = ldns_rr2str(rr);
	if (text == NULL)
		fail_msg("ldns cannot print a record");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

char *records_of_line(const struct dname *owner, const char *rest)
{
	struct text line = {0};
	ldns_rr *rr = NULL;
	ldns_status status;
	char *text;

	/* Not with its owner, of which ldns reads no more than 255 characters. */
	text_printf(&line, ". %s", rest);
	status = ldns_rr_new_frm_str(&rr, line.data, 0, NULL, NULL);
	if (status != LDNS_STATUS_OK)
		fail_msg("%s: %s", line.data, ldns_get_errorstr_by_id(status));
	text_fini(&line);
	ldns_rdf_deep_free(ldns_rr_owner(rr));
	ldns_rr_set_owner(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, owner->len, owner->wire));
	text = records_text(rr);
	ldns_rr_free(rr);
	return text;
}

bool records_name(const char *text, struct dname *out)
{
	char name[4 * DNAME_MOST + 1];
	size_t len = strcspn(text, "\t");
	ldns_rdf *rdf;

	if (len >= sizeof(name))
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	rdf = ldns_dname_new_frm_str(name);
	if (rdf == NULL)
		return false;
	out->len = (uint8_t)ldns_rdf_size(rdf);
	memcpy(out->wire, ldns_rdf_data(rdf), out->len);
	ldns_rdf_deep_free(rdf);
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void records_sort(char **record, size_t count)
{
	if (count > 1)
		qsort(record, count, sizeof(*record), by_bytes);
}
