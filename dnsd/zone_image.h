/* zone_image.h -- a zone as it is transferred: every record that one serial has, in canonical order of names, in wire form.
 *
 * A secondary gives all clients the same answer, so what depends on the client is made fixed: of a name's sites those whose
 * application is ready count, all of them, or one cluster's and others' only for what that one does not have.  What changes without a serial (probes, drains) has no part in
 * it, so one serial is one zone.  Made by any thread with a snapshot; shared, and never changed.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ZONE_IMAGE_H
#define DNSD_ZONE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "zones/snapshot.h"

struct zone_image;

/* `cluster` NULL, or of no cluster: all of them.  Costs time and memory in the size of the zone: not for the answering path. */
const struct zone_image *zone_image_make(const struct snapshot *s, const struct zone *z,
                                         const char *cluster);
const struct zone_image *zone_image_ref(const struct zone_image *i);
void zone_image_unref(const struct zone_image *i); /* NULL is fine; any thread */

uint32_t zone_image_serial(const struct zone_image *i);
const uint8_t *zone_image_apex(const struct zone_image *i); /* wire form, lower case */
/* Records are whole: owner (not compressed), TYPE, CLASS, TTL, RDLENGTH, RDATA. */
struct bytes zone_image_soa(const struct zone_image *i);
struct bytes zone_image_records(
	const struct zone_image *i); /* all but the SOA, one behind the other */

/* The record at the beginning of good ones; none at their end. */
struct bytes zone_image_record(struct bytes records);
/* <0, 0, >0: the order in which images have them; the same record is 0 whatever its TTL. */
int zone_image_compare(struct bytes a, struct bytes b);

#endif
