/* service_record.h -- the names of a ServiceDNSRecord: KubeFed's ladder.
 *
 * Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_SERVICE_RECORD_H
#define RECORDS_SERVICE_RECORD_H

#include "records/draft.h"
#include "records/names.h"
#include "records/world.h"

/* The record's names in wire form, without and with the rungs of the ladder. */
struct service_record_names {
	uint8_t front_wire[NAMES_WIRE_MAX], global_wire[NAMES_WIRE_MAX],
		prefix_wire[NAMES_WIRE_MAX];
	struct bytes front; /* <name>.<namespace>.<domainRef>.svc, without the root label */
	struct bytes apex;  /* of the Domain, lower case */
	struct bytes global;
	struct bytes prefix; /* <dnsPrefix>.<zone>; {0} without one */
};

/* False, and a note, when there is no Domain or no such name can be. */
bool service_record_read_names(const struct world *w, const char *title, const struct fact_value *v,
                               struct service_record_names *out);
/* <front>.<rung>.<back>; {0}, and a note, when it is too long. */
struct bytes service_record_rung_name(const struct world *w, const char *title,
                                      const struct service_record_names *n, struct bytes label,
                                      struct bytes back, uint8_t out[NAMES_WIRE_MAX]);

void service_record_make(const struct world *w, uint32_t source, const struct fact *fact,
                         struct draft *d);

#endif
