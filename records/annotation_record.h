/* annotation_record.h -- names from external-dns annotations on Services and Ingresses.
 *
 * The host name is the source: the same name annotated in three clusters is one
 * name with three sites.  Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_ANNOTATION_RECORD_H
#define RECORDS_ANNOTATION_RECORD_H

#include <stdbool.h>

#include "records/draft.h"
#include "records/world.h"

/* The annotations of a Service or Ingress; all empty for other kinds and where there is no host name. */
struct fact_annotations annotation_record_of(const struct fact_value *v);
/* The next piece of a comma list, without the spaces round it; false at the end. */
bool annotation_record_next(struct bytes *list, struct bytes *item);
/* Integer seconds or a duration as Go writes it ("1h30m"), 1 to 2147483647 seconds. */
bool annotation_record_read_ttl(struct bytes text, uint32_t *out);

/* Does any object carry the name, be it of a cluster that is not registered, or without an address yet? */
bool annotation_record_is_carried(const struct world *w, struct bytes host);
/* `host` in wire form.  The object that owns the name, or NULL when nobody speaks for it. */
const struct fact *annotation_record_make(const struct world *w, uint32_t source, struct bytes host,
                                          struct draft *d);

#endif
