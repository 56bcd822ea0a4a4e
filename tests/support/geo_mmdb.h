/* geo_mmdb.h -- writes MaxMind databases, for tests.
 *
 * Networks are put with a record in JSON: objects become maps, numbers with a point or an exponent
 * doubles, other numbers uint32 or int32.  Text and maps that occur again become pointers,
 * equal records are written once.  A mistake in a test ends it with a message.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_GEO_MMDB_H
#define TESTS_SUPPORT_GEO_MMDB_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct geo_mmdb;

/* ip_version 4 or 6; record_size 24, 28 or 32 bits. */
struct geo_mmdb *geo_mmdb_new(unsigned ip_version, unsigned record_size);
void geo_mmdb_free(struct geo_mmdb *m);

/* Later networks override earlier ones.  In a version 6 database IPv4 networks lie in ::/96. */
void geo_mmdb_put(struct geo_mmdb *m, const char *network, const char *json);
/* Makes ::ffff:0:0/96, 2002::/16 and 2001::/32 lead to the IPv4 tree, as MaxMind's files do.  After the puts. */
void geo_mmdb_alias(struct geo_mmdb *m);
/* Makes a network lead to a node of the tree (0 is its root): a way to circles. */
void geo_mmdb_link(struct geo_mmdb *m, const char *network, uint32_t node);

/* The file's bytes, good until the next call with m. */
struct bytes geo_mmdb_bytes(struct geo_mmdb *m);
void geo_mmdb_write(struct geo_mmdb *m, const char *path);

#endif
