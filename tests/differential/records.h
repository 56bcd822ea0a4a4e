/* records.h -- records as text in one form: names in lower case, SOA without its serial.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_RECORDS_H
#define TESTS_DIFFERENTIAL_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ldns/ldns.h>

#include "tests/differential/dname.h"

/* "OWNER\tTTL\tIN\tTYPE\tRDATA"; changes *rr.  The caller frees. */
char *records_text(ldns_rr *rr);
/* The same of an owner and the rest of its line in a master file ("TTL IN TYPE RDATA"). */
char *records_of_line(const struct dname *owner, const char *rest);
/* The name that the text is, up to its end or a tab. */
bool records_name(const char *text, struct dname *out);
/* Sorts them by their bytes. */
void records_sort(char **record, size_t count);

#endif
