/* name_records.h -- all records of one name, the same for every client: as they stand in a transfer or in a master file.
 *
 * RRsets are gathered, of sites too, then settled: each record once, one TTL for an RRset (the least, RFC 2181 5.2), a CNAME
 * alone (RFC 1034 3.6.2: beside other data it goes, of several the first stays).  Borrows what is gathered.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_NAME_RECORDS_H
#define DNSD_NAME_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "zones/zone.h"

struct name_record {
	uint16_t type;
	uint32_t ttl;
	struct bytes rdata;
};

/* What of a name has a part in the zone: nothing below a DNAME (RFC 6672 2.4); below a delegation what is the same for all, glue
 * for the most (RFC 5936 3.5), but no sites. */
enum name_records_share { NAME_RECORDS_NONE, NAME_RECORDS_FIXED, NAME_RECORDS_ALL };
enum name_records_share name_records_share(const struct zone *z, const struct node *n);

/* Zeroed: empty. */
struct name_records {
	struct name_record *item;
	size_t count, room;
};

void name_records_add(struct name_records *r, const struct rrset *rrset);
void name_records_add_fixed(struct name_records *r, const struct node *n);
void name_records_add_site(struct name_records *r, const struct site *site);
/* By type, the SOA first as readers of master files expect, then by RDATA. */
void name_records_settle(struct name_records *r);
void name_records_fini(struct name_records *r);

#endif
